//! The `[ssh]` table of the configuration.

use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

/// The ssh server: how students reach their nodes from machines of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SshSettings {
    /// Address and port to serve on; none switches it off.
    pub listen: Option<SocketAddr>,
    /// Host name, with a port where it is not 22, that the pages tell; made from `base_url` and `listen` where absent.
    pub address: Option<String>,
    /// How long a one-time password is good.
    #[serde(with = "humantime_serde")]
    pub password: Duration,
    /// Connections at one time: in all.
    pub connections: u32,
    /// Connections at one time: of one session.
    pub per_session: u32,
    /// After so long without a byte in either direction a connection ends.
    #[serde(with = "humantime_serde")]
    pub idle: Duration,
}

impl Default for SshSettings {
    fn default() -> Self {
        SshSettings {
            listen: None,
            address: None,
            password: Duration::from_secs(600),
            connections: 200,
            per_session: 32,
            idle: Duration::from_secs(3600),
        }
    }
}

impl SshSettings {
    /// Why the table cannot be: key, value, reason.
    ///
    /// # Errors
    /// The first that does not fit.
    pub fn check(&self) -> Result<(), (&'static str, String, &'static str)> {
        if self.password < Duration::from_secs(30) || self.password > Duration::from_secs(86_400) {
            let value = humantime::format_duration(self.password).to_string();
            return Err(("ssh.password", value, "must be from 30s to 1day"));
        }
        if self.idle < Duration::from_secs(60) {
            return Err(("ssh.idle", humantime::format_duration(self.idle).to_string(), "must be at least 1m"));
        }
        if self.connections == 0 {
            return Err(("ssh.connections", "0".into(), "must be at least 1; without `ssh.listen` there are none"));
        }
        if self.per_session == 0 {
            return Err(("ssh.per_session", "0".into(), "must be at least 1"));
        }
        if let Some(address) = &self.address {
            let (host, port) = split(address);
            let named = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b));
            if !named || port == Some(0) {
                return Err(("ssh.address", address.clone(), "must be a host name, or `host:port`"));
            }
        }
        Ok(())
    }

    /// Host name and port by which students reach the server: as set, or the host of `base_url` and the port that it
    /// listens on.
    pub fn reached_at(&self, base_url: &str, listens: SocketAddr) -> (String, u16) {
        match self.address.as_deref().map(split) {
            Some((host, port)) => (host.to_owned(), port.unwrap_or(22)),
            None => {
                let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
                (split(rest).0.to_owned(), listens.port())
            }
        }
    }
}

/// A host and the port after it. IPv6 addresses stand in brackets where a port follows.
fn split(address: &str) -> (&str, Option<u16>) {
    if let Some(rest) = address.strip_prefix('[') {
        let (host, port) = rest.split_once(']').unwrap_or((rest, ""));
        return (host, port.strip_prefix(':').map(|p| p.parse().unwrap_or(0)));
    }
    match address.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port.parse().unwrap_or(0))),
        _ => (address, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_tell_where_the_server_is_reached() {
        let listens = SocketAddr::from(([0, 0, 0, 0], 2222));
        for (address, base, told) in [
            (None, "https://lab.example.org", ("lab.example.org", 2222)),
            (None, "http://localhost:8000", ("localhost", 2222)),
            (None, "http://[2001:db8::1]:8000", ("2001:db8::1", 2222)),
            (Some("ssh.example.org"), "https://lab.example.org", ("ssh.example.org", 22)),
            (Some("ssh.example.org:2022"), "https://lab.example.org", ("ssh.example.org", 2022)),
        ] {
            let settings = SshSettings { address: address.map(str::to_owned), ..SshSettings::default() };
            settings.check().unwrap();
            assert_eq!(settings.reached_at(base, listens), (told.0.to_owned(), told.1));
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_key() {
        let usual = SshSettings::default;
        for (settings, key) in [
            (SshSettings { password: Duration::from_secs(1), ..usual() }, "ssh.password"),
            (SshSettings { idle: Duration::ZERO, ..usual() }, "ssh.idle"),
            (SshSettings { connections: 0, ..usual() }, "ssh.connections"),
            (SshSettings { per_session: 0, ..usual() }, "ssh.per_session"),
            (SshSettings { address: Some("a b".into()), ..usual() }, "ssh.address"),
            (SshSettings { address: Some("a:port".into()), ..usual() }, "ssh.address"),
        ] {
            assert_eq!(settings.check().unwrap_err().0, key);
        }
    }
}
