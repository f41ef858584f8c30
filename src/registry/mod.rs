//! The registry: where `docker push` goes, and the offline catalogue from which `docker pull nginx` comes.
//!
//! One CNCF distribution registry, supervised, on a Unix socket that only root can open. Sandboxes reach it through
//! their agents' tunnels and [`proxy`], which knows by the tunnel whose session asks. In storage a session's
//! repositories lie below `sessions/<public name>/` and the catalogue's below `catalogue/`.

pub mod client;
mod names;
mod proxy;
mod quota;
mod storage;
mod supervisor;

use std::{path::PathBuf, sync::Arc};

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
    session::{PublicName, Services},
};

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

    /// Waits until the registry has stopped, after its shutdown token was cancelled.
    pub async fn finished(&self) {
        for supervisor in self.supervisor.iter().chain(&self.upstream) {
            supervisor.finished().await;
        }
    }

    /// Removes blobs that no manifest refers to any more; pushes wait meanwhile. Does nothing when no session's images
    /// were removed since the last time.
    ///
    /// # Errors
    /// When the registry's own garbage collection fails.
    pub async fn collect_garbage(&self) -> anyhow::Result<()> {
        let Some(supervisor) = &self.supervisor else { return Ok(()) };
        if !self.storage.take_dirty() {
            return Ok(());
        }
        let _alone = self.writing.write().await;
        supervisor.collect_garbage().await
    }
}

#[async_trait::async_trait]
impl Services for Registry {
    async fn serve(&self, session: &PublicName, service: &str, stream: RawStream) {
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

    async fn digest(&self, session: &PublicName, repository: &str, tag: &str) -> anyhow::Result<Option<String>> {
        Ok(Name::parse(repository).and_then(|name| self.storage.digest(&name.of_session(session), tag)))
    }

    async fn tags(&self, session: &PublicName, repository: &str) -> anyhow::Result<Vec<String>> {
        Ok(Name::parse(repository).map(|name| self.storage.tags(&name.of_session(session))).unwrap_or_default())
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
