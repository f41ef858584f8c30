//! How much each session may push.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytesize::ByteSize;
use tokio::time::Instant;

use super::storage::Storage;
use crate::{config::RegistrySettings, session::PublicName};

/// A session that has used up what it may is counted anew at most this often: counting walks through all that it has.
const RECOUNT: Duration = Duration::from_secs(1);
/// Longest time that one upload may take.
pub const DEADLINE: Duration = Duration::from_secs(30 * 60);

/// Why something is not taken; what it says is told to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The session has stored as many bytes as it may.
    #[error("This session may store {} here, and less than this is left of it.", ByteSize(*.0))]
    Bytes(u64),
    /// The session has stored as many files as it may.
    #[error(
        "This session may store {0} files and folders here, and has as many. Delete repositories that you need no more."
    )]
    Files(u64),
    /// The disk is full.
    #[error("The disk of this server is nearly full, so it takes no images now. Tell whoever runs it.")]
    Disk,
    /// The upload took too long.
    #[error("An upload may take {} minutes, and this one took longer.", DEADLINE.as_secs() / 60)]
    Deadline,
    /// Nothing came for a while, or room had to be made for others.
    #[error("The upload was broken off. Push again.")]
    Broken,
}

/// Counts what sessions send. The counts begin with what is stored, and are set right by it when a session seems to have
/// sent as much as it may: it may have sent a layer twice, or removed one.
#[derive(Debug)]
pub struct Quota {
    bytes: u64,
    files: u64,
    min_free: u64,
    used: Mutex<HashMap<PublicName, Arc<Used>>>,
}

/// What one session has sent.
#[derive(Debug, Default)]
pub struct Used {
    bytes: AtomicU64,
    files: AtomicU64,
    /// When it was counted last. Held while it is.
    counted: tokio::sync::Mutex<Option<Instant>>,
    /// Held while all that the session has is read: one at a time, so that nobody queues up in front of all others.
    pub reading: tokio::sync::Mutex<()>,
}

impl Quota {
    pub fn new(settings: &RegistrySettings) -> Quota {
        let (bytes, files) = (settings.quota.as_u64(), settings.files.into());
        Quota { bytes, files, min_free: settings.min_free.as_u64(), used: Mutex::default() }
    }

    /// Lets a session begin to write something that makes up to `files` files and folders, or says why not.
    ///
    /// # Errors
    /// [`Refused`] when it has stored as much as it may, or the disk is nearly full.
    pub async fn admit(&self, session: &PublicName, storage: &Storage, files: u64) -> Result<Arc<Used>, Refused> {
        self.has_room(storage).await?;
        let used = self.of(session);
        {
            let mut counted = used.counted.lock().await;
            let old = match *counted {
                None => true,
                Some(at) => self.exceeds(&used, files).is_err() && at.elapsed() >= RECOUNT,
            };
            if old {
                let session = session.clone();
                let stored = storage.blocking(move |s| s.stored(&session)).await;
                used.bytes.store(stored.bytes, Ordering::Relaxed);
                used.files.store(stored.files, Ordering::Relaxed);
                *counted = Some(Instant::now());
            }
        }
        self.exceeds(&used, files)?;
        used.files.fetch_add(files, Ordering::Relaxed);
        Ok(used)
    }

    /// What was counted of a session.
    pub fn of(&self, session: &PublicName) -> Arc<Used> {
        self.lock().entry(session.clone()).or_default().clone()
    }

    /// Counts bytes that come in.
    ///
    /// # Errors
    /// [`Refused::Bytes`] when it is more than the session may store.
    pub fn add(&self, used: &Used, bytes: u64) -> Result<(), Refused> {
        let more = used.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if more > self.bytes { Err(Refused::Bytes(self.bytes)) } else { Ok(()) }
    }

    /// Takes back what was counted.
    pub fn subtract(&self, used: &Used, bytes: u64) {
        // Where it was counted anew meanwhile, less may be left than shall go.
        let _ = used.bytes.try_update(Ordering::Relaxed, Ordering::Relaxed, |u| Some(u.saturating_sub(bytes)));
    }

    /// Whether the disk has more free than it must keep.
    ///
    /// # Errors
    /// [`Refused::Disk`] when not.
    pub async fn has_room(&self, storage: &Storage) -> Result<(), Refused> {
        let free = storage.blocking(Storage::free).await;
        if free.is_some_and(|free| free < self.min_free) { Err(Refused::Disk) } else { Ok(()) }
    }

    /// Most bytes that a session may store.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets what was counted for a session.
    pub fn forget(&self, session: &PublicName) {
        self.lock().remove(session);
    }

    /// Forgets all counts: what is stored has become less.
    pub fn forget_all(&self) {
        self.lock().clear();
    }

    fn exceeds(&self, used: &Used, files: u64) -> Result<(), Refused> {
        if used.bytes.load(Ordering::Relaxed) >= self.bytes {
            return Err(Refused::Bytes(self.bytes));
        }
        if used.files.load(Ordering::Relaxed) + files > self.files {
            return Err(Refused::Files(self.files));
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PublicName, Arc<Used>>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
