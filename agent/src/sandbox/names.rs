//! `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf`, and what login shells say first.

use std::{fmt::Write, fs, io};

use boatyard_protocol::agent::{AgentConfig, GREETING_FILE, HostEntry};

const HOSTS: &str = "/etc/hosts";
const BEGIN: &str = "# Boatyard writes the lines down to \"end\"; put yours below.";
const END: &str = "# end";

/// Writes them all.
pub fn write(config: &AgentConfig) {
    let resolv: String = config.dns.iter().map(|ip| format!("nameserver {ip}\n")).collect();
    let done = [
        ("/etc/hostname", fs::write("/etc/hostname", format!("{}\n", config.hostname))),
        ("/etc/resolv.conf", fs::write("/etc/resolv.conf", resolv)),
        (HOSTS, write_hosts(config, &config.hosts)),
    ];
    let greeting = config.greeting.as_deref().map_or(Ok(()), |text| {
        fs::create_dir_all("/run/boatyard")?;
        fs::write(GREETING_FILE, text)
    });
    for (file, done) in done.into_iter().chain([(GREETING_FILE, greeting)]) {
        if let Err(e) = done {
            tracing::warn!("writing {file}: {e}");
        }
    }
}

/// Writes `/etc/hosts` with the given other nodes. Lines that the student added are kept.
///
/// # Errors
/// What open(2) and write(2) say.
pub fn write_hosts(config: &AgentConfig, others: &[HostEntry]) -> io::Result<()> {
    let old = fs::read(HOSTS).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
    fs::write(HOSTS, hosts(config, others, &old))
}

fn hosts(config: &AgentConfig, others: &[HostEntry], old: &str) -> String {
    let mut out = format!("{BEGIN}\n127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    if let Some(address) = config.address {
        let _ = writeln!(out, "{address} {}", config.hostname);
    } else {
        let _ = writeln!(out, "127.0.1.1 {}", config.hostname);
    }
    for tunnel in config.tunnels.iter().filter(|t| !t.names.is_empty()) {
        let address = tunnel.aliases.first().map_or(std::net::Ipv4Addr::LOCALHOST, |a| *a.ip());
        let _ = writeln!(out, "{address} {}", tunnel.names.join(" "));
    }
    for entry in others {
        let _ = writeln!(out, "{} {}", entry.address, entry.names.join(" "));
    }
    out.push_str(END);
    out.push('\n');
    let own = match (old.find(BEGIN), old.split_once(&format!("\n{END}\n"))) {
        (Some(begin), Some((_, after))) => format!("{}{after}", &old[..begin]),
        // The image's own file: all that it says of localhost is said above.
        _ => {
            old.lines().filter(|l| !l.contains("localhost") && !l.trim().is_empty()).map(|l| format!("{l}\n")).collect()
        }
    };
    out.push_str(&own);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_students_lines_stay() {
        let config: AgentConfig = serde_json::from_value(serde_json::json!({
            "hostname": "node1", "docker": "off", "address": "100.96.0.2",
            "tunnels": [{"service": "registry", "port": 61500, "aliases": ["127.0.0.2:5000"], "names": ["registry.lab"]}],
        }))
        .unwrap();
        let first = hosts(&config, &[], "127.0.0.1 localhost\n");
        assert!(first.contains("\n100.96.0.2 node1\n127.0.0.2 registry.lab\n# end\n"), "{first}");
        let mine = format!("{first}10.0.0.1 mine\n");
        let node2 = HostEntry { address: "100.96.0.3".parse().unwrap(), names: vec!["node2".into()] };
        let second = hosts(&config, &[node2], &mine);
        assert!(second.contains("100.96.0.3 node2\n# end\n10.0.0.1 mine\n"), "{second}");
        assert_eq!(second.matches("127.0.0.1 localhost").count(), 1);
        assert_eq!(hosts(&config, &[], &second), mine);
    }
}
