//! Asking what runs in a node over HTTP, with a bounded answer in a bounded time.

use std::time::Duration;

use boatyard_protocol::agent::DockerState;
use bytes::Bytes;
use hyper::{Request, StatusCode, header};
use serde_json::Value;
use tokio::time::timeout;

use super::Node;
use crate::{
    agent::{ENGINE_API, RawStream, exchange, full},
    course::check::ProbeError,
};

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
    let dial = timeout(PATIENCE, node.agent().dial_engine());
    let stream = dial.await.map_err(|_| late())?.map_err(other)?;
    let (status, body) = get(stream, &format!("{ENGINE_API}{path}"), "docker", MAX_ENGINE).await?;
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
) -> Result<(StatusCode, Bytes), ProbeError> {
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::CONNECTION, "close")
        .body(full(Bytes::new()))
        .map_err(other)?;
    timeout(PATIENCE, exchange(stream, request, max)).await.map_err(|_| late())?.map_err(other)
}

fn late() -> ProbeError {
    ProbeError::Other("no answer in time".into())
}

fn other(e: impl std::fmt::Display) -> ProbeError {
    ProbeError::Other(e.to_string())
}
