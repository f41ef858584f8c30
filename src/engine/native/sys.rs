//! System calls and structures for which the libraries have no safe wrapper: all of the engine's own unsafe code but the
//! closures that run between fork and exec.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use linux_raw_sys::{
    general::{MOUNT_ATTR_IDMAP, MOUNT_ATTR_RDONLY, mount_attr},
    loop_device::{LO_FLAGS_AUTOCLEAR, LOOP_CONFIGURE, LOOP_CTL_GET_FREE, loop_config},
};

fn check(r: libc::c_long) -> io::Result<libc::c_long> {
    if r < 0 { Err(io::Error::last_os_error()) } else { Ok(r) }
}

/// Shifts the owners of a detached mount tree by the map of a user namespace, and makes it read-only.
pub(super) fn idmap_read_only(tree: BorrowedFd<'_>, userns: BorrowedFd<'_>) -> io::Result<()> {
    let attr = mount_attr {
        attr_set: u64::from(MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY),
        attr_clr: 0,
        propagation: 0,
        userns_fd: userns.as_raw_fd() as u64,
    };
    // SAFETY: the path is a valid empty C string and the structure is valid for the size that is passed.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attr,
            size_of::<mount_attr>(),
        )
    })
    .map(drop)
}

/// Number of a loop device that is free now; another process may take it before we do.
pub(super) fn loop_free(control: &File) -> io::Result<u32> {
    // SAFETY: the request takes no argument.
    check(unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE as _) }.into()).map(|n| n as u32)
}

/// Binds a file to a loop device, which frees itself when it is last closed or unmounted.
pub(super) fn loop_configure(device: &File, backing: &File, name: &Path) -> io::Result<()> {
    // SAFETY: the structure holds integers only, for which zero is a value.
    let mut config: loop_config = unsafe { std::mem::zeroed() };
    config.fd = backing.as_raw_fd() as u32;
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR as u32;
    let name = name.as_os_str().as_bytes();
    let n = name.len().min(config.info.lo_file_name.len() - 1);
    config.info.lo_file_name[..n].copy_from_slice(&name[..n]);
    // SAFETY: the structure is of the type that the request takes.
    check(unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE as _, &raw const config) }.into()).map(drop)
}

/// Ends an ext4 file system without writing what is dirty (`EXT4_IOC_SHUTDOWN` without flushing): what is in it is
/// about to be deleted.
pub(super) fn ext4_shutdown(folder: &File) -> io::Result<()> {
    const EXT4_IOC_SHUTDOWN: u32 = 0x8004_587d; // _IOR('X', 125, __u32), from the kernel's include/uapi/linux/ext4.h
    let no_flush: u32 = 2;
    // SAFETY: the request reads one 32-bit number.
    check(unsafe { libc::ioctl(folder.as_raw_fd(), EXT4_IOC_SHUTDOWN as _, &raw const no_flush) }.into()).map(drop)
}

/// A process in a new user namespace of its own that does nothing: it keeps the namespace while its map is written.
#[derive(Debug)]
pub(super) struct UsernsHolder {
    pub pid: nix::unistd::Pid,
    _stack: Vec<u8>,
}

impl UsernsHolder {
    pub fn start() -> io::Result<UsernsHolder> {
        let mut stack = vec![0u8; 16 * 1024];
        let flags = nix::sched::CloneFlags::CLONE_NEWUSER | nix::sched::CloneFlags::CLONE_VM;
        // The child shares our memory (a copy of a large server's page tables would take milliseconds), so it may only
        // make system calls that touch no memory.
        let wait = Box::new(|| {
            loop {
                // SAFETY: pause touches no memory and returns only when a signal was handled, of which there is none.
                unsafe { libc::syscall(libc::SYS_pause) };
            }
        });
        // SAFETY: the child runs only the loop above, on a stack that lives until it has been reaped.
        let pid = unsafe { nix::sched::clone(wait, &mut stack, flags, Some(libc::SIGCHLD)) }?;
        Ok(UsernsHolder { pid, _stack: stack })
    }
}

impl Drop for UsernsHolder {
    fn drop(&mut self) {
        let _ = nix::sys::signal::kill(self.pid, nix::sys::signal::Signal::SIGKILL);
        let _ = nix::sys::wait::waitpid(self.pid, None);
    }
}

/// In a child between fork and exec: `fd` becomes descriptor 3, and no other above 2 survives the exec. Calls only
/// functions that are safe there.
pub(super) fn only_fd_3(fd: i32) -> io::Result<()> {
    // SAFETY: plain system calls on numbers.
    unsafe {
        if fd == 3 {
            check(libc::fcntl(3, libc::F_SETFD, 0).into())?;
        } else {
            check(libc::dup2(fd, 3).into())?;
        }
        check(libc::syscall(libc::SYS_close_range, 4, u32::MAX, libc::CLOSE_RANGE_CLOEXEC)).map(drop)
    }
}

/// In a child between fork and exec: it dies with the thread that started it.
pub(super) fn die_with_parent() -> io::Result<()> {
    // SAFETY: a plain system call on numbers.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) }.into()).map(drop)
}

/// Changes this thread's network namespace.
pub(super) fn enter_netns(ns: impl AsFd) -> io::Result<()> {
    nix::sched::setns(ns, nix::sched::CloneFlags::CLONE_NEWNET).map_err(io::Error::from)
}

/// A descriptor of a process that cannot come to mean another.
pub(super) fn pidfd(pid: i32) -> io::Result<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?)
}
