//! Streams that begin in the sandbox: offered to the server, and held until it collects them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use boatyard_protocol::agent::StreamOffer;
use tokio::{net::TcpStream, sync::Notify};

/// How long a stream waits to be collected.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most streams that wait.
const MOST: usize = 1024;

/// The streams on offer. Clones share them.
#[derive(Clone, Default)]
pub struct Streams {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    streams: BTreeMap<u64, (String, TcpStream)>,
}

impl Streams {
    /// Offers a stream to the server; it is closed when the server does not come for it.
    pub fn offer(&self, service: &str, stream: TcpStream) {
        let id = {
            let mut waiting = self.lock();
            if waiting.streams.len() >= MOST {
                tracing::warn!("{MOST} streams wait for the server already; one more is refused");
                return;
            }
            waiting.next += 1;
            let id = waiting.next;
            waiting.streams.insert(id, (service.to_owned(), stream));
            id
        };
        self.inner.news.notify_waiters();
        let streams = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            if streams.lock().streams.remove(&id).is_some() {
                tracing::warn!("stream {id} was not collected by the server and is closed");
            }
        });
    }

    /// Waits for an offer with a higher id than `after`. A server that connects anew starts with 0, and so is told of all
    /// that still wait.
    pub async fn next(&self, after: u64) -> StreamOffer {
        loop {
            let news = self.inner.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if let Some((id, (service, _))) = self.lock().streams.range(after + 1..).next() {
                return StreamOffer { stream: *id, service: service.clone() };
            }
            news.await;
        }
    }

    /// Hands a stream over.
    pub fn collect(&self, id: u64) -> Option<TcpStream> {
        self.lock().streams.remove(&id).map(|(_, stream)| stream)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.inner.waiting.lock().unwrap_or_else(|e| e.into_inner())
    }
}
