//! Published ports: each is served on an origin of its own, so that a student's application is never of the same origin as
//! Boatyard's pages: a host name, `<port>-<node>-<session's public name>.<domain>`, or, where there is no wildcard DNS, a TCP
//! port of the server ([`range`]).
//!
//! The address opens nothing. The session's owner comes through a link of the session's page with a ticket, which becomes a
//! cookie of that port alone; so does whoever has a link by which the owner shares the port. A program sends the session's
//! token in `X-Boatyard-Token`.

mod headers;
mod host;
mod node;
mod pool;
mod proxy;
mod range;
mod refusal;
mod serve;
mod settings;
mod ticket;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

pub use host::PortHost;
pub use node::{Link, NodePorts, PortError, SeenHost};
pub use range::NoTcpPort;
use range::{InUse, Range};
pub use settings::{PortSettings, TcpRange};
use ticket::{Bearer, Tickets};

use crate::{
    engine::SandboxId,
    session::{Live, Node, Sessions},
    store::StoreError,
};

/// Paths on a port's host that are Boatyard's own, not the application's.
const OWN: &str = "/.boatyard/";
/// Name of the cookie that opens a port's host.
const COOKIE: &str = "boatyard-port";
/// Header in which programs send the session's token.
const TOKEN_HEADER: &str = "x-boatyard-token";
/// Header that tells the proxy's own answers from the application's.
const ERROR_HEADER: &str = "boatyard-error";

/// Serves published ports.
pub struct Ports {
    sessions: Sessions,
    tickets: Tickets,
    range: Option<Range>,
    /// Of the range; scheme and host.
    origin: (&'static str, String),
    /// What is known of nodes whose ports were asked for.
    nodes: Arc<RwLock<HashMap<SandboxId, Arc<NodePorts>>>>,
}

/// A published port as a request asks for it.
pub struct Place {
    host: PortHost,
    /// The TCP port of the server that it came by, where that is one of the range.
    tcp: Option<(u16, InUse)>,
}

impl Place {
    /// That of a host name.
    pub fn named(host: PortHost) -> Place {
        Place { host, tcp: None }
    }
}

impl Ports {
    /// `secret` signs tickets and cookies.
    pub fn new(sessions: Sessions, secret: Vec<u8>) -> Ports {
        let config = sessions.config();
        let settings = &config.ports;
        let range = settings.range.as_ref().map(|r| Range::new(r.ports(), settings.per_session as usize));
        let base = config.base_url();
        let origin = match settings.origin.as_deref().and_then(|o| o.split_once("://")) {
            Some((scheme, host)) => (if scheme == "https" { "https" } else { "http" }, host.to_owned()),
            None => ("http", without_port(base.split_once("://").map_or(&base, |(_, rest)| rest)).to_owned()),
        };
        Ports { sessions, tickets: Tickets::new(secret), range, origin, nodes: Arc::default() }
    }

    /// What a TCP port of the range serves now.
    pub fn at(&self, tcp: u16) -> Option<Place> {
        let (host, in_use) = self.range.as_ref()?.at(tcp)?;
        Some(Place { host, tcp: Some((tcp, in_use)) })
    }

    /// Where the owner of a session opens a port: valid for a minute.
    ///
    /// # Errors
    /// When no TCP port is left for it.
    pub fn link(&self, live: &Live, node: &Node, port: u16, path: &str) -> Result<String, NoTcpPort> {
        let host = PortHost { port, node: node.name().clone(), session: live.public_name() };
        self.way_in(&host, Bearer::Owner, path)
    }

    /// Where whoever has the key of a link opens its port: valid for a minute. `None` where the key opens nothing (any more).
    ///
    /// # Errors
    /// When the store fails. The inner result says that no TCP port is left.
    pub fn shared_link(&self, key: &str) -> Result<Option<Result<String, NoTcpPort>>, StoreError> {
        let Some(target) = self.sessions.store().port_link_by_key(&node::key_hash(key))? else { return Ok(None) };
        let Some(live) = self.sessions.get(target.session) else { return Ok(None) };
        let Some(node) = live.node(target.node.as_str()) else { return Ok(None) };
        if self.of(&node)?.link(target.id, target.port).is_none() {
            return Ok(None);
        }
        let host = PortHost { port: target.port, node: target.node, session: live.public_name() };
        Ok(Some(self.way_in(&host, Bearer::Link(target.id), "/")))
    }

    /// What is known of a node's ports.
    ///
    /// # Errors
    /// When the store fails.
    pub fn of(&self, node: &Arc<Node>) -> Result<Arc<NodePorts>, StoreError> {
        let sandbox = node.agent().sandbox();
        if let Some(known) = self.nodes.read().unwrap_or_else(PoisonError::into_inner).get(sandbox) {
            return Ok(known.clone());
        }
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = nodes.get(sandbox) {
            return Ok(known.clone());
        }
        let ports = Arc::new(NodePorts::load(self.sessions.store(), sandbox)?);
        nodes.insert(sandbox.clone(), ports.clone());
        let (all, node, kept) = (self.nodes.clone(), node.clone(), ports.clone());
        self.sessions.spawn(async move {
            tokio::select! {
                () = kept.pool.keep_clean() => {}
                () = node.over() => {}
            }
            all.write().unwrap_or_else(PoisonError::into_inner).remove(node.agent().sandbox());
        });
        Ok(ports)
    }

    fn way_in(&self, host: &PortHost, bearer: Bearer, path: &str) -> Result<String, NoTcpPort> {
        let config = self.sessions.config();
        let name = host.name(&config.domain);
        let (scheme, authority) = match &self.range {
            Some(range) => {
                let is_there = |p: &PortHost| {
                    let live = self.sessions.by_public_name(&p.session);
                    live.is_some_and(|live| live.node(p.node.as_str()).is_some())
                };
                (self.origin.0, format!("{}:{}", self.origin.1, range.allot(host, is_there)?))
            }
            None => {
                let base = config.base_url();
                let (scheme, rest) = base.split_once("://").unwrap_or(("http", &base));
                // A base address without a port keeps the scheme's own; one with a port gives it to the port hosts.
                let tcp = rest.strip_prefix(without_port(rest)).unwrap_or_default();
                (if scheme == "https" { "https" } else { "http" }, format!("{name}{tcp}"))
            }
        };
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("ticket", &self.tickets.issue(bearer, &name))
            .append_pair("to", local(path))
            .finish();
        Ok(format!("{scheme}://{authority}{OWN}enter?{query}"))
    }
}

/// A path on the same host, with its query, or the first page where it is none: browsers take `//host` and `/\host` for
/// other hosts.
fn local(path: &str) -> &str {
    let inside = path.starts_with('/') && !path[1..].starts_with(['/', '\\']);
    if inside { path } else { "/" }
}

/// A host without its TCP port.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lose_their_port() {
        for (authority, host) in [
            ("localhost:8000", "localhost"),
            ("lab.example.org", "lab.example.org"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("192.0.2.7:1", "192.0.2.7"),
        ] {
            assert_eq!(without_port(authority), host);
        }
    }

    #[test]
    fn paths_stay_on_their_host() {
        for (path, stays) in [("/a?b=c", "/a?b=c"), ("//evil", "/"), ("/\\evil", "/"), ("http://evil", "/"), ("", "/")]
        {
            assert_eq!(local(path), stays);
        }
    }
}
