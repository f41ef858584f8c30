//! `/v1/dial`, `/v1/accept` and `/v1/streams/{id}`

use axum::{
    extract::{
        Path, Query, Request, State, WebSocketUpgrade,
        rejection::{PathRejection, QueryRejection},
        ws::{Message, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use boatyard_protocol::agent::UPGRADE;
use hyper::upgrade::Upgraded;
use hyper_util::{rt::TokioIo, server::conn::auto::upgrade::downcast};
use serde::Deserialize;
use tokio::net::{TcpStream, UnixStream};

use super::{Shared, ToJson, bad, error};
use crate::{dial, splice};

/// Where to connect to.
#[derive(Deserialize)]
pub struct Where {
    port: Option<u16>,
    unix: Option<String>,
}

/// Connects to a port or socket of the sandbox and becomes that connection.
pub async fn dial(State(app): Shared, query: Result<Query<Where>, QueryRejection>, request: Request) -> Response {
    let to = match query {
        Ok(Query(to)) => to,
        Err(e) => return bad(e),
    };
    if !wants_stream(&request) {
        return error(StatusCode::BAD_REQUEST, format!("this needs `Upgrade: {UPGRADE}`"));
    }
    let refused = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::TimedOut => error(StatusCode::GATEWAY_TIMEOUT, e.to_string()),
        _ => error(StatusCode::BAD_GATEWAY, e.to_string()),
    };
    match (to.port, to.unix) {
        (Some(port @ 1..), None) => match dial::tcp(port, app.config.address).await {
            Ok(stream) => become_tcp(request, stream),
            Err(e) => refused(e),
        },
        (None, Some(path)) => match dial::unix(&path).await {
            Ok(stream) => become_stream(request, |server| dial::carry(TokioIo::new(server), stream)),
            Err(e) => refused(e),
        },
        _ => error(StatusCode::BAD_REQUEST, "give either `port` (1 to 65535) or `unix`"),
    }
}

/// Becomes a stream that was offered.
pub async fn collect(State(app): Shared, id: Result<Path<u64>, PathRejection>, request: Request) -> Response {
    let Ok(Path(id)) = id else { return error(StatusCode::BAD_REQUEST, "a stream's id is a number") };
    if !wants_stream(&request) {
        return error(StatusCode::BAD_REQUEST, format!("this needs `Upgrade: {UPGRADE}`"));
    }
    match app.streams.collect(id) {
        Some(stream) => become_tcp(request, stream),
        None => error(StatusCode::NOT_FOUND, "there is no such stream (any more)"),
    }
}

/// Tells the server of streams.
pub async fn accept(State(app): Shared, socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>) -> Response {
    let socket = match socket {
        Ok(socket) => socket.read_buffer_size(4 << 10).write_buffer_size(4 << 10).max_message_size(4 << 10),
        Err(e) => return bad(e),
    };
    socket.on_upgrade(async move |mut socket| {
        let mut last = 0;
        loop {
            tokio::select! {
                offer = app.streams.next(last) => {
                    last = offer.stream;
                    if socket.send(Message::Text(offer.to_json().into())).await.is_err() {
                        return;
                    }
                }
                // Nothing is expected but pings and the end.
                message = socket.recv() => if !matches!(message, Some(Ok(_))) { return },
            }
        }
    })
}

fn wants_stream(request: &Request) -> bool {
    let token = request.headers().get(header::UPGRADE);
    token.is_some_and(|t| t.as_bytes().eq_ignore_ascii_case(UPGRADE.as_bytes()))
}

/// Becomes a connection of the sandbox. Large things come this way: downloads from ports, and pushed layers.
fn become_tcp(request: Request, stream: TcpStream) -> Response {
    become_stream(request, move |server| async move {
        match downcast::<TokioIo<UnixStream>>(server) {
            Ok(server) => splice::carry(server.io.into_inner(), server.read_buf, stream).await,
            Err(server) => dial::carry(TokioIo::new(server), stream).await,
        }
    })
}

fn become_stream<F>(mut request: Request, carry: impl FnOnce(Upgraded) -> F + Send + 'static) -> Response
where
    F: Future<Output = ()> + Send,
{
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        match upgrade.await {
            Ok(upgraded) => carry(upgraded).await,
            Err(e) => tracing::debug!("an upgrade failed: {e}"),
        }
    });
    let headers = [(header::CONNECTION, "upgrade"), (header::UPGRADE, UPGRADE)];
    let headers = headers.map(|(k, v)| (k, HeaderValue::from_static(v)));
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}
