//! Reaches services in the sandbox, and carries bytes between two streams.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream, UnixStream},
    time::timeout,
};

use crate::sandbox::redirect;

/// How long a connection may take to come about.
const PATIENCE: Duration = Duration::from_secs(5);
/// Buffer of each direction. A pushed layer of 100 MB passes through here.
const BUFFER: usize = 64 << 10;

/// Connects to a TCP port: on loopback first, then on the node's own address.
///
/// # Errors
/// The refusal of the first address that was tried; `TimedOut` when none answered.
pub async fn tcp(port: u16, address: Option<Ipv4Addr>) -> io::Result<TcpStream> {
    let own = address.map(IpAddr::V4);
    let mut first = None;
    for ip in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].into_iter().chain(own) {
        match timeout(PATIENCE, connect(SocketAddr::new(ip, port))).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(e)) => drop(first.get_or_insert(e)),
            Err(_) => drop(first.get_or_insert(io::ErrorKind::TimedOut.into())),
        }
    }
    Err(first.unwrap_or_else(|| io::ErrorKind::ConnectionRefused.into()))
}

/// Connects past the sandbox's redirections: what is dialled is the student's own, never the session's registry.
async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Without the right to mark there is no redirection either.
    let _ = redirect::mark(&socket);
    socket.connect(address).await
}

/// Connects to a Unix socket.
///
/// # Errors
/// What connect(2) says; `TimedOut` when its backlog is full.
pub async fn unix(path: &str) -> io::Result<UnixStream> {
    timeout(PATIENCE, UnixStream::connect(path)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// Carries bytes both ways until both sides are done, or one fails.
pub async fn carry(mut a: impl AsyncRead + AsyncWrite + Unpin, mut b: impl AsyncRead + AsyncWrite + Unpin) {
    if let Err(e) = tokio::io::copy_bidirectional_with_sizes(&mut a, &mut b, BUFFER, BUFFER).await {
        tracing::debug!("a stream ended: {e}");
    }
}
