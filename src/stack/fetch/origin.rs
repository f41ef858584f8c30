//! The origins from which files may be fetched.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;

/// An entry of the operator's list: a host (`raw.githubusercontent.com`), which is reached by https at a public address; or
/// a whole origin (`http://127.0.0.1:3000`), which may be anywhere, since it was written down on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    url: Url,
    /// Whether it may be at an address that is not public.
    pub(super) local: bool,
    written: String,
}

impl Origin {
    /// Whether `url` belongs to it.
    pub(super) fn has(&self, url: &Url) -> bool {
        self.url.origin() == url.origin()
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Origin, String> {
        let bad = || {
            format!(
                "`{text}` is neither a host such as raw.githubusercontent.com nor an origin such as http://127.0.0.1:3000"
            )
        };
        let local = text.contains("://");
        let url = if local { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
        let url = url.map_err(|_| bad())?;
        let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !plain || url.password().is_some() || url.host_str().is_none() || !["http", "https"].contains(&url.scheme())
        {
            return Err(bad());
        }
        // `url` leaves the scheme's own port out, so it is looked for in what was written.
        if url.scheme() == "http"
            && text.trim_end_matches('/').rsplit(':').next().is_none_or(|p| p.parse::<u16>().is_err())
        {
            return Err(format!("`{text}`: an origin without TLS must name its port, as in http://127.0.0.1:3000"));
        }
        Ok(Origin { url, local, written: text.to_owned() })
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Origin, String> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.written
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_or_an_origin_and_nothing_else() {
        for (text, url, is) in [
            ("raw.githubusercontent.com", "https://raw.githubusercontent.com/a/b.yaml", true),
            ("raw.githubusercontent.com", "http://raw.githubusercontent.com/a", false),
            ("raw.githubusercontent.com", "https://raw.githubusercontent.com:444/a", false),
            ("raw.githubusercontent.com", "https://evil.raw.githubusercontent.com/a", false),
            ("raw.githubusercontent.com", "https://raw.githubusercontent.com.evil.org/a", false),
            ("git.lab:8443", "https://git.lab:8443/a", true),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/a", true),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3001/a", false),
            ("http://127.0.0.1:3000", "http://localhost:3000/a", false),
            ("http://git.lab:80/", "http://git.lab/a", true),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert_eq!(origin.has(&Url::parse(url).unwrap()), is, "{text} {url}");
            assert_eq!(origin.local, text.contains("://"));
        }
        for bad in ["", "http://git.lab", "https://a/b", "ftp://a:1", "a/b", "me@host", "https://u:p@host", "http://"] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}
