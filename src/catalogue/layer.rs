//! Building one layer, or finding that it is there.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{definition::LayerDefinition, layers, tarball};
use crate::{
    image::{self, apt::HostApt},
    paths::Paths,
};

/// The suite of Debian that images are built from.
pub const SUITE: &str = "trixie";
const SCRIPT: &str = include_str!("../../deploy/catalogue/layer.sh");

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
    image::remove_tree(&draft)?;
    let fs_dir = draft.join("fs");
    fs::create_dir_all(&draft)?;
    if let Some(packages) = &definition.debootstrap {
        image::debootstrap(&fs_dir, SUITE, &packages.join(","), &draft, step)?;
        image::finish(&fs_dir)?;
    } else if definition.busybox {
        busybox(&draft, &fs_dir)?;
    } else {
        fs::create_dir_all(&fs_dir)?;
    }
    if !definition.packages.is_empty() || definition.run.is_some() || definition.setup.is_some() {
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

/// BusyBox needs nothing but itself: its package is unpacked into an empty root.
fn busybox(draft: &Path, root: &Path) -> Result<()> {
    let packages = draft.join("packages");
    fs::create_dir_all(&packages)?;
    // The host's own Debian has it too, whatever its suite; it is one static program.
    let run = |program: &str, args: &[&str]| -> Result<String> {
        let out = Command::new(program).args(args).current_dir(&packages).stdin(Stdio::null()).output();
        let out = out.with_context(|| format!("{program} does not run"))?;
        ensure!(out.status.success(), "{program} {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim());
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    };
    run("apt-get", &["-qq", "-o", "APT::Sandbox::User=root", "download", "busybox-static"])?;
    let deb = fs::read_dir(&packages)?.next().context("busybox-static was not downloaded")??.path();
    run("dpkg-deb", &["-x", &deb.to_string_lossy(), "busybox"])?;
    let found =
        ["busybox/usr/bin/busybox", "busybox/bin/busybox"].map(|p| packages.join(p)).into_iter().find(|p| p.is_file());
    let found = found.context("the package busybox-static holds no busybox")?;
    for folder in ["bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "var", "home"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    fs::set_permissions(root.join("root"), fs::Permissions::from_mode(0o700))?;
    fs::copy(&found, root.join("bin/busybox"))?;
    fs::set_permissions(root.join("bin/busybox"), fs::Permissions::from_mode(0o755))?;
    let list = Command::new(&found).arg("--list").output().context("busybox does not run")?;
    for command in String::from_utf8_lossy(&list.stdout).lines().filter(|c| *c != "busybox") {
        fs::hard_link(root.join("bin/busybox"), root.join("bin").join(command))?;
    }
    let version = run("dpkg-deb", &["-f", &deb.to_string_lossy(), "Version"])?;
    fs::create_dir_all(root.join("var/lib/dpkg"))?;
    fs::write(
        root.join("var/lib/dpkg/status"),
        format!("Package: busybox-static\nStatus: install ok installed\nVersion: {}\n", version.trim()),
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
