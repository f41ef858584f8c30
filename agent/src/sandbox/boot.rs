//! First deeds of PID 1. None of them may fail the start: a sandbox with a flaw can still be looked into.

use std::{fs, io, path::Path};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::own;

/// Does what only PID 1 may do: mount propagation, devices and a clock of its own, loopback up, a leaf cgroup on v2.
pub fn prepare() {
    // As systemd does it: bind mounts of nested containers see what is mounted later.
    let shared = mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SHARED, None::<&str>);
    note("sharing mounts", shared.map_err(io::Error::from));
    // The engine has bound the agent's binary in from the host. It runs by now; its mount would only show the host's disk
    // among those that `df` lists.
    if let Ok(own) = fs::read_link("/proc/self/exe") {
        let _ = umount2(&own, MntFlags::MNT_DETACH);
    }
    note("taking the sandbox's own devices", own::devices());
    note("hiding the size of the cgroup folder", own::cgroup_folder());
    note("counting time from now on", own::clock());
    note("bringing lo up", loopback_up());
    note("making a leaf cgroup", leaf_cgroup());
    // As systemd does it: ping works for every user, without any privilege.
    note("opening ping", fs::write("/proc/sys/net/ipv4/ping_group_range", "0 65535"));
    for folder in ["/run/boatyard", "/run/lock", "/var/log", "/tmp"] {
        note("making a folder", fs::create_dir_all(folder));
    }
}

fn note(what: &str, done: io::Result<()>) {
    if let Err(e) = done {
        tracing::warn!("{what}: {e}");
    }
}

fn loopback_up() -> io::Result<()> {
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
    // SAFETY: plain integers in; the descriptor is owned at once.
    let socket = unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(fd)
    };
    // SAFETY: an ifreq of zeroes is valid; both calls read and write one, which lives through them.
    unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
            *to = *from as _;
        }
        if libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &mut request) != 0 {
            return Err(io::Error::last_os_error());
        }
        let up = libc::IFF_UP as libc::c_short;
        if request.ifr_ifru.ifru_flags & up == 0 {
            request.ifr_ifru.ifru_flags |= up;
            if libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &request) != 0 {
                return Err(io::Error::last_os_error());
            }
        }
    }
    Ok(())
}

/// On cgroup v2 a group with controllers for its children holds no processes itself: the sandbox's own move one down, so
/// that Docker may make groups beside them.
fn leaf_cgroup() -> io::Result<()> {
    let root = Path::new("/sys/fs/cgroup");
    let Ok(controllers) = fs::read_to_string(root.join("cgroup.controllers")) else { return Ok(()) };
    let leaf = root.join("boatyard");
    fs::create_dir_all(&leaf)?;
    fs::write(leaf.join("cgroup.procs"), "0")?;
    for controller in controllers.split_ascii_whitespace() {
        if let Err(e) = fs::write(root.join("cgroup.subtree_control"), format!("+{controller}")) {
            tracing::info!("the cgroup controller {controller} is not handed down: {e}");
        }
    }
    Ok(())
}

/// Confines this process, and so all that it starts, to `count` processors: a run of neighbours beginning anywhere, so
/// that many sandboxes are spread over the host.
pub fn confine(count: u32) {
    use nix::{
        sched::{CpuSet, sched_getaffinity, sched_setaffinity},
        unistd::Pid,
    };
    let Ok(all) = sched_getaffinity(Pid::from_raw(0)) else { return };
    let all: Vec<usize> = (0..CpuSet::count()).filter(|c| all.is_set(*c).unwrap_or(false)).collect();
    if count == 0 || count as usize >= all.len() {
        return;
    }
    let mut start = [0u8; 2];
    // SAFETY: the pointer and length are those of a live array.
    unsafe { libc::getrandom(start.as_mut_ptr().cast(), 2, libc::GRND_NONBLOCK) };
    let start = usize::from(u16::from_ne_bytes(start));
    let mut set = CpuSet::new();
    for i in 0..count as usize {
        let _ = set.set(all[(start + i) % all.len()]);
    }
    note("choosing processors", sched_setaffinity(Pid::from_raw(0), &set).map_err(io::Error::from));
}
