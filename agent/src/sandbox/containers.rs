//! Where Podman, Skopeo and Apptainer find images: the same places as Docker, by the configuration that they share
//! (containers-registries.conf(5)).

use std::{fs, path::Path};

use boatyard_protocol::agent::{AgentConfig, Tunnel};

use super::offline::is_offline;

const CONFIG: &str = "/etc/containers";

/// Writes it where there are such tools and the image does not bring it itself.
pub fn write_settings(config: &AgentConfig) {
    let file = Path::new(CONFIG).join("registries.conf.d/boatyard.conf");
    if !Path::new(CONFIG).is_dir() || file.exists() {
        return;
    }
    let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
    if let Err(e) = folder.and_then(|()| fs::write(&file, registries(config))) {
        tracing::warn!("writing {}: {e}", file.display());
    }
}

fn registries(config: &AgentConfig) -> String {
    let tunnels = &config.tunnels;
    // One place only: `podman pull nginx` does not ask which nginx is meant.
    let mut out = String::from("unqualified-search-registries = [\"docker.io\"]\n");
    for name in tunnels.iter().filter(|t| t.service == "registry").flat_map(Tunnel::hosts) {
        out += &format!("\n[[registry]]\nlocation = \"{name}\"\ninsecure = true\n");
    }
    let catalogue = tunnels.iter().find(|t| t.service == "catalogue");
    if let Some(Tunnel { port, .. }) = catalogue {
        let catalogue = format!("location = \"127.0.0.1:{port}\"\ninsecure = true\n");
        // Without internet the catalogue is all there is: asking Docker Hub next would only tell of name servers. Apptainer
        // reads this file only for names that have a mirror, so it stays one even then.
        let hub = if is_offline(config) { catalogue.as_str() } else { "location = \"docker.io\"\n" };
        out += &format!("\n[[registry]]\nprefix = \"docker.io\"\n{hub}[[registry.mirror]]\n{catalogue}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_stands_for_docker_hub_and_the_registry_needs_no_certificate() {
        let config = |dns: &[&str]| -> AgentConfig {
            let tunnels = serde_json::json!([
                {"service": "registry", "port": 61500, "aliases": ["127.0.0.2:5000"], "names": ["registry.lab"]},
                {"service": "catalogue", "port": 61501},
            ]);
            let config = serde_json::json!({"hostname": "a", "docker": "off", "dns": dns, "tunnels": tunnels});
            serde_json::from_value(config).unwrap()
        };
        let own = "[[registry]]\nlocation = \"registry.lab:5000\"\ninsecure = true\n";
        let catalogue = "location = \"127.0.0.1:61501\"\ninsecure = true\n";
        let offline = registries(&config(&[]));
        assert!(offline.contains(own), "{offline}");
        assert!(offline.ends_with(&format!("\"docker.io\"\n{catalogue}[[registry.mirror]]\n{catalogue}")), "{offline}");
        let online = registries(&config(&["192.0.2.1"]));
        assert!(online.ends_with(&format!("location = \"docker.io\"\n[[registry.mirror]]\n{catalogue}")), "{online}");
    }
}
