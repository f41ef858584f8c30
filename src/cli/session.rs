//! `boatyard session`.

use clap::Subcommand;
use hyper::Method;

use super::admin;
use crate::{config::Config, web::admin::AdminSession};

#[derive(Debug, Subcommand)]
pub enum Session {
    /// List the running sessions.
    Ls {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// End sessions, with all that is in them.
    Rm {
        /// Ids or public names.
        #[arg(required = true)]
        sessions: Vec<String>,
    },
}

impl Session {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        super::need_root("boatyard session")?;
        match self {
            Session::Ls { json } => {
                let sessions: Vec<AdminSession> =
                    serde_json::from_slice(&ask(config, Method::GET, "/sessions").await?)?;
                if json {
                    println!("{}", serde_json::to_string_pretty(&sessions)?);
                    return Ok(());
                }
                if sessions.is_empty() {
                    println!("No session is running.");
                    return Ok(());
                }
                println!("{:<38} {:<12} {:<8} {:<21} LESSON", "ID", "NAME", "NODES", "ENDS");
                for s in sessions {
                    let ends = s.expires_at.get(..16).unwrap_or_default().replace('T', " ");
                    let lesson = s.lesson.as_deref().unwrap_or("-");
                    println!(
                        "{:<38} {:<12} {:<8} {:<21} {lesson}",
                        s.id.to_string(),
                        s.public_name,
                        s.nodes.len(),
                        ends + " UTC"
                    );
                }
                Ok(())
            }
            Session::Rm { sessions } => {
                for name in sessions {
                    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                    anyhow::ensure!(plain, "there is no session {name}; `boatyard session ls` lists them");
                    ask(config, Method::DELETE, &format!("/sessions/{name}")).await?;
                    println!("{name} has ended");
                }
                Ok(())
            }
        }
    }
}

async fn ask(config: &Config, method: Method, path: &str) -> anyhow::Result<bytes::Bytes> {
    match admin::request(config, method, path).await? {
        Some(answer) => Ok(answer),
        None => anyhow::bail!(
            "no server runs on {}; start it with `boatyard serve`, or name its data folder with --data",
            config.data.display()
        ),
    }
}
