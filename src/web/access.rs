//! Who may use a session: the browser that started it, and whoever has its token.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Path},
    http::{header, request::Parts},
};
use axum_extra::extract::cookie::SignedCookieJar;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{App, Problem, client};
use crate::session::{Live, Node, SessionId, State};

/// A running session that the request may use: its path names it as `{id}`.
pub struct Access(pub Arc<Live>);

/// A node of a running session that the request may use: its path names it as `{id}` and `{node}`.
pub struct NodeAccess {
    /// The session.
    pub live: Arc<Live>,
    /// The node.
    pub node: Arc<Node>,
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
        allowed(parts, app, &named.id).await.map(Access)
    }
}

impl FromRequestParts<App> for NodeAccess {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<NodeAccess, Problem> {
        let Path(named) = named(parts).await?;
        let live = allowed(parts, app, &named.id).await?;
        let name = named.node.unwrap_or_default();
        match live.node(&name) {
            Some(node) => Ok(NodeAccess { live, node }),
            None => Err(Problem::not_found(format!("This session has no node {name}."))),
        }
    }
}

async fn named(parts: &mut Parts) -> Result<Path<Named>, Problem> {
    Path::<Named>::from_request_parts(parts, &()).await.map_err(|e| Problem::bad_request(e.to_string()))
}

/// Someone else's session and one that never was look the same from outside.
async fn allowed(parts: &mut Parts, app: &App, id: &str) -> Result<Arc<Live>, Problem> {
    let nothing = || Problem::not_found("There is no such session, or it is not yours. It may have ended.");
    let id = id.parse().map(SessionId).map_err(|_| nothing())?;
    let row = match app.sessions.get(id) {
        Some(live) => live.row(),
        None => app.sessions.store().session(id)?.ok_or_else(nothing)?,
    };
    let bearer = parts.headers.get(header::AUTHORIZATION).map(|v| v.as_bytes());
    let by_token = match bearer {
        Some(value) => {
            let token = value.strip_prefix(b"Bearer ").or_else(|| value.strip_prefix(b"bearer "));
            // What is compared are digests, so the time it takes tells nothing of the token.
            token.is_some_and(|t| Sha256::digest(t).as_slice() == row.token_hash)
        }
        None => {
            let Ok(jar) = SignedCookieJar::<axum_extra::extract::cookie::Key>::from_request_parts(parts, app).await;
            client::known(app, &jar) == Some(row.owner)
        }
    };
    if !by_token {
        return Err(nothing());
    }
    match (app.sessions.get(id), row.state) {
        (Some(live), _) => Ok(live),
        (None, State::Ended(reason)) => Err(Problem::new(
            axum::http::StatusCode::GONE,
            "The session has ended",
            format!("It was {}. Start a new one.", reason.in_words()),
        )),
        (None, _) => Err(nothing()),
    }
}
