//! Who may use a session: the browser that started it, whoever has its token, and, as far as [`rights`] lets them, those
//! who came through a share.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, MatchedPath, Path},
    http::{StatusCode, header, request::Parts},
};
use axum_extra::extract::cookie::{Key, SignedCookieJar};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{App, Problem, client, guest, rights};
use crate::{
    session::{Live, Node, Right, SessionId, Share, State, Who},
    store::{SessionRow, StoreError},
};

/// A running session that the request may use: its path names it as `{id}`.
pub struct Access(pub Arc<Live>);

/// A node of a running session that the request may use: its path names it as `{id}` and `{node}`.
pub struct NodeAccess {
    /// The session.
    pub live: Arc<Live>,
    /// The node.
    pub node: Arc<Node>,
    /// Who asks.
    pub visitor: Visitor,
}

/// Who asks, and what they may do in the session that the path names as `{id}`.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Who it is.
    pub who: Who,
    /// The share that they came through, where the session is not theirs.
    share: Option<Share>,
}

impl Visitor {
    /// What they may do.
    pub fn right(&self) -> Right {
        self.share.as_ref().map_or(Right::Own, |s| s.row.kind.right())
    }

    /// The share that they came through, where the session is not theirs.
    pub fn share(&self) -> Option<&Share> {
        self.share.as_ref()
    }

    /// Cancelled when the owner ends the share that they came through; an owner's never is.
    pub fn sent_away(&self) -> CancellationToken {
        self.share.as_ref().map(|s| s.ended.clone()).unwrap_or_default()
    }
}

impl Visitor {
    /// The answer to someone whose share was ended while they were at it.
    pub fn unshared(&self) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "No longer shared", "The owner of this session has ended this share.")
            .code("unshared")
    }
}

impl NodeAccess {
    /// Whether session and node are still there.
    pub fn is_there(&self, app: &App) -> bool {
        app.sessions.get(self.live.id()).is_some_and(|live| live.node(self.node.name().as_str()).is_some())
    }
}

#[derive(Deserialize)]
struct Named {
    id: String,
    node: Option<String>,
}

impl FromRequestParts<App> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Access, Problem> {
        let Path(named) = named(parts).await?;
        allowed(parts, app, &named.id).await.map(|(live, _)| Access(live))
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Visitor, Problem> {
        let Path(named) = named(parts).await?;
        allowed(parts, app, &named.id).await.map(|(_, visitor)| visitor)
    }
}

impl FromRequestParts<App> for NodeAccess {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<NodeAccess, Problem> {
        let Path(named) = named(parts).await?;
        let (live, visitor) = allowed(parts, app, &named.id).await?;
        let name = named.node.unwrap_or_default();
        match live.node(&name) {
            Some(node) => Ok(NodeAccess { live, node, visitor }),
            None => Err(Problem::not_found(format!("This session has no node {name}."))),
        }
    }
}

async fn named(parts: &mut Parts) -> Result<Path<Named>, Problem> {
    Path::<Named>::from_request_parts(parts, &()).await.map_err(|e| Problem::bad_request(e.to_string()))
}

/// Someone else's session and one that never was look the same from outside.
async fn allowed(parts: &mut Parts, app: &App, id: &str) -> Result<(Arc<Live>, Visitor), Problem> {
    let nothing = || Problem::not_found("There is no such session, or it is not yours. It may have ended.");
    let id = id.parse().map(SessionId).map_err(|_| nothing())?;
    let live = app.sessions.get(id);
    let row = match &live {
        Some(live) => live.row(),
        None => app.sessions.store().session(id)?.ok_or_else(nothing)?,
    };
    let bearer = parts.headers.get(header::AUTHORIZATION).map(|v| v.as_bytes());
    let visitor = match bearer {
        Some(value) => {
            let token = value.strip_prefix(b"Bearer ").or_else(|| value.strip_prefix(b"bearer "));
            // What is compared are digests, so the time it takes tells nothing of the token.
            let fits = token.is_some_and(|t| Sha256::digest(t).as_slice() == row.token_hash);
            fits.then_some(Visitor { who: Who::Owner, share: None })
        }
        None => {
            let Ok(jar) = SignedCookieJar::<Key>::from_request_parts(parts, app).await;
            visitor(app, &row, live.as_deref(), &jar)?
        }
    };
    let visitor = visitor.ok_or_else(nothing)?;
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if visitor.right() < rights::needed(&parts.method, route) {
        return Err(refused(visitor.right()));
    }
    match (live, row.state) {
        (Some(live), _) => Ok((live, visitor)),
        (None, State::Ended(reason)) => Err(Problem::new(
            StatusCode::GONE,
            "The session has ended",
            format!("It was {}. Start a new one.", reason.in_words()),
        )),
        (None, _) => Err(nothing()),
    }
}

/// Who a browser is in a session, by its cookies; none where it is a stranger's.
///
/// # Errors
/// When the store fails.
pub fn visitor(
    app: &App,
    row: &SessionRow,
    live: Option<&Live>,
    jar: &SignedCookieJar,
) -> Result<Option<Visitor>, StoreError> {
    if client::known(app, jar) == Some(row.owner) {
        return Ok(Some(Visitor { who: Who::Owner, share: None }));
    }
    let Some((share, guest)) = guest::known(app, jar, row.id) else { return Ok(None) };
    let share = match live {
        Some(live) => app.sessions.share(live, share)?,
        // Of a session that has ended it is still told who was let in, so that they read that it has.
        None => {
            let mut left = app.sessions.store().shares(row.id)?.into_iter();
            left.find(|s| s.id == share).map(|row| Share { row, ended: CancellationToken::new() })
        }
    };
    Ok(share.map(|share| Visitor { who: Who::Guest(guest), share: Some(share) }))
}

fn refused(right: Right) -> Problem {
    let detail = match right {
        Right::Watch => {
            "This session is shared with you to watch. Only its owner, and those whom they let type, can do that."
        }
        _ => "This session is shared with you to type in. That is left to its owner.",
    };
    Problem::new(StatusCode::FORBIDDEN, "Not for guests", detail).code("guest")
}
