//! The registry's storage on disk, as distribution's file system driver lays it out
//! (`docker/registry/v2/repositories/<name>/_manifests/tags/<tag>/current/link`).

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;

use super::{manifest::Manifest, names::session_prefix};
use crate::{paths::Paths, session::PublicName};

/// Longest manifest or configuration that is read: with all layers that Docker can stack, it is a third of this.
const MAX_DOCUMENT: u64 = 256 << 10;

/// The storage. Its methods wait for the disk: [`Storage::blocking`] calls them where the runtime must not wait.
#[derive(Debug, Clone)]
pub struct Storage {
    pub(super) root: PathBuf,
    repositories: PathBuf,
    blobs: PathBuf,
    /// Whether there may be blobs that nothing refers to.
    dirty: Arc<AtomicBool>,
}

/// What a session has in storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Bytes of its blobs, each once, without those that the catalogue has, and of its unfinished uploads.
    pub bytes: u64,
    /// Files and folders of its repositories.
    pub files: u64,
}

impl Storage {
    pub fn new(paths: &Paths) -> Storage {
        let root = paths.registry();
        let version = root.join("docker/registry/v2");
        // What a server before this one left may be garbage.
        Storage {
            root,
            repositories: version.join("repositories"),
            blobs: version.join("blobs"),
            dirty: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Does something with the storage on a thread that may wait for the disk.
    pub async fn blocking<T: Send + 'static>(&self, what: impl FnOnce(&Storage) -> T + Send + 'static) -> T {
        let storage = self.clone();
        match tokio::task::spawn_blocking(move || what(&storage)).await {
            Ok(done) => done,
            Err(e) => match e.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only a runtime that ends cancels it, and then nobody waits for the answer.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Bytes that are free on the storage's disk; `None` where the system does not say.
    pub fn free(&self) -> Option<u64> {
        let disk = nix::sys::statvfs::statvfs(&self.root).ok()?;
        Some(disk.blocks_available() as u64 * disk.fragment_size() as u64)
    }

    /// Digest of a tag, if the repository has it.
    pub fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        let plain = !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !plain || tag.starts_with('.') {
            return None;
        }
        fs::read_to_string(self.tag_folder(repository, tag).join("current/link"))
            .ok()
            .filter(|d| d.starts_with("sha256:"))
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

    /// What a session takes. Walks through all its repositories.
    pub fn stored(&self, session: &PublicName) -> Stored {
        let mut blobs = HashSet::new();
        let mut stored = Stored::default();
        let root = self.repositories.join(session_prefix(session));
        for entry in walkdir::WalkDir::new(&root).min_depth(1).into_iter().flatten() {
            stored.files += 1;
            let mut above = entry.path().iter().rev().skip(1).map(|c| c.as_encoded_bytes());
            let name = entry.file_name();
            match (above.next(), above.next()) {
                (Some(b"sha256"), Some(b"_layers" | b"revisions")) => {
                    blobs.extend(name.to_str().map(str::to_owned));
                }
                (_, Some(b"_uploads")) if name == "data" => stored.bytes += length(entry.path()),
                _ => {}
            }
        }
        let own = blobs.iter().filter(|hex| self.in_catalogue(&format!("sha256:{hex}")).is_none());
        stored.bytes += own.map(|hex| length(&self.blob(hex))).sum::<u64>();
        stored
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

    /// Repositories below `namespace` into which something was sent in the last while: blobs of a push that is not
    /// finished look like garbage.
    pub fn busy(&self, namespace: &str, for_the_last: Duration) -> Vec<PathBuf> {
        let recent = |p: &Path| {
            let modified = fs::metadata(p).and_then(|m| m.modified());
            modified.is_ok_and(|m| m.elapsed().is_ok_and(|age| age < for_the_last))
        };
        let mut found = repositories(&self.repositories.join(namespace));
        found.retain(|r| {
            // A folder's time is that of the last entry made in it.
            let uploads = r.join("_uploads");
            let growing = || names_in(&uploads).iter().any(|u| recent(&uploads.join(u).join("data")));
            recent(&uploads) || recent(&r.join("_layers/sha256")) || growing()
        });
        found
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

    /// Removes what a session has pushed; whether there was anything. Its blobs go with the next garbage collection.
    ///
    /// # Errors
    /// When something stays.
    pub fn remove_session(&self, session: &PublicName) -> anyhow::Result<bool> {
        remove_folder(&self.repositories.join(session_prefix(session)))
    }

    /// Tags of a repository with their digests and when each was pushed, the last one first.
    pub fn pushed(&self, repository: &str) -> Vec<(String, String, jiff::Timestamp)> {
        let tag = |name: String| {
            let digest = self.digest(repository, &name)?;
            let link = self.tag_folder(repository, &name).join("current/link");
            let pushed = fs::metadata(link).and_then(|m| m.modified()).ok()?.try_into().ok()?;
            Some((name, digest, pushed))
        };
        let mut found: Vec<_> = self.tags(repository).into_iter().filter_map(tag).collect();
        found.sort_by_key(|(_, _, pushed)| std::cmp::Reverse(*pushed));
        found
    }

    /// Where a manifest of a repository lies; `None` where the repository has no such manifest.
    pub fn manifest_file(&self, repository: &str, digest: &str) -> Option<PathBuf> {
        let hex = sha256(digest)?;
        let link = self.revision(repository, hex).join("link");
        link.is_file().then(|| self.blob(hex))
    }

    /// Where a blob of a repository lies; `None` where the repository has no such blob.
    pub fn blob_file(&self, repository: &str, digest: &str) -> Option<PathBuf> {
        self.holds(repository, digest).then(|| self.blob(sha256(digest).unwrap_or_default()))
    }

    /// A manifest or a configuration; `None` for one that is larger than any that is worth reading.
    pub fn document(file: &Path) -> Option<Vec<u8>> {
        (length(file) <= MAX_DOCUMENT).then(|| fs::read(file).ok())?
    }

    /// The images of the catalogue that have each blob, the one with the fewest blobs first.
    pub fn catalogue_layers(&self) -> HashMap<String, Vec<String>> {
        let library = self.repositories.join("catalogue/library");
        let mut images: Vec<_> =
            names_in(&library).into_iter().map(|n| (names_in(&library.join(&n).join("_layers/sha256")), n)).collect();
        images.sort_by_key(|(blobs, _)| blobs.len());
        let mut layers: HashMap<String, Vec<String>> = HashMap::new();
        for (blobs, image) in images {
            for hex in blobs {
                layers.entry(format!("sha256:{hex}")).or_default().push(image.clone());
            }
        }
        layers
    }

    /// Removes a tag, and the manifests that no other tag leads to; whether there was one.
    ///
    /// # Errors
    /// When something stays.
    pub fn remove_tag(&self, repository: &str, tag: &str) -> anyhow::Result<bool> {
        let Some(digest) = self.digest(repository, tag) else { return Ok(false) };
        let gone = self.leads_to(repository, &digest);
        remove_folder(&self.tag_folder(repository, tag))?;
        let left: HashSet<String> =
            self.tags(repository).into_iter().filter_map(|t| self.digest(repository, &t)).collect();
        let left: HashSet<String> = left.iter().flat_map(|d| self.leads_to(repository, d)).collect();
        for hex in gone.iter().filter(|d| !left.contains(*d)).filter_map(|d| sha256(d)) {
            remove_folder(&self.revision(repository, hex))?;
        }
        Ok(true)
    }

    /// Removes a repository, but none whose name goes on from its own; whether there was one.
    ///
    /// # Errors
    /// When something stays.
    pub fn remove_repository(&self, repository: &str) -> anyhow::Result<bool> {
        let folder = self.repositories.join(repository);
        let mut any = false;
        for part in ["_manifests", "_layers", "_uploads"] {
            any |= remove_folder(&folder.join(part))?;
        }
        // Folders of its name that lead to nothing else, up to the session's own.
        let depth = repository.split('/').count();
        for above in folder.ancestors().take(depth.saturating_sub(2)) {
            if fs::remove_dir(above).is_err() {
                break;
            }
        }
        Ok(any)
    }

    /// A manifest and, if it is an index, those in it.
    fn leads_to(&self, repository: &str, digest: &str) -> Vec<String> {
        let file = self.manifest_file(repository, digest);
        let manifest = file.and_then(|f| Storage::document(&f)).map(|json| Manifest::read(&json)).unwrap_or_default();
        let mut all = vec![digest.to_owned()];
        all.extend(manifest.manifests().map(|m| m.digest.clone()));
        all
    }

    fn tag_folder(&self, repository: &str, tag: &str) -> PathBuf {
        self.repositories.join(repository).join("_manifests/tags").join(tag)
    }

    fn revision(&self, repository: &str, hex: &str) -> PathBuf {
        self.repositories.join(repository).join("_manifests/revisions/sha256").join(hex)
    }

    pub(super) fn blob(&self, hex: &str) -> PathBuf {
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

/// Removes a folder with all in it; whether it was there.
fn remove_folder(folder: &Path) -> anyhow::Result<bool> {
    match fs::remove_dir_all(folder) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e).with_context(|| format!("{}", folder.display())),
    }
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |m| m.len())
}

pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}
