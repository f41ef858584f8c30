//! Says in words that there is no internet.
//!
//! For a name that the catalogue lacks, dockerd goes on to Docker Hub, and without internet all that a student would read
//! is that a name server refuses connections. So dockerd is given a proxy for the world outside: this one, which answers
//! every wish with a status line that says what there is instead. Go's HTTP client, and so `docker`, shows that line.

use std::{net::Ipv4Addr, time::Duration};

use boatyard_protocol::agent::AgentConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Where the proxy listens, on loopback.
pub const PORT: u16 = 61502;
/// Longest request that is read, in bytes.
const LONGEST: usize = 8 << 10;
/// How long a request may take to come.
const PATIENCE: Duration = Duration::from_secs(5);
/// As many nodes as a session has at most.
const MOST_NODES: u32 = 20;
/// Networks that may be a student's own registry: never asked for through the proxy. Loopback is not by itself.
const NEAR: &str = "10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,.lab,.local,.internal";

/// Whether this sandbox has a catalogue and no way out.
pub fn is_offline(config: &AgentConfig) -> bool {
    config.dns.is_empty() && config.tunnels.iter().any(|t| t.service == "catalogue")
}

/// What dockerd's environment needs, so that it asks the proxy. Empty where there is internet.
pub fn environment(config: &AgentConfig) -> Vec<(&'static str, String)> {
    if !is_offline(config) {
        return Vec::new();
    }
    let names = config.tunnels.iter().flat_map(|t| t.names.iter().cloned());
    // Nodes come and go while dockerd runs, and a list of names is all that there is.
    let node = config.hostname.trim_end_matches(|c: char| c.is_ascii_digit());
    let nodes = (1..=MOST_NODES).map(|n| format!("{node}{n}"));
    let near: Vec<String> = [NEAR.to_owned(), config.hostname.clone()].into_iter().chain(names).chain(nodes).collect();
    vec![("HTTPS_PROXY", format!("http://127.0.0.1:{PORT}")), ("NO_PROXY", near.join(","))]
}

/// What is said.
fn words(config: &AgentConfig) -> String {
    let registry = config.tunnels.iter().find(|t| t.service == "registry").and_then(|t| {
        let port = t.aliases.first().map_or(t.port, |a| a.port());
        t.names.first().map(|name| format!("; push goes to {name}:{port}"))
    });
    format!(
        "there is no internet here. Boatyard's page \"Catalogue\" lists the images and tags that can be pulled{}",
        registry.unwrap_or_default()
    )
}

/// Listens where it is needed.
pub fn open(config: &AgentConfig) {
    if !is_offline(config) {
        return;
    }
    let answer = format!("HTTP/1.1 503 {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", words(config));
    tokio::spawn(async move {
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)).await {
            Ok(listener) => listener,
            Err(e) => return tracing::warn!("127.0.0.1:{PORT}: {e}: what is not in the catalogue fails without words"),
        };
        loop {
            match listener.accept().await {
                // One after the other: each is short, and a student who holds one up has only themselves to wait for.
                Ok((stream, _)) => {
                    let _ = tokio::time::timeout(PATIENCE, tell(stream, &answer)).await;
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    });
}

async fn tell(mut stream: TcpStream, answer: &str) -> std::io::Result<()> {
    // To its end: closing with something unread would take the answer back.
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && request.len() < LONGEST {
        if stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
