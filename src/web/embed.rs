//! Pages of other origins that the operator lists: they use the API with a session's token, and never with a cookie.
//!
//! What they may is told to browsers by CORS (Fetch standard), without credentials. A WebSocket cannot bring headers, so
//! its token comes as a subprotocol, `boatyard.bearer.<token>`, beside `boatyard.v1`, which is the one that is answered.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use tower::{Layer, ServiceExt};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{App, api::EMBEDDING, client::CLIENT_HEADER};
use crate::sdk::Origin;

/// What pages of other origins may use: the API and nothing else.
const API: &str = "/api/v1/";
/// The subprotocol that is answered.
const PROTOCOL: &str = "boatyard.v1";
/// What a subprotocol with a token begins with.
const BEARER: &str = "boatyard.bearer.";
/// How long a browser may keep the answer to a preflight.
const PREFLIGHT: Duration = Duration::from_secs(600);

/// Marks a request from a page of a listed origin: cookies count for nothing there and none are set.
#[derive(Debug, Clone, Copy)]
pub struct Elsewhere;

/// What the API says of itself to pages of `origins`; nothing where there are none.
pub fn layer(origins: &[Origin]) -> Option<CorsLayer> {
    let listed: Vec<HeaderValue> = origins.iter().filter_map(|o| HeaderValue::from_str(o.as_str()).ok()).collect();
    let read_only = HeaderName::from_static("x-boatyard-read-only");
    (!listed.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(listed))
            .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::IF_MATCH,
                header::IF_NONE_MATCH,
                CLIENT_HEADER,
            ])
            .expose_headers([header::ETAG, header::RETRY_AFTER, header::CONTENT_DISPOSITION, read_only])
            // A server in a class room, embedded by a page of the internet; only listed origins pass all the same.
            .allow_private_network(true)
            .max_age(PREFLIGHT)
    })
}

/// The middleware that answers preflights and says who may read an answer.
pub async fn cors(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    match &app.cors {
        // What anyone may ask says so itself.
        Some(cors) if path.starts_with(API) && path != EMBEDDING => match cors.layer(next).oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        },
        _ => next.run(request).await,
    }
}

/// Whether a request for the API comes from a page of a listed origin.
pub fn admits(app: &App, request: &Request) -> bool {
    let origin = request.headers().get(header::ORIGIN).and_then(|o| o.to_str().ok());
    request.uri().path().starts_with(API) && origin.is_some_and(|o| is_listed(app, o))
}

/// Whether the operator lists this origin.
pub fn is_listed(app: &App, origin: &str) -> bool {
    app.sessions.config().sdk.origins.iter().any(|o| o.as_str() == origin)
}

/// Takes from a request all that a page elsewhere must not be known by, and marks it.
pub fn admit(request: &mut Request) {
    request.headers_mut().remove(header::COOKIE);
    request.extensions_mut().insert(Elsewhere);
}

/// The middleware that takes a token out of a WebSocket's subprotocols, where no log looks for one and no answer repeats
/// it, to where all requests have theirs.
pub async fn subprotocol(mut request: Request, next: Next) -> Response {
    let answers = request.headers().contains_key(header::UPGRADE) && take_token(request.headers_mut());
    let mut answer = next.run(request).await;
    // A browser drops a connection for which it offered subprotocols and of which none is answered.
    if answers && answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        answer.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    }
    answer
}

/// Whether the viewer speaks [`PROTOCOL`]. A token among what it offers becomes its `Authorization`.
fn take_token(headers: &mut HeaderMap) -> bool {
    let offered: Vec<String> = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(|p| p.trim().to_owned())
        .collect();
    headers.remove(header::SEC_WEBSOCKET_PROTOCOL);
    let token = offered.iter().find_map(|p| p.strip_prefix(BEARER));
    if let Some(mut value) = token.and_then(|t| HeaderValue::from_str(&format!("Bearer {t}")).ok()) {
        value.set_sensitive(true);
        headers.entry(header::AUTHORIZATION).or_insert(value);
    }
    offered.iter().any(|p| p == PROTOCOL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_among_the_subprotocols_is_taken_out() {
        let mut headers = HeaderMap::new();
        headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("boatyard.v1, boatyard.bearer.abc"));
        assert!(take_token(&mut headers));
        assert_eq!(headers[header::AUTHORIZATION], "Bearer abc");
        assert!(!headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL));

        let mut headers = HeaderMap::new();
        headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("boatyard.bearer.abc"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer own"));
        assert!(!take_token(&mut headers), "it offers nothing that could be answered");
        assert_eq!(headers[header::AUTHORIZATION], "Bearer own", "what stands in the header goes first");

        assert!(!take_token(&mut HeaderMap::new()));
    }
}
