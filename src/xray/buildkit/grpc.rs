//! As much of gRPC over HTTP/2 as server streams need: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.

use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::{Buf, Bytes, BytesMut};
use http_body_util::{BodyExt, Empty, Full};
use hyper::{
    Method, Request, StatusCode,
    body::Incoming,
    client::conn::{http1, http2},
    header,
};
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::session::Node;

/// Longest message that is taken, in bytes.
const MAX: usize = 1 << 20;
/// Longest wait for a connection or the head of an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to BuildKit's services.
pub(super) struct Grpc {
    sender: http2::SendRequest<Full<Bytes>>,
}

/// Messages of one call.
pub(super) struct Messages {
    body: Incoming,
    buffer: BytesMut,
    _connection: http2::SendRequest<Full<Bytes>>,
}

impl Grpc {
    /// Connects through the node's Engine API.
    pub async fn connect(node: &Node) -> anyhow::Result<Grpc> {
        timeout(PATIENCE, async {
            let stream = node.agent().dial_engine().await?;
            let (mut sender, connection) = http1::handshake(stream).await?;
            tokio::spawn(connection.with_upgrades());
            let request = Request::builder()
                .method(Method::POST)
                .uri("/grpc")
                .header(header::HOST, "docker")
                .header(header::CONNECTION, "Upgrade")
                .header(header::UPGRADE, "h2c")
                .body(Empty::<Bytes>::new())?;
            let answer = sender.send_request(request).await?;
            ensure!(answer.status() == StatusCode::SWITCHING_PROTOCOLS, "the engine answered {}", answer.status());
            let upgraded = hyper::upgrade::on(answer).await?;
            let (sender, connection) = http2::Builder::new(TokioExecutor::new()).handshake(upgraded).await?;
            // Ends when the last sender is dropped.
            tokio::spawn(connection);
            Ok(Grpc { sender })
        })
        .await
        .context("no connection in time")?
    }

    /// Calls a method of BuildKit's `Control` with an encoded request.
    pub async fn call(&mut self, method: &str, request: &[u8]) -> anyhow::Result<Messages> {
        let mut body = vec![0];
        body.extend(u32::try_from(request.len())?.to_be_bytes());
        body.extend(request);
        let request = Request::post(format!("http://docker/moby.buildkit.v1.Control/{method}"))
            .header(header::CONTENT_TYPE, "application/grpc")
            .header(header::TE, "trailers")
            .body(Full::new(body.into()))?;
        let answer = timeout(PATIENCE, self.sender.send_request(request)).await.context("no answer in time")??;
        ensure!(answer.status() == StatusCode::OK, "BuildKit answered {}", answer.status());
        Ok(Messages { body: answer.into_body(), buffer: BytesMut::new(), _connection: self.sender.clone() })
    }
}

impl Messages {
    /// The next message; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks, or a message is too long.
    pub async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        loop {
            if let Some(head) = self.buffer.get(..5) {
                let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
                ensure!(head[0] == 0 && length <= MAX, "a message of {length} bytes is too long");
                if self.buffer.len() >= 5 + length {
                    self.buffer.advance(5);
                    return Ok(Some(self.buffer.split_to(length).freeze()));
                }
            }
            match self.body.frame().await {
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                None => return Ok(None),
            }
        }
    }
}
