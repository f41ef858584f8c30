//! `boatyard doctor`.

use clap::Args;

use crate::config::Config;

#[derive(Debug, Args)]
pub struct Doctor {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self, _config: &Config) -> anyhow::Result<()> {
        let _ = self.json;
        anyhow::bail!("not there yet")
    }
}
