//! The OCI configuration of a sandbox: what `config.json` of its bundle says.

use std::path::Path;

use anyhow::{Context, Result};
use boatyard_protocol::agent::{AgentConfig, CONFIG_ENV};
use oci_spec::runtime::{
    Capabilities, Capability, LinuxBuilder, LinuxCapabilitiesBuilder, LinuxCpuBuilder, LinuxDeviceCgroup,
    LinuxDeviceCgroupBuilder, LinuxDeviceType, LinuxIdMappingBuilder, LinuxMemoryBuilder, LinuxNamespaceBuilder,
    LinuxNamespaceType, LinuxPidsBuilder, LinuxResources, LinuxResourcesBuilder, Mount, MountBuilder, ProcessBuilder,
    RootBuilder, Spec, SpecBuilder, UserBuilder,
};

use super::{cgroup::Cgroups, record::Place, seccomp};
use crate::engine::{IDS_PER_SANDBOX, Limits, SandboxSpec};

/// Where the agent's binary lies inside.
const AGENT: &str = "/run/boatyard/agent";

/// Devices that are open to a sandbox: kind, major, minor (none: all).
const DEVICES: &[(i64, Option<i64>, &str)] = &[
    (1, Some(3), "null"),
    (1, Some(5), "zero"),
    (1, Some(7), "full"),
    (1, Some(8), "random"),
    (1, Some(9), "urandom"),
    (5, Some(0), "tty, the caller's own terminal"),
    (5, Some(1), "console"),
    (5, Some(2), "ptmx, for new terminals"),
    (136, None, "terminals"),
    (10, Some(229), "fuse: fuse-overlayfs, squashfuse, Apptainer"),
    (10, Some(200), "tun: rootless networks and VPNs inside"),
];

/// Everything that root may do in a user namespace of its own. Left out are those that reach past it: loading modules
/// (SYS_MODULE), raw hardware (SYS_RAWIO), rebooting (SYS_BOOT), waking the host (WAKE_ALARM, BLOCK_SUSPEND), mandatory
/// access control (MAC_ADMIN, MAC_OVERRIDE), and the host-wide views (PERFMON, BPF, AUDIT_READ). The clock (SYS_TIME) is
/// for the agent, which needs it for a time namespace and drops it before it starts anything; it sets no clock of the
/// host from within a user namespace, and the seccomp filter refuses the calls that would.
fn capabilities() -> Capabilities {
    use Capability::*;
    [
        Chown,
        DacOverride,
        DacReadSearch,
        Fowner,
        Fsetid,
        Kill,
        Setgid,
        Setuid,
        Setpcap,
        LinuxImmutable,
        NetBindService,
        NetBroadcast,
        NetAdmin,
        NetRaw,
        IpcLock,
        IpcOwner,
        SysChroot,
        SysPtrace,
        SysPacct,
        SysAdmin,
        SysNice,
        SysResource,
        SysTime,
        SysTtyConfig,
        Mknod,
        Lease,
        AuditWrite,
        AuditControl,
        Setfcap,
        Syslog,
    ]
    .into_iter()
    .collect()
}

/// Writes the bundle's configuration. `agent` is the agent's binary on the host, `base` the sandbox's first user id.
pub(super) fn write(place: &Place, spec: &SandboxSpec, agent: &Path, base: u32, cgroups: &Cgroups) -> Result<()> {
    let config = build(place, spec, agent, base, cgroups).context("OCI configuration")?;
    let file = std::fs::File::create(place.folder.join("config.json"))?;
    Ok(serde_json::to_writer(std::io::BufWriter::new(file), &config)?)
}

fn build(place: &Place, spec: &SandboxSpec, agent: &Path, base: u32, cgroups: &Cgroups) -> Result<Spec> {
    let told = AgentConfig { address: Some(spec.network.address), ..spec.agent.clone() };
    let caps = capabilities();
    let process = ProcessBuilder::default()
        .terminal(false)
        .cwd("/")
        .user(UserBuilder::default().uid(0u32).gid(0u32).build()?)
        // sudo and ping inside are setuid programs.
        .no_new_privileges(false)
        .args(vec![AGENT.to_owned()])
        .env(vec![
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            "LISTEN_FDS=1".to_owned(),
            "container=boatyard".to_owned(),
            format!("{CONFIG_ENV}={}", serde_json::to_string(&told)?),
        ])
        .capabilities(
            LinuxCapabilitiesBuilder::default()
                .bounding(caps.clone())
                .effective(caps.clone())
                .permitted(caps.clone())
                .inheritable(caps)
                .ambient(Capabilities::new())
                .build()?,
        )
        .rlimits(Vec::new())
        .build()?;
    let ids = || LinuxIdMappingBuilder::default().container_id(0u32).host_id(base).size(IDS_PER_SANDBOX).build();
    use LinuxNamespaceType as Ns;
    let namespaces = [Ns::Pid, Ns::Ipc, Ns::Uts, Ns::Mount, Ns::Network, Ns::User, Ns::Cgroup]
        .into_iter()
        .map(|typ| LinuxNamespaceBuilder::default().typ(typ).build())
        .collect::<Result<Vec<_>, _>>()?;
    let linux = LinuxBuilder::default()
        .namespaces(namespaces)
        .uid_mappings(vec![ids()?])
        .gid_mappings(vec![ids()?])
        .cgroups_path(cgroups.oci_path(&place.cgroup))
        .resources(resources(&spec.limits, cgroups)?)
        .devices(Vec::new())
        // Mounts inside must reach the containers inside (docker run -v …:shared).
        .rootfs_propagation("shared")
        // A masked or read-only /proc would forbid a new one in the containers inside: the kernel allows a mount only
        // where an unobstructed one of its kind is visible. What they would hide is closed by the user namespace.
        .masked_paths(Vec::new())
        .readonly_paths(Vec::new())
        .seccomp(seccomp::profile()?)
        .build()?;
    Ok(SpecBuilder::default()
        .version("1.0.2")
        .hostname(spec.agent.hostname.clone())
        .root(RootBuilder::default().path(place.merged()).readonly(false).build()?)
        .process(process)
        .mounts(mounts(place, spec, agent)?)
        .linux(linux)
        .build()?)
}

fn mounts(place: &Place, spec: &SandboxSpec, agent: &Path) -> Result<Vec<Mount>> {
    let mount = |target: &str, kind: &str, source: &Path, options: &str| {
        MountBuilder::default()
            .destination(target)
            .typ(kind)
            .source(source)
            .options(options.split(',').map(str::to_owned).collect::<Vec<_>>())
            .build()
    };
    let fs = |target: &str, kind: &str, options: &str| mount(target, kind, Path::new(kind), options);
    let bind = |target: &str, source: &Path, options: &str| mount(target, "bind", source, options);
    Ok(vec![
        fs("/proc", "proc", "nosuid,noexec,nodev")?,
        fs("/dev", "tmpfs", "nosuid,strictatime,mode=755,size=1m")?,
        fs("/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5")?,
        fs("/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=64m")?,
        fs("/dev/mqueue", "mqueue", "nosuid,noexec,nodev")?,
        fs("/sys", "sysfs", "nosuid,noexec,nodev")?,
        fs("/sys/fs/cgroup", "cgroup", "nosuid,noexec,nodev,relatime,rw")?,
        fs("/run", "tmpfs", "nosuid,nodev,mode=755,size=64m")?,
        fs("/tmp", "tmpfs", "nosuid,nodev,mode=1777,size=256m")?,
        bind(AGENT, agent, "bind,ro,nosuid,nodev")?,
        mount(&spec.disk.to_string_lossy(), "bind", &place.disk().join("docker"), "rbind,rw")?,
        bind("/dev/fuse", &place.devices().join("fuse"), "bind,rw,nosuid,noexec")?,
        // From these the agent takes the others in place of the host's.
        bind("/dev/.boatyard/devices", &place.devices(), "bind,rw,nosuid,noexec")?,
        bind("/dev/net/tun", &place.devices().join("tun"), "bind,rw,nosuid,noexec")?,
    ])
}

fn resources(limits: &Limits, cgroups: &Cgroups) -> Result<LinuxResources> {
    let rule = |allow| LinuxDeviceCgroupBuilder::default().allow(allow).access("rwm");
    let mut devices: Vec<LinuxDeviceCgroup> = vec![rule(false).build()?];
    for (major, minor, _) in DEVICES {
        let mut open = rule(true).typ(LinuxDeviceType::C).major(*major);
        if let Some(minor) = minor {
            open = open.minor(*minor);
        }
        devices.push(open.build()?);
    }
    let mut all = LinuxResourcesBuilder::default().devices(devices);
    // A limit whose controller the host lacks would make the runtime fail; doctor tells the operator.
    if cgroups.has("memory") {
        let bytes = i64::try_from(limits.memory)?;
        all = all.memory(LinuxMemoryBuilder::default().limit(bytes).swap(bytes).build()?);
    }
    if cgroups.has("pids") {
        all = all.pids(LinuxPidsBuilder::default().limit(i64::from(limits.pids)).build()?);
    }
    if cgroups.has("cpu") && limits.cpus > 0.0 {
        const PERIOD: u64 = 100_000;
        // Shares below the default of 1024, so that the server stays ahead of all sandboxes when they are busy.
        let mut cpu = LinuxCpuBuilder::default().shares(256u64);
        if cgroups.cpu_quota() {
            cpu = cpu.period(PERIOD).quota((limits.cpus * PERIOD as f64) as i64);
        }
        all = all.cpu(cpu.build()?);
    }
    Ok(all.build()?)
}

/// Makes the sandbox's own device nodes: the host's may be closed to all but root.
pub(super) fn make_devices(place: &Place, owner: u32) -> Result<()> {
    use std::os::unix::fs::{PermissionsExt, chown};

    use nix::sys::stat::{Mode, SFlag, makedev, mknod};
    let folder = place.devices();
    std::fs::create_dir(&folder)?;
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o711))?;
    let devices = [
        ("fuse", 10, 229),
        ("tun", 10, 200),
        ("null", 1, 3),
        ("zero", 1, 5),
        ("full", 1, 7),
        ("random", 1, 8),
        ("urandom", 1, 9),
        ("tty", 5, 0),
    ];
    for (name, major, minor) in devices {
        let path = folder.join(name);
        mknod(&path, SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), makedev(major, minor))
            .with_context(|| format!("making {}", path.display()))?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666))?;
        chown(&path, Some(owner), Some(owner))?;
    }
    Ok(())
}
