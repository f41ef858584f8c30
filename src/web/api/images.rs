//! The lab images that sessions can have.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::App;

/// A lab image.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabImage {
    /// Its name, as a session is asked for with it.
    name: String,
    /// What it is, in one line; empty where nobody said.
    summary: String,
    /// Whether sessions get it unless they ask for another.
    default: bool,
    /// Name of its distribution.
    distribution: String,
    /// Versions of what matters in it: label, such as `docker`, to version.
    versions: BTreeMap<String, String>,
}

/// The lab images that sessions can have; the usual one first.
#[utoipa::path(get, path = "/api/v1/images", operation_id = "list_images", tag = "server", security(()),
    responses((status = 200, body = Vec<LabImage>)))]
pub async fn list(State(app): State<App>) -> Json<Vec<LabImage>> {
    let usual = &app.sessions.config().sessions.image;
    let of = |i: crate::image::ImageInfo| LabImage {
        default: i.name == *usual,
        name: i.name,
        summary: i.summary,
        distribution: i.distribution,
        versions: i.versions,
    };
    Json(app.sessions.images().into_iter().map(of).collect())
}
