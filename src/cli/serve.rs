//! `boatyard serve`.

use std::{io::Write, net::SocketAddr, path::PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{config::Config, server::Server};

/// Flags of `boatyard serve`, over the configuration file.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port to serve on.
    #[arg(short, long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Address under which browsers reach the server, such as https://lab.example.org.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Domain below which published ports get host names.
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Folder with courses.
    #[arg(long, value_name = "DIR")]
    courses: Option<PathBuf>,
}

impl Serve {
    pub(super) fn flags(&self, flags: &mut serde_json::Value) -> anyhow::Result<()> {
        if let Some(listen) = self.listen {
            flags["listen"] = json!(listen);
        }
        if let Some(url) = &self.base_url {
            flags["base_url"] = json!(url);
        }
        if let Some(domain) = &self.domain {
            flags["domain"] = json!(domain);
        }
        if let Some(courses) = &self.courses {
            flags["courses"] = json!(std::path::absolute(courses)?);
        }
        Ok(())
    }
}

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    super::need_root("boatyard serve")?;
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        stop.cancel();
        // Someone who asks twice does not want to wait for removals under way; the next start finishes them.
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        std::process::exit(130);
    });
    let unreachable = config.reach_problem();
    let server = Server::start(config, shutdown).await.context("boatyard cannot serve")?;
    let mut said = format!("Boatyard is at {}\n", server.url());
    if let Some(ssh) = server.ssh() {
        said += &format!("ssh is at {} port {}, host key {}\n", ssh.host, ssh.port, ssh.fingerprint);
    }
    // Whoever started it may have stopped listening after the first line.
    let _ = std::io::stdout().write_all(said.as_bytes());
    if let Some((found, mend)) = unreachable {
        warn!("{found}; {mend}");
    }
    if let Some(ready) = std::env::var_os("NOTIFY_SOCKET") {
        notify(&ready);
    }
    server.finished().await
}

/// Tells systemd that the server serves (sd_notify(3)).
fn notify(socket: &std::ffi::OsStr) {
    if let Ok(s) = std::os::unix::net::UnixDatagram::unbound() {
        let _ = s.send_to(b"READY=1", PathBuf::from(socket));
    }
}
