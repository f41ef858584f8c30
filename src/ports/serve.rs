//! Answers requests for published ports: who may look, and what the proxy says itself.

use std::{net::SocketAddr, time::Duration};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::{io::AsyncReadExt, time::timeout};

use super::{
    OWN, Place, PortHost, Ports, SeenHost, TOKEN_HEADER,
    headers::{self, Way},
    local,
    proxy::{self, Held, NoAnswer},
    refusal::Refusal,
    ticket::Bearer,
};
use crate::{
    agent::AgentError,
    session::{Live, Node},
};

/// How long a connection to a port must last to count as one to something that serves.
const GREETING: Duration = Duration::from_millis(200);

impl Ports {
    /// Answers a request for a port.
    pub async fn serve(&self, place: Place, request: Request) -> Response {
        let host = place.host.clone();
        let html = crate::web::wants_html(request.headers());
        self.answer(place, request).await.unwrap_or_else(|refusal| refusal.answer(Some(&host), html))
    }

    /// Answers a request that came by a TCP port of the range that serves nothing now.
    pub fn nothing_here(&self, html: bool) -> Response {
        let detail = "Open a port from the page of its session.";
        Refusal::new("nothing-here", StatusCode::NOT_FOUND, "Nothing is here now", detail).answer(None, html)
    }

    async fn answer(&self, place: Place, request: Request) -> Result<Response, Refusal> {
        let Place { host, tcp } = place;
        let by_tcp = tcp.is_some();
        let name = host.name(&self.sessions.config().domain);
        let cookie = headers::cookie_name(tcp.as_ref().map(|(tcp, _)| *tcp));
        let path = request.uri().path().strip_prefix(OWN).unwrap_or_default().to_owned();
        if path == "enter" {
            return self.enter(&name, &cookie, by_tcp, &request);
        }
        let Some(live) = self.sessions.by_public_name(&host.session) else {
            let title = "The session of this port has ended";
            let detail = "There is nothing to see here any more. Start a new session to go on.";
            return Err(Refusal::new("session-ended", StatusCode::GONE, title, detail));
        };
        let bearer = self.bearer(&live, &name, &cookie, request.headers()).ok_or_else(not_open)?;
        let Some(node) = live.node(host.node.as_str()) else {
            let title = format!("The session has no {}", host.node);
            let detail = "Open a port from the page of the session.";
            return Err(Refusal::new("no-such-node", StatusCode::NOT_FOUND, title, detail));
        };
        let ports = self.of(&node).map_err(|e| failed(&e))?;
        let until = match bearer {
            Bearer::Owner => None,
            Bearer::Link(id) => Some(ports.link(id, host.port).ok_or_else(revoked)?.revoked.clone()),
        };
        if let (Some(range), Some((tcp, _))) = (&self.range, &tcp) {
            range.used(*tcp);
        }
        if path == "port" {
            let listens = listens(&node, host.port).await;
            return Ok(if listens { StatusCode::NO_CONTENT } else { StatusCode::SERVICE_UNAVAILABLE }.into_response());
        }
        check(&request, by_tcp)?;
        let Some(place) = ports.stream() else {
            let title = "Too many requests at one time";
            let detail = format!("As many requests and streams to {} are under way as there may be.", host.node);
            return Err(Refusal::new("too-many-streams", StatusCode::SERVICE_UNAVAILABLE, title, detail));
        };
        let way = self.way(&host, &name, by_tcp, ports.host(host.port), &request);
        let held = Held { place, tcp: tcp.map(|(_, in_use)| in_use), until };
        let may_repeat = matches!(*request.method(), Method::GET | Method::HEAD);
        let answer = proxy::forward(&node, &ports, &way, held, request).await;
        answer.map_err(|e| no_answer(e, &host, may_repeat))
    }

    fn way(&self, host: &PortHost, name: &str, by_tcp: bool, seen: SeenHost, request: &Request) -> Way {
        let authority = request.uri().authority().map(|a| a.as_str());
        let authority = authority.or_else(|| request.headers().get(header::HOST)?.to_str().ok()).unwrap_or(name);
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
        let scheme = if self.is_https(by_tcp) { "https" } else { "http" };
        Way { scheme, authority: authority.to_owned(), port: host.port, seen, peer }
    }

    /// Turns a ticket into a cookie of this port.
    fn enter(&self, name: &str, cookie: &str, by_tcp: bool, request: &Request) -> Result<Response, Refusal> {
        let query = request.uri().query().unwrap_or_default();
        let of = |key: &str| form_urlencoded::parse(query.as_bytes()).find_map(|(k, v)| (k == key).then_some(v));
        let Some(bearer) = of("ticket").and_then(|t| self.tickets.accept(name, &t)) else {
            let detail = "Links to ports are good for a minute. Open the port from the page of the session again.";
            return Err(Refusal::new("old-ticket", StatusCode::FORBIDDEN, "This link is no longer valid", detail));
        };
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
        let mut answer = Redirect::to(&to).into_response();
        let known = headers::cookie_values(request.headers(), cookie).find_map(|v| self.tickets.bearer(name, v));
        // An owner who tries a link of their own stays the owner.
        if known != Some(Bearer::Owner) {
            let secure = if self.is_https(by_tcp) { "; Secure" } else { "" };
            let value = self.tickets.cookie(bearer, name);
            if let Ok(set) = HeaderValue::from_str(&format!("{cookie}={value}; Path=/; HttpOnly; SameSite=Lax{secure}"))
            {
                answer.headers_mut().insert(header::SET_COOKIE, set);
            }
        }
        if by_tcp && known.is_none() {
            // What an application left in the browser that had this TCP port before.
            answer
                .headers_mut()
                .insert("clear-site-data", HeaderValue::from_static("\"storage\", \"executionContexts\""));
        }
        answer.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        Ok(answer)
    }

    fn bearer(&self, live: &Live, name: &str, cookie: &str, headers: &HeaderMap) -> Option<Bearer> {
        if let Some(token) = headers.get(TOKEN_HEADER) {
            let is = Sha256::digest(token.as_bytes()).as_slice() == live.row().token_hash;
            return is.then_some(Bearer::Owner);
        }
        headers::cookie_values(headers, cookie).find_map(|value| self.tickets.bearer(name, value))
    }

    fn is_https(&self, by_tcp: bool) -> bool {
        if by_tcp { self.origin.0 == "https" } else { self.sessions.config().base_url().starts_with("https://") }
    }
}

/// Refuses what no port is for.
fn check(request: &Request, by_tcp: bool) -> Result<(), Refusal> {
    if by_tcp && request.headers().contains_key("service-worker") {
        // It would stay between the browser and whatever this TCP port serves next.
        let detail = "A service worker would outlive the application's use of this TCP port.";
        return Err(Refusal::new("no-service-workers", StatusCode::FORBIDDEN, "No service workers here", detail));
    }
    if *request.method() == Method::CONNECT && !proxy::is_tunnel(request) {
        let detail = "A port is no proxy to elsewhere.";
        return Err(Refusal::new("no-connect", StatusCode::METHOD_NOT_ALLOWED, "Refused", detail));
    }
    Ok(())
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

fn no_answer(e: NoAnswer, host: &PortHost, may_repeat: bool) -> Refusal {
    match e {
        NoAnswer::Failed(e) if may_repeat && proxy::is_not_there_yet(&e) => Refusal::waiting(host),
        NoAnswer::Unreached(AgentError::Refused(p)) if p.status == 502 => Refusal::waiting(host),
        NoAnswer::Failed(e) => {
            let title = format!("What listens on port {} does not answer in HTTP", host.port);
            Refusal::new("no-http", StatusCode::BAD_GATEWAY, title, format!("The connection ended: {e}."))
        }
        NoAnswer::Unreached(e) => {
            Refusal::new("no-sandbox", StatusCode::BAD_GATEWAY, "The sandbox does not answer", format!("{e}."))
        }
        NoAnswer::Over => {
            let detail = "Its node has left the session, or whoever shared it has taken the link back.";
            Refusal::new("closed", StatusCode::SERVICE_UNAVAILABLE, "This port was closed", detail)
        }
    }
}

fn not_open() -> Refusal {
    let detail =
        "Open it from the page of the session. Programs send the session's token in the header X-Boatyard-Token.";
    Refusal::new("not-open", StatusCode::FORBIDDEN, "This port belongs to a session", detail)
}

fn revoked() -> Refusal {
    let detail = "Whoever shared this port has taken the link back. Ask them for a new one.";
    Refusal::new("revoked", StatusCode::FORBIDDEN, "The link to this port was revoked", detail)
}

fn failed(e: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(error = %e, "a request for a port failed");
    let detail = "Try again; if it stays, the server's operator finds the cause in the log.";
    Refusal::new("internal", StatusCode::INTERNAL_SERVER_ERROR, "The server failed", detail)
}
