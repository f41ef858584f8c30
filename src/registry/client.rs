//! Requests to the supervised registry, over its Unix socket.

use std::path::PathBuf;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// Body of a request to the registry, or of an answer of the proxy.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// A body of these bytes.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|e| match e {}).boxed_unsync()
}

/// Speaks with one registry. Each request has a connection of its own.
#[derive(Debug, Clone)]
pub struct RegistryClient {
    socket: PathBuf,
}

impl RegistryClient {
    /// A client for the registry that listens on `socket`.
    pub fn new(socket: PathBuf) -> RegistryClient {
        RegistryClient { socket }
    }

    /// Sends a request whose address is a path.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn send(&self, mut request: Request<Body>) -> anyhow::Result<Response<Incoming>> {
        let stream = UnixStream::connect(&self.socket).await.context("the registry does not listen")?;
        request.headers_mut().insert(header::HOST, header::HeaderValue::from_static("registry"));
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender.send_request(request).await?)
    }

    /// Whether it answers.
    pub async fn ready(&self) -> bool {
        let Ok(request) = Request::get("/v2/").body(full("")) else { return false };
        self.send(request).await.is_ok_and(|a| a.status() == StatusCode::OK)
    }

    /// Whether `repository` has a blob.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn has_blob(&self, repository: &str, digest: &str) -> anyhow::Result<bool> {
        let request = Request::head(format!("/v2/{repository}/blobs/{digest}")).body(full(""))?;
        Ok(self.send(request).await?.status() == StatusCode::OK)
    }

    /// Gives `repository` a blob that `from` has, without moving its bytes; `false` if `from` lacks it.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn mount_blob(&self, repository: &str, digest: &str, from: &str) -> anyhow::Result<bool> {
        let path = format!("/v2/{repository}/blobs/uploads/?mount={digest}&from={from}");
        let request = Request::post(path).header(header::CONTENT_LENGTH, 0).body(full(""))?;
        Ok(self.send(request).await?.status() == StatusCode::CREATED)
    }

    /// Uploads a blob of `length` bytes, unless `repository` has it.
    ///
    /// # Errors
    /// When the registry refuses it, or does not answer.
    pub async fn push_blob(&self, repository: &str, digest: &str, length: u64, body: Body) -> anyhow::Result<()> {
        if self.has_blob(repository, digest).await? {
            return Ok(());
        }
        let begin = Request::post(format!("/v2/{repository}/blobs/uploads/")).header(header::CONTENT_LENGTH, 0);
        let begun = self.send(begin.body(full(""))?).await?;
        if begun.status() != StatusCode::ACCEPTED {
            bail!("{repository}: the registry refused an upload: {}", begun.status());
        }
        let location = begun.headers().get(header::LOCATION).context("an upload without location")?.to_str()?;
        let path = location.find("/v2/").map_or(location, |i| &location[i..]);
        let joint = if path.contains('?') { '&' } else { '?' };
        let put = Request::put(format!("{path}{joint}digest={digest}"))
            .header(header::CONTENT_LENGTH, length)
            .header(header::CONTENT_TYPE, "application/octet-stream");
        let done = self.send(put.body(body)?).await?;
        if done.status() != StatusCode::CREATED {
            bail!("{repository}: the registry refused {digest}: {}", text(done).await);
        }
        Ok(())
    }

    /// Puts a manifest under a tag.
    ///
    /// # Errors
    /// When the registry refuses it, or does not answer.
    pub async fn put_manifest(
        &self,
        repository: &str,
        tag: &str,
        media_type: &str,
        manifest: Bytes,
    ) -> anyhow::Result<()> {
        let put = Request::builder()
            .method(Method::PUT)
            .uri(format!("/v2/{repository}/manifests/{tag}"))
            .header(header::CONTENT_TYPE, media_type)
            .header(header::CONTENT_LENGTH, manifest.len());
        let done = self.send(put.body(full(manifest))?).await?;
        if done.status() != StatusCode::CREATED {
            bail!("{repository}:{tag}: the registry refused it: {}", text(done).await);
        }
        Ok(())
    }
}

async fn text(answer: Response<Incoming>) -> String {
    let status = answer.status();
    let body = answer.into_body().collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    format!("{status} {}", String::from_utf8_lossy(&body))
}
