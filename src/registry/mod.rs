//! The registry: where `docker push` goes, and the offline catalogue from which `docker pull nginx` comes.
//!
//! One CNCF distribution registry, supervised, on a Unix socket that only root can open. Sandboxes reach it through
//! their agents' tunnels and [`proxy`], which knows by the tunnel whose session asks. In storage a session's
//! repositories lie below `sessions/<public name>/` and the catalogue's below `catalogue/`.

mod answer;
mod aside;
pub mod client;
mod contents;
mod garbage;
mod gate;
mod holdings;
mod log;
mod manifest;
mod names;
mod proxy;
mod quota;
mod storage;
mod supervisor;
mod upload;

use std::{path::PathBuf, sync::Arc};

use anyhow::Context;
use client::RegistryClient;
pub use contents::{Contents, PushedImage, PushedLayer, PushedRepository, PushedTag};
pub use garbage::{Collected, Pace};
use gate::Gate;
use hyper::service::service_fn;
use names::Name;
use proxy::{Proxy, Signals};
use quota::Quota;
use storage::Storage;
use supervisor::Supervisor;
use tokio::sync::{Notify, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

use crate::{
    agent::RawStream,
    config::RegistrySettings,
    paths::Paths,
    session::{Held, PublicName, Services},
};

/// The registry of one Boatyard.
pub struct Registry {
    storage: Storage,
    supervisor: Option<Supervisor>,
    upstream: Option<Supervisor>,
    proxy: Proxy,
    pushes: broadcast::Sender<PublicName>,
    gate: Arc<Gate>,
    /// Told when something was removed.
    removed: Arc<Notify>,
    quota: Arc<Quota>,
    /// Reading all that a session has reads many files: so many at once.
    readings: Semaphore,
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
        let (gate, removed) = (Arc::new(Gate::default()), Arc::new(Notify::new()));
        let (quota, readings) = (Arc::new(Quota::new(settings)), Semaphore::new(2));
        let storage = Storage::new(paths);
        let upstream = settings.upstream.is_some().then(|| RegistryClient::new(supervisor::upstream_socket(paths)));
        let proxy = Proxy::new(
            RegistryClient::new(paths.registry_socket()),
            upstream,
            storage.clone(),
            quota.clone(),
            Signals { pushes: pushes.clone(), removed: removed.clone(), gate: gate.clone() },
        );
        Registry { storage, supervisor: None, upstream: None, proxy, pushes, gate, removed, quota, readings }
    }

    /// Removes what sessions other than `living` have pushed: an upload may end after its session did.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub async fn keep_only(&self, living: Vec<PublicName>) -> anyhow::Result<()> {
        let removed = self.storage.blocking(move |storage| -> anyhow::Result<bool> {
            let mut removed = false;
            for session in storage.sessions() {
                if !living.contains(&session) {
                    removed |= storage.remove_session(&session)?;
                }
            }
            Ok(removed)
        });
        if removed.await? {
            self.say_removed();
        }
        Ok(())
    }

    /// Waits until the registry has stopped, after its shutdown token was cancelled.
    pub async fn finished(&self) {
        for supervisor in self.supervisor.iter().chain(&self.upstream) {
            supervisor.finished().await;
        }
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
        let Some(name) = Name::parse(repository) else { return Ok(None) };
        let (repository, tag) = (name.of_session(session), tag.to_owned());
        Ok(self.storage.blocking(move |s| s.digest(&repository, &tag)).await)
    }

    async fn tags(&self, session: &PublicName, repository: &str) -> anyhow::Result<Vec<String>> {
        let Some(name) = Name::parse(repository) else { return Ok(Vec::new()) };
        let repository = name.of_session(session);
        Ok(self.storage.blocking(move |s| s.tags(&repository)).await)
    }

    async fn holdings(&self, session: &PublicName, most: usize) -> anyhow::Result<(Vec<Held>, usize)> {
        Ok(self.holdings_of(session, most).await)
    }

    fn pushes(&self) -> broadcast::Receiver<PublicName> {
        self.pushes.subscribe()
    }

    async fn remove(&self, session: &PublicName) -> anyhow::Result<()> {
        self.quota.forget(session);
        let session = session.clone();
        if self.storage.blocking(move |s| s.remove_session(&session)).await? {
            self.say_removed();
        }
        Ok(())
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
