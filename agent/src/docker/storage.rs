//! Sees layers come into Docker's storage, by inotify(7): the engine tells of a pull or a build when all is done, and of
//! a build without a tag not at all.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs, io,
    os::fd::{AsFd, AsRawFd, RawFd},
    path::{Path, PathBuf},
    time::Duration,
};

use boatyard_protocol::agent::{DockerStorage, StoredLayer};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::{Instant, sleep_until},
};

const ROOT: &str = "/var/lib/docker";
/// Least time between two reports.
const EVERY: Duration = Duration::from_millis(200);
/// What comes within this is one report.
const TOGETHER: Duration = Duration::from_millis(30);
/// Most layers of one report.
const MAX_LAYERS: usize = 128;

struct Watches(Inotify);

impl AsRawFd for Watches {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// What a folder holds.
#[derive(Debug, Clone, Copy)]
enum Folder {
    /// One entry for each complete layer, by chain id.
    Layers,
    /// One file for each image.
    Images,
    /// What is being downloaded.
    Downloads,
}

/// Reports until something fails, such as when there is no such storage.
///
/// # Errors
/// What inotify says.
pub async fn follow(mut report: impl FnMut(DockerStorage)) -> io::Result<std::convert::Infallible> {
    let watches = Watches(Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?);
    // SAFETY: it gives the same descriptor as long as it lives, and stays in the AsyncFd.
    let inotify = unsafe { AsyncFd::register_with_interest(watches, Interest::READABLE) }?;
    let metadata = metadata_folder()?;
    let layers = metadata.join("layerdb/sha256");
    // dockerd makes it with its first layer, which is the one to see.
    fs::create_dir_all(&layers)?;
    let come = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
    let change = come | AddWatchFlags::IN_DELETE;
    let mut folders: HashMap<WatchDescriptor, Folder> = HashMap::new();
    for (path, mask, folder) in [
        (layers.clone(), come, Folder::Layers),
        (metadata.join("imagedb/content/sha256"), change, Folder::Images),
        (Path::new(ROOT).join("tmp"), change, Folder::Downloads),
    ] {
        folders.insert(inotify.get_ref().0.add_watch(&path, mask)?, folder);
    }
    let mut seen = DockerStorage::default();
    let mut due: Option<Instant> = None;
    let mut last = Instant::now();
    loop {
        tokio::select! {
            ready = inotify.readable() => {
                let mut ready = ready?;
                match inotify.get_ref().0.read_events() {
                    Ok(events) => for event in events {
                        let (Some(folder), Some(name)) = (folders.get(&event.wd), &event.name) else {
                            // Too many at once: what came is not known, so the images are looked at.
                            seen.images |= event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW);
                            continue;
                        };
                        note(&mut seen, *folder, name, &layers);
                    },
                    Err(nix::errno::Errno::EAGAIN) => { ready.clear_ready(); continue }
                    Err(e) => return Err(e.into()),
                }
                due.get_or_insert(Instant::now().max(last + EVERY) + TOGETHER);
            }
            () = sleep_until(due.unwrap_or(last)), if due.is_some() => {
                due = None;
                let before = seen.downloads;
                (seen.downloads, seen.downloaded) = downloads();
                // Files grow without an event.
                if seen.downloads > 0 {
                    due = Some(Instant::now() + EVERY);
                }
                let quiet = DockerStorage { downloads: before, ..DockerStorage::default() };
                if seen.downloads > 0 || seen != quiet || before > 0 {
                    report(seen.clone());
                }
                seen = DockerStorage { downloads: seen.downloads, ..DockerStorage::default() };
                last = Instant::now();
            }
        }
    }
}

fn note(seen: &mut DockerStorage, folder: Folder, name: &OsStr, layers: &Path) {
    let Some(name) = name.to_str() else { return };
    match folder {
        Folder::Layers if seen.layers.len() < MAX_LAYERS => seen.layers.extend(layer(layers, name)),
        Folder::Layers => {}
        // Those that begin with a dot are being written.
        Folder::Images => seen.images |= !name.starts_with('.'),
        // Counted when it is reported.
        Folder::Downloads => {}
    }
}

/// `/var/lib/docker/image/<driver>`
fn metadata_folder() -> io::Result<PathBuf> {
    let found = fs::read_dir(Path::new(ROOT).join("image"))?.flatten().map(|e| e.path()).find(|p| p.is_dir());
    found.ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn layer(folder: &Path, name: &str) -> Option<StoredLayer> {
    let hex = name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let read = |file: &str| {
        let path = folder.join(name).join(file);
        let short = fs::symlink_metadata(&path).is_ok_and(|m| m.is_file() && m.len() < 1000);
        short.then(|| fs::read_to_string(&path).ok()).flatten()
    };
    let size = read("size").filter(|_| hex)?.trim().parse().ok()?;
    Some(StoredLayer { chain: format!("sha256:{name}"), parent: read("parent"), size })
}

/// How many layers are being downloaded, and the bytes of them that are there.
fn downloads() -> (u32, u64) {
    let entries = fs::read_dir(Path::new(ROOT).join("tmp")).into_iter().flatten().flatten();
    let blobs = entries.filter(|e| e.file_name().as_encoded_bytes().starts_with(b"GetImageBlob"));
    let sizes = blobs.take(200).filter_map(|e| e.metadata().ok()).map(|m| m.len());
    sizes.fold((0, 0), |(count, bytes), size| (count + 1, bytes + size))
}
