//! Is the server well?

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::App;

/// What the server says of itself.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`: a server that is not answers nothing.
    status: &'static str,
    /// Version of Boatyard.
    version: &'static str,
    /// Sessions that run now.
    sessions: usize,
    /// Most sessions at one time.
    max_sessions: u32,
}

/// Tells that the server serves, for supervisors and load balancers.
#[utoipa::path(get, path = "/healthz", tag = "server", security(()), responses((status = 200, body = Health)))]
pub async fn healthz(State(app): State<App>) -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        sessions: app.sessions.all().len(),
        max_sessions: app.sessions.config().sessions.max,
    })
}
