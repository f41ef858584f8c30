//! The folder of images: how whole images appear in it and leave it.

use std::{
    collections::HashSet,
    fs::{self, File, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use nix::fcntl::{Flock, FlockArg};

use super::{
    definition::check_name,
    info::{self, ImageInfo},
};
use crate::paths::Paths;

const BUILDING: &str = ".building-";
const OLD: &str = ".old-";

/// An image in the making. Dropped before [`Draft::publish`], it leaves nothing.
pub(super) struct Draft {
    folder: PathBuf,
    images: PathBuf,
    published: bool,
    _lock: Flock<File>,
}

impl Draft {
    /// Begins an image, after removing what an interrupted beginning left. Only one image is made at a time.
    pub(super) fn begin(paths: &Paths, name: &str, waiting: impl FnOnce()) -> Result<Draft> {
        check_name(name)?;
        let images = paths.images();
        fs::create_dir_all(&images).with_context(|| format!("making {}", images.display()))?;
        // The programs in there that run as root for whoever starts them are not for the host's users.
        fs::set_permissions(&images, Permissions::from_mode(0o700))
            .context("closing the folder of images to others")?;
        let lock = lock(&images, waiting)?;
        // We hold the lock, so whoever made these is dead.
        for left in dot_folders(&images, BUILDING)? {
            remove_tree(&left)?;
        }
        let folder = images.join(format!("{BUILDING}{name}"));
        fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Draft { folder, images, published: false, _lock: lock })
    }

    /// Where the root file system is to be made; not there yet.
    pub(super) fn rootfs(&self) -> PathBuf {
        self.folder.join("rootfs")
    }

    /// A folder for files that are not part of the image.
    pub(super) fn scratch(&self) -> Result<PathBuf> {
        let scratch = self.folder.join("scratch");
        fs::create_dir_all(&scratch).with_context(|| format!("making {}", scratch.display()))?;
        Ok(scratch)
    }

    /// Makes the image appear under its name; one that had the name is set aside until no sandbox uses it.
    pub(super) fn publish(mut self, info: &ImageInfo) -> Result<()> {
        let scratch = self.folder.join("scratch");
        if scratch.exists() {
            remove_tree(&scratch)?;
        }
        fs::write(self.folder.join("image.json"), serde_json::to_vec_pretty(info)?).context("writing image.json")?;
        let target = self.images.join(&info.name);
        if target.exists() {
            set_aside(&self.images, &info.name)?;
        }
        fs::rename(&self.folder, &target).with_context(|| format!("renaming to {}", target.display()))?;
        self.published = true;
        sweep_locked(&self.images)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            let _ = remove_tree(&self.folder);
        }
    }
}

/// Removes an image. `in_use` names the images of living sessions.
///
/// # Errors
/// When there is no such image, a session uses it, or it cannot be removed.
pub fn remove(paths: &Paths, name: &str, in_use: &[String]) -> Result<()> {
    ensure!(info::read(paths, name)?.is_some(), "there is no image {name:?}; `boatyard image list` shows all");
    if in_use.iter().any(|used| used == name) {
        bail!("image {name:?} is used by a session: close that first, or wait until it ends");
    }
    let images = paths.images();
    let _lock = lock(&images, || ())?;
    set_aside(&images, name)?;
    sweep_locked(&images)
}

/// Removes images that were replaced or removed and that no sandbox has mounted any more.
///
/// # Errors
/// When one cannot be removed.
pub fn sweep(paths: &Paths) -> Result<()> {
    let images = paths.images();
    if !images.exists() || dot_folders(&images, OLD)?.is_empty() {
        return Ok(());
    }
    let _lock = lock(&images, || ())?;
    sweep_locked(&images)
}

fn sweep_locked(images: &Path) -> Result<()> {
    let old = dot_folders(images, OLD)?;
    if old.is_empty() {
        return Ok(());
    }
    let mounts = all_mounts();
    for folder in old {
        let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        // A bind mount names its folder's present path inside its file system, wherever it is mounted.
        if !mounts.contains(&format!("/{name}/")) {
            remove_tree(&folder)?;
        }
    }
    Ok(())
}

/// The mount tables of all mount namespaces: a sandbox's root may be mounted in one of its own.
fn all_mounts() -> String {
    let mut seen = HashSet::new();
    let mut mounts = String::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let process = entry.path();
        let Ok(ns) = fs::metadata(process.join("ns/mnt")) else { continue };
        if seen.insert(ns.ino()) {
            mounts.push_str(&fs::read_to_string(process.join("mountinfo")).unwrap_or_default());
        }
    }
    mounts
}

fn set_aside(images: &Path, name: &str) -> Result<()> {
    let aside = images.join(format!("{OLD}{name}-{:08x}", rand::random::<u32>()));
    fs::rename(images.join(name), &aside).with_context(|| format!("setting image {name:?} aside"))
}

fn dot_folders(images: &Path, prefix: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(images).with_context(|| format!("reading {}", images.display()))?;
    let of_prefix = |e: &fs::DirEntry| e.file_name().to_str().is_some_and(|n| n.starts_with(prefix));
    Ok(entries.flatten().filter(of_prefix).map(|e| e.path()).collect())
}

/// Waits for other builds; calls `waiting` first if there is one.
fn lock(images: &Path, waiting: impl FnOnce()) -> Result<Flock<File>> {
    let path = images.join(".lock");
    let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((file, _)) => {
            waiting();
            Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, e)| e).context("waiting for another build")
        }
    }
}

/// Removes a folder with all that it holds; nothing if it is not there.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}
