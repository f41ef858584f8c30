//! `/catalogue`.

use axum::{extract::State, http::StatusCode, response::Response};

use crate::web::{
    App,
    view::{CataloguePage, Nonce, Page},
};

/// The images that can be pulled without the internet.
pub async fn catalogue(State(app): State<App>) -> Response {
    CataloguePage {
        nonce: Nonce::new(),
        images: app.catalogue.to_vec(),
        mirror: app.sessions.config().registry.upstream.as_ref().map(|u| u.url.clone()),
    }
    .respond(StatusCode::OK)
}
