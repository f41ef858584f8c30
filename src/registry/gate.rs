//! Who writes into the registry, and who collects its garbage: one or the other.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// The gate through which all that writes must go.
#[derive(Debug, Default)]
pub struct Gate {
    writing: RwLock<()>,
    /// Cancelled, and made anew, when those within must leave.
    leave: Mutex<CancellationToken>,
}

impl Gate {
    /// Waits until one may write. Whoever stays long within must leave when the token is cancelled.
    pub async fn enter(&self) -> (RwLockReadGuard<'_, ()>, CancellationToken) {
        let within = self.writing.read().await;
        (within, self.leave.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Closes the gate, if nobody is within.
    pub fn close_if_empty(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        self.writing.try_write().ok()
    }

    /// Closes the gate: whoever is within and does not leave within `grace` is told to. Those who come wait meanwhile.
    pub async fn close(&self, grace: Duration) -> RwLockWriteGuard<'_, ()> {
        let closed = self.writing.write();
        tokio::pin!(closed);
        match timeout(grace, &mut closed).await {
            Ok(closed) => closed,
            Err(_) => {
                std::mem::take(&mut *self.leave.lock().unwrap_or_else(PoisonError::into_inner)).cancel();
                closed.await
            }
        }
    }
}
