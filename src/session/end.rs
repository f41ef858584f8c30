//! Extending and ending sessions.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tracing::{error, info};

use super::{EndReason, Event, Inner, Live, PublicName, SessionId, Sessions};
use crate::store::{NodeRow, StoreError};

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
        if !self.inner.store.end_session(id, reason)? {
            return Ok(false);
        }
        info!(session = %id, reason = reason.as_str(), "session ended");
        let live = self.write_live().remove(&id);
        let nodes = self.inner.store.nodes()?.into_iter().filter(|n| n.session == id).collect();
        if let Some(live) = live {
            live.emit(Event::Ended(reason));
            live.cancel.cancel();
            self.remove_nodes(live.public_name(), nodes);
        }
        Ok(true)
    }

    /// Removes sandboxes with all their traces, and what their session has pushed, in the background.
    pub(super) fn remove_nodes(&self, public_name: PublicName, nodes: Vec<NodeRow>) {
        let inner = Arc::clone(&self.inner);
        inner.removals.fetch_add(1, Ordering::AcqRel);
        self.inner.tasks.spawn(async move {
            remove(&inner, &public_name, nodes).await;
            inner.removals.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

async fn remove(inner: &Inner, public_name: &PublicName, nodes: Vec<NodeRow>) {
    for node in nodes {
        let mut pause = Duration::from_millis(200);
        loop {
            match inner.engine.destroy(&node.sandbox).await {
                Ok(()) => break,
                Err(e) if pause > Duration::from_secs(10) || inner.shutdown.is_cancelled() => {
                    error!(sandbox = %node.sandbox, error = %e, "not removed; `boatyard gc` or the next start tries again");
                    return;
                }
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause *= 3;
        }
        if let Err(e) = inner.store.forget_node(&node.sandbox) {
            error!(sandbox = %node.sandbox, error = %e, "not forgotten");
        }
    }
    if let Err(e) = inner.services.remove(public_name).await {
        error!(session = %public_name, error = %e, "its pushed images were not removed");
    }
}
