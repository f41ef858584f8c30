//! What is known about one sandbox on this host: its places, derived from its id, and a small record of what is not.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::{
    engine::{SandboxId, SandboxSpec},
    paths::Paths,
};

/// Where the parts of one sandbox lie. Everything here follows from the id, so that a removal finds it without a record.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub id: SandboxId,
    /// OCI bundle, record and disk image; on the data folder's disk.
    pub folder: PathBuf,
    /// Mount points; below the run-time folder, since the sandbox's root must be able to pass through all folders
    /// above its mounts, and a data folder may lie in a closed home folder.
    pub mounts: PathBuf,
    /// The agent's socket.
    pub socket: PathBuf,
    /// The runtime's state.
    pub state: PathBuf,
    /// Name of its cgroup in each hierarchy.
    pub cgroup: String,
    /// Name of the yard's end of its link.
    pub link: String,
}

impl Place {
    pub fn new(paths: &Paths, id: &SandboxId) -> Place {
        let name = id.as_str();
        Place {
            id: id.clone(),
            folder: paths.sandboxes().join(name),
            mounts: mounts_root(paths).join(name),
            socket: agents_root(paths).join(format!("{name}.sock")),
            state: runtime_root(paths).join(name),
            cgroup: format!("{}{name}", cgroup_prefix(paths)),
            link: format!("{LINK_PREFIX}{}", &name["sb-".len()..]),
        }
    }

    pub fn image(&self) -> PathBuf {
        self.folder.join("disk.img")
    }

    pub fn disk(&self) -> PathBuf {
        self.mounts.join("disk")
    }

    pub fn lower(&self) -> PathBuf {
        self.mounts.join("lower")
    }

    pub fn merged(&self) -> PathBuf {
        self.mounts.join("merged")
    }

    /// On the sandbox's own disk as well: what is bound in from elsewhere shows the host's disk in `df` inside.
    pub fn devices(&self) -> PathBuf {
        self.disk().join("dev")
    }

    /// On the sandbox's own disk, so that a sandbox that writes without end to its console fills that and no other.
    pub fn console(&self) -> PathBuf {
        self.disk().join("console.log")
    }

    pub fn runtime_log(&self) -> PathBuf {
        self.folder.join("runtime.log")
    }

    pub fn pid_file(&self) -> PathBuf {
        self.folder.join("pid")
    }
}

/// Links in the yard are called `v<8 digits of the id>`.
pub(super) const LINK_PREFIX: &str = "v";

pub(super) fn mounts_root(paths: &Paths) -> PathBuf {
    paths.run().join("sandboxes")
}

pub(super) fn agents_root(paths: &Paths) -> PathBuf {
    paths.run().join("agents")
}

pub(super) fn runtime_root(paths: &Paths) -> PathBuf {
    paths.run().join("runtime")
}

pub(super) fn cgroup_prefix(paths: &Paths) -> String {
    format!("boatyard-{}-", paths.instance())
}

/// What does not follow from the id. Written before anything else is made, so it holds all that a removal needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub id: String,
    pub range: u32,
    pub network: u16,
    /// Its cgroup folders as full paths: a later server may run in another cgroup, below which they are not.
    pub cgroups: Vec<PathBuf>,
}

impl Record {
    pub fn new(spec: &SandboxSpec, cgroups: Vec<PathBuf>) -> Record {
        Record { id: spec.id.to_string(), range: spec.range.0, network: spec.network.number, cgroups }
    }

    /// Writes it whole or not at all.
    pub fn write(&self, place: &Place) -> Result<()> {
        let new = place.folder.join("sandbox.json.new");
        let mut f = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        f.write_all(&serde_json::to_vec(self)?)?;
        std::fs::rename(&new, place.folder.join("sandbox.json")).context("writing sandbox.json")
    }

    /// The record of a sandbox; none if it has none or it cannot be read, and then a removal goes by names alone.
    pub fn read(place: &Place) -> Option<Record> {
        let text = std::fs::read(place.folder.join("sandbox.json")).ok()?;
        serde_json::from_slice(&text)
            .inspect_err(|e| tracing::warn!(sandbox = %place.id, "sandbox.json cannot be read: {e}"))
            .ok()
    }
}

/// Removes a file; none there is fine.
pub(super) fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Removes a folder with what is in it; none there is fine.
pub(super) fn remove_tree(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}
