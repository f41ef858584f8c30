//! `/catalogue`.

use axum::{extract::State, http::StatusCode, response::Response};
use tracing::warn;

use crate::{
    image::{self, ImageInfo},
    paths::Paths,
    web::{
        App,
        view::{CataloguePage, LabImage, Nonce, Page},
    },
};

/// The images that can be pulled without the internet.
pub async fn catalogue(State(app): State<App>) -> Response {
    // Read anew: an operator may have built one since.
    let paths = Paths::new(&app.sessions.config().data);
    let labs = tokio::task::spawn_blocking(move || image::list(&paths)).await;
    let labs = labs.map_err(anyhow::Error::from).flatten().unwrap_or_else(|e| {
        warn!(error = %e, "the lab images cannot be read");
        Vec::new()
    });
    CataloguePage {
        nonce: Nonce::new(),
        labs: labs.into_iter().map(lab).collect(),
        images: app.catalogue.to_vec(),
        mirror: app.sessions.config().registry.upstream.as_ref().map(|u| u.url.clone()),
    }
    .respond(StatusCode::OK)
}

fn lab(image: ImageInfo) -> LabImage {
    LabImage {
        name: image.name,
        distribution: image.distribution,
        versions: image.versions.into_iter().collect(),
        size: bytesize::ByteSize(image.size).display().si().to_string(),
    }
}
