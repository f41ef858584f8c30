//! Building a lab image from Debian packages.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    apt::HostApt,
    definition::Definition,
    info::{self, ImageInfo, Origin},
    progress::Progress,
    store::Draft,
};
use crate::paths::Paths;

/// Whether the image is there and was built from exactly this definition.
///
/// # Errors
/// When its record cannot be read.
pub fn is_current(paths: &Paths, definition: &Definition) -> Result<bool> {
    Ok(current(paths, definition)?.is_some())
}

/// Builds the image of `definition` unless it is current. Takes half a minute; blocks.
///
/// # Errors
/// When a step fails; then nothing of it is left, and an image that was there before is as it was.
pub fn build(paths: &Paths, definition: &Definition, progress: &dyn Progress) -> Result<ImageInfo> {
    match current(paths, definition)? {
        Some(info) => Ok(info),
        None => make(paths, definition, false, progress),
    }
}

/// Builds the image of `definition` even if it is current, such as to have newer packages; otherwise as [`build`].
///
/// # Errors
/// As [`build`].
pub fn rebuild(paths: &Paths, definition: &Definition, progress: &dyn Progress) -> Result<ImageInfo> {
    make(paths, definition, true, progress)
}

fn current(paths: &Paths, definition: &Definition) -> Result<Option<ImageInfo>> {
    Ok(info::read(paths, &definition.name)?.filter(|i| i.digest == definition.digest()))
}

fn make(paths: &Paths, definition: &Definition, force: bool, progress: &dyn Progress) -> Result<ImageInfo> {
    let task = progress.task(&format!("image {}", definition.name));
    task.step("preparing");
    let draft = Draft::begin(paths, &definition.name, || task.step("waiting for another build to end"))?;
    // The build that was waited for may have been this one's.
    if let Some(info) = current(paths, definition)?.filter(|_| !force) {
        task.done("is current");
        return Ok(info);
    }
    let rootfs = draft.rootfs();
    let base = Base { suite: &definition.suite, packages: &definition.packages, suites: &definition.suites };
    base.make(&rootfs, &draft.scratch()?, &|line| task.step(line))?;
    task.step("finishing");
    if let Some(user) = &definition.user {
        add_user(&rootfs, user)?;
    }
    finish(&rootfs)?;
    for file in &definition.files {
        file.write(&rootfs)?;
    }
    for home in ["root".to_owned()].into_iter().chain(definition.user.iter().map(|u| format!("home/{u}"))) {
        fill_home(&rootfs, &home)?;
    }
    let info = ImageInfo::inspect(&rootfs, &definition.name, definition.digest(), Origin::Built, &definition.versions)?
        .described(definition);
    draft.publish(&info)?;
    task.done(&format!("built, {}", bytesize::ByteSize(info.size)));
    Ok(info)
}

/// What no image needs: read elsewhere, or in other languages. It stays in the image as its dpkg's setting, so that
/// packages which a student installs are as lean.
const EXCLUDE: [&str; 4] = [
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/info/*",
];
/// Licences are kept.
const INCLUDE: &str = "path-include=/usr/share/doc/*/copyright";

/// Makes a minimal Debian with `packages` (parted by commas) in the new folder `root`; `scratch` holds settings
/// meanwhile. `step` gets a line now and then.
pub(crate) fn debootstrap(root: &Path, suite: &str, packages: &str, scratch: &Path, step: &dyn Fn(&str)) -> Result<()> {
    let packages: Vec<_> = packages.split(',').map(str::to_owned).collect();
    Base { suite, packages: &packages, suites: &BTreeMap::new() }.make(root, scratch, step)
}

/// A Debian to make: a suite, packages of it, and packages of others.
struct Base<'a> {
    suite: &'a str,
    packages: &'a [String],
    suites: &'a BTreeMap<String, Vec<String>>,
}

impl Base<'_> {
    fn make(&self, root: &Path, scratch: &Path, step: &dyn Fn(&str)) -> Result<()> {
        let apt = HostApt::read()?;
        let packages = self
            .packages
            .iter()
            .chain(self.suites.values().flatten())
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(",");
        let (sources, preferences) = apt.lines_with(self.suite, self.suites);
        // The host's proxies and certificates are put in for apt's runs and taken out again: by hooks, since options of
        // mmdebstrap's would stay.
        let settings = scratch.join("acquire.conf");
        fs::write(&settings, apt.acquire()).with_context(|| format!("writing {}", settings.display()))?;
        let pins = scratch.join("preferences");
        fs::write(&pins, preferences).with_context(|| format!("writing {}", pins.display()))?;
        let inside =
            [(&settings, "etc/apt/apt.conf.d/00boatyard-host"), (&pins, "etc/apt/preferences.d/00boatyard-host")];
        // In a mount namespace of its own: mmdebstrap binds the host's /dev/shm, /sys and more into the root, and one that is
        // killed would leave them there, writable, for the next build to clear away.
        let mut command = Command::new("unshare");
        command.args([
            "--mount",
            "--propagation",
            "private",
            "--pid",
            "--fork",
            "--mount-proc",
            "--kill-child",
            "mmdebstrap",
        ]);
        // And with this process, however that ends, everything that it started ends too (prctl(2), pid_namespaces(7)).
        unsafe {
            command.pre_exec(|| Ok(nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?));
        }
        command.args(["--mode=root", "--variant=minbase", "--format=directory"]);
        command.arg(format!("--include={packages}"));
        command.args(["--aptopt=Apt::Install-Recommends \"false\"", "--aptopt=Acquire::Languages \"none\""]);
        // A build that is interrupted starts anew, so nothing is gained by waiting for the disk after each file.
        command.arg("--setup-hook=mkdir -p \"$1\"/etc/dpkg/dpkg.cfg.d && echo force-unsafe-io >\"$1\"/etc/dpkg/dpkg.cfg.d/00boatyard-build");
        command.args(EXCLUDE.iter().chain([&INCLUDE]).map(|o| format!("--dpkgopt={o}")));
        for (file, inside) in inside {
            let file = shell_quote(&file.to_string_lossy());
            command.arg(format!("--setup-hook=install -D -m 644 {file} \"$1\"/{inside}"));
            command.arg(format!("--customize-hook=rm -f \"$1\"/{inside}"));
        }
        command.arg("--customize-hook=rm -f \"$1\"/etc/dpkg/dpkg.cfg.d/00boatyard-build");
        command.arg(self.suite).arg(root);
        command.args(sources);
        command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C.UTF-8");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context("unshare (util-linux) does not run")?;
        let mut last = Vec::new();
        if let Some(errors) = child.stderr.take() {
            let mut lines = BufReader::new(errors).take(16 << 20);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line)? > 0 {
                let text = String::from_utf8_lossy(&line).trim().to_owned();
                line.clear();
                if let Some(what) = text.strip_prefix("I: ") {
                    step(what.trim_end_matches('.').split(" in shell:").next().unwrap_or(what));
                }
                last.push(text);
                if last.len() > 30 {
                    last.remove(0);
                }
            }
        }
        let status = child.wait().context("running mmdebstrap")?;
        if status.code() == Some(127) {
            bail!("mmdebstrap is missing: apt-get install mmdebstrap")
        }
        if !status.success() {
            bail!("mmdebstrap failed ({status}); its last lines:\n{}", last.join("\n"));
        }
        Ok(())
    }
}

/// Makes an ordinary user with a home folder.
fn add_user(root: &Path, name: &str) -> Result<()> {
    let out = Command::new("chroot")
        .arg(root)
        .args(["useradd", "--create-home", "--user-group", "--shell", "/bin/bash"])
        // No password fits, but the account is not locked either: it may log in by a key.
        .args(["--password", "*", "--", name])
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .output()
        .context("chroot (coreutils) does not run")?;
    let said = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "making the user {name:?} failed: {}", said.trim());
    Ok(())
}

/// Puts what new users get (`/etc/skel`) into a home folder, with its owner.
fn fill_home(root: &Path, home: &str) -> Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    let home = root.join(home);
    let owner = fs::metadata(&home).with_context(|| format!("there is no folder {}", home.display()))?;
    let skel = root.join("etc/skel");
    for entry in walkdir::WalkDir::new(&skel).min_depth(1) {
        let entry = entry.context("reading /etc/skel")?;
        let to = home.join(entry.path().strip_prefix(&skel)?);
        let what = || format!("writing {}", to.display());
        if entry.file_type().is_dir() {
            fs::create_dir_all(&to).with_context(what)?;
        } else if entry.file_type().is_file() {
            fs::copy(entry.path(), &to).map(drop).with_context(what)?;
        } else {
            continue;
        }
        chown(&to, Some(owner.uid()), Some(owner.gid())).with_context(what)?;
    }
    Ok(())
}

fn shell_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Removes what belongs to the build or to this host, and what each sandbox must have of its own.
pub(crate) fn finish(root: &Path) -> Result<()> {
    for folder in [
        "etc/apt/sources.list.d",
        "var/lib/apt/lists",
        "var/cache/apt",
        "var/log",
        "var/lib/docker",
        "dev",
        "tmp",
        "run",
    ] {
        empty(&root.join(folder)).with_context(|| format!("emptying /{folder}"))?;
    }
    for file in ["etc/apt/sources.list", "etc/machine-id", "etc/hostname", "etc/resolv.conf"] {
        let path = root.join(file);
        // These may be links that lead out of the root.
        let _ = fs::remove_file(&path);
        fs::write(&path, "").with_context(|| format!("writing {}", path.display()))?;
    }
    for file in
        ["var/lib/dbus/machine-id", "var/cache/ldconfig/aux-cache", "var/lib/dpkg/lock", "var/lib/dpkg/lock-frontend"]
    {
        let _ = fs::remove_file(root.join(file));
    }
    for entry in fs::read_dir(root.join("etc/ssh")).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("ssh_host_") {
            fs::remove_file(entry.path())?;
        }
    }
    for entry in fs::read_dir(root.join("var/lib/dpkg"))
        .into_iter()
        .chain(fs::read_dir(root.join("var/cache/debconf")))
        .flatten()
        .flatten()
    {
        if entry.file_name().to_string_lossy().ends_with("-old") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn empty(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}
