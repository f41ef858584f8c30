//! Extending and ending sessions.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use tracing::{error, info};

use super::{EndReason, Inner, Live, PublicName, SessionId, Sessions};
use crate::{engine::SandboxId, store::StoreError};

impl Sessions {
    /// Adds an extension's time; `None` if the session has none left or has ended.
    ///
    /// # Errors
    /// When the store fails.
    pub fn extend(&self, live: &Live) -> Result<Option<()>, StoreError> {
        let by = self.inner.config.sessions.extension.as_millis() as i64;
        let Some(row) = self.inner.store.extend_session(live.id(), by)? else { return Ok(None) };
        live.update_row(row);
        Ok(Some(()))
    }

    /// Ends a session: it is gone for its user when this returns, and its sandboxes are removed in the background.
    /// `false` if it had ended before.
    ///
    /// # Errors
    /// When the store fails.
    pub fn end(&self, id: SessionId, reason: EndReason) -> Result<bool, StoreError> {
        let (live, nodes) = {
            // A node that is being made is removed by whoever makes it, when it sees that the session has ended.
            let making = self.inner.making.lock();
            let nodes = self.inner.store.nodes()?.into_iter().filter(|n| n.session == id).map(|n| n.sandbox);
            let nodes: Vec<_> = nodes.filter(|n| !making.contains(n)).collect();
            if !self.inner.store.end_session(id, reason)? {
                return Ok(false);
            }
            let live = self.write_live().remove(&id);
            if let Some(live) = &live {
                live.set_ended(reason);
            }
            (live, nodes)
        };
        info!(session = %id, reason = reason.as_str(), "session ended");
        if let Some(live) = live {
            self.remove_in_background(nodes, Some(live.public_name()));
        }
        Ok(true)
    }

    /// Removes sandboxes with all their traces, and what their session has pushed where it is named, in the background.
    pub(super) fn remove_in_background(&self, sandboxes: Vec<SandboxId>, pushed_by: Option<PublicName>) {
        let inner = Arc::clone(&self.inner);
        inner.removals.fetch_add(1, Ordering::AcqRel);
        self.inner.tasks.spawn(async move {
            let all = join_all(sandboxes.iter().map(|sandbox| remove(&inner, sandbox))).await;
            if let Some(session) = pushed_by.filter(|_| all.into_iter().all(|removed| removed))
                && let Err(e) = inner.services.remove(&session).await
            {
                error!(session = %session, error = %e, "its pushed images were not removed");
            }
            inner.removals.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

/// Removes a sandbox and forgets its node. Whether it is gone.
async fn remove(inner: &Inner, sandbox: &SandboxId) -> bool {
    let mut pause = Duration::from_millis(200);
    loop {
        match inner.engine.destroy(sandbox).await {
            Ok(()) => break,
            Err(e) if pause > Duration::from_secs(10) || inner.shutdown.is_cancelled() => {
                error!(%sandbox, error = %e, "not removed; `boatyard gc` or the next start tries again");
                return false;
            }
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 3;
    }
    if let Err(e) = inner.store.forget_node(sandbox) {
        error!(%sandbox, error = %e, "not forgotten");
    }
    true
}
