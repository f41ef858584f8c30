//! The one place that waits for processes.
//!
//! PID 1 inherits every orphan, so it waits for any child (`waitpid(-1)`) whenever SIGCHLD comes. Whoever starts a process
//! registers it here under the same lock, so that its exit cannot be collected before anyone knows of it.

use std::{collections::HashMap, io, sync::Mutex};

use tokio::sync::oneshot;

/// Processes that someone waits for.
#[derive(Default)]
pub struct Reaper {
    waiting: Mutex<HashMap<i32, oneshot::Sender<i32>>>,
}

/// A process that was started here.
pub struct Process {
    /// Its process id.
    pub pid: i32,
    exit: oneshot::Receiver<i32>,
    code: Option<i32>,
}

impl Process {
    /// Waits for its end; gives its exit code, or 128 + signal. May be asked again.
    pub async fn exit(&mut self) -> i32 {
        if let Some(code) = self.code {
            return code;
        }
        // The sender lives in the table until the process is reaped.
        let code = (&mut self.exit).await.unwrap_or(-1);
        self.code = Some(code);
        code
    }
}

impl Reaper {
    /// Starts a process with `start`, which gives its id, and registers it.
    ///
    /// # Errors
    /// What `start` says.
    pub fn spawn<T>(&self, start: impl FnOnce() -> io::Result<(i32, T)>) -> io::Result<(Process, T)> {
        let mut waiting = self.lock();
        let (pid, more) = start()?;
        let (tx, exit) = oneshot::channel();
        waiting.insert(pid, tx);
        Ok((Process { pid, exit, code: None }, more))
    }

    /// Collects every process that has ended.
    pub fn reap(&self) {
        let mut waiting = self.lock();
        loop {
            let mut status = 0;
            // SAFETY: waitpid writes one integer.
            let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
            if pid <= 0 {
                return;
            }
            let code = if libc::WIFEXITED(status) {
                libc::WEXITSTATUS(status)
            } else if libc::WIFSIGNALED(status) {
                128 + libc::WTERMSIG(status)
            } else {
                continue;
            };
            if let Some(tx) = waiting.remove(&pid) {
                let _ = tx.send(code);
            }
        }
    }

    /// Signals a process, unless it has been reaped: its id may by then be another's.
    pub fn signal(&self, process: &Process, signal: i32) {
        self.send(process.pid, process.pid, signal);
    }

    /// Signals the process group that a process leads.
    pub fn signal_group(&self, process: &Process, signal: i32) {
        self.signal_group_of(process.pid, signal);
    }

    /// As [`Reaper::signal_group`], by the id of a process that was started here.
    pub fn signal_group_of(&self, pid: i32, signal: i32) {
        self.send(pid, -pid, signal);
    }

    fn send(&self, pid: i32, to: i32, signal: i32) {
        let waiting = self.lock();
        if waiting.contains_key(&pid) {
            // SAFETY: takes and gives plain integers.
            unsafe { libc::kill(to, signal) };
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<i32, oneshot::Sender<i32>>> {
        self.waiting.lock().unwrap_or_else(|e| e.into_inner())
    }
}
