//! The body of an upload: counted as it is read, and ended where it must not go on.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::Frame;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    client::Body,
    quota::{Quota, Refused, Used},
    storage::Storage,
};

/// Longest pause within an upload. One that stands still would keep garbage from being collected.
const STALLED: Duration = Duration::from_secs(120);
/// After so many bytes it is asked again whether the disk has room.
const LOOK: u64 = 16 << 20;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// An upload under way.
pub struct Upload {
    pub quota: Arc<Quota>,
    pub storage: Storage,
    /// What its session has sent.
    pub used: Arc<Used>,
    /// Cancelled when it must end.
    pub leave: CancellationToken,
    /// When it must have ended.
    pub deadline: Instant,
}

/// Why an upload was ended, if it was.
#[derive(Debug, Clone, Default)]
pub struct Ended(Arc<Mutex<Option<Refused>>>);

impl Ended {
    /// The reason.
    pub fn why(&self) -> Option<Refused> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, why: Refused) -> Refused {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why)
    }
}

/// How much of a body has come.
#[derive(Debug, Default)]
struct Seen {
    bytes: u64,
    /// Since the disk was looked at.
    unlooked: u64,
}

/// What comes next of a body.
enum Next {
    Frame(Frame<Bytes>),
    End,
    Failed(AnyError),
    Refused(Refused),
}

impl Upload {
    /// The same body, which fails where it must not go on; then it is known why. What comes after that is read and
    /// dropped first, as much as a session may store, since many clients look at an answer only when they have sent all.
    pub fn counted<B>(self, body: B) -> (Body, Ended)
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<AnyError>,
    {
        let ended = Ended::default();
        let state = (BodyStream::new(body), self, ended.clone(), Seen::default());
        let stream = futures_util::stream::unfold(Some(state), |state| async move {
            let (mut body, upload, ended, mut seen) = state?;
            let error = match upload.next(&mut body, &mut seen).await {
                Next::Frame(frame) => return Some((Ok(frame), Some((body, upload, ended, seen)))),
                Next::End => return None,
                Next::Failed(e) => e,
                Next::Refused(why) => {
                    let why = ended.set(why);
                    // It is not kept, so there is room for what is smaller.
                    upload.quota.subtract(&upload.used, seen.bytes);
                    if matches!(why, Refused::Bytes(_) | Refused::Disk) {
                        upload.drop_rest(&mut body).await;
                    }
                    why.into()
                }
            };
            Some((Err(error), None))
        });
        (BodyExt::boxed_unsync(StreamBody::new(stream)), ended)
    }

    async fn next<B>(&self, body: &mut BodyStream<B>, seen: &mut Seen) -> Next
    where
        B: hyper::body::Body<Data = Bytes> + Unpin,
        B::Error: Into<AnyError>,
    {
        if seen.unlooked >= LOOK {
            seen.unlooked = 0;
            if let Err(why) = self.quota.has_room(&self.storage).await {
                return Next::Refused(why);
            }
        }
        let frame = tokio::select! {
            frame = body.next() => frame,
            () = self.leave.cancelled() => return Next::Refused(Refused::Broken),
            () = tokio::time::sleep(STALLED) => return Next::Refused(Refused::Broken),
            () = tokio::time::sleep_until(self.deadline) => return Next::Refused(Refused::Deadline),
        };
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(e)) => return Next::Failed(e.into()),
            None => return Next::End,
        };
        let length = frame.data_ref().map_or(0, |d| d.len() as u64);
        seen.bytes += length;
        seen.unlooked += length;
        match self.quota.add(&self.used, length) {
            Ok(()) => Next::Frame(frame),
            Err(why) => Next::Refused(why),
        }
    }

    async fn drop_rest<B>(&self, body: &mut BodyStream<B>)
    where
        B: hyper::body::Body<Data = Bytes> + Unpin,
    {
        let mut dropped = 0;
        let rest = async {
            while let Ok(Some(Ok(frame))) = tokio::time::timeout(STALLED, body.next()).await {
                dropped += frame.data_ref().map_or(0, |d| d.len() as u64);
                if dropped > self.quota.bytes() {
                    return;
                }
            }
        };
        tokio::select! {
            () = rest => {}
            () = self.leave.cancelled() => {}
            () = tokio::time::sleep_until(self.deadline) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::RegistrySettings, paths::Paths, session::PublicName};

    #[tokio::test]
    async fn an_upload_that_goes_on_and_on_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::new(&Paths::new(folder.path()));
        let quota = Arc::new(Quota::new(&RegistrySettings::default()));
        let session = PublicName::parse("abcdefghij").unwrap();
        let used = quota.admit(&session, &storage, 1).await.unwrap();
        let deadline = Instant::now() + Duration::from_millis(200);
        let upload = Upload { quota, storage, used, leave: CancellationToken::new(), deadline };
        let drip = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Some((Ok::<_, AnyError>(Frame::data(Bytes::from_static(b"x"))), ()))
        });
        let (body, ended) = upload.counted(StreamBody::new(Box::pin(drip)));
        assert!(body.collect().await.is_err());
        assert_eq!(ended.why(), Some(Refused::Deadline));
        assert!(Instant::now() >= deadline);
    }
}
