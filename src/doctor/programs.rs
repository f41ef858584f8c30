//! The programs that Boatyard runs.

use std::process::{Command, Stdio};

use super::Check;
use crate::engine::native::{NativeSettings, find_program};

/// The first line that a program says about its version.
fn version(program: &std::path::Path) -> Option<String> {
    let out = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = if out.stdout.is_empty() { out.stderr } else { out.stdout };
    Some(String::from_utf8_lossy(&text).lines().next()?.trim().to_owned())
}

pub(super) fn runtime(settings: &NativeSettings) -> Check {
    let (id, title) = ("runtime", "OCI runtime");
    let Some(path) = find_program(&settings.runtime) else {
        let mend = "apt-get install runc, or set engine.runtime to the one that you have";
        return Check::fail(id, title, format!("{} is not installed", settings.runtime), mend);
    };
    match version(&path) {
        Some(v) => Check::ok(id, title, format!("{v} ({})", path.display())),
        None => Check::fail(id, title, format!("{} does not start", path.display()), "reinstall it"),
    }
}

/// What the package that holds it is called, and what does not work without it.
const PROGRAMS: &[(&str, &str, &str, bool, &str)] = &[
    ("mkfs", "mkfs.ext4", "e2fsprogs", true, "sandboxes have no disks"),
    ("registry", "docker-registry", "docker-registry", true, "neither docker push nor the offline catalogue work"),
    (
        "mmdebstrap",
        "mmdebstrap",
        "mmdebstrap",
        false,
        "lab images and the catalogue cannot be built here, only imported",
    ),
];

pub(super) fn others() -> Vec<Check> {
    let look = |(id, program, package, needed, without): &(&'static str, &'static str, &str, bool, &str)| {
        let mend = format!("apt-get install {package}");
        match find_program(program) {
            Some(path) => Check::ok(id, program, path.display().to_string()),
            None if *needed => Check::fail(id, program, format!("not installed: {without}"), mend),
            None => Check::warn(id, program, format!("not installed: {without}"), mend),
        }
    };
    PROGRAMS.iter().map(look).collect()
}
