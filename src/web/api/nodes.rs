//! Adding nodes to a session and taking them away.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::NodeView;
use crate::{
    session::SwarmRole,
    web::{
        App, Problem,
        access::{Access, NodeAccess},
    },
};

/// What a further node shall be.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNode {
    /// Its lab image; that of the session's first node where absent.
    #[serde(default)]
    image: Option<String>,
}

/// Adds a node to a session. It has a prompt when this is answered.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/nodes", operation_id = "add_node", tag = "nodes",
    params(("id" = crate::session::SessionId, Path)),
    request_body(content = NewNode, description = "May be left out"),
    responses(
        (status = 201, body = NodeView),
        (status = 404, body = Problem, description = "No such session or lab image", content_type = "application/problem+json"),
        (status = 409, body = Problem, description = "The session has as many as it may have (`node-limit`)", content_type = "application/problem+json"),
        (status = 503, body = Problem, description = "All places are taken (`full`)", content_type = "application/problem+json"),
    ))]
pub async fn add(
    State(app): State<App>,
    Access(live): Access,
    body: Result<Option<Json<NewNode>>, JsonRejection>,
) -> Result<(StatusCode, Json<NodeView>), Problem> {
    let new = body.map_err(|e| Problem::bad_request(e.body_text()))?.map(|j| j.0).unwrap_or_default();
    let node = app.sessions.add_node(&live, new.image).await?;
    Ok((StatusCode::CREATED, Json(NodeView::of(&live, &node))))
}

/// Takes a node out of a session, as if its plug were pulled: what was on it is gone.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}/nodes/{node}", operation_id = "remove_node", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path)),
    responses((status = 204), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "It is the last (`last-node`)")))]
pub async fn remove(State(app): State<App>, access: NodeAccess) -> Result<StatusCode, Problem> {
    app.sessions.remove_node(&access.live, access.node.name()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// As what a node shall join.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinSwarm {
    /// What it shall be.
    role: SwarmRole,
}

/// Has a node join the swarm of its session. Where there is none yet, it makes one and is its manager.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/nodes/{node}/swarm", operation_id = "join_swarm", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path)), request_body = JoinSwarm,
    responses((status = 200, body = NodeView), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "It is in a swarm, or its Docker Engine refused")))]
pub async fn join_swarm(
    State(app): State<App>,
    access: NodeAccess,
    body: Result<Json<JoinSwarm>, JsonRejection>,
) -> Result<Json<NodeView>, Problem> {
    let Json(join) = body.map_err(|e| Problem::bad_request(e.body_text()))?;
    app.sessions.join_swarm(&access.live, &access.node, join.role).await?;
    Ok(Json(NodeView::of(&access.live, &access.node)))
}
