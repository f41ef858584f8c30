//! The `boatyard` command.

use std::{io::IsTerminal, process::ExitCode};

use boatyard::cli::Cli;
use clap::Parser;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("RUST_LOG").unwrap_or_else(|_| EnvFilter::new("warn,boatyard=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // One line, from what was wanted to the cause.
            eprintln!("boatyard: {}", format!("{e:#}").replace(char::is_control, " "));
            ExitCode::FAILURE
        }
    }
}
