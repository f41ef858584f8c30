//! Bringing one's own lab image: a root file system as a tar archive, or an image as an OCI or `docker save` archive.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, ErrorKind, Read},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail, ensure};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::{
    archive::{self, Archive},
    definition::{Definition, check_name},
    info::{ImageInfo, Origin, sha256},
    layer,
    progress::{Progress, Task},
    root::{Root, clear, inside},
    store::Draft,
};
use crate::paths::Paths;

type Decoder<R> = StreamingDecoder<R, FrameDecoder>;

/// Makes the lab image `name` of an archive, plain or compressed by gzip or zstd. An image that has the name is
/// replaced; sandboxes that use it keep it. Blocks, for as long as the archive takes to read.
///
/// # Errors
/// When the archive is damaged, leads out of itself, or holds no root file system; then nothing of it is left.
pub fn import(paths: &Paths, archive: &Path, name: &str, progress: &dyn Progress) -> Result<ImageInfo> {
    check_name(name)?;
    let first = first_name(archive).with_context(|| format!("{}", archive.display()))?;
    let task: Arc<dyn Task> = progress.task(&format!("image {name}")).into();
    task.step("reading");
    let draft = Draft::begin(paths, name, || task.step("waiting for another build to end"))?;
    let rootfs = draft.rootfs();
    fs::create_dir(&rootfs).with_context(|| format!("making {}", rootfs.display()))?;
    let root = Root::open(&rootfs)?;
    if archive::is_one(&first) {
        let image = Archive::unpack(open(archive, Some(&task))?, &draft.scratch()?)?;
        let layers = image.layers()?;
        for (i, file) in layers.iter().enumerate() {
            let what = || format!("layer {} of {}", i + 1, layers.len());
            task.step(&what());
            if i > 0 {
                layer::remove(&root, open(file, None)?).with_context(what)?;
            }
            layer::add(&root, open(file, None)?).with_context(what)?;
        }
    } else {
        layer::add(&root, open(archive, Some(&task))?)?;
    }
    task.step("finishing");
    settle(&root)?;
    let versions = Definition::default_image()?.versions;
    let info = ImageInfo::inspect(&rootfs, name, &sha256(archive)?, Origin::Imported, &versions)?;
    draft.publish(&info)?;
    task.done(&format!("imported, {}", bytesize::ByteSize(info.size)));
    Ok(info)
}

/// Checks that it is a root file system, and makes it as a sandbox needs it.
fn settle(root: &Root) -> Result<()> {
    let shell = ["bin/sh", "usr/bin/sh", "bin/bash", "bin/busybox"].iter().any(|s| root.has(s));
    ensure!(
        shell && root.has("etc"),
        "this is no root file system: it has no {}. Import a tar of a whole system, or an image made from one",
        if shell { "/etc" } else { "shell" }
    );
    // Each sandbox writes its own; a link, which may lead anywhere, would be written through.
    for file in ["etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/machine-id"] {
        let place = root.make(Path::new(file))?;
        clear(&place.path())?;
        File::create_new(place.path()).with_context(|| format!("making /{file}"))?;
    }
    for folder in ["dev", "proc", "sys", "run", "tmp", "root", "var/lib"] {
        // Making a place below a folder makes the folder.
        root.make(&Path::new(folder).join("x")).with_context(|| format!("making /{folder}"))?;
    }
    Ok(())
}

/// The name of the first entry that is not the root itself.
fn first_name(archive: &Path) -> Result<std::path::PathBuf> {
    let mut tar = tar::Archive::new(open(archive, None)?);
    for entry in tar.entries()? {
        // What the archive's reader says quotes the bytes that it could not read.
        let entry = entry.map_err(|e| match e.kind() {
            ErrorKind::Other | ErrorKind::InvalidData => anyhow!("this is no tar archive, or a damaged one"),
            _ => anyhow!(e).context("this is no tar archive, or a damaged one"),
        });
        let path = inside(&entry?.path()?)?;
        if !path.as_os_str().is_empty() {
            return Ok(path);
        }
    }
    bail!("the archive is empty")
}

/// Opens an archive and decompresses it; its progress goes to `task`.
fn open(path: &Path, task: Option<&Arc<dyn Task>>) -> Result<Box<dyn Read>> {
    let mut file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let total = file.metadata()?.len();
    let mut magic = [0; 6];
    let n = file.read(&mut magic)?;
    io::Seek::rewind(&mut file)?;
    let file = BufReader::with_capacity(1 << 18, Counted { file, read: 0, total, task: task.cloned() });
    Ok(match &magic[..n] {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(Zstd(Some(StreamingDecoder::new(file)?))),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            bail!("{} is compressed by xz: unpack it with `xz -dk` first", path.display())
        }
        [b'B', b'Z', b'h', ..] => bail!("{} is compressed by bzip2: unpack it with `bzip2 -dk` first", path.display()),
        _ => Box::new(file),
    })
}

struct Counted {
    file: File,
    read: u64,
    total: u64,
    task: Option<Arc<dyn Task>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.read += n as u64;
        if let Some(task) = &self.task {
            task.step(&format!("unpacking, {} %", self.read * 100 / self.total.max(1)));
        }
        Ok(n)
    }
}

/// Decompresses all frames of a file: a compressor that works in parallel writes many.
struct Zstd<R: BufRead>(Option<Decoder<R>>);

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.0 {
            let n = decoder.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            let Some(mut file) = self.0.take().map(StreamingDecoder::into_inner) else { break };
            if !file.fill_buf()?.is_empty() {
                self.0 = Some(StreamingDecoder::new(file).map_err(io::Error::other)?);
            }
        }
        Ok(0)
    }
}
