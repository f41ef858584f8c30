//! The host's own apt settings: which mirror, keyring and proxy reach Debian's packages from here.
//!
//! Images are built with them, and nothing of them stays inside an image.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// Where Debian's own keyring lies when a source names none.
const DEBIAN_KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Settings under `Acquire::` that say how to reach a mirror; all others are matters of the host alone.
const ACQUIRE: [&str; 10] =
    ["http", "https", "ftp", "tor", "socks", "ForceIPv4", "ForceIPv6", "Retries", "Check-Valid-Until", "Check-Date"];

/// One archive in the host's apt sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The archive's address, without a closing slash.
    pub uri: String,
    /// Suites of it that the host uses, such as `bookworm-security`.
    pub suites: Vec<String>,
    /// Its components, such as `main`.
    pub components: Vec<String>,
    /// Keyring that signs it, when the host names one.
    pub signed_by: Option<PathBuf>,
    /// Whether the host trusts it unsigned.
    pub trusted: bool,
}

/// How this host reaches Debian's packages.
#[derive(Debug, Clone)]
pub struct HostApt {
    main: Source,
    security: Option<Source>,
    acquire: String,
}

impl HostApt {
    /// Reads the host's settings below `/etc/apt`. The environment's `BOATYARD_DEBIAN_MIRROR`, an archive's address,
    /// takes the place of the sources.
    ///
    /// # Errors
    /// When no source is a Debian archive.
    pub fn read() -> Result<HostApt> {
        let acquire = Command::new("apt-config").args(["dump", "Acquire"]).output();
        let acquire = acquire.map(|o| acquire_settings(&String::from_utf8_lossy(&o.stdout))).unwrap_or_default();
        let sources = match std::env::var("BOATYARD_DEBIAN_MIRROR") {
            Ok(uri) if !uri.is_empty() => vec![Source {
                uri: uri.trim_end_matches('/').to_owned(),
                suites: vec!["stable".into()],
                components: vec!["main".into()],
                signed_by: None,
                trusted: false,
            }],
            _ => read_sources(Path::new("/etc/apt"))?,
        };
        HostApt::choose(sources, acquire)
    }

    fn choose(sources: Vec<Source>, acquire: String) -> Result<HostApt> {
        let is_security = |s: &Source| s.suites.iter().any(|n| n.contains("-security") || n.ends_with("/updates"));
        let debian = |s: &&Source| s.suites.iter().any(|suite| is_debian_suite(suite)) && reachable(&s.uri);
        let Some(main) = sources.iter().filter(debian).find(|s| !is_security(s)).cloned() else {
            bail!(
                "this host's apt sources name no Debian archive. Set BOATYARD_DEBIAN_MIRROR to the address of one, \
                 such as http://mirror.example/debian"
            );
        };
        let security = sources.iter().filter(debian).find(|s| is_security(s)).cloned();
        Ok(HostApt { main, security, acquire })
    }

    /// One-line apt sources for `suite`: the archive and, where the host has one, its security updates.
    pub fn lines(&self, suite: &str) -> Vec<String> {
        let mut lines = vec![self.main.line(suite)];
        // Unstable has no security archive of its own.
        if let Some(security) = self.security.as_ref().filter(|_| !matches!(suite, "sid" | "unstable")) {
            lines.push(security.line(&format!("{suite}-security")));
        }
        lines
    }

    /// One-line apt sources for `suite`, and preferences (apt_preferences(5)) by which only `packages` come from the
    /// others: suite to packages.
    pub fn lines_with(&self, suite: &str, others: &BTreeMap<String, Vec<String>>) -> (Vec<String>, String) {
        let mut lines = self.lines(suite);
        let mut preferences = String::new();
        for (other, packages) in others {
            lines.extend(self.lines(other));
            // A suite goes by its code name and by what it is.
            for kind in ["n", "a"] {
                for (package, priority) in [("*", -1), (&packages.join(" "), 990)] {
                    preferences +=
                        &format!("Package: {package}\nPin: release {kind}={other}\nPin-Priority: {priority}\n\n");
                }
            }
        }
        (lines, preferences)
    }

    /// The `Acquire` settings (proxies, retries, certificates) in the form of apt.conf(5).
    pub fn acquire(&self) -> &str {
        &self.acquire
    }
}

impl Source {
    fn line(&self, suite: &str) -> String {
        let keyring = self.signed_by.as_deref().unwrap_or(Path::new(DEBIAN_KEYRING));
        let options = if self.trusted { "trusted=yes".to_owned() } else { format!("signed-by={}", keyring.display()) };
        format!("deb [{options}] {} {suite} main", self.uri)
    }
}

fn is_debian_suite(suite: &str) -> bool {
    const NAMES: [&str; 9] =
        ["bullseye", "bookworm", "trixie", "forky", "sid", "stable", "testing", "unstable", "oldstable"];
    // Third parties also name their suites after Debian's, but as `bookworm-pgdg` or `cloud-sdk-bookworm`.
    let (name, rest) = suite.split_once(['-', '/']).unwrap_or((suite, ""));
    NAMES.contains(&name) && matches!(rest, "" | "updates" | "security" | "backports" | "proposed-updates")
}

fn reachable(uri: &str) -> bool {
    // A CD is not in its drive when a server builds images.
    let path = uri.trim_end_matches('/');
    !uri.starts_with("cdrom:") && path.rsplit('/').next().is_some_and(|last| last.contains("debian"))
        || uri.starts_with("mirror+file:")
}

fn read_sources(apt: &Path) -> Result<Vec<Source>> {
    let mut files = vec![apt.join("sources.list")];
    if let Ok(entries) = fs::read_dir(apt.join("sources.list.d")) {
        files.extend(entries.flatten().map(|e| e.path()));
    }
    files.sort();
    let mut sources = Vec::new();
    for file in files.iter().filter(|f| f.is_file()) {
        let text = || fs::read_to_string(file).with_context(|| format!("reading {}", file.display()));
        match file.extension().and_then(|e| e.to_str()) {
            Some("list") => sources.extend(text()?.lines().filter_map(parse_line)),
            Some("sources") => sources.extend(parse_deb822(&text()?)),
            _ => {}
        }
    }
    Ok(sources)
}

/// A line of the one-line format: `deb [options] uri suite components…`.
fn parse_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let rest = line.strip_prefix("deb").filter(|r| r.starts_with([' ', '\t', '[']))?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let uri = words.next()?.trim_end_matches('/').to_owned();
    let suites = vec![words.next()?.to_owned()];
    let option = |key: &str| options.split_whitespace().find_map(|o| o.strip_prefix(key)?.strip_prefix('='));
    Some(Source {
        uri,
        suites,
        components: words.map(str::to_owned).collect(),
        signed_by: option("signed-by").and_then(keyring),
        trusted: option("trusted") == Some("yes"),
    })
}

/// The stanzas of a deb822 file; a stanza with several URIs gives several sources.
fn parse_deb822(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            sources.extend(stanza(&std::mem::take(&mut fields)));
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((key, value)) = line.split_once(':') {
            fields.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    sources
}

fn stanza(fields: &[(String, String)]) -> Vec<Source> {
    let get = |key: &str| fields.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v.as_str());
    let words = |key: &str| get(key).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    if !words("types").iter().any(|t| t == "deb") || matches!(get("enabled"), "no" | "false" | "0") {
        return Vec::new();
    }
    let source = |uri: String| Source {
        uri: uri.trim_end_matches('/').to_owned(),
        suites: words("suites"),
        components: words("components"),
        signed_by: keyring(get("signed-by")),
        trusted: get("trusted") == "yes",
    };
    words("uris").into_iter().map(source).collect()
}

/// A keyring's file; a key that stands in the source itself is none.
fn keyring(value: &str) -> Option<PathBuf> {
    value.starts_with('/').then(|| PathBuf::from(value.split(',').next().unwrap_or(value)))
}

fn acquire_settings(dump: &str) -> String {
    let wanted = |line: &&str| {
        let key = line.strip_prefix("Acquire::").and_then(|l| l.split([':', ' ']).next());
        key.is_some_and(|k| ACQUIRE.iter().any(|a| a.eq_ignore_ascii_case(k))) && !line.ends_with(" \"\";")
    };
    dump.lines().filter(wanted).flat_map(|l| [l, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_one_line_format() {
        let s = parse_line("deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian/ trixie main contrib # x")
            .unwrap();
        assert_eq!(s.uri, "http://mirror.example/debian");
        assert_eq!(s.suites, ["trixie"]);
        assert_eq!(s.components, ["main", "contrib"]);
        assert_eq!(s.signed_by.as_deref(), Some(Path::new("/k.gpg")));
        assert!(!s.trusted);
        assert!(parse_line("deb [trusted=yes] file:/srv/debian stable main").unwrap().trusted);
        for none in [
            "",
            "# deb http://mirror.example/debian trixie main",
            "deb-src http://mirror.example/debian trixie main",
            "deb",
        ] {
            assert_eq!(parse_line(none), None, "{none}");
        }
    }

    #[test]
    fn reads_deb822_with_several_uris_comments_and_continued_lines() {
        let text = "# top\nTypes: deb deb-src\nURIs: http://a.example/debian/\n http://b.example/debian\n# between\nSuites: \
                    bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n\nTypes: deb-src\nURIs: \
                    http://c.example/debian\nSuites: bookworm\n\nTypes: deb\nEnabled: no\nURIs: http://d.example/debian\n";
        let sources = parse_deb822(text);
        assert_eq!(
            sources.iter().map(|s| s.uri.as_str()).collect::<Vec<_>>(),
            ["http://a.example/debian", "http://b.example/debian"]
        );
        assert_eq!(sources[1].suites, ["bookworm", "bookworm-updates"]);
    }

    #[test]
    fn chooses_debian_among_third_parties_and_knows_its_security_archive() {
        let lines = "deb https://vendor.example/apt cloud-sdk-bookworm main\n\
                     deb http://vendor.example/debian bookworm-vendor main\n\
                     deb cdrom:[Debian]/debian bookworm main\n\
                     deb http://mirror.example/debian-security bookworm-security main\n\
                     deb http://mirror.example/debian bookworm main\n";
        let apt = HostApt::choose(lines.lines().filter_map(parse_line).collect(), String::new()).unwrap();
        assert_eq!(
            apt.lines("trixie"),
            [
                format!("deb [signed-by={DEBIAN_KEYRING}] http://mirror.example/debian trixie main"),
                format!("deb [signed-by={DEBIAN_KEYRING}] http://mirror.example/debian-security trixie-security main"),
            ]
        );
        assert_eq!(apt.lines("sid").len(), 1);
        let none = HostApt::choose(lines.lines().take(3).filter_map(parse_line).collect(), String::new());
        assert!(none.unwrap_err().to_string().contains("BOATYARD_DEBIAN_MIRROR"));
    }

    #[test]
    fn takes_from_another_suite_only_what_is_named() {
        let line = "deb http://mirror.example/debian bookworm main";
        let apt = HostApt::choose(parse_line(line).into_iter().collect(), String::new()).unwrap();
        let none = apt.lines_with("trixie", &BTreeMap::new());
        assert_eq!((none.0.len(), none.1.as_str()), (1, ""));
        let others = BTreeMap::from([("sid".to_owned(), vec!["apptainer".to_owned(), "x".to_owned()])]);
        let (lines, preferences) = apt.lines_with("trixie", &others);
        assert!(lines[1].ends_with("http://mirror.example/debian sid main"), "{lines:?}");
        assert!(preferences.contains("Package: *\nPin: release n=sid\nPin-Priority: -1\n"), "{preferences}");
        assert!(preferences.contains("Package: apptainer x\nPin: release n=sid\nPin-Priority: 990\n"), "{preferences}");
    }

    #[test]
    fn keeps_only_settings_that_reach_a_mirror() {
        let dump = "Acquire \"\";\nAcquire::http::Proxy \"http://proxy.example:3128\";\nAcquire::https \"\";\n\
                    Acquire::Languages \"none\";\nAcquire::Retries \"3\";\nAcquire::httpx::Proxy \"no\";\n";
        assert_eq!(
            acquire_settings(dump),
            "Acquire::http::Proxy \"http://proxy.example:3128\";\nAcquire::Retries \"3\";\n"
        );
    }
}
