//! The registry's storage on disk, as distribution's file system driver lays it out
//! (`docker/registry/v2/repositories/<name>/_manifests/tags/<tag>/current/link`).

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context;

use super::names::session_prefix;
use crate::{paths::Paths, session::PublicName};

/// The storage.
#[derive(Debug, Clone)]
pub struct Storage {
    repositories: PathBuf,
    /// Whether there may be blobs that nothing refers to.
    dirty: Arc<AtomicBool>,
}

impl Storage {
    pub fn new(paths: &Paths) -> Storage {
        let repositories = paths.registry().join("docker/registry/v2/repositories");
        // What a server before this one left may be garbage.
        Storage { repositories, dirty: Arc::new(AtomicBool::new(true)) }
    }

    /// Digest of a tag, if the repository has it.
    pub fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        let plain = !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !plain || tag.starts_with('.') {
            return None;
        }
        let link = self.repositories.join(repository).join("_manifests/tags").join(tag).join("current/link");
        fs::read_to_string(link).ok().filter(|d| d.starts_with("sha256:"))
    }

    /// Tags of a repository, in order.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        names_in(&self.repositories.join(repository).join("_manifests/tags"))
    }

    /// Repositories of a session, by the names that it knows them by, in order.
    pub fn of_session(&self, session: &PublicName) -> Vec<String> {
        let root = self.repositories.join(session_prefix(session));
        let mut found: Vec<String> = walkdir::WalkDir::new(&root)
            .max_depth(8)
            .into_iter()
            .filter_map(Result::ok)
            .filter(|e| e.file_name() == "_manifests")
            .filter_map(|e| Some(e.path().parent()?.strip_prefix(&root).ok()?.to_str()?.to_owned()))
            .collect();
        found.sort();
        found
    }

    /// A repository of the catalogue that has this blob.
    pub fn in_catalogue(&self, digest: &str) -> Option<String> {
        let hex = digest.strip_prefix("sha256:").filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let library = "catalogue/library";
        names_in(&self.repositories.join(library))
            .into_iter()
            .map(|name| format!("{library}/{name}"))
            .find(|r| self.repositories.join(r).join("_layers/sha256").join(hex).is_dir())
    }

    /// Removes what a session has pushed. Its blobs go with the next garbage collection.
    pub fn remove_session(&self, session: &PublicName) -> anyhow::Result<()> {
        let folder = self.repositories.join(session_prefix(session));
        match fs::remove_dir_all(&folder) {
            Ok(()) => {
                self.dirty.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e).with_context(|| format!("{}", folder.display())),
        }
    }

    /// Whether there may be garbage; asks once.
    pub fn take_dirty(&self) -> bool {
        self.dirty.swap(false, Ordering::Relaxed)
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}
