//! Reads, writes, lists and removes files of the sandbox.

use std::{
    ffi::OsString,
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use boatyard_protocol::agent::{FileEntry, FileKind};
use tokio::fs;

/// Most entries of one listing.
const MOST_ENTRIES: usize = 100_000;

/// Describes what is at `path`, without following a link.
///
/// # Errors
/// What stat(2) says.
pub async fn entry(path: &Path) -> io::Result<FileEntry> {
    let meta = fs::symlink_metadata(path).await?;
    let target = if meta.is_symlink() { fs::read_link(path).await.ok() } else { None };
    Ok(describe(path, &meta, target))
}

fn describe(path: &Path, meta: &std::fs::Metadata, target: Option<PathBuf>) -> FileEntry {
    let kind = match meta.file_type() {
        t if t.is_file() => FileKind::File,
        t if t.is_dir() => FileKind::Folder,
        t if t.is_symlink() => FileKind::Link,
        _ => FileKind::Other,
    };
    let modified = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    FileEntry {
        name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        kind,
        size: meta.len(),
        mode: meta.mode() & 0o7777,
        modified_ms: (modified / 1_000_000) as i64,
        etag: format!("{:x}-{:x}-{modified:x}", meta.ino(), meta.len()),
        target: target.map(|t| t.to_string_lossy().into_owned()),
    }
}

/// What is in a folder, by name.
///
/// # Errors
/// What opendir(3) says.
pub async fn list(path: PathBuf) -> io::Result<Vec<FileEntry>> {
    tokio::task::spawn_blocking(move || {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&path)?.take(MOST_ENTRIES) {
            let path = entry?.path();
            // Gone since it was listed: left out.
            if let Ok(meta) = std::fs::symlink_metadata(&path) {
                let target = meta.is_symlink().then(|| std::fs::read_link(&path).ok()).flatten();
                entries.push(describe(&path, &meta, target));
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    })
    .await
    .map_err(io::Error::other)?
}

/// Removes a file, a link or a folder with all in it.
///
/// # Errors
/// What unlink(2) says.
pub async fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).await?.is_dir() {
        fs::remove_dir_all(path).await
    } else {
        fs::remove_file(path).await
    }
}

/// Makes the folders that are missing, each with the owner of the one that it lies in.
async fn make_folders(folder: &Path) -> io::Result<()> {
    let missing: Vec<_> = folder.ancestors().take_while(|f| !f.exists()).collect();
    fs::create_dir_all(folder).await?;
    for folder in missing.into_iter().rev() {
        let above = fs::metadata(folder.parent().unwrap_or(Path::new("/"))).await?;
        std::os::unix::fs::chown(folder, Some(above.uid()), Some(above.gid()))?;
    }
    Ok(())
}

/// A file being written: beside its place until [`Draft::finish`], so that nobody sees half of it.
pub struct Draft {
    path: PathBuf,
    temporary: Option<PathBuf>,
    file: fs::File,
    mode: Option<u32>,
    replaced: Option<std::fs::Metadata>,
}

impl Draft {
    /// Starts to write `path`, making missing folders. A link is followed: what it points to is replaced.
    ///
    /// # Errors
    /// What open(2) says; [`io::ErrorKind::IsADirectory`] for a folder.
    pub async fn create(path: &Path, mode: Option<u32>) -> io::Result<Draft> {
        let path = fs::canonicalize(path).await.unwrap_or_else(|_| path.to_owned());
        let replaced = fs::metadata(&path).await.ok();
        if replaced.as_ref().is_some_and(|m| m.is_dir()) {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let (folder, name) = match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => (folder.to_owned(), name.to_owned()),
            _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file")),
        };
        make_folders(&folder).await?;
        // What is no regular file (a device, a pipe) or is itself a mount cannot be replaced, only written into.
        if replaced.as_ref().is_some_and(|m| !m.is_file()) {
            let file = fs::OpenOptions::new().write(true).open(&path).await?;
            return Ok(Draft { path, temporary: None, file, mode, replaced });
        }
        let mut temporary = OsString::from(".");
        temporary.push(name.to_string_lossy().chars().take(60).collect::<String>());
        temporary.push(format!(".{}.part", unique()));
        let temporary = folder.join(temporary);
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&temporary).await?;
        Ok(Draft { path, temporary: Some(temporary), file, mode, replaced })
    }

    /// Where to write the bytes.
    pub fn file(&mut self) -> &mut fs::File {
        &mut self.file
    }

    /// Puts the file in its place, with the owner and mode of the one that it replaces.
    ///
    /// # Errors
    /// What rename(2) says; ENOSPC when the disk is full.
    pub async fn finish(mut self) -> io::Result<FileEntry> {
        use tokio::io::AsyncWriteExt;
        self.file.flush().await?;
        if let Some(temporary) = &self.temporary {
            let mode = self.mode.or(self.replaced.as_ref().map(|m| m.mode() & 0o7777)).unwrap_or(0o644);
            let folder = fs::metadata(temporary.parent().unwrap_or(Path::new("/"))).await?;
            // A new file belongs to whom its folder belongs to: in a student's home, to the student.
            let owner = self.replaced.as_ref().unwrap_or(&folder);
            std::os::unix::fs::chown(temporary, Some(owner.uid()), Some(owner.gid()))?;
            self.file.set_permissions(std::fs::Permissions::from_mode(mode & 0o7777)).await?;
            match fs::rename(temporary, &self.path).await {
                // A file that is a mount point of its own, as /etc/resolv.conf often is, keeps its place.
                Err(e) if e.raw_os_error() == Some(libc::EBUSY) => {
                    fs::copy(temporary, &self.path).await?;
                }
                done => {
                    done?;
                    self.temporary = None;
                }
            }
        }
        entry(&self.path).await
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = std::fs::remove_file(temporary);
        }
    }
}

/// A number that no other draft of this agent has.
fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
