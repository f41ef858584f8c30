//! The X-ray of a session, told to its page.

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    response::Response,
};
use futures_util::{SinkExt, StreamExt};

use crate::{
    session::{Live, Place},
    web::{
        App, Problem,
        access::{Access, Visitor},
    },
    xray::{self, Xray},
};

/// What the session's Docker Engines and its registry hold, and what each command changed, in words: a WebSocket of JSON
/// text messages. The whole picture comes first, then what changes; each message replaces what an earlier one said of
/// the same. It never starts an engine that sleeps, and costs nothing while nobody looks.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/xray", operation_id = "xray", tag = "sessions",
    params(("id" = crate::session::SessionId, Path)),
    responses((status = 101, body = xray::Message, description = "Each message"), (status = 404, body = crate::web::Problem)))]
pub async fn xray(
    State(app): State<App>,
    Access(live): Access,
    visitor: Visitor,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let place = super::events::place(&live, &visitor, Place::Xray)?;
    Ok(upgrade.max_message_size(1 << 10).on_upgrade(move |socket| async move {
        tell(app, live, visitor, socket).await;
        drop(place);
    }))
}

async fn tell(app: App, live: std::sync::Arc<Live>, visitor: Visitor, socket: WebSocket) {
    let sent_away = visitor.sent_away();
    let mut look = Xray::look(&app.sessions, &live);
    let (mut out, mut page) = socket.split();
    loop {
        tokio::select! {
            message = look.next() => {
                if out.send(Message::Text((*message).into())).await.is_err() {
                    return;
                }
            }
            said = page.next() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            () = live.over() => return,
            () = sent_away.cancelled() => {
                let close = CloseFrame { code: super::terminals::UNSHARED, reason: "".into() };
                let _ = out.send(Message::Close(Some(close))).await;
                return;
            }
        }
    }
}
