//! What a step's checks ask of a session: read over its agents, changing nothing.

use std::{sync::Arc, time::Duration};

use boatyard_protocol::agent::DockerState;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, header};
use serde_json::Value;
use tokio::time::timeout;

use super::{Live, Node, Services};
use crate::{
    agent::{AgentError, RawStream},
    course::check::{HttpAnswer, Probe, ProbeError},
};

/// Version of the Engine API that checks are written for.
const API: &str = "/v1.45";
/// Longest answer of the Engine API, in bytes.
const MAX_ENGINE: usize = 8 << 20;
/// Most bytes of a page that are looked at.
const MAX_PAGE: usize = 64 << 10;
/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The checks' view of one session.
pub(super) struct SessionProbe<'a> {
    pub live: &'a Live,
    pub services: &'a dyn Services,
}

impl SessionProbe<'_> {
    fn node(&self, name: &str) -> Result<Arc<Node>, ProbeError> {
        match self.live.node(name) {
            Some(node) => Ok(node),
            None => Err(ProbeError::Other(format!("this session has no {name}"))),
        }
    }
}

impl Probe for SessionProbe<'_> {
    async fn docker(&self, node: &str, path: &str) -> Result<Option<Value>, ProbeError> {
        let node = self.node(node)?;
        // Asking would start it: the socket is there from the beginning.
        if node.facts().docker != DockerState::Ready {
            return Err(ProbeError::DockerDown);
        }
        let stream = node.agent().dial_unix("/run/docker.sock").await.map_err(other)?;
        let (status, body) = get(stream, &format!("{API}{path}"), "docker", MAX_ENGINE).await?;
        match status {
            StatusCode::OK => Ok(Some(serde_json::from_slice(&body).map_err(other)?)),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(ProbeError::Other(format!("the Docker Engine answered {status}"))),
        }
    }

    async fn read_file(&self, node: &str, path: &str, max: usize) -> Result<Option<Vec<u8>>, ProbeError> {
        match self.node(node)?.agent().read_small_file(path, max).await {
            // A folder is no file either.
            Err(e) if matches!(e.status(), Some(400 | 409)) => Ok(None),
            other_result => other_result.map_err(other),
        }
    }

    async fn registry_digest(&self, repository: &str, tag: &str) -> Result<Option<String>, ProbeError> {
        self.services.digest(&self.live.public_name(), repository, tag).await.map_err(other)
    }

    async fn registry_tags(&self, repository: &str) -> Result<Vec<String>, ProbeError> {
        self.services.tags(&self.live.public_name(), repository).await.map_err(other)
    }

    async fn listening(&self, node: &str) -> Result<Vec<u16>, ProbeError> {
        Ok(self.node(node)?.facts().ports.iter().map(|p| p.port).collect())
    }

    async fn http_get(&self, node: &str, port: u16, path: &str) -> Result<HttpAnswer, ProbeError> {
        let stream = match self.node(node)?.agent().dial_port(port).await {
            Ok(stream) => stream,
            Err(AgentError::Refused(p)) if p.status == 502 => return Err(ProbeError::NoAnswer(p.title)),
            Err(e) => return Err(other(e)),
        };
        match get(stream, path, "localhost", MAX_PAGE).await {
            Ok((status, body)) => Ok(HttpAnswer { status: status.as_u16(), body }),
            Err(e) => Err(ProbeError::NoAnswer(e.to_string())),
        }
    }
}

/// `GET` over a stream; at most `max` bytes of the body.
async fn get(stream: RawStream, path: &str, host: &str, max: usize) -> Result<(StatusCode, Vec<u8>), ProbeError> {
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
    timeout(PATIENCE, exchange).await.map_err(|_| ProbeError::Other("no answer in time".into()))?
}

fn other(e: impl std::fmt::Display) -> ProbeError {
    ProbeError::Other(e.to_string())
}
