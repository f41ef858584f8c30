//! Pages elsewhere that may embed terminals: the `[sdk]` table.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// The `[sdk]` table.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SdkSettings {
    /// Origins whose pages may start sessions and embed their terminals; none by default.
    pub origins: Vec<Origin>,
}

/// The origin of a page as browsers send it (RFC 6454): scheme, host in lower case, and the port where it is not the
/// scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// Why a text is no origin that can be listed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// A pattern.
    #[error("`{0}` is no single origin; list each whose pages may embed terminals, such as https://tutorial.example")]
    Pattern(String),
    /// What pages without an origin send.
    #[error("`null` is what any page without an origin sends; serve the page over http or https and list that")]
    Null,
    /// No origin at all.
    #[error("`{0}` is no origin; one is http:// or https://, a host and perhaps a port: https://tutorial.example")]
    Shape(String),
    /// An origin and more.
    #[error("`{0}` says more than scheme, host and port; write `{1}`")]
    More(String, String),
}

impl Origin {
    /// Reads an origin, also where it is not written as browsers write it.
    ///
    /// # Errors
    /// [`OriginError`] with what would do.
    pub fn parse(text: &str) -> Result<Origin, OriginError> {
        if text.contains('*') {
            return Err(OriginError::Pattern(text.to_owned()));
        }
        if text == "null" {
            return Err(OriginError::Null);
        }
        let shape = || OriginError::Shape(text.to_owned());
        let (_, rest) = text.split_once("://").ok_or_else(shape)?;
        let url = Url::parse(text).map_err(|_| shape())?;
        let clean = !text.contains(char::is_whitespace) && !rest.starts_with('/');
        if !matches!(url.scheme(), "http" | "https") || !clean {
            return Err(shape());
        }
        let origin = url.origin().ascii_serialization();
        if rest.contains(['/', '?', '#', '@', '\\']) {
            return Err(OriginError::More(text.to_owned(), origin));
        }
        Ok(Origin(origin))
    }

    /// As the `Origin` header has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host, without the port.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, rest)| rest);
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Origin, OriginError> {
        Origin::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        for (text, origin, host) in [
            ("https://tutorial.example", "https://tutorial.example", "tutorial.example"),
            ("https://Tutorial.Example:443", "https://tutorial.example", "tutorial.example"),
            ("http://tutorial.localhost:4000", "http://tutorial.localhost:4000", "tutorial.localhost"),
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000", "127.0.0.1"),
            ("http://[::1]:4000", "http://[::1]:4000", "[::1]"),
            ("http://[::1]", "http://[::1]", "[::1]"),
            ("https://bücher.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            let read = Origin::parse(text).unwrap();
            assert_eq!((read.as_str(), read.host()), (origin, host));
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_with_what_would_do() {
        for (text, part) in [
            ("*", "list each"),
            ("https://*.example", "list each"),
            ("null", "over http or https"),
            ("", "is no origin"),
            ("tutorial.example", "is no origin"),
            ("ftp://tutorial.example", "is no origin"),
            ("file:///home/me/page.html", "is no origin"),
            ("https://", "is no origin"),
            (" https://tutorial.example", "is no origin"),
            ("https://tutorial.example ", "is no origin"),
            ("https://tutorial.example:99999", "is no origin"),
            ("https://tutorial.example/", "write `https://tutorial.example`"),
            ("https://tutorial.example/posts", "write `https://tutorial.example`"),
            ("https://me:secret@tutorial.example", "write `https://tutorial.example`"),
            ("https://tutorial.example?x", "write `https://tutorial.example`"),
        ] {
            let refused = Origin::parse(text).unwrap_err().to_string();
            assert!(refused.contains(part), "{text}: {refused}");
        }
    }
}
