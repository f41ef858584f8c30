//! `boatyard gc`.

use clap::Args;
use hyper::Method;
use tokio_util::sync::CancellationToken;

use super::admin;
use crate::{
    config::Config,
    server::Offline,
    session::{EndReason, Recovered},
};

#[derive(Debug, Args)]
pub struct Gc {
    /// End all sessions and remove everything outside the data folder too, as before an uninstall. No server may run.
    #[arg(long)]
    all: bool,
}

impl Gc {
    /// The running server does it where there is one, since it alone knows what is being made; else it is done here.
    pub(super) async fn run(self, config: Config) -> anyhow::Result<()> {
        super::need_root("boatyard gc")?;
        if !self.all
            && let Some(answer) = admin::request(&config, Method::POST, "/gc").await?
        {
            return report(&serde_json::from_slice(&answer)?);
        }
        let shutdown = CancellationToken::new();
        let offline = Offline::open(config, shutdown.clone())?;
        let found = offline.sessions.recover().await?;
        if self.all {
            for live in offline.sessions.all() {
                offline.sessions.end(live.id(), EndReason::Operator)?;
            }
        }
        offline.sessions.idle().await;
        shutdown.cancel();
        offline.sessions.finish().await;
        if self.all {
            offline.engine.teardown().await?;
            println!("{} leftovers removed, {} sessions ended", found.removed, found.lost + found.sessions);
            return Ok(());
        }
        report(&found)
    }
}

fn report(found: &Recovered) -> anyhow::Result<()> {
    println!(
        "{} leftovers removed, {} lost sessions ended, {} sessions go on",
        found.removed, found.lost, found.sessions
    );
    Ok(())
}
