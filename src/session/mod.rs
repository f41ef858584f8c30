//! Sessions: the heart. A session is what a student holds: nodes on one private network, with an end time.
//!
//! It knows no HTTP. `web` calls [`Sessions`] and turns its answers into pages and JSON; the way down is `engine` (makes
//! sandboxes) and `agent` (speaks with what is inside).

mod address;
mod ask;
mod company;
mod create;
mod deploy;
mod end;
mod expire;
mod ids;
mod images;
mod lesson;
mod live;
mod making;
mod nodes;
mod probe;
mod recover;
mod services;
mod setup;
mod share;
mod ssh;
mod swarm;
mod usage;
mod variables;
mod watch;
mod welcome;

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

pub(crate) use ask::ask_docker;
pub use company::{Person, Place, PlaceTaken, Presence};
pub use create::{CreateError, Created, StartRequest};
pub use deploy::{DeployError, DeployStage, DeployedPort, Deployment, ServiceProgress, ServiceState};
pub use ids::{ClientId, NodeName, PublicName, SessionId};
pub use lesson::{LessonError, StepWatch};
pub(crate) use live::DockerTold;
pub use live::{Event, Facts, Live, Node};
pub use nodes::NodeError;
pub use recover::Recovered;
pub use services::{Held, HeldLayer, Services};
pub use share::{GuestId, Right, Share, ShareError, ShareId, ShareKind, Who};
pub use swarm::{SwarmError, SwarmRole};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
pub use usage::{LimitReached, NodeUsage};
pub use variables::VariableError;

use crate::{config::Config, course::Library, engine::Engine, paths::Paths, store::Store};

/// Where a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its sandboxes are being made.
    Starting,
    /// It can be used.
    Running,
    /// It is over.
    Ended(EndReason),
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// Its owner closed it.
    Closed,
    /// Its time was over.
    Expired,
    /// Its sandbox died, or its host was restarted.
    Lost,
    /// The operator removed it.
    Operator,
}

impl EndReason {
    /// The reason as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            EndReason::Closed => "closed",
            EndReason::Expired => "expired",
            EndReason::Lost => "lost",
            EndReason::Operator => "operator",
        }
    }

    /// The reason as the end of a sentence: "it was …".
    pub fn in_words(self) -> &'static str {
        match self {
            EndReason::Closed => "closed",
            EndReason::Expired => "ended when its time was over",
            EndReason::Lost => "lost, because its sandbox died or its host was restarted",
            EndReason::Operator => "closed by the operator",
        }
    }

    /// Reads a stored reason.
    pub fn parse(s: &str) -> Option<EndReason> {
        [EndReason::Closed, EndReason::Expired, EndReason::Lost, EndReason::Operator]
            .into_iter()
            .find(|r| r.as_str() == s)
    }
}

/// All sessions of a server, and what they need. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    paths: Paths,
    store: Arc<Store>,
    engine: Arc<dyn Engine>,
    services: Arc<dyn Services>,
    library: Arc<Library>,
    live: RwLock<HashMap<SessionId, Arc<Live>>>,
    making: making::Making,
    /// Whether this host's kernel has what Swarm's routing mesh needs.
    ip_vs: bool,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    /// Removals under way.
    removals: std::sync::atomic::AtomicUsize,
}

impl Sessions {
    /// Sessions on top of an engine. Call [`Sessions::recover`] before the first other call.
    pub fn new(
        config: Config,
        store: Arc<Store>,
        engine: Arc<dyn Engine>,
        services: Arc<dyn Services>,
        library: Arc<Library>,
        shutdown: CancellationToken,
    ) -> Sessions {
        let paths = Paths::new(&config.data);
        let live = RwLock::default();
        let tasks = TaskTracker::new();
        Sessions {
            inner: Arc::new(Inner {
                config,
                paths,
                store,
                engine,
                services,
                library,
                live,
                making: making::Making::default(),
                ip_vs: crate::doctor::has_ip_vs(),
                shutdown,
                tasks,
                removals: Default::default(),
            }),
        }
    }

    /// A session that runs now.
    pub fn get(&self, id: SessionId) -> Option<Arc<Live>> {
        self.read_live().get(&id).cloned()
    }

    /// A session that runs now, by its public name.
    pub fn by_public_name(&self, name: &PublicName) -> Option<Arc<Live>> {
        self.read_live().values().find(|l| l.goes_by(name)).cloned()
    }

    /// The sessions that run now, oldest first.
    pub fn all(&self) -> Vec<Arc<Live>> {
        let mut all: Vec<_> = self.read_live().values().cloned().collect();
        all.sort_by_key(|l| l.row().created_at);
        all
    }

    /// The sessions that one client has, oldest first.
    pub fn of_client(&self, client: ClientId) -> Vec<Arc<Live>> {
        self.all().into_iter().filter(|l| l.row().owner == client).collect()
    }

    /// The store, for what is no session's affair.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The courses.
    pub fn library(&self) -> &Library {
        &self.inner.library
    }

    /// Whether Swarm's routing mesh and virtual addresses work on this host.
    pub fn has_routing_mesh(&self) -> bool {
        self.inner.ip_vs
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// What the sessions' sandboxes reach outside of themselves.
    pub(crate) fn services(&self) -> &Arc<dyn Services> {
        &self.inner.services
    }

    /// Starts something that runs beside the sessions; it must end when `live` does.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.inner.tasks.spawn(task);
    }

    /// Waits until removals under way have ended. New work is refused by the shutdown token, which must be cancelled.
    pub async fn finish(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Waits until no removal is under way.
    pub async fn idle(&self) {
        while self.inner.removals.load(std::sync::atomic::Ordering::Acquire) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    fn read_live(&self) -> std::sync::RwLockReadGuard<'_, HashMap<SessionId, Arc<Live>>> {
        self.inner.live.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write_live(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<SessionId, Arc<Live>>> {
        self.inner.live.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
