//! A file being written.

use std::{
    ffi::OsString,
    fs::{Metadata, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use boatyard_protocol::agent::FileEntry;
use tokio::{fs, io::AsyncWriteExt};

use super::{entry, etag, inherit, is_read_only, make_folder, off_loop, regular, rename, resolve};

/// What must hold of the file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Any,
    /// There is none.
    New,
    /// It has this etag.
    Same(String),
}

/// Why a file is not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The [`Condition`] does not hold.
    #[error("the file was changed meanwhile")]
    Changed,
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Held from the look at the condition to the replacement, so that of two writers with the same condition one fails.
static REPLACING: Mutex<()> = Mutex::new(());

/// A file being written: beside its place until [`Draft::finish`], so that nobody sees half of it.
pub struct Draft {
    path: PathBuf,
    temporary: Temporary,
    file: fs::File,
    mode: Option<u32>,
    condition: Condition,
}

/// Removed when it is dropped, unless it took its place.
struct Temporary(Option<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Draft {
    /// Starts to write `path`, making missing folders. A link is followed: what it points to is replaced.
    ///
    /// # Errors
    /// [`WriteError::Changed`] where the condition does not hold even now; what open(2) says;
    /// [`io::ErrorKind::IsADirectory`] for a folder and [`io::ErrorKind::InvalidInput`] for a device or pipe.
    pub async fn create(path: PathBuf, mode: Option<u32>, condition: Condition) -> Result<Draft, WriteError> {
        off_loop(move || {
            let path = resolve(&path);
            check(&path, &condition)?;
            let (folder, name) = match (path.parent(), path.file_name()) {
                (Some(folder), Some(name)) => (folder, name),
                _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file").into()),
            };
            make_folder(folder)?;
            if is_read_only(folder) {
                return Err(io::Error::from(io::ErrorKind::ReadOnlyFilesystem).into());
            }
            let mut temporary = OsString::from(".");
            temporary.push(name.to_string_lossy().chars().take(40).collect::<String>());
            temporary.push(format!(".{}.part", unique()));
            let temporary = folder.join(temporary);
            let mut options = std::fs::OpenOptions::new();
            std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
            let file = options.open(&temporary)?;
            Ok(Draft { path, temporary: Temporary(Some(temporary)), file: file.into(), mode, condition })
        })
        .await
    }

    /// Where to write the bytes.
    pub fn file(&mut self) -> &mut fs::File {
        &mut self.file
    }

    /// Puts the file in its place, with the owner and mode of the one that it replaces.
    ///
    /// # Errors
    /// [`WriteError::Changed`] where the condition does not hold any more; what rename(2) says; ENOSPC when the disk is
    /// full.
    pub async fn finish(mut self) -> Result<FileEntry, WriteError> {
        self.file.flush().await?;
        off_loop(move || self.replace()).await
    }

    fn replace(mut self) -> Result<FileEntry, WriteError> {
        let Some(temporary) = self.temporary.0.clone() else { return Err(io::Error::other("already placed").into()) };
        let _one = REPLACING.lock().unwrap_or_else(PoisonError::into_inner);
        let old = check(&self.path, &self.condition)?;
        match (&old, self.path.parent()) {
            (Some(old), _) => chown(&temporary, Some(old.uid()), Some(old.gid()))?,
            (None, Some(folder)) => inherit(folder, &temporary)?,
            (None, None) => {}
        }
        let mode = self.mode.or(old.map(|m| m.mode() & 0o7777)).unwrap_or(0o644);
        std::fs::set_permissions(&temporary, Permissions::from_mode(mode & 0o7777))?;
        let placed = match self.condition {
            // In one step also against processes that know nothing of this lock.
            Condition::New => rename(&temporary, &self.path),
            _ => std::fs::rename(&temporary, &self.path),
        };
        match placed {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(WriteError::Changed),
            // A file that is a mount point of its own, as /etc/resolv.conf often is, keeps its place.
            Err(e) if e.raw_os_error() == Some(libc::EBUSY) => {
                std::fs::copy(&temporary, &self.path)?;
            }
            done => {
                done?;
                self.temporary.0 = None;
            }
        }
        Ok(entry(&self.path)?)
    }
}

/// What is at the path now, if the condition holds of it.
fn check(path: &Path, condition: &Condition) -> Result<Option<Metadata>, WriteError> {
    let old = match std::fs::metadata(path) {
        Ok(meta) => Some(meta),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e.into()),
    };
    match (condition, &old) {
        (Condition::New, Some(_)) => return Err(WriteError::Changed),
        (Condition::Same(wanted), old) if old.as_ref().map(etag).as_ref() != Some(wanted) => {
            return Err(WriteError::Changed);
        }
        (_, Some(meta)) => regular(meta)?,
        (_, None) => {}
    }
    Ok(old)
}

/// A number that no other draft of this agent has.
fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
