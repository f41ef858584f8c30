//! Where Boatyard keeps things on its host.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

/// The folders of one Boatyard. Two servers with different data folders share nothing.
#[derive(Debug, Clone)]
pub struct Paths {
    data: PathBuf,
    run: PathBuf,
}

impl Paths {
    /// The folders that belong to the data folder `data` (an absolute path).
    pub fn new(data: &Path) -> Paths {
        // Socket paths hold at most 107 bytes (unix(7)) and a data folder may lie deep, so what is bound or mounted at
        // run time lies under /run, in a folder named after the data folder.
        let mut h = DefaultHasher::new();
        data.hash(&mut h);
        Paths { data: data.to_owned(), run: PathBuf::from(format!("/run/boatyard/{:08x}", h.finish() as u32)) }
    }

    /// A short name for this Boatyard, unique on its host: 8 hexadecimal digits.
    pub fn instance(&self) -> &str {
        self.run.file_name().and_then(|n| n.to_str()).unwrap_or_default()
    }

    /// The data folder; survives reboots.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The run-time folder, on a tmpfs; gone after a reboot.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// The SQLite database.
    pub fn database(&self) -> PathBuf {
        self.data.join("boatyard.db")
    }

    /// Lab images: `images/<name>/{rootfs,image.json}`.
    pub fn images(&self) -> PathBuf {
        self.data.join("images")
    }

    /// What building the catalogue needs to keep: base layers, build records.
    pub fn catalogue(&self) -> PathBuf {
        self.data.join("catalogue")
    }

    /// Data and configuration of the supervised registry.
    pub fn registry(&self) -> PathBuf {
        self.data.join("registry")
    }

    /// The Unix socket on which the supervised registry answers; only root can reach it.
    pub fn registry_socket(&self) -> PathBuf {
        self.run.join("registry.sock")
    }

    /// One folder for each sandbox: `sandboxes/<sandbox id>/`.
    pub fn sandboxes(&self) -> PathBuf {
        self.data.join("sandboxes")
    }

    /// The key by which the ssh server proves that it is the same as before; readable by root alone.
    pub fn ssh_host_key(&self) -> PathBuf {
        self.data.join("ssh_host_ed25519_key")
    }

    /// The Unix socket of the operator's commands (`boatyard session ls`); only root can reach it.
    pub fn admin_socket(&self) -> PathBuf {
        self.run.join("admin.sock")
    }
}
