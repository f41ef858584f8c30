//! The registry's storage on disk, as distribution's file system driver lays it out
//! (`docker/registry/v2/repositories/<name>/_manifests/tags/<tag>/current/link`).

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;

use super::names::session_prefix;
use crate::{paths::Paths, session::PublicName};

/// The storage.
#[derive(Debug, Clone)]
pub struct Storage {
    repositories: PathBuf,
    blobs: PathBuf,
    /// Whether there may be blobs that nothing refers to.
    dirty: Arc<AtomicBool>,
}

impl Storage {
    pub fn new(paths: &Paths) -> Storage {
        let root = paths.registry().join("docker/registry/v2");
        // What a server before this one left may be garbage.
        Storage {
            repositories: root.join("repositories"),
            blobs: root.join("blobs"),
            dirty: Arc::new(AtomicBool::new(true)),
        }
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

    /// The sessions that have pushed something.
    pub fn sessions(&self) -> Vec<PublicName> {
        names_in(&self.repositories.join("sessions")).iter().filter_map(|n| PublicName::parse(n)).collect()
    }

    /// Repositories of a session, by the names that it knows them by, in order.
    pub fn of_session(&self, session: &PublicName) -> Vec<String> {
        let root = self.repositories.join(session_prefix(session));
        let with_manifests = repositories(&root).into_iter().filter(|r| r.join("_manifests").is_dir());
        let mut found: Vec<String> =
            with_manifests.filter_map(|r| Some(r.strip_prefix(&root).ok()?.to_str()?.to_owned())).collect();
        found.sort();
        found
    }

    /// Bytes that a session takes: its blobs, each once, without those that the catalogue has, and its unfinished uploads.
    pub fn size_of_session(&self, session: &PublicName) -> u64 {
        let mut blobs = HashSet::new();
        let mut bytes = 0;
        for repository in repositories(&self.repositories.join(session_prefix(session))) {
            blobs.extend(names_in(&repository.join("_layers/sha256")));
            blobs.extend(names_in(&repository.join("_manifests/revisions/sha256")));
            let uploads = repository.join("_uploads");
            bytes += names_in(&uploads).iter().map(|u| length(&uploads.join(u).join("data"))).sum::<u64>();
        }
        let own = blobs.iter().filter(|hex| self.in_catalogue(&format!("sha256:{hex}")).is_none());
        bytes + own.map(|hex| length(&self.blob(hex))).sum::<u64>()
    }

    /// Whether a repository has a blob.
    pub fn holds(&self, repository: &str, digest: &str) -> bool {
        let layers = self.repositories.join(repository).join("_layers/sha256");
        sha256(digest).is_some_and(|hex| layers.join(hex).join("link").is_file())
    }

    /// Removes an unfinished upload, which its sender will not finish.
    pub fn drop_upload(&self, repository: &str, id: &str) {
        let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if plain {
            // Where it is not there, all is as it shall be.
            let _ = fs::remove_dir_all(self.repositories.join(repository).join("_uploads").join(id));
        }
    }

    /// Whether anything was sent in the last while: blobs of a push that is not finished look like garbage.
    pub fn is_quiet(&self, for_the_last: Duration) -> bool {
        let recent = |p: &Path| {
            let modified = fs::metadata(p).and_then(|m| m.modified());
            modified.is_ok_and(|m| m.elapsed().is_ok_and(|age| age < for_the_last))
        };
        !repositories(&self.repositories).iter().any(|r| {
            // A folder's time is that of the last entry made in it.
            let uploads = r.join("_uploads");
            let growing = || names_in(&uploads).iter().any(|u| recent(&uploads.join(u).join("data")));
            recent(&uploads) || recent(&r.join("_layers/sha256")) || growing()
        })
    }

    /// Whether there is anything at all.
    pub fn has_blobs(&self) -> bool {
        self.blobs.is_dir()
    }

    /// A repository of the catalogue that has this blob.
    pub fn in_catalogue(&self, digest: &str) -> Option<String> {
        let library = "catalogue/library";
        let names = names_in(&self.repositories.join(library)).into_iter();
        names.map(|name| format!("{library}/{name}")).find(|r| self.holds(r, digest))
    }

    /// Removes what a session has pushed. Its blobs go with the next garbage collection.
    pub fn remove_session(&self, session: &PublicName) -> anyhow::Result<()> {
        let folder = self.repositories.join(session_prefix(session));
        match fs::remove_dir_all(&folder) {
            Ok(()) => {
                self.set_dirty();
                Ok(())
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e).with_context(|| format!("{}", folder.display())),
        }
    }

    /// The file of a blob, whether or not it is there; `None` for what is no digest.
    pub fn blob_of(&self, digest: &str) -> Option<PathBuf> {
        sha256(digest).map(|hex| self.blob(hex))
    }

    fn blob(&self, hex: &str) -> PathBuf {
        self.blobs.join("sha256").join(hex.get(..2).unwrap_or_default()).join(hex).join("data")
    }

    /// Says that there may be garbage.
    pub fn set_dirty(&self) {
        self.dirty.store(true, Ordering::Relaxed);
    }

    /// Whether there may be garbage; asks once.
    pub fn take_dirty(&self) -> bool {
        self.dirty.swap(false, Ordering::Relaxed)
    }
}

/// The folders of all repositories below `root`. Components of names never begin with `_`, what belongs to a repository
/// always does.
fn repositories(root: &Path) -> Vec<PathBuf> {
    let mut walk = walkdir::WalkDir::new(root).into_iter();
    let mut found = Vec::new();
    while let Some(entry) = walk.next() {
        let Ok(entry) = entry else { continue };
        if entry.file_type().is_dir() && entry.file_name().as_encoded_bytes().starts_with(b"_") {
            walk.skip_current_dir();
            if let Some(repository) = entry.path().parent().filter(|r| found.last().is_none_or(|f| f != r)) {
                found.push(repository.to_owned());
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The hexadecimal digits of a digest; `None` if it is none.
fn sha256(digest: &str) -> Option<&str> {
    let hex = digest.strip_prefix("sha256:")?;
    (hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))).then_some(hex)
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |m| m.len())
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}
