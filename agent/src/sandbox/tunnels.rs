//! Loopback ports that are carried to the server, and the addresses that lead to them.
//!
//! An alias such as 127.0.0.1:5000 must not be *held*: a student's own `docker run -p 5000:5000` binds 0.0.0.0:5000. So
//! connections to it are redirected to the tunnel's own port by netfilter, and handed over to the student's listener
//! where there is one.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    os::fd::AsRawFd,
    time::Duration,
};

use boatyard_protocol::agent::{AgentConfig, Tunnel};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::redirect;
use crate::{app::App, dial};

/// Opens all tunnels and serves them.
pub fn open(app: &std::sync::Arc<App>) {
    for tunnel in &app.config.tunnels {
        let own = SocketAddrV4::new(Ipv4Addr::LOCALHOST, tunnel.port);
        listen(app, tunnel, own);
    }
    if app.config.tunnels.iter().all(|t| t.aliases.is_empty()) {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(e) = redirect::install(&app.reaper, &app.config.tunnels).await {
            tracing::warn!("aliases of tunnels are held instead of redirected: {e}");
            for tunnel in &app.config.tunnels {
                for alias in &tunnel.aliases {
                    listen(&app, tunnel, *alias);
                }
            }
        }
    });
}

fn listen(app: &std::sync::Arc<App>, tunnel: &Tunnel, at: SocketAddrV4) {
    let listener = std::net::TcpListener::bind(at).and_then(|l| {
        l.set_nonblocking(true)?;
        TcpListener::from_std(l)
    });
    let listener = match listener {
        Ok(listener) => listener,
        Err(e) => return tracing::error!("the tunnel to {} cannot listen on {at}: {e}", tunnel.service),
    };
    let (app, tunnel) = (app.clone(), tunnel.clone());
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    tokio::spawn(serve(app.clone(), tunnel.clone(), stream));
                }
                Err(e) => {
                    // Out of descriptors, for example: the next attempt may do better.
                    tracing::warn!("accepting for {}: {e}", tunnel.service);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    });
}

async fn serve(app: std::sync::Arc<App>, tunnel: Tunnel, stream: TcpStream) {
    if let Some(meant) = original(&stream)
        && meant.port() != tunnel.port
        && *meant.ip() == Ipv4Addr::LOCALHOST
        && let Ok(own) = students(meant).await
    {
        return dial::carry(stream, own).await;
    }
    app.streams.offer(&tunnel.service, stream);
}

/// Connects to what the student has listening at `address`, past the redirection.
async fn students(address: SocketAddrV4) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    redirect::mark(&socket)?;
    let stream = socket.connect(SocketAddr::V4(address)).await?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Where a redirected connection was meant to go.
fn original(stream: &TcpStream) -> Option<SocketAddrV4> {
    const SO_ORIGINAL_DST: libc::c_int = 80;
    // SAFETY: a sockaddr_in of zeroes is valid; getsockopt writes at most the length given.
    let address = unsafe {
        let mut address: libc::sockaddr_in = std::mem::zeroed();
        let mut len = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        let value = std::ptr::from_mut(&mut address).cast();
        if libc::getsockopt(stream.as_raw_fd(), libc::SOL_IP, SO_ORIGINAL_DST, value, &mut len) != 0 {
            return None;
        }
        address
    };
    Some(SocketAddrV4::new(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)), u16::from_be(address.sin_port)))
}

/// Whether two tunnels or aliases are in each other's way.
pub fn check(config: &AgentConfig) -> anyhow::Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for tunnel in &config.tunnels {
        let own = SocketAddrV4::new(Ipv4Addr::LOCALHOST, tunnel.port);
        for address in tunnel.aliases.iter().chain([&own]) {
            anyhow::ensure!(
                address.ip().is_loopback(),
                "{address} of the tunnel to {} is not on loopback",
                tunnel.service
            );
            anyhow::ensure!(address.port() != 0 && seen.insert(*address), "{address} is used for two tunnels");
        }
    }
    Ok(())
}
