//! A session that runs: its nodes, what is known of them, and who wants to hear of changes.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use boatyard_protocol::agent::{DockerState, DockerStorage, ListeningPort, TerminalInfo};
use tokio::sync::{Notify, Semaphore, broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::{
    EndReason, NodeName, PublicName, SessionId, SwarmRole,
    company::Company,
    deploy::Deploying,
    share::Shares,
    usage::{LimitReached, NodeUsage},
};
use crate::{
    agent::AgentClient,
    course::check::CheckResult,
    docker,
    store::{NodeRow, SessionRow},
    xray::Xray,
};

/// Something that happened in a session. A reader that missed some reads the session anew: events replace, never add.
#[derive(Debug, Clone)]
pub enum Event {
    /// End time, extensions, the list of nodes or who is in the swarm changed.
    Changed,
    /// The ports that listen in a node changed.
    Ports(NodeName),
    /// What a node uses was looked at.
    Usage(NodeName),
    /// A node has come to a limit of its own.
    LimitReached {
        /// The node.
        node: NodeName,
        /// The limit.
        limit: LimitReached,
    },
    /// A node's sandbox died; the session goes on with the others.
    NodeLost(NodeName),
    /// The state of a node's Docker Engine changed.
    Docker(NodeName),
    /// A node's terminals changed.
    Terminals(NodeName),
    /// What the session has in the registry changed.
    Registry,
    /// The deployment of the session's stack went on, or changed.
    Deployment,
    /// Something happened that a check may depend on.
    Activity,
    /// A step's checks were evaluated, with another result than before.
    Checks {
        /// `course/lesson`.
        lesson: String,
        /// The step's id.
        step: String,
        /// One for each check, in order.
        results: Arc<Vec<CheckResult>>,
    },
    /// The progress in a lesson changed.
    Progress {
        /// `course/lesson`.
        lesson: String,
    },
    /// Who is there, or how others are let in, changed.
    People,
    /// The person of this number types.
    Typing(u32),
    /// The session ends soon.
    Warning {
        /// Seconds until its end.
        seconds_left: u64,
    },
    /// The session is over; nothing follows.
    Ended(EndReason),
}

/// Something that a node's Docker Engine told: for whoever shows what it holds. Events say that something changed, not
/// what is there, so a reader that missed some reads the engine anew.
#[derive(Debug, Clone)]
pub(crate) struct DockerNews {
    /// The node.
    pub node: NodeName,
    /// What it told.
    pub what: DockerTold,
}

/// What of a [`DockerNews`].
#[derive(Debug, Clone)]
pub(crate) enum DockerTold {
    /// An event of its own.
    Event(docker::Event),
    /// Layers came into its storage, or are coming.
    Storage(Arc<DockerStorage>),
}

/// A session that runs.
#[derive(Debug)]
pub struct Live {
    row: watch::Sender<SessionRow>,
    /// In the order of their numbers.
    nodes: RwLock<Vec<Arc<Node>>>,
    events: broadcast::Sender<Event>,
    docker: broadcast::Sender<DockerNews>,
    /// The session's X-ray while someone looks at it.
    pub(crate) xray: Mutex<Weak<Xray>>,
    /// Cancelled when the session ends or the server stops.
    pub(super) cancel: CancellationToken,
    ended: AtomicBool,
    /// Held by whoever changes the list of nodes: one at a time.
    pub(super) changing: tokio::sync::Mutex<()>,
    /// Something happened to the swarm that a node is in.
    pub(super) swarm_changed: Notify,
    /// Answers of its agents that are held whole, such as a command's output: so many at once.
    pub(crate) answers: Semaphore,
    /// Evaluations of checks, which hold answers of its Docker Engines: so many at once.
    pub(super) checking: Semaphore,
    /// How many look at the session now.
    pub(super) viewers: watch::Sender<usize>,
    /// The stack that it was started to deploy.
    pub(super) deploying: OnceLock<Arc<Deploying>>,
    /// Who is there.
    pub(super) company: Company,
    /// How others are let in.
    pub(super) shares: Shares,
    /// Steps that someone looks at: evaluated when something happens.
    pub(super) watched: watch::Sender<Vec<(String, String)>>,
}

/// A node of a running session.
#[derive(Debug)]
pub struct Node {
    name: NodeName,
    address: Ipv4Addr,
    image: String,
    client: AgentClient,
    facts: Mutex<Facts>,
    /// Cancelled when the node leaves its session, with the session at the latest.
    pub(super) cancel: CancellationToken,
}

/// What the node's agent last said.
#[derive(Debug, Clone)]
pub struct Facts {
    /// State of its Docker Engine.
    pub docker: DockerState,
    /// Ports that listen.
    pub ports: Vec<ListeningPort>,
    /// Its terminals.
    pub terminals: Vec<TerminalInfo>,
    /// What it is in the session's swarm, if it is in one.
    pub swarm: Option<SwarmRole>,
    /// What it uses, where someone has looked.
    pub usage: Option<NodeUsage>,
}

impl Live {
    pub(super) fn new(row: SessionRow, cancel: CancellationToken) -> Live {
        Live {
            row: watch::Sender::new(row),
            nodes: RwLock::default(),
            // A viewer that is this far behind reads the whole session again.
            events: broadcast::Sender::new(256),
            docker: broadcast::Sender::new(512),
            xray: Mutex::default(),
            cancel,
            ended: AtomicBool::new(false),
            changing: tokio::sync::Mutex::new(()),
            swarm_changed: Notify::new(),
            answers: Semaphore::new(4),
            checking: Semaphore::new(2),
            viewers: watch::Sender::new(0),
            deploying: OnceLock::new(),
            company: Company::default(),
            shares: Shares::default(),
            watched: watch::Sender::new(Vec::new()),
        }
    }

    /// Its id.
    pub fn id(&self) -> SessionId {
        self.row.borrow().id
    }

    /// Its public name.
    pub fn public_name(&self) -> PublicName {
        self.row.borrow().public_name.clone()
    }

    /// Whether this is its public name.
    pub(super) fn goes_by(&self, name: &PublicName) -> bool {
        self.row.borrow().public_name == *name
    }

    /// The session as it is stored.
    pub fn row(&self) -> SessionRow {
        self.row.borrow().clone()
    }

    /// Its nodes now, in the order of their numbers.
    pub fn nodes(&self) -> Vec<Arc<Node>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A node by its name.
    pub fn node(&self, name: &str) -> Option<Arc<Node>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).iter().find(|n| n.name.as_str() == name).cloned()
    }

    pub(super) fn add_node(&self, node: Arc<Node>) {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        nodes.push(node);
        nodes.sort_by_key(|n| n.address);
    }

    /// Takes a node out; what is connected to it ends.
    pub(super) fn take_node(&self, name: &NodeName) -> Option<Arc<Node>> {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        let i = nodes.iter().position(|n| n.name == *name)?;
        let node = nodes.remove(i);
        node.cancel.cancel();
        Some(node)
    }

    /// Whether it has ended for good. A server that stops ends no session.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    pub(super) fn set_ended(&self, reason: EndReason) {
        self.ended.store(true, Ordering::Release);
        self.emit(Event::Ended(reason));
        self.cancel.cancel();
    }

    /// Says that someone looks at the session, until what it answers is dropped.
    pub fn view(self: &Arc<Self>) -> Viewing {
        self.viewers.send_modify(|n| *n += 1);
        Viewing(self.clone())
    }

    /// What happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Resolves when the session has ended or the server stops.
    pub async fn over(&self) {
        self.cancel.cancelled().await;
    }

    /// Tells that something happened that a check may depend on, such as a file that was written from outside.
    pub fn touch(&self) {
        self.emit(Event::Activity);
    }

    /// What the nodes' Docker Engines tell from now on.
    pub(crate) fn docker_news(&self) -> broadcast::Receiver<DockerNews> {
        self.docker.subscribe()
    }

    pub(super) fn tell_docker(&self, node: &Node, what: impl FnOnce() -> Option<DockerTold>) {
        // Mostly nobody looks.
        if self.docker.receiver_count() > 0
            && let Some(what) = what()
        {
            let _ = self.docker.send(DockerNews { node: node.name().clone(), what });
        }
    }

    pub(super) fn emit(&self, event: Event) {
        // Nobody listening is fine.
        let _ = self.events.send(event);
    }

    pub(super) fn update_row(&self, row: SessionRow) {
        self.row.send_replace(row);
        self.emit(Event::Changed);
    }

    pub(super) fn row_changes(&self) -> watch::Receiver<SessionRow> {
        self.row.subscribe()
    }
}

/// Someone who looks at a session, as long as it lives.
#[derive(Debug)]
pub struct Viewing(Arc<Live>);

impl Drop for Viewing {
    fn drop(&mut self) {
        self.0.viewers.send_modify(|n| *n -= 1);
    }
}

impl Node {
    pub(super) fn new(row: &NodeRow, client: AgentClient, cancel: CancellationToken) -> Node {
        let facts =
            Facts { docker: DockerState::Stopped, ports: Vec::new(), terminals: Vec::new(), swarm: None, usage: None };
        Node {
            name: row.name.clone(),
            address: row.address,
            image: row.image.clone(),
            client,
            facts: Mutex::new(facts),
            cancel,
        }
    }

    /// Its name.
    pub fn name(&self) -> &NodeName {
        &self.name
    }

    /// Its address on the session's network.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The lab image that it was made from.
    pub fn image(&self) -> &str {
        &self.image
    }

    /// Its agent.
    pub fn agent(&self) -> &AgentClient {
        &self.client
    }

    /// Whether the node has left its session, the session has ended or the server stops.
    pub fn is_over(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Resolves when the node has left its session, the session has ended or the server stops.
    pub async fn over(&self) {
        self.cancel.cancelled().await;
    }

    /// What its agent last said.
    pub fn facts(&self) -> Facts {
        self.lock().clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
