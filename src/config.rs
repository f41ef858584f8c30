//! The configuration: one commented TOML file, then environment variables, then flags, each over the one before.
//!
//! `deploy/boatyard.toml` shows every key with its default; a test holds the two together.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use bytesize::ByteSize;
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

use crate::{
    engine::{Limits, native::NativeSettings},
    ports::{PortHost, PortSettings},
    sdk::SdkSettings,
    ssh::SshSettings,
    stack::Origin,
    template::Template,
};

/// Everything an operator can set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder with everything that survives a reboot. Absolute.
    pub data: PathBuf,
    /// Address and port to serve on.
    pub listen: SocketAddr,
    /// Address under which browsers reach the server, such as `https://lab.example.org`; made from `listen` where absent.
    pub base_url: Option<String>,
    /// Further host names by which the server may be addressed.
    pub hosts: Vec<String>,
    /// Domain below which published ports get host names: `8080-node1-<session>.<domain>`.
    pub domain: String,
    /// Folder with courses.
    pub courses: PathBuf,
    /// The static agent binary; looked for beside the server's own where absent.
    pub agent: Option<PathBuf>,
    /// Sessions.
    pub sessions: SessionSettings,
    /// What sessions can start as, beside the built-in templates.
    pub templates: Vec<Template>,
    /// Links that deploy a stack.
    #[serde(rename = "try")]
    pub try_links: TrySettings,
    /// What one sandbox may use.
    pub limits: LimitSettings,
    /// How published ports are reached.
    pub ports: PortSettings,
    /// The session registry.
    pub registry: RegistrySettings,
    /// How students reach their nodes from machines of their own.
    pub ssh: SshSettings,
    /// Pages elsewhere that may embed terminals.
    pub sdk: SdkSettings,
    /// The native engine.
    pub engine: NativeSettings,
}

/// The `[sessions]` table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionSettings {
    /// How long a session lasts.
    #[serde(with = "humantime_serde")]
    pub duration: Duration,
    /// How much time an extension adds.
    #[serde(with = "humantime_serde")]
    pub extension: Duration,
    /// How often a session can be extended.
    pub extensions: u32,
    /// Most sessions at one time.
    pub max: u32,
    /// Most sessions that one browser may have at one time.
    pub per_client: u32,
    /// Most sessions that one network address may have at one time; 0 sets no such limit (a class often shares one).
    pub per_address: u32,
    /// Most nodes of one session.
    pub nodes: u32,
    /// Most nodes of all sessions together.
    pub max_nodes: u32,
    /// Lab image of new sessions.
    pub image: String,
    /// When Docker starts: `at-once` with the session, `on-demand` with the first `docker` command.
    pub docker: boatyard_protocol::agent::DockerMode,
}

/// The `[try]` table: links that start a session and deploy a stack in it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrySettings {
    /// Folder with the operator's own stacks.
    pub stacks: Option<PathBuf>,
    /// From where files may be fetched; nowhere by default.
    pub hosts: Vec<Origin>,
}

/// The `[limits]` table: bounds of one sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Memory, swap included.
    pub memory: ByteSize,
    /// Processors; fractions are shares of time.
    pub cpus: f64,
    /// Processes and threads.
    pub pids: u32,
    /// Disk.
    pub disk: ByteSize,
    /// One file that is uploaded from a browser.
    pub upload: ByteSize,
}

/// The `[registry]` table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrySettings {
    /// What a session may push in all.
    pub quota: ByteSize,
    /// How many files and folders a session's repositories may have in storage: an image takes about thirty.
    pub files: u32,
    /// Nothing is taken while the disk has less than this free.
    pub min_free: ByteSize,
    /// Registry from which names that the catalogue lacks are fetched and cached, such as Docker Hub's; none by default.
    pub upstream: Option<Upstream>,
}

/// A registry behind the catalogue.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Its address.
    pub url: String,
    /// User, where it wants one.
    pub username: Option<String>,
    /// Password or token of the user.
    pub password: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            data: PathBuf::from("/var/lib/boatyard"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            base_url: None,
            hosts: Vec::new(),
            domain: "localhost".into(),
            courses: PathBuf::from("/usr/share/boatyard/courses"),
            agent: None,
            templates: Vec::new(),
            try_links: TrySettings::default(),
            sessions: SessionSettings {
                duration: Duration::from_secs(2 * 3600),
                extension: Duration::from_secs(3600),
                extensions: 3,
                max: 40,
                per_client: 2,
                per_address: 0,
                nodes: 5,
                max_nodes: 100,
                image: "default".into(),
                docker: Default::default(),
            },
            limits: LimitSettings {
                memory: ByteSize::gib(1),
                cpus: 2.0,
                pids: 1500,
                disk: ByteSize::gib(10),
                upload: ByteSize::mib(512),
            },
            ports: PortSettings::default(),
            registry: RegistrySettings::default(),
            ssh: SshSettings::default(),
            sdk: SdkSettings::default(),
            engine: NativeSettings::default(),
        }
    }
}

impl Default for RegistrySettings {
    fn default() -> Self {
        RegistrySettings { quota: ByteSize::gib(2), files: 20_000, min_free: ByteSize::gib(2), upstream: None }
    }
}

impl LimitSettings {
    /// The limits of a sandbox as the engine takes them.
    pub fn limits(&self) -> Limits {
        Limits { memory: self.memory.as_u64(), cpus: self.cpus, pids: self.pids, disk: self.disk.as_u64() }
    }
}

/// Why a configuration is refused; the message names the key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file, variable or flag that does not fit.
    #[error("configuration: {0}")]
    Read(String),
    /// A value that cannot be.
    #[error("configuration: {key} = {value}: {why}")]
    Value {
        /// The key, with its table.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// Why not, and what would do.
        why: &'static str,
    },
}

/// Prefix of the environment variables: `BOATYARD_SESSIONS__MAX=10` sets `max` in `[sessions]`.
pub const ENV_PREFIX: &str = "BOATYARD_";

impl Config {
    /// Reads the configuration.
    ///
    /// `file` must exist if it is given; `flags` is a JSON object in the shape of [`Config`] with what the command line set.
    ///
    /// # Errors
    /// [`ConfigError`] with the key and where it came from.
    pub fn load(file: Option<&std::path::Path>, flags: &serde_json::Value) -> Result<Config, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError::Read(format!("there is no file {}", file.display())));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        // BOATYARD_TEST_… steers the project's own tests, and some are other commands'.
        let others = |k: &str| {
            ["test_", "config_file", "server", "session", "token"].iter().any(|o| {
                k.len() >= o.len() && k[..o.len()].eq_ignore_ascii_case(o) && (o.ends_with('_') || k.len() == o.len())
            })
        };
        let env = Env::prefixed(ENV_PREFIX).filter(move |k| !others(k.as_str())).split("__");
        let config: Config = figment
            .merge(env)
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|e| ConfigError::Read(in_words(&e)))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let bad =
            |key, value: &dyn std::fmt::Display, why| Err(ConfigError::Value { key, value: value.to_string(), why });
        if !self.data.is_absolute() {
            return bad("data", &self.data.display(), "must be an absolute path");
        }
        if let Some(url) = &self.base_url
            && (!(url.starts_with("http://") || url.starts_with("https://")) || url.ends_with('/'))
        {
            return bad("base_url", url, "must be http:// or https:// with a host, without a slash at the end");
        }
        if self.domain.is_empty() || !self.domain.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)) {
            return bad("domain", &self.domain, "must be a domain name");
        }
        let s = &self.sessions;
        if s.duration < Duration::from_secs(60) {
            return bad("sessions.duration", &humantime::format_duration(s.duration), "must be at least 1m");
        }
        if s.max == 0 {
            return bad("sessions.max", &s.max, "must be at least 1");
        }
        if !(1..=20).contains(&s.nodes) {
            return bad("sessions.nodes", &s.nodes, "must be from 1 to 20");
        }
        if s.max_nodes == 0 {
            return bad("sessions.max_nodes", &s.max_nodes, "must be at least 1");
        }
        if s.per_client == 0 {
            return bad("sessions.per_client", &s.per_client, "must be at least 1");
        }
        for template in &self.templates {
            if let Err((key, why)) = template.check(s.nodes) {
                return bad(key, &format!("(template {:?})", template.name), why);
            }
        }
        if let Err((key, value, why)) = self.ssh.check() {
            return bad(key, &value, why);
        }
        let mut origins = self.sdk.origins.iter();
        if let Some(origin) =
            origins.find(|o| PortHost::parse(o.host(), &self.domain).is_some() || self.ports.serves(o.as_str()))
        {
            return bad("sdk.origins", origin, "is a published port: what a student serves may embed no terminals");
        }
        if let Err((key, value, why)) = self.ports.check(self.listen.port()) {
            return bad(key, &value, why);
        }
        let l = &self.limits;
        if l.memory < ByteSize::mib(128) {
            return bad("limits.memory", &l.memory, "must be at least 128 MiB: Docker needs that");
        }
        if l.cpus.is_nan() || l.cpus < 0.1 {
            return bad("limits.cpus", &l.cpus, "must be at least 0.1");
        }
        if l.pids < 100 {
            return bad("limits.pids", &l.pids, "must be at least 100: Docker needs that");
        }
        if l.disk < ByteSize::mib(256) {
            return bad("limits.disk", &l.disk, "must be at least 256 MiB");
        }
        if l.upload < ByteSize::mib(1) {
            return bad("limits.upload", &l.upload, "must be at least 1 MiB: the editor saves with it too");
        }
        Ok(())
    }

    /// What keeps students on machines of their own from opening published ports, and how to mend it; none where nothing
    /// does, as far as the configuration shows.
    pub fn reach_problem(&self) -> Option<(String, String)> {
        let local = |host: &str| host == "localhost" || host.ends_with(".localhost");
        let named = self.base_url.as_deref().and_then(|u| axum::http::Uri::try_from(u).ok());
        let host = named.as_ref().and_then(|u| u.host());
        let loopback = |h: &str| {
            local(h) || h.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        };
        let public = host.is_some_and(|h| !loopback(h));
        // Behind a proxy the server listens on loopback, and only `base_url` shows that others come.
        if self.ports.range.is_some() || !local(&self.domain) || (self.listen.ip().is_loopback() && !public) {
            return None;
        }
        let found = format!(
            "students on other machines come here, but ports get names below `{}`, which lead to the student's own machine",
            self.domain
        );
        let mend = match host.filter(|h| !loopback(h) && h.parse::<std::net::IpAddr>().is_err()) {
            Some(host) => format!(
                "set `domain = \"{host}\"` and a DNS record *.{host} that leads here, or `range` in [ports] where there can be none"
            ),
            None => {
                "set `base_url` and `domain` to a name with a DNS record *.NAME that leads here; the README's section \
                     `For a class` shows how"
                    .to_owned()
            }
        };
        Some((found, mend))
    }

    /// Scheme, host and port under which browsers reach the server, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.base_url.clone().unwrap_or_else(|| {
            let host = match self.listen.ip() {
                ip if ip.is_loopback() || ip.is_unspecified() => "localhost".to_owned(),
                std::net::IpAddr::V6(ip) => format!("[{ip}]"),
                ip => ip.to_string(),
            };
            format!("http://{host}:{}", self.listen.port())
        })
    }
}

/// What does not fit, its key as the file has it, and where it was said.
fn in_words(e: &figment::Error) -> String {
    use figment::{Source, error::Kind};
    let key = e.path.join(".").to_lowercase();
    let place = e.metadata.as_ref().map(|m| match &m.source {
        Some(Source::File(file)) => file.display().to_string(),
        _ => m.name.to_string(),
    });
    let what = match &e.kind {
        Kind::UnknownField(_, known) => format!("there is no key `{key}`; there are {}", known.join(", ")),
        kind if key.is_empty() => kind.to_string(),
        kind => format!("{key}: {kind}"),
    };
    place.map_or(what.clone(), |place| format!("{place}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str) -> Result<Config, ConfigError> {
        let f = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(f.path(), toml).unwrap();
        Config::load(Some(f.path()), &serde_json::json!({}))
    }

    #[test]
    fn the_commented_file_says_the_defaults() {
        let text = include_str!("../deploy/boatyard.toml");
        // Keys without a default stand commented out.
        let c = load(text).unwrap();
        assert_eq!(serde_json::to_value(&c).unwrap(), serde_json::to_value(Config::default()).unwrap());
        let keys = text.lines().filter(|l| l.contains(" = ")).count();
        assert!(keys >= 20, "the file shows {keys} keys");
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let e = load("[sessions]\nduratoin = \"1h\"").unwrap_err().to_string();
        assert!(e.contains("duratoin"), "{e}");
    }

    #[test]
    fn an_impossible_value_is_refused_by_name() {
        for (toml, key) in [
            ("[sessions]\nmax = 0", "sessions.max"),
            ("[sessions]\nmax = \"many\"", "sessions.max"),
            ("[limits]\nmemory = \"1 MiB\"", "limits.memory"),
            ("data = \"here\"", "data"),
            ("base_url = \"lab.example.org\"", "base_url"),
            ("[try]\nhosts = [\"http://git.lab\"]", "must name its port"),
            ("[sdk]\norigins = [\"*\"]", "sdk.origins"),
            ("[sdk]\norigins = [\"https://tutorial.example/posts\"]", "sdk.origins"),
            ("[sdk]\norigins = [\"http://8080-node1-abcdefghij.localhost:8000\"]", "sdk.origins"),
            ("[ports]\nrange = \"20099-20000\"", "ports.range"),
            ("[ports]\nrange = \"7000-7900\"\n[sdk]\norigins = [\"http://lab:7001\"]", "sdk.origins"),
            ("[ports]\nrange = \"7000-9000\"", "ports.range"),
            ("[ports]\norigin = \"apps.example.org\"", "ports.origin"),
        ] {
            let e = load(toml).unwrap_err().to_string();
            assert!(e.contains(key), "{e}");
        }
    }

    #[test]
    fn names_that_lead_nowhere_for_others_are_told() {
        for (toml, told) in [
            ("", None),
            ("listen = \"0.0.0.0:8000\"", Some("set `base_url` and `domain`")),
            ("listen = \"0.0.0.0:8000\"\nbase_url = \"http://192.0.2.7:8000\"", Some("set `base_url` and `domain`")),
            ("base_url = \"https://lab.example.org\"", Some("set `domain = \"lab.example.org\"`")),
            ("base_url = \"http://localhost:80\"", None),
            ("listen = \"0.0.0.0:8000\"\ndomain = \"lab.example.org\"", None),
            ("listen = \"0.0.0.0:8000\"\n[ports]\nrange = \"20000-20099\"", None),
        ] {
            let problem = load(toml).unwrap().reach_problem().map(|(_, mend)| mend);
            assert_eq!(problem.is_some(), told.is_some(), "{toml}: {problem:?}");
            assert!(told.is_none_or(|t| problem.as_ref().unwrap().contains(t)), "{toml}: {problem:?}");
        }
    }

    #[test]
    fn flags_go_over_the_file() {
        let f = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(f.path(), "listen = \"127.0.0.1:1\"").unwrap();
        let c = Config::load(Some(f.path()), &serde_json::json!({"listen": "127.0.0.1:2"})).unwrap();
        assert_eq!(c.listen.port(), 2);
    }
}
