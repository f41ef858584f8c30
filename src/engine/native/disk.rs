//! The disk of a sandbox: an ext4 image, sparse and without a journal, mounted by a loop device. It bounds both space
//! and inodes, and only what is written takes space on the host.

use std::{
    fs::{File, OpenOptions},
    io::{Seek, SeekFrom},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use nix::{errno::Errno, mount::MsFlags};

use super::{record::Place, rootfs, sys};
use crate::paths::Paths;

/// An empty file system of `size` bytes, made once and then copied: copying its few blocks is faster than mkfs.
pub(super) fn template(paths: &Paths, size: u64) -> Result<PathBuf> {
    let folder = paths.sandboxes().join(".templates");
    let done = folder.join(format!("{size}.ext4"));
    if done.exists() {
        return Ok(done);
    }
    std::fs::create_dir_all(&folder)?;
    let new = folder.join(format!("{size}.{:08x}.new", rand::random::<u32>()));
    let made = make_fs(&new, size).and_then(|()| Ok(std::fs::rename(&new, &done)?));
    if made.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    made.map(|()| done)
}

/// Makes an empty file system in a new file of `size` bytes.
pub(crate) fn make_fs(image: &Path, size: u64) -> Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(image)?.set_len(size)?;
    // No journal: a crash of the host ends all sandboxes anyway. No reserved blocks: nobody is root on it. An inode
    // for each 16 KiB: Docker's layers are many small files.
    let out = Command::new("mkfs.ext4")
        .args(["-q", "-F", "-m", "0", "-b", "4096", "-i", "16384", "-O"])
        .arg("^has_journal,^resize_inode,sparse_super2,uninit_bg")
        .args(["-E", "lazy_itable_init=1,nodiscard"])
        .arg(image)
        .stdin(Stdio::null())
        .output()
        .context("mkfs.ext4 (apt-get install e2fsprogs)")?;
    if !out.status.success() {
        bail!("mkfs.ext4: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}

/// Makes and mounts the disk, with the folders that the sandbox's root owns.
pub(super) fn make(paths: &Paths, place: &Place, size: u64, owner: u32) -> Result<()> {
    let image = place.image();
    copy_sparse(&template(paths, size)?, &image).context("making the disk image")?;
    mount_image(&image, &place.disk())?;
    let disk = place.disk();
    std::fs::set_permissions(&disk, PermissionsExt::from_mode(0o711))?;
    for (name, mode) in [("upper", 0o755), ("work", 0o755), ("docker", 0o710)] {
        let folder = disk.join(name);
        std::fs::create_dir(&folder)?;
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(mode))?;
        chown(&folder, Some(owner), Some(owner))?;
    }
    Ok(())
}

/// Ends the disk without writing what is still in memory; what runs on it gets errors from now on. Otherwise the mounts
/// of the containers inside would each copy up to gigabytes of dirty pages into a file that is deleted right after.
pub(super) fn cut_off(place: &Place) {
    let disk = place.disk();
    if is_mount_point(&disk)
        && let Err(e) = File::open(&disk).and_then(|f| sys::ext4_shutdown(&f))
    {
        tracing::debug!(sandbox = %place.id, "the disk is not shut down before it is unmounted: {e}");
    }
}

/// Takes the disk away, which was cut off before, and deletes its image.
pub(super) fn undo(place: &Place) -> Result<()> {
    rootfs::unmount_all(&place.disk())?;
    super::record::remove_file(&place.image())
}

/// Whether something is mounted at `path`.
pub(super) fn is_mount_point(path: &Path) -> bool {
    let Some(above) = path.parent() else { return false };
    match (path.symlink_metadata(), above.symlink_metadata()) {
        (Ok(a), Ok(b)) => a.dev() != b.dev(),
        _ => false,
    }
}

/// Mounts the image at `target` by a loop device that frees itself when the mount goes.
pub(crate) fn mount_image(image: &Path, target: &Path) -> Result<()> {
    let backing = OpenOptions::new().read(true).write(true).open(image)?;
    let control = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/loop-control")
        .context("/dev/loop-control (modprobe loop; in a container it must be allowed)")?;
    // Others may take the free device that we were told of; as many times as there may be others, then we give up.
    for _ in 0..64 {
        let number = sys::loop_free(&control).context("no free loop device")?;
        let path = PathBuf::from(format!("/dev/loop{number}"));
        let device = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(e) if e.raw_os_error() == Some(libc::ENXIO) => continue,
            opened => opened.with_context(|| format!("opening {}", path.display()))?,
        };
        match sys::loop_configure(&device, &backing, image) {
            Err(e) if e.raw_os_error() == Some(libc::EBUSY) => continue,
            configured => configured.with_context(|| format!("binding {} to {}", path.display(), image.display()))?,
        }
        // No barriers: a flush inside would wait for the host's disk, for data that no crash outlives.
        return nix::mount::mount(Some(&path), target, Some("ext4"), MsFlags::MS_NOATIME, Some("nobarrier,nodiscard"))
            .with_context(|| format!("mounting {} at {}", path.display(), target.display()));
    }
    bail!("every free loop device was taken by another process; try again")
}

/// Copies a sparse file: only what holds data is read and written.
fn copy_sparse(from: &Path, to: &Path) -> Result<()> {
    let mut source = File::open(from)?;
    let target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    if rustix::fs::ioctl_ficlone(&target, &source).is_ok() {
        return Ok(());
    }
    let size = source.metadata()?.len();
    target.set_len(size)?;
    let mut at = 0u64;
    while at < size {
        let start = match nix::unistd::lseek(&source, at as i64, nix::unistd::Whence::SeekData) {
            Err(Errno::ENXIO) => break,
            found => found? as u64,
        };
        let end = nix::unistd::lseek(&source, start as i64, nix::unistd::Whence::SeekHole)? as u64;
        let (mut from_at, mut to_at) = (start, start);
        while from_at < end {
            let want = (end - from_at) as usize;
            if rustix::fs::copy_file_range(&source, Some(&mut from_at), &target, Some(&mut to_at), want)? == 0 {
                bail!("{} became shorter while it was copied", from.display());
            }
        }
        at = end;
    }
    source.seek(SeekFrom::Start(0))?;
    Ok(())
}
