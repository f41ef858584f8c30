//! `ssh -L` and `-D`: streams to what listens in the session's nodes.

use std::net::IpAddr;

use hyper_util::rt::TokioIo;
use russh::{
    Channel, ChannelOpenFailure,
    server::{ChannelOpenHandle, Msg},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

use super::queue::{self, Said};
use crate::{
    agent::{AgentError, RawStream},
    ssh::connection::{ChannelPlace, SignedIn},
};

/// Bytes read at a time.
const PIECE: usize = 32 << 10;

/// Where a client wants to go.
pub enum Destination {
    /// A port of a host.
    Tcp(String, u16),
    /// A Unix socket of the node.
    Unix(String),
    /// Nowhere that there is.
    Nowhere,
}

impl Destination {
    /// A port of a host as a client names it.
    pub fn tcp(host: &str, port: u32) -> Destination {
        match u16::try_from(port) {
            Ok(port @ 1..) if host.len() <= 255 => Destination::Tcp(host.to_ascii_lowercase(), port),
            _ => Destination::Nowhere,
        }
    }

    /// A Unix socket.
    pub fn unix(path: &str) -> Destination {
        // As many bytes as a socket's address holds (unix(7)).
        if path.starts_with('/') && path.len() <= 107 {
            Destination::Unix(path.to_owned())
        } else {
            Destination::Nowhere
        }
    }

    /// Connects: to the node itself or another node of its session, and to nothing else.
    async fn connect(&self, who: &SignedIn) -> Result<RawStream, ChannelOpenFailure> {
        let connected = match self {
            Destination::Nowhere => return Err(ChannelOpenFailure::AdministrativelyProhibited),
            Destination::Unix(path) => who.node.agent().dial_unix(path).await,
            Destination::Tcp(host, port) => {
                let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
                let itself = host == "localhost" || address.is_some_and(|ip| ip.is_loopback() || ip.is_unspecified());
                let named =
                    |n: &crate::session::Node| n.name().as_str() == host || address == Some(IpAddr::V4(n.address()));
                let nodes = who.live.nodes();
                let node = if itself { Some(&who.node) } else { nodes.iter().find(|n| named(n)) };
                let Some(node) = node else { return Err(ChannelOpenFailure::AdministrativelyProhibited) };
                node.agent().dial_port(*port).await
            }
        };
        connected.map_err(|e| match e {
            AgentError::Timeout => ChannelOpenFailure::ResourceShortage,
            _ => ChannelOpenFailure::ConnectFailed,
        })
    }
}

/// Connects and carries, until both sides have ended or one is gone.
pub async fn forward(channel: Channel<Msg>, to: Destination, reply: ChannelOpenHandle, place: ChannelPlace) {
    let connection = place.connection().clone();
    let Some(who) = connection.signed_in() else { return };
    let stream = match to.connect(who).await {
        Ok(stream) => stream,
        Err(why) => return reply.reject(why).await,
    };
    reply.accept().await;
    let (from, to) = channel.split();
    let (said, mut hears) = mpsc::unbounded_channel();
    let (mut read, mut write) = tokio::io::split(TokioIo::new(stream));
    let up = async {
        while let Some(said) = hears.recv().await {
            match said {
                Said::Data(bytes, _waiting) => {
                    if write.write_all(&bytes).await.is_err() {
                        return false;
                    }
                }
                Said::Eof => {
                    let _ = write.shutdown().await;
                    return true;
                }
                Said::Other(_) => {}
            }
        }
        false
    };
    let down = async {
        let mut buf = vec![0; PIECE];
        loop {
            match read.read(&mut buf).await {
                Ok(0) => return to.eof().await.is_ok(),
                Ok(n) => {
                    connection.touch();
                    if to.data_bytes(bytes::Bytes::copy_from_slice(&buf[..n])).await.is_err() {
                        return false;
                    }
                }
                Err(_) => return false,
            }
        }
    };
    let both = async {
        tokio::pin!(up);
        tokio::pin!(down);
        // Either side may end first and still hear the other; a side that fails ends both.
        tokio::select! {
            ended = &mut up => if ended { down.await; },
            ended = &mut down => if ended { up.await; },
        }
    };
    tokio::select! {
        () = both => {}
        () = queue::take(from, connection.clone(), said) => {}
        () = who.node.over() => {}
    }
    let _ = to.close().await;
}
