//! `/run/docker.sock`, opened before there is a daemon.

use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, net::UnixListener},
    },
};

/// Where Docker's clients look.
pub const PATH: &str = "/run/docker.sock";

/// Binds and listens, for root and the group `docker`.
///
/// # Errors
/// What bind(2) and chmod(2) say.
pub fn bind() -> io::Result<OwnedFd> {
    match fs::remove_file(PATH) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    fs::create_dir_all("/run")?;
    let listener = UnixListener::bind(PATH)?;
    fs::set_permissions(PATH, fs::Permissions::from_mode(0o660))?;
    if let Some(group) = crate::users::group("docker") {
        std::os::unix::fs::chown(PATH, Some(0), Some(group))?;
    }
    Ok(listener.into())
}
