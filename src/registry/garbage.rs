//! Collecting garbage: blobs that no manifest refers to any more.
//!
//! The registry does it, on the whole of its storage, and nobody may write meanwhile. Blobs of a push that has not come
//! to its manifest look like garbage, too: they are kept aside and put back.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use super::Registry;

/// A push takes at most this long from one of its blobs to the next.
const QUIET: Duration = Duration::from_secs(60);

/// What came of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collected {
    /// Garbage is gone.
    Done,
    /// Nothing was removed since the last time.
    Nothing,
    /// Something is being written just now: an upload, or the catalogue.
    Postponed,
}

/// When garbage is collected.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// So long after the last removal: sessions of a class end together.
    pub settle: Duration,
    /// So long after the first removal at the latest.
    pub latest: Duration,
    /// So long after it was postponed.
    pub retry: Duration,
    /// So often is it postponed; then uploads must give way.
    pub patience: u32,
    /// So long do those uploads have to end by themselves; new ones wait meanwhile.
    pub grace: Duration,
    /// So often even where nobody said that something was removed.
    pub anyway: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            settle: Duration::from_secs(60),
            latest: Duration::from_secs(600),
            retry: Duration::from_secs(20),
            patience: 6,
            grace: Duration::from_secs(20),
            anyway: Duration::from_secs(3600),
        }
    }
}

impl Registry {
    /// Collects garbage soon after something was removed, until `shutdown`.
    pub async fn keep_clean(&self, pace: Pace, shutdown: CancellationToken) {
        let mut postponed = 0;
        let mut wait = None;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = async { match wait { Some(pause) => sleep(pause).await, None => self.removals(&pace).await } } => {}
            }
            let done = if postponed < pace.patience {
                self.collect_garbage().await
            } else {
                self.force_garbage(pace.grace).await
            };
            wait = None;
            match done {
                Ok(Collected::Postponed) => {
                    postponed += 1;
                    wait = Some(pace.retry);
                    continue;
                }
                Ok(done) => debug!(?done, "the registry's garbage"),
                Err(e) => error!(error = format!("{e:#}"), "the registry's garbage was not collected"),
            }
            postponed = 0;
        }
    }

    /// Waits until something was removed and no more is for a while.
    async fn removals(&self, pace: &Pace) {
        tokio::select! {
            () = self.removed.notified() => {}
            () = sleep(pace.anyway) => return,
        }
        let latest = Instant::now() + pace.latest;
        loop {
            tokio::select! {
                () = self.removed.notified() => {}
                () = sleep(pace.settle) => return,
                () = sleep_until(latest) => return,
            }
        }
    }

    /// Removes blobs that no manifest refers to any more, unless something is being written.
    ///
    /// # Errors
    /// When the registry's own garbage collection fails.
    pub async fn collect_garbage(&self) -> anyhow::Result<Collected> {
        match self.gate.close_if_empty() {
            Some(_closed) => self.collect().await,
            None => Ok(Collected::Postponed),
        }
    }

    /// As [`Registry::collect_garbage`]; uploads that do not end within `grace` are ended. Only a catalogue that is being built
    /// still postpones it: that ends by itself.
    ///
    /// # Errors
    /// When the registry's own garbage collection fails.
    pub async fn force_garbage(&self, grace: Duration) -> anyhow::Result<Collected> {
        // Nobody must give way for what is put off all the same.
        if self.building().await {
            return Ok(Collected::Postponed);
        }
        let _closed = self.gate.close(grace).await;
        self.collect().await
    }

    /// Whether the catalogue is being built: by a command of its own, which no gate stops.
    async fn building(&self) -> bool {
        self.storage.blocking(|s| !s.busy("catalogue", QUIET).is_empty()).await
    }

    async fn collect(&self) -> anyhow::Result<Collected> {
        let Some(supervisor) = &self.supervisor else { return Ok(Collected::Nothing) };
        if !self.storage.take_dirty() {
            return Ok(Collected::Nothing);
        }
        if self.building().await {
            self.storage.set_dirty();
            return Ok(Collected::Postponed);
        }
        let (any, busy) = self.storage.blocking(|s| (s.has_blobs(), s.busy("sessions", QUIET))).await;
        if !any {
            return Ok(Collected::Nothing);
        }
        let collected = async {
            let aside = self.storage.blocking(move |s| s.keep_aside(&busy)).await?;
            let collected = supervisor.collect_garbage().await;
            let put_back = self.storage.blocking(move |_| aside.put_back()).await;
            collected.and(put_back)
        };
        let collected = collected.await;
        // What was stored is counted anew.
        self.quota.forget_all();
        match collected {
            Ok(false) => Ok(Collected::Done),
            Ok(true) => {
                // A push under way, or blobs of one that was given up: later they are told apart.
                self.say_removed();
                Ok(Collected::Done)
            }
            Err(e) => {
                self.storage.set_dirty();
                Err(e)
            }
        }
    }

    /// Says that there may be garbage.
    pub(super) fn say_removed(&self) {
        self.storage.set_dirty();
        self.removed.notify_one();
    }
}
