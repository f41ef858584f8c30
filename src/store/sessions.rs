//! Sessions and their nodes.

use std::net::Ipv4Addr;

use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior};

use super::{
    NodeRow, Store, StoreError,
    nodes::{insert_nodes, node_count},
    now_ms,
};
use crate::session::{ClientId, EndReason, PublicName, SessionId, State};

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// Its public name.
    pub public_name: PublicName,
    /// The browser that started it.
    pub owner: ClientId,
    /// SHA-256 of its bearer token.
    pub token_hash: Vec<u8>,
    /// Number of its private network.
    pub network: u16,
    /// Where it is in its life.
    pub state: State,
    /// When it was started, in milliseconds since 1970.
    pub created_at: i64,
    /// When it ends, in milliseconds since 1970.
    pub expires_at: i64,
    /// How often it can still be extended.
    pub extensions_left: u32,
    /// The course and lesson that it was started for.
    pub lesson: Option<(String, String)>,
}

/// What is known of a session before it has a place.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Its public name.
    pub public_name: PublicName,
    /// The browser that starts it.
    pub owner: ClientId,
    /// The network address it comes from.
    pub address: String,
    /// SHA-256 of its bearer token.
    pub token_hash: Vec<u8>,
    /// When it ends, in milliseconds since 1970.
    pub expires_at: i64,
    /// How often it can be extended.
    pub extensions: u32,
    /// The course and lesson that it is started for.
    pub lesson: Option<(String, String)>,
}

#[cfg(test)]
impl NewSession {
    /// A session to try the store with: a minute long.
    pub(super) fn sample() -> NewSession {
        NewSession {
            id: SessionId::random(),
            public_name: PublicName::random(),
            owner: ClientId::random(),
            address: "127.0.0.1".into(),
            token_hash: vec![0; 32],
            expires_at: now_ms() + 60_000,
            extensions: 1,
            lesson: None,
        }
    }
}

/// How many sessions there may be, and how many sandboxes and networks the host has room to number.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Most sessions.
    pub max: u32,
    /// Most sessions of one client.
    pub per_client: u32,
    /// Most sessions of one network address; 0: no limit.
    pub per_address: u32,
    /// Most nodes of all sessions together.
    pub nodes: u32,
    /// User-id ranges and networks, each numbered from 0.
    pub numbers: u32,
}

/// Why there is no place for another session.
#[derive(Debug, Clone, PartialEq)]
pub enum Refused {
    /// All places are taken.
    Full {
        /// Sessions that run now.
        running: u32,
        /// When the first of them ends, in milliseconds since 1970.
        next_end: Option<i64>,
    },
    /// The client has as many as it may have: these.
    Client(Vec<SessionId>),
    /// The network address has as many as it may have.
    Address,
}

impl Store {
    /// Takes a place for a session and its nodes, one for each of `images`, all or nothing. `address_of` tells a node's
    /// address from its network's number and its own, counted from 0.
    ///
    /// # Errors
    /// When the database fails. The inner result says that there is no place.
    pub fn reserve(
        &self,
        new: &NewSession,
        counts: Counts,
        images: &[String],
        address_of: impl Fn(u16, u32) -> Ipv4Addr,
    ) -> Result<Result<(SessionRow, Vec<NodeRow>), Refused>, StoreError> {
        let mut db = self.lock();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(refused) = refuse(&tx, new, counts, images.len() as u32)? {
            return Ok(Err(refused));
        }
        let network = lowest_free(
            &tx,
            "SELECT DISTINCT network FROM sessions WHERE state != 'ended' OR id IN (SELECT session FROM nodes) ORDER BY network",
        )?;
        let session = SessionRow {
            id: new.id,
            public_name: new.public_name.clone(),
            owner: new.owner,
            token_hash: new.token_hash.clone(),
            network: u16::try_from(network).map_err(|_| StoreError::Value("sessions.network"))?,
            state: State::Starting,
            created_at: now_ms(),
            expires_at: new.expires_at,
            extensions_left: new.extensions,
            lesson: new.lesson.clone(),
        };
        tx.execute(
            "INSERT INTO sessions (id, public_name, owner, address, token_hash, network, state, created_at, expires_at,
                                   extensions_left, course, lesson)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'starting', ?7, ?8, ?9, ?10, ?11)",
            rusqlite::params![
                new.id.to_string(),
                new.public_name.as_str(),
                new.owner.0.to_string(),
                new.address,
                new.token_hash,
                session.network,
                session.created_at,
                session.expires_at,
                session.extensions_left,
                new.lesson.as_ref().map(|l| &l.0),
                new.lesson.as_ref().map(|l| &l.1),
            ],
        )?;
        let nodes = insert_nodes(&tx, new.id, images, |n| address_of(session.network, n))?;
        tx.commit()?;
        Ok(Ok((session, nodes)))
    }

    /// Forgets a session that never came to be, unless a sandbox of it may be left.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.lock().execute(
            "DELETE FROM sessions WHERE id = ?1 AND id NOT IN (SELECT session FROM nodes)",
            [id.to_string()],
        )?;
        Ok(())
    }

    /// Marks a session and its nodes as running, unless it has ended meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub fn set_running(&self, id: SessionId) -> Result<bool, StoreError> {
        let mut db = self.lock();
        let tx = db.transaction()?;
        let n =
            tx.execute("UPDATE sessions SET state = 'running' WHERE id = ?1 AND state = 'starting'", [id.to_string()])?;
        tx.execute("UPDATE nodes SET state = 'running' WHERE session = ?1 AND state = 'starting'", [id.to_string()])?;
        tx.commit()?;
        Ok(n == 1)
    }

    /// Keeps what a session was started to deploy.
    ///
    /// # Errors
    /// When the database fails.
    pub fn set_stack(&self, id: SessionId, stack: &str) -> Result<(), StoreError> {
        self.lock().execute("UPDATE sessions SET stack = ?2 WHERE id = ?1", (id.to_string(), stack))?;
        Ok(())
    }

    /// What a session was started to deploy.
    ///
    /// # Errors
    /// When the database fails.
    pub fn stack(&self, id: SessionId) -> Result<Option<String>, StoreError> {
        let stack = self.lock().query_row("SELECT stack FROM sessions WHERE id = ?1", [id.to_string()], |r| r.get(0));
        Ok(stack.optional()?.flatten())
    }

    /// Ends a session; `false` if it had ended before.
    ///
    /// # Errors
    /// When the database fails.
    pub fn end_session(&self, id: SessionId, reason: EndReason) -> Result<bool, StoreError> {
        let n = self.lock().execute(
            "UPDATE sessions SET state = 'ended', end_reason = ?2, expires_at = min(expires_at, ?3)
             WHERE id = ?1 AND state != 'ended'",
            (id.to_string(), reason.as_str(), now_ms()),
        )?;
        Ok(n == 1)
    }

    /// Adds time to a running session and takes one of its extensions; `None` if it has none left or has ended.
    ///
    /// # Errors
    /// When the database fails.
    pub fn extend_session(&self, id: SessionId, by_ms: i64) -> Result<Option<SessionRow>, StoreError> {
        let n = self.lock().execute(
            "UPDATE sessions SET expires_at = expires_at + ?2, extensions_left = extensions_left - 1
             WHERE id = ?1 AND state = 'running' AND extensions_left > 0",
            (id.to_string(), by_ms),
        )?;
        if n == 1 { self.session(id) } else { Ok(None) }
    }

    /// Forgets sessions that ended before `before` (milliseconds since 1970) and whose nodes are gone.
    ///
    /// # Errors
    /// When the database fails.
    pub fn purge_ended(&self, before: i64) -> Result<(), StoreError> {
        self.lock().execute(
            "DELETE FROM sessions WHERE state = 'ended' AND expires_at < ?1 AND id NOT IN (SELECT session FROM nodes)",
            [before],
        )?;
        Ok(())
    }

    /// A session by its id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn session(&self, id: SessionId) -> Result<Option<SessionRow>, StoreError> {
        Ok(self
            .lock()
            .query_row(&format!("SELECT {SESSION} FROM sessions WHERE id = ?1"), [id.to_string()], session_row)
            .optional()?)
    }

    /// The sessions that have not ended, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn living_sessions(&self) -> Result<Vec<SessionRow>, StoreError> {
        let db = self.lock();
        let mut q =
            db.prepare_cached(&format!("SELECT {SESSION} FROM sessions WHERE state != 'ended' ORDER BY created_at"))?;
        let rows = q.query_map([], session_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn refuse(tx: &Transaction<'_>, new: &NewSession, counts: Counts, nodes: u32) -> Result<Option<Refused>, StoreError> {
    let mine: Vec<SessionId> = tx
        .prepare_cached("SELECT id FROM sessions WHERE owner = ?1 AND state != 'ended' ORDER BY created_at")?
        .query_map([new.owner.0.to_string()], |r| parse(r, 0, |s| s.parse().ok().map(SessionId)))?
        .collect::<Result<_, _>>()?;
    if mine.len() as u32 >= counts.per_client {
        return Ok(Some(Refused::Client(mine)));
    }
    if counts.per_address > 0 {
        let n: u32 = tx.query_row(
            "SELECT count(*) FROM sessions WHERE address = ?1 AND state != 'ended'",
            [&new.address],
            |r| r.get(0),
        )?;
        if n >= counts.per_address {
            return Ok(Some(Refused::Address));
        }
    }
    let (running, next_end): (u32, Option<i64>) =
        tx.query_row("SELECT count(*), min(expires_at) FROM sessions WHERE state != 'ended'", [], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })?;
    let sandboxes = node_count(tx)? + nodes;
    if running >= counts.max || sandboxes > counts.nodes || sandboxes > counts.numbers {
        return Ok(Some(Refused::Full { running, next_end }));
    }
    Ok(None)
}

/// The lowest number from 0 that an ascending list of numbers lacks.
pub(super) fn lowest_free(tx: &Transaction<'_>, ascending: &str) -> Result<u32, StoreError> {
    let mut q = tx.prepare_cached(ascending)?;
    let mut rows = q.query([])?;
    let mut free = 0;
    while let Some(row) = rows.next()? {
        if row.get::<_, u32>(0)? != free {
            break;
        }
        free += 1;
    }
    Ok(free)
}

const SESSION: &str = "id, public_name, owner, token_hash, network, state, end_reason, created_at, expires_at, \
                       extensions_left, course, lesson";

fn session_row(r: &Row<'_>) -> rusqlite::Result<SessionRow> {
    let reason: Option<String> = r.get(6)?;
    Ok(SessionRow {
        id: parse(r, 0, |s| s.parse().ok().map(SessionId))?,
        public_name: parse(r, 1, PublicName::parse)?,
        owner: parse(r, 2, |s| s.parse().ok().map(ClientId))?,
        token_hash: r.get(3)?,
        network: r.get(4)?,
        state: parse(r, 5, |s| match s {
            "starting" => Some(State::Starting),
            "running" => Some(State::Running),
            _ => Some(State::Ended(reason.as_deref().and_then(EndReason::parse).unwrap_or(EndReason::Lost))),
        })?,
        created_at: r.get(7)?,
        expires_at: r.get(8)?,
        extensions_left: r.get(9)?,
        lesson: r.get::<_, Option<String>>(10)?.zip(r.get(11)?),
    })
}

pub(super) fn parse<T>(r: &Row<'_>, column: usize, read: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = r.get(column)?;
    read(&text).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, format!("{text:?}").into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::UidRange;

    fn store() -> Store {
        Store::open(std::path::Path::new(":memory:")).unwrap()
    }

    fn reserve(s: &Store, owner: ClientId, max: u32) -> Result<(SessionRow, NodeRow), Refused> {
        reserve_nodes(s, owner, max, 1).map(|(session, mut nodes)| (session, nodes.remove(0)))
    }

    fn reserve_nodes(s: &Store, owner: ClientId, max: u32, n: usize) -> Result<(SessionRow, Vec<NodeRow>), Refused> {
        let new = NewSession {
            id: SessionId::random(),
            public_name: PublicName::random(),
            owner,
            address: "127.0.0.1".into(),
            token_hash: vec![0; 32],
            expires_at: now_ms() + 60_000,
            extensions: 1,
            lesson: None,
        };
        let counts = Counts { max, per_client: 2, per_address: 0, nodes: 6, numbers: 100 };
        s.reserve(&new, counts, &vec!["default".into(); n], |n, i| Ipv4Addr::new(100, 96, n as u8, 2 + i as u8))
            .unwrap()
    }

    #[test]
    fn numbers_are_the_lowest_free_and_come_back_only_when_the_sandbox_is_gone() {
        let s = store();
        let rows: Vec<_> = (0..3).map(|_| reserve(&s, ClientId::random(), 9).unwrap()).collect();
        assert_eq!(rows.iter().map(|r| (r.1.range.0, r.0.network)).collect::<Vec<_>>(), [(0, 0), (1, 1), (2, 2)]);
        assert!(s.end_session(rows[1].0.id, EndReason::Closed).unwrap());
        assert!(!s.end_session(rows[1].0.id, EndReason::Expired).unwrap(), "it ends once");
        assert_eq!(reserve(&s, ClientId::random(), 9).unwrap().1.range, UidRange(3));
        s.forget_node(&rows[1].1.sandbox).unwrap();
        let again = reserve(&s, ClientId::random(), 9).unwrap();
        assert_eq!((again.1.range.0, again.0.network), (1, 1));
        assert_eq!(s.session(rows[1].0.id).unwrap().unwrap().state, State::Ended(EndReason::Closed));
    }

    #[test]
    fn limits_are_told_apart() {
        let s = store();
        let me = ClientId::random();
        let first = reserve(&s, me, 3).unwrap();
        let second = reserve(&s, me, 3).unwrap();
        assert_eq!(reserve(&s, me, 3), Err(Refused::Client(vec![first.0.id, second.0.id])));
        reserve(&s, ClientId::random(), 3).unwrap();
        assert!(matches!(reserve(&s, ClientId::random(), 3), Err(Refused::Full { running: 3, next_end: Some(_) })));
    }

    #[test]
    fn extensions_run_out() {
        let s = store();
        let (row, _) = reserve(&s, ClientId::random(), 3).unwrap();
        assert_eq!(s.extend_session(row.id, 1000).unwrap(), None, "not running yet");
        assert!(s.set_running(row.id).unwrap());
        let longer = s.extend_session(row.id, 1000).unwrap().unwrap();
        assert_eq!((longer.expires_at, longer.extensions_left), (row.expires_at + 1000, 0));
        assert_eq!(s.extend_session(row.id, 1000).unwrap(), None);
    }

    #[test]
    fn a_secret_stays_the_same() {
        let s = store();
        assert_eq!(s.secret("cookies").unwrap(), s.secret("cookies").unwrap());
        assert_ne!(s.secret("cookies").unwrap(), s.secret("tickets").unwrap());
    }
}
