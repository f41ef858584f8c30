//! Refuses state changes and WebSockets that come from pages of other origins.
//!
//! A published port is served on a host name below the page's own domain: the same site, so the cookie's `SameSite`
//! does not keep its requests out. The `Origin` header does (RFC 6454, section 7; Fetch standard). Pages of origins that the
//! operator lists may use the API, but not with a cookie ([`embed`]).

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{App, Problem, embed};

/// The middleware.
pub async fn check(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let upgrades = headers.contains_key(header::UPGRADE);
    if same_origin(headers, request.uri().authority().map(|a| a.as_str())) {
        return next.run(request).await;
    }
    let has_token = headers.contains_key(header::AUTHORIZATION);
    if embed::admits(&app, &request) && (!upgrades || has_token) {
        embed::admit(&mut request);
    } else if !reads || upgrades {
        return Problem::new(
            StatusCode::FORBIDDEN,
            "Refused",
            "This request came from a page of another origin. Only Boatyard's own pages may change anything, and with a \
             session's token those that its operator lists in `sdk.origins`.",
        )
        .into_response();
    }
    next.run(request).await
}

/// Programs that are no browser send no `Origin`; browsers send it with every such request.
pub(super) fn same_origin(headers: &HeaderMap, authority: Option<&str>) -> bool {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).or(authority);
    match headers.get(header::ORIGIN) {
        Some(origin) => {
            let origin = origin.to_str().unwrap_or_default();
            let origin_host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            origin_host.is_some() && origin_host == host
        }
        None => headers.get("sec-fetch-site").is_none_or(|s| s == "same-origin" || s == "none"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (k.parse::<header::HeaderName>().unwrap(), header::HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn only_the_own_origin_may_change_things() {
        let own = ("host", "localhost:8000");
        for (pairs, ok) in [
            (vec![own, ("origin", "http://localhost:8000")], true),
            (vec![own], true),
            (vec![own, ("origin", "http://8080-node1-abcdefghij.localhost:8000")], false),
            (vec![own, ("origin", "null")], false),
            (vec![own, ("origin", "http://localhost")], false),
            (vec![own, ("sec-fetch-site", "same-site")], false),
            (vec![own, ("sec-fetch-site", "same-origin")], true),
        ] {
            assert_eq!(same_origin(&headers(&pairs), None), ok, "{pairs:?}");
        }
    }
}
