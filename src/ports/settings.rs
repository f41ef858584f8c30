//! The `[ports]` table of the configuration.

use std::{fmt, net::IpAddr, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};

/// Most TCP ports in a range: each is a socket that listens.
const MOST: usize = 2000;

/// The `[ports]` table: how published ports are reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortSettings {
    /// TCP ports of the server that serve published ports, where there is no wildcard DNS.
    pub range: Option<TcpRange>,
    /// Scheme and host under which browsers reach the range; `http://` and the host of the pages where absent.
    pub origin: Option<String>,
    /// Address to serve the range on; that of the pages where absent.
    pub address: Option<IpAddr>,
    /// Most ports of the range that one session may have at one time.
    pub per_session: u32,
}

impl Default for PortSettings {
    fn default() -> PortSettings {
        PortSettings { range: None, origin: None, address: None, per_session: 16 }
    }
}

impl PortSettings {
    /// Whether an origin may be a TCP port of the range, whatever its host: the server has many names.
    pub fn serves(&self, origin: &str) -> bool {
        let port = origin.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        self.range.as_ref().zip(port).is_some_and(|(range, port)| range.0.contains(&port))
    }

    /// Whether the settings can be; `listen` is the TCP port of the pages.
    ///
    /// # Errors
    /// The key, its value, and why not.
    pub fn check(&self, listen: u16) -> Result<(), (&'static str, String, &'static str)> {
        if let Some(range) = &self.range
            && range.0.contains(&listen)
        {
            return Err(("ports.range", range.to_string(), "must not hold the port of the pages"));
        }
        if let Some(origin) = &self.origin
            && !is_origin(origin)
        {
            return Err(("ports.origin", origin.clone(), "must be http:// or https:// with a host, without a port"));
        }
        if self.per_session == 0 {
            return Err(("ports.per_session", "0".into(), "must be at least 1"));
        }
        Ok(())
    }
}

fn is_origin(origin: &str) -> bool {
    let Some((scheme @ ("http" | "https"), host)) = origin.split_once("://") else { return false };
    let uri = format!("{scheme}://{host}/").parse::<axum::http::Uri>();
    uri.is_ok_and(|u| u.authority().is_some_and(|a| a.as_str() == a.host() && a.as_str() == host))
}

/// Consecutive TCP ports, written `20000-20099`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TcpRange(RangeInclusive<u16>);

impl TcpRange {
    /// The ports.
    pub fn ports(&self) -> RangeInclusive<u16> {
        self.0.clone()
    }
}

impl FromStr for TcpRange {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<TcpRange, &'static str> {
        const WRONG: &str = "must be two TCP ports with a dash between, the lower first, such as 20000-20099";
        let (first, last) = s.split_once('-').ok_or(WRONG)?;
        let (first, last) =
            (first.trim().parse::<u16>().map_err(|_| WRONG)?, last.trim().parse::<u16>().map_err(|_| WRONG)?);
        if first == 0 || first > last {
            return Err(WRONG);
        }
        if usize::from(last - first) >= MOST {
            return Err("must hold at most 2000 TCP ports");
        }
        Ok(TcpRange(first..=last))
    }
}

impl TryFrom<String> for TcpRange {
    type Error = &'static str;

    fn try_from(s: String) -> Result<TcpRange, &'static str> {
        s.parse()
    }
}

impl From<TcpRange> for String {
    fn from(range: TcpRange) -> String {
        range.to_string()
    }
}

impl fmt::Display for TcpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.start(), self.0.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!("20000-20099".parse::<TcpRange>().unwrap().ports().count(), 100);
        assert_eq!("80-80".parse::<TcpRange>().unwrap().to_string(), "80-80");
        for wrong in ["", "20000", "2-1", "0-5", "1-70000", "-", "a-b", "1-3000"] {
            assert!(wrong.parse::<TcpRange>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        for (origin, is) in [
            ("http://apps.example.org", true),
            ("https://192.0.2.7", true),
            ("http://[::1]", true),
            ("http://apps.example.org:80", false),
            ("http://apps.example.org/", false),
            ("ftp://apps.example.org", false),
            ("apps.example.org", false),
            ("http://user@apps.example.org", false),
            ("http://", false),
        ] {
            assert_eq!(is_origin(origin), is, "{origin}");
        }
    }
}
