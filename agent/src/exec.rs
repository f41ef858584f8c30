//! Runs a command to its end and gives what it put out.

use std::{
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use boatyard_protocol::agent::{ExecRequest, ExecResponse};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::pipe,
    time::{Instant, timeout_at},
};

use crate::{
    reaper::{Process, Reaper},
    users::Login,
};

/// Most bytes kept of each of stdout and stderr, whatever the request says.
const MOST_OUTPUT: usize = 16 << 20;
/// How long output is awaited from processes that the command left behind with its pipes.
const LINGER: Duration = Duration::from_millis(100);

/// Kills the command's process group when nobody waits for it any more.
struct Guard<'a> {
    reaper: &'a Reaper,
    process: Process,
    ended: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.reaper.signal_group(&self.process, libc::SIGKILL);
        }
    }
}

/// Runs it. A command that cannot be started ends as in a shell: with 127 where it is not there, else 126.
///
/// # Errors
/// When the request names no command or no user that is there, or the system has no more pipes.
pub async fn run(reaper: &Arc<Reaper>, request: ExecRequest) -> io::Result<ExecResponse> {
    let Some((program, args)) = request.command.split_first().filter(|(p, _)| !p.is_empty()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "`command` is empty"));
    };
    let login = match &request.user {
        None => Login::user(),
        Some(name) => Login::named(name)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("there is no user {name:?}")))?,
    };
    let mut command = Command::new(program);
    command
        .args(args)
        .env_clear()
        .envs(login.environment())
        .envs(&request.env)
        .current_dir(request.cwd.as_deref().unwrap_or(&login.home))
        .stdin(if request.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if !login.is_root() {
        // SAFETY: what runs between fork and exec makes three system calls and no other.
        unsafe { command.pre_exec(login.takes_over()) };
    }
    let spawned = reaper.spawn(|| command.spawn().map(|child| (child.id() as i32, child)));
    let (process, mut child) = match spawned {
        Ok(spawned) => spawned,
        Err(e) => return Ok(not_started(program, &request, &e)),
    };
    let mut guard = Guard { reaper, process, ended: false };

    let most = request.max_output.min(MOST_OUTPUT);
    let stdout = child.stdout.take().map(OwnedFd::from).map(pipe::Receiver::from_owned_fd).transpose()?;
    let stderr = child.stderr.take().map(OwnedFd::from).map(pipe::Receiver::from_owned_fd).transpose()?;
    let stdin = child.stdin.take().map(OwnedFd::from).map(pipe::Sender::from_owned_fd).transpose()?;
    let (mut out, mut err) = (Kept::new(most), Kept::new(most));
    let input = request.stdin.unwrap_or_default();
    let deadline = Instant::now() + Duration::from_millis(request.timeout_ms.min(24 * 3600 * 1000));
    let mut timed_out = false;
    let exit_code;
    {
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A command that does not read its input to the end is no error.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
            std::future::pending::<()>().await;
        };
        let io = async {
            tokio::join!(out.fill(stdout), err.fill(stderr));
        };
        tokio::pin!(io);
        tokio::pin!(feed);
        let mut io_done = false;
        let until_exit = async {
            loop {
                tokio::select! {
                    code = guard.process.exit() => break code,
                    () = &mut io, if !io_done => io_done = true,
                    () = &mut feed => {}
                }
            }
        };
        match timeout_at(deadline, until_exit).await {
            Ok(code) => exit_code = code,
            Err(_) => {
                timed_out = true;
                reaper.signal_group(&guard.process, libc::SIGKILL);
                exit_code = guard.process.exit().await;
            }
        }
        guard.ended = true;
        if !io_done {
            let _ = tokio::time::timeout(LINGER, &mut io).await;
        }
    }
    Ok(ExecResponse { exit_code, truncated: out.cut || err.cut, stdout: out.text(), stderr: err.text(), timed_out })
}

fn not_started(program: &str, request: &ExecRequest, e: &io::Error) -> ExecResponse {
    let (exit_code, why) = match e.kind() {
        io::ErrorKind::NotFound => match &request.cwd {
            Some(cwd) if !std::path::Path::new(cwd).is_dir() => (126, format!("{cwd}: no such folder\n")),
            _ => (127, format!("{program}: command not found\n")),
        },
        _ => (126, format!("{program}: {e}\n")),
    };
    ExecResponse { exit_code, stdout: String::new(), stderr: why, truncated: false, timed_out: false }
}

/// The start of an output; the rest is read and dropped.
struct Kept {
    bytes: Vec<u8>,
    most: usize,
    cut: bool,
}

impl Kept {
    fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), most, cut: false }
    }

    async fn fill(&mut self, pipe: Option<pipe::Receiver>) {
        let Some(mut pipe) = pipe else { return };
        let mut buf = vec![0; 16 << 10];
        while let Ok(n @ 1..) = pipe.read(&mut buf).await {
            let keep = n.min(self.most - self.bytes.len());
            self.cut |= keep < n;
            self.bytes.extend_from_slice(&buf[..keep]);
        }
    }

    fn text(self) -> String {
        String::from_utf8(self.bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
    }
}
