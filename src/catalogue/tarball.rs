//! A folder as the tar archive of an image layer (OCI Image Specification, "Image Layer Filesystem Changeset").
//!
//! The same folder gives the same bytes: names in order, one time for all, no names of users.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder, write::GzEncoder};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};
use walkdir::WalkDir;

/// The time of everything in a layer: 2026-01-01, in seconds since 1970.
const TIME: u64 = 1_767_225_600;
/// Folders whose content is the running system's own.
const LEFT_EMPTY: [&str; 4] = ["dev", "proc", "sys", "run"];

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// Digest of the compressed archive.
    pub digest: String,
    /// Digest of the archive as it is.
    pub diff_id: String,
    /// Bytes of the compressed archive.
    pub size: u64,
}

/// Writes `folder` to `file`, compressed with gzip. Deletions that overlayfs notes in an upper folder (character devices
/// 0/0 and the attribute `trusted.overlay.opaque`) become `.wh.` files.
///
/// # Errors
/// When something cannot be read or written.
pub fn write(folder: &Path, file: &Path) -> Result<Written> {
    let out = Hashing::new(File::create(file).with_context(|| format!("{}", file.display()))?);
    let gzip: GzEncoder<_> = GzBuilder::new().write(out, Compression::new(6));
    let mut tar = Builder::new(Hashing::new(gzip));
    let mut links: HashMap<u64, PathBuf> = HashMap::new();
    for entry in WalkDir::new(folder).min_depth(1).sort_by_file_name() {
        let entry = entry?;
        let name = entry.path().strip_prefix(folder)?;
        let inside = name.components().count() > 1;
        if inside && LEFT_EMPTY.iter().any(|top| name.starts_with(top)) {
            continue;
        }
        append(&mut tar, entry.path(), name, &mut links).with_context(|| format!("{}", entry.path().display()))?;
    }
    let plain = tar.into_inner()?;
    let (gzip, diff_id, _) = plain.finish();
    let (mut out, digest, size) = gzip.finish()?.finish();
    out.flush()?;
    out.sync_all()?;
    Ok(Written { digest, diff_id, size })
}

fn append<W: Write>(tar: &mut Builder<W>, path: &Path, name: &Path, links: &mut HashMap<u64, PathBuf>) -> Result<()> {
    let meta = fs::symlink_metadata(path)?;
    let kind = meta.file_type();
    let mut header = Header::new_gnu();
    header.set_mode(meta.mode() & 0o7777);
    header.set_uid(meta.uid().into());
    header.set_gid(meta.gid().into());
    header.set_mtime(TIME);
    header.set_size(0);
    if kind.is_char_device() && meta.rdev() == 0 {
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        tar.append_data(&mut header, beside(name, ".wh.", name.file_name().unwrap_or_default()), io::empty())?;
        return Ok(());
    }
    if kind.is_dir() {
        header.set_entry_type(EntryType::Directory);
        tar.append_data(&mut header, name, io::empty())?;
        if xattr::get(path, "trusted.overlay.opaque").ok().flatten().is_some_and(|v| v == b"y") {
            header.set_entry_type(EntryType::Regular);
            header.set_mode(0o644);
            tar.append_data(&mut header, name.join(".wh..wh..opq"), io::empty())?;
        }
        return Ok(());
    }
    if kind.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
        tar.append_link(&mut header, name, fs::read_link(path)?)?;
        return Ok(());
    }
    if !kind.is_file() {
        // Devices, sockets and pipes are made where they are needed.
        return Ok(());
    }
    if meta.nlink() > 1
        && let Some(first) = links.insert(meta.ino(), name.to_owned())
    {
        links.insert(meta.ino(), first.clone());
        header.set_entry_type(EntryType::Link);
        tar.append_link(&mut header, name, first)?;
        return Ok(());
    }
    if let Some(capability) = xattr::get(path, "security.capability")? {
        tar.append_pax_extensions([("SCHILY.xattr.security.capability", capability.as_slice())])?;
    }
    header.set_entry_type(EntryType::Regular);
    header.set_size(meta.len());
    tar.append_data(&mut header, name, File::open(path)?)?;
    Ok(())
}

fn beside(name: &Path, prefix: &str, file: &OsStr) -> PathBuf {
    let mut whiteout = OsString::from(prefix);
    whiteout.push(OsStr::from_bytes(file.as_bytes()));
    name.with_file_name(whiteout)
}

/// A writer that computes the SHA-256 of what passes, and counts it.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Hashing { inner, hash: Sha256::new(), size: 0 }
    }

    fn finish(self) -> (W, String, u64) {
        (self.inner, format!("sha256:{}", hex::encode(self.hash.finalize())), self.size)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.size += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(file: &Path) -> Vec<(String, EntryType)> {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(File::open(file).unwrap()));
        let entries = archive.entries().unwrap().map(|e| e.unwrap());
        entries.map(|e| (e.path().unwrap().display().to_string(), e.header().entry_type())).collect()
    }

    #[test]
    fn a_folder_gives_the_same_layer_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::create_dir_all(root.join("proc/1")).unwrap();
        fs::write(root.join("bin/tool"), "text").unwrap();
        fs::set_permissions(root.join("bin/tool"), fs::Permissions::from_mode(0o4755)).unwrap();
        fs::hard_link(root.join("bin/tool"), root.join("bin/zweitname")).unwrap();
        symlink("tool", root.join("bin/link")).unwrap();
        let first = write(&root, &dir.path().join("a")).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(10));
        fs::write(root.join("bin/other"), "").unwrap();
        fs::remove_file(root.join("bin/other")).unwrap();
        let second = write(&root, &dir.path().join("b")).unwrap();
        assert_eq!((&first.digest, &first.diff_id), (&second.digest, &second.diff_id));
        assert_eq!(first.size, fs::metadata(dir.path().join("a")).unwrap().len());
        let want = [
            ("bin/", EntryType::Directory),
            ("bin/link", EntryType::Symlink),
            ("bin/tool", EntryType::Regular),
            ("bin/zweitname", EntryType::Link),
            ("proc/", EntryType::Directory),
        ];
        let got = names(&dir.path().join("a"));
        let got: Vec<_> = got.iter().map(|(n, t)| (n.trim_end_matches('/'), *t)).collect();
        let want: Vec<_> = want.iter().map(|(n, t)| (n.trim_end_matches('/'), *t)).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn deletions_become_whiteouts() {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("etc/fresh")).unwrap();
        // Both need root, which all tests that make sandboxes need too.
        nix::sys::stat::mknod(&root.join("etc/gone"), nix::sys::stat::SFlag::S_IFCHR, nix::sys::stat::Mode::empty(), 0)
            .unwrap();
        xattr::set(root.join("etc/fresh"), "trusted.overlay.opaque", b"y").unwrap();
        write(&root, &dir.path().join("a")).unwrap();
        let got: Vec<_> = names(&dir.path().join("a")).into_iter().map(|(n, _)| n).collect();
        assert!(
            got.contains(&"etc/.wh.gone".to_owned()) && got.contains(&"etc/fresh/.wh..wh..opq".to_owned()),
            "{got:?}"
        );
    }
}
