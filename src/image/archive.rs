//! Archives of images: OCI layouts, and what `docker save` writes.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, de::DeserializeOwned};

use super::{info::sha256, root::inside};

/// Whether a file of this name, the first in an archive, shows it to be an archive of an image and not of a root file
/// system.
pub(super) fn is_one(first: &Path) -> bool {
    let top = first.components().next().map(|c| c.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
    let hex = top.trim_end_matches(".tar").trim_end_matches(".json");
    matches!(top.as_str(), "oci-layout" | "index.json" | "manifest.json" | "repositories" | "blobs")
        || hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

/// An unpacked archive of an image.
pub(super) struct Archive {
    folder: PathBuf,
    /// Older versions of `docker save` store a layer once and link to it.
    links: HashMap<PathBuf, PathBuf>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    os: String,
    architecture: String,
}

/// An index or a manifest: which, tells what it has.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<PathBuf>,
}

impl Archive {
    /// Unpacks the archive's files, which are blobs and JSON, into `folder`.
    pub(super) fn unpack(archive: impl Read, folder: &Path) -> Result<Archive> {
        let mut links = HashMap::new();
        for entry in tar::Archive::new(archive).entries()? {
            let mut entry = entry.context("the archive is damaged")?;
            let path = inside(&entry.path()?)?;
            let (to, kind) = (folder.join(&path), entry.header().entry_type());
            if kind.is_symlink() || kind.is_hard_link() {
                let target = entry.link_name()?.context("a link without target")?;
                let from = if kind.is_symlink() { path.parent().unwrap_or(Path::new("")) } else { Path::new("") };
                links.insert(path.clone(), inside(&flatten(&from.join(target)))?);
            } else if kind.is_file() {
                fs::create_dir_all(to.parent().unwrap_or(folder))?;
                let _ = fs::remove_file(&to);
                io::copy(&mut entry, &mut File::create_new(&to)?)
                    .with_context(|| format!("unpacking {}", path.display()))?;
            }
        }
        Ok(Archive { folder: folder.to_owned(), links })
    }

    /// The files of the one image's layers, the lowest first.
    pub(super) fn layers(&self) -> Result<Vec<PathBuf>> {
        if self.folder.join("index.json").is_file() {
            let index: Document = self.json(Path::new("index.json"))?;
            let manifest = self.manifest(index, 0)?;
            return manifest.layers.iter().map(|l| self.blob(&l.digest)).collect();
        }
        let saved: Vec<Saved> = self.json(Path::new("manifest.json"))?;
        let [image] = saved.as_slice() else {
            let tags: Vec<_> = saved.iter().filter_map(|s| s.repo_tags.as_deref()).flatten().cloned().collect();
            bail!("the archive holds {} images ({}); save one alone", saved.len(), tags.join(", "));
        };
        image.layers.iter().map(|l| self.file(&inside(l)?)).collect()
    }

    /// Goes from an index to the manifest of this machine's kind.
    fn manifest(&self, document: Document, depth: usize) -> Result<Document> {
        ensure!(depth < 4, "the archive's indexes refer to each other");
        if document.manifests.is_empty() {
            ensure!(!document.layers.is_empty(), "the archive holds no image");
            return Ok(document);
        }
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let fits =
            |d: &&Descriptor| d.platform.as_ref().is_none_or(|p| p.os == "linux" && p.architecture == architecture);
        let mut fitting: Vec<_> = document.manifests.iter().filter(fits).collect();
        // The same image under several tags is listed once for each.
        fitting.dedup_by(|a, b| a.digest == b.digest);
        let [one] = fitting.as_slice() else {
            bail!("the archive holds {} images for linux/{architecture}; save one alone", fitting.len());
        };
        let blob = self.blob(&one.digest)?;
        self.manifest(self.json(blob.strip_prefix(&self.folder)?)?, depth + 1)
    }

    fn blob(&self, digest: &str) -> Result<PathBuf> {
        let hex = digest.strip_prefix("sha256:").filter(|h| h.len() == 64 && h.bytes().all(|b| b.is_ascii_hexdigit()));
        let hex = hex.with_context(|| format!("{digest:?} is no SHA-256 digest"))?;
        let path = self.file(&Path::new("blobs/sha256").join(hex))?;
        ensure!(sha256(&path)? == hex, "the archive is damaged: {digest} has other content");
        Ok(path)
    }

    fn file(&self, path: &Path) -> Result<PathBuf> {
        let mut path = path;
        for _ in 0..8 {
            match self.links.get(path) {
                Some(target) => path = target,
                None => break,
            }
        }
        let file = self.folder.join(path);
        ensure!(file.is_file(), "the archive lacks {}", path.display());
        Ok(file)
    }

    fn json<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        let file = self.file(path)?;
        serde_json::from_reader(io::BufReader::new(File::open(file)?))
            .with_context(|| format!("reading {}", path.display()))
    }
}

/// Resolves `..` by text alone: inside the archive there is nothing but names.
fn flatten(path: &Path) -> PathBuf {
    let mut flat = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir if flat.pop() => {}
            part => flat.push(part),
        }
    }
    flat
}
