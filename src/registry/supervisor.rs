//! Keeps a registry running: Debian's `docker-registry` as a child on a Unix socket.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use serde_json::json;
use tokio::{
    process::{Child, Command},
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{client::RegistryClient, log};
use crate::{config::Upstream, paths::Paths};

/// Longest wait for a registry to answer after its start.
const START: Duration = Duration::from_secs(15);

/// How to run a registry.
#[derive(Debug, Clone)]
pub struct Instance {
    /// For messages.
    name: &'static str,
    config: PathBuf,
    log: PathBuf,
    socket: PathBuf,
}

/// The socket of the pull-through cache.
pub fn upstream_socket(paths: &Paths) -> PathBuf {
    paths.run().join("upstream.sock")
}

/// The registry of sessions and catalogue.
pub fn main(paths: &Paths) -> anyhow::Result<Instance> {
    instance(paths, "registry", &paths.registry(), paths.registry_socket(), json!({}))
}

/// The pull-through cache of another registry.
pub fn upstream(paths: &Paths, upstream: &Upstream) -> anyhow::Result<Instance> {
    let mut proxy = json!({ "remoteurl": upstream.url });
    if let Some(user) = &upstream.username {
        proxy["username"] = json!(user);
        proxy["password"] = json!(upstream.password.as_deref().unwrap_or_default());
    }
    let folder = paths.data().join("upstream");
    instance(paths, "pull-through cache", &folder, upstream_socket(paths), json!({ "proxy": proxy }))
}

fn instance(
    paths: &Paths,
    name: &'static str,
    storage: &Path,
    socket: PathBuf,
    more: serde_json::Value,
) -> anyhow::Result<Instance> {
    for folder in [storage, paths.run()] {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let mut config = json!({
        "version": 0.1,
        "log": { "level": "warn", "accesslog": { "disabled": true } },
        "storage": {
            "filesystem": { "rootdirectory": storage },
            "delete": { "enabled": true },
            "maintenance": { "uploadpurging": { "enabled": true, "age": "2h", "interval": "1h", "dryrun": false } },
        },
        "http": { "net": "unix", "addr": socket, "relativeurls": true, "secret": hex::encode(rand::random::<[u8; 24]>()) },
    });
    if let (Some(config), Some(more)) = (config.as_object_mut(), more.as_object()) {
        config.extend(more.clone());
    }
    let file = storage.join("config.yml");
    // JSON is YAML. It may hold a password, so nobody else reads it.
    let _ = fs::remove_file(&file);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)?
        .write_all(&serde_json::to_vec_pretty(&config)?)?;
    Ok(Instance { name, config: file, log: storage.join("registry.log"), socket })
}

impl Instance {
    fn spawn(&self) -> anyhow::Result<Child> {
        // A socket that a killed registry left is in the way of the next.
        let _ = fs::remove_file(&self.socket);
        let mut command = self.command("serve")?;
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("the {} did not start", self.name))?;
        if let Some(messages) = child.stderr.take() {
            tokio::spawn(log::keep(messages, self.log.clone()));
        }
        Ok(child)
    }

    fn command(&self, deed: &str) -> anyhow::Result<Command> {
        let mut c = Command::new(super::program()?);
        c.arg(deed).arg(&self.config);
        c.stdin(Stdio::null()).kill_on_drop(true);
        // The environment could change its configuration (REGISTRY_…).
        c.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/nonexistent");
        for key in ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] {
            if let Some(value) = std::env::var_os(key) {
                c.env(key, value);
            }
        }
        // It goes with the thread that started it, however that ends (prctl(2)).
        unsafe {
            c.pre_exec(|| Ok(nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?));
        }
        Ok(c)
    }
}

/// A registry that is kept running.
pub struct Supervisor {
    instance: Instance,
    stopped: CancellationToken,
}

impl Supervisor {
    /// Starts a registry and waits until it answers; it is started again whenever it dies, until `shutdown`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(instance: Instance, shutdown: CancellationToken) -> anyhow::Result<Supervisor> {
        let stopped = CancellationToken::new();
        let (ready, is_ready) = oneshot::channel();
        // The kernel ends the registry with the thread that started it, and threads of the runtime may end at any time:
        // so it has a thread of its own, which lives exactly as long as it shall.
        let (own, guard) = (instance.clone(), stopped.clone().drop_guard());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name(instance.name.into()).spawn(move || {
            let _guard = guard;
            runtime.block_on(supervise(&own, ready, &shutdown));
        })?;
        is_ready.await.with_context(|| format!("the {} did not start", instance.name))??;
        Ok(Supervisor { instance, stopped })
    }

    /// Waits until it has stopped.
    pub async fn finished(&self) {
        self.stopped.cancelled().await;
    }

    /// Removes blobs that no manifest refers to. The registry goes on answering reads; nobody may write meanwhile.
    ///
    /// # Errors
    /// When the collection fails.
    pub async fn collect_garbage(&self) -> anyhow::Result<()> {
        // It lists everything that it keeps: of no use to anybody.
        let done =
            self.instance.command("garbage-collect")?.stdout(Stdio::null()).stderr(Stdio::piped()).output().await?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            bail!("garbage collection ended with {}: {}", done.status, said.lines().last().unwrap_or_default());
        }
        Ok(())
    }
}

async fn supervise(instance: &Instance, ready: oneshot::Sender<anyhow::Result<()>>, shutdown: &CancellationToken) {
    let started = async {
        let mut child = instance.spawn()?;
        answers(instance, &mut child).await.map(|()| child)
    };
    match started.await {
        Ok(child) => {
            let _ = ready.send(Ok(()));
            keep(instance, child, shutdown).await;
        }
        Err(e) => {
            let _ = ready.send(Err(e));
        }
    }
}

async fn answers(instance: &Instance, child: &mut Child) -> anyhow::Result<()> {
    let client = RegistryClient::new(instance.socket.clone());
    let ready = async {
        while !client.ready().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        answer = timeout(START, ready) => {
            answer.with_context(|| format!("the {} does not answer; see {}", instance.name, instance.log.display()))
        }
        status = child.wait() => {
            // What it said last is on its way to the log.
            sleep(Duration::from_millis(50)).await;
            bail!("the {} ended with {}; see {}", instance.name, status?, instance.log.display())
        }
    }
}

async fn keep(instance: &Instance, mut child: Child, shutdown: &CancellationToken) {
    let mut wait = Duration::from_millis(100);
    loop {
        let started = tokio::time::Instant::now();
        let status = tokio::select! {
            () = shutdown.cancelled() => return end(&mut child).await,
            status = child.wait() => status,
        };
        warn!(?status, "the {} died; it is started again", instance.name);
        // One that dies at once is not started in a circle.
        let lasted = started.elapsed() > Duration::from_secs(30);
        wait = if lasted { Duration::from_millis(100) } else { (wait * 2).min(Duration::from_secs(10)) };
        loop {
            tokio::select! { () = shutdown.cancelled() => return, () = sleep(wait) => {} }
            match instance.spawn() {
                Ok(again) => {
                    child = again;
                    break;
                }
                Err(e) => warn!(error = format!("{e:#}"), "the {} did not start", instance.name),
            }
            wait = Duration::from_secs(5);
        }
    }
}

async fn end(child: &mut Child) {
    if let Some(pid) = child.id() {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGTERM);
    }
    if timeout(Duration::from_secs(3), child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}
