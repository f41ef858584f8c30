//! `/s/{id}/ports/{node}/{port}`: from the session's page to a port's own origin; `/p/{key}`: the same for whoever has a link
//! that shares it.

use axum::{
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::problem_page;
use crate::web::{App, Problem, access::NodeAccess};

/// Where to go on the port's host.
#[derive(Debug, Deserialize)]
pub struct Target {
    path: Option<String>,
}

/// Hands the session's owner a ticket for the port and leads there.
pub async fn open(
    State(app): State<App>,
    access: Result<NodeAccess, Problem>,
    Path((_, _, port)): Path<(String, String, String)>,
    Query(target): Query<Target>,
) -> Response {
    let access = match access {
        Ok(access) => access,
        Err(p) => return problem_page(p),
    };
    let Some(port) = port.parse::<u16>().ok().filter(|p| *p > 0) else {
        return problem_page(Problem::bad_request("A port is a number from 1 to 65535."));
    };
    let path = target.path.unwrap_or_default();
    match app.ports.link(&access.live, &access.node, port, &path) {
        Ok(link) => Redirect::to(&link).into_response(),
        Err(e) => problem_page(e.into()),
    }
}

/// Hands whoever has the key of a link a ticket for its port, and leads there.
pub async fn shared(State(app): State<App>, Path(key): Path<String>) -> Response {
    let mut answer = match app.ports.shared_link(&key) {
        Ok(Some(Ok(link))) => Redirect::to(&link).into_response(),
        Ok(Some(Err(e))) => problem_page(e.into()),
        Ok(None) => problem_page(Problem::new(
            StatusCode::GONE,
            "This link opens nothing any more",
            "Whoever shared it has revoked it, or their session has ended. Ask them for a new one.",
        )),
        Err(e) => problem_page(e.into()),
    };
    // The address is the key: no other site learns it.
    answer.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}
