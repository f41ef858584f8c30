//! Adding nodes to a session and taking them away while it runs.

use std::{net::Ipv4Addr, sync::Arc};

use boatyard_protocol::agent::HostEntry;
use futures_util::future::join_all;
use tracing::{debug, info, warn};

use super::{Event, Live, Node, NodeName, Sessions, State, address};
use crate::{
    agent::AgentClient,
    engine::EngineError,
    store::{NoNode, NodeRow, NodeState, SessionRow, StoreError},
};

/// Why a node was not added or not removed.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The session has as many as it may have.
    #[error("a session has at most {0} nodes")]
    TooMany(u32),
    /// All sessions together have as many nodes as there may be.
    #[error("all places for nodes are taken")]
    Full,
    /// There is no lab image of this name.
    #[error("there is no lab image `{0}`")]
    NoImage(String),
    /// The session has no such node.
    #[error("the session has no {0}")]
    Unknown(NodeName),
    /// It is the session's last.
    #[error("it is the session's last node; close the session instead")]
    Last,
    /// The session has ended meanwhile.
    #[error("the session has ended")]
    Ended,
    /// The engine failed; all that was made has been removed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions {
    /// Adds a node to a session, of the lab image `image` or of that of its first node.
    ///
    /// The work goes on when the caller goes away.
    ///
    /// # Errors
    /// [`NodeError`]; then nothing is left of it.
    pub async fn add_node(&self, live: &Arc<Live>, image: Option<String>) -> Result<Arc<Node>, NodeError> {
        let (sessions, live) = (self.clone(), live.clone());
        let work = async move { sessions.add_node_now(&live, image).await };
        self.inner.tasks.spawn(work).await.map_err(|_| NodeError::Ended)?
    }

    async fn add_node_now(&self, live: &Arc<Live>, image: Option<String>) -> Result<Arc<Node>, NodeError> {
        let _alone = live.changing.lock().await;
        let config = &self.inner.config;
        let image = image
            .or_else(|| live.nodes().first().map(|n| n.image().to_owned()))
            .unwrap_or_else(|| config.sessions.image.clone());
        if self.image(&image).is_none() {
            return Err(NodeError::NoImage(image));
        }
        let session = live.row();
        let limit = config.sessions.nodes;
        let row = {
            let mut making = self.inner.making.lock();
            let in_all = config.sessions.max_nodes.min(address::capacity(&config.engine));
            let place = self.inner.store.reserve_node(session.id, limit, in_all, &image, |n| {
                address::node(&config.engine, session.network, n)
            })?;
            let row = place.map_err(|e| match e {
                NoNode::Session => NodeError::TooMany(limit),
                NoNode::Full => NodeError::Full,
                NoNode::Ended => NodeError::Ended,
            })?;
            making.insert(row.sandbox.clone());
            row
        };
        let others = live.nodes();
        let made = self.inner.engine.create(&self.spec(&session, &row, &hosts(&others))).await;
        let made = made.map_err(NodeError::from).and_then(|()| {
            self.inner.store.set_node_state(&row.sandbox, NodeState::Running)?;
            Ok(())
        });
        // From here on it is either the session's, which whoever ends the session removes, or still ours.
        let node = {
            let mut making = self.inner.making.lock();
            making.remove(&row.sandbox);
            if made.is_ok() && !live.has_ended() {
                let node = self.node(live, &row);
                live.add_node(node.clone());
                Some(node)
            } else {
                None
            }
        };
        let Some(node) = node else {
            self.discard(&row).await?;
            return Err(made.err().unwrap_or(NodeError::Ended));
        };
        info!(session = %session.id, node = %row.name, sandbox = %row.sandbox, "node added");
        self.watch_node(live, &node);
        live.emit(Event::Changed);
        self.tell_hosts(live).await;
        if others.len() == 1 {
            self.greet(&others).await;
        }
        Ok(node)
    }

    /// Takes a node out of a session: it is gone for its user when this returns, and its sandbox is removed in the
    /// background.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn remove_node(&self, live: &Arc<Live>, name: &NodeName) -> Result<(), NodeError> {
        let _alone = live.changing.lock().await;
        let Some(node) = live.node(name.as_str()) else { return Err(NodeError::Unknown(name.clone())) };
        if live.nodes().len() == 1 {
            return Err(NodeError::Last);
        }
        self.take_out(live, &node)?;
        live.emit(Event::Changed);
        self.tell_hosts(live).await;
        Ok(())
    }

    /// Goes on without a node whose sandbox is dead. `false` if it was the session's last.
    pub(super) async fn node_lost(&self, live: &Arc<Live>, node: &Arc<Node>) -> Result<bool, StoreError> {
        let _alone = live.changing.lock().await;
        if live.nodes().len() <= 1 {
            return Ok(false);
        }
        self.take_out(live, node)?;
        live.emit(Event::NodeLost(node.name().clone()));
        live.emit(Event::Changed);
        self.tell_hosts(live).await;
        Ok(true)
    }

    fn take_out(&self, live: &Live, node: &Node) -> Result<(), StoreError> {
        self.inner.store.set_node_state(node.agent().sandbox(), NodeState::Leaving)?;
        live.take_node(node.name());
        info!(session = %live.id(), node = %node.name(), "node removed");
        self.remove_in_background(vec![node.agent().sandbox().clone()], None);
        Ok(())
    }

    /// Removes what may be left of a node that never came to be. What the engine could not undo keeps its numbers until
    /// a later `gc` has removed it.
    pub(super) async fn discard(&self, row: &NodeRow) -> Result<(), StoreError> {
        match self.inner.engine.destroy(&row.sandbox).await {
            Ok(()) => self.inner.store.forget_node(&row.sandbox),
            Err(e) => {
                warn!(sandbox = %row.sandbox, error = %e, "a sandbox that failed could not be removed");
                Ok(())
            }
        }
    }

    /// Makes a session that runs known to this server, and begins to watch it.
    pub(super) fn adopt(&self, row: SessionRow, nodes: &[NodeRow]) -> Arc<Live> {
        let row = SessionRow { state: State::Running, ..row };
        let live = Arc::new(Live::new(row, self.inner.shutdown.child_token()));
        for n in nodes {
            live.add_node(self.node(&live, n));
        }
        self.write_live().insert(live.id(), live.clone());
        self.watch(&live);
        live
    }

    fn node(&self, live: &Live, row: &NodeRow) -> Arc<Node> {
        let client = AgentClient::new(self.inner.engine.clone(), row.sandbox.clone());
        Arc::new(Node::new(row, client, live.cancel.child_token()))
    }

    /// Tells every node the names of the others.
    async fn tell_hosts(&self, live: &Live) {
        let nodes = live.nodes();
        join_all(nodes.iter().map(|node| async {
            let others: Vec<_> = nodes.iter().filter(|n| n.name() != node.name()).cloned().collect();
            if let Err(e) = node.agent().set_hosts(&hosts(&others)).await {
                debug!(node = %node.name(), error = %e, "a node did not learn the others' names");
            }
        }))
        .await;
    }
}

/// Names and addresses of nodes.
pub(super) fn hosts(nodes: &[Arc<Node>]) -> Vec<HostEntry> {
    nodes.iter().map(|n| host(n.name(), n.address())).collect()
}

/// How the other nodes know a node.
pub(super) fn host(name: &NodeName, address: Ipv4Addr) -> HostEntry {
    HostEntry { address: address.into(), names: vec![name.to_string()] }
}
