//! Lab images that operators bring, and how images come and go. Needs root.

#![allow(missing_docs, reason = "a test")]

use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use boatyard::{
    image::{self, Origin, progress::Silent},
    paths::Paths,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

/// A tar archive in the making, which takes what no honest program would write.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn entry(mut self, kind: EntryType, name: &str, link: &str, mode: u32, data: &[u8]) -> Tar {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(42);
        header.set_mtime(1_000_000_000);
        header.set_size(data.len() as u64);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, data: &str) -> Tar {
        self.entry(EntryType::Regular, name, "", 0o644, data.as_bytes())
    }

    fn folder(self, name: &str) -> Tar {
        self.entry(EntryType::Directory, name, "", 0o755, b"")
    }

    fn link(self, name: &str, target: &str) -> Tar {
        self.entry(EntryType::Symlink, name, target, 0o777, b"")
    }

    fn hard(self, name: &str, target: &str) -> Tar {
        self.entry(EntryType::Link, name, target, 0o644, b"")
    }

    /// An extended attribute of the entry that comes next.
    fn attribute(self, name: &str, value: &[u8]) -> Tar {
        let mut rest = format!(" SCHILY.xattr.{name}=").into_bytes();
        rest.extend(value);
        rest.push(b'\n');
        let length = (rest.len()..).find(|n| n.to_string().len() + rest.len() == *n).unwrap();
        let record = [length.to_string().as_bytes(), &rest].concat();
        self.entry(EntryType::XHeader, "pax", "", 0o644, &record)
    }

    /// The least that is a root file system.
    fn system() -> Tar {
        Tar::default()
            .folder("./")
            .folder("./etc/")
            .file("./etc/os-release", "PRETTY_NAME=\"Tiny 1\"\n")
            .folder("./usr/bin/")
            .link("./bin", "usr/bin")
            .entry(EntryType::Regular, "./bin/sh", "", 0o755, b"#!")
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

/// A data folder, and archives beside it.
struct Bench {
    folder: tempfile::TempDir,
    paths: Paths,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let paths = Paths::new(&folder.path().join("data"));
        Bench { folder, paths }
    }

    fn import(&self, archive: &[u8]) -> anyhow::Result<PathBuf> {
        self.import_as("mine", archive)
    }

    fn import_as(&self, name: &str, archive: &[u8]) -> anyhow::Result<PathBuf> {
        let file = self.folder.path().join("archive");
        fs::write(&file, archive).unwrap();
        image::import(&self.paths, &file, name, &Silent)?;
        Ok(self.paths.images().join(name).join("rootfs"))
    }

    /// What the folder of images holds, hidden entries too, but its lock.
    fn entries(&self) -> Vec<String> {
        let entries = fs::read_dir(self.paths.images()).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
        names.retain(|n| n != ".lock");
        names.sort();
        names
    }
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}

fn through(program: &str, data: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let data = data.to_owned();
    let writer = std::thread::spawn(move || input.write_all(&data));
    let output = child.wait_with_output().unwrap().stdout;
    writer.join().unwrap().unwrap();
    output
}

#[test]
fn a_root_file_system_is_taken_as_it_is() {
    // cap_net_raw+ep, as ping has it.
    let capability = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let tar = Tar::system()
        .entry(EntryType::Regular, "usr/bin/su", "", 0o4755, b"su")
        .attribute("security.capability", &capability)
        .entry(EntryType::Regular, "usr/bin/ping", "", 0o755, b"ping")
        .hard("usr/bin/ping4", "usr/bin/ping")
        .entry(EntryType::Char, "dev/null", "", 0o666, b"")
        .folder("var/")
        .entry(EntryType::Directory, "tmp", "", 0o1777, b"")
        .end();
    let split = tar.len() / 1024 * 512;
    let frames = [through("zstd", &tar[..split]), through("zstd", &tar[split..])].concat();
    for (how, archive) in [("plain", tar.clone()), ("gzip", through("gzip", &tar)), ("zstd in two frames", frames)] {
        let bench = Bench::new();
        let root = bench.import(&archive).unwrap_or_else(|e| panic!("{how}: {e:#}"));
        let meta = |p: &str| fs::symlink_metadata(root.join(p)).unwrap();
        assert_eq!(meta("usr/bin/su").mode() & 0o7777, 0o4755, "{how}");
        assert_eq!(
            (meta("usr/bin/su").uid(), meta("usr/bin/su").gid(), meta("usr/bin/su").mtime()),
            (0, 42, 1_000_000_000)
        );
        assert_eq!(xattr::get(root.join("usr/bin/ping"), "security.capability").unwrap().unwrap(), capability);
        assert_eq!(meta("usr/bin/ping").ino(), meta("usr/bin/ping4").ino());
        assert_eq!(meta("tmp").mode() & 0o7777, 0o1777);
        assert!(meta("bin").is_symlink() && !root.join("dev/null").exists());
        let info = image::read(&bench.paths, "mine").unwrap().unwrap();
        assert_eq!((info.distribution.as_str(), info.origin), ("Tiny 1", Origin::Imported));
        assert_eq!(image::list(&bench.paths).unwrap(), [info]);
        assert_eq!(fs::metadata(bench.paths.images()).unwrap().mode() & 0o777, 0o700);
    }
}

#[test]
fn no_entry_leaves_the_image() {
    let outside = tempfile::tempdir_in("/var/tmp").unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    let (dir, file) = (outside.path().to_str().unwrap(), victim.to_str().unwrap());

    // Links that lead out are followed as the image's own root would follow them.
    let bench = Bench::new();
    let up = format!("../../../../../../../..{dir}");
    let tar = Tar::system()
        .link("absolute", dir)
        .file("absolute/victim", "inside")
        .link("relative", &up)
        .file("relative/other", "inside")
        .link("file", file)
        .file("file", "replaced")
        .link("etc/resolv.conf", file)
        .hard("hard", file)
        .file("/rooted", "inside");
    // What a link leads to is not there inside of the image, so the folders are missing and one cannot be made.
    assert!(bench.import(&tar.end()).is_err());
    let tar = Tar::system()
        .folder(&dir[1..])
        .link("absolute", dir)
        .file("absolute/victim", "inside")
        .link("relative", &up)
        .file("relative/other", "inside")
        .link("file", file)
        .file("file", "replaced")
        .link("etc/resolv.conf", file)
        .hard("hard", file)
        .file("/rooted", "inside");
    let root = bench.import(&tar.end()).unwrap();
    assert_eq!(read(root.join(&file[1..])), "inside");
    assert_eq!(read(root.join(&dir[1..]).join("other")), "inside");
    assert_eq!((read(root.join("file")), read(root.join("hard"))), ("replaced".into(), "inside".into()));
    assert_eq!((read(root.join("rooted")), read(root.join("etc/resolv.conf"))), ("inside".into(), String::new()));
    assert_eq!(read(&victim), "untouched");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);

    for tar in [
        Tar::system().file("../out", "x"),
        Tar::system().file("etc/../../out", "x"),
        Tar::system().hard("in", &up),
        Tar::system().hard("in", "../../../../etc/passwd"),
        Tar::system().file("bin/sh/below", "x"),
    ] {
        let bench = Bench::new();
        assert!(bench.import(&tar.end()).is_err());
        assert_eq!(bench.entries(), Vec::<String>::new());
    }
}

#[test]
fn what_is_no_root_file_system_is_refused_with_a_reason() {
    let bench = Bench::new();
    let whole = Tar::system().file("big", &"x".repeat(100_000)).end();
    for (archive, reason) in [
        (Tar::default().file("README", "hello").end(), "no shell"),
        (Tar::default().folder("bin").file("bin/sh", "x").end(), "no /etc"),
        (b"not an archive at all, but a text".repeat(40), "no tar archive"),
        ((0..=255).rev().cycle().take(4096).collect(), "no tar archive"),
        (Tar::default().end(), "empty"),
        (through("xz", &whole), "xz -dk"),
        (through("gzip", &whole)[..200].to_vec(), ""),
        (whole[..50_000].to_vec(), ""),
    ] {
        let error = format!("{:#}", bench.import(&archive).unwrap_err());
        assert!(error.contains(reason), "{reason}: {error}");
        assert!(!error.contains(|c: char| c.is_control() || c == '\u{fffd}'), "no bytes of the archive: {error:?}");
        assert_eq!(bench.entries(), Vec::<String>::new(), "{error}");
    }
    let error = bench.import_as("../x", &whole).unwrap_err().to_string();
    assert!(error.contains("no image name"), "{error}");
}

fn digest(data: &[u8]) -> String {
    hex::encode(Sha256::digest(data))
}

/// Two layers: the second removes a file, empties a folder that it also fills anew, and replaces a folder by a file.
fn layers() -> [Vec<u8>; 2] {
    let below = Tar::system()
        .file("etc/gone", "x")
        .file("etc/kept", "below")
        .file("opaque/old", "x")
        .file("opaque/deep/old", "x")
        .file("folder/x", "x")
        .end();
    let above = Tar::default()
        .file("etc/.wh.gone", "")
        .file("etc/.wh.never-there", "")
        .file("opaque/new", "above")
        .file("opaque/.wh..wh..opq", "")
        .file("folder", "now a file")
        .file("etc/kept", "above")
        .end();
    [below, through("gzip", &above)]
}

fn assert_layered(root: &Path) {
    assert_eq!(read(root.join("etc/kept")), "above");
    assert_eq!((read(root.join("opaque/new")), read(root.join("folder"))), ("above".into(), "now a file".into()));
    for gone in ["etc/gone", "opaque/old", "opaque/deep", "etc/.wh.gone", "opaque/.wh..wh..opq"] {
        assert!(fs::symlink_metadata(root.join(gone)).is_err(), "{gone}");
    }
}

/// An OCI layout with an index of these images, each a list of layers and an architecture.
fn oci(images: &[(&[Vec<u8>], &str)]) -> Tar {
    let mut tar = Tar::default().file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    let mut manifests = Vec::new();
    for (layers, architecture) in images {
        let described: Vec<_> =
            layers.iter().map(|l| json!({ "digest": format!("sha256:{}", digest(l)), "size": l.len() })).collect();
        let manifest = json!({ "schemaVersion": 2, "layers": described, "of": architecture }).to_string();
        for blob in layers.iter().map(Vec::as_slice).chain([manifest.as_bytes()]) {
            tar = tar.entry(EntryType::Regular, &format!("blobs/sha256/{}", digest(blob)), "", 0o644, blob);
        }
        let platform = json!({ "os": "linux", "architecture": architecture });
        manifests.push(json!({ "digest": format!("sha256:{}", digest(manifest.as_bytes())), "platform": platform }));
    }
    tar.file("index.json", &json!({ "schemaVersion": 2, "manifests": manifests }).to_string())
}

fn here() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

#[test]
fn an_oci_archive_is_unpacked_layer_by_layer() {
    let layers = layers();
    let bench = Bench::new();
    let other = [Tar::system().file("other", "x").end()];
    let root = bench.import(&through("gzip", &oci(&[(&other, "s390x"), (&layers, here())]).end())).unwrap();
    assert_layered(&root);
    assert!(!root.join("other").exists() && !bench.paths.images().join("mine/scratch").exists());

    let two = bench.import(&oci(&[(&other, here()), (&layers, here())]).end()).unwrap_err();
    assert!(format!("{two:#}").contains("2 images"), "{two:#}");
    let mut damaged = oci(&[(&layers, here())]).end();
    let at = damaged.windows(5).position(|w| w == b"below").unwrap();
    damaged[at] = b'B';
    let error = bench.import(&damaged).unwrap_err();
    assert!(format!("{error:#}").contains("damaged"), "{error:#}");
    // The image that was there before is as it was.
    assert_layered(&root);
    assert_eq!(bench.entries(), ["mine"]);
}

#[test]
fn what_docker_save_writes_is_taken_in_its_older_form_too() {
    let [below, above] = layers();
    let (first, second) = (digest(&below), digest(&above));
    let saved = |images: serde_json::Value| {
        Tar::default()
            .folder(&format!("{first}/"))
            .entry(EntryType::Regular, &format!("{first}/layer.tar"), "", 0o644, &below)
            .entry(EntryType::Regular, &format!("{second}/real.tar"), "", 0o644, &above)
            .link(&format!("{second}/layer.tar"), &format!("../{second}/real.tar"))
            .file("manifest.json", &images.to_string())
            .end()
    };
    let layers = json!([format!("{first}/layer.tar"), format!("{second}/layer.tar")]);
    let image = json!({ "Config": "c.json", "RepoTags": ["me/lab:1"], "Layers": layers });
    let bench = Bench::new();
    assert_layered(&bench.import(&saved(json!([image]))).unwrap());
    let error = bench.import(&saved(json!([image, image]))).unwrap_err();
    assert!(format!("{error:#}").contains("me/lab:1"), "{error:#}");
    let out = json!([{ "Layers": ["../../../../etc/passwd"] }]);
    assert!(bench.import(&saved(out)).is_err());
}

#[test]
fn images_come_and_go_without_harm_to_those_who_use_them() {
    let bench = Bench::new();
    bench.import_as("one", &Tar::system().file("version", "1").end()).unwrap();
    let used = bench.import_as("two", &Tar::system().file("version", "1").end()).unwrap();
    let names = |list: Vec<image::ImageInfo>| list.into_iter().map(|i| i.name).collect::<Vec<_>>();
    assert_eq!(names(image::list(&bench.paths).unwrap()), ["one", "two"]);

    // A sandbox mounts an image; replaced or removed, it stays for that sandbox until the mount is gone.
    let mounted = bench.folder.path().join("mounted");
    fs::create_dir(&mounted).unwrap();
    let run = |program: &str, args: &[&Path]| assert!(Command::new(program).args(args).status().unwrap().success());
    run("mount", &[Path::new("--bind"), &used, &mounted]);
    bench.import_as("two", &Tar::system().file("version", "2").end()).unwrap();
    assert_eq!((read(used.join("version")), read(mounted.join("version"))), ("2".into(), "1".into()));
    assert_eq!(bench.entries().len(), 3);

    let refused = image::remove(&bench.paths, "two", &["two".into()]).unwrap_err().to_string();
    assert!(refused.contains("used by a session"), "{refused}");
    image::remove(&bench.paths, "two", &["one".into()]).unwrap();
    assert_eq!(names(image::list(&bench.paths).unwrap()), ["one"]);
    assert_eq!(read(mounted.join("version")), "1");

    run("umount", &[&mounted]);
    image::sweep(&bench.paths).unwrap();
    assert_eq!(bench.entries(), ["one"]);
    for none in ["two", "../data", ""] {
        let error = image::remove(&bench.paths, none, &[]).unwrap_err().to_string();
        assert!(error.contains("there is no image"), "{error}");
    }
}

#[test]
fn what_an_interrupted_build_left_is_removed_by_the_next() {
    let bench = Bench::new();
    let left = bench.paths.images().join(".building-default/rootfs/etc");
    fs::create_dir_all(&left).unwrap();
    symlink("/", left.join("root")).unwrap();
    assert_eq!(image::list(&bench.paths).unwrap(), []);
    bench.import(&Tar::system().end()).unwrap();
    assert_eq!(bench.entries(), ["mine"]);
}
