//! How ports are seen and shared: the host names that their applications see, and the links that open them to others.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    ports::{Link, PortError, SeenHost},
    session::{Node, NodeName},
    web::{
        App, Problem,
        access::{Access, NodeAccess},
        problem::rfc3339,
    },
};

/// What a session has chosen for its ports.
#[derive(Debug, Serialize, ToSchema)]
pub struct PortChoices {
    /// The ports whose applications see another host name than the usual one, `original`.
    hosts: Vec<PortHostView>,
    /// The links that share ports, oldest first within their node.
    links: Vec<PortLinkView>,
}

/// The host name that the application on a port sees.
#[derive(Debug, Serialize, ToSchema)]
pub struct PortHostView {
    /// The node.
    node: NodeName,
    /// The port.
    port: u16,
    /// The host name.
    host: SeenHost,
}

/// A link that shares a port with whoever has it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PortLinkView {
    /// Its id, which opens nothing.
    id: Uuid,
    /// The node.
    node: NodeName,
    /// The port.
    port: u16,
    /// When it was made (RFC 3339).
    created_at: String,
}

/// A link that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewPortLink {
    /// The link.
    #[serde(flatten)]
    link: PortLinkView,
    /// Its address, which opens the port to whoever has it. It is told this once.
    url: String,
}

/// Which host name an application shall see.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChosenHost {
    /// The host name.
    host: SeenHost,
}

/// Which port of which node.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "`id` and `node` are read by `NodeAccess`")]
pub struct PortPath {
    /// The session.
    id: String,
    /// The node.
    node: String,
    /// The port.
    #[param(minimum = 1, maximum = 65535)]
    port: u16,
}

/// Which link to which port.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "`id` and `node` are read by `NodeAccess`")]
pub struct LinkPath {
    /// The session.
    id: String,
    /// The node.
    node: String,
    /// The port.
    port: u16,
    /// The link's id.
    link: Uuid,
}

impl PortLinkView {
    fn of(node: &Node, link: &Link) -> PortLinkView {
        let created_at = rfc3339(link.created_at).unwrap_or_default();
        PortLinkView { id: link.id, node: node.name().clone(), port: link.port, created_at }
    }
}

impl From<PortError> for Problem {
    fn from(e: PortError) -> Problem {
        match e {
            PortError::TooManyLinks(_) | PortError::TooManyHosts(_) => {
                Problem::new(StatusCode::CONFLICT, "Too many", format!("{e}."))
            }
            PortError::Store(e) => e.into(),
        }
    }
}

/// What the session has chosen for its ports: host names that applications see, and links that share them.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/ports", operation_id = "port_choices", tag = "ports",
    params(("id" = crate::session::SessionId, Path)),
    responses((status = 200, body = PortChoices), (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn choices(State(app): State<App>, Access(live): Access) -> Result<Json<PortChoices>, Problem> {
    let mut all = PortChoices { hosts: Vec::new(), links: Vec::new() };
    for node in live.nodes() {
        let ports = app.ports.of(&node)?;
        let host = |(port, host)| PortHostView { node: node.name().clone(), port, host };
        all.hosts.extend(ports.hosts().into_iter().map(host));
        all.links.extend(ports.links().iter().map(|link| PortLinkView::of(&node, link)));
    }
    Ok(Json(all))
}

/// Chooses the host name that the application on a port sees: `original`, that which the browser asked for, or `localhost`
/// with the port.
#[utoipa::path(put, path = "/api/v1/sessions/{id}/ports/{node}/{port}", operation_id = "choose_port_host", tag = "ports",
    params(PortPath), request_body = ChosenHost,
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "Too many are set")))]
pub async fn choose_host(
    State(app): State<App>,
    access: NodeAccess,
    Path(at): Path<PortPath>,
    body: Result<Json<ChosenHost>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(chosen) = body.map_err(|e| Problem::bad_request(e.body_text()))?;
    app.ports.of(&access.node)?.set_host(app.sessions.store(), a_port(at.port)?, chosen.host)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a link that opens this port, and nothing else, to whoever has it, until it is revoked or the session ends.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/ports/{node}/{port}/links", operation_id = "share_port", tag = "ports",
    params(PortPath),
    responses((status = 201, body = NewPortLink), (status = 404, body = Problem), (status = 409, body = Problem, description = "The node has as many as it may have")))]
pub async fn share(
    State(app): State<App>,
    access: NodeAccess,
    Path(at): Path<PortPath>,
) -> Result<(StatusCode, Json<NewPortLink>), Problem> {
    let (link, key) = app.ports.of(&access.node)?.share(app.sessions.store(), a_port(at.port)?)?;
    let url = format!("{}/p/{key}", app.sessions.config().base_url());
    Ok((StatusCode::CREATED, Json(NewPortLink { link: PortLinkView::of(&access.node, &link), url })))
}

/// Revokes a link, at once: it opens nothing any more, nor does a browser that came by it, and what is open ends.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}/ports/{node}/{port}/links/{link}", operation_id = "revoke_port_link", tag = "ports",
    params(LinkPath),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn revoke(
    State(app): State<App>,
    access: NodeAccess,
    Path(at): Path<LinkPath>,
) -> Result<StatusCode, Problem> {
    match app.ports.of(&access.node)?.revoke(app.sessions.store(), at.link, at.port)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found("There is no such link to this port (any more).")),
    }
}

fn a_port(port: u16) -> Result<u16, Problem> {
    Some(port).filter(|p| *p > 0).ok_or_else(|| Problem::bad_request("A port is a number from 1 to 65535."))
}
