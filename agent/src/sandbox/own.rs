//! What runtimes take from the host for want of better and that shows it inside: device nodes, the size of a tmpfs, the
//! time since the host's boot.

use std::{fs, io, os::unix::fs::FileTypeExt, path::Path};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// Where the engine lays device nodes that are on the sandbox's own disk.
const DEVICES: &str = "/dev/.boatyard/devices";
const CAP_SYS_TIME: u32 = 25;

/// Puts the sandbox's own device nodes in the place of the host's: the mount of each would show the host's `/dev`, with
/// its size, among the disks that `df` lists.
///
/// # Errors
/// What mount(2) says; devices that were not changed yet stay the host's.
pub fn devices() -> io::Result<()> {
    // The folder is the host's: it can be passed through, not read.
    for name in ["null", "zero", "full", "random", "urandom", "tty"] {
        let (own, at) = (Path::new(DEVICES).join(name), Path::new("/dev").join(name));
        if !fs::metadata(&own).is_ok_and(|m| m.file_type().is_char_device()) {
            return Ok(());
        }
        let _ = umount2(&at, MntFlags::MNT_DETACH);
        mount(Some(&own), &at, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    }
    umount2(DEVICES, MntFlags::MNT_DETACH)?;
    Ok(())
}

/// Where the hierarchies of cgroup v1 are mounted lies a tmpfs of half the host's memory, which holds nothing. Without a
/// size of its own `df` leaves it out; what is written there counts against the sandbox's memory.
///
/// # Errors
/// What mount(2) says.
pub fn cgroup_folder() -> io::Result<()> {
    let at = "/sys/fs/cgroup";
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    if !mounts.lines().any(|l| l.split(' ').skip(1).take(2).eq([at, "tmpfs"])) {
        return Ok(());
    }
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV;
    Ok(mount(None::<&str>, at, None::<&str>, flags, Some("size=0,mode=755"))?)
}

/// Lets all that this process starts count the time since its own start instead of the host's: `uptime`, `ps` and the
/// sysinfo system call, by a time namespace (time_namespaces(7)).
///
/// # Errors
/// Where the kernel has no time namespaces, or the engine gave no CAP_SYS_TIME.
pub fn clock() -> io::Result<()> {
    let set = own_clock();
    // It was for this only: nothing that a student starts has it.
    drop_capability(CAP_SYS_TIME)?;
    set
}

fn own_clock() -> io::Result<()> {
    // Counted from the second in which this process started: before it, its own start would be a time below zero.
    let stat = fs::read_to_string("/proc/self/stat")?;
    let ticks = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_ascii_whitespace().nth(19));
    let ticks: i64 = ticks.and_then(|t| t.parse().ok()).ok_or_else(|| io::Error::other("/proc/self/stat"))?;
    // SAFETY: both take and give plain integers.
    let (second, done) = unsafe { (libc::sysconf(libc::_SC_CLK_TCK), libc::unshare(libc::CLONE_NEWTIME)) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    fs::write("/proc/self/timens_offsets", format!("boottime {} 0\n", -(ticks / second.max(1))))
}

/// Takes a capability from this process's bounding and inheritable sets, and so from all that it will start
/// (capabilities(7)).
fn drop_capability(number: u32) -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    #[repr(C)]
    #[derive(Default, Clone, Copy)]
    struct Data {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    // _LINUX_CAPABILITY_VERSION_3: two words of each set.
    let mut header = Header { version: 0x2008_0522, pid: 0 };
    let mut data = [Data::default(); 2];
    // SAFETY: prctl takes plain integers; capget and capset read and write the header and two words of data, which live
    // through the calls.
    unsafe {
        if libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(number), 0, 0, 0) != 0
            || libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) != 0
        {
            return Err(io::Error::last_os_error());
        }
        let word = &mut data[number as usize / 32];
        let keep = !(1 << (number % 32));
        word.effective &= keep;
        word.permitted &= keep;
        word.inheritable &= keep;
        if libc::syscall(libc::SYS_capset, &raw mut header, data.as_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
