//! Files of `/proc` that tell of the host and that no namespace mends: a small file system of files that are written anew
//! at each reading, each bound over the kernel's.

mod loadavg;
mod meminfo;

use std::{
    ffi::OsStr,
    fs, io,
    sync::Mutex,
    time::{Duration, SystemTime},
};

use fuser::{
    Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner, MountOption,
    OpenFlags, ReplyAttr, ReplyData, ReplyDirectory, ReplyEntry, ReplyOpen, Request, SessionACL,
};
use nix::mount::{MsFlags, mount};

use self::{loadavg::Load, meminfo::Cgroup};

/// Where the file system and the unmasked mounts lie.
const ASIDE: &str = "/dev/.boatyard";

/// Binds the mended files over the kernel's, those of them for which the sandbox's figures are to be had.
///
/// # Errors
/// When there is no FUSE here, or a mount is refused.
pub fn install() -> io::Result<()> {
    let mut files = Vec::new();
    if let Some(memory) = Cgroup::find() {
        files.push(File { name: "meminfo", make: Box::new(move |host| memory.mend(host)) });
    }
    if let Some(load) = Load::find() {
        let load = Mutex::new(load);
        let make = move |host: &str| load.lock().map_or_else(|_| host.to_owned(), |mut l| l.mend(host));
        files.push(File { name: "loadavg", make: Box::new(make) });
    }
    let names: Vec<_> = files.iter().map(|f| f.name).collect();
    if names.is_empty() {
        return Err(io::Error::other("the sandbox's control groups are not to be found"));
    }
    // A user namespace in here may mount a proc and sysfs of its own only while a wholly visible one exists: these do.
    for (kind, flags) in [("proc", MsFlags::MS_NOSUID), ("sysfs", MsFlags::MS_NOSUID | MsFlags::MS_RDONLY)] {
        let at = format!("{ASIDE}/{kind}");
        fs::create_dir_all(&at)?;
        let flags = flags | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV;
        if let Err(e) = mount(Some(kind), at.as_str(), Some(kind), flags, None::<&str>) {
            tracing::info!("no second {kind}: {e}");
        }
    }
    let folder = format!("{ASIDE}/mended");
    fs::create_dir_all(&folder)?;
    let mut config = Config::default();
    config.mount_options =
        vec![MountOption::RO, MountOption::FSName("boatyard".into()), MountOption::NoDev, MountOption::NoSuid];
    config.acl = SessionACL::All;
    let session = fuser::Session::new(Mended { files }, &folder, &config)?;
    std::thread::Builder::new().name("proc".into()).stack_size(128 << 10).spawn(move || {
        if let Err(e) = session.run() {
            tracing::warn!("the file system of mended files ended: {e}");
        }
    })?;
    for name in names {
        let (file, over) = (format!("{folder}/{name}"), format!("/proc/{name}"));
        mount(Some(file.as_str()), over.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    }
    Ok(())
}

/// A file of `/proc`, and what makes its text from the kernel's.
struct File {
    name: &'static str,
    make: Box<dyn Fn(&str) -> String + Send + Sync>,
}

/// The files have the numbers from 2 on.
struct Mended {
    files: Vec<File>,
}

const TTL: Duration = Duration::from_secs(3600);

fn attributes(ino: INodeNo, kind: FileType, perm: u16) -> FileAttr {
    let epoch = SystemTime::UNIX_EPOCH;
    FileAttr {
        ino,
        size: 0,
        blocks: 0,
        atime: epoch,
        mtime: epoch,
        ctime: epoch,
        crtime: epoch,
        kind,
        perm,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

impl Mended {
    fn file(&self, ino: INodeNo) -> Option<&File> {
        self.files.get(usize::try_from(ino.0.checked_sub(2)?).ok()?)
    }

    fn of(&self, ino: INodeNo) -> Option<FileAttr> {
        if ino == INodeNo::ROOT {
            return Some(attributes(ino, FileType::Directory, 0o555));
        }
        self.file(ino).map(|_| attributes(ino, FileType::RegularFile, 0o444))
    }
}

impl Filesystem for Mended {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let at = self.files.iter().position(|f| parent == INodeNo::ROOT && name == f.name);
        match at.and_then(|i| self.of(INodeNo(i as u64 + 2))) {
            Some(attr) => reply.entry(&TTL, &attr, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.of(ino) {
            Some(attr) => reply.attr(&TTL, &attr),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        // Direct: each read asks anew, and the size of 0 does not matter.
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let Some(file) = self.file(ino) else { return reply.error(Errno::ENOENT) };
        let host = fs::read_to_string(format!("{ASIDE}/proc/{}", file.name)).unwrap_or_default();
        let text = (file.make)(&host);
        let bytes = text.as_bytes();
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let to = from.saturating_add(size as usize).min(bytes.len());
        reply.data(&bytes[from..to]);
    }

    fn readdir(&self, _: &Request, _: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let folders = [".", ".."].map(|name| (INodeNo::ROOT, FileType::Directory, name));
        let files = self.files.iter().enumerate().map(|(i, f)| (INodeNo(i as u64 + 2), FileType::RegularFile, f.name));
        let all = folders.into_iter().chain(files).enumerate();
        for (i, (ino, kind, name)) in all.skip(usize::try_from(offset).unwrap_or(usize::MAX)) {
            if reply.add(ino, i as u64 + 1, kind, name) {
                break;
            }
        }
        reply.ok();
    }
}
