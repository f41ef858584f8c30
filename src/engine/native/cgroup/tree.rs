//! A group with all below it. Who owns a group may nest others in it as deep and with names as long as they like, so
//! that no path leads there: each folder is opened from the one above it.

use std::{
    ffi::{CStr, CString},
    fs::File,
    io::{self, ErrorKind, Read},
    os::fd::OwnedFd,
    path::Path,
};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, unlinkat};

/// The processes in a group and all below it, each once. A group that is gone has none.
///
/// # Errors
/// When a part of the tree cannot be read; [`ErrorKind::Interrupted`] where it changed meanwhile.
pub(super) fn processes(root: &Path) -> io::Result<Vec<i32>> {
    let mut pids = Vec::new();
    walk(
        root,
        |folder| {
            let mut text = String::new();
            match openat(folder, c"cgroup.procs", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
                Ok(file) => match File::from(file).read_to_string(&mut text) {
                    // Removed since it was opened.
                    Err(e) if e.raw_os_error() == Some(libc::ENODEV) => {}
                    // A v2 group of threads: its processes are shown by the group above it.
                    Err(e) if e.raw_os_error() == Some(libc::EOPNOTSUPP) => {}
                    read => drop(read?),
                },
                Err(rustix::io::Errno::NOENT) => {}
                Err(e) => return Err(e.into()),
            }
            // Those of other process namespaces are shown as 0.
            pids.extend(text.lines().filter_map(|l| l.parse::<i32>().ok()).filter(|pid| *pid > 0));
            Ok(())
        },
        |_, _| Ok(()),
    )?;
    pids.sort_unstable();
    pids.dedup();
    Ok(pids)
}

/// Removes all groups below `root` and then `root`; none there is fine.
///
/// # Errors
/// EBUSY where a group still has processes; [`ErrorKind::Interrupted`] where the tree changed meanwhile.
pub(super) fn remove(root: &Path) -> io::Result<()> {
    walk(root, |_| Ok(()), |parent, name| gone_is_fine(unlinkat(parent, name, AtFlags::REMOVEDIR)))?;
    gone_is_fine(unlinkat(CWD, root, AtFlags::REMOVEDIR))
}

/// Goes through a tree of folders: `enter` gets each, `leave` each but the root when all below it are done, by the folder
/// above it and its name. One folder is open at a time, however deep the tree is.
fn walk(
    root: &Path,
    mut enter: impl FnMut(&OwnedFd) -> io::Result<()>,
    mut leave: impl FnMut(&OwnedFd, &CStr) -> io::Result<()>,
) -> io::Result<()> {
    let mut folder = match openat(CWD, root, FOLDER, Mode::empty()) {
        Ok(folder) => folder,
        Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(e) => return Err(e.into()),
    };
    enter(&folder)?;
    let mut above: Vec<(CString, Vec<CString>)> = Vec::new();
    let mut children = folders_in(&folder)?;
    loop {
        if let Some(name) = children.pop() {
            match openat(&folder, &name, FOLDER, Mode::empty()) {
                Ok(child) => folder = child,
                Err(rustix::io::Errno::NOENT) => continue,
                Err(e) => return Err(e.into()),
            }
            enter(&folder)?;
            let below = folders_in(&folder)?;
            above.push((name, std::mem::replace(&mut children, below)));
        } else {
            let Some((name, rest)) = above.pop() else { return Ok(()) };
            let parent = openat(&folder, c"..", FOLDER, Mode::empty()).map_err(|e| match e {
                rustix::io::Errno::NOENT | rustix::io::Errno::STALE => ErrorKind::Interrupted.into(),
                e => io::Error::from(e),
            })?;
            leave(&parent, &name)?;
            folder = parent;
            children = rest;
        }
    }
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn folders_in(folder: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = match entry {
            Ok(entry) => entry,
            Err(rustix::io::Errno::NOENT) => break,
            Err(e) => return Err(e.into()),
        };
        let name = entry.file_name();
        if entry.file_type() == FileType::Directory && name != c"." && name != c".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

fn gone_is_fine(removed: rustix::io::Result<()>) -> io::Result<()> {
    match removed {
        Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 40 folders of 200 characters each: no path of the system's leads to the last.
    fn deep(root: &Path) {
        let name = CString::new("n".repeat(200)).unwrap();
        let mut folder = openat(CWD, root, FOLDER, Mode::empty()).unwrap();
        for n in 0..40 {
            rustix::fs::mkdirat(&folder, &name, Mode::RWXU).unwrap();
            folder = openat(&folder, &name, FOLDER, Mode::empty()).unwrap();
            let procs = openat(&folder, c"cgroup.procs", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).unwrap();
            std::io::Write::write_all(&mut File::from(procs), format!("{}\n0\n7\n", n + 100).as_bytes()).unwrap();
        }
    }

    #[test]
    fn what_no_path_leads_to_is_found_and_removed() {
        let tmp = tempfile::tempdir().unwrap();
        let root = tmp.path().join("group");
        std::fs::create_dir(&root).unwrap();
        deep(&root);
        let found = processes(&root).unwrap();
        assert_eq!(found.len(), 41, "{found:?}");
        assert_eq!((found[0], found[40]), (7, 139));
        // Unlike a cgroup's, these files are in the way.
        walk(&root, |folder| gone_is_fine(unlinkat(folder, c"cgroup.procs", AtFlags::empty())), |_, _| Ok(())).unwrap();
        remove(&root).unwrap();
        assert!(!root.exists());
        assert!(processes(&root).unwrap().is_empty());
        remove(&root).unwrap();
    }
}
