//! The command line. Each command says what it did in plain lines, or in one line why not and what to do, with a non-zero
//! exit.

mod admin;
mod catalogue;
mod doctor;
mod forward;
mod gc;
mod image;
mod lab;
mod serve;
mod session;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use serde_json::json;

use crate::config::Config;

/// A self-hosted container playground: a real Docker Engine for every student, in a browser.
#[derive(Debug, Parser)]
#[command(name = "boatyard", version, propagate_version = true)]
pub struct Cli {
    /// Configuration file (TOML).
    #[arg(short, long, global = true, env = "BOATYARD_CONFIG_FILE", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder with everything that survives a reboot.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C. Sessions live on, and the next server takes them over.
    Serve(serve::Serve),
    /// Check what this host can do, and say how to mend what it cannot.
    Doctor(doctor::Doctor),
    /// Lab images: what sandboxes start from.
    #[command(subcommand)]
    Image(image::Image),
    /// The catalogue: images that students pull without the internet.
    #[command(subcommand)]
    Catalogue(catalogue::Catalogue),
    /// Running sessions.
    #[command(subcommand)]
    Session(session::Session),
    /// Carry TCP ports of a session's nodes to this machine. Needs neither root nor a configuration.
    Forward(forward::Forward),
    /// Find and remove what a crash left.
    Gc(gc::Gc),
    /// Lessons, for their authors.
    #[command(subcommand)]
    Lab(lab::Lab),
    /// Print the API's OpenAPI document.
    Openapi,
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// With one line that names the cause and the mend.
    pub async fn run(self) -> anyhow::Result<()> {
        let mut flags = json!({});
        if let Some(data) = &self.data {
            flags["data"] = json!(std::path::absolute(data)?);
        }
        if let Command::Serve(serve) = &self.command {
            serve.flags(&mut flags)?;
        }
        let config = || Config::load(self.config.as_deref(), &flags);
        match self.command {
            Command::Serve(_) => serve::run(config()?).await,
            Command::Doctor(doctor) => doctor.run(&config()?).await,
            Command::Image(image) => image.run(&config()?).await,
            Command::Catalogue(catalogue) => catalogue.run(&config()?).await,
            Command::Session(session) => session.run(&config()?).await,
            Command::Forward(forward) => forward.run().await,
            Command::Gc(gc) => gc.run(config()?).await,
            Command::Lab(lab) => lab.run(),
            Command::Openapi => {
                println!("{}", crate::web::api::document().to_pretty_json()?);
                Ok(())
            }
        }
    }
}

/// What needs root says so at once, and how to come by it.
fn need_root(what: &str) -> anyhow::Result<()> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    anyhow::bail!("{what} needs root; run it with sudo (`boatyard doctor` lists what this host lacks)")
}
