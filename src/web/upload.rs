//! Bodies of uploads: passed on as they come, never gathered, and bounded in size and in time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body as _, Frame};
use tokio::time::timeout;

/// How long a sender may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// How long the rest of a refused upload is taken and dropped, so that its sender comes to read the refusal.
const DRAINING: Duration = Duration::from_secs(10);

type Error = Box<dyn std::error::Error + Send + Sync>;

/// An upload that is more than it may be.
#[derive(Debug, thiserror::Error)]
#[error("the upload is too large")]
pub struct TooLarge;

/// An upload that is being passed on.
pub struct Upload {
    /// Its bytes, as they come; breaks off after the limit.
    pub body: crate::agent::Body,
    exceeded: Arc<AtomicBool>,
}

impl Upload {
    /// Takes `body`, of which at most `limit` bytes are passed on.
    ///
    /// # Errors
    /// [`TooLarge`] where it is said beforehand to be larger.
    pub fn new(body: Body, limit: u64) -> Result<Upload, TooLarge> {
        if body.size_hint().lower() > limit {
            let mut rest = body.into_data_stream();
            let drain = async move { while let Some(Ok(_)) = futures_util::StreamExt::next(&mut rest).await {} };
            tokio::spawn(timeout(DRAINING, drain));
            return Err(TooLarge);
        }
        let exceeded = Arc::new(AtomicBool::new(false));
        let told = exceeded.clone();
        let frames = futures_util::stream::try_unfold((body, 0), move |(mut body, mut sent)| {
            let told = told.clone();
            async move {
                let silence = |_| Error::from("the sender fell silent");
                let Some(frame) = timeout(SILENCE, body.frame()).await.map_err(silence)? else { return Ok(None) };
                // Trailers are nothing of the file.
                let data = frame?.into_data().unwrap_or_default();
                sent += data.len() as u64;
                if sent > limit {
                    told.store(true, Ordering::Release);
                    return Err(Error::from(TooLarge));
                }
                Ok(Some((Frame::data(data), (body, sent))))
            }
        });
        Ok(Upload { body: StreamBody::new(frames).boxed_unsync(), exceeded })
    }

    /// Says whether the limit was passed, also after the body has been given away.
    pub fn watch(&self) -> impl Fn() -> bool + Send + 'static {
        let exceeded = self.exceeded.clone();
        move || exceeded.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_too_large_is_told_before_or_while_it_comes() {
        assert!(Upload::new(Body::from("12345"), 4).is_err());
        let stream = || {
            Body::from_stream(futures_util::stream::iter(["123", "45"].map(|s| Ok::<_, std::io::Error>(s.as_bytes()))))
        };
        let upload = Upload::new(stream(), 4).unwrap();
        let exceeded = upload.watch();
        assert!(!exceeded());
        assert!(upload.body.collect().await.is_err());
        assert!(exceeded());
        let upload = Upload::new(stream(), 5).unwrap();
        assert_eq!(upload.body.collect().await.unwrap().to_bytes(), "12345");
    }
}
