//! The names of things: never bare strings or integers across modules.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Id of a session: random, and what opens it together with its owner's cookie or its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

/// Id of a browser, kept in its signed cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub Uuid);

/// The name by which a session is known where anyone may look: in host names of ports and in the registry's storage. It
/// opens nothing. Ten characters of `a-z0-9`, the first a letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct PublicName(String);

/// Name of a node within its session, such as `node1`: `[a-z][a-z0-9]{0,15}`, without a dash, since it stands between
/// dashes in host names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

impl SessionId {
    /// A new random id.
    pub fn random() -> SessionId {
        SessionId(Uuid::new_v4())
    }
}

impl ClientId {
    /// A new random id.
    pub fn random() -> ClientId {
        ClientId(Uuid::new_v4())
    }
}

impl PublicName {
    /// A new random name (about 50 bits).
    pub fn random() -> PublicName {
        const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz";
        const ALL: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let pick = |set: &[u8]| set[rand::random_range(0..set.len())] as char;
        PublicName((0..10).map(|i| pick(if i == 0 { LETTERS } else { ALL })).collect())
    }

    /// Reads a name; `None` if it is none.
    pub fn parse(s: &str) -> Option<PublicName> {
        let ok = s.len() == 10
            && s.as_bytes()[0].is_ascii_lowercase()
            && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        ok.then(|| PublicName(s.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl NodeName {
    /// The name of a session's n-th node, counted from 1.
    pub fn nth(n: usize) -> NodeName {
        NodeName(format!("node{n}"))
    }

    /// Reads a name; `None` if it is none.
    pub fn parse(s: &str) -> Option<NodeName> {
        let ok = (1..=16).contains(&s.len())
            && s.as_bytes()[0].is_ascii_lowercase()
            && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        ok.then(|| NodeName(s.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for NodeName {
    type Error = &'static str;

    fn try_from(s: String) -> Result<Self, Self::Error> {
        NodeName::parse(&s).ok_or("a node's name is a letter and up to 15 letters and digits, all small")
    }
}

impl From<NodeName> for String {
    fn from(n: NodeName) -> String {
        n.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PublicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
