//! Building one layer, or finding that it is there.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{definition::LayerDefinition, discard::discard, layers, tarball};
use crate::{
    image::{self, apt::HostApt},
    paths::Paths,
};

/// The suite of Debian that images are built from.
pub const SUITE: &str = "trixie";
/// Makes a layer on top of others.
pub const SCRIPT: &str = include_str!("../../deploy/catalogue/layer.sh");

/// A finished layer: `layers/<key>/{fs/,layer.tar.gz,layer.json}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Layer {
    /// Digest of the compressed archive.
    pub digest: String,
    /// Digest of the archive as it is.
    pub diff_id: String,
    /// Bytes of the compressed archive.
    pub size: u64,
    /// The instruction that made it.
    pub created_by: String,
}

impl Layer {
    /// The layer with this key, if it is there whole.
    pub fn read(paths: &Paths, key: &str) -> Option<Layer> {
        serde_json::from_slice(&fs::read(folder(paths, key).join("layer.json")).ok()?).ok()
    }
}

fn folder(paths: &Paths, key: &str) -> PathBuf {
    layers(paths).join(key)
}

/// What the layer changes, as files.
pub fn files(paths: &Paths, key: &str) -> PathBuf {
    folder(paths, key).join("fs")
}

/// The layer's archive.
pub fn archive(paths: &Paths, key: &str) -> PathBuf {
    folder(paths, key).join("layer.tar.gz")
}

/// Builds the layer with `key` on top of the layers `below`, lowest first.
pub fn build(
    paths: &Paths,
    key: &str,
    below: &[String],
    definition: &LayerDefinition,
    step: &dyn Fn(&str),
) -> Result<Layer> {
    let draft = layers(paths).join(format!(".draft-{key}"));
    discard(&draft)?;
    let fs_dir = draft.join("fs");
    fs::create_dir_all(&draft)?;
    if let Some(packages) = &definition.debootstrap {
        image::debootstrap(&fs_dir, SUITE, &packages.join(","), &draft, step)?;
        image::finish(&fs_dir)?;
    } else if definition.busybox {
        step(&definition.created_by);
        busybox(&draft, &fs_dir)?;
    } else {
        fs::create_dir_all(&fs_dir)?;
    }
    if definition.runs() {
        step(&definition.created_by);
        install(paths, &draft, &fs_dir, below, definition)?;
    }
    for file in &definition.files {
        let path = fs_dir.join(file.path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().context("a file needs a name")?)?;
        // A text block in TOML begins on the line after its quotes, except where the text itself begins with a line.
        fs::write(&path, &file.content).with_context(|| format!("{}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(u32::from_str_radix(&file.mode, 8)?))?;
    }
    step("packing");
    let written = tarball::write(&fs_dir, &draft.join("layer.tar.gz"))?;
    let layer = Layer {
        digest: written.digest,
        diff_id: written.diff_id,
        size: written.size,
        created_by: definition.created_by.clone(),
    };
    for scratch in ["work", "root", "packages"] {
        image::remove_tree(&draft.join(scratch))?;
    }
    for scratch in ["acquire.conf", "sources.list"] {
        let _ = fs::remove_file(draft.join(scratch));
    }
    fs::write(draft.join("layer.json"), serde_json::to_vec_pretty(&layer)?)?;
    image::remove_tree(&folder(paths, key))?;
    fs::rename(&draft, folder(paths, key))?;
    Ok(layer)
}

/// Installs packages and runs commands on an overlay of the layers below.
fn install(paths: &Paths, draft: &Path, upper: &Path, below: &[String], definition: &LayerDefinition) -> Result<()> {
    let apt = HostApt::read()?;
    let (sources, acquire) = (draft.join("sources.list"), draft.join("acquire.conf"));
    fs::write(&sources, apt.lines(SUITE).join("\n") + "\n")?;
    fs::write(&acquire, apt.acquire())?;
    for folder in ["work", "root"] {
        fs::create_dir_all(draft.join(folder))?;
    }
    // The topmost comes first in overlayfs's list.
    let lower: Vec<_> = below.iter().rev().map(|key| files(paths, key).display().to_string()).collect();
    let out = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "bash", "-c", SCRIPT])
        .env("LOWER", lower.join(":"))
        .env("UPPER", upper)
        .env("WORK", draft.join("work"))
        .env("ROOT", draft.join("root"))
        .env("SOURCES", sources)
        .env("ACQUIRE", acquire)
        .env("PACKAGES", definition.packages.join(" "))
        .env("SETUP", definition.setup.as_deref().unwrap_or_default())
        .env("RUN", definition.run.as_deref().unwrap_or_default())
        .stdin(Stdio::null())
        .output()
        .context("unshare (util-linux) does not run")?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    let last: Vec<&str> = said.lines().rev().take(15).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    ensure!(out.status.success(), "{} failed ({}):\n{}", definition.created_by, out.status, last.join("\n"));
    Ok(())
}

/// Runs a program to its end; what it says.
fn said(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command.stdin(Stdio::null()).output().with_context(|| format!("{program} does not run"))?;
    ensure!(out.status.success(), "{program} failed: {}", String::from_utf8_lossy(&out.stderr).trim());
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// BusyBox needs nothing but itself: its package is unpacked, and the one static program in it taken.
fn busybox(draft: &Path, root: &Path) -> Result<()> {
    let apt = HostApt::read()?;
    let unpacked = draft.join("packages");
    // In a mount namespace of its own, so that nothing stays mounted however it ends.
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "mmdebstrap"]);
    command.args(["--mode=root", "--variant=extract", "--format=directory", "--include=busybox-static"]);
    if !apt.acquire().is_empty() {
        let settings = draft.join("acquire.conf");
        fs::write(&settings, apt.acquire()).with_context(|| format!("writing {}", settings.display()))?;
        command.arg(format!("--aptopt={}", settings.display()));
    }
    command.arg(SUITE).arg(&unpacked).args(apt.lines(SUITE));
    said(command.env("LC_ALL", "C.UTF-8"))?;
    let found = ["usr/bin/busybox", "bin/busybox"].map(|p| unpacked.join(p)).into_iter().find(|p| p.is_file());
    let found = found.context("the package busybox-static holds no busybox")?;
    for folder in ["bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "var", "home"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    fs::set_permissions(root.join("root"), fs::Permissions::from_mode(0o700))?;
    fs::copy(&found, root.join("bin/busybox"))?;
    fs::set_permissions(root.join("bin/busybox"), fs::Permissions::from_mode(0o755))?;
    let list = said(Command::new(&found).arg("--list"))?;
    for command in list.lines().filter(|c| *c != "busybox") {
        fs::hard_link(root.join("bin/busybox"), root.join("bin").join(command))?;
    }
    // Its first line: BusyBox v1.37.0 (Debian 1:1.37.0-6) multi-call binary.
    let banner = said(&mut Command::new(&found))?;
    let version = banner.split_once("(Debian ").and_then(|(_, rest)| rest.split(')').next());
    let version = version.context("busybox does not say its version")?;
    fs::create_dir_all(root.join("var/lib/dpkg"))?;
    fs::write(
        root.join("var/lib/dpkg/status"),
        format!("Package: busybox-static\nStatus: install ok installed\nVersion: {version}\n"),
    )?;
    for (name, text) in [
        ("passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"),
        ("group", "root:x:0:\nnogroup:x:65534:\n"),
        ("hosts", ""),
        ("resolv.conf", ""),
    ] {
        fs::write(root.join("etc").join(name), text)?;
    }
    Ok(())
}
