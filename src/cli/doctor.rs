//! `boatyard doctor`.

use clap::Args;

use crate::{
    config::Config,
    doctor::{self, Status},
    paths::Paths,
};

#[derive(Debug, Args)]
pub struct Doctor {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let (paths, engine) = (Paths::new(&config.data), config.engine.clone());
        let mut report = tokio::task::spawn_blocking(move || doctor::run(&paths, &engine, &Default::default())).await?;
        report.checks.push(doctor::names(config));
        report.checks.push(doctor::ssh(config));
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            println!("{report}");
        }
        anyhow::ensure!(
            report.status() != Status::Fail,
            "this host cannot hold sessions yet; mend what is marked above"
        );
        Ok(())
    }
}
