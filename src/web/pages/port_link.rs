//! `/s/{id}/ports/{node}/{port}`: from the session's page to a port's own host name.

use axum::{
    extract::{Path, Query, State},
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

/// Hands the session's owner a ticket for the port's host name and leads there.
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
    Redirect::to(&app.ports.link(&access.live, access.node.name(), port, &path)).into_response()
}
