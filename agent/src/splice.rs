//! Carries bytes between the server's connection and one in the sandbox: by a small buffer at first, and where there are many,
//! from socket to socket in the kernel (splice(2)), which copies none.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

use bytes::Bytes;
use nix::{
    errno::Errno,
    fcntl::OFlag,
    sys::socket::{Shutdown, shutdown},
};
use tokio::{
    io::Interest,
    net::{TcpStream, UnixStream},
};

/// Buffer of each direction: most streams are short.
const BUFFER: usize = 16 << 10;
/// So many bytes of one direction are worth a pipe.
const MANY: usize = 256 << 10;
/// Most bytes in one turn.
const TURN: usize = 1 << 20;

/// Carries bytes both ways until both sides are done, or one fails. `said` is what the server has said already.
pub async fn carry(server: UnixStream, said: Bytes, own: TcpStream) {
    let both = async {
        write_all(&own, &said).await?;
        tokio::try_join!(half(&server, &own), half(&own, &server))
    };
    if let Err(e) = both.await {
        tracing::debug!("a stream ended: {e}");
    }
}

/// A socket of the runtime's.
trait Socket: AsFd + Sync {
    /// Does `io` when the socket is ready for it.
    fn when<R: Send>(
        &self,
        ready: Interest,
        io: impl FnMut() -> io::Result<R> + Send,
    ) -> impl Future<Output = io::Result<R>> + Send;
}

impl Socket for TcpStream {
    async fn when<R: Send>(&self, ready: Interest, io: impl FnMut() -> io::Result<R> + Send) -> io::Result<R> {
        self.async_io(ready, io).await
    }
}

impl Socket for UnixStream {
    async fn when<R: Send>(&self, ready: Interest, io: impl FnMut() -> io::Result<R> + Send) -> io::Result<R> {
        self.async_io(ready, io).await
    }
}

/// Carries one direction to its end, and tells the other side of it.
async fn half(from: &impl Socket, to: &impl Socket) -> io::Result<()> {
    if !copy(from, to, MANY).await? && !splice_all(from, to).await? {
        copy(from, to, usize::MAX).await?;
    }
    match shutdown(to.as_fd().as_raw_fd(), Shutdown::Write) {
        // It has ended already.
        Err(Errno::ENOTCONN) | Ok(()) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Copies until the end, or until there were `most` bytes. Whether it was the end.
async fn copy(from: &impl Socket, to: &impl Socket, most: usize) -> io::Result<bool> {
    let mut buffer = vec![0; BUFFER];
    let mut total = 0_usize;
    while total < most {
        let n = from.when(Interest::READABLE, || Ok(nix::unistd::read(from.as_fd(), &mut buffer)?)).await?;
        if n == 0 {
            return Ok(true);
        }
        write_all(to, &buffer[..n]).await?;
        total = total.saturating_add(n);
    }
    Ok(false)
}

async fn write_all(to: &impl Socket, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = to.when(Interest::WRITABLE, || Ok(nix::unistd::write(to.as_fd(), bytes)?)).await?;
        bytes = &bytes[n..];
    }
    Ok(())
}

/// Moves all through a pipe. `false` where the kernel cannot, with nothing lost.
async fn splice_all(from: &impl Socket, to: &impl Socket) -> io::Result<bool> {
    let Ok((read, write)) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK) else { return Ok(false) };
    loop {
        // The pipe is empty: what would block is the socket.
        let mut left = match from.when(Interest::READABLE, || splice(from.as_fd(), write.as_fd(), TURN)).await {
            Ok(0) => return Ok(true),
            Ok(n) => n,
            Err(e) if is_unknown(&e) => return Ok(false),
            Err(e) => return Err(e),
        };
        while left > 0 {
            match to.when(Interest::WRITABLE, || splice(read.as_fd(), to.as_fd(), left)).await {
                Ok(n) => left -= n,
                Err(e) if is_unknown(&e) => {
                    let mut rest = vec![0; left];
                    let n = nix::unistd::read(&read, &mut rest)?;
                    write_all(to, &rest[..n]).await?;
                    left -= n;
                }
                Err(e) => return Err(e),
            }
        }
    }
}

fn splice(from: BorrowedFd<'_>, to: BorrowedFd<'_>, most: usize) -> io::Result<usize> {
    let flags = libc::SPLICE_F_MOVE | libc::SPLICE_F_NONBLOCK;
    let (from, to, none) = (from.as_raw_fd(), to.as_raw_fd(), std::ptr::null_mut());
    // SAFETY: both descriptors are borrowed for the call, and no offsets are given.
    let n = unsafe { libc::splice(from, none, to, none, most, flags) };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

fn is_unknown(e: &io::Error) -> bool {
    matches!(e.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS | libc::EOPNOTSUPP | libc::EPERM))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn through(size: usize) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut application, _) = listener.accept().await.unwrap();
        let (server, outside) = UnixStream::pair().unwrap();
        tokio::spawn(carry(server, Bytes::from_static(b"said"), own));
        let sent: Vec<u8> = (0..size).map(|i| (i * 7 + i / 251) as u8).collect();
        let (mut read, mut write) = outside.into_split();
        let up = async {
            write.write_all(&sent).await.unwrap();
            write.shutdown().await.unwrap();
        };
        // The application answers after the end of what it was sent: one direction outlives the other.
        let echo = async {
            let mut got = Vec::new();
            application.read_to_end(&mut got).await.unwrap();
            application.write_all(&got).await.unwrap();
            drop(application);
        };
        let mut back = Vec::new();
        tokio::join!(up, echo, async { read.read_to_end(&mut back).await.unwrap() });
        assert!(back.starts_with(b"said") && back[4..] == sent, "{size} bytes did not come as they were sent");
    }

    #[tokio::test]
    async fn all_bytes_come_in_order_however_many() {
        for size in [0, 1, MANY - 4, MANY - 3, 3 * MANY + 5, 20 << 20] {
            through(size).await;
        }
    }

    #[tokio::test]
    async fn a_side_that_fails_ends_the_other() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (application, _) = listener.accept().await.unwrap();
        let (server, mut outside) = UnixStream::pair().unwrap();
        let carried = tokio::spawn(carry(server, Bytes::new(), own));
        drop(application);
        assert_eq!(outside.read(&mut [0]).await.unwrap(), 0);
        drop(outside);
        carried.await.unwrap();
    }
}
