//! The home of the sandbox's user, where that is not root: what a login manager does on an ordinary system.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use crate::users::Login;

const SKEL: &str = "/etc/skel";

/// Makes the user's home and runtime folder theirs. A home that lies on the sandbox's own disk begins empty, and gets
/// what every new user gets.
pub fn prepare() {
    let login = Login::user();
    let Some(runtime) = login.runtime_folder() else { return };
    let done = [
        ("the home", fill(Path::new(&login.home), &login)),
        ("the runtime folder", fs::create_dir_all(&runtime).and_then(|()| give(Path::new(&runtime), &login, 0o700))),
    ];
    for (what, done) in done {
        if let Err(e) = done {
            tracing::warn!("preparing {what} of {}: {e}", login.name);
        }
    }
}

fn fill(home: &Path, login: &Login) -> io::Result<()> {
    if home == Path::new("/") || fs::metadata(home)?.uid() == login.uid {
        return Ok(());
    }
    give(home, login, 0o755)?;
    if fs::read_dir(home)?.next().is_some() { Ok(()) } else { copy(Path::new(SKEL), home, login) }
}

/// Copies what is in a folder, files and folders alone, for the user.
fn copy(from: &Path, to: &Path, login: &Login) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir(&to)?;
            copy(&entry.path(), &to, login)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &to)?;
        } else {
            continue;
        }
        chown(&to, Some(login.uid), Some(login.gid))?;
    }
    Ok(())
}

fn give(folder: &Path, login: &Login, mode: u32) -> io::Result<()> {
    chown(folder, Some(login.uid), Some(login.gid))?;
    fs::set_permissions(folder, PermissionsExt::from_mode(mode))
}
