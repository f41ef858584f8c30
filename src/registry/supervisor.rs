//! Keeps a registry running: Debian's `docker-registry` as a child on a Unix socket.

use std::{
    fs::{self, File, OpenOptions},
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
    sync::{Mutex, oneshot},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

use super::client::RegistryClient;
use crate::{config::Upstream, paths::Paths};

/// Longest wait for a registry to answer after its start.
const START: Duration = Duration::from_secs(15);
/// Longest log of a registry, in bytes; a longer one is kept once and begun anew at the next start.
const MAX_LOG: u64 = 4 << 20;

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
            "maintenance": { "uploadpurging": { "enabled": true, "age": "24h", "interval": "6h", "dryrun": false } },
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
        if fs::metadata(&self.log).is_ok_and(|m| m.len() > MAX_LOG) {
            let _ = fs::rename(&self.log, self.log.with_extension("log.1"));
        }
        // A socket that a killed registry left is in the way of the next.
        let _ = fs::remove_file(&self.socket);
        self.command("serve")?.spawn().with_context(|| format!("the {} did not start", self.name))
    }

    fn command(&self, deed: &str) -> anyhow::Result<Command> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut c = Command::new(super::program()?);
        c.arg(deed).arg(&self.config);
        c.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        // The environment could change its configuration (REGISTRY_…).
        c.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/nonexistent");
        for key in ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] {
            if let Some(value) = std::env::var_os(key) {
                c.env(key, value);
            }
        }
        // It goes with the server, however that ends (prctl(2)). Runtime threads live as long as the server.
        unsafe {
            c.pre_exec(|| Ok(nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?));
        }
        Ok(c)
    }
}

/// A registry that is kept running.
pub struct Supervisor {
    instance: Instance,
    /// Held while the registry is stopped on purpose.
    pause: std::sync::Arc<Mutex<Option<oneshot::Sender<oneshot::Receiver<()>>>>>,
    tasks: TaskTracker,
}

impl Supervisor {
    /// Starts a registry and waits until it answers; it is started again whenever it dies, until `shutdown`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(instance: Instance, shutdown: CancellationToken) -> anyhow::Result<Supervisor> {
        let mut child = instance.spawn()?;
        let client = RegistryClient::new(instance.socket.clone());
        let ready = async {
            while !client.ready().await {
                sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            answer = timeout(START, ready) => {
                answer.with_context(|| format!("the {} does not answer; see {}", instance.name, instance.log.display()))?;
            }
            status = child.wait() => {
                bail!("the {} ended with {}; see {}", instance.name, status?, instance.log.display());
            }
        }
        let tasks = TaskTracker::new();
        let pause = std::sync::Arc::new(Mutex::new(None));
        tasks.spawn(keep(instance.clone(), child, pause.clone(), shutdown));
        tasks.close();
        Ok(Supervisor { instance, pause, tasks })
    }

    /// Waits until it has stopped.
    pub async fn finished(&self) {
        self.tasks.wait().await;
    }

    /// Stops the registry, has it collect its garbage, and starts it again.
    ///
    /// # Errors
    /// When the collection fails; the registry runs again all the same.
    pub async fn collect_garbage(&self) -> anyhow::Result<()> {
        let (go_on, wait) = oneshot::channel();
        let Some(stop) = self.pause.lock().await.take() else { bail!("the registry is not running") };
        if stop.send(wait).is_err() {
            bail!("the registry is stopping");
        }
        let done = self.instance.command("garbage-collect")?.status().await;
        drop(go_on);
        let client = RegistryClient::new(self.instance.socket.clone());
        let ready = async {
            while !client.ready().await {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(START, ready).await.context("the registry does not answer after collecting garbage")?;
        match done {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => bail!("garbage collection ended with {status}; see {}", self.instance.log.display()),
            Err(e) => Err(e.into()),
        }
    }
}

async fn keep(
    instance: Instance,
    mut child: Child,
    pause: std::sync::Arc<Mutex<Option<oneshot::Sender<oneshot::Receiver<()>>>>>,
    shutdown: CancellationToken,
) {
    let mut wait = Duration::from_millis(100);
    loop {
        let (stop, stopped) = oneshot::channel();
        *pause.lock().await = Some(stop);
        let started = tokio::time::Instant::now();
        tokio::select! {
            () = shutdown.cancelled() => {
                end(&mut child).await;
                return;
            }
            go_on = stopped => {
                end(&mut child).await;
                if let Ok(go_on) = go_on {
                    // Resolves when the one who paused it drops its end.
                    let _ = go_on.await;
                }
            }
            status = child.wait() => {
                warn!(?status, "the {} died; it is started again", instance.name);
                // One that dies at once is not started in a circle.
                wait = if started.elapsed() > Duration::from_secs(30) { Duration::from_millis(100) } else { (wait * 2).min(Duration::from_secs(10)) };
                tokio::select! { () = shutdown.cancelled() => return, () = sleep(wait) => {} }
            }
        }
        loop {
            match instance.spawn() {
                Ok(again) => {
                    child = again;
                    break;
                }
                Err(e) => {
                    warn!(error = %e, "the {} did not start", instance.name);
                    tokio::select! { () = shutdown.cancelled() => return, () = sleep(Duration::from_secs(5)) => {} }
                }
            }
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
