//! How much each session may push.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::Frame;

use super::{client::Body, storage::Storage};
use crate::session::PublicName;

/// Longest pause within an upload. One that stands still would keep garbage from being collected.
const STALLED: Duration = Duration::from_secs(120);

/// Counts the bytes that sessions send. The counts begin with what is stored, and are set right by it when a session
/// seems to have sent as much as it may: it may have sent a layer twice, or removed one.
#[derive(Debug)]
pub struct Quota {
    max: u64,
    used: Mutex<HashMap<PublicName, Arc<AtomicU64>>>,
}

/// Why an upload ends before its end.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the session has pushed as much as it may")]
    Exceeded,
    #[error("nothing came for a while")]
    Stalled,
}

impl Quota {
    pub fn new(max: u64) -> Quota {
        Quota { max, used: Mutex::default() }
    }

    /// The quota in bytes.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// Whether a session has stored as much as it may.
    pub fn is_exceeded(&self, session: &PublicName, storage: &Storage) -> bool {
        let used = self.of(session, storage);
        if used.load(Ordering::Relaxed) >= self.max {
            used.store(storage.size_of_session(session), Ordering::Relaxed);
        }
        used.load(Ordering::Relaxed) >= self.max
    }

    pub fn forget(&self, session: &PublicName) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).remove(session);
    }

    /// The same body, which counts as it is read, and fails past the quota; then the flag is set. What comes after is
    /// read and dropped first, since many clients look at an answer only when they have sent all.
    pub fn counted<B>(&self, session: &PublicName, storage: &Storage, body: B) -> (Body, Arc<AtomicBool>)
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (used, max) = (self.of(session, storage), self.max);
        let flag = Arc::new(AtomicBool::new(false));
        let exceeded = flag.clone();
        let stream = futures_util::stream::unfold(Some(BodyStream::new(body)), move |body| {
            let (used, exceeded) = (used.clone(), exceeded.clone());
            async move {
                let mut body = body?;
                let mut dropped = 0;
                loop {
                    let frame = match tokio::time::timeout(STALLED, body.next()).await {
                        Err(_) => return Some((Err(Ended::Stalled.into()), None)),
                        Ok(Some(Ok(frame))) => frame,
                        Ok(_) if exceeded.load(Ordering::Relaxed) => return Some((Err(Ended::Exceeded.into()), None)),
                        Ok(None) => return None,
                        Ok(Some(Err(e))) => return Some((Err(e.into()), None)),
                    };
                    let frame: Frame<Bytes> = frame;
                    let length = frame.data_ref().map_or(0, |d| d.len() as u64);
                    if exceeded.load(Ordering::Relaxed) {
                        dropped += length;
                        if dropped > max {
                            return Some((Err(Ended::Exceeded.into()), None));
                        }
                    } else if used.fetch_add(length, Ordering::Relaxed) + length > max {
                        exceeded.store(true, Ordering::Relaxed);
                    } else {
                        return Some((Ok::<_, Box<dyn std::error::Error + Send + Sync>>(frame), Some(body)));
                    }
                }
            }
        });
        (BodyExt::boxed_unsync(StreamBody::new(stream)), flag)
    }

    fn of(&self, session: &PublicName, storage: &Storage) -> Arc<AtomicU64> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = used.get(session) {
            return used.clone();
        }
        let stored = Arc::new(AtomicU64::new(storage.size_of_session(session)));
        used.insert(session.clone(), stored.clone());
        stored
    }
}
