//! Unpacking one layer over those below it (OCI Image Format Specification, "Image Layer Filesystem Changeset").

use std::{
    fs::{self, File, Permissions},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, lchown, symlink},
    },
    path::Path,
};

use anyhow::{Context, Result, bail};
use nix::{
    fcntl::AT_FDCWD,
    sys::{
        stat::{UtimensatFlags, utimensat},
        time::TimeSpec,
    },
};
use tar::{Entry, EntryType};

use super::root::{Place, Root, clear, inside};

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Removes from `root` what the layer says to be gone. Comes before [`add`], since it concerns only layers below,
/// wherever it stands in the archive.
pub(super) fn remove(root: &Root, archive: impl Read) -> Result<()> {
    for entry in tar::Archive::new(archive).entries()? {
        let path = inside(&entry?.path()?)?;
        let name = path.file_name().unwrap_or_default().as_bytes();
        let Some(gone) = name.strip_prefix(WHITEOUT) else { continue };
        let Some(place) = root.find(&path)? else { continue };
        let cleared = if name == OPAQUE {
            fs::read_dir(place.folder())?.try_for_each(|e| clear(&e?.path()))
        } else if gone.is_empty() || matches!(gone, b"." | b"..") {
            bail!("{:?} is no valid mark of a removal", path.display());
        } else {
            clear(&place.sibling(std::ffi::OsStr::from_bytes(gone)))
        };
        cleared.with_context(|| format!("removing what /{} stands for", path.display()))?;
    }
    Ok(())
}

/// Adds the layer's files to `root`. Owners, permission bits with setuid, times and extended attributes are kept;
/// devices are left out, since a sandbox has its own.
pub(super) fn add(root: &Root, archive: impl Read) -> Result<()> {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let mut entry = entry.context("the archive is damaged")?;
        let path = inside(&entry.path()?)?;
        let name = path.file_name().unwrap_or_default().as_bytes();
        if name.starts_with(WHITEOUT) {
            continue;
        }
        write(root, &path, &mut entry).with_context(|| format!("unpacking /{}", path.display()))?;
    }
    Ok(())
}

fn write<R: Read>(root: &Root, path: &Path, entry: &mut Entry<'_, R>) -> Result<()> {
    let kind = entry.header().entry_type();
    if path.as_os_str().is_empty() {
        return if kind.is_dir() { attributes(&root.path(), entry) } else { Ok(()) };
    }
    let known = matches!(
        kind,
        EntryType::Regular
            | EntryType::Continuous
            | EntryType::GNUSparse
            | EntryType::Directory
            | EntryType::Symlink
            | EntryType::Link
            | EntryType::Fifo
    );
    if !known {
        return Ok(());
    }
    let place = root.make(path)?;
    let at = place.path();
    let is_folder = fs::symlink_metadata(&at).is_ok_and(|m| m.is_dir());
    if kind.is_dir() && is_folder {
        return attributes(&at, entry);
    }
    match kind {
        EntryType::Link => return link(root, &place, entry),
        EntryType::Directory => {
            clear(&at)?;
            fs::create_dir(&at)?;
        }
        EntryType::Symlink => {
            clear(&at)?;
            let target = entry.link_name()?.context("a link without target")?;
            symlink(target, &at)?;
        }
        EntryType::Fifo => {
            clear(&at)?;
            nix::unistd::mkfifo(&at, nix::sys::stat::Mode::from_bits_truncate(0o600))?;
        }
        _ => {
            clear(&at)?;
            io::copy(entry, &mut File::create_new(&at)?)?;
        }
    }
    attributes(&at, entry)
}

fn link<R: Read>(root: &Root, place: &Place, entry: &Entry<'_, R>) -> Result<()> {
    let target = inside(&entry.link_name()?.context("a link without target")?)?;
    let Some(target) = root.find(&target)? else { bail!("the link's target /{} is not there", target.display()) };
    // A file that the archive links to itself must not be cleared away.
    if target.name() == place.name() && same(&target.folder(), &place.folder()) {
        return Ok(());
    }
    clear(&place.path())?;
    fs::hard_link(target.path(), place.path()).context("linking")
}

fn same(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |p: &Path| fs::metadata(p).map(|m| (m.dev(), m.ino())).ok();
    id(a).is_some() && id(a) == id(b)
}

fn attributes<R: Read>(at: &Path, entry: &mut Entry<'_, R>) -> Result<()> {
    let (mut uid, mut gid) = (entry.header().uid()?, entry.header().gid()?);
    let mut extended = Vec::new();
    for extension in entry.pax_extensions()?.into_iter().flatten().flatten() {
        let number = || extension.value().ok().and_then(|v| v.parse().ok());
        match extension.key_bytes() {
            b"uid" => uid = number().context("a bad user id")?,
            b"gid" => gid = number().context("a bad group id")?,
            key => {
                let name = key.strip_prefix(b"SCHILY.xattr.").filter(|n| is_kept(n));
                extended.extend(name.map(|n| (n.to_owned(), extension.value_bytes().to_owned())));
            }
        }
    }
    let id = |id: u64| u32::try_from(id).context("a user or group id is too large");
    // Before the bits: a change of owner takes setuid away. And before file capabilities, which it takes as well.
    lchown(at, Some(id(uid)?), Some(id(gid)?)).context("setting its owner")?;
    for (name, value) in extended {
        xattr::set(at, std::ffi::OsStr::from_bytes(&name), &value).context("setting its extended attributes")?;
    }
    if entry.header().entry_type() != EntryType::Symlink {
        fs::set_permissions(at, Permissions::from_mode(entry.header().mode()? & 0o7777)).context("setting its mode")?;
    }
    let time = TimeSpec::new(i64::try_from(entry.header().mtime()?).unwrap_or_default(), 0);
    utimensat(AT_FDCWD, at, &time, &time, UtimensatFlags::NoFollowSymlink).context("setting its time")
}

/// Labels of the machine that made the archive, and what overlay file systems keep for themselves, mean nothing here.
fn is_kept(name: &[u8]) -> bool {
    name == b"security.capability" || name.starts_with(b"user.")
}
