//! The operator's commands, on a Unix socket that only root can open. See `cli::session`.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{delete, get, post},
};
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;

use super::{App, Problem, connections, problem::rfc3339};
use crate::session::{EndReason, Live, Recovered, SessionId};

/// A session as the operator sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AdminSession {
    /// Its id.
    pub id: SessionId,
    /// Its public name.
    pub public_name: String,
    /// Names of its nodes, and the sandbox of each.
    pub nodes: Vec<(String, String)>,
    /// Names of the lab images that its nodes were made from.
    pub images: Vec<String>,
    /// `course/lesson`, where it was started for one.
    pub lesson: Option<String>,
    /// When it was started (RFC 3339).
    pub created_at: String,
    /// When it ends (RFC 3339).
    pub expires_at: String,
}

impl AdminSession {
    fn of(live: &Live) -> AdminSession {
        let row = live.row();
        AdminSession {
            id: row.id,
            public_name: row.public_name.to_string(),
            nodes: live.nodes().iter().map(|n| (n.name().to_string(), n.agent().sandbox().to_string())).collect(),
            images: live.nodes().iter().map(|n| n.image().to_owned()).collect(),
            lesson: row.lesson.map(|(c, l)| format!("{c}/{l}")),
            created_at: rfc3339(row.created_at).unwrap_or_default(),
            expires_at: rfc3339(row.expires_at).unwrap_or_default(),
        }
    }
}

/// Serves the operator's commands until the shutdown token is cancelled.
pub async fn serve(app: App, listener: UnixListener) {
    let shutdown = app.shutdown.clone();
    let router = Router::new()
        .route("/sessions", get(list))
        .route("/sessions/{id}", delete(remove))
        .route("/gc", post(gc))
        .with_state(app);
    connections::serve(listener, router, shutdown).await;
}

async fn list(State(app): State<App>) -> Json<Vec<AdminSession>> {
    Json(app.sessions.all().iter().map(|l| AdminSession::of(l)).collect())
}

/// Takes an id or a public name.
async fn remove(State(app): State<App>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let found = app.sessions.all().into_iter().find(|l| l.id().to_string() == name || l.public_name().as_str() == name);
    let Some(live) = found else { return Err(Problem::not_found(format!("there is no session {name}"))) };
    app.sessions.end(live.id(), EndReason::Operator)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn gc(State(app): State<App>) -> Result<Json<Recovered>, Problem> {
    app.sessions.recover().await.map(Json).map_err(|e| Problem::internal(&e))
}
