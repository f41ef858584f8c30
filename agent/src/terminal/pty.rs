//! A pseudo-terminal with its process: opened and spawned by portable-pty, read and written through the event loop.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use anyhow::Context;
use boatyard_protocol::agent::OpenTerminal;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tokio::{io::unix::AsyncFd, time::sleep};

use crate::{
    reaper::{Process, Reaper},
    users::{BECOME, Login},
};

/// Once every process has closed the terminal, it counts as ready for ever, though nothing can be read or written. How
/// often it is then tried again: a process may open it anew.
const REOPENED: Duration = Duration::from_millis(20);

/// The agent's side of a pseudo-terminal.
pub struct Pty {
    master: AsyncFd<OwnedFd>,
}

impl Pty {
    /// Opens a pseudo-terminal and starts the command, or the user's login shell, on it.
    ///
    /// # Errors
    /// When no pseudo-terminal is to be had, or neither the command nor any shell starts.
    pub fn open(open: &OpenTerminal, reaper: &Reaper) -> anyhow::Result<(Pty, Process, Option<String>)> {
        let login = Login::user();
        let pair = native_pty_system()
            .openpty(size(open.cols, open.rows))
            .context("no pseudo-terminal to be had; is /dev/pts mounted?")?;
        let fd = pair.master.as_raw_fd().context("the pseudo-terminal has no descriptor")?;
        // SAFETY: the descriptor is open as long as `pair.master`, which lives to the end of this function.
        let master = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned()?;
        let mut notice = None;
        let mut command = if open.command.is_empty() {
            let (shell, said) = login.usable_shell();
            notice = said;
            vec![shell, "-l".to_owned()]
        } else {
            open.command.clone()
        };
        if !login.is_root() {
            command.splice(0..0, ["/proc/self/exe".to_owned(), BECOME.to_owned(), login.name.clone()]);
        }
        let mut builder = CommandBuilder::from_argv(command.iter().map(Into::into).collect());
        builder.env_clear();
        for (key, value) in login.environment() {
            builder.env(key, value);
        }
        builder.env("TERM", "xterm-256color");
        builder.env("COLORTERM", "truecolor");
        builder.cwd(open.cwd.as_deref().unwrap_or(&login.home));
        let (process, _child) = reaper.spawn(|| {
            let child = pair.slave.spawn_command(builder).map_err(io::Error::other)?;
            let pid = child.process_id().ok_or_else(|| io::Error::other("the process has no id"))?;
            Ok((pid as i32, child))
        })?;
        set_nonblocking(&master)?;
        // SAFETY: an OwnedFd gives the same descriptor as long as it lives, and is not taken out of the AsyncFd.
        let master = unsafe { AsyncFd::register(master) }?;
        Ok((Pty { master }, process, notice))
    }

    /// Reads what is there, waiting for it; 0 when the other side has been closed.
    ///
    /// # Errors
    /// What read(2) says.
    pub async fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.master.readable().await?;
            let closed = ready.ready().is_read_closed();
            match ready.try_io(|fd| read_some(fd.get_ref(), buf)) {
                Ok(done) => return done,
                Err(_) if closed => sleep(REOPENED).await,
                Err(_) => {}
            }
        }
    }

    /// Reads what is there without waiting; none where nothing is.
    pub fn try_read(&self, buf: &mut [u8]) -> Option<usize> {
        read_some(self.master.get_ref(), buf).ok().filter(|n| *n > 0)
    }

    /// Writes some bytes, waiting until the terminal takes them.
    ///
    /// # Errors
    /// What write(2) says.
    pub async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.master.writable().await?;
            let closed = ready.ready().is_write_closed();
            // SAFETY: the pointer and length are those of a live slice.
            let write = |fd: &OwnedFd| unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
            match ready.try_io(|fd| check(write(fd.get_ref()))) {
                Ok(done) => return done,
                Err(_) if closed => sleep(REOPENED).await,
                Err(_) => {}
            }
        }
    }

    /// Sets the size; the kernel sends SIGWINCH if it changed.
    pub fn resize(&self, cols: u16, rows: u16) {
        let size = libc::winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: TIOCSWINSZ reads one winsize, which lives through the call.
        unsafe { libc::ioctl(self.master.get_ref().as_raw_fd(), libc::TIOCSWINSZ, &size) };
    }

    /// Command name of the foreground process group.
    pub fn foreground(&self) -> Option<String> {
        let name = std::fs::read(format!("/proc/{}/comm", self.foreground_group()?)).ok()?;
        Some(String::from_utf8_lossy(name.trim_ascii_end()).into_owned())
    }

    /// Working folder of the foreground process, or of the process `shell` where that has none.
    pub fn working_folder(&self, shell: i32) -> Option<String> {
        self.foreground_group().into_iter().chain([shell]).find_map(|pid| {
            let folder = std::fs::read_link(format!("/proc/{pid}/cwd")).ok()?.into_os_string().into_string().ok()?;
            // The kernel's remarks. It is not asked whether the folder is there: a file system of the student's may never
            // answer.
            (folder.starts_with('/') && !folder.ends_with(" (deleted)")).then_some(folder)
        })
    }

    fn foreground_group(&self) -> Option<i32> {
        // SAFETY: takes and gives plain integers.
        let group = unsafe { libc::tcgetpgrp(self.master.get_ref().as_raw_fd()) };
        (group > 0).then_some(group)
    }

    /// Sends a signal to the foreground process group, as a hang-up of the line would.
    pub fn signal_foreground(&self, signal: i32) {
        // SAFETY: takes and gives plain integers.
        unsafe {
            let group = libc::tcgetpgrp(self.master.get_ref().as_raw_fd());
            if group > 1 {
                libc::kill(-group, signal);
            }
        }
    }
}

fn read_some(fd: &OwnedFd, buf: &mut [u8]) -> io::Result<usize> {
    let mut total = 0;
    // One read gives at most a page: gather what is there, so that a flood goes out in few large frames.
    while total < buf.len() {
        let rest = &mut buf[total..];
        // SAFETY: the pointer and length are those of a live slice.
        match check(unsafe { libc::read(fd.as_raw_fd(), rest.as_mut_ptr().cast(), rest.len()) }) {
            Ok(0) => break,
            Ok(n) => total += n,
            Err(_) if total > 0 => break,
            // The kernel's word for "every descriptor of the other side is closed".
            Err(e) if e.raw_os_error() == Some(libc::EIO) => return Ok(0),
            Err(e) => return Err(e),
        }
    }
    Ok(total)
}

fn check(n: isize) -> io::Result<usize> {
    if n < 0 { Err(io::Error::last_os_error()) } else { Ok(n as usize) }
}

fn set_nonblocking(fd: &OwnedFd) -> io::Result<()> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
