//! Files of a sandbox.

use std::time::Duration;

use boatyard_protocol::agent::FileEntry;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, Response, body::Incoming, header};

use super::{AgentClient, AgentError, Body, MAX_ANSWER, PATIENCE, escape, full, nonsense};

/// Longest that a write may take, from its first byte to the answer.
const WRITING: Duration = Duration::from_secs(3600);

impl AgentClient {
    /// A file's bytes, as they come; bounded in nothing, so a caller streams them on.
    ///
    /// # Errors
    /// [`AgentError`]; status 404 where there is no such file, 400 where it is a folder.
    pub async fn read_file(&self, path: &str) -> Result<Response<Incoming>, AgentError> {
        self.send(Method::GET, &format!("/v1/files?path={}", escape(path)), full(Bytes::new()), PATIENCE).await
    }

    /// The first `max` bytes of a file at most; `None` where there is none.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn read_small_file(&self, path: &str, max: usize) -> Result<Option<Vec<u8>>, AgentError> {
        let answer = match self.read_file(path).await {
            Ok(a) => a,
            Err(e) if e.status() == Some(404) => return Ok(None),
            Err(e) => return Err(e),
        };
        let mut body = answer.into_body();
        let mut bytes = Vec::new();
        let read = async {
            while let Some(frame) = body.frame().await {
                if let Ok(data) = frame.map_err(nonsense)?.into_data() {
                    bytes.extend_from_slice(&data[..data.len().min(max - bytes.len())]);
                }
                if bytes.len() == max {
                    break;
                }
            }
            Ok::<(), AgentError>(())
        };
        tokio::time::timeout(PATIENCE, read).await.map_err(|_| AgentError::Timeout)??;
        Ok(Some(bytes))
    }

    /// Writes a file, in one step for its readers; missing folders are made.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn write_file(&self, path: &str, mode: Option<u32>, body: Body) -> Result<FileEntry, AgentError> {
        let mode = mode.map(|m| format!("&mode={m}")).unwrap_or_default();
        let request = Request::builder()
            .method(Method::PUT)
            .uri(format!("/v1/files?path={}{mode}", escape(path)))
            .header(header::HOST, "agent")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(body)
            .map_err(nonsense)?;
        let answer = self.request(request, WRITING).await?;
        let bytes = tokio::time::timeout(PATIENCE, Limited::new(answer.into_body(), MAX_ANSWER).collect())
            .await
            .map_err(|_| AgentError::Timeout)?
            .map_err(nonsense)?
            .to_bytes();
        serde_json::from_slice(&bytes).map_err(nonsense)
    }
}
