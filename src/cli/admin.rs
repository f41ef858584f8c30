//! Speaking with the running server over its admin socket.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use crate::{config::Config, paths::Paths};

/// Sends a request to the running server; `None` when none runs.
///
/// # Errors
/// When the server refuses, in its own words.
pub async fn request(config: &Config, method: Method, path: &str) -> anyhow::Result<Option<Bytes>> {
    let Ok(stream) = UnixStream::connect(Paths::new(&config.data).admin_socket()).await else { return Ok(None) };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request =
        Request::builder().method(method).uri(path).header(header::HOST, "admin").body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    if status.is_success() {
        return Ok(Some(body));
    }
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let detail = problem["detail"].as_str().map(str::to_owned).unwrap_or_else(|| status_words(status));
    anyhow::bail!("{detail}")
}

fn status_words(status: StatusCode) -> String {
    format!("the server answered {status}")
}
