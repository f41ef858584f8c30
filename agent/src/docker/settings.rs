//! `/etc/docker/daemon.json` and containerd's configuration.

use std::{fs, io, path::Path};

use boatyard_protocol::agent::Tunnel;
use serde_json::json;

const DAEMON: &str = "/etc/docker/daemon.json";
/// Configuration of containerd. The one in /etc is not asked: distributions' packages put theirs there, with all that
/// Kubernetes would need switched on.
pub const CONTAINERD: &str = "/run/boatyard/containerd.toml";

/// Writes what the image does not bring itself.
pub fn write_if_missing(tunnels: &[Tunnel]) {
    let daemon = || serde_json::to_string_pretty(&daemon(tunnels)).unwrap_or_default() + "\n";
    for (path, text) in [(DAEMON, daemon()), (CONTAINERD, containerd())] {
        if let Err(e) = write(Path::new(path), &text) {
            tracing::warn!("writing {path}: {e}");
        }
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if path.exists() { Ok(()) } else { fs::write(path, text) }
}

fn daemon(tunnels: &[Tunnel]) -> serde_json::Value {
    let registries: Vec<String> = tunnels.iter().filter(|t| t.service == "registry").flat_map(Tunnel::hosts).collect();
    let mirrors: Vec<String> =
        tunnels.iter().filter(|t| t.service == "catalogue").map(|t| format!("http://127.0.0.1:{}", t.port)).collect();
    json!({
        "insecure-registries": registries,
        "registry-mirrors": mirrors,
        // One container's chatter must not fill the student's disk.
        "log-opts": {"max-size": "5m", "max-file": "2"},
    })
}

/// Without the plugins that dockerd never asks for: they cost memory and time to start.
fn containerd() -> String {
    "version = 2\n\
     disabled_plugins = [\n  \
     \"io.containerd.grpc.v1.cri\",\n  \
     \"io.containerd.snapshotter.v1.aufs\",\n  \
     \"io.containerd.snapshotter.v1.blockfile\",\n  \
     \"io.containerd.snapshotter.v1.btrfs\",\n  \
     \"io.containerd.snapshotter.v1.devmapper\",\n  \
     \"io.containerd.snapshotter.v1.zfs\",\n  \
     \"io.containerd.internal.v1.opt\",\n  \
     \"io.containerd.internal.v1.tracing\",\n  \
     \"io.containerd.tracing.processor.v1.otlp\",\n]\n"
        .to_owned()
}
