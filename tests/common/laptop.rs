//! A student's own machine: the host's OpenSSH, with a home of its own.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::student::{self, Student};

/// A folder with a key, what is known of hosts, and a configuration that names the server's nodes `node1`, `node2` and so on.
pub struct Laptop {
    folder: tempfile::TempDir,
    pub access: Value,
    public_name: String,
}

impl Laptop {
    /// A laptop whose key opens the session.
    pub async fn of(me: &Student) -> Laptop {
        let laptop = Laptop::stranger(me).await;
        let key = fs::read_to_string(laptop.path("key.pub")).unwrap();
        let added = me.request(Method::POST, "/ssh/keys").json(&json!({"key": key})).send().await.unwrap();
        assert_eq!(added.status(), StatusCode::CREATED, "{}", added.text().await.unwrap_or_default());
        laptop
    }

    /// A laptop whose key opens nothing.
    pub async fn stranger(me: &Student) -> Laptop {
        let folder = tempfile::tempdir().unwrap();
        let access = student::json(me.request(Method::GET, "/ssh").send().await.unwrap()).await;
        let laptop = Laptop { folder, access, public_name: me.public_name.clone() };
        let key = laptop.path("key");
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "laptop", "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        let known = laptop.access["known_hosts"].as_str().unwrap().replace("localhost", "127.0.0.1");
        fs::write(laptop.path("known_hosts"), format!("{known}\n")).unwrap();
        laptop.configure("");
        laptop.script("ssh", &format!("exec /usr/bin/ssh -F {} \"$@\"", laptop.path("config").display()));
        laptop
    }

    /// Writes its configuration, with further lines.
    pub fn configure(&self, more: &str) {
        let (key, known) = (self.path("key"), self.path("known_hosts"));
        let hosts: String = (1..=3)
            .map(|n| format!("Host node{n}\n HostName 127.0.0.1\n User {}\n", self.user(&format!("node{n}"))))
            .collect();
        let text = format!(
            "{hosts}Host *\n Port {}\n IdentityFile {}\n IdentitiesOnly yes\n IdentityAgent none\n \
             UserKnownHostsFile {}\n GlobalKnownHostsFile none\n StrictHostKeyChecking yes\n LogLevel ERROR\n {more}\n",
            self.port(),
            key.display(),
            known.display(),
        );
        fs::write(self.path("config"), text).unwrap();
    }

    /// User name of a node's login.
    pub fn user(&self, node: &str) -> String {
        format!("{}-{node}", self.public_name)
    }

    /// The server's ssh port.
    pub fn port(&self) -> u16 {
        self.access["port"].as_u64().unwrap() as u16
    }

    /// A file of its own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a script that is found before all other programs.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        fs::create_dir_all(self.path("bin")).unwrap();
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A program of it, which gives up after two minutes.
    pub fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut c = Command::new("timeout");
        c.args(["-k", "5", "120", program]).args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        let path = std::env::var("PATH").unwrap_or_default();
        c.env("PATH", format!("{}:{path}", self.path("bin").display())).env("HOME", self.folder.path());
        c.env_remove("SSH_AUTH_SOCK").env_remove("DOCKER_HOST");
        c
    }

    /// A program of OpenSSH's, with the configuration.
    pub fn open(&self, program: &str, args: &[&str]) -> Command {
        let config = self.path("config");
        let mut all = vec!["-F", config.to_str().unwrap()];
        all.extend(args);
        self.command(program, &all)
    }

    /// `ssh` with nothing around it, to be ended by whoever starts it.
    pub fn bare(&self, args: &[&str]) -> Command {
        let mut c = Command::new("/usr/bin/ssh");
        c.arg("-F").arg(self.path("config")).args(args).stdin(Stdio::null());
        c
    }

    /// Runs `ssh`; what it put out and how it ended.
    pub async fn ssh(&self, args: &[&str]) -> Output {
        run(self.open("/usr/bin/ssh", args)).await
    }

    /// Runs `ssh`, which must succeed; its output.
    pub async fn ok(&self, args: &[&str]) -> String {
        text(run(self.open("/usr/bin/ssh", args)).await)
    }

    /// Signs in with a password.
    pub async fn ssh_with(&self, password: &str, args: &[&str]) -> Output {
        let ask = self.script("ask", &format!("echo '{password}'"));
        let mut all = vec!["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"];
        all.extend(args);
        let mut c = self.open("/usr/bin/ssh", &all);
        c.env("SSH_ASKPASS", ask).env("SSH_ASKPASS_REQUIRE", "force");
        run(c).await
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Runs a command to its end without holding up the test's other tasks.
pub async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.unwrap()
}

/// The output of a command that succeeded.
#[track_caller]
pub fn text(out: Output) -> String {
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{}: {said}", out.status);
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// What a program that has ended said on its standard error.
pub fn text_of(mut child: std::process::Child) -> String {
    let mut said = String::new();
    let _ = std::io::Read::read_to_string(child.stderr.as_mut().expect("piped"), &mut said);
    said
}
