//! Connections to applications, kept a moment for the next request: making one takes a connection to the agent, its
//! answer, and one to the application.
//!
//! Only requests that can be repeated take a kept one, since an application may close it at the very moment. A request that
//! cannot closes those that nobody uses: an application that serves one connection at a time would wait on them.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
    time::{Duration, Instant},
};

use axum::{body::Body, extract::Request, response::Response};
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
};
use tokio::sync::Notify;

use crate::agent::RawStream;

/// How long a connection is kept that nobody uses: less than applications wait before they close theirs.
const KEPT: Duration = Duration::from_secs(2);
/// Most connections to one application that are kept.
const MOST: usize = 64;

/// A connection over which one request is under way at a time. It has no task of its own: whoever waits for something over
/// it moves it on, which saves two changes of task for each piece.
pub struct One {
    sender: http1::SendRequest<Body>,
    line: Pin<Box<http1::Connection<RawStream, Body>>>,
    ended: bool,
}

impl One {
    /// Speaks HTTP/1.1 over `stream`.
    ///
    /// # Errors
    /// None that are known.
    pub async fn over(stream: RawStream) -> Result<One, hyper::Error> {
        let (sender, connection) = builder().handshake(stream).await?;
        Ok(One { sender, line: Box::pin(connection), ended: false })
    }

    /// Sends a request; the answer's body comes as far as [`One::move_on`] is called.
    ///
    /// # Errors
    /// When the other end closes, or does not speak HTTP/1.1; with the request where nothing of it was sent.
    pub async fn send(&mut self, request: Request) -> Result<Response<Incoming>, TrySendError<Request>> {
        let mut answer = pin!(self.sender.try_send_request(request));
        poll_fn(|cx| {
            if !self.ended {
                self.ended = self.line.as_mut().poll(cx).is_ready();
            }
            answer.as_mut().poll(cx)
        })
        .await
    }

    /// Moves the connection on; the task is woken when there is more to do.
    pub fn move_on(&mut self, cx: &mut Context<'_>) {
        if !self.ended {
            self.ended = self.line.as_mut().poll(cx).is_ready();
        }
    }

    /// Whether a request can go over it now, as far as is known on this side.
    fn is_ready(&mut self) -> bool {
        self.move_on(&mut Context::from_waker(Waker::noop()));
        !self.ended && self.sender.is_ready()
    }
}

/// How applications are asked in HTTP/1.1.
pub fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    // As browsers write them: students' own servers may not know that case means nothing.
    builder.title_case_headers(true);
    builder
}

/// A connection over which many requests are under way.
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
        loop {
            // The latest: the others may go.
            let (mut one, since) = self.lock().ones.get_mut(&port)?.pop()?;
            if since.elapsed() < KEPT && one.is_ready() {
                return Some(one);
            }
        }
    }

    /// Keeps a connection whose request has been answered in full, if another can go over it.
    pub fn keep(&self, port: u16, mut one: One) {
        if !one.is_ready() {
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
            ones.retain(|(_, since)| since.elapsed() < KEPT);
        }
        kept.ones.retain(|_, ones| !ones.is_empty());
        kept.many.retain(|_, (many, used)| !many.is_closed() && used.elapsed() < 10 * KEPT);
        !kept.ones.is_empty() || !kept.many.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
