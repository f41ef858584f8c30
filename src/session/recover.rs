//! Taking over what an earlier server left, and clearing up what a crash left.

use futures_util::future::join_all;
use tracing::{info, warn};

use super::{EndReason, Sessions, State};
use crate::{
    agent::AgentClient,
    engine::SandboxId,
    store::{NodeRow, NodeState},
};

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
        // What is being made at this moment is neither lost nor a leftover.
        let (sessions, mut nodes, making) = {
            let making = self.inner.making.lock();
            (self.inner.store.living_sessions()?, self.inner.store.nodes()?, making.clone())
        };
        nodes.retain(|n| !making.contains(&n.sandbox));
        // Sandboxes that nobody may remove.
        let mut kept = making;
        let mut asked = Vec::new();
        for session in sessions {
            let mine: Vec<NodeRow> = nodes.extract_if(.., |n| n.session == session.id).collect();
            if self.get(session.id).is_some() {
                let (mine, leaving): (Vec<_>, Vec<_>) = mine.into_iter().partition(|n| n.state == NodeState::Running);
                kept.extend(mine.into_iter().map(|n| n.sandbox));
                nodes.extend(leaving);
            } else if session.state == State::Running || !mine.is_empty() {
                asked.push(async { (self.living(&mine).await, session, mine) });
            }
        }
        for (living, session, mine) in join_all(asked).await {
            // One that was still being made when the server died was never shown to anyone.
            if session.state == State::Running && !living.is_empty() {
                let (living, dead) = mine.into_iter().partition::<Vec<_>, _>(|n| living.contains(&n.sandbox));
                kept.extend(living.iter().map(|n| n.sandbox.clone()));
                let live = self.adopt(session, &living);
                self.resume_deployment(&live)?;
                found.sessions += 1;
                nodes.extend(dead);
            } else {
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

    /// Those of the nodes that are whole and whose agents answer. On a host that has just come up they may be slow.
    async fn living(&self, nodes: &[NodeRow]) -> Vec<SandboxId> {
        let asked = nodes.iter().filter(|n| n.state == NodeState::Running).map(|node| async {
            let client = AgentClient::new(self.inner.engine.clone(), node.sandbox.clone());
            let answer = match client.info().await {
                Err(e) if !e.is_gone() => client.info().await,
                answer => answer,
            };
            answer.inspect_err(|e| warn!(sandbox = %node.sandbox, error = %e, "a sandbox is lost")).ok()?;
            Some(node.sandbox.clone())
        });
        join_all(asked).await.into_iter().flatten().collect()
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
