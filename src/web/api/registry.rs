//! The session's registry, `registry.lab:5000`: what has been pushed there.

use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    registry::Contents,
    web::{App, Problem, access::Access},
};

/// Which repository.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichRepository {
    /// Its name, such as `me/app`.
    repository: String,
}

/// Which tag.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichTag {
    /// Name of its repository, such as `me/app`.
    repository: String,
    /// The tag, such as `1.0`.
    tag: String,
}

/// What the session has pushed into its registry. `registry` events tell when it has changed.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/registry", operation_id = "registry_contents", tag = "registry",
    params(("id" = crate::session::SessionId, Path)),
    responses((status = 200, body = Contents), (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn contents(State(app): State<App>, Access(live): Access) -> Json<Contents> {
    Json(app.registry.contents(&live.public_name()).await)
}

/// Deletes a repository with all its tags. Layers that nothing else uses are removed some time later.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}/registry/repositories", tag = "registry",
    params(("id" = crate::session::SessionId, Path), WhichRepository),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn delete_repository(
    State(app): State<App>,
    Access(live): Access,
    Query(which): Query<WhichRepository>,
) -> Result<StatusCode, Problem> {
    let removed = app.registry.remove_repository(&live.public_name(), &which.repository).await;
    answer(removed, || format!("This session has not pushed a repository {}.", which.repository))
}

/// Deletes a tag. The image stays where another tag names it.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}/registry/tags", tag = "registry",
    params(("id" = crate::session::SessionId, Path), WhichTag),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn delete_tag(
    State(app): State<App>,
    Access(live): Access,
    Query(which): Query<WhichTag>,
) -> Result<StatusCode, Problem> {
    let removed = app.registry.remove_tag(&live.public_name(), &which.repository, &which.tag).await;
    answer(removed, || format!("This session has not pushed {}:{}.", which.repository, which.tag))
}

fn answer(removed: anyhow::Result<bool>, missing: impl FnOnce() -> String) -> Result<StatusCode, Problem> {
    match removed {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::not_found(missing())),
        Err(e) => Err(Problem::internal(&format!("{e:#}"))),
    }
}
