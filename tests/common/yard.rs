//! A native engine without a server, with a data folder of its own.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use boatyard::{
    engine::{
        Engine, Limits, NetworkSpec, SandboxId, SandboxSpec, UidRange,
        native::{NativeEngine, NativeSettings},
    },
    paths::Paths,
};
use boatyard_protocol::agent::{AgentConfig, DockerMode, ExecRequest, ExecResponse};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;

use super::{residue::residue, workspace};

/// The file of an environment variable, or the one where `make test` puts it.
fn needed(variable: &str, usual: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(|| workspace().join(usual), PathBuf::from);
    assert!(path.exists(), "{} is not there: run `make test`, or set {variable}", path.display());
    path
}

pub fn rootfs() -> PathBuf {
    needed("BOATYARD_TEST_ROOTFS", ".boatyard/images/default/rootfs")
}

pub fn agent() -> PathBuf {
    needed("BOATYARD_TEST_AGENT", "target/boatyard-agent")
}

/// A native engine with a data folder of its own, removed with all its sandboxes at the end, also after a panic.
pub struct Yard {
    pub engine: NativeEngine,
    pub paths: Paths,
    _data: Option<tempfile::TempDir>,
}

impl Yard {
    pub fn new() -> Yard {
        Yard::with(NativeSettings::default())
    }

    pub fn with(settings: NativeSettings) -> Yard {
        let data = tempfile::Builder::new().prefix("yard-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Yard::at(data.path(), settings).keep(data)
    }

    /// An engine on a data folder that someone else removes.
    pub fn at(data: &Path, settings: NativeSettings) -> Yard {
        // RUST_LOG=boatyard=debug shows how long each step took.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
            .try_init();
        let paths = Paths::new(data);
        let engine = NativeEngine::new(paths.clone(), settings, agent()).unwrap();
        Yard { engine, paths, _data: None }
    }

    fn keep(mut self, data: tempfile::TempDir) -> Yard {
        self._data = Some(data);
        self
    }

    pub fn data(&self) -> &Path {
        self.paths.data()
    }

    /// All that this Boatyard has on its host and that goes with its sandboxes.
    pub fn residue(&self) -> BTreeSet<String> {
        residue(&self.paths)
    }

    /// Fails if anything but `before` is left after a second.
    pub fn assert_left(&self, before: &BTreeSet<String>) {
        let start = Instant::now();
        loop {
            let now = self.residue();
            if &now == before {
                return;
            }
            let more: Vec<_> = now.difference(before).collect();
            assert!(start.elapsed() < Duration::from_secs(1), "left behind: {more:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        if self._data.is_none() {
            return;
        }
        let engine = self.engine.clone();
        let clear = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                engine.inject(None);
                for id in engine.list().await.unwrap_or_default() {
                    if let Err(e) = engine.destroy(&id).await {
                        eprintln!("clearing up: {e}");
                    }
                }
                if let Err(e) = engine.teardown().await {
                    eprintln!("clearing up: {e}");
                }
            });
        };
        let _ = std::thread::spawn(clear).join();
    }
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A small sandbox on session network `network`, its `host`th.
pub fn spec(network: u16, host: u8) -> SandboxSpec {
    let first = u32::from(std::net::Ipv4Addr::new(100, 96, 0, 0)) + 32 * u32::from(network);
    SandboxSpec {
        id: SandboxId::random(),
        range: UidRange(NEXT.fetch_add(1, Ordering::Relaxed) % 2000),
        rootfs: rootfs(),
        disk: boatyard::image::ImageInfo::usual_disk(),
        limits: Limits { memory: 256 << 20, cpus: 1.0, pids: 200, disk: 512 << 20 },
        network: NetworkSpec {
            number: network,
            address: (first + 1 + u32::from(host)).into(),
            gateway: (first + 1).into(),
            prefix: 27,
        },
        agent: AgentConfig {
            hostname: format!("node{host}"),
            docker: DockerMode::OnDemand,
            hosts: Vec::new(),
            dns: Vec::new(),
            address: None,
            user: None,
            tunnels: Vec::new(),
            cpus: None,
            ssh: None,
            greeting: None,
            terminals: Vec::new(),
        },
    }
}

/// Runs a shell command as root in a sandbox, through its agent.
pub async fn sh(engine: &dyn Engine, id: &SandboxId, command: &str) -> ExecResponse {
    let request = ExecRequest {
        command: ["sh", "-c", command].map(str::to_owned).to_vec(),
        stdin: None,
        cwd: None,
        user: None,
        env: Default::default(),
        timeout_ms: 60_000,
        max_output: 1 << 16,
    };
    let io = TokioIo::new(engine.connect(id).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::post("/v1/exec")
        .header("host", "agent")
        .header("content-type", "application/json")
        .body(Full::<bytes::Bytes>::from(serde_json::to_vec(&request).unwrap()))
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}
