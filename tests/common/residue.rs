//! What sandboxes leave on a host.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::Path,
};

use boatyard::paths::Paths;

/// Every trace of the sandboxes of one Boatyard: mounts, loop devices, links, cgroups, processes and files.
pub fn residue(paths: &Paths) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let data = paths.data().display().to_string();
    let run = paths.run().display().to_string();
    let read = |p: &str| fs::read_to_string(p).unwrap_or_default();
    for line in read("/proc/self/mountinfo").lines().filter(|l| l.contains(&data) || l.contains(&run)) {
        let point = line.split(' ').nth(4).unwrap_or_default();
        if point != format!("{run}/netns") {
            found.insert(format!("mount {point}"));
        }
    }
    for block in fs::read_dir("/sys/block").unwrap().flatten() {
        let backing = fs::read_to_string(block.path().join("loop/backing_file")).unwrap_or_default();
        if backing.contains(&data) {
            found.insert(format!("loop device {}", backing.trim()));
        }
    }
    let group = format!("boatyard-{}-", paths.instance());
    for entry in walkdir::WalkDir::new("/sys/fs/cgroup").into_iter().filter_map(Result::ok) {
        if entry.file_type().is_dir() && entry.file_name().to_string_lossy().starts_with(&group) {
            found.insert(format!("cgroup {}", entry.path().display()));
        }
    }
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let ours = fs::read_to_string(process.path().join("cgroup")).is_ok_and(|g| g.contains(&group));
        // What is dead and waits to be reaped by the host's init is the host's.
        let dead = || fs::read_to_string(process.path().join("stat")).is_ok_and(|s| s.contains(") Z "));
        if ours && !dead() {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            found.insert(format!("process {}", name.trim()));
        }
    }
    for link in fs::read_dir("/sys/class/net").unwrap().flatten() {
        let name = link.file_name().to_string_lossy().into_owned();
        if name.contains(paths.instance()) {
            found.insert(format!("link {name} on the host"));
        }
    }
    for name in links_in(&paths.run().join("netns")) {
        found.insert(format!("link {name} in the yard"));
    }
    let mut folders = vec![paths.sandboxes()];
    folders.extend(["agents", "runtime", "sandboxes"].map(|f| paths.run().join(f)));
    for folder in folders {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_name() != ".templates" {
                found.insert(format!("file {}", entry.path().display()));
            }
        }
    }
    found
}

fn links_in(netns: &Path) -> Vec<String> {
    let Ok(ns) = File::open(netns) else { return Vec::new() };
    let look = move || {
        nix::sched::setns(ns, nix::sched::CloneFlags::CLONE_NEWNET).ok()?;
        let text = fs::read_to_string("/proc/thread-self/net/dev").ok()?;
        Some(text.lines().filter_map(|l| Some(l.split_once(':')?.0.trim().to_owned())).collect::<Vec<_>>())
    };
    let mut names = std::thread::spawn(look).join().unwrap().unwrap_or_default();
    names.retain(|n| n != "lo");
    names
}
