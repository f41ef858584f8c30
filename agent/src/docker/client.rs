//! The few requests that the agent itself makes to the Docker Engine.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::socket::PATH;

/// Longest event or answer taken, in bytes.
const MOST: usize = 1 << 20;

async fn request(method: Method, path: &str) -> io::Result<Response<Incoming>> {
    let stream = UnixStream::connect(PATH).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    let request = Request::builder().method(method).uri(path).header("host", "docker").body(Empty::<Bytes>::new());
    sender.send_request(request.map_err(io::Error::other)?).await.map_err(io::Error::other)
}

/// Waits for the engine's answer to a ping; false when it breaks off.
pub async fn ping() -> bool {
    request(Method::GET, "/_ping").await.is_ok_and(|r| r.status().is_success())
}

/// Passes events on until the engine ends the stream.
pub async fn events(mut each: impl FnMut(serde_json::Value)) {
    let Ok(response) = request(Method::GET, "/events").await else { return };
    let mut body = response.into_body();
    let mut line = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        line.extend_from_slice(&data);
        while let Some(end) = line.iter().position(|b| *b == b'\n') {
            if let Ok(event) = serde_json::from_slice(&line[..end]) {
                each(event);
            }
            line.advance(end + 1);
        }
        if line.len() > MOST {
            line.clear();
        }
    }
}

/// Asks every container to stop, all at once.
pub async fn stop_containers() {
    let Ok(response) = request(Method::GET, "/containers/json").await else { return };
    let Ok(body) = Limited::new(response.into_body(), MOST).collect().await else { return };
    let Ok(serde_json::Value::Array(containers)) = serde_json::from_slice(&body.to_bytes()) else { return };
    let ids = containers.iter().filter_map(|c| c["Id"].as_str());
    let ids = ids.filter(|id| id.bytes().all(|b| b.is_ascii_hexdigit()));
    let stops = ids.map(|id| {
        let path = format!("/containers/{id}/stop?t=0");
        async move { request(Method::POST, &path).await.is_ok() }
    });
    futures_util::future::join_all(stops).await;
}
