//! Ending FUSE file systems whose server was killed while it used its own file system: then the kernel waits for an
//! answer that nobody can give, and the killed process never ends. Anyone inside a sandbox can bring that about.

use std::{collections::BTreeSet, fs, io::Write};

use super::cgroup::Member;
use anyhow::{Context, Result};
use rustix::{
    fs::{Mode, OFlags, openat},
    mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen},
};

/// Aborts the FUSE connections that the mount namespaces of these processes show. All of them are a sandbox's own.
pub(super) fn abort(members: &[Member]) -> Result<()> {
    let seen = members.iter().map(|member| (connections(member.pid), member.lives()));
    let numbers: BTreeSet<u32> = seen.filter(|(_, certain)| *certain).flat_map(|(numbers, _)| numbers).collect();
    if numbers.is_empty() {
        return Ok(());
    }
    // A mount that is nowhere: the host need not have the control file system mounted.
    let fs = fsopen("fusectl", FsOpenFlags::FSOPEN_CLOEXEC).context("fusectl")?;
    fsconfig_create(&fs)?;
    let control = fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
    for number in numbers {
        if let Ok(file) = openat(&control, format!("{number}/abort"), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
            fs::File::from(file).write_all(b"1")?;
        }
    }
    Ok(())
}

/// The connections that the threads of a process see, by their device's minor number, which is their name.
fn connections(pid: i32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    // The first thread may have ended already, and with it its view.
    let texts = threads.filter_map(|t| fs::read_to_string(t.path().join("mountinfo")).ok());
    texts.flat_map(|text| text.lines().filter_map(parse).collect::<Vec<_>>()).collect()
}

fn parse(line: &str) -> Option<u32> {
    let (left, right) = line.split_once(" - ")?;
    let kind = right.split(' ').next()?;
    if kind != "fuse" && !kind.starts_with("fuse.") && kind != "fuseblk" {
        return None;
    }
    let (major, minor) = left.split(' ').nth(2)?.split_once(':')?;
    if major == "0" { minor.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_fuse_mounts_count() {
        assert_eq!(parse("158 251 0:99 / /mem ro,nosuid shared:93 - fuse boatyard ro,user_id=0"), Some(99));
        assert_eq!(parse("158 251 0:98 / /x rw - fuse.sshfs host: rw"), Some(98));
        assert_eq!(parse("270 251 254:0 /dev/fuse /dev/fuse rw - ext4 /dev/vda rw"), None);
        assert_eq!(parse("nonsense"), None);
    }
}
