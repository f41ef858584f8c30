//! Taking over what an earlier server left, and clearing up what a crash left.

use std::collections::HashSet;

use tracing::{info, warn};

use super::{EndReason, Sessions, State};
use crate::{agent::AgentClient, store::NodeRow};

/// What a recovery found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Recovered {
    /// Sessions that go on.
    pub sessions: usize,
    /// Sessions whose sandboxes were gone.
    pub lost: usize,
    /// Sandboxes, whole or in parts, that belonged to nobody and were removed.
    pub removed: usize,
}

impl Sessions {
    /// Finds the sessions that still run, ends those that do not, and removes everything else. Called at every start,
    /// before anything else, and by `boatyard gc`.
    ///
    /// # Errors
    /// When store or engine fail as a whole; one sandbox that cannot be removed is logged and kept for the next time.
    pub async fn recover(&self) -> anyhow::Result<Recovered> {
        let mut found = Recovered::default();
        let mut nodes = self.inner.store.nodes()?;
        let mut kept = HashSet::new();
        for session in self.inner.store.living_sessions()? {
            let mine: Vec<NodeRow> = nodes.extract_if(.., |n| n.session == session.id).collect();
            if self.get(session.id).is_some() {
                kept.extend(mine.into_iter().map(|n| n.sandbox));
                continue;
            }
            if session.state == State::Running && self.alive(&mine).await {
                kept.extend(mine.iter().map(|n| n.sandbox.clone()));
                self.adopt(session, &mine);
                found.sessions += 1;
            } else {
                // One that was still being made when the server died was never shown to anyone.
                self.inner.store.end_session(session.id, EndReason::Lost)?;
                found.lost += 1;
                nodes.extend(mine);
            }
        }
        for node in nodes {
            if self.remove_leftover(&node.sandbox).await {
                self.inner.store.forget_node(&node.sandbox)?;
                found.removed += 1;
            }
        }
        for sandbox in self.inner.engine.list().await? {
            // Sandboxes of sessions that were started meanwhile are in the store, not in `kept`.
            let known = kept.contains(&sandbox) || self.inner.store.nodes()?.iter().any(|n| n.sandbox == sandbox);
            if !known && self.remove_leftover(&sandbox).await {
                found.removed += 1;
            }
        }
        info!(?found, "recovered");
        Ok(found)
    }

    async fn alive(&self, nodes: &[NodeRow]) -> bool {
        if nodes.is_empty() {
            return false;
        }
        for node in nodes {
            let client = AgentClient::new(self.inner.engine.clone(), node.sandbox.clone());
            if let Err(e) = client.info().await {
                warn!(sandbox = %node.sandbox, error = %e, "a sandbox is lost");
                return false;
            }
        }
        true
    }

    async fn remove_leftover(&self, sandbox: &crate::engine::SandboxId) -> bool {
        match self.inner.engine.destroy(sandbox).await {
            Ok(()) => true,
            Err(e) => {
                warn!(%sandbox, error = %e, "a leftover could not be removed");
                false
            }
        }
    }
}
