//! Logins between the nodes of a session: keys that all of them share, and OpenSSH's server, which is started for each
//! connection. Nothing of it takes memory while nobody is logged in.

use std::{
    fs, io,
    net::Ipv4Addr,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{fs::OpenOptionsExt, process::CommandExt},
    },
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use boatyard_protocol::agent::SshKeys;
use tokio::{net::TcpListener, sync::Semaphore};

use crate::{app::App, users::Login};

const SERVER: &str = "/usr/sbin/sshd";
/// The folder that the server's unprivileged part is locked into.
const EMPTY: &str = "/run/sshd";
const PORT: u16 = 22;
/// Logins at one time.
const MOST: usize = 32;

/// Writes the keys and answers on port 22 from now on, where the lab image has an SSH server.
pub fn open(app: &Arc<App>) {
    let Some(keys) = &app.config.ssh else { return };
    if let Err(e) = write(keys, &Login::user()) {
        return tracing::warn!("writing the keys for ssh: {e}");
    }
    if !Path::new(SERVER).exists() {
        return;
    }
    let listening = std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).and_then(|listener| {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    });
    match listening {
        Ok(listener) => drop(tokio::spawn(answer(app.clone(), listener))),
        Err(e) => tracing::warn!("no ssh: {e}"),
    }
}

async fn answer(app: Arc<App>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => match serve(&app, stream) {
                Ok(mut process) => drop(tokio::spawn(async move {
                    process.exit().await;
                    drop(place);
                })),
                Err(e) => tracing::warn!("a login by ssh: {e}"),
            },
            Err(e) => {
                tracing::warn!("accepting for ssh: {e}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Starts a server for one connection, as inetd does (sshd(8), `-i`).
fn serve(app: &App, stream: tokio::net::TcpStream) -> io::Result<crate::reaper::Process> {
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    let stream = OwnedFd::from(stream);
    let mut command = Command::new(SERVER);
    command
        .arg("-i")
        .env_clear()
        .envs(Login::root().environment())
        .stdin(stream.try_clone()?)
        .stdout(stream)
        .stderr(Stdio::null())
        .process_group(0);
    // The descriptors that it holds go with the command, so that the connection ends with the server's process.
    let (process, _child) = app.reaper.spawn(|| command.spawn().map(|child| (child.id() as i32, child)))?;
    Ok(process)
}

/// Writes the keys where OpenSSH looks for them. What the student has made of the files is kept: only what is not there
/// is written.
fn write(keys: &SshKeys, login: &Login) -> io::Result<()> {
    let folder = Path::new(&login.home).join(".ssh");
    fs::create_dir_all(EMPTY)?;
    if let Err(e) = fs::DirBuilder::new().create(&folder)
        && e.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(e);
    }
    fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let theirs = |at: &dyn AsFd| match login.is_root() {
        true => Ok(()),
        false => std::os::unix::fs::fchown(at, Some(login.uid), Some(login.gid)),
    };
    theirs(&fs::File::open(&folder)?)?;
    let names = "node*,100.*";
    let public = keys.login_public.trim();
    let host_public = keys.host_public.trim();
    for (path, text, mode) in [
        (folder.join("id_ed25519"), keys.login.clone(), 0o600),
        (folder.join("id_ed25519.pub"), format!("{public}\n"), 0o644),
        (folder.join("authorized_keys"), format!("{public}\n"), 0o600),
        (folder.join("known_hosts"), format!("{names} {host_public}\n"), 0o644),
        ("/etc/ssh/ssh_host_ed25519_key".into(), keys.host.clone(), 0o600),
        ("/etc/ssh/ssh_host_ed25519_key.pub".into(), format!("{host_public}\n"), 0o644),
    ] {
        let parent = path.parent().is_some_and(Path::is_dir);
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
        match file {
            Ok(mut file) => {
                io::Write::write_all(&mut file, text.as_bytes())?;
                if path.starts_with(&folder) {
                    theirs(&file)?;
                }
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists || !parent => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_the_owners_alone_and_what_is_there_is_kept() {
        let home = std::env::temp_dir().join(format!("boatyard-ssh-{}", std::process::id()));
        fs::create_dir_all(home.join(".ssh")).unwrap();
        fs::write(home.join(".ssh/authorized_keys"), "mine\n").unwrap();
        let text = |s: &str| s.to_owned();
        let keys =
            SshKeys { login: text("private"), login_public: text("public"), host: text("h"), host_public: text("hp") };
        // Where it may not write below /etc or /run, the rest is there all the same.
        let login = Login { home: home.to_string_lossy().into_owned(), ..Login::root() };
        let _ = write(&keys, &login);
        let read = |name: &str| fs::read_to_string(home.join(".ssh").join(name)).unwrap_or_default();
        assert_eq!(read("authorized_keys"), "mine\n");
        assert_eq!((read("id_ed25519"), read("known_hosts")), (text("private"), text("node*,100.* hp\n")));
        assert_eq!(fs::metadata(home.join(".ssh/id_ed25519")).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(&home).unwrap();
    }
}
