//! Swarms of a session's nodes: nobody copies a join token by hand.

use std::{sync::Arc, time::Duration};

use boatyard_protocol::agent::DockerState;
use futures_util::future::join_all;
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::debug;

use super::{Event, Live, Node, Sessions};
use crate::agent::{AgentError, EngineAnswer};

/// Longest wait for an answer of a Docker Engine that may have to start first.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest wait for an answer of one that runs.
const GLANCE: Duration = Duration::from_secs(3);
/// A swarm's nodes are looked at no more often.
const EVERY: Duration = Duration::from_millis(500);
/// Port on which managers answer (docker swarm init, `--listen-addr`).
pub(super) const PORT: u16 = 2377;

/// What a node is in its swarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SwarmRole {
    /// Keeps the swarm's state and gives out its tasks.
    Manager,
    /// Runs tasks.
    Worker,
}

/// Why a node did not join.
#[derive(Debug, thiserror::Error)]
pub enum SwarmError {
    /// It is in a swarm already.
    #[error("{0} is in a swarm already; `docker swarm leave` takes it out")]
    Member(String),
    /// Its Docker Engine refused, in its own words.
    #[error("{0}")]
    Refused(String),
    /// It could not be asked.
    #[error(transparent)]
    Agent(#[from] AgentError),
}

impl Sessions {
    /// Has a node join the swarm of its session. Where there is none yet, it makes one and is its manager, whatever it was
    /// to be. Answers what it is.
    ///
    /// # Errors
    /// [`SwarmError`].
    pub async fn join_swarm(&self, live: &Live, node: &Arc<Node>, role: SwarmRole) -> Result<SwarmRole, SwarmError> {
        let _alone = live.changing.lock().await;
        let joined = join(live, node, role).await;
        look(live).await;
        joined
    }

    /// Makes a swarm of all nodes, of which the first `managers` are managers.
    ///
    /// # Errors
    /// [`SwarmError`] of the first that did not join.
    pub async fn form_swarm(&self, live: &Live, managers: usize) -> Result<(), SwarmError> {
        let nodes = live.nodes();
        let Some((first, others)) = nodes.split_first() else { return Ok(()) };
        // All engines start at the same time; the first must be up before the others can join.
        let started = join_all(others.iter().map(|n| n.agent().engine(Method::GET, "/_ping", None, PATIENCE)));
        let (made, started) = tokio::join!(join(live, first, SwarmRole::Manager), started);
        made?;
        started.into_iter().collect::<Result<Vec<_>, _>>()?;
        let tokens = tokens(first, PATIENCE).await?;
        // Managers agree on each further manager, so those come one after the other.
        let (more_managers, workers) = others.split_at(managers.saturating_sub(1).min(others.len()));
        for node in more_managers {
            join_at(node, first, &tokens, SwarmRole::Manager).await?;
        }
        let joined = join_all(workers.iter().map(|n| join_at(n, first, &tokens, SwarmRole::Worker))).await;
        look(live).await;
        joined.into_iter().collect()
    }

    /// Follows who is in the swarm, until the session ends.
    pub(super) async fn watch_swarm(self, live: Arc<Live>) {
        loop {
            tokio::select! {
                () = live.cancel.cancelled() => return,
                () = live.swarm_changed.notified() => {}
            }
            // Not at once: an engine that has just come up is about to answer the command that woke it.
            tokio::select! {
                () = live.cancel.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            look(&live).await;
        }
    }
}

async fn join(live: &Live, node: &Arc<Node>, role: SwarmRole) -> Result<SwarmRole, SwarmError> {
    if let Some((manager, tokens)) = manager(live, node).await {
        join_at(node, &manager, &tokens, role).await?;
        return Ok(role);
    }
    let own = format!("{}:{PORT}", node.address());
    let body = json!({"ListenAddr": own, "AdvertiseAddr": own});
    done(node, node.agent().engine(Method::POST, "/swarm/init", Some(&body), PATIENCE).await?)?;
    Ok(SwarmRole::Manager)
}

/// A manager of the session's swarm that a node can join at, and the tokens for it.
async fn manager(live: &Live, node: &Node) -> Option<(Arc<Node>, Value)> {
    for manager in live.nodes().into_iter().filter(|n| n.name() != node.name()) {
        // Asking starts an engine, and one that sleeps is in no swarm that runs.
        if manager.facts().docker != DockerState::Ready {
            continue;
        }
        let Ok(tokens) = tokens(&manager, GLANCE).await else { continue };
        return Some((manager, tokens));
    }
    None
}

/// The manager that a node can join its session's swarm at, and the token by which it does.
pub(super) async fn token(live: &Live, node: &Node, role: SwarmRole) -> Option<(Arc<Node>, String)> {
    let (manager, tokens) = manager(live, node).await?;
    let token = token_of(&tokens, role).as_str()?.to_owned();
    Some((manager, token))
}

fn token_of(tokens: &Value, role: SwarmRole) -> &Value {
    match role {
        SwarmRole::Manager => &tokens["Manager"],
        SwarmRole::Worker => &tokens["Worker"],
    }
}

async fn join_at(node: &Node, manager: &Node, tokens: &Value, role: SwarmRole) -> Result<(), SwarmError> {
    let token = token_of(tokens, role);
    let own = format!("{}:{PORT}", node.address());
    let body = json!({
        "ListenAddr": own,
        "AdvertiseAddr": own,
        "RemoteAddrs": [format!("{}:{PORT}", manager.address())],
        "JoinToken": token,
    });
    done(node, node.agent().engine(Method::POST, "/swarm/join", Some(&body), PATIENCE).await?)
}

fn done(node: &Node, answer: EngineAnswer) -> Result<(), SwarmError> {
    match answer.status.as_u16() {
        200 => Ok(()),
        503 => Err(SwarmError::Member(node.name().to_string())),
        _ => Err(SwarmError::Refused(answer.message())),
    }
}

/// The join tokens of the swarm that a node is a manager of.
async fn tokens(manager: &Node, patience: Duration) -> Result<Value, SwarmError> {
    let mut answer = manager.agent().engine(Method::GET, "/swarm", None, patience).await?;
    if answer.status != hyper::StatusCode::OK {
        return Err(SwarmError::Refused(answer.message()));
    }
    Ok(answer.body["JoinTokens"].take())
}

/// Looks what each node is in its swarm.
async fn look(live: &Live) {
    let nodes = live.nodes();
    let seen = join_all(nodes.iter().map(|node| async {
        if node.facts().docker != DockerState::Ready {
            return None;
        }
        match node.agent().engine(Method::GET, "/info", None, GLANCE).await {
            Ok(answer) => Some(role(&answer.body["Swarm"])),
            Err(e) => {
                debug!(node = %node.name(), error = %e, "its swarm is not known");
                None
            }
        }
    }))
    .await;
    let mut changed = false;
    for (node, role) in nodes.iter().zip(seen) {
        if let Some(role) = role {
            changed |= std::mem::replace(&mut node.lock().swarm, role) != role;
        }
    }
    if changed {
        live.emit(Event::Changed);
    }
}

/// Reads what a node is from `Swarm` in its `GET /info`.
fn role(swarm: &Value) -> Option<SwarmRole> {
    match (swarm["LocalNodeState"].as_str(), swarm["ControlAvailable"].as_bool()) {
        (Some("active"), Some(true)) => Some(SwarmRole::Manager),
        (Some("active" | "pending" | "error" | "locked"), _) => Some(SwarmRole::Worker),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_the_engine_says_them() {
        assert_eq!(role(&json!({"LocalNodeState": "inactive", "ControlAvailable": false})), None);
        assert_eq!(role(&json!({"LocalNodeState": "active", "ControlAvailable": true})), Some(SwarmRole::Manager));
        assert_eq!(role(&json!({"LocalNodeState": "active", "ControlAvailable": false})), Some(SwarmRole::Worker));
        assert_eq!(role(&Value::Null), None);
    }
}
