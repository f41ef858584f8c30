//! `/v1/terminals`

use std::sync::Arc;

use axum::{
    Json,
    extract::{
        Path, Query, State, WebSocketUpgrade,
        rejection::{JsonRejection, QueryRejection},
        ws::{CloseFrame, Message, WebSocket, close_code, rejection::WebSocketUpgradeRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};
use boatyard_protocol::{
    agent::{Attach, OpenTerminal, TerminalInfo},
    terminal::{Frame, MAX_FRAME},
};
use futures_util::{SinkExt, StreamExt};

use super::{Shared, bad, error};
use crate::terminal::{OpenError, Terminal};

/// All terminals.
pub async fn list(State(app): Shared) -> Json<Vec<TerminalInfo>> {
    Json(app.terminals.list())
}

/// Opens a terminal if there is none of that id, or it has ended.
pub async fn open(
    State(app): Shared,
    Path(id): Path<String>,
    body: Result<Json<OpenTerminal>, JsonRejection>,
) -> Response {
    let open = match body {
        Ok(Json(open)) => open,
        Err(e) => return bad(e),
    };
    match app.terminals.open(&id, &open) {
        Ok(terminal) => Json(terminal.info()).into_response(),
        Err(e @ OpenError::Bad(_)) => error(StatusCode::BAD_REQUEST, e.to_string()),
        Err(e @ OpenError::Full) => error(StatusCode::CONFLICT, e.to_string()),
        Err(e @ OpenError::Failed(_)) => error(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()),
    }
}

/// Hangs a terminal up.
pub async fn close(State(app): Shared, Path(id): Path<String>) -> StatusCode {
    app.terminals.close(&id);
    StatusCode::NO_CONTENT
}

/// Becomes a viewer of a terminal.
pub async fn attach(
    State(app): Shared,
    Path(id): Path<String>,
    query: Result<Query<Attach>, QueryRejection>,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let (attach, socket) = match (query, socket) {
        (Ok(Query(attach)), Ok(socket)) => (attach, socket),
        (Err(e), _) => return bad(e),
        (_, Err(e)) => return bad(e),
    };
    let Some(terminal) = app.terminals.get(&id) else {
        return error(StatusCode::NOT_FOUND, format!("there is no terminal `{id}`"));
    };
    let viewer = match terminal.attach(&attach) {
        Ok(number) => Viewer { terminal, number },
        Err(e) => return error(StatusCode::CONFLICT, e.to_string()),
    };
    socket
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .read_buffer_size(8 << 10)
        .write_buffer_size(0)
        .on_upgrade(move |socket| viewer.view(socket))
}

/// A viewer that is attached; it is detached when dropped, whatever ends it.
struct Viewer {
    terminal: Arc<Terminal>,
    number: u64,
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.terminal.detach(self.number);
    }
}

impl Viewer {
    async fn view(self, socket: WebSocket) {
        let (mut sink, mut stream) = socket.split();
        let (terminal, number) = (&self.terminal, self.number);
        let show = async {
            let mut frame = Some(terminal.hello(number));
            while let Some(f) = frame {
                if sink.send(Message::Binary(f.encode())).await.is_err() {
                    return None;
                }
                if let Frame::Output { offset, bytes } = &f {
                    terminal.written(number, offset + bytes.len() as u64);
                } else if let Frame::Repaint { offset, .. } = &f {
                    terminal.written(number, *offset);
                }
                frame = terminal.next(number).await;
            }
            Some(CloseFrame { code: close_code::NORMAL, reason: "the terminal has ended".into() })
        };
        let hear = async {
            while let Some(Ok(message)) = stream.next().await {
                let frame = match message {
                    Message::Binary(bytes) => Frame::decode(bytes),
                    Message::Close(_) => return None,
                    // Pings are answered by the library.
                    _ => continue,
                };
                match frame {
                    Ok(Frame::Input(bytes)) => terminal.type_in(number, bytes).await,
                    Ok(Frame::Ack(offset)) => terminal.ack(number, offset),
                    Ok(Frame::Resize { cols, rows }) => terminal.resize(number, cols, rows),
                    _ => {
                        return Some(CloseFrame {
                            code: close_code::PROTOCOL,
                            reason: "not a frame of a viewer".into(),
                        });
                    }
                }
            }
            None
        };
        let close = tokio::select! { close = show => close, close = hear => close };
        if let Some(close) = close {
            let _ = sink.send(Message::Close(Some(close))).await;
        }
    }
}
