//! `/v1/process`

use std::time::Duration;

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::StatusCode,
    response::Response,
};
use boatyard_protocol::process::{Frame, MAX_FRAME, StartProcess};
use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::time::timeout;

use super::{Shared, bad, error};
use crate::process::{self, Frames, Sink};

/// How long the request may take that says what to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts a process and becomes its standard streams.
pub async fn process(State(app): Shared, socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>) -> Response {
    let socket = match socket {
        Ok(socket) => socket.read_buffer_size(16 << 10).write_buffer_size(0),
        Err(e) => return bad(e),
    };
    let Some(place) = process::place() else {
        return error(StatusCode::CONFLICT, "there are too many logins and commands from outside on this node");
    };
    socket.max_message_size(MAX_FRAME).max_frame_size(MAX_FRAME).on_upgrade(async move |socket| {
        let _place = place;
        let (to, mut from) = socket.split();
        let Ok(Some(Ok(Message::Text(text)))) = timeout(PATIENCE, from.next()).await else { return };
        let Ok(start) = serde_json::from_str::<StartProcess>(&text) else { return };
        let mut to = ToServer(to);
        match process::start(&app.reaper, &start) {
            Ok(started) => process::carry(started, &app.reaper, FromServer(from), &mut to).await,
            Err(e) => {
                let said = Frame::Error(Bytes::from(e.said));
                let _ = Sink::send(&mut to, said).await && Sink::send(&mut to, Frame::Exit(e.code)).await;
            }
        }
        let _ = to.0.send(Message::Close(None)).await;
    })
}

struct FromServer(SplitStream<WebSocket>);

impl Frames for FromServer {
    async fn next(&mut self) -> Option<Frame> {
        loop {
            match self.0.next().await?.ok()? {
                Message::Binary(bytes) => return Frame::decode(bytes).ok(),
                Message::Close(_) => return None,
                // Pings are answered by the library.
                _ => {}
            }
        }
    }
}

struct ToServer(SplitSink<WebSocket, Message>);

impl Sink for ToServer {
    async fn send(&mut self, frame: Frame) -> bool {
        self.0.send(Message::Binary(frame.encode())).await.is_ok()
    }
}
