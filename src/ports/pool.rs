//! Connections to applications, kept a moment for the next request: making one takes a connection to the agent, its
//! answer, and one to the application.
//!
//! Only requests that can be repeated take a kept one, since an application may close it at the very moment. A request that
//! cannot closes those that nobody uses: an application that serves one connection at a time would wait on them.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::body::Body;
use hyper::client::conn::{http1, http2};
use tokio::sync::Notify;

/// How long a connection is kept that nobody uses: less than applications wait before they close theirs.
const KEPT: Duration = Duration::from_secs(2);
/// Most connections to one application that are kept.
const MOST: usize = 64;

/// A connection over which one request is under way at a time.
pub type One = http1::SendRequest<Body>;
/// A connection over which many are.
pub type Many = http2::SendRequest<Body>;

/// The kept connections of one node, by port.
#[derive(Default)]
pub struct Pool {
    kept: Mutex<Kept>,
    /// There is something to close later.
    filled: Notify,
}

#[derive(Default)]
struct Kept {
    ones: HashMap<u16, Vec<(One, Instant)>>,
    many: HashMap<u16, (Many, Instant)>,
}

impl Pool {
    /// A connection to `port` over which a request can go now.
    pub fn take(&self, port: u16) -> Option<One> {
        let mut kept = self.lock();
        let ones = kept.ones.get_mut(&port)?;
        ones.retain(|(one, since)| !one.is_closed() && since.elapsed() < KEPT);
        // The latest: the others may go.
        let at = ones.iter().rposition(|(one, _)| one.is_ready())?;
        Some(ones.remove(at).0)
    }

    /// Keeps a connection whose request has been answered in full.
    pub fn keep(&self, port: u16, one: One) {
        if one.is_closed() {
            return;
        }
        let mut kept = self.lock();
        let ones = kept.ones.entry(port).or_default();
        if ones.len() < MOST {
            ones.push((one, Instant::now()));
        }
        drop(kept);
        self.filled.notify_one();
    }

    /// Closes the connections to `port` that nobody uses.
    pub fn close(&self, port: u16) {
        self.lock().ones.remove(&port);
    }

    /// A connection to `port` that many requests share.
    pub fn shared(&self, port: u16) -> Option<Many> {
        let mut kept = self.lock();
        let (many, used) = kept.many.get_mut(&port)?;
        if many.is_closed() {
            kept.many.remove(&port);
            return None;
        }
        *used = Instant::now();
        Some(many.clone())
    }

    /// Has later requests to `port` share a connection.
    pub fn share(&self, port: u16, many: &Many) {
        self.lock().many.insert(port, (many.clone(), Instant::now()));
        self.filled.notify_one();
    }

    /// Closes what nobody has used for a while, for as long as it is polled.
    pub async fn keep_clean(&self) {
        loop {
            self.filled.notified().await;
            while self.sweep() {
                tokio::time::sleep(KEPT / 2).await;
            }
        }
    }

    /// Whether anything is left.
    fn sweep(&self) -> bool {
        let mut kept = self.lock();
        for ones in kept.ones.values_mut() {
            ones.retain(|(one, since)| !one.is_closed() && since.elapsed() < KEPT);
        }
        kept.ones.retain(|_, ones| !ones.is_empty());
        kept.many.retain(|_, (many, used)| !many.is_closed() && used.elapsed() < 10 * KEPT);
        !kept.ones.is_empty() || !kept.many.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
