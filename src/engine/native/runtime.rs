//! The OCI runtime: the program that makes the namespaces and starts the agent in them.

use std::{
    fs::{File, OpenOptions},
    io::Read,
    ops::Range,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::{
            fs::{MetadataExt, OpenOptionsExt},
            process::CommandExt,
        },
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::{record::Place, sys};

/// An OCI runtime with its state in a folder of Boatyard's own.
#[derive(Debug, Clone)]
pub(super) struct Runtime {
    program: PathBuf,
    root: PathBuf,
}

impl Runtime {
    pub fn new(program: PathBuf, root: PathBuf) -> Runtime {
        Runtime { program, root }
    }

    fn command(&self, place: &Place) -> Command {
        let mut c = Command::new(&self.program);
        c.arg("--root").arg(&self.root).arg("--log").arg(place.runtime_log());
        // It is a short-lived program whose threads would only get into each other's way.
        c.env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("GOMAXPROCS", "1");
        c.stdin(Stdio::null());
        c
    }

    /// Makes the container. Its first process waits for [`Self::start`], and holds `listener` as descriptor 3.
    pub fn create(&self, place: &Place, listener: &OwnedFd) -> Result<()> {
        let console = File::create(place.console())?;
        let mut c = self.command(place);
        c.arg("create").arg("--bundle").arg(&place.folder).arg("--pid-file").arg(place.pid_file());
        c.args(["--preserve-fds", "1"]).arg(place.id.as_str());
        c.stdout(console.try_clone()?).stderr(console);
        let fd = listener.as_raw_fd();
        // SAFETY: only functions that are safe between fork and exec. Dying with us keeps a killed server from leaving
        // a runtime behind that goes on making what the next server is removing.
        unsafe {
            c.pre_exec(move || {
                sys::die_with_parent()?;
                nix::unistd::setsid()?;
                sys::only_fd_3(fd)
            });
        }
        self.run(c, place)
    }

    /// Lets the container's first process run.
    pub fn start(&self, place: &Place) -> Result<()> {
        if self.release(place)? {
            return Ok(());
        }
        let mut c = self.command(place);
        c.arg("start").arg(place.id.as_str()).stdout(Stdio::null()).stderr(Stdio::null());
        self.run(c, place)
    }

    /// Starts a container of runc without another runc, which takes 10 ms to do no more than this: its first process
    /// waits to open a named pipe for writing, and runs on when someone reads from it. False if there is no such pipe.
    fn release(&self, place: &Place) -> Result<bool> {
        if self.name() != "runc" {
            return Ok(false);
        }
        let pipe = place.state.join("exec.fifo");
        let Ok(mut reader) = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&pipe) else {
            return Ok(false);
        };
        let limit = rustix::time::Timespec { tv_sec: 10, tv_nsec: 0 };
        let ready = {
            let mut poll = [rustix::event::PollFd::new(&reader, rustix::event::PollFlags::IN)];
            rustix::event::poll(&mut poll, Some(&limit))?
        };
        let mut byte = [0];
        if ready == 0 || reader.read(&mut byte)? == 0 {
            bail!("the sandbox's first process died before it was started: {}", complaint(place));
        }
        super::record::remove_file(&pipe)?;
        Ok(true)
    }

    fn name(&self) -> &str {
        self.program.file_name().and_then(|n| n.to_str()).unwrap_or_default()
    }

    fn run(&self, mut c: Command, place: &Place) -> Result<()> {
        let status = c.status().with_context(|| {
            format!("{}: cannot be started (apt-get install runc, or set engine.runtime)", self.program.display())
        })?;
        if !status.success() {
            bail!("{} ended with {status}: {}", self.program.display(), complaint(place));
        }
        Ok(())
    }

    /// Kills the container, whose processes have the user ids `uids`, and waits until they are gone; fine if there is none.
    pub fn kill(&self, place: &Place, uids: Option<Range<u32>>, cgroups: &[PathBuf]) -> Result<()> {
        if let Some(fd) = process(place, uids.as_ref()).and_then(|pid| sys::pidfd(pid).ok())
            // Looked at again after it was opened: now it is this process or none.
            && process(place, uids.as_ref()).is_some()
        {
            let _ = rustix::process::pidfd_send_signal(fd.as_fd(), rustix::process::Signal::KILL);
            // The first process goes last: all others in its namespace are gone when it is.
            let mut poll = [rustix::event::PollFd::new(&fd, rustix::event::PollFlags::IN)];
            let limit = rustix::time::Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
            let _ = rustix::event::poll(&mut poll, Some(&limit));
        }
        super::cgroup::kill(cgroups)
    }

    /// Removes what the runtime keeps of a container that was killed.
    pub fn delete(&self, place: &Place) -> Result<()> {
        if !place.state.exists() {
            return Ok(());
        }
        // runc and crun keep nothing but this folder and the cgroups, which are removed beside this.
        if !matches!(self.name(), "runc" | "crun") {
            let mut c = self.command(place);
            c.arg("delete").arg("--force").arg(place.id.as_str()).stdout(Stdio::null()).stderr(Stdio::null());
            if let Err(e) = self.run(c, place) {
                tracing::warn!(sandbox = %place.id, "{e:#}");
            }
        }
        super::record::remove_tree(&place.state)
    }
}

/// The container's first process, if it still is that: after a reboot the number may be another's. It is known by its
/// cgroup, or by its user where it has gone to a group whose path is too long for the kernel to tell.
pub(super) fn process(place: &Place, uids: Option<&Range<u32>>) -> Option<i32> {
    let pid: i32 = std::fs::read_to_string(place.pid_file()).ok()?.trim().parse().ok()?;
    let known = match std::fs::read_to_string(format!("/proc/{pid}/cgroup")) {
        Ok(groups) => groups.contains(&place.cgroup),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => false,
        Err(_) => std::fs::metadata(format!("/proc/{pid}")).is_ok_and(|m| uids.is_some_and(|u| u.contains(&m.uid()))),
    };
    known.then_some(pid)
}

/// What the runtime had to say, for an error message.
fn complaint(place: &Place) -> String {
    let tail = |path: &Path| {
        let text = std::fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(2000)..]).trim().to_owned()
    };
    let said = format!("{} {}", tail(&place.runtime_log()), tail(&place.console()));
    if said.trim().is_empty() { "it gave no reason".into() } else { said.trim().to_owned() }
}

/// Finds a program by name as a shell would, or takes a path as it is.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|p| p.is_file());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).map(|d| d.join(name)).find(|p| p.is_file())
}
