//! Whether a page may embed terminals of this server.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::{App, embed, origin::same_origin};

/// Where it is asked.
pub const EMBEDDING: &str = "/api/v1/embedding";

/// Whether the page that asks may embed terminals.
#[derive(Debug, Serialize, ToSchema)]
pub struct Embedding {
    /// Whether the operator lists the page's origin (`sdk.origins`), or the page is the server's own.
    allowed: bool,
    /// The page's origin as the server sees it; null where the browser told none.
    origin: Option<String>,
    /// The server's version.
    version: &'static str,
}

/// Whether the page that asks may embed terminals of this server. A page of any origin may ask: to one that is not listed,
/// browsers show nothing else, not even that it was refused.
#[utoipa::path(get, path = "/api/v1/embedding", operation_id = "embedding", tag = "sdk", security(()),
    responses((status = 200, body = Embedding)))]
pub async fn embedding(
    State(app): State<App>,
    headers: HeaderMap,
) -> ([(HeaderName, &'static str); 1], Json<Embedding>) {
    let origin = headers.get(header::ORIGIN).and_then(|o| o.to_str().ok()).map(str::to_owned);
    let allowed = same_origin(&headers, None) || origin.as_deref().is_some_and(|o| embed::is_listed(&app, o));
    let told = Embedding { allowed, origin, version: env!("CARGO_PKG_VERSION") };
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(told))
}
