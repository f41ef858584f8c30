//! Asking what runs in a node over HTTP, with a bounded answer in a bounded time.

use std::time::Duration;

use boatyard_protocol::agent::DockerState;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, header};
use serde_json::Value;
use tokio::time::timeout;

use super::Node;
use crate::{agent::RawStream, course::check::ProbeError};

/// Version of the Engine API that is spoken.
const API: &str = "/v1.45";
/// Longest answer of the Engine API, in bytes.
const MAX_ENGINE: usize = 8 << 20;
/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET` on the node's Engine API. `path` begins with `/` and has no version. `None` when the answer is 404.
///
/// # Errors
/// [`ProbeError::DockerDown`] when the engine is not ready: asking would start one that sleeps, since its socket is
/// there from the beginning. Otherwise when it does not answer within two seconds, or answers no JSON.
pub(crate) async fn ask_docker(node: &Node, path: &str) -> Result<Option<Value>, ProbeError> {
    if node.facts().docker != DockerState::Ready {
        return Err(ProbeError::DockerDown);
    }
    let dial = timeout(PATIENCE, node.agent().dial_unix("/run/docker.sock"));
    let stream = dial.await.map_err(|_| late())?.map_err(other)?;
    let (status, body) = get(stream, &format!("{API}{path}"), "docker", MAX_ENGINE).await?;
    match status {
        StatusCode::OK => Ok(Some(serde_json::from_slice(&body).map_err(other)?)),
        StatusCode::NOT_FOUND => Ok(None),
        status => Err(ProbeError::Other(format!("the Docker Engine answered {status}"))),
    }
}

/// `GET` over a stream; at most `max` bytes of the body.
///
/// # Errors
/// When what is at its other end does not answer within two seconds, or too much.
pub(super) async fn get(
    stream: RawStream,
    path: &str,
    host: &str,
    max: usize,
) -> Result<(StatusCode, Vec<u8>), ProbeError> {
    let exchange = async {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.map_err(other)?;
        tokio::spawn(connection);
        let request = Request::get(path)
            .header(header::HOST, host)
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(other)?;
        let answer = sender.send_request(request).await.map_err(other)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), max).collect().await.map_err(other)?;
        Ok((status, body.to_bytes().to_vec()))
    };
    timeout(PATIENCE, exchange).await.map_err(|_| late())?
}

fn late() -> ProbeError {
    ProbeError::Other("no answer in time".into())
}

fn other(e: impl std::fmt::Display) -> ProbeError {
    ProbeError::Other(e.to_string())
}
