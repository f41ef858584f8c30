//! What is known of the images on this host.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    definition::{Definition, check_name},
    dpkg::Packages,
};
use crate::paths::Paths;

/// `image.json`: what is known of a lab image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageInfo {
    /// Its name.
    pub name: String,
    /// When it was made, in RFC 3339 and UTC.
    pub built_at: String,
    /// Digest of the definition that it was built from; of the file, in hexadecimal digits, if it was imported.
    pub digest: String,
    /// What it is, in one line; empty where nobody said.
    #[serde(default)]
    pub summary: String,
    /// The user to whom terminals and commands belong; root where there is none.
    #[serde(default)]
    pub user: Option<String>,
    /// Where a sandbox's plain disk lies in it.
    #[serde(default = "ImageInfo::usual_disk")]
    pub disk: PathBuf,
    /// How it came here.
    pub origin: Origin,
    /// Bytes on disk of its root file system.
    pub size: u64,
    /// Name of its distribution, such as `Debian GNU/Linux 13 (trixie)`.
    pub distribution: String,
    /// Versions of what matters in it: label, such as `docker`, to version.
    pub versions: BTreeMap<String, String>,
}

/// How an image came to this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Built here from a definition.
    Built,
    /// Brought by the operator.
    Imported,
}

impl ImageInfo {
    /// Looks into a finished root file system. `wanted` says which packages' versions to record: label to package.
    pub(super) fn inspect(
        root: &Path,
        name: &str,
        digest: &str,
        origin: Origin,
        wanted: &BTreeMap<String, String>,
    ) -> Result<ImageInfo> {
        let packages = Packages::read(root);
        let version = |(label, package): (&String, &String)| Some((label.clone(), packages.upstream(package)?));
        Ok(ImageInfo {
            name: name.to_owned(),
            built_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            digest: digest.to_owned(),
            summary: String::new(),
            user: None,
            disk: ImageInfo::usual_disk(),
            origin,
            size: size(root)?,
            distribution: distribution(root),
            versions: wanted.iter().filter_map(version).collect(),
        })
    }

    /// Where a sandbox's plain disk lies unless its image says otherwise: where Docker keeps what it has.
    pub fn usual_disk() -> PathBuf {
        "/var/lib/docker".into()
    }

    /// Takes over what a definition says of how the image is used.
    pub(super) fn described(mut self, definition: &Definition) -> ImageInfo {
        self.summary.clone_from(&definition.summary);
        self.user.clone_from(&definition.user);
        if let Some(disk) = &definition.disk {
            self.disk.clone_from(disk);
        }
        self
    }
}

/// SHA-256 of a file, in hexadecimal digits.
pub(super) fn sha256(file: &Path) -> Result<String> {
    let mut file = fs::File::open(file).with_context(|| format!("opening {}", file.display()))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

/// Bytes that a tree takes on disk; hard links count once.
pub(crate) fn size(root: &Path) -> Result<u64> {
    use std::{collections::HashSet, os::unix::fs::MetadataExt};
    let mut seen = HashSet::new();
    let mut bytes = 0;
    for entry in walkdir::WalkDir::new(root) {
        let meta = entry?.metadata()?;
        if meta.nlink() < 2 || meta.is_dir() || seen.insert(meta.ino()) {
            bytes += meta.blocks() * 512;
        }
    }
    Ok(bytes)
}

fn distribution(root: &Path) -> String {
    // /etc/os-release is a link, which an imported image may point anywhere: read only inside of the root.
    let read = |p: &str| {
        let path = root.join(p);
        let plain = fs::symlink_metadata(&path).is_ok_and(|m| m.is_file() && m.len() < 65536);
        plain.then(|| fs::read_to_string(path).ok()).flatten()
    };
    let release = read("usr/lib/os-release").or_else(|| read("etc/os-release")).unwrap_or_default();
    let name = release.lines().find_map(|l| l.strip_prefix("PRETTY_NAME="));
    name.map_or_else(|| "unknown".to_owned(), |n| n.trim_matches(['"', '\'']).to_owned())
}

/// All whole images, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(paths: &Paths) -> Result<Vec<ImageInfo>> {
    let folder = paths.images();
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).with_context(|| format!("reading {}", folder.display())),
    };
    let names = entries.flatten().filter_map(|e| e.file_name().into_string().ok());
    let mut images: Vec<_> = names.filter_map(|n| read(paths, &n).ok().flatten()).collect();
    images.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(images)
}

/// What is known of one image; `None` if there is no such image.
///
/// # Errors
/// When its record is damaged.
pub fn read(paths: &Paths, name: &str) -> Result<Option<ImageInfo>> {
    if check_name(name).is_err() {
        return Ok(None);
    }
    let file = paths.images().join(name).join("image.json");
    match fs::read(&file) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .with_context(|| format!("{} is damaged: build or import the image again", file.display())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("reading {}", file.display())),
    }
}
