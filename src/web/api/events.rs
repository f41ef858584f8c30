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
use tokio::{sync::broadcast::error::RecvError, time::Instant};
use utoipa::ToSchema;

use super::{
    lessons::Checked,
    sessions::{PortView, SessionView, UsageView},
    shares::{PersonView, TerminalAt},
};
use crate::{
    session::{Deployment, EndReason, Event, LimitReached, Live, NodeName, Place, PlaceTaken, Right, StepWatch},
    store::{Progress, StoreError},
    web::{
        App, Problem,
        access::{Access, Visitor},
    },
};

/// A page that takes no message for so long is gone; one that is not finds a fresh state when it comes back.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a page is heard about who is in front of it, and told who is there: however many come and go.
const COMPANY: Duration = Duration::from_millis(250);

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
    /// Who is there.
    People {
        /// All of them: the owner first, then guests in the order of their numbers.
        people: Vec<PersonView>,
        /// Number of who is told.
        you: u32,
    },
    /// Someone types: sent at most once a second.
    Typing {
        /// Their number.
        person: u32,
    },
    /// The owner has ended the share through which the page came; nothing follows.
    Unshared,
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
    /// Who is in front of the page, and what they have in front of them; what is left out stays as it was.
    Here { name: Option<String>, terminal: Option<TerminalAt> },
}

/// The step whose checks a page is told.
struct Shown {
    lesson: String,
    step: String,
    /// Has them evaluated; those who only watch see what others have evaluated.
    _watch: Option<StepWatch>,
}

/// What happens in a session: a WebSocket of JSON text messages. The page says which step it shows with
/// `{"type": "watch", "lesson": "course/lesson", "step": "id"}`, and who is in front of it with
/// `{"type": "here", "name": "Ada", "terminal": {"node": "node1", "terminal": "main"}}`.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/events", tag = "sessions", params(("id" = crate::session::SessionId, Path)),
    responses((status = 101, body = SessionEvent, description = "Each message"), (status = 404, body = Problem),
              (status = 429, body = Problem, description = "As many guests as there may be (`too-many-guests`)")))]
pub async fn events(
    State(app): State<App>,
    Access(live): Access,
    visitor: Visitor,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let place = place(&live, &visitor, Place::Events)?;
    Ok(upgrade.max_message_size(16 << 10).on_upgrade(move |socket| async move {
        if let Err(e) = tell(&app, &live, &visitor, socket).await {
            tracing::error!(session = %live.id(), error = %e, "a page is not told what happens");
        }
        drop(place);
    }))
}

/// A place for a connection of a visitor.
///
/// # Errors
/// 429 where a session has as many guests as it may have.
pub fn place(live: &Arc<Live>, visitor: &Visitor, place: Place) -> Result<PlaceTaken, Problem> {
    live.take_place(visitor.who, place).ok_or_else(|| {
        Problem::new(
            axum::http::StatusCode::TOO_MANY_REQUESTS,
            "Too many guests",
            "As many people look at this session as may. Close other tabs of it, or try again when someone has left.",
        )
        .code("too-many-guests")
    })
}

async fn tell(app: &App, live: &Arc<Live>, visitor: &Visitor, socket: WebSocket) -> Result<(), StoreError> {
    let mut happens = live.subscribe();
    let _viewing = live.view();
    let came = visitor.share().map(|s| (s.row.id, visitor.right()));
    let sent_away = visitor.sent_away();
    let (mut out, mut page) = socket.split();
    let presence = match app.sessions.arrive(live, visitor.who, came) {
        Ok(presence) => presence,
        // It was ended this moment.
        Err(_) if sent_away.is_cancelled() => {
            let _ = send(&mut out, &SessionEvent::Unshared).await;
            return Ok(());
        }
        Err(e) => return Err(e),
    };
    let you = presence.number();
    let mut shown: Option<Shown> = None;
    let mut here: Option<(Option<String>, Option<TerminalAt>)> = None;
    let mut heard = Instant::now();
    let mut people_told = Instant::now();
    let mut people_changed = false;
    if everything(app, live, you, &mut out).await.is_err() {
        return Ok(());
    }
    loop {
        let sent = tokio::select! {
            () = sent_away.cancelled() => {
                let _ = send(&mut out, &SessionEvent::Unshared).await;
                let _ = out.close().await;
                return Ok(());
            }
            () = tokio::time::sleep_until(people_told + COMPANY), if people_changed => {
                people_changed = false;
                people_told = Instant::now();
                send(&mut out, &SessionEvent::People { people: PersonView::all(live), you }).await
            }
            () = tokio::time::sleep_until(heard + COMPANY), if here.is_some() => {
                heard = Instant::now();
                let (name, terminal) = here.take().unwrap_or_default();
                presence.say(name.as_deref(), terminal.map(|t| (t.node, t.terminal)))?;
                Ok(())
            }
            event = happens.recv() => match event {
                Ok(Event::Ended(reason)) => {
                    let _ = send(&mut out, &SessionEvent::Ended { reason }).await;
                    return Ok(());
                }
                Ok(Event::People) => {
                    people_changed = true;
                    Ok(())
                }
                Ok(event) => match message(app, live, event, shown.as_ref()) {
                    Some(message) => send(&mut out, &message).await,
                    None => Ok(()),
                },
                Err(RecvError::Lagged(_)) => everything(app, live, you, &mut out).await,
                Err(RecvError::Closed) => return Ok(()),
            },
            said = page.next() => match said {
                Some(Ok(Message::Text(text))) => {
                    match serde_json::from_str(&text) {
                        Ok(PageMessage::Watch { lesson, step }) => {
                            let watch = match visitor.right() {
                                Right::Watch => None,
                                _ => app.sessions.watch_step(live, &lesson, &step).ok(),
                            };
                            shown = Some(Shown { lesson, step, _watch: watch });
                        }
                        Ok(PageMessage::Here { name, terminal }) => {
                            let (name_before, terminal_before) = here.take().unwrap_or_default();
                            here = Some((name.or(name_before), terminal.filter(is_plain).or(terminal_before)));
                        }
                        Err(_) => {}
                    }
                    Ok(())
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => Ok(()),
            },
            // The server stops; the page finds its successor.
            () = live.over() => {
                if let Ok(Event::Ended(reason)) = happens.try_recv() {
                    let _ = send(&mut out, &SessionEvent::Ended { reason }).await;
                }
                return Ok(());
            }
        };
        if sent.is_err() {
            return Ok(());
        }
    }
}

/// Others are told of it, so it is no longer than a terminal's id is.
fn is_plain(at: &TerminalAt) -> bool {
    at.terminal.len() <= 32 && at.terminal.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

async fn everything(
    app: &App,
    live: &Live,
    you: u32,
    out: &mut SplitSink<WebSocket, Message>,
) -> Result<(), axum::Error> {
    send(out, &SessionEvent::Session { session: SessionView::of(live, app) }).await?;
    send(out, &SessionEvent::People { people: PersonView::all(live), you }).await?;
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

fn message(app: &App, live: &Live, event: Event, shown: Option<&Shown>) -> Option<SessionEvent> {
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
            if !shown.is_some_and(|s| s.lesson == lesson && s.step == step) {
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
        Event::Typing(person) => SessionEvent::Typing { person },
        Event::Registry => SessionEvent::Registry,
        Event::Deployment => SessionEvent::Deployment { deployment: live.deployment()? },
        Event::People | Event::Activity => return None,
    })
}

async fn send(out: &mut SplitSink<WebSocket, Message>, event: &SessionEvent) -> Result<(), axum::Error> {
    let text = serde_json::to_string(event).map_err(axum::Error::new)?;
    match tokio::time::timeout(PATIENCE, out.send(Message::Text(text.into()))).await {
        Ok(sent) => sent,
        Err(late) => Err(axum::Error::new(late)),
    }
}
