//! A root file system that is being written: every path is resolved inside of it, whatever links lie in it.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::fd::{AsRawFd, OwnedFd},
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use rustix::fs::{Mode, OFlags, ResolveFlags};

/// A folder as the root of its own little world.
pub(super) struct Root(OwnedFd);

/// Where an entry lies: its folder, held open, and its name there.
pub(super) struct Place {
    folder: OwnedFd,
    name: OsString,
}

impl Root {
    /// Takes a folder that is there.
    pub(super) fn open(path: &Path) -> Result<Root> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty()).with_context(|| format!("opening {}", path.display()))?;
        Ok(Root(fd))
    }

    /// The place of `path`, whose folders are made where they are missing.
    pub(super) fn make(&self, path: &Path) -> Result<Place> {
        let (folder, name) = split(path)?;
        Ok(Place { folder: self.ensure(&folder).with_context(|| format!("making /{}", folder.display()))?, name })
    }

    /// The place of `path`; `None` if its folder is not there.
    pub(super) fn find(&self, path: &Path) -> Result<Option<Place>> {
        let (folder, name) = split(path)?;
        match self.folder(&folder) {
            Ok(folder) => Ok(Some(Place { folder, name })),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(e) => Err(e).with_context(|| format!("opening /{}", folder.display())),
        }
    }

    /// Whether `path` leads to anything, through links too.
    pub(super) fn has(&self, path: &str) -> bool {
        self.open_at(Path::new(path), OFlags::PATH).is_ok()
    }

    /// A path to the root itself, for as long as this lives.
    pub(super) fn path(&self) -> PathBuf {
        by_descriptor(&self.0)
    }

    fn ensure(&self, path: &Path) -> io::Result<OwnedFd> {
        match self.folder(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let parent = self.ensure(parent)?;
        rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755))?;
        self.folder(path)
    }

    fn folder(&self, path: &Path) -> io::Result<OwnedFd> {
        self.open_at(path, OFlags::PATH | OFlags::DIRECTORY)
    }

    fn open_at(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        Ok(rustix::fs::openat2(&self.0, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)?)
    }
}

impl Place {
    /// A path to it, for as long as this lives. Its last part is the entry itself, even if that is a link.
    pub(super) fn path(&self) -> PathBuf {
        by_descriptor(&self.folder).join(&self.name)
    }

    /// A path to another name in the same folder.
    pub(super) fn sibling(&self, name: &OsStr) -> PathBuf {
        by_descriptor(&self.folder).join(name)
    }

    /// A path to the folder.
    pub(super) fn folder(&self) -> PathBuf {
        by_descriptor(&self.folder)
    }

    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }
}

fn by_descriptor(fd: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// The name of an entry in an archive as a path below the root; empty for the root itself.
///
/// # Errors
/// When it leads out.
pub(super) fn inside(name: &Path) -> Result<PathBuf> {
    let mut path = PathBuf::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::RootDir | Component::CurDir => {}
            _ => bail!("{:?} leads out of the archive, which is refused", name.display()),
        }
    }
    Ok(path)
}

fn split(path: &Path) -> Result<(PathBuf, OsString)> {
    let name = path.file_name().with_context(|| format!("{:?} has no name", path.display()))?;
    Ok((path.parent().unwrap_or(Path::new("")).to_owned(), name.to_owned()))
}

/// Removes what is at `path` itself, with all that it holds; nothing if nothing is there.
pub(super) fn clear(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}
