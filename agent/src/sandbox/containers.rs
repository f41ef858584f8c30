//! Where Podman, Skopeo and Apptainer find images: the same places as Docker, by the configuration that they share
//! (containers-registries.conf(5)).

use std::{fs, path::Path};

use boatyard_protocol::agent::Tunnel;

const CONFIG: &str = "/etc/containers";

/// Writes it where there are such tools and the image does not bring it itself.
pub fn write_settings(tunnels: &[Tunnel]) {
    let file = Path::new(CONFIG).join("registries.conf.d/boatyard.conf");
    if !Path::new(CONFIG).is_dir() || file.exists() {
        return;
    }
    let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
    if let Err(e) = folder.and_then(|()| fs::write(&file, registries(tunnels))) {
        tracing::warn!("writing {}: {e}", file.display());
    }
}

fn registries(tunnels: &[Tunnel]) -> String {
    // One place only: `podman pull nginx` does not ask which nginx is meant.
    let mut out = String::from("unqualified-search-registries = [\"docker.io\"]\n");
    for name in tunnels.iter().filter(|t| t.service == "registry").flat_map(Tunnel::hosts) {
        out += &format!("\n[[registry]]\nlocation = \"{name}\"\ninsecure = true\n");
    }
    out += "\n[[registry]]\nlocation = \"docker.io\"\n";
    for tunnel in tunnels.iter().filter(|t| t.service == "catalogue") {
        let port = tunnel.port;
        out += &format!("[[registry.mirror]]\nlocation = \"127.0.0.1:{port}\"\ninsecure = true\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_stands_for_docker_hub_and_the_registry_needs_no_certificate() {
        let tunnels: Vec<Tunnel> = serde_json::from_value(serde_json::json!([
            {"service": "registry", "port": 61500, "aliases": ["127.0.0.2:5000"], "names": ["registry.lab"]},
            {"service": "catalogue", "port": 61501},
        ]))
        .unwrap();
        assert_eq!(
            registries(&tunnels),
            "unqualified-search-registries = [\"docker.io\"]\n\n[[registry]]\nlocation = \"registry.lab:5000\"\ninsecure = \
             true\n\n[[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"127.0.0.1:61501\"\ninsecure = \
             true\n"
        );
    }
}
