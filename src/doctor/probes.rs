//! What the kernel can do, found out by doing it.

use std::{
    fs::{self, File},
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::Check;
use crate::{
    engine::native::{NativeSettings, probe},
    paths::Paths,
};

pub(super) fn root(root: bool) -> Check {
    let (id, title) = ("root", "root");
    if root {
        return Check::ok(id, title, "running as root");
    }
    Check::fail(id, title, "not running as root: mounts, disks and networks were not tried", "run it with sudo")
}

pub(super) fn cgroups() -> Check {
    let (id, title) = ("cgroups", "cgroups");
    let groups = match probe::cgroups() {
        Ok(groups) => groups,
        Err(e) => return Check::fail(id, title, format!("{e:#}"), "mount the cgroup file systems"),
    };
    let version = if groups.v2 { "v2" } else { "v1" };
    let missing: Vec<_> = ["memory", "pids"].into_iter().filter(|c| !groups.has(c)).collect();
    if !missing.is_empty() {
        let mend = if groups.v2 {
            "in the systemd unit: Delegate=yes; on the kernel's command line: cgroup_enable=memory"
        } else {
            "on the kernel's command line: cgroup_enable=memory"
        };
        let found = format!("{version} without {}: sandboxes would have no such limit", missing.join(" and "));
        return Check::fail(id, title, found, mend);
    }
    if !groups.cpu_quota() {
        let found = format!("{version}; processor time cannot be bounded, a busy sandbox slows the others");
        return Check::warn(id, title, found, "use a kernel with CONFIG_CFS_BANDWIDTH, or delegate the cpu controller");
    }
    Check::ok(id, title, format!("{version} with memory, pids and cpu"))
}

/// A folder for trying things, removed with what is mounted in it.
struct Scratch {
    folder: PathBuf,
    mounts: Vec<PathBuf>,
}

impl Scratch {
    fn new(above: &Path) -> Result<Scratch> {
        let there = above.ancestors().find(|p| p.is_dir()).context("no folder for trying")?;
        let folder = there.join(format!(".boatyard-doctor-{:08x}", rand::random::<u32>()));
        fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
        fs::set_permissions(&folder, PermissionsExt::from_mode(0o711))?;
        Ok(Scratch { folder, mounts: Vec::new() })
    }

    fn sub(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for m in self.mounts.iter().rev() {
            let _ = probe::unmount_all(m);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Disk, idmapped mount and overlays, in the order in which a sandbox needs them.
pub(super) fn mounts(paths: &Paths, settings: &NativeSettings) -> Vec<Check> {
    let check = |id, title, tried: &Result<()>, good: &str, mend: &str| match tried {
        Ok(()) => Check::ok(id, title, good),
        Err(e) => Check::fail(id, title, format!("{e:#}"), mend),
    };
    // Images lie on the data folder's disk; what a sandbox's root walks through lies under /run.
    let (data, mut run) = match (Scratch::new(paths.data()), Scratch::new(Path::new("/run"))) {
        (Ok(d), Ok(r)) => (d, r),
        (Err(e), _) | (_, Err(e)) => {
            return vec![Check::fail("disk", "sandbox disks", format!("{e:#}"), "choose another data folder")];
        }
    };
    let base = settings.uid_base;
    let disk = (|| {
        let (image, point) = (data.folder.join("disk.img"), run.sub("disk")?);
        probe::make_fs(&image, 16 << 20)?;
        probe::mount_image(&image, &point)?;
        run.mounts.push(point.clone());
        fs::set_permissions(&point, PermissionsExt::from_mode(0o711))?;
        for name in ["upper", "work", "lower", "inner"] {
            fs::create_dir(point.join(name))?;
            std::os::unix::fs::chown(point.join(name), Some(base), Some(base))?;
        }
        Ok(())
    })();
    let shifted = (|| {
        let (source, point) = (data.sub("rootfs")?, run.sub("lower")?);
        File::create(source.join("file"))?;
        probe::mount_shifted(&source, &point, base)?;
        run.mounts.push(point.clone());
        let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(point.join("file"))?);
        anyhow::ensure!(owner == base, "the file belongs to {owner} instead of {base}");
        Ok(())
    })();
    let (disk_at, lower_at) = (run.folder.join("disk"), run.folder.join("lower"));
    let overlay = (|| {
        let point = run.sub("merged")?;
        probe::mount_overlay(&lower_at, &disk_at.join("upper"), &disk_at.join("work"), &point)?;
        run.mounts.push(point);
        Ok(())
    })();
    let inner = overlay_inside(base, &disk_at);
    let mut checks = vec![
        check(
            "disk",
            "sandbox disks",
            &disk,
            "an ext4 image was made and mounted by a loop device",
            "modprobe loop; apt-get install e2fsprogs; in a container, allow /dev/loop-control and loop devices",
        ),
        check(
            "idmap",
            "idmapped mounts",
            &shifted,
            "owners are shifted",
            "use a kernel from 5.12 on, with the data folder on ext4, xfs or btrfs",
        ),
        check(
            "overlay",
            "overlay mounts",
            &overlay,
            "an overlay on a sandbox's disk was mounted",
            "modprobe overlay; use a kernel from 5.19 on, which allows overlays on idmapped mounts",
        ),
    ];
    checks.push(match inner {
        Ok(()) => Check::ok("overlay-inside", "overlays inside", "a sandbox can mount overlays: Docker uses overlay2"),
        Err(e) => Check::warn(
            "overlay-inside",
            "overlays inside",
            format!("{e:#}: Docker inside falls back to a slower storage driver"),
            "use a kernel from 5.11 on, which allows overlays with userxattr in user namespaces",
        ),
    });
    checks
}

/// Mounts an overlay as a sandbox's root would.
fn overlay_inside(base: u32, disk: &Path) -> Result<()> {
    let userns: OwnedFd = probe::mapped(base)?;
    let options =
        format!("userxattr,lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work", disk.join("inner").display());
    let inner = disk.join("inner");
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir_all(inner.join(name))?;
        std::os::unix::fs::chown(inner.join(name), Some(base), Some(base))?;
    }
    let mut c = Command::new("mount");
    c.args(["-t", "overlay", "-o"]).arg(options).arg("overlay").arg(inner.join("merged"));
    c.stdin(Stdio::null()).stdout(Stdio::null());
    // SAFETY: system calls on numbers only, between fork and exec.
    unsafe {
        c.pre_exec(move || {
            use nix::{sched, unistd};
            sched::setns(&userns, sched::CloneFlags::CLONE_NEWUSER)?;
            unistd::setresgid(0.into(), 0.into(), 0.into())?;
            unistd::setresuid(0.into(), 0.into(), 0.into())?;
            // The mount is gone with the process.
            Ok(sched::unshare(sched::CloneFlags::CLONE_NEWNS)?)
        });
    }
    let out = c.output().context("mount")?;
    if !out.status.success() {
        bail!("{}", String::from_utf8_lossy(&out.stderr).lines().next().unwrap_or("mount failed").trim());
    }
    Ok(())
}

pub(super) fn nftables(settings: &NativeSettings) -> Check {
    let (id, title) = ("nftables", "nftables");
    match probe::yard_rules(settings) {
        Ok(()) => Check::ok(id, title, "the rules that keep sessions apart were accepted in a new network namespace"),
        Err(e) => Check::fail(
            id,
            title,
            format!("{e:#}"),
            "apt-get install nftables; use a kernel with nf_tables, conntrack and reject",
        ),
    }
}

pub(super) fn fuse() -> Check {
    let (id, title) = ("fuse", "FUSE");
    let mend = "modprobe fuse";
    match File::open("/dev/fuse") {
        Ok(_) => Check::ok(id, title, "/dev/fuse is there"),
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => Check::warn(
            id,
            title,
            "/dev/fuse is there, but not for this user: nothing more was tried",
            "run it with sudo",
        ),
        Err(e) => Check::warn(id, title, format!("/dev/fuse: {e}: free and top inside show the host's memory"), mend),
    }
}

pub(super) fn tun() -> Check {
    let (id, title) = ("tun", "TUN");
    if Path::new("/sys/class/misc/tun").exists() || Path::new("/dev/net/tun").exists() {
        return Check::ok(id, title, "there");
    }
    Check::warn(id, title, "not there: rootless networks inside (slirp4netns, pasta) fail", "modprobe tun")
}

pub(super) fn ip_vs() -> Check {
    let (id, title) = ("ip-vs", "IP_VS");
    if super::has_ip_vs() {
        return Check::ok(id, title, "Swarm's routing mesh and virtual IPs work");
    }
    Check::warn(
        id,
        title,
        "not there: Swarm works without its routing mesh; lessons use endpoint_mode: dnsrr and ports in mode: host",
        "use a kernel with CONFIG_IP_VS to have the routing mesh",
    )
}
