//! Where `boatyard forward` connects to, and by what right.

use std::str::FromStr;

use anyhow::{Context, bail};
use uuid::Uuid;

use crate::session::NodeName;

/// A session on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The server's address with `ws` in the place of `http`, without a slash at the end.
    server: String,
    session: Uuid,
    /// What opens it.
    pub token: String,
}

/// A port of a node, and the one that it gets here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Port on this machine.
    pub local: u16,
    /// The node.
    pub node: NodeName,
    /// Its port.
    pub port: u16,
}

impl Place {
    /// Reads what the user said. `session` is `<id>.<token>`, an id, or the address of a session's page.
    ///
    /// # Errors
    /// When something is missing, or is not what it must be; it never repeats a secret.
    pub fn find(server: Option<&str>, session: &str, token: Option<String>) -> anyhow::Result<Place> {
        let (page, id) = match session.find("/s/") {
            Some(at) if session.starts_with("http") => {
                (Some(&session[..at]), session[at + 3..].split(['/', '?', '#']).next().unwrap_or_default())
            }
            _ => (None, session),
        };
        let (id, own) = match id.split_once('.') {
            Some((id, own)) => (id, Some(own.to_owned())),
            None => (id, None),
        };
        let session = id.parse().ok().context(
            "the session is none; copy it from the session's page under Outside, or give its id or its page's address",
        )?;
        let token = own.or(token).context(
            "a token is missing; set BOATYARD_TOKEN to the one that the API gave with the session, or copy \
             BOATYARD_SESSION from the session's page",
        )?;
        if !token.bytes().all(|b| b.is_ascii_graphic()) {
            bail!("the token is none; copy it anew");
        }
        let server = server.or(page).context("which server? Say --server https://HOST")?.trim_end_matches('/');
        let server = match server.split_once("://") {
            Some(("http", rest)) if !rest.is_empty() => format!("ws://{rest}"),
            Some(("https", rest)) if !rest.is_empty() => format!("wss://{rest}"),
            _ => bail!("the server {server} is no address; say http://HOST:PORT or https://HOST"),
        };
        Ok(Place { server, session, token })
    }

    /// The address of a target's WebSocket.
    pub fn url(&self, target: &Target) -> String {
        format!("{}/api/v1/sessions/{}/nodes/{}/tcp/{}", self.server, self.session, target.node, target.port)
    }
}

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Target, &'static str> {
        const FORM: &str = "say NODE:PORT, such as node1:5432, or LOCALPORT:NODE:PORT";
        let port = |p: &str| p.parse::<u16>().ok().filter(|p| *p > 0).ok_or(FORM);
        let node = |n: &str| NodeName::parse(n).ok_or(FORM);
        match s.split(':').collect::<Vec<_>>()[..] {
            [n, p] => Ok(Target { local: port(p)?, node: node(n)?, port: port(p)? }),
            // Port 0 is any that is free.
            [l, n, p] => Ok(Target { local: l.parse().map_err(|_| FORM)?, node: node(n)?, port: port(p)? }),
            _ => Err(FORM),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

    #[test]
    fn a_session_is_told_by_key_or_page_or_id() {
        let one = Place::find(Some("http://localhost:8000/"), &format!("{ID}.ab-cd"), None).unwrap();
        assert_eq!(one.token, "ab-cd");
        let target: Target = "node1:5432".parse().unwrap();
        assert_eq!(one.url(&target), format!("ws://localhost:8000/api/v1/sessions/{ID}/nodes/node1/tcp/5432"));
        let page =
            Place::find(None, &format!("https://lab.example.org/s/{ID}/docker/run?x#y"), Some("t".into())).unwrap();
        assert!(page.url(&target).starts_with(&format!("wss://lab.example.org/api/v1/sessions/{ID}/")));
        let id = Place::find(Some("https://lab.example.org"), ID, Some("t".into())).unwrap();
        assert_eq!(id, page);
    }

    #[test]
    fn what_is_missing_is_named_and_no_secret_repeated() {
        for (server, session, token, said) in [
            (Some("https://h"), "secret", None, "the session is none"),
            (Some("https://h"), ID, None, "a token is missing"),
            (None, ID, Some("secret"), "which server?"),
            (Some("h:80"), ID, Some("secret"), "is no address"),
            (Some("https://h"), ID, Some("a\nsecret"), "the token is none"),
        ] {
            let e = Place::find(server, session, token.map(str::to_owned)).unwrap_err().to_string();
            assert!(e.contains(said) && !e.contains("secret"), "{e}");
        }
    }

    #[test]
    fn targets() {
        let t = |s: &str| s.parse::<Target>().map(|t| (t.local, t.node.to_string(), t.port));
        assert_eq!(t("node1:5432"), Ok((5432, "node1".into(), 5432)));
        assert_eq!(t("15432:node2:5432"), Ok((15432, "node2".into(), 5432)));
        for wrong in ["node1", "5432", "node1:0", "node1:x", "a:b:c:d", "Node1:1", ""] {
            assert!(t(wrong).is_err(), "{wrong}");
        }
    }
}
