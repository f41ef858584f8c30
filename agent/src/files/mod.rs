//! Reads, writes, lists, moves, packs and removes files of the sandbox.
//!
//! The student can put anything anywhere: links, pipes, devices, files of /proc, file systems that never answer. So
//! nothing but a regular file is opened, without waiting, and all of it happens off the event loop.

mod draft;
mod tar;

use std::{
    fs::{Metadata, OpenOptions},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, OpenOptionsExt, chown},
    },
    path::{Path, PathBuf},
};

use boatyard_protocol::agent::{FileEntry, FileKind, FileList};
pub use draft::{Condition, Draft, WriteError};
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, RenameFlags, renameat2},
    sys::{
        statfs::{CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, PROC_SUPER_MAGIC, SYSFS_MAGIC, statfs},
        statvfs::{FsFlags, statvfs},
    },
};
pub use tar::pack;

/// Most entries of one listing.
const MOST_ENTRIES: usize = 5_000;
/// Most bytes of the names and targets in one listing.
const MOST_BYTES: usize = 512 << 10;
/// Longest target of a link that is told.
const LONGEST_TARGET: usize = 1024;

/// Runs what waits for the disk off the event loop.
///
/// # Errors
/// What `deed` says.
pub async fn off_loop<T: Send + 'static, E: From<io::Error> + Send + 'static>(
    deed: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    tokio::task::spawn_blocking(deed).await.unwrap_or_else(|e| Err(io::Error::other(e).into()))
}

/// Describes what is at `path`, without following a link.
///
/// # Errors
/// What stat(2) says.
pub fn entry(path: &Path) -> io::Result<FileEntry> {
    let meta = std::fs::symlink_metadata(path)?;
    Ok(FileEntry { read_only: is_read_only(path.parent().unwrap_or(path)), ..describe(path, &meta) })
}

fn kind(meta: &Metadata) -> FileKind {
    match meta.file_type() {
        t if t.is_file() => FileKind::File,
        t if t.is_dir() => FileKind::Folder,
        t if t.is_symlink() => FileKind::Link,
        _ => FileKind::Other,
    }
}

/// Changes with every write and with every replacement.
fn etag(meta: &Metadata) -> String {
    let modified = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    format!("{:x}-{:x}-{modified:x}", meta.ino(), meta.len())
}

fn describe(path: &Path, meta: &Metadata) -> FileEntry {
    let link = meta.is_symlink();
    let target = link.then(|| std::fs::read_link(path).ok()).flatten();
    FileEntry {
        name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        kind: kind(meta),
        size: meta.len(),
        mode: meta.mode() & 0o7777,
        modified_ms: meta.mtime().saturating_mul(1000).saturating_add(meta.mtime_nsec() / 1_000_000),
        etag: etag(meta),
        target: target.filter(|t| t.as_os_str().len() <= LONGEST_TARGET).map(|t| t.to_string_lossy().into_owned()),
        leads_to: link.then(|| std::fs::metadata(path).ok()).flatten().map(|m| kind(&m)),
        read_only: false,
    }
}

/// Whether nothing can be replaced in a folder: its mount is read-only, or it shows the kernel's own affairs.
fn is_read_only(folder: &Path) -> bool {
    let kernel = statfs(folder).is_ok_and(|s| {
        [PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC].contains(&s.filesystem_type())
    });
    kernel || statvfs(folder).is_ok_and(|s| s.flags().contains(FsFlags::ST_RDONLY))
}

/// What is in a folder, by name.
///
/// # Errors
/// What opendir(3) says.
pub fn list(path: &Path) -> io::Result<FileList> {
    let path = std::fs::canonicalize(path)?;
    let read_only = is_read_only(&path);
    let mut list = FileList { path: path.to_string_lossy().into_owned(), entries: Vec::new(), truncated: false };
    let mut bytes = 0;
    for entry in std::fs::read_dir(&path)? {
        let path = entry?.path();
        if list.entries.len() == MOST_ENTRIES || bytes > MOST_BYTES {
            list.truncated = true;
            break;
        }
        // Gone since it was listed: left out.
        if let Ok(meta) = std::fs::symlink_metadata(&path) {
            let entry = FileEntry { read_only, ..describe(&path, &meta) };
            bytes += entry.name.len() + entry.target.as_ref().map_or(0, String::len);
            list.entries.push(entry);
        }
    }
    list.entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(list)
}

/// Opens a regular file to read it; a link is followed.
///
/// # Errors
/// What open(2) says; [`io::ErrorKind::IsADirectory`] for a folder and [`io::ErrorKind::InvalidInput`] for what is
/// neither.
pub fn open(path: &Path) -> io::Result<(std::fs::File, FileEntry)> {
    let path = std::fs::canonicalize(path)?;
    // Opening a device can do something, and opening a pipe can wait for ever; what is put there in between does not.
    regular(&std::fs::metadata(&path)?)?;
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(&path)?;
    let meta = file.metadata()?;
    regular(&meta)?;
    let read_only = is_read_only(path.parent().unwrap_or(&path));
    Ok((file, FileEntry { read_only, ..describe(&path, &meta) }))
}

fn regular(meta: &Metadata) -> io::Result<()> {
    match kind(meta) {
        FileKind::File => Ok(()),
        FileKind::Folder => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// Removes a file, a link or a folder with all in it.
///
/// # Errors
/// What unlink(2) says.
pub fn remove(path: &Path) -> io::Result<()> {
    if path.parent().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the root folder stays"));
    }
    if !std::fs::symlink_metadata(path)?.is_dir() {
        return std::fs::remove_file(path);
    }
    // Without recursion: how deep it goes is the student's choice.
    for entry in walkdir::WalkDir::new(path).contents_first(true) {
        let entry = entry?;
        let removed = match entry.file_type().is_dir() {
            true => std::fs::remove_dir(entry.path()),
            false => std::fs::remove_file(entry.path()),
        };
        removed.or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
    }
    Ok(())
}

/// Makes a folder and those above it that are missing; they belong to whom the folder belongs that is there already.
///
/// # Errors
/// What mkdir(2) says; [`io::ErrorKind::AlreadyExists`] where something else has the name.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    for folder in path.ancestors() {
        match std::fs::metadata(folder) {
            Ok(meta) if meta.is_dir() => break,
            Ok(_) => return Err(io::Error::from(io::ErrorKind::AlreadyExists)),
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            Err(_) => missing.push(folder),
        }
    }
    while let Some(folder) = missing.pop() {
        let above = folder.parent().unwrap_or(folder);
        match std::fs::create_dir(folder) {
            Ok(()) => inherit(above, folder)?,
            // Another upload of the same folder made it.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(_) if is_read_only(above) => return Err(io::Error::from(io::ErrorKind::ReadOnlyFilesystem)),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Gives what was made in a folder to the folder's owner: what is uploaded into a user's home is that user's.
fn inherit(folder: &Path, made: &Path) -> io::Result<()> {
    let meta = std::fs::metadata(folder)?;
    if meta.uid() == 0 { Ok(()) } else { chown(made, Some(meta.uid()), Some(meta.gid())) }
}

/// Moves or renames, never over what is there.
///
/// # Errors
/// What rename(2) says: [`io::ErrorKind::AlreadyExists`] where the new name is taken, [`io::ErrorKind::CrossesDevices`]
/// where it is in another file system.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
        // File systems that have no such flag.
        Err(Errno::EINVAL) if !to.as_os_str().as_bytes().starts_with(from.as_os_str().as_bytes()) => {
            if std::fs::symlink_metadata(to).is_ok() {
                return Err(io::Error::from(io::ErrorKind::AlreadyExists));
            }
            std::fs::rename(from, to)
        }
        done => Ok(done?),
    }
}

/// The path without links, where it is there.
fn resolve(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
