//! Sandboxes that are being made at this moment: nobody else may remove them, whatever the store says.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::engine::SandboxId;

/// The sandboxes that this process is making. Whoever decides by the store which sandboxes nobody needs, or takes places
/// for new ones in it, holds the lock meanwhile.
#[derive(Debug, Default)]
pub(super) struct Making(Mutex<HashSet<SandboxId>>);

impl Making {
    pub fn lock(&self) -> MutexGuard<'_, HashSet<SandboxId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
