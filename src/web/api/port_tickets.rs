//! Where a published port opens for whoever has no cookie of the session: a page elsewhere, or a program.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::web::{App, Problem, access::NodeAccess};

/// Longest path that is taken along.
const LONGEST_PATH: usize = 4096;

/// Which port of which node.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "`id` and `node` are read by `NodeAccess`")]
pub struct PortPath {
    /// The session.
    id: String,
    /// The node.
    node: String,
    /// The port.
    port: String,
}

/// Where on the port to go.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PortTarget {
    /// Path, with a query and a fragment if there are any; `/` where absent.
    #[serde(default)]
    path: Option<String>,
}

/// Where a port opens.
#[derive(Debug, Serialize, ToSchema)]
pub struct PortTicket {
    /// The address, for a browser and good for a minute: it leads on to the port's own host name, which it opens for good.
    url: String,
}

/// An address that opens a port of a node in a browser which has no cookie of the session.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/nodes/{node}/ports/{port}/ticket", operation_id = "port_ticket",
    tag = "nodes", params(PortPath), request_body(content = PortTarget, description = "May be left out"),
    responses((status = 200, body = PortTicket), (status = 400, body = Problem), (status = 404, body = Problem),
               (status = 503, body = Problem, description = "No address is left for the port")))]
pub async fn issue(
    State(app): State<App>,
    access: NodeAccess,
    Path(at): Path<PortPath>,
    body: Result<Option<Json<PortTarget>>, JsonRejection>,
) -> Result<Json<PortTicket>, Problem> {
    let target = body.map_err(|e| Problem::bad_request(e.body_text()))?.map(|j| j.0).unwrap_or_default();
    let port = at.port.parse::<u16>().ok().filter(|p| *p > 0);
    let port = port.ok_or_else(|| Problem::bad_request("A port is a number from 1 to 65535."))?;
    let path = target.path.as_deref().unwrap_or("/");
    if path.len() > LONGEST_PATH {
        return Err(Problem::bad_request(format!("`path` has at most {LONGEST_PATH} bytes.")));
    }
    Ok(Json(PortTicket { url: app.ports.link(&access.live, &access.node, port, path)? }))
}
