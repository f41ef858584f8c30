//! Raw TCP to a node's ports, for programs such as `boatyard forward`.

use std::sync::Arc;

use axum::{
    extract::{
        FromRequestParts, Path, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::{StatusCode, header, request::Parts},
    response::Response,
};
use futures_util::{SinkExt, StreamExt};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
};
use utoipa::IntoParams;

use crate::{
    agent::{AgentError, RawStream},
    session::{Live, Node, SessionId},
    ssh::secret,
    store::SecretKind,
    web::{App, Problem, access::NodeAccess},
};

/// Longest message that is taken, in bytes.
const MAX_MESSAGE: usize = 256 << 10;
/// Bytes that one message carries at most.
const PIECE: usize = 32 << 10;
/// The text that says that nothing more comes from the one who says it.
pub const END: &str = "end";

/// Which port of which node.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "`id` and `node` are read by `ForwardAccess`")]
pub struct TcpPath {
    /// The session.
    id: String,
    /// The node.
    node: String,
    /// The port.
    port: u16,
}

/// A node that the request may use: by what opens its session, or by a token of `boatyard forward`.
pub struct ForwardAccess {
    live: Arc<Live>,
    node: Arc<Node>,
}

impl FromRequestParts<App> for ForwardAccess {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<ForwardAccess, Problem> {
        let problem = match NodeAccess::from_request_parts(parts, app).await {
            Ok(NodeAccess { live, node, .. }) => return Ok(ForwardAccess { live, node }),
            Err(problem) => problem,
        };
        let Ok(Path(at)) = Path::<TcpPath>::from_request_parts(parts, &()).await else { return Err(problem) };
        let said = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let token = said.strip_prefix("Bearer ").or_else(|| said.strip_prefix("bearer "));
        let live = at.id.parse().ok().and_then(|id| app.sessions.get(SessionId(id)));
        let (Some(token), Some(live)) = (token, live) else { return Err(problem) };
        if secret::find(app.sessions.store(), live.id(), SecretKind::ForwardToken, token)?.is_none() {
            return Err(problem);
        }
        match live.node(&at.node) {
            Some(node) => Ok(ForwardAccess { live, node }),
            None => Err(Problem::not_found(format!("This session has no node {}.", shown(&at.node)))),
        }
    }
}

/// A raw TCP connection to a port of a node, as a WebSocket: binary messages are its bytes, and the text `end` says that
/// nothing more comes from that side. It ends when both sides have said so, or one is gone.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/nodes/{node}/tcp/{port}", operation_id = "forward_tcp", tag = "outside",
    params(TcpPath),
    responses((status = 101), (status = 404, body = Problem), (status = 410, body = Problem),
              (status = 429, body = Problem, description = "As many connections as the session may have"),
              (status = 502, body = Problem, description = "Nothing listens on the port")))]
pub async fn tcp(
    State(app): State<App>,
    access: ForwardAccess,
    Path(at): Path<TcpPath>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let Some(place) = app.outside.forward(access.live.id()) else {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many connections",
            "This session has as many raw connections as it may have. Close some first.",
        ));
    };
    let stream = access.node.agent().dial_port(at.port).await.map_err(|e| match e {
        AgentError::Refused(p) if p.status == 502 => Problem::new(
            StatusCode::BAD_GATEWAY,
            "Nothing listens",
            format!("Nothing listens on port {} of {}.", at.port, access.node.name()),
        ),
        e => e.into(),
    })?;
    Ok(upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).on_upgrade(async move |socket| {
        let _place = place;
        relay(socket, stream, access.node).await;
    }))
}

/// Carries bytes both ways. Each direction waits for its own receiver, so neither side can make the server keep more than
/// a message.
async fn relay(socket: WebSocket, stream: RawStream, node: Arc<Node>) {
    let (mut to_client, mut from_client) = socket.split();
    let (mut read, mut write) = tokio::io::split(TokioIo::new(stream));
    let client_ended = Notify::new();
    let up = async {
        while let Some(Ok(message)) = from_client.next().await {
            let goes_on = match message {
                Message::Binary(bytes) => write.write_all(&bytes).await.is_ok(),
                Message::Text(text) if text.as_str() == END => {
                    let _ = write.shutdown().await;
                    client_ended.notify_one();
                    true
                }
                Message::Text(_) | Message::Close(_) => false,
                _ => true,
            };
            if !goes_on {
                return;
            }
        }
    };
    let down = async {
        let mut buf = vec![0; PIECE];
        loop {
            match read.read(&mut buf).await {
                Ok(0) => break,
                Ok(n) => {
                    let piece = bytes::Bytes::copy_from_slice(&buf[..n]);
                    if to_client.send(Message::Binary(piece)).await.is_err() {
                        return;
                    }
                }
                // It was reset: there is no end to wait for.
                Err(_) => return drop(to_client.send(Message::Close(None)).await),
            }
        }
        if to_client.send(Message::Text(END.into())).await.is_ok() {
            client_ended.notified().await;
            let _ = to_client.send(Message::Close(None)).await;
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
        () = node.over() => {}
    }
}

/// What was asked for, but not at any length.
fn shown(name: &str) -> String {
    name.chars().take(32).collect()
}
