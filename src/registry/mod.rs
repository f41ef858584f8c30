//! The registry: where `docker push` goes, and the offline catalogue from which `docker pull nginx` comes.
//!
//! One CNCF distribution registry, supervised, on a Unix socket that only root can open. Sandboxes reach it through
//! their agents' tunnels and [`proxy`], which knows by the tunnel whose session asks. In storage a session's
//! repositories lie below `sessions/<public name>/` and the catalogue's below `catalogue/`.

pub mod client;
mod holdings;
mod log;
mod names;
mod proxy;
mod quota;
mod storage;
mod supervisor;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use client::RegistryClient;
use hyper::service::service_fn;
use names::Name;
use proxy::Proxy;
use storage::Storage;
use supervisor::Supervisor;
use tokio::sync::{RwLock, broadcast};
use tokio_util::sync::CancellationToken;

use crate::{
    agent::RawStream,
    config::RegistrySettings,
    paths::Paths,
    session::{Held, PublicName, Services},
};

/// A push takes at most this long from one of its blobs to the next.
const QUIET: Duration = Duration::from_secs(60);

/// The registry of one Boatyard.
pub struct Registry {
    storage: Storage,
    supervisor: Option<Supervisor>,
    upstream: Option<Supervisor>,
    proxy: Proxy,
    pushes: broadcast::Sender<PublicName>,
    /// Held for reading by whoever pushes, and for writing while garbage is collected.
    writing: Arc<RwLock<()>>,
}

impl Registry {
    /// Starts the registry, and the pull-through cache where an upstream is configured; when this returns, they answer.
    ///
    /// # Errors
    /// When `docker-registry` is not installed or does not start.
    pub async fn start(
        paths: &Paths,
        settings: &RegistrySettings,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Registry> {
        let main = supervisor::main(paths)?;
        let upstream = match &settings.upstream {
            Some(u) => Some(Supervisor::start(supervisor::upstream(paths, u)?, shutdown.clone()).await?),
            None => None,
        };
        let supervisor = Supervisor::start(main, shutdown).await.context("the registry did not start")?;
        Ok(Registry { supervisor: Some(supervisor), upstream, ..Registry::offline(paths, settings) })
    }

    /// A registry that serves nothing, for what only concerns its storage.
    pub fn offline(paths: &Paths, settings: &RegistrySettings) -> Registry {
        let (pushes, _) = broadcast::channel(64);
        let writing = Arc::new(RwLock::new(()));
        let storage = Storage::new(paths);
        let upstream = settings.upstream.is_some().then(|| RegistryClient::new(supervisor::upstream_socket(paths)));
        let proxy = Proxy::new(
            RegistryClient::new(paths.registry_socket()),
            upstream,
            storage.clone(),
            settings.quota.as_u64(),
            pushes.clone(),
            writing.clone(),
        );
        Registry { storage, supervisor: None, upstream: None, proxy, pushes, writing }
    }

    /// Removes what sessions other than `living` have pushed: an upload may end after its session did.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn keep_only(&self, living: &[PublicName]) -> anyhow::Result<()> {
        for session in self.storage.sessions() {
            if !living.contains(&session) {
                self.storage.remove_session(&session)?;
            }
        }
        Ok(())
    }

    /// Waits until the registry has stopped, after its shutdown token was cancelled.
    pub async fn finished(&self) {
        for supervisor in self.supervisor.iter().chain(&self.upstream) {
            supervisor.finished().await;
        }
    }

    /// Removes blobs that no manifest refers to any more. Does nothing when nothing was removed since the last time, and
    /// puts it off while images are being pushed, whose blobs look like garbage until their manifest arrives. Returns
    /// whether it was done.
    ///
    /// # Errors
    /// When the registry's own garbage collection fails.
    pub async fn collect_garbage(&self) -> anyhow::Result<bool> {
        let Some(supervisor) = &self.supervisor else { return Ok(false) };
        if !self.storage.has_blobs() || !self.storage.take_dirty() {
            return Ok(false);
        }
        // Whoever waited here for an upload to end would keep all others from beginning one.
        let alone = self.writing.try_write().ok().filter(|_| self.storage.is_quiet(QUIET));
        let done = match &alone {
            Some(_) => supervisor.collect_garbage().await,
            None => {
                self.storage.set_dirty();
                return Ok(false);
            }
        };
        if done.is_err() {
            self.storage.set_dirty();
        }
        done.map(|()| true)
    }

    /// Serves HTTP on one stream of a session's sandbox to its end: `registry` is the session's own registry,
    /// `catalogue` the mirror of the catalogue; other services are dropped.
    pub async fn serve_stream<T>(&self, session: &PublicName, service: &str, stream: T)
    where
        T: hyper::rt::Read + hyper::rt::Write + Unpin + Send,
    {
        let serve = |request| async move {
            Ok::<_, std::convert::Infallible>(match service {
                "registry" => self.proxy.session(session, request).await,
                _ => self.proxy.catalogue(request).await,
            })
        };
        if !matches!(service, "registry" | "catalogue") {
            return;
        }
        // How a client ends its connection is its own affair.
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service_fn(serve)).await;
    }
}

#[async_trait::async_trait]
impl Services for Registry {
    async fn serve(&self, session: &PublicName, service: &str, stream: RawStream) {
        self.serve_stream(session, service, stream).await;
    }

    async fn digest(&self, session: &PublicName, repository: &str, tag: &str) -> anyhow::Result<Option<String>> {
        Ok(Name::parse(repository).and_then(|name| self.storage.digest(&name.of_session(session), tag)))
    }

    async fn tags(&self, session: &PublicName, repository: &str) -> anyhow::Result<Vec<String>> {
        Ok(Name::parse(repository).map(|name| self.storage.tags(&name.of_session(session))).unwrap_or_default())
    }

    async fn holdings(&self, session: &PublicName, most: usize) -> anyhow::Result<(Vec<Held>, usize)> {
        let (storage, session) = (self.storage.clone(), session.clone());
        Ok(tokio::task::spawn_blocking(move || holdings::of_session(&storage, &session, most)).await?)
    }

    fn pushes(&self) -> broadcast::Receiver<PublicName> {
        self.pushes.subscribe()
    }

    async fn remove(&self, session: &PublicName) -> anyhow::Result<()> {
        self.proxy.forget(session);
        self.storage.remove_session(session)
    }
}

/// The program that serves and collects garbage: Debian's name of it.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/bin".into()])
        .map(|folder| folder.join("docker-registry"))
        .find(|p| p.is_file())
        .context("docker-registry is not installed; install Debian's package docker-registry")
}
