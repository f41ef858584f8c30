//! The root file system of a sandbox: the lab image, read-only with its owners shifted to the sandbox's user ids, below
//! an overlay on the sandbox's own disk. No file is copied and none is chowned.

use std::{
    os::{fd::AsFd, unix::ffi::OsStrExt},
    path::Path,
};

use anyhow::{Context, Result};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree, unmount,
};

use super::{sys, userns};

/// Shows `source` read-only at `target`, the owners of its files shifted by `base`.
pub(crate) fn mount_shifted(source: &Path, target: &Path, base: u32) -> Result<()> {
    let userns = userns::mapped(base)?;
    let tree = open_tree(
        rustix::fs::CWD,
        source,
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE,
    )
    .with_context(|| format!("opening {}", source.display()))?;
    sys::idmap_read_only(tree.as_fd(), userns.as_fd()).with_context(|| {
        format!("shifting the owners of {} (its file system may not support idmapped mounts)", source.display())
    })?;
    move_mount(tree, "", rustix::fs::CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .with_context(|| format!("mounting {}", target.display()))
}

/// Mounts an overlay of `lower` and `upper` at `target`.
pub(crate) fn mount_overlay(lower: &Path, upper: &Path, work: &Path, target: &Path) -> Result<()> {
    let fs = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).context("overlay (modprobe overlay)")?;
    let set = |key: &str, value: &[u8]| {
        fsconfig_set_string(fs.as_fd(), key, value)
            .with_context(|| format!("overlay option {key}={}", String::from_utf8_lossy(value)))
    };
    set("source", b"boatyard")?;
    set("lowerdir", lower.as_os_str().as_bytes())?;
    set("upperdir", upper.as_os_str().as_bytes())?;
    set("workdir", work.as_os_str().as_bytes())?;
    // After a crash of the host the sandbox is thrown away, so nothing inside needs to wait for the disk.
    rustix::mount::fsconfig_set_flag(fs.as_fd(), "volatile").context("overlay option volatile")?;
    fsconfig_create(fs.as_fd()).context("making the overlay")?;
    let mount = fsmount(fs.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_NOATIME)
        .context("making the overlay")?;
    move_mount(mount, "", rustix::fs::CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .with_context(|| format!("mounting {}", target.display()))
}

/// Takes away what is mounted at `target`, all of it; nothing there is fine. What is still in use goes when it is not.
pub(crate) fn unmount_all(target: &Path) -> Result<()> {
    loop {
        match unmount(target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => return Ok(()),
            Err(e) => return Err(e).with_context(|| format!("unmounting {}", target.display())),
        }
    }
}
