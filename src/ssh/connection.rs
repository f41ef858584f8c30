//! What the parts of one connection share.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::Place;
use crate::session::{Live, Node};

/// Channels of one connection at one time.
const MOST_CHANNELS: u32 = 10;
/// Bytes from clients that wait for what they are meant for, in one connection and in all: while there are more, clients
/// are granted next to nothing.
const MOST_WAITING: usize = 1 << 20;
const MOST_WAITING_IN_ALL: usize = 256 << 20;

static WAITING_IN_ALL: AtomicUsize = AtomicUsize::new(0);

/// One connection.
pub struct Connection {
    began: Instant,
    /// Milliseconds after `began` at which something was last carried.
    last: AtomicI64,
    channels: AtomicU32,
    waiting: AtomicUsize,
    signed_in: OnceLock<SignedIn>,
    /// Told once when the client has signed in.
    pub entered: Notify,
}

/// Whom a connection belongs to.
pub struct SignedIn {
    /// The session.
    pub live: Arc<Live>,
    /// The node that the user name says.
    pub node: Arc<Node>,
    /// What it counts as.
    pub place: Place,
}

impl Connection {
    /// One that nothing is known of.
    pub fn new() -> Arc<Connection> {
        Arc::new(Connection {
            began: Instant::now(),
            last: AtomicI64::new(0),
            channels: AtomicU32::new(0),
            waiting: AtomicUsize::new(0),
            signed_in: OnceLock::new(),
            entered: Notify::new(),
        })
    }

    /// Whom it belongs to, once its client has signed in.
    pub fn signed_in(&self) -> Option<&SignedIn> {
        self.signed_in.get()
    }

    /// The client has signed in; with nobody, there is no place for it.
    pub fn enter(&self, who: Option<SignedIn>) {
        self.touch();
        if let Some(who) = who {
            let _ = self.signed_in.set(who);
        }
        self.entered.notify_one();
    }

    /// Something was carried.
    pub fn touch(&self) {
        self.last.store(self.began.elapsed().as_millis() as i64, Ordering::Relaxed);
    }

    /// How long nothing was carried.
    pub fn idle(&self) -> Duration {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed).max(0) as u64);
        self.began.elapsed().saturating_sub(last)
    }

    /// A place for one more channel; none where there are as many as there may be.
    pub fn channel(self: &Arc<Self>) -> Option<ChannelPlace> {
        let more = |n: u32| (n < MOST_CHANNELS).then_some(n + 1);
        self.channels.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(ChannelPlace(self.clone()))
    }

    /// Whether clients shall wait.
    pub fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > MOST_WAITING
            || WAITING_IN_ALL.load(Ordering::Acquire) > MOST_WAITING_IN_ALL
    }

    /// So many bytes wait from now on, until what this gives is dropped.
    pub fn waits(self: &Arc<Self>, bytes: usize) -> Waiting {
        self.waiting.fetch_add(bytes, Ordering::AcqRel);
        WAITING_IN_ALL.fetch_add(bytes, Ordering::AcqRel);
        Waiting { connection: self.clone(), bytes }
    }
}

/// A channel that counts, as long as this lives.
pub struct ChannelPlace(Arc<Connection>);

impl ChannelPlace {
    /// Its connection.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.0
    }
}

impl Drop for ChannelPlace {
    fn drop(&mut self) {
        self.0.channels.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Bytes that wait, as long as this lives.
pub struct Waiting {
    connection: Arc<Connection>,
    bytes: usize,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.connection.waiting.fetch_sub(self.bytes, Ordering::AcqRel);
        WAITING_IN_ALL.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_and_bytes_are_counted_and_come_back() {
        let connection = Connection::new();
        let held: Vec<_> = (0..MOST_CHANNELS).map(|_| connection.channel().unwrap()).collect();
        assert!(connection.channel().is_none());
        drop(held);
        assert!(connection.channel().is_some());
        let some = connection.waits(MOST_WAITING);
        assert!(!connection.is_full());
        let more = connection.waits(1);
        assert!(connection.is_full());
        drop((some, more));
        assert!(!connection.is_full());
    }
}
