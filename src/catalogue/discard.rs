//! Removing a layer that was not finished.

use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use nix::mount::{MntFlags, umount2};

use crate::image;

/// Removes `folder` and what is in it, but nothing that is mounted there: a builder that was killed may have left the
/// host's own `/dev/shm` in it.
///
/// # Errors
/// When something stays mounted below it, or cannot be removed.
pub fn discard(folder: &Path) -> Result<()> {
    // The table of mounts has no links in its paths.
    let Ok(real) = folder.canonicalize() else { return Ok(()) };
    let table = fs::read("/proc/self/mountinfo").context("reading mounts")?;
    // What is mounted on top of others was mounted after them.
    for mount in mounts(&table).into_iter().filter(|m| m.starts_with(&real)).rev() {
        umount2(&mount, MntFlags::MNT_DETACH).with_context(|| format!("unmounting {}", mount.display()))?;
    }
    image::remove_tree(folder)
}

/// Where something is mounted, in order of the table (proc_pid_mountinfo(5)).
fn mounts(table: &[u8]) -> Vec<PathBuf> {
    let fields = table.split(|b| *b == b'\n').filter_map(|line| line.split(|b| *b == b' ').nth(4));
    fields.map(|f| PathBuf::from(OsString::from_vec(unescape(f)))).collect()
}

/// Blanks, line breaks and backslashes in a path stand as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 8).ok());
        match digits.filter(|_| first == b'\\') {
            Some(byte) => {
                out.push(byte);
                rest = &after[3..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use nix::mount::{MsFlags, mount};

    use super::*;

    #[test]
    fn what_is_mounted_inside_survives() {
        // Needs root, which all tests that make sandboxes need too.
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let (host, draft) = (dir.path().join("host"), dir.path().join(".draft 1"));
        fs::create_dir_all(&host).unwrap();
        fs::write(host.join("precious"), "").unwrap();
        for inside in ["dev/shm", "sys"] {
            fs::create_dir_all(draft.join(inside)).unwrap();
            mount(Some(&host), &draft.join(inside), None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
        }
        discard(&draft).unwrap();
        assert!(host.join("precious").is_file() && !draft.exists());
        discard(&draft).unwrap();
    }

    #[test]
    fn paths_of_mounts_are_read_as_they_are() {
        let table = b"53 27 0:53 / /a\\040b\\134/dev rw - devpts none rw\n54 27 0:27 / /c rw - tmpfs tmpfs rw\n";
        assert_eq!(mounts(table), [Path::new("/a b\\/dev"), Path::new("/c")]);
    }
}
