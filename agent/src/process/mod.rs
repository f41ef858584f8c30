//! Processes that the server holds by their standard streams: logins, commands and file transfers from outside. They end
//! with the connection that they were started over, unlike the terminals of the page.

mod carry;
mod locale;
mod modes;
mod pty;

use std::{
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use boatyard_protocol::process::{Run, StartProcess};
pub use carry::{Frames, Sink, carry};
use pty::Master;
use tokio::{
    net::unix::pipe,
    sync::{Semaphore, SemaphorePermit},
};

use crate::{
    reaper::{Process, Reaper},
    users::Login,
};

/// Processes at one time.
const MOST: usize = 128;
/// Variables that one request sets, and the length of each with its name.
const MOST_VARIABLES: usize = 64;
const LONGEST_VARIABLE: usize = 4096;
/// Where distributions keep OpenSSH's sftp-server.
const SFTP: [&str; 4] = [
    "/usr/lib/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/libexec/sftp-server",
];

static PLACES: Semaphore = Semaphore::const_new(MOST);

/// A place for one more process; none where there are as many as there may be.
pub fn place() -> Option<SemaphorePermit<'static>> {
    PLACES.try_acquire().ok()
}

/// A process that was started, with its streams.
pub struct Started {
    process: Process,
    input: Input,
    output: Output,
    error: Output,
    terminal: Option<Arc<Master>>,
}

/// What the process reads from.
enum Input {
    Pipe(pipe::Sender),
    Terminal(Arc<Master>),
    None,
}

/// What the process writes to.
#[derive(Default)]
enum Output {
    Pipe(pipe::Receiver),
    Terminal(Arc<Master>),
    #[default]
    Closed,
}

/// Why nothing was started: what to say on standard error, and the exit code that a shell would give.
pub struct NotStarted {
    /// The words.
    pub said: String,
    /// The exit code.
    pub code: i32,
}

impl NotStarted {
    fn new(code: i32, said: impl std::fmt::Display) -> NotStarted {
        NotStarted { said: format!("{said}\n"), code }
    }
}

/// Starts a process.
///
/// # Errors
/// [`NotStarted`] when there is no such program, or the system has no more terminals or processes.
pub fn start(reaper: &Reaper, start: &StartProcess) -> Result<Started, NotStarted> {
    let login = Login::user();
    let (shell, _) = login.usable_shell();
    let mut command = match &start.run {
        Run::Shell => with(&shell, &["-l"]),
        Run::Command { line } => with(&shell, &["-c", line]),
        Run::Sftp => match SFTP.into_iter().find(|path| Path::new(path).exists()) {
            Some(path) => with(path, &[]),
            None => {
                let said = "this node's lab image has no sftp-server (Debian package openssh-sftp-server): `scp -O` needs \
                            scp in it, `ssh … 'cat > FILE' < FILE` needs nothing";
                return Err(NotStarted::new(127, said));
            }
        },
    };
    command.env_clear().envs(login.environment()).current_dir(&login.home);
    for (name, value) in start.env.iter().take(MOST_VARIABLES) {
        let fits = !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0');
        if fits && name.len() + value.len() <= LONGEST_VARIABLE && locale::suits(name, value) {
            command.env(name, value);
        }
    }
    let failed = |e: io::Error| NotStarted::new(126, format_args!("{shell}: {e}"));
    match &start.terminal {
        Some(wanted) => {
            let (master, slave) = pty::open(wanted, &login).map_err(failed)?;
            command.env("TERM", &wanted.term).env("SSH_TTY", master.name());
            let [input, output, error] = [slave.try_clone(), slave.try_clone(), Ok(slave)];
            command.stdin(input.map_err(failed)?).stdout(output.map_err(failed)?).stderr(error.map_err(failed)?);
            let process = spawn(reaper, command, &login, true).map_err(failed)?.0;
            let master = Arc::new(master);
            Ok(Started {
                process,
                input: Input::Terminal(master.clone()),
                output: Output::Terminal(master.clone()),
                error: Output::Closed,
                terminal: Some(master),
            })
        }
        None => {
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let (process, mut child) = spawn(reaper, command, &login, false).map_err(failed)?;
            let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
            let (Some(input), Some(output), Some(error)) = pipes else {
                return Err(failed(io::ErrorKind::BrokenPipe.into()));
            };
            let read = |fd: OwnedFd| pipe::Receiver::from_owned_fd(fd).map(Output::Pipe).map_err(failed);
            Ok(Started {
                process,
                input: Input::Pipe(pipe::Sender::from_owned_fd(input.into()).map_err(failed)?),
                output: read(output.into())?,
                error: read(error.into())?,
                terminal: None,
            })
        }
    }
}

fn with(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

/// Starts `command` as the leader of a session of its own; the descriptors that it was given go with it.
fn spawn(
    reaper: &Reaper,
    mut command: Command,
    login: &Login,
    terminal: bool,
) -> io::Result<(Process, std::process::Child)> {
    // SAFETY: what runs between fork and exec makes system calls and nothing else.
    unsafe {
        command.pre_exec(move || {
            nix::unistd::setsid()?;
            if terminal && libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        });
        if !login.is_root() {
            command.pre_exec(login.takes_over());
        }
    }
    reaper.spawn(|| command.spawn().map(|child| (child.id() as i32, child)))
}

impl Output {
    /// Reads what is there, waiting for it; 0 at the end.
    async fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Output::Pipe(pipe) => tokio::io::AsyncReadExt::read(pipe, buf).await,
            Output::Terminal(master) => master.read(buf).await,
            Output::Closed => Ok(0),
        }
    }

    fn is_open(&self) -> bool {
        !matches!(self, Output::Closed)
    }
}

impl Input {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Input::Pipe(pipe) => tokio::io::AsyncWriteExt::write_all(pipe, bytes).await,
            Input::Terminal(master) => master.write_all(bytes).await,
            Input::None => Ok(()),
        }
    }
}

/// Signals the foreground of a terminal, or the process group that `pid` leads.
fn signal(reaper: &Reaper, pid: i32, terminal: Option<&Arc<Master>>, signal: i32) {
    // SAFETY: takes and gives plain integers.
    let foreground = terminal.map(|master| unsafe { libc::tcgetpgrp(master.as_raw_fd()) });
    match foreground {
        // SAFETY: as above; the group is that of a terminal of this login.
        Some(group @ 2..) => drop(unsafe { libc::kill(-group, signal) }),
        _ => reaper.signal_group_of(pid, signal),
    }
}
