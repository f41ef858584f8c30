//! What a new session holds beside its nodes: its template's swarm, files and start script.

use std::{sync::Arc, time::Duration};

use boatyard_protocol::agent::{ExecRequest, GREETING_FILE};
use futures_util::future::{join_all, try_join_all};
use tracing::{debug, warn};

use super::{Live, Node, Sessions, SwarmError};
use crate::{agent::AgentError, template::Template};

/// Longest that a start script may run.
const START: Duration = Duration::from_secs(900);
/// Where a start script's output is found.
const START_LOG: &str = "/var/log/boatyard-start.log";

const NO_IP_VS: &str = "\
This machine's kernel has no IP_VS, so a swarm has no routing mesh here. Publish ports of services with mode=host and give
services endpoint-mode dnsrr:
  docker service create --endpoint-mode dnsrr --publish mode=host,published=8080,target=80 nginx
";

/// Why a session was not set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// Its swarm did not form.
    #[error("the swarm did not form: {0}")]
    Swarm(#[from] SwarmError),
    /// A file was not written.
    #[error("{0} was not written: {1}")]
    File(String, AgentError),
}

impl Sessions {
    /// Sets up a session that has just been started. The start script goes on after this.
    pub(super) async fn set_up(&self, live: &Arc<Live>, template: &Template) -> Result<(), SetUpError> {
        let nodes = live.nodes();
        let written = nodes.iter().flat_map(|node| {
            let mine = |f: &&_| is_for(node, f);
            template.files.iter().filter(mine).map(move |file| async move {
                let written = node.agent().write_text(&file.path, &file.content).await;
                written.map_err(|e| SetUpError::File(file.path.clone(), e))
            })
        });
        try_join_all(written).await?;
        if template.managers > 0 {
            self.form_swarm(live, template.managers as usize).await?;
        }
        if let (Some(script), Some(node)) = (&template.start, nodes.into_iter().next()) {
            let request = ExecRequest {
                command: ["bash", "-lc", r#"exec bash -c "$1" >"$2" 2>&1"#, "start", script, START_LOG]
                    .map(str::to_owned)
                    .into(),
                user: Some("root".into()),
                timeout_ms: START.as_millis() as u64,
                ..ExecRequest::default()
            };
            let id = live.id();
            self.inner.tasks.spawn(async move {
                let ran = tokio::select! { ran = node.agent().exec(&request) => ran, () = node.over() => return };
                match ran {
                    Ok(done) if done.exit_code == 0 => {}
                    Ok(done) => {
                        warn!(session = %id, code = done.exit_code, "a template's start script failed; see {START_LOG}")
                    }
                    Err(e) => warn!(session = %id, error = %e, "a template's start script did not run"),
                }
            });
        }
        Ok(())
    }

    /// What the shells of a session with several nodes say first, where there is something to say.
    pub(super) fn greeting(&self) -> Option<String> {
        (!self.inner.ip_vs).then(|| NO_IP_VS.to_owned())
    }

    /// Gives nodes of a session that has several now what their shells say first.
    pub(super) async fn greet(&self, nodes: &[Arc<Node>]) {
        let Some(text) = self.greeting() else { return };
        join_all(nodes.iter().map(|node| async {
            if let Err(e) = node.agent().write_text(GREETING_FILE, &text).await {
                debug!(node = %node.name(), error = %e, "no greeting");
            }
        }))
        .await;
    }
}

fn is_for(node: &Node, file: &crate::template::TemplateFile) -> bool {
    file.node.as_deref().is_none_or(|name| name == node.name().as_str())
}
