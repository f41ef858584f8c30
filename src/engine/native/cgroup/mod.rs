//! Control groups. A sandbox nests below the server's own group in each hierarchy, so that whatever bounds the server
//! (a systemd unit, a container) bounds its sandboxes too, and both cgroup v1 and v2 work.

mod tree;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    os::{fd::OwnedFd, unix::fs::chown},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// The cgroup hierarchies of this host, and where this process is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cgroups {
    /// Whether there is only the unified hierarchy.
    pub v2: bool,
    /// Folders below which sandboxes get theirs: one for each hierarchy.
    parents: BTreeSet<PathBuf>,
    /// Path of the parent in the unified hierarchy, from its root.
    v2_parent: PathBuf,
    /// Controllers that can be used.
    controllers: BTreeSet<String>,
    /// Whether the cpu controller can set a hard limit.
    cpu_quota: bool,
}

impl Cgroups {
    /// What there is now. The answer can change while the process lives, when something moves it to another group.
    pub fn current() -> Result<Cgroups> {
        let read = |p: &str| fs::read_to_string(p).with_context(|| format!("reading {p}"));
        let mut found = Cgroups::parse(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?);
        if found.v2
            && let Some(parent) = found.parents.first()
        {
            let text = fs::read_to_string(parent.join("cgroup.controllers")).unwrap_or_default();
            found.controllers = text.split_whitespace().map(str::to_owned).collect();
            found.cpu_quota = found.has("cpu");
        } else {
            found.cpu_quota = found.parents.iter().any(|p| p.join("cpu.cfs_quota_us").exists())
                || fs::exists("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").unwrap_or(false);
        }
        Ok(found)
    }

    fn parse(mountinfo: &str, own: &str) -> Cgroups {
        // Mount point and mounted part of each hierarchy, by its controllers (v1) or "" (v2).
        let mut mounts: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
        let mut v1 = false;
        for line in mountinfo.lines() {
            let Some((left, right)) = line.split_once(" - ") else { continue };
            let mut left = left.split(' ').skip(3);
            let (Some(root), Some(point)) = (left.next(), left.next()) else { continue };
            let mut right = right.split(' ');
            match (right.next(), right.nth(1)) {
                (Some("cgroup2"), _) => {
                    mounts.entry("").or_insert((root, point));
                }
                (Some("cgroup"), Some(options)) => {
                    v1 = true;
                    for o in options.split(',') {
                        mounts.entry(o).or_insert((root, point));
                    }
                }
                _ => {}
            }
        }
        let mut found = Cgroups {
            v2: !v1,
            parents: BTreeSet::new(),
            v2_parent: PathBuf::new(),
            controllers: BTreeSet::new(),
            cpu_quota: false,
        };
        for line in own.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
            let Some((root, point)) = mounts.get(controllers.split(',').next().unwrap_or_default()) else { continue };
            // In a container that shows only a part of the hierarchy, paths start at that part.
            let path = path.strip_prefix(root.trim_end_matches('/')).unwrap_or(path).trim_start_matches('/');
            if v1 {
                // On hybrid hosts the unified hierarchy has a group too, without controllers.
                found.controllers.extend(controllers.split(',').filter(|c| !c.is_empty()).map(str::to_owned));
                found.parents.insert(Path::new(point).join(path));
            } else if controllers.is_empty() {
                // The server itself sits in the leaf that `enter_leaf` made.
                let own = Path::new(path);
                let parent = if own.ends_with(LEAF) { own.parent().unwrap_or(own) } else { own };
                found.v2_parent = Path::new("/").join(parent);
                found.parents.insert(Path::new(point).join(parent));
            }
        }
        found
    }

    /// Whether a controller can be used.
    pub fn has(&self, controller: &str) -> bool {
        self.controllers.contains(controller)
    }

    /// Whether cpu time can be bounded, not only shared.
    pub fn cpu_quota(&self) -> bool {
        self.cpu_quota
    }

    /// The folders that a group called `name` has.
    pub fn folders(&self, name: &str) -> Vec<PathBuf> {
        self.parents.iter().map(|p| p.join(name)).collect()
    }

    /// The path of a group called `name` as the OCI runtime takes it. v1 runtimes put a relative path below their own
    /// group, which may be another in each hierarchy; v2 has but one, and there they differ in what relative means.
    pub fn oci_path(&self, name: &str) -> PathBuf {
        if self.v2 { self.v2_parent.join(name) } else { PathBuf::from(name) }
    }

    /// Names of the groups next to which sandboxes lie.
    pub fn children(&self) -> Vec<String> {
        let entries = self.parents.iter().filter_map(|p| fs::read_dir(p).ok()).flatten().flatten();
        entries.filter_map(|e| e.file_name().into_string().ok()).collect()
    }

    /// On v2 a group that holds processes may have no groups with controllers below it: the server moves into a leaf
    /// of its own and opens the controllers for its neighbours, the sandboxes. On v1 there is nothing to do.
    pub fn enter_leaf(&self) -> Result<()> {
        let Some(parent) = self.parents.first().filter(|_| self.v2) else { return Ok(()) };
        // In the root group both may be.
        if self.v2_parent != Path::new("/") {
            let leaf = parent.join(LEAF);
            fs::create_dir_all(&leaf).with_context(|| format!("making {}", leaf.display()))?;
            for pid in processes(parent) {
                match fs::write(leaf.join("cgroup.procs"), pid.to_string()) {
                    Err(e) if e.raw_os_error() != Some(libc::ESRCH) => {
                        return Err(e).with_context(|| format!("moving process {pid} to {}", leaf.display()));
                    }
                    _ => {}
                }
            }
        }
        for c in &self.controllers {
            if let Err(e) = fs::write(parent.join("cgroup.subtree_control"), format!("+{c}")) {
                tracing::warn!("controller {c} cannot be given to sandboxes: {e} (systemd: Delegate=yes)");
            }
        }
        Ok(())
    }
}

/// Name of the group of the server itself, on v2.
const LEAF: &str = "boatyard-server";

/// Files of a group that its owner may write. The limits are not among them.
const DELEGATED: &[&str] = &[
    "cgroup.procs",
    "tasks",
    "cgroup.threads",
    "cgroup.subtree_control",
    "cgroup.clone_children",
    "notify_on_release",
];

/// Gives a sandbox's groups, not their limits, to its root.
pub(super) fn delegate(folders: &[PathBuf], owner: u32) -> Result<()> {
    let mut given = 0;
    for folder in folders.iter().filter(|f| f.exists()) {
        chown(folder, Some(owner), Some(owner)).with_context(|| format!("giving away {}", folder.display()))?;
        for file in DELEGATED {
            match chown(folder.join(file), Some(owner), Some(owner)) {
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    return Err(e).with_context(|| format!("giving away {file} of {}", folder.display()));
                }
                _ => {}
            }
        }
        // Groups cost kernel memory and time of whoever clears them away. There is no such bound on v1.
        for (file, most) in [("cgroup.max.depth", "64"), ("cgroup.max.descendants", "10000")] {
            match fs::write(folder.join(file), most) {
                Err(e) if e.kind() != ErrorKind::NotFound && e.kind() != ErrorKind::PermissionDenied => {
                    return Err(e).with_context(|| format!("{file} of {}", folder.display()));
                }
                _ => {}
            }
        }
        given += 1;
    }
    anyhow::ensure!(given > 0, "the OCI runtime made none of {folders:?}: is the server in another cgroup now?");
    Ok(())
}

/// The processes in a group, without those in the groups below.
fn processes(folder: &Path) -> Vec<i32> {
    let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|l| l.parse().ok()).filter(|pid| *pid > 0).collect()
}

/// Every process in the groups and below. `None` where they changed while they were read.
fn all_processes(folders: &[PathBuf]) -> Result<Option<Vec<i32>>> {
    let mut pids = Vec::new();
    for folder in folders {
        match tree::processes(folder) {
            Ok(found) => pids.extend(found),
            Err(e) if e.kind() == ErrorKind::Interrupted => return Ok(None),
            Err(e) => return Err(e).with_context(|| format!("reading cgroup {}", folder.display())),
        }
    }
    pids.sort_unstable();
    pids.dedup();
    Ok(Some(pids))
}

/// A process of a group, held by a pidfd: its number alone may be another's a moment after it was read, and while
/// everything in a sandbox dies that moment comes.
pub(super) struct Member {
    pub pid: i32,
    fd: OwnedFd,
}

impl Member {
    fn kill(&self) {
        let _ = rustix::process::pidfd_send_signal(&self.fd, rustix::process::Signal::KILL);
    }

    /// Whether it has not ended: whatever its number told until now, it told of this process.
    pub fn lives(&self) -> bool {
        let mut poll = [rustix::event::PollFd::new(&self.fd, rustix::event::PollFlags::IN)];
        matches!(rustix::event::poll(&mut poll, Some(&rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0))
    }
}

/// Holds those of the listed processes that a second look lists, too: what became another's before it was held is not
/// in the group then. At most as many as there are descriptors to spare.
fn hold(listed: &[i32], again: impl FnOnce() -> Result<Option<Vec<i32>>>) -> Result<Vec<Member>> {
    const MOST: usize = 256;
    let held = listed.iter().take(MOST).filter_map(|pid| Some(Member { pid: *pid, fd: super::sys::pidfd(*pid).ok()? }));
    let mut held: Vec<_> = held.collect();
    let again = again()?.unwrap_or_default();
    held.retain(|member| again.contains(&member.pid));
    Ok(held)
}

/// Kills every process in the groups and below, and waits until there is none.
pub(super) fn kill(folders: &[PathBuf]) -> Result<()> {
    let start = Instant::now();
    let mut wait = Duration::from_millis(1);
    let mut aborted = false;
    loop {
        // In one step where the kernel can (cgroup v2): what forks faster than it is listed goes too.
        for folder in folders {
            let _ = fs::write(folder.join("cgroup.kill"), "1");
        }
        let listed = all_processes(folders)?;
        if listed.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let pids = listed.unwrap_or_default();
        anyhow::ensure!(start.elapsed() < PATIENCE, "processes {pids:?} cannot be killed");
        let members = hold(&pids, || all_processes(folders))?;
        members.iter().for_each(Member::kill);
        if !aborted && start.elapsed() > Duration::from_millis(50) {
            super::fuse::abort(&members).context("ending FUSE file systems")?;
            aborted = true;
        }
        std::thread::sleep(wait);
        wait = (wait * 2).min(Duration::from_millis(20));
    }
}

/// Removes groups with all below, and kills what is still in them.
pub(super) fn remove(folders: &[PathBuf]) -> Result<()> {
    let start = Instant::now();
    let mut wait = Duration::from_millis(1);
    loop {
        let busy = folders.iter().find_map(|folder| Some((folder, tree::remove(folder).err()?)));
        let Some((folder, e)) = busy else { return Ok(()) };
        // A process holds its group a little longer than it is shown there, and one that a dying runtime was just
        // starting may have come late.
        let passing = e.raw_os_error() == Some(libc::EBUSY) || e.kind() == ErrorKind::Interrupted;
        if !passing || start.elapsed() > PATIENCE {
            return Err(e).with_context(|| format!("removing cgroup {}", folder.display()));
        }
        kill(folders)?;
        std::thread::sleep(wait);
        wait = (wait * 2).min(Duration::from_millis(20));
    }
}

/// Longest wait for processes to go.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_anothers_by_now_is_not_killed() {
        let sleep = || std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let (mut member, mut other) = (sleep(), sleep());
        let pids = [member.id() as i32, other.id() as i32];
        let held = hold(&pids, || Ok(Some(vec![pids[0]]))).unwrap();
        assert_eq!(held.iter().map(|m| m.pid).collect::<Vec<_>>(), [pids[0]]);
        assert!(held[0].lives());
        held.iter().for_each(Member::kill);
        assert!(!member.wait().unwrap().success() && !held[0].lives());
        assert_eq!(other.try_wait().unwrap(), None);
        // A group that changed while it was listed: nothing is certain, and the next round will tell.
        assert!(hold(&pids, || Ok(None)).unwrap().is_empty());
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn hybrid_hosts_have_a_parent_in_each_hierarchy() {
        let mounts = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                      36 31 0:33 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let c = Cgroups::parse(mounts, "4:memory:/a/b\n2:cpu,cpuacct:/\n0::/\n");
        assert!(!c.v2 && c.has("cpu") && c.has("memory") && !c.has("pids"));
        let name = PathBuf::from("x");
        assert_eq!(c.oci_path("x"), name);
        assert_eq!(
            c.folders("x"),
            ["cpu,cpuacct/x", "memory/a/b/x", "unified/x"].map(|p| Path::new("/sys/fs/cgroup").join(p))
        );
    }

    #[test]
    fn on_v2_sandboxes_lie_beside_the_servers_leaf() {
        let mounts = "25 24 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        for own in ["0::/system.slice/boatyard.service\n", "0::/system.slice/boatyard.service/boatyard-server\n"] {
            let c = Cgroups::parse(mounts, own);
            assert!(c.v2);
            assert_eq!(c.oci_path("x"), PathBuf::from("/system.slice/boatyard.service/x"));
            assert_eq!(c.folders("x"), [PathBuf::from("/sys/fs/cgroup/system.slice/boatyard.service/x")]);
        }
        assert_eq!(Cgroups::parse(mounts, "0::/\n").oci_path("x"), PathBuf::from("/x"));
    }

    #[test]
    fn a_container_that_sees_a_part_of_the_hierarchy() {
        let mounts = "36 31 0:33 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        let c = Cgroups::parse(mounts, "4:memory:/docker/abc\n");
        assert_eq!(c.folders("x"), [PathBuf::from("/sys/fs/cgroup/memory/x")]);
    }
}
