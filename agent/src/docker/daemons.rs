//! Starts and ends containerd and dockerd.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use super::settings;
use crate::{
    reaper::{Process, Reaper},
    users,
};

/// What containerd says.
pub const CONTAINERD_LOG: &str = "/var/log/containerd.log";
/// What dockerd says.
pub const DOCKERD_LOG: &str = "/var/log/dockerd.log";
const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";
/// A log larger than this is begun anew when its daemon starts.
const LOG: u64 = 8 << 20;
/// Hidden subcommand of the agent: see [`activate`].
pub const ACTIVATE: &str = "activate";

fn find(program: &str) -> Option<String> {
    users::PATH.split(':').map(|folder| format!("{folder}/{program}")).find(|p| Path::new(p).is_file())
}

/// Whether this root file system has an engine.
pub fn installed() -> bool {
    find("dockerd").is_some() && find("containerd").is_some()
}

fn log(path: &str) -> io::Result<File> {
    let large = fs::metadata(path).is_ok_and(|m| m.len() > LOG);
    File::options().create(true).append(!large).write(true).truncate(large).open(path)
}

fn daemon(program: &str, log_path: &str) -> io::Result<Command> {
    let out = log(log_path)?;
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", users::PATH)
        .env("HOME", "/root")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .process_group(0);
    Ok(command)
}

fn spawn(reaper: &Reaper, mut command: Command) -> io::Result<Process> {
    Ok(reaper.spawn(|| command.spawn().map(|child| (child.id() as i32, ())))?.0)
}

/// Starts containerd.
///
/// # Errors
/// When it cannot be executed, or its log not be opened.
pub fn containerd(reaper: &Reaper) -> io::Result<Process> {
    let program = find("containerd").ok_or(io::ErrorKind::NotFound)?;
    // A socket left from a run before would be taken for an answer.
    let _ = fs::remove_file(CONTAINERD_SOCKET);
    for folder in ["/run/containerd", "/var/lib/docker/containerd"] {
        fs::create_dir_all(folder)?;
    }
    let mut command = daemon(&program, CONTAINERD_LOG)?;
    command
        .args(["--root", "/var/lib/docker/containerd", "--state", "/run/containerd", "--address", CONTAINERD_SOCKET])
        .args(["--log-level", "warn"])
        .args(["--config", settings::CONTAINERD]);
    spawn(reaper, command)
}

/// Starts dockerd on the socket that is held for it, with `environment` beside what all daemons have.
///
/// # Errors
/// When it cannot be executed, or its log not be opened.
pub fn dockerd(reaper: &Reaper, socket: &OwnedFd, environment: &[(&str, String)]) -> io::Result<Process> {
    let program = find("dockerd").ok_or(io::ErrorKind::NotFound)?;
    // The process that it names is gone, or is by now another's.
    let _ = fs::remove_file("/run/docker.pid");
    // The agent executes itself first: only the child knows its own process id, which LISTEN_PID must name.
    let mut command = daemon("/proc/self/exe", DOCKERD_LOG)?;
    command.args([ACTIVATE, &program, "-H", "fd://", "--containerd", CONTAINERD_SOCKET]);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    let fd = socket.as_raw_fd();
    // SAFETY: dup2 and fcntl are async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            let to = boatyard_protocol::agent::LISTEN_FD;
            let done = if fd == to { libc::fcntl(fd, libc::F_SETFD, 0) } else { libc::dup2(fd, to) };
            if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
        });
    }
    spawn(reaper, command)
}

/// Becomes the program of `args`, with its own process id in LISTEN_PID, as socket activation wants it.
pub fn activate(args: &[String]) -> ExitCode {
    let Some((program, args)) = args.split_first() else { return ExitCode::from(2) };
    let e = Command::new(program)
        .args(args)
        .env("LISTEN_PID", std::process::id().to_string())
        .env("LISTEN_FDS", "1")
        .exec();
    eprintln!("{program}: {e}");
    ExitCode::from(127)
}

/// Asks a daemon to end, and kills it when it takes longer than `patience`.
pub async fn end(reaper: &Reaper, mut process: Process, patience: Duration) {
    reaper.signal(&process, libc::SIGTERM);
    if tokio::time::timeout(patience, process.exit()).await.is_err() {
        reaper.signal_group(&process, libc::SIGKILL);
        process.exit().await;
    }
}
