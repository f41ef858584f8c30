//! `GET /v1/events`

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use boatyard_protocol::agent::Event;
use tokio::sync::broadcast::error::RecvError;

use super::{Shared, ToJson, bad};
use crate::{app::App, events::News};

/// Tells what happens, after a snapshot of each kind.
pub async fn events(State(app): Shared, socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>) -> Response {
    match socket {
        Ok(socket) => socket
            .read_buffer_size(4 << 10)
            .write_buffer_size(4 << 10)
            .max_message_size(4 << 10)
            .on_upgrade(async move |socket| tell(&app, socket).await),
        Err(e) => bad(e),
    }
}

async fn tell(app: &App, mut socket: WebSocket) {
    let mut news = app.events.listen();
    app.ports.wake();
    let mut told = snapshot(app, &mut socket).await;
    while told {
        told = tokio::select! {
            news = news.recv() => match news {
                Ok(News::Terminals) => send(&mut socket, &terminals(app)).await,
                Ok(News::Event(event)) => send(&mut socket, &event).await,
                // Too slow for some events: those that say what is are told anew.
                Err(RecvError::Lagged(_)) => snapshot(app, &mut socket).await,
                Err(RecvError::Closed) => false,
            },
            message = socket.recv() => matches!(message, Some(Ok(_))),
        };
    }
}

async fn snapshot(app: &App, socket: &mut WebSocket) -> bool {
    send(socket, &Event::DockerState { state: app.docker.state() }).await
        && send(socket, &terminals(app)).await
        && send(socket, &Event::Ports { listening: app.ports.now() }).await
}

fn terminals(app: &App) -> Event {
    Event::Terminals { terminals: app.terminals.list() }
}

async fn send(socket: &mut WebSocket, event: &Event) -> bool {
    socket.send(Message::Text(event.to_json().into())).await.is_ok()
}
