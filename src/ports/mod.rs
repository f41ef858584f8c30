//! Published ports: each is served on a host name of its own, `<port>-<node>-<session's public name>.<domain>`, so that
//! a student's application is never of the same origin as Boatyard's pages.
//!
//! The name opens nothing. The session's owner comes through a link of the session's page with a ticket, which becomes a
//! cookie of that host alone; a program sends the session's token in `X-Boatyard-Token`.

mod host;
mod proxy;
mod ticket;

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
pub use host::PortHost;
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use ticket::Tickets;
use tokio::{io::AsyncReadExt, time::timeout};

use crate::{
    agent::AgentError,
    session::{Live, Node, NodeName, Sessions},
    web::{
        Problem,
        view::{Nonce, Page, PortErrorPage, PortWaitingPage},
    },
};

/// Paths on a port's host that are Boatyard's own, not the application's.
const OWN: &str = "/.boatyard/";
/// Name of the cookie that opens a port's host.
const COOKIE: &str = "boatyard-port";
/// Header in which programs send the session's token.
const TOKEN_HEADER: &str = "x-boatyard-token";

/// How long a connection to a port must last to count as one to something that serves.
const GREETING: Duration = Duration::from_millis(200);

/// Serves published ports.
pub struct Ports {
    sessions: Sessions,
    tickets: Tickets,
}

impl Ports {
    /// `secret` signs tickets and cookies.
    pub fn new(sessions: Sessions, secret: Vec<u8>) -> Ports {
        Ports { sessions, tickets: Tickets::new(secret) }
    }

    /// Where the owner of a session opens a port: valid for a minute.
    pub fn link(&self, live: &Live, node: &NodeName, port: u16, path: &str) -> String {
        let host = PortHost { port, node: node.clone(), session: live.public_name() };
        let config = self.sessions.config();
        let base = config.base_url();
        let (scheme, rest) = base.split_once("://").unwrap_or(("http", &base));
        // A base address without a port keeps the scheme's own; one with a port gives it to the port hosts.
        let tcp_port = match rest.rsplit_once(':') {
            Some((_, p)) if p.bytes().all(|b| b.is_ascii_digit()) => format!(":{p}"),
            _ => String::new(),
        };
        let name = host.name(&config.domain);
        let ticket = self.tickets.issue(&name);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("ticket", &ticket)
            .append_pair("to", local(path))
            .finish();
        format!("{scheme}://{name}{tcp_port}{OWN}enter?{query}")
    }

    /// Answers a request for a port's host name.
    pub async fn serve(&self, host: PortHost, request: Request) -> Response {
        let html = crate::web::wants_html(request.headers());
        let name = host.name(&self.sessions.config().domain);
        if request.uri().path() == "/.boatyard/enter" {
            return self.enter(&host, &name, &request);
        }
        let Some(live) = self.sessions.by_public_name(&host.session) else {
            return refuse(
                &host,
                html,
                StatusCode::GONE,
                "The session of this port has ended",
                "There is nothing to see here any more. Start a new session to go on.",
            );
        };
        if !self.may(&live, &name, request.headers()) {
            return refuse(
                &host,
                html,
                StatusCode::FORBIDDEN,
                "This port belongs to a session",
                "Open it from the page of the session. Programs send the session's token in the header X-Boatyard-Token.",
            );
        }
        let Some(node) = live.node(host.node.as_str()) else {
            let title = format!("The session has no {}", host.node);
            return refuse(&host, html, StatusCode::NOT_FOUND, &title, "Open a port from the page of the session.");
        };
        if request.uri().path() == "/.boatyard/port" {
            let listens = listens(&node, host.port).await;
            return if listens { StatusCode::NO_CONTENT } else { StatusCode::SERVICE_UNAVAILABLE }.into_response();
        }
        self.forward(&host, node, html, request).await
    }

    async fn forward(&self, host: &PortHost, node: Arc<Node>, html: bool, request: Request) -> Response {
        let may_repeat = matches!(*request.method(), Method::GET | Method::HEAD);
        match node.agent().dial_port(host.port).await {
            Ok(stream) => match proxy::forward(stream, request, node).await {
                Ok(answer) => answer,
                Err(e) if may_repeat && proxy::is_not_there_yet(&e) => waiting(host, html),
                Err(e) => {
                    let title = format!("What listens on port {} does not answer in HTTP", host.port);
                    refuse(host, html, StatusCode::BAD_GATEWAY, &title, &format!("The connection ended: {e}."))
                }
            },
            Err(AgentError::Refused(p)) if p.status == 502 => waiting(host, html),
            Err(e) => refuse(host, html, StatusCode::BAD_GATEWAY, "The sandbox does not answer", &format!("{e}.")),
        }
    }

    /// Turns a ticket into a cookie of this host.
    fn enter(&self, host: &PortHost, name: &str, request: &Request) -> Response {
        let query = request.uri().query().unwrap_or_default();
        let of = |key: &str| form_urlencoded::parse(query.as_bytes()).find_map(|(k, v)| (k == key).then_some(v));
        if !of("ticket").is_some_and(|t| self.tickets.accept(name, &t)) {
            return refuse(
                host,
                true,
                StatusCode::FORBIDDEN,
                "This link is no longer valid",
                "Links to ports are good for a minute. Open the port from the page of the session again.",
            );
        }
        let to = of("to").unwrap_or_default();
        // A header carries visible ASCII; what else there is in a path stands in it percent-encoded (RFC 3986).
        let to = local(&to).bytes().fold(String::new(), |mut s, b| {
            if b.is_ascii_graphic() {
                s.push(b as char)
            } else {
                s.push_str(&format!("%{b:02X}"))
            }
            s
        });
        let secure = if self.sessions.config().base_url().starts_with("https://") { "; Secure" } else { "" };
        let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax{secure}", self.tickets.cookie(name));
        let mut answer = Redirect::to(&to).into_response();
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            answer.headers_mut().insert(header::SET_COOKIE, value);
        }
        answer.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        answer
    }

    fn may(&self, live: &Live, name: &str, headers: &HeaderMap) -> bool {
        if let Some(token) = headers.get(TOKEN_HEADER) {
            return Sha256::digest(token.as_bytes()).as_slice() == live.row().token_hash;
        }
        proxy::cookies(headers).any(|(key, value)| key == COOKIE && self.tickets.is_cookie(name, value))
    }
}

/// A path on the same host, with its query, or the first page where it is none: browsers take `//host` and `/\host` for
/// other hosts.
fn local(path: &str) -> &str {
    let inside = path.starts_with('/') && !path[1..].starts_with(['/', '\\']);
    if inside { path } else { "/" }
}

/// Whether something serves a port. Docker accepts connections to a published port from the start and ends them at once
/// while the program in the container does not listen yet; one that serves waits for a request, or greets.
async fn listens(node: &Node, port: u16) -> bool {
    let Ok(stream) = node.agent().dial_port(port).await else { return false };
    let mut first = [0];
    match timeout(GREETING, TokioIo::new(stream).read(&mut first)).await {
        Ok(read) => read.is_ok_and(|n| n > 0),
        Err(_) => true,
    }
}

fn waiting(host: &PortHost, html: bool) -> Response {
    let mut answer = if html {
        PortWaitingPage { nonce: Nonce::new(), port: host.port, node: host.node.to_string() }
            .respond(StatusCode::SERVICE_UNAVAILABLE)
    } else {
        problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "Nothing listens",
            &format!("Nothing listens on port {} of {} yet.", host.port, host.node),
        )
    };
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    mark(answer)
}

fn refuse(host: &PortHost, html: bool, status: StatusCode, title: &str, detail: &str) -> Response {
    mark(if html {
        PortErrorPage {
            nonce: Nonce::new(),
            plate: format!("{}:{}", host.node, host.port),
            title: title.into(),
            detail: detail.into(),
            retry: status.is_server_error(),
        }
        .respond(status)
    } else {
        problem(status, title, detail)
    })
}

fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    Problem::new(status, title, detail).into_response()
}

/// Tells the proxy's own answers from the application's.
fn mark(mut answer: Response<Body>) -> Response {
    answer.headers_mut().insert("x-boatyard-proxy", HeaderValue::from_static("error"));
    answer
}
