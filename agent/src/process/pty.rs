//! A pseudo-terminal of a login.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    time::Duration,
};

use boatyard_protocol::process::TerminalRequest;
use nix::{fcntl::OFlag, pty};
use tokio::{io::unix::AsyncFd, time::sleep};

use super::modes;
use crate::users::{Login, group};

/// Once every process has closed the terminal, it counts as ready for ever, though nothing can be read or written. How
/// often it is then tried again: a process may open it anew.
const REOPENED: Duration = Duration::from_millis(20);

/// The agent's side of a pseudo-terminal.
pub struct Master {
    fd: AsyncFd<OwnedFd>,
}

/// Opens a pseudo-terminal for a user: both sides.
pub fn open(wanted: &TerminalRequest, login: &Login) -> io::Result<(Master, OwnedFd)> {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let master = pty::posix_openpt(flags | OFlag::O_NONBLOCK)?;
    pty::grantpt(&master)?;
    pty::unlockpt(&master)?;
    // SAFETY: takes plain integers, and gives a new descriptor or an error.
    let slave = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags.bits()) };
    if slave < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nothing else has it.
    let slave = unsafe { OwnedFd::from_raw_fd(slave) };
    modes::apply(&slave, &wanted.modes);
    // As login(1) does it: programs open their terminal by its path, too.
    let _ = std::os::unix::fs::fchown(&slave, Some(login.uid), group("tty"));
    // SAFETY: the number is that of a descriptor which is given away here for good.
    let fd = unsafe { OwnedFd::from_raw_fd(std::os::fd::IntoRawFd::into_raw_fd(master)) };
    // SAFETY: an OwnedFd gives the same descriptor as long as it lives, and is not taken out of the AsyncFd.
    let master = Master { fd: unsafe { AsyncFd::register(fd) }? };
    master.resize(wanted.cols, wanted.rows);
    Ok((master, slave))
}

impl Master {
    /// Path of the other side.
    pub fn name(&self) -> String {
        let mut number: libc::c_uint = 0;
        // SAFETY: TIOCGPTN writes one integer.
        unsafe { libc::ioctl(self.as_raw_fd(), libc::TIOCGPTN, &mut number) };
        format!("/dev/pts/{number}")
    }

    /// Sets the size; the kernel sends SIGWINCH if it changed.
    pub fn resize(&self, cols: u16, rows: u16) {
        let size = libc::winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: TIOCSWINSZ reads one winsize, which lives through the call.
        unsafe { libc::ioctl(self.as_raw_fd(), libc::TIOCSWINSZ, &size) };
    }

    /// Reads what is there, waiting for it; 0 when the other side has been closed.
    pub async fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.fd.readable().await?;
            // SAFETY: the pointer and length are those of a live slice.
            let mut read = |fd: &OwnedFd| unsafe { libc::read(fd.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len()) };
            match ready.try_io(|fd| check(read(fd.get_ref()))) {
                // The kernel's word for "every descriptor of the other side is closed".
                Ok(Err(e)) if e.raw_os_error() == Some(libc::EIO) => return Ok(0),
                Ok(done) => return done,
                Err(_) => {}
            }
        }
    }

    /// Writes all of it, waiting until the terminal takes it.
    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.fd.writable().await?;
            let closed = ready.ready().is_write_closed();
            // SAFETY: the pointer and length are those of a live slice.
            let write = |fd: &OwnedFd| unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
            match ready.try_io(|fd| check(write(fd.get_ref()))) {
                Ok(done) => bytes = &bytes[done?..],
                Err(_) if closed => sleep(REOPENED).await,
                Err(_) => {}
            }
        }
        Ok(())
    }
}

impl AsRawFd for Master {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.get_ref().as_raw_fd()
    }
}

fn check(n: isize) -> io::Result<usize> {
    if n < 0 { Err(io::Error::last_os_error()) } else { Ok(n as usize) }
}
