//! The server's side of an agent: a client for what `boatyard_protocol::agent` describes.
//!
//! The student is root beside the agent, so everything that comes from it is hostile input: each answer is bounded in
//! length and in time.

mod docker;
mod files;
mod process;
mod terminal;

use std::{fmt, sync::Arc, time::Duration};

use boatyard_protocol::agent::{
    AgentInfo, Attach, ExecRequest, ExecResponse, HostEntry, OpenTerminal, Problem, TerminalInfo, UPGRADE,
};
use bytes::Bytes;
pub(crate) use docker::API as ENGINE_API;
pub use docker::EngineAnswer;
pub use files::{Condition, ReadFile};
use http_body_util::{BodyExt, Full, Limited, combinators::UnsyncBoxBody};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
pub use process::{FromProcess, ToProcess};
use serde::{Serialize, de::DeserializeOwned};
pub use terminal::Typist;
use tokio::time::timeout;
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::WebSocketConfig};

use crate::engine::{AgentStream, Engine, EngineError, SandboxId};

/// Longest JSON answer, in bytes: lists of what one sandbox has.
const MAX_ANSWER: usize = 256 << 10;
/// Longest answer with a command's output.
const MAX_OUTPUT: usize = 8 << 20;
/// Longest wait for the head of an answer to a plain request.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a request to an agent failed.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The sandbox is not there any more.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The agent refused, in its own words.
    #[error("{}", .0.detail.as_ref().unwrap_or(&.0.title))]
    Refused(Problem),
    /// It did not answer in time.
    #[error("the sandbox's agent does not answer")]
    Timeout,
    /// It answered something that is none, or too much.
    #[error("the sandbox's agent answered nonsense: {0}")]
    Nonsense(String),
}

impl AgentError {
    /// The status that the agent answered with, where it did.
    pub fn status(&self) -> Option<u16> {
        match self {
            AgentError::Refused(p) => Some(p.status),
            _ => None,
        }
    }

    /// Whether the sandbox is gone for good.
    pub fn is_gone(&self) -> bool {
        matches!(self, AgentError::Engine(EngineError::Gone(_)))
    }
}

fn nonsense(e: impl fmt::Display) -> AgentError {
    AgentError::Nonsense(e.to_string())
}

/// Body of a request to an agent.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|e| match e {}).boxed_unsync()
}

/// A raw stream from or to something in a sandbox; for hyper as it is, for tokio behind a `TokioIo`.
pub type RawStream = Upgraded;

/// One request over a stream that is used for nothing else: the answer's status and its body of at most `longest` bytes.
/// It takes as long as the other end likes.
///
/// # Errors
/// When the other end does not speak HTTP/1.1, ends too early or says more.
pub(crate) async fn exchange(
    stream: RawStream,
    request: Request<Body>,
    longest: usize,
) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    Ok((status, Limited::new(answer.into_body(), longest).collect().await?.to_bytes()))
}

/// A WebSocket to an agent.
pub type AgentSocket = WebSocketStream<Box<dyn AgentStream>>;

/// Speaks with the agent of one sandbox. Cheap to clone; each request has a connection of its own, so that none waits
/// for another.
#[derive(Debug, Clone)]
pub struct AgentClient {
    engine: Arc<dyn Engine>,
    sandbox: SandboxId,
}

impl AgentClient {
    /// A client for the agent of `sandbox`.
    pub fn new(engine: Arc<dyn Engine>, sandbox: SandboxId) -> AgentClient {
        AgentClient { engine, sandbox }
    }

    /// The sandbox.
    pub fn sandbox(&self) -> &SandboxId {
        &self.sandbox
    }

    /// What the agent says of itself.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn info(&self) -> Result<AgentInfo, AgentError> {
        self.json(Method::GET, "/v1/info", None::<&()>, PATIENCE, MAX_ANSWER).await
    }

    /// Replaces the names of other nodes in the sandbox's `/etc/hosts`.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn set_hosts(&self, others: &[HostEntry]) -> Result<(), AgentError> {
        let body = full(serde_json::to_vec(others).map_err(nonsense)?);
        self.send(Method::PUT, "/v1/hosts", body, PATIENCE).await?;
        Ok(())
    }

    /// All terminals, in order of opening.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn terminals(&self) -> Result<Vec<TerminalInfo>, AgentError> {
        self.json(Method::GET, "/v1/terminals", None::<&()>, PATIENCE, MAX_ANSWER).await
    }

    /// Opens a terminal, or finds the one that has this id.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn open_terminal(&self, id: &str, open: &OpenTerminal) -> Result<TerminalInfo, AgentError> {
        self.json(Method::PUT, &format!("/v1/terminals/{}", escape(id)), Some(open), PATIENCE, MAX_ANSWER).await
    }

    /// Hangs up a terminal and forgets it.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn close_terminal(&self, id: &str) -> Result<(), AgentError> {
        self.send(Method::DELETE, &format!("/v1/terminals/{}", escape(id)), full(Bytes::new()), PATIENCE).await?;
        Ok(())
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn exec(&self, request: &ExecRequest) -> Result<ExecResponse, AgentError> {
        let patience = Duration::from_millis(request.timeout_ms) + PATIENCE;
        self.json(Method::POST, "/v1/exec", Some(request), patience, MAX_OUTPUT).await
    }

    /// A stream to a TCP port of the sandbox.
    ///
    /// # Errors
    /// [`AgentError::Refused`] with status 502 when nothing listens there.
    pub async fn dial_port(&self, port: u16) -> Result<RawStream, AgentError> {
        self.upgrade(&format!("/v1/dial?port={port}")).await
    }

    /// A stream to a Unix socket in the sandbox.
    ///
    /// # Errors
    /// [`AgentError::Refused`] with status 502 when nothing listens there.
    pub async fn dial_unix(&self, path: &str) -> Result<RawStream, AgentError> {
        self.upgrade(&format!("/v1/dial?unix={}", escape(path))).await
    }

    /// Collects a stream that the agent offered.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn collect(&self, stream: u64) -> Result<RawStream, AgentError> {
        self.upgrade(&format!("/v1/streams/{stream}")).await
    }

    /// Attaches to a terminal; messages are frames of [`boatyard_protocol::terminal`].
    ///
    /// # Errors
    /// [`AgentError`]; status 404 where there is no such terminal.
    pub async fn attach(&self, id: &str, attach: &Attach) -> Result<AgentSocket, AgentError> {
        let mut query = vec![format!("read_only={}", attach.read_only)];
        query.extend(attach.generation.map(|v| format!("generation={v}")));
        query.extend(attach.offset.map(|v| format!("offset={v}")));
        query.extend(attach.cols.map(|v| format!("cols={v}")));
        query.extend(attach.rows.map(|v| format!("rows={v}")));
        self.websocket(&format!("/v1/terminals/{}/attach?{}", escape(id), query.join("&"))).await
    }

    /// The agent's events, as JSON text messages.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn events(&self) -> Result<AgentSocket, AgentError> {
        self.websocket("/v1/events").await
    }

    /// The streams that the agent offers, as JSON text messages.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn offers(&self) -> Result<AgentSocket, AgentError> {
        self.websocket("/v1/accept").await
    }

    async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        patience: Duration,
        longest: usize,
    ) -> Result<T, AgentError> {
        let body = match body {
            Some(b) => full(serde_json::to_vec(b).map_err(nonsense)?),
            None => full(Bytes::new()),
        };
        let answer = self.send(method, path, body, patience).await?;
        let bytes = timeout(patience, Limited::new(answer.into_body(), longest).collect())
            .await
            .map_err(|_| AgentError::Timeout)?
            .map_err(nonsense)?
            .to_bytes();
        serde_json::from_slice(&bytes).map_err(nonsense)
    }

    /// Sends a request; an answer that is no success becomes an error.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Body,
        patience: Duration,
    ) -> Result<Response<Incoming>, AgentError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "agent")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(nonsense)?;
        self.request(request, patience).await
    }

    async fn request(&self, request: Request<Body>, patience: Duration) -> Result<Response<Incoming>, AgentError> {
        let stream = self.engine.connect(&self.sandbox).await?;
        let answer = timeout(patience, async {
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(nonsense)?;
            // Ends with the exchange: the sender is dropped when the answer has been read.
            tokio::spawn(connection.with_upgrades());
            sender.send_request(request).await.map_err(nonsense)
        })
        .await
        .map_err(|_| AgentError::Timeout)??;
        if answer.status().is_success() || answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(answer);
        }
        let status = answer.status();
        let body = timeout(PATIENCE, Limited::new(answer.into_body(), 64 << 10).collect()).await;
        let problem = match body {
            Ok(Ok(b)) => serde_json::from_slice::<Problem>(&b.to_bytes()).ok(),
            _ => None,
        };
        let title = status.canonical_reason().unwrap_or("refused").to_owned();
        // The status line counts, not what the body says of it.
        Err(AgentError::Refused(match problem {
            Some(p) => Problem { status: status.as_u16(), ..p },
            None => Problem { status: status.as_u16(), title, detail: None },
        }))
    }

    async fn upgrade(&self, path: &str) -> Result<RawStream, AgentError> {
        let request = Request::builder()
            .uri(path)
            .header(header::HOST, "agent")
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, UPGRADE)
            .body(full(Bytes::new()))
            .map_err(nonsense)?;
        let answer = self.request(request, PATIENCE).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(nonsense("no upgrade"));
        }
        hyper::upgrade::on(answer).await.map_err(nonsense)
    }

    async fn websocket(&self, path: &str) -> Result<AgentSocket, AgentError> {
        let stream = self.engine.connect(&self.sandbox).await?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(boatyard_protocol::terminal::MAX_FRAME))
            .max_frame_size(Some(boatyard_protocol::terminal::MAX_FRAME));
        let connect = tokio_tungstenite::client_async_with_config(format!("ws://agent{path}"), stream, Some(config));
        match timeout(PATIENCE, connect).await.map_err(|_| AgentError::Timeout)? {
            Ok((socket, _)) => Ok(socket),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => {
                let status = answer.status();
                let problem = answer.body().as_deref().and_then(|b| serde_json::from_slice::<Problem>(b).ok());
                let title = status.canonical_reason().unwrap_or("refused").to_owned();
                Err(AgentError::Refused(match problem {
                    Some(p) => Problem { status: status.as_u16(), ..p },
                    None => Problem { status: status.as_u16(), title, detail: None },
                }))
            }
            Err(e) => Err(nonsense(e)),
        }
    }
}

/// Percent-encodes what may not stand in a path segment or a query value (RFC 3986).
fn escape(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for b in s.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~/".contains(&b) {
            out.push(b as char);
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}
