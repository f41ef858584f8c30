//! The true server, started as an operator starts it, on a free port with a folder of its own; and a student who uses it.

#![allow(dead_code, missing_docs, reason = "each test file uses a part of it")]

pub mod app;
pub mod guest;
pub mod laptop;
pub mod residue;
pub mod student;
pub mod terminal;
pub mod yard;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use boatyard::paths::Paths;

/// A server with a data folder of its own. When it is dropped, its sessions and all their traces are removed.
pub struct TestServer {
    data: tempfile::TempDir,
    settings: Vec<(String, String)>,
    child: Option<Child>,
    url: String,
}

impl TestServer {
    /// Starts a server with the default configuration.
    pub fn start() -> TestServer {
        TestServer::with(&[])
    }

    /// Starts a server; `settings` are environment variables without their prefix, such as `SESSIONS__MAX`.
    pub fn with(settings: &[(&str, &str)]) -> TestServer {
        let data =
            tempfile::Builder::new().prefix("boatyard-test-").tempdir_in("/var/tmp").expect("a temporary folder");
        let made = workspace().join(".boatyard");
        assert!(
            made.join("images/default/image.json").is_file() && made.join("registry").is_dir(),
            "there is no lab image or no catalogue in {}; run `make test`, which builds them",
            made.display()
        );
        std::os::unix::fs::symlink(made.join("images"), data.path().join("images")).expect("link images");
        // The registry never writes into a file that is there, so the copies may share their bytes.
        for folder in ["registry", "catalogue"] {
            let copied = Command::new("cp")
                .args(["-al", &made.join(folder).to_string_lossy(), &data.path().to_string_lossy()])
                .status()
                .expect("cp runs");
            assert!(copied.success(), "{folder} was not copied");
        }
        let settings = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut server = TestServer { data, settings, child: None, url: String::new() };
        server.start_again();
        server
    }

    /// Starts the server again, on the same folder and port.
    pub fn start_again(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let listen = self.url.rsplit_once(':').map_or("127.0.0.1:0".into(), |(_, port)| format!("127.0.0.1:{port}"));
        let mut child = self
            .command(&["serve", "--listen", &listen, "--courses", &workspace().join("courses").to_string_lossy()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("boatyard runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
        let url = line.trim().strip_prefix("Boatyard is at ").unwrap_or_else(|| panic!("it said {line:?}")).to_owned();
        self.url = url;
        self.child = Some(child);
    }

    /// Ends the server as a crash does.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("kill");
        child.wait().expect("wait");
    }

    /// Asks the server to stop, and waits.
    pub fn stop(&mut self) {
        let mut child = self.child.take().expect("it runs");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), nix::sys::signal::Signal::SIGTERM)
            .expect("SIGTERM");
        let status = child.wait().expect("wait");
        assert!(status.success(), "it ended with {status}");
    }

    /// `http://localhost:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.url.rsplit_once(':').expect("a port").1.parse().expect("a port")
    }

    /// Process id of the server.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Its folders.
    pub fn paths(&self) -> Paths {
        Paths::new(self.data.path())
    }

    /// Runs a command of the operator's to its end.
    pub fn boatyard(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("boatyard runs")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_boatyard"));
        c.arg("--data").arg(self.data.path()).args(args).stdin(Stdio::null());
        c.env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or("warn".into()));
        for (key, value) in &self.settings {
            c.env(format!("BOATYARD_{key}"), value);
        }
        c
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // Removes every sandbox, whatever state a failed test left it in, and the network namespace.
        let out = self.command(&["gc", "--all"]).output().expect("boatyard runs");
        if !out.status.success() {
            eprintln!("gc --all: {}", String::from_utf8_lossy(&out.stderr));
        }
    }
}

/// The project's folder.
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Waits until `what` holds; fails with `name` if it does not within `limit`.
pub async fn eventually<F: Future<Output = bool>>(name: &str, limit: Duration, mut what: impl FnMut() -> F) {
    let start = Instant::now();
    while !what().await {
        assert!(start.elapsed() < limit, "{name}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
