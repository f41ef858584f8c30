//! What happens in a session, told to its page.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::Response,
};
use boatyard_protocol::agent::{DockerState, TerminalInfo};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use utoipa::ToSchema;

use super::{
    lessons::Checked,
    sessions::{PortView, SessionView, UsageView},
};
use crate::{
    session::{Deployment, EndReason, Event, LimitReached, Live, NodeName, StepWatch},
    store::Progress,
    web::{App, access::Access},
};

/// A page that takes no message for so long is gone; one that is not finds a fresh state when it comes back.
const PATIENCE: Duration = Duration::from_secs(30);

/// A message to the page. They replace what an earlier one of their kind said, so one that comes twice does no harm.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant, reason = "made, written and dropped one at a time")]
pub enum SessionEvent {
    /// The whole session: first, and when its end time or its nodes changed.
    Session {
        /// The session.
        session: SessionView,
    },
    /// The ports that listen in a node.
    Ports {
        /// The node.
        node: NodeName,
        /// All of them.
        ports: Vec<PortView>,
    },
    /// What a node uses, every two seconds.
    Usage {
        /// The node.
        node: NodeName,
        /// What it uses.
        usage: UsageView,
    },
    /// A node has come to one of its limits.
    LimitReached {
        /// The node.
        node: NodeName,
        /// Which.
        limit: LimitReached,
    },
    /// A node's sandbox died: the session goes on without it.
    NodeLost {
        /// The node.
        node: NodeName,
    },
    /// The state of a node's Docker Engine.
    Docker {
        /// The node.
        node: NodeName,
        /// The state.
        #[schema(value_type = super::described::DockerState)]
        state: DockerState,
    },
    /// A node's terminals.
    Terminals {
        /// The node.
        node: NodeName,
        /// All of them, in order of opening.
        #[schema(value_type = Vec<super::described::TerminalInfo>)]
        terminals: Vec<TerminalInfo>,
    },
    /// What the session has in the registry changed: something was pushed or deleted there.
    Registry,
    /// How far the stack is that the session was started to deploy.
    Deployment {
        /// The deployment.
        deployment: Deployment,
    },
    /// How a watched step's checks came out.
    Checks {
        /// `course/lesson`.
        lesson: String,
        /// The step's id.
        step: String,
        /// The results.
        #[serde(flatten)]
        checked: Checked,
    },
    /// How far the session has come in a lesson.
    Progress {
        /// `course/lesson`.
        lesson: String,
        /// The progress.
        #[serde(flatten)]
        progress: Progress,
    },
    /// The session ends soon.
    Warning {
        /// Seconds until its end.
        seconds_left: u64,
    },
    /// The session is over; nothing follows.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

/// A message from the page.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum PageMessage {
    /// The page shows this step: its checks are evaluated when something happens.
    Watch { lesson: String, step: String },
}

/// What happens in a session: a WebSocket of JSON text messages. The page says which step it shows with
/// `{"type": "watch", "lesson": "course/lesson", "step": "id"}`.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/events", tag = "sessions", params(("id" = crate::session::SessionId, Path)),
    responses((status = 101, body = SessionEvent, description = "Each message"), (status = 404, body = crate::web::Problem)))]
pub async fn events(State(app): State<App>, Access(live): Access, upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(16 << 10).on_upgrade(move |socket| tell(app, live, socket))
}

async fn tell(app: App, live: Arc<Live>, socket: WebSocket) {
    let mut happens = live.subscribe();
    let _viewing = live.view();
    let (mut out, mut page) = socket.split();
    let mut watch: Option<StepWatch> = None;
    if everything(&app, &live, &mut out).await.is_err() {
        return;
    }
    loop {
        let sent = tokio::select! {
            event = happens.recv() => match event {
                Ok(Event::Ended(reason)) => {
                    let _ = send(&mut out, &SessionEvent::Ended { reason }).await;
                    return;
                }
                Ok(event) => match message(&app, &live, event, watch.as_ref()) {
                    Some(message) => send(&mut out, &message).await,
                    None => Ok(()),
                },
                Err(RecvError::Lagged(_)) => everything(&app, &live, &mut out).await,
                Err(RecvError::Closed) => return,
            },
            said = page.next() => match said {
                Some(Ok(Message::Text(text))) => {
                    if let Ok(PageMessage::Watch { lesson, step }) = serde_json::from_str(&text) {
                        watch = app.sessions.watch_step(&live, &lesson, &step).ok();
                    }
                    Ok(())
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => Ok(()),
            },
            // The server stops; the page finds its successor.
            () = live.over() => {
                if let Ok(Event::Ended(reason)) = happens.try_recv() {
                    let _ = send(&mut out, &SessionEvent::Ended { reason }).await;
                }
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn everything(app: &App, live: &Live, out: &mut SplitSink<WebSocket, Message>) -> Result<(), axum::Error> {
    send(out, &SessionEvent::Session { session: SessionView::of(live, app) }).await?;
    for node in live.nodes() {
        let terminals = node.facts().terminals;
        // `main` is always there: none at all means that the agent has not spoken yet, and a page must not drop its tabs.
        if terminals.is_empty() {
            continue;
        }
        send(out, &SessionEvent::Terminals { node: node.name().clone(), terminals }).await?;
    }
    Ok(())
}

fn message(app: &App, live: &Live, event: Event, watch: Option<&StepWatch>) -> Option<SessionEvent> {
    let facts = |node: &NodeName| live.node(node.as_str()).map(|n| (n.clone(), n.facts()));
    Some(match event {
        Event::Changed => SessionEvent::Session { session: SessionView::of(live, app) },
        Event::Ports(node) => {
            let (n, facts) = facts(&node)?;
            SessionEvent::Ports { node, ports: PortView::all(live.id(), &n, &facts) }
        }
        Event::Usage(node) => {
            let usage = UsageView::of(&facts(&node)?.1.usage?, app);
            SessionEvent::Usage { node, usage }
        }
        Event::LimitReached { node, limit } => SessionEvent::LimitReached { node, limit },
        Event::NodeLost(node) => SessionEvent::NodeLost { node },
        Event::Docker(node) => SessionEvent::Docker { state: facts(&node)?.1.docker, node },
        Event::Terminals(node) => SessionEvent::Terminals { terminals: facts(&node)?.1.terminals, node },
        Event::Checks { lesson, step, results } => {
            if !watch.is_some_and(|w| w.is_on(&lesson, &step)) {
                return None;
            }
            SessionEvent::Checks { lesson, step, checked: Checked::of(results.to_vec()) }
        }
        Event::Progress { lesson } => {
            let progress = app.sessions.progress(live, &lesson).ok()?;
            SessionEvent::Progress { lesson, progress }
        }
        Event::Warning { seconds_left } => SessionEvent::Warning { seconds_left },
        Event::Ended(reason) => SessionEvent::Ended { reason },
        Event::Registry => SessionEvent::Registry,
        Event::Deployment => SessionEvent::Deployment { deployment: live.deployment()? },
        Event::Activity => return None,
    })
}

async fn send(out: &mut SplitSink<WebSocket, Message>, event: &SessionEvent) -> Result<(), axum::Error> {
    let text = serde_json::to_string(event).map_err(axum::Error::new)?;
    match tokio::time::timeout(PATIENCE, out.send(Message::Text(text.into()))).await {
        Ok(sent) => sent,
        Err(late) => Err(axum::Error::new(late)),
    }
}
