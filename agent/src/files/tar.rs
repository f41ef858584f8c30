//! A folder as a tar archive, made while it is sent.

use std::{
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use walkdir::WalkDir;

use super::regular;

/// Most archives made at the same time: each has a thread, which waits as long as its reader does.
const AT_ONCE: usize = 4;
/// Bytes that are sent at a time.
const CHUNK: usize = 64 << 10;
const STACK: usize = 512 << 10;

static PLACES: std::sync::LazyLock<Arc<Semaphore>> = std::sync::LazyLock::new(|| Arc::new(Semaphore::new(AT_ONCE)));

/// Starts to pack the folder at `path`; gives the archive's bytes as they come. Names in it begin with the folder's own.
/// Other file systems below it stay out, and so do sockets and what cannot be read.
///
/// # Errors
/// What stat(2) says; [`io::ErrorKind::NotADirectory`]; [`io::ErrorKind::ResourceBusy`] where too many are being made.
pub fn pack(path: &Path) -> io::Result<mpsc::Receiver<io::Result<Bytes>>> {
    let path = std::fs::canonicalize(path)?;
    if !std::fs::metadata(&path)?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::NotADirectory));
    }
    let place = PLACES.clone().try_acquire_owned().map_err(|_| {
        io::Error::new(io::ErrorKind::ResourceBusy, format!("{AT_ONCE} archives are being made already"))
    })?;
    let (sender, receiver) = mpsc::channel(2);
    std::thread::Builder::new().name("tar".into()).stack_size(STACK).spawn(move || {
        let failed = sender.clone();
        if let Err(e) = write(&path, Channel { sender, buffer: Vec::with_capacity(CHUNK) }) {
            // The reader must see that the archive is not whole.
            let _ = failed.blocking_send(Err(e));
        }
        drop(place);
    })?;
    Ok(receiver)
}

fn write(folder: &Path, to: impl Write) -> io::Result<()> {
    let top = PathBuf::from(folder.file_name().unwrap_or("root".as_ref()));
    let mut archive = tar::Builder::new(to);
    for entry in WalkDir::new(folder).follow_links(false).same_file_system(true) {
        // What went away meanwhile, or may not be read.
        let Ok(entry) = entry else { continue };
        let name = match entry.path().strip_prefix(folder) {
            Ok(below) if below.as_os_str().is_empty() => top.clone(),
            Ok(below) => top.join(below),
            Err(_) => continue,
        };
        let Ok(meta) = std::fs::symlink_metadata(entry.path()) else { continue };
        let mut header = tar::Header::new_gnu();
        header.set_metadata(&meta);
        if meta.is_symlink() {
            header.set_size(0);
            let Ok(target) = std::fs::read_link(entry.path()) else { continue };
            archive.append_link(&mut header, name, target)?;
        } else if meta.is_file() {
            file(&mut archive, entry.path(), &name)?;
        } else if meta.is_dir() {
            header.set_size(0);
            archive.append_data(&mut header, name, io::empty())?;
        }
    }
    archive.into_inner()?.flush()
}

/// Adds a regular file with as many bytes as it had when it was opened, whatever happens to it meanwhile.
fn file(archive: &mut tar::Builder<impl Write>, path: &Path, name: &Path) -> io::Result<()> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW;
    let Ok(file) = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path) else { return Ok(()) };
    let Ok(meta) = file.metadata() else { return Ok(()) };
    if regular(&meta).is_err() {
        return Ok(());
    }
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&meta);
    let exactly = file.take(meta.len()).chain(io::repeat(0)).take(meta.len());
    archive.append_data(&mut header, name, exactly)
}

/// Sends what is written to it in chunks; waits for the reader, and fails when that is gone.
struct Channel {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..n]);
        if self.buffer.len() == CHUNK {
            self.flush()?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        self.sender.blocking_send(Ok(full.into())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
