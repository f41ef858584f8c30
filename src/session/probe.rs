//! What a step's checks ask of a session: read over its agents, changing nothing.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Live, Node, Services,
    ask::{ask_docker, get},
};
use crate::{
    agent::AgentError,
    course::check::{HttpAnswer, Probe, ProbeError},
};

/// Most bytes of a page that are looked at.
const MAX_PAGE: usize = 64 << 10;

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
        ask_docker(&node, path).await
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
            Ok((status, body)) => Ok(HttpAnswer { status: status.as_u16(), body: body.into() }),
            Err(e) => Err(ProbeError::NoAnswer(e.to_string())),
        }
    }
}

fn other(e: impl std::fmt::Display) -> ProbeError {
    ProbeError::Other(e.to_string())
}
