//! The Docker Engine of a sandbox, by its API (Engine API v1.45) through the agent.

use std::time::Duration;

use hyper::{Method, Request, StatusCode, header};
use serde_json::Value;
use tokio::time::timeout;

use super::{AgentClient, AgentError, RawStream, exchange, full, nonsense};

/// The version of the Engine API that is spoken, as paths begin with it.
pub(crate) const API: &str = "/v1.45";
/// Longest answer, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// An answer of the engine's.
#[derive(Debug)]
pub struct EngineAnswer {
    /// Its status.
    pub status: StatusCode,
    /// What it says; null where that is no JSON.
    pub body: Value,
}

impl EngineAnswer {
    /// What the engine says went wrong.
    pub fn message(&self) -> String {
        self.body["message"]
            .as_str()
            .map_or_else(|| format!("the Docker Engine answered {}", self.status), str::to_owned)
    }
}

impl AgentClient {
    /// A stream to the sandbox's Docker Engine, which starts if it sleeps.
    ///
    /// # Errors
    /// [`AgentError::Refused`] with status 502 where there is none.
    pub(crate) async fn dial_engine(&self) -> Result<RawStream, AgentError> {
        self.dial_unix("/run/docker.sock").await
    }

    /// Asks the sandbox's Docker Engine, which starts if it sleeps. `path` begins after the version.
    ///
    /// # Errors
    /// [`AgentError`] when no engine answers within `patience`; what the engine refuses is no error here.
    pub async fn engine(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        patience: Duration,
    ) -> Result<EngineAnswer, AgentError> {
        let asked = async {
            let bytes = body.map(serde_json::to_vec).transpose().map_err(nonsense)?.unwrap_or_default();
            let request = Request::builder()
                .method(method)
                .uri(format!("{API}{path}"))
                .header(header::HOST, "docker")
                .header(header::CONNECTION, "close")
                .header(header::CONTENT_TYPE, "application/json")
                .body(full(bytes))
                .map_err(nonsense)?;
            let (status, bytes) = exchange(self.dial_engine().await?, request, MAX_ANSWER).await.map_err(nonsense)?;
            Ok(EngineAnswer { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
        };
        timeout(patience, asked).await.map_err(|_| AgentError::Timeout)?
    }
}
