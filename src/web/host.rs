//! Which host name a request is for: a published port's, or the server's own.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    App, Problem,
    pages::wants_html,
    view::{Nonce, Page, PortErrorPage},
};
use crate::{
    config::Config,
    ports::{Place, PortHost},
};

/// The middleware.
pub async fn dispatch(State(app): State<App>, request: Request, next: Next) -> Response {
    let host = match request.uri().host() {
        Some(host) => host.to_ascii_lowercase(),
        None => {
            let header = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
            without_port(header).to_ascii_lowercase()
        }
    };
    if let Some(port) = PortHost::parse(&host, &app.sessions.config().domain) {
        return app.ports.serve(Place::named(port), request).await;
    }
    if !is_own(&host, app.sessions.config()) {
        // A name that someone else's DNS points here: their page would be of this server's origin.
        let (status, title) = (StatusCode::MISDIRECTED_REQUEST, "Unknown host name");
        let detail = format!(
            "This server does not go by the name {host}. Its operator can add it to `hosts` in the configuration."
        );
        if !wants_html(request.headers()) {
            return Problem::new(status, title, detail).into_response();
        }
        let (plate, title) = ("Error 421".to_owned(), title.to_owned());
        return PortErrorPage { nonce: Nonce::new(), plate, title, detail, retry: false }.respond(status);
    }
    next.run(request).await
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

fn is_own(host: &str, config: &Config) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host == config.domain
        || bare.parse::<IpAddr>().is_ok()
        || config.hosts.iter().any(|h| h.eq_ignore_ascii_case(host))
        || config.base_url.as_deref().and_then(|u| u.split_once("://")).is_some_and(|(_, h)| without_port(h) == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names() {
        let config = Config {
            base_url: Some("https://lab.example.org".into()),
            hosts: vec!["yard".into()],
            domain: "lab.example.org".into(),
            ..Config::default()
        };
        for (host, own) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("[::1]", true),
            ("lab.example.org", true),
            ("Yard", true),
            ("evil.example.com", false),
            ("", false),
        ] {
            assert_eq!(is_own(host, &config), own, "{host}");
        }
        assert_eq!(without_port("localhost:8000"), "localhost");
        assert_eq!(without_port("[::1]:80"), "[::1]");
        assert_eq!(without_port("[::1]"), "[::1]");
    }
}
