//! How much each session has pushed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use hyper::body::Frame;

use super::client::Body;
use crate::session::PublicName;

/// Counts the bytes that sessions send. The count starts anew with the server, which errs on the student's side.
#[derive(Debug)]
pub struct Quota {
    max: u64,
    used: Mutex<HashMap<PublicName, Arc<AtomicU64>>>,
}

/// The error that ends an upload at the quota.
#[derive(Debug, thiserror::Error)]
#[error("the session has pushed as much as it may")]
pub struct Exceeded;

impl Quota {
    pub fn new(max: u64) -> Quota {
        Quota { max, used: Mutex::default() }
    }

    /// The quota in bytes.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// Whether a session has sent as much as it may.
    pub fn is_exceeded(&self, session: &PublicName) -> bool {
        self.of(session).load(Ordering::Relaxed) >= self.max
    }

    pub fn forget(&self, session: &PublicName) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).remove(session);
    }

    /// The same body, which counts as it is read, and fails at the quota.
    pub fn counted<B>(&self, session: &PublicName, body: B) -> Body
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (used, max) = (self.of(session), self.max);
        let mut body = Box::pin(body);
        let stream = futures_util::stream::poll_fn(move |cx| {
            body.as_mut().poll_frame(cx).map(|frame| {
                let frame: Frame<Bytes> = match frame? {
                    Ok(frame) => frame,
                    Err(e) => return Some(Err(e.into())),
                };
                let length = frame.data_ref().map_or(0, |d| d.len() as u64);
                if used.fetch_add(length, Ordering::Relaxed) + length > max {
                    return Some(Err(Exceeded.into()));
                }
                Some(Ok(frame))
            })
        });
        UnsyncBoxBody::new(http_body_util::StreamBody::new(stream)).boxed_unsync()
    }

    fn of(&self, session: &PublicName) -> Arc<AtomicU64> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).entry(session.clone()).or_default().clone()
    }
}
