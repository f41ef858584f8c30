//! Terminals of a node.

use axum::{
    Json,
    extract::{
        Path, Query, State, WebSocketUpgrade,
        rejection::JsonRejection,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::StatusCode,
    response::Response,
};
use boatyard_protocol::{
    agent::{Attach, OpenTerminal, TerminalInfo},
    terminal::MAX_FRAME,
};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio_tungstenite::tungstenite::Message as AgentMessage;
use utoipa::{IntoParams, ToSchema};

use crate::{
    agent::AgentSocket,
    session::{Place, Right},
    web::{App, Problem, access::NodeAccess},
};

/// Most terminals of one node.
const MAX_TERMINALS: usize = 16;
/// Close code of a terminal whose session has ended or whose node has left it: there is nothing to come back to.
const ENDED: u16 = 4000;
/// Close code of a terminal that cannot be reached now: try again.
const AGENT_GONE: u16 = 4001;
/// Close code of a guest's terminal whose share the owner has ended.
pub(super) const UNSHARED: u16 = 4010;

/// Which terminal of which node.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "`id` and `node` are read by `NodeAccess`")]
pub struct TerminalPath {
    /// The session.
    id: String,
    /// The node.
    node: String,
    /// The terminal: up to 32 of `a-z`, `0-9` and dash.
    terminal: String,
}

/// Size of a new terminal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalSize {
    /// Columns, 2 to 1000.
    cols: u16,
    /// Rows, 1 to 1000.
    rows: u16,
}

/// The terminals of a node, in order of opening. The first is `main`.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/nodes/{node}/terminals", operation_id = "list_terminals", tag = "terminals",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path)),
    responses((status = 200, body = Vec<super::described::TerminalInfo>), (status = 404, body = Problem)))]
pub async fn list(access: NodeAccess) -> Result<Json<Vec<TerminalInfo>>, Problem> {
    Ok(Json(access.node.agent().terminals().await?))
}

/// Opens a terminal, or finds the one of this id. One whose shell has ended gets a new shell.
#[utoipa::path(put, path = "/api/v1/sessions/{id}/nodes/{node}/terminals/{terminal}", tag = "terminals",
    params(TerminalPath),
    request_body = TerminalSize,
    responses((status = 200, body = super::described::TerminalInfo), (status = 404, body = Problem), (status = 409, body = Problem, description = "As many as there may be")))]
pub async fn open(
    access: NodeAccess,
    Path(at): Path<TerminalPath>,
    body: Result<Json<TerminalSize>, JsonRejection>,
) -> Result<Json<TerminalInfo>, Problem> {
    let Json(size) = body.map_err(|e| Problem::bad_request(e.body_text()))?;
    check_name(&at.terminal)?;
    if !(2..=1000).contains(&size.cols) || !(1..=1000).contains(&size.rows) {
        return Err(Problem::bad_request("A terminal has 2 to 1000 columns and 1 to 1000 rows."));
    }
    let open = access.node.agent().terminals().await?;
    if open.len() >= MAX_TERMINALS && open.iter().all(|t| t.id != at.terminal) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "Too many terminals",
            format!("A node has at most {MAX_TERMINALS} terminals. Close one first."),
        ));
    }
    let open = OpenTerminal { cols: size.cols, rows: size.rows, command: Vec::new(), cwd: None };
    Ok(Json(access.node.agent().open_terminal(&at.terminal, &open).await?))
}

/// Closes a terminal; what runs in it is hung up.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}/nodes/{node}/terminals/{terminal}", tag = "terminals",
    params(TerminalPath),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn close(access: NodeAccess, Path(at): Path<TerminalPath>) -> Result<StatusCode, Problem> {
    check_name(&at.terminal)?;
    access.node.agent().close_terminal(&at.terminal).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Attaches to a terminal: a WebSocket of binary frames. `generation` and `offset` say what the viewer has rendered, so
/// that it misses nothing and gets nothing twice; the frames are described in `protocol/src/terminal.rs`. Of a guest who
/// may only watch, neither input nor size is passed on, whatever `read_only` says.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/nodes/{node}/terminals/{terminal}/socket", tag = "terminals",
    params(TerminalPath, ("generation" = Option<u64>, Query), ("offset" = Option<u64>, Query), ("cols" = Option<u16>, Query),
           ("rows" = Option<u16>, Query), ("read_only" = Option<bool>, Query)),
    responses((status = 101), (status = 404, body = Problem),
              (status = 429, body = Problem, description = "As many guests as there may be (`too-many-guests`)")))]
pub async fn socket(
    State(app): State<App>,
    access: NodeAccess,
    Path(at): Path<TerminalPath>,
    Query(mut attach): Query<Attach>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    check_name(&at.terminal)?;
    attach.read_only |= access.visitor.right() < Right::Type;
    let place = Place::Terminal(access.node.name().clone(), at.terminal.clone());
    let place = super::events::place(&access.live, &access.visitor, place)?;
    let agent = access.node.agent().attach(&at.terminal, &attach).await?;
    let read_only = attach.read_only;
    Ok(upgrade.max_message_size(MAX_FRAME).on_upgrade(move |browser| async move {
        relay(app, access, browser, agent, read_only).await;
        drop(place);
    }))
}

fn check_name(terminal: &str) -> Result<(), Problem> {
    let ok = (1..=32).contains(&terminal.len())
        && terminal.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if ok { Ok(()) } else { Err(Problem::bad_request("A terminal's id has up to 32 of a-z, 0-9 and dash.")) }
}

/// Carries frames both ways, unchanged. Each direction waits for its own receiver, so neither side can make the server
/// keep more than a frame.
async fn relay(app: App, at: NodeAccess, browser: WebSocket, agent: AgentSocket, read_only: bool) {
    let (mut to_browser, mut from_browser) = browser.split();
    let (mut to_agent, mut from_agent) = agent.split();
    let up = async {
        while let Some(Ok(message)) = from_browser.next().await {
            match message {
                Message::Binary(frame) => {
                    let allowed = match frame.first() {
                        Some(0x00 | 0x01) if read_only => false,
                        Some(0x00) => {
                            at.live.typed(at.visitor.who);
                            true
                        }
                        Some(0x01) => true,
                        Some(0x02) => true,
                        _ => return,
                    };
                    if allowed && to_agent.send(AgentMessage::Binary(frame)).await.is_err() {
                        return;
                    }
                }
                Message::Close(_) => return,
                _ => {}
            }
        }
    };
    let down = async {
        while let Some(Ok(message)) = from_agent.next().await {
            let sent = match message {
                AgentMessage::Binary(frame) if matches!(frame.first(), Some(0x10..=0x14)) => {
                    to_browser.send(Message::Binary(frame)).await
                }
                AgentMessage::Close(_) => break,
                _ => Ok(()),
            };
            if sent.is_err() {
                return None;
            }
        }
        Some(AGENT_GONE)
    };
    let sent_away = at.visitor.sent_away();
    let ended = tokio::select! {
        // First, so that nothing more goes either way.
        biased;
        () = sent_away.cancelled() => Some(UNSHARED),
        () = up => None,
        end = down => end,
        () = at.node.over() => Some(if at.is_there(&app) { AGENT_GONE } else { ENDED }),
    };
    if let Some(code) = ended {
        let _ = to_browser.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await;
    }
}
