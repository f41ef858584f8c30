//! The server: puts the parts together and runs them until it is told to stop.

use std::{
    fs::{File, Permissions, TryLockError},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::{
    net::{TcpListener, UnixListener},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    catalogue,
    config::Config,
    course::Library,
    engine::native::NativeEngine,
    image,
    paths::Paths,
    registry::{Pace, Registry},
    session::Sessions,
    ssh::{self, Outside, SshServer},
    store::{Store, now_ms},
    web::{self, App, assets},
};

/// How long an ended session is remembered, so that its page can say why it ended.
const REMEMBER_MS: i64 = 7 * 24 * 3600 * 1000;
/// How often ended sessions are forgotten.
const CHORES: Duration = Duration::from_secs(3600);

/// A running server.
pub struct Server {
    url: String,
    address: std::net::SocketAddr,
    ssh: Option<ssh::Reached>,
    sessions: Sessions,
    registry: Arc<Registry>,
    tasks: Vec<JoinHandle<()>>,
    _lock: File,
}

impl Server {
    /// Starts a server: when this returns, it serves. It stops when `shutdown` is cancelled; sessions live on.
    ///
    /// # Errors
    /// When something that it needs is not there; the message says what, and what to do.
    pub async fn start(config: Config, shutdown: CancellationToken) -> anyhow::Result<Server> {
        if let Some(missing) = assets::missing() {
            bail!(missing);
        }
        let paths = Paths::new(&config.data);
        let listen = config.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("{listen} cannot be listened on; choose another address with --listen"))?;
        let mut config = config;
        // Port 0 becomes the one that the system chose: links must name it.
        config.listen = listener.local_addr()?;
        let port_range = web::port_range::listen(&config).await?;

        let lock = lock(&paths)?;
        let (library, problems) = Library::load(&config.courses);
        for problem in problems {
            warn!("lesson: {problem}");
        }
        let registry = Arc::new(Registry::start(&paths, &config.registry, shutdown.clone()).await?);
        let (sessions, engine) = assemble(config, &paths, registry.clone(), library, shutdown.clone())?;
        engine.warm_up(sessions.config().limits.disk.as_u64()).await?;
        raise_kernel_limits(sessions.config().sessions.max_nodes);
        sessions.recover().await?;
        let living: Vec<_> = sessions.all().iter().map(|l| l.public_name()).collect();
        registry.keep_only(living).await?;
        image::sweep(&paths)?;

        let images = catalogue::list(&paths).unwrap_or_else(|e| {
            warn!(error = %e, "the catalogue cannot be read");
            Vec::new()
        });
        let ssh = SshServer::open(&sessions.config().ssh, &sessions.config().base_url(), &paths).await?;
        let reached = ssh.as_ref().map(|s| s.reached().clone());
        let outside = Arc::new(Outside::new(&sessions.config().ssh, reached.clone()));
        let views = images.iter().map(view).collect();
        let app = App::new(sessions.clone(), registry.clone(), outside.clone(), views, shutdown.clone())?;
        let admin_socket = paths.admin_socket();
        let _ = std::fs::remove_file(&admin_socket);
        let admin = UnixListener::bind(&admin_socket).with_context(|| format!("{}", admin_socket.display()))?;
        std::fs::set_permissions(&admin_socket, Permissions::from_mode(0o600))?;

        let url = sessions.config().base_url();
        let address = sessions.config().listen;
        let mut tasks: Vec<_> =
            port_range.into_iter().map(|port| tokio::spawn(web::port_range::serve(app.clone(), port))).collect();
        tasks.extend([
            tokio::spawn(web::serve(app.clone(), listener)),
            tokio::spawn(web::admin::serve(app, admin)),
            tokio::spawn(forget_ended(sessions.clone(), shutdown.clone())),
            tokio::spawn(keep_clean(registry.clone(), shutdown.clone())),
        ]);
        tasks.extend(ssh.map(|s| tokio::spawn(ssh::serve(s, sessions.clone(), outside, shutdown))));
        Ok(Server { url, address, ssh: reached, sessions, registry, tasks, _lock: lock })
    }

    /// Where browsers find it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.address
    }

    /// How it is reached by ssh; none where that is off.
    pub fn ssh(&self) -> Option<&ssh::Reached> {
        self.ssh.as_ref()
    }

    /// Its sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Waits until it has stopped: requests and removals under way are finished.
    ///
    /// # Errors
    /// When a part of it panicked.
    pub async fn finished(self) -> anyhow::Result<()> {
        for task in self.tasks {
            task.await?;
        }
        self.sessions.finish().await;
        self.registry.finished().await;
        Ok(())
    }
}

/// Sessions without a server, for `boatyard gc`.
pub struct Offline {
    /// The sessions; nothing is recovered yet.
    pub sessions: Sessions,
    /// Their engine.
    pub engine: Arc<NativeEngine>,
    _lock: File,
}

impl Offline {
    /// Opens a data folder. As long as it is open, no server can start on it.
    ///
    /// # Errors
    /// When a server runs on this data folder, or the host lacks something.
    pub fn open(config: Config, shutdown: CancellationToken) -> anyhow::Result<Offline> {
        let paths = Paths::new(&config.data);
        let lock = lock(&paths)?;
        let registry = Arc::new(Registry::offline(&paths, &config.registry));
        let (sessions, engine) = assemble(config, &paths, registry, Library::default(), shutdown)?;
        Ok(Offline { sessions, engine, _lock: lock })
    }
}

fn assemble(
    config: Config,
    paths: &Paths,
    registry: Arc<Registry>,
    library: Library,
    shutdown: CancellationToken,
) -> anyhow::Result<(Sessions, Arc<NativeEngine>)> {
    let agent = agent_binary(&config)?;
    let store = Arc::new(Store::open(&paths.database())?);
    let engine = Arc::new(NativeEngine::new(paths.clone(), config.engine.clone(), agent)?);
    Ok((Sessions::new(config, store, engine.clone(), registry, Arc::new(library), shutdown), engine))
}

/// Raises what the kernel counts for all sandboxes together, so that none can use up what the others need. What bounds each
/// is its memory. Raised for the time until the next boot, never lowered.
fn raise_kernel_limits(nodes: u32) {
    let limits = [
        // Usually enough for about eight sandboxes: each has the host's root to its account.
        ("fs/inotify/max_user_instances", 256 + 32 * u64::from(nodes)),
        // Terminals, of which one process may open as many as it likes.
        ("kernel/pty/max", 1 << 20),
    ];
    for (name, wanted) in limits {
        let file = format!("/proc/sys/{name}");
        let now = std::fs::read_to_string(&file).ok().and_then(|n| n.trim().parse::<u64>().ok());
        if now.is_some_and(|n| n < wanted) {
            match std::fs::write(&file, wanted.to_string()) {
                Ok(()) => info!("{} is raised to {wanted}", name.replace('/', ".")),
                Err(e) => warn!(error = %e, "{} is too low; see `boatyard doctor`", name.replace('/', ".")),
            }
        }
    }
}

/// One server for a data folder: the lock goes with the process, however it ends.
fn lock(paths: &Paths) -> anyhow::Result<File> {
    for folder in [paths.data(), paths.run()] {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    // What is in it is root's affair, but sandboxes' users must be able to pass through to their own files.
    std::fs::set_permissions(paths.data(), Permissions::from_mode(0o711))?;
    std::fs::set_permissions(paths.run(), Permissions::from_mode(0o711))?;
    let file = File::create(paths.data().join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another boatyard runs on {}; stop it first, or choose another folder with --data",
            paths.data().display()
        ),
        Err(TryLockError::Error(e)) => Err(e.into()),
    }
}

fn agent_binary(config: &Config) -> anyhow::Result<PathBuf> {
    if let Some(path) = &config.agent {
        anyhow::ensure!(path.is_file(), "there is no agent at {}; see `agent` in the configuration", path.display());
        return Ok(path.clone());
    }
    let own = std::env::current_exe().context("the server's own path is not known")?;
    // Beside the server; tests run from a folder below it.
    own.ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join("boatyard-agent"))
        .find(|path| path.is_file())
        .context("boatyard-agent is not beside the server; build it with `make build`, or name it with `agent` in the configuration")
}

async fn forget_ended(sessions: Sessions, shutdown: CancellationToken) {
    loop {
        if let Err(e) = sessions.store().purge_ended(now_ms() - REMEMBER_MS) {
            error!(error = %e, "ended sessions were not forgotten");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(CHORES) => {}
        }
    }
}

async fn keep_clean(registry: Arc<Registry>, shutdown: CancellationToken) {
    registry.keep_clean(Pace::default(), shutdown).await;
}

fn view(image: &catalogue::CatalogueImage) -> web::view::CatalogueImage {
    web::view::CatalogueImage {
        name: image.name.clone(),
        tags: image.tags.clone(),
        summary: image.summary.clone(),
        size: bytesize::ByteSize(image.size).display().si().to_string(),
        layers: image.layers,
    }
}
