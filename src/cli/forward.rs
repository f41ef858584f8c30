//! `boatyard forward`: raw TCP to a session's nodes, from the user's own machine.

mod carry;
mod place;

use std::{io::IsTerminal, net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use clap::Args;
use tokio::net::TcpListener;

use self::{
    carry::Refusal,
    place::{Place, Target},
};

/// Carry TCP ports of a session's nodes to this machine.
#[derive(Debug, Args)]
#[command(after_help = "\
What opens the session is better not said on the command line, where others on this machine see it: put it into the \
environment variable BOATYARD_SESSION, or into a file for --session-file.

Example: BOATYARD_SESSION=… boatyard forward --server https://lab.example.org node1:5432")]
pub struct Forward {
    /// Address of the server, such as https://lab.example.org; where --session is a page's address, that one's.
    #[arg(long, value_name = "URL", env = "BOATYARD_SERVER")]
    server: Option<String>,
    /// The session: what its page shows for `boatyard forward`; or its id or its page's address, with a token beside.
    #[arg(long, value_name = "SESSION", env = "BOATYARD_SESSION", hide_env_values = true)]
    session: Option<String>,
    /// A file with what would stand after --session.
    #[arg(long, value_name = "FILE", conflicts_with = "session")]
    session_file: Option<PathBuf>,
    /// The token that the API gave with the session.
    #[arg(long, value_name = "TOKEN", env = "BOATYARD_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// A file with the token.
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// Address and port to listen on here; 127.0.0.1 and the node's port where absent. Goes with one port.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Ports of nodes: NODE:PORT, or LOCALPORT:NODE:PORT for another port here.
    #[arg(required = true, value_name = "NODE:PORT")]
    ports: Vec<Target>,
}

impl Forward {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        if self.listen.is_some() && self.ports.len() > 1 {
            bail!("--listen goes with one port; say LOCALPORT:NODE:PORT for each instead");
        }
        let session = secret(self.session, self.session_file.as_ref())?
            .context("which session? Set BOATYARD_SESSION to what the session's page shows under Outside")?;
        let token = secret(self.token, self.token_file.as_ref())?;
        let place = Arc::new(Place::find(self.server.as_deref(), &session, token)?);
        // TLS, for servers that have it.
        let _ = rustls::crypto::ring::default_provider().install_default();

        let mut listening = Vec::new();
        for target in self.ports {
            let at = self.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], target.local)));
            let listener = TcpListener::bind(at).await.with_context(|| {
                format!("{at} cannot be listened on; choose another with LOCALPORT:{}:{}", target.node, target.port)
            })?;
            // What cannot work is said now, not at the first connection.
            match carry::connect(&place, &target).await {
                Ok(_) => {}
                Err(Refusal::Nothing(said)) => {
                    eprintln!("boatyard: {said} It can be connected to when something does.")
                }
                Err(e) => return Err(e.into()),
            }
            println!("{}:{} is at {}", target.node, target.port, listener.local_addr()?);
            listening.push((target, listener));
        }
        if std::io::stdout().is_terminal() {
            println!("Ctrl-C ends it.");
        }
        let mut tasks = tokio::task::JoinSet::new();
        for (target, listener) in listening {
            tasks.spawn(carry::serve(place.clone(), target, listener));
        }
        tokio::select! {
            ended = tasks.join_next() => match ended {
                Some(Ok(refusal)) => Err(refusal.into()),
                _ => Ok(()),
            },
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    }
}

/// A secret as it was given, or from its file.
fn secret(given: Option<String>, file: Option<&PathBuf>) -> anyhow::Result<Option<String>> {
    let text = match (given, file) {
        (Some(given), _) => given,
        (None, Some(file)) => {
            std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(text.trim().to_owned()).filter(|t| !t.is_empty()))
}
