//! Nodes of sessions.

use std::net::Ipv4Addr;

use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior};

use super::{
    Store, StoreError,
    sessions::{lowest_free, parse},
};
use crate::{
    engine::{SandboxId, UidRange},
    session::{NodeName, SessionId},
};

/// A node as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeRow {
    /// Its sandbox.
    pub sandbox: SandboxId,
    /// Its session.
    pub session: SessionId,
    /// Its name.
    pub name: NodeName,
    /// Its range of user ids.
    pub range: UidRange,
    /// Its address on the session's network.
    pub address: Ipv4Addr,
    /// Its lab image.
    pub image: String,
    /// Where it is in its life.
    pub state: NodeState,
}

/// Where a node is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// Its sandbox is being made.
    Starting,
    /// It can be used.
    Running,
    /// It was taken out of its session, and its sandbox is being removed.
    Leaving,
}

/// Why a session gets no further node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoNode {
    /// The session has as many as it may have.
    Session,
    /// All sessions together have as many as there may be.
    Full,
    /// The session has ended.
    Ended,
}

impl Store {
    /// Takes a place for one more node of a running session: it has the lowest number that is free. `address_of` tells its
    /// address from the number, counted from 0.
    ///
    /// # Errors
    /// When the database fails. The inner result says that there is no place.
    pub fn reserve_node(
        &self,
        session: SessionId,
        per_session: u32,
        in_all: u32,
        image: &str,
        address_of: impl Fn(u32) -> Ipv4Addr,
    ) -> Result<Result<NodeRow, NoNode>, StoreError> {
        let mut db = self.lock();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let id = session.to_string();
        let running: Option<bool> =
            tx.query_row("SELECT state = 'running' FROM sessions WHERE id = ?1", [&id], |r| r.get(0)).optional()?;
        if running != Some(true) {
            return Ok(Err(NoNode::Ended));
        }
        let mine: u32 = tx.query_row("SELECT count(*) FROM nodes WHERE session = ?1", [&id], |r| r.get(0))?;
        if mine >= per_session {
            return Ok(Err(NoNode::Session));
        }
        if node_count(&tx)? >= in_all {
            return Ok(Err(NoNode::Full));
        }
        let mut nodes = insert_nodes(&tx, session, &[image.to_owned()], address_of)?;
        tx.commit()?;
        nodes.pop().map(Ok).ok_or(StoreError::Value("nodes"))
    }

    /// Says where a node is in its life; `false` if there is no such node.
    ///
    /// # Errors
    /// When the database fails.
    pub fn set_node_state(&self, sandbox: &SandboxId, state: NodeState) -> Result<bool, StoreError> {
        let n = self
            .lock()
            .execute("UPDATE nodes SET state = ?2 WHERE sandbox = ?1", (sandbox.as_str(), state.as_str()))?;
        Ok(n == 1)
    }

    /// All nodes of which a sandbox may be left.
    ///
    /// # Errors
    /// When the database fails.
    pub fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        let db = self.lock();
        let mut q = db.prepare_cached(
            "SELECT sandbox, session, name, range, address, image, state FROM nodes ORDER BY session, name",
        )?;
        let rows = q.query_map([], node_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets a node, whose sandbox is gone with all its traces.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_node(&self, sandbox: &SandboxId) -> Result<(), StoreError> {
        self.lock().execute("DELETE FROM nodes WHERE sandbox = ?1", [sandbox.as_str()])?;
        Ok(())
    }
}

impl NodeState {
    fn as_str(self) -> &'static str {
        match self {
            NodeState::Starting => "starting",
            NodeState::Running => "running",
            NodeState::Leaving => "leaving",
        }
    }
}

/// Adds a node for each of `images`, with the session's lowest free numbers.
pub(super) fn insert_nodes(
    tx: &Transaction<'_>,
    session: SessionId,
    images: &[String],
    address_of: impl Fn(u32) -> Ipv4Addr,
) -> Result<Vec<NodeRow>, StoreError> {
    let taken: Vec<String> = tx
        .prepare_cached("SELECT name FROM nodes WHERE session = ?1")?
        .query_map([session.to_string()], |r| r.get(0))?
        .collect::<Result<_, _>>()?;
    let mut free = (1..).filter(|n| !taken.iter().any(|t| t == NodeName::nth(*n).as_str()));
    let mut nodes = Vec::new();
    for image in images {
        let number = free.next().ok_or(StoreError::Value("nodes.name"))?;
        let node = NodeRow {
            sandbox: SandboxId::random(),
            session,
            name: NodeName::nth(number),
            range: UidRange(lowest_free(tx, "SELECT range FROM nodes ORDER BY range")?),
            address: address_of(number as u32 - 1),
            image: image.clone(),
            state: NodeState::Starting,
        };
        tx.execute(
            "INSERT INTO nodes (sandbox, session, name, range, address, image, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            rusqlite::params![
                node.sandbox.as_str(),
                node.session.to_string(),
                node.name.as_str(),
                node.range.0,
                node.address.to_string(),
                node.image,
                node.state.as_str(),
            ],
        )?;
        nodes.push(node);
    }
    Ok(nodes)
}

/// Number of all nodes of which a sandbox may be left.
pub(super) fn node_count(tx: &Transaction<'_>) -> Result<u32, StoreError> {
    Ok(tx.query_row("SELECT count(*) FROM nodes", [], |r| r.get(0))?)
}

fn node_row(r: &Row<'_>) -> rusqlite::Result<NodeRow> {
    Ok(NodeRow {
        sandbox: parse(r, 0, SandboxId::parse)?,
        session: parse(r, 1, |s| s.parse().ok().map(SessionId))?,
        name: parse(r, 2, NodeName::parse)?,
        range: UidRange(r.get(3)?),
        address: parse(r, 4, |s| s.parse().ok())?,
        image: r.get(5)?,
        state: parse(r, 6, |s| {
            [NodeState::Starting, NodeState::Running, NodeState::Leaving].into_iter().find(|state| state.as_str() == s)
        })?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Counts, NewSession};

    #[test]
    fn a_session_gets_the_lowest_number_that_no_node_has_and_no_more_nodes_than_it_may_have() {
        let s = Store::open(std::path::Path::new(":memory:")).unwrap();
        let new = NewSession::sample();
        let counts = Counts { max: 9, per_client: 2, per_address: 0, nodes: 6, numbers: 100 };
        let address = |n| Ipv4Addr::new(100, 96, 0, 2 + n as u8);
        let (session, nodes) = s.reserve(&new, counts, &["a".into(), "b".into()], |_, n| address(n)).unwrap().unwrap();
        let add = |limit, in_all| s.reserve_node(session.id, limit, in_all, "c", address).unwrap();
        assert_eq!(add(3, 6), Err(NoNode::Ended), "it does not run yet");
        assert!(s.set_running(session.id).unwrap());
        assert!(s.nodes().unwrap().iter().all(|n| n.state == NodeState::Running));
        let third = add(3, 6).unwrap();
        assert_eq!((third.name.as_str(), third.address, third.state), ("node3", address(2), NodeState::Starting));
        assert_eq!(add(3, 6), Err(NoNode::Session));
        assert_eq!(add(4, 3), Err(NoNode::Full));
        // A node that is leaving keeps its name and its address until it is gone.
        assert!(s.set_node_state(&nodes[0].sandbox, NodeState::Leaving).unwrap());
        assert_eq!(add(9, 9).unwrap().name.as_str(), "node4");
        s.forget_node(&nodes[0].sandbox).unwrap();
        let again = add(9, 9).unwrap();
        assert_eq!((again.name.as_str(), again.address, again.range), ("node1", address(0), nodes[0].range));
    }
}
