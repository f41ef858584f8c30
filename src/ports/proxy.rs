//! Carrying a request to an application and its answer back: bodies are streamed, whatever their size, and upgraded
//! connections such as WebSockets become byte streams.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::Response,
};
use hyper_util::rt::TokioIo;

use super::{COOKIE, TOKEN_HEADER};
use crate::{agent::RawStream, session::Node};

/// Headers of one connection, which end at a proxy (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Forwards a request over `stream`.
///
/// # Errors
/// When what is at the other end does not speak HTTP/1.1, or ends too early.
pub async fn forward(stream: RawStream, mut request: Request, node: Arc<Node>) -> Result<Response, hyper::Error> {
    let upgrade = request.headers().get(header::UPGRADE).cloned();
    let wants_upgrade = upgrade.is_some();
    let from_browser = wants_upgrade.then(|| hyper::upgrade::on(&mut request));
    let host = request.uri().authority().map(|a| a.to_string());
    prepare(request.headers_mut(), host, upgrade);
    // An application is asked with a path, not with the absolute address of HTTP/2.
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned();
    *request.uri_mut() = path.parse().unwrap_or(Uri::from_static("/"));
    *request.version_mut() = axum::http::Version::HTTP_11;

    let (mut sender, connection) =
        hyper::client::conn::http1::Builder::new().preserve_header_case(true).handshake(stream).await?;
    let over = node.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = connection.with_upgrades() => {}
            () = over.over() => {}
        }
    });
    let mut answer = sender.send_request(request).await?;
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        if let Some(from_browser) = from_browser {
            let to_app = hyper::upgrade::on(&mut answer);
            tokio::spawn(async move {
                if let (Ok(browser), Ok(app)) = tokio::join!(from_browser, to_app) {
                    let (mut browser, mut app) = (TokioIo::new(browser), TokioIo::new(app));
                    // Either side ends it when it likes, and the end of the node does.
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut browser, &mut app) => {}
                        () = node.over() => {}
                    }
                }
            });
        }
    } else {
        strip(answer.headers_mut());
    }
    Ok(answer.map(Body::new))
}

/// Whether the other end closed the connection before it said anything: what listens there is only Docker, and the
/// program behind it not up yet.
pub fn is_not_there_yet(e: &hyper::Error) -> bool {
    let reset = std::error::Error::source(e)
        .and_then(|s| s.downcast_ref::<std::io::Error>())
        .is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionReset);
    e.is_incomplete_message() || e.is_canceled() || reset
}

fn prepare(headers: &mut HeaderMap, host: Option<String>, upgrade: Option<HeaderValue>) {
    strip(headers);
    if let Some(upgrade) = upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, upgrade);
    }
    if let Some(host) = host.and_then(|h| HeaderValue::from_str(&h).ok()) {
        headers.entry(header::HOST).or_insert(host);
    }
    if let Some(host) = headers.get(header::HOST).cloned() {
        headers.insert("x-forwarded-host", host);
    }
    // What opens the port is none of the application's business.
    headers.remove(TOKEN_HEADER);
    let rest: Vec<String> = cookies(headers).filter(|(k, _)| *k != COOKIE).map(|(k, v)| format!("{k}={v}")).collect();
    if headers.contains_key(header::COOKIE) {
        headers.remove(header::COOKIE);
        if let Ok(value) = HeaderValue::from_str(&rest.join("; "))
            && !value.is_empty()
        {
            headers.insert(header::COOKIE, value);
        }
    }
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|n| n.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The cookies that a request brings (RFC 6265, section 5.4).
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_sees_its_own_cookies_only() {
        let mut h = HeaderMap::new();
        h.insert(header::COOKIE, HeaderValue::from_static("a=1; boatyard-port=secret; b=2"));
        h.insert(TOKEN_HEADER, HeaderValue::from_static("secret"));
        h.insert(header::CONNECTION, HeaderValue::from_static("keep-alive, x-hop"));
        h.insert("x-hop", HeaderValue::from_static("1"));
        prepare(&mut h, Some("8080-node1-abcdefghij.localhost".into()), None);
        assert_eq!(h[header::COOKIE], "a=1; b=2");
        assert_eq!(h[header::HOST], "8080-node1-abcdefghij.localhost");
        assert!(!h.contains_key(TOKEN_HEADER) && !h.contains_key("x-hop") && !h.contains_key(header::CONNECTION));
    }
}
