//! What opens a session from outside: public keys, one-time passwords, tokens of `boatyard forward`.

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError, now_ms};
use crate::session::SessionId;

/// The migration that makes its tables.
pub(super) const SCHEMA: &str = "
-- Ids are never used again: connections are known by that of their key.
CREATE TABLE ssh_keys (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    session  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    key      TEXT NOT NULL,                       -- algorithm and key as authorized_keys has them, without a comment
    name     TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    UNIQUE (session, key)
) STRICT;
CREATE TABLE outside_secrets (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    session    TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,                     -- ssh-password, forward-token
    digest     BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outside_secrets_by_session ON outside_secrets (session);
";

/// A public key that opens a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshKeyRow {
    /// Its number, unique for good.
    pub id: i64,
    /// Algorithm and key as a line of authorized_keys has them, without a comment.
    pub key: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was added, in milliseconds since 1970.
    pub added_at: i64,
}

/// Why a key was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRefused {
    /// The session has it already.
    Known,
    /// The session has as many as it may have.
    TooMany,
}

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// One sign-in by ssh.
    SshPassword,
    /// Raw TCP of `boatyard forward`.
    ForwardToken,
}

impl SecretKind {
    fn as_str(self) -> &'static str {
        match self {
            SecretKind::SshPassword => "ssh-password",
            SecretKind::ForwardToken => "forward-token",
        }
    }
}

impl Store {
    /// The keys of a session, in order of adding.
    ///
    /// # Errors
    /// When the database fails.
    pub fn ssh_keys(&self, session: SessionId) -> Result<Vec<SshKeyRow>, StoreError> {
        let db = self.lock();
        let mut q = db.prepare_cached("SELECT id, key, name, added_at FROM ssh_keys WHERE session = ?1 ORDER BY id")?;
        let row = |r: &rusqlite::Row<'_>| {
            Ok(SshKeyRow { id: r.get(0)?, key: r.get(1)?, name: r.get(2)?, added_at: r.get(3)? })
        };
        let rows = q.query_map([session.to_string()], row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Adds a key to a session that has fewer than `most`.
    ///
    /// # Errors
    /// When the database fails. The inner result says why it was not added.
    pub fn add_ssh_key(
        &self,
        session: SessionId,
        key: &str,
        name: &str,
        most: u32,
    ) -> Result<Result<SshKeyRow, KeyRefused>, StoreError> {
        let mut db = self.lock();
        let tx = db.transaction()?;
        let id = session.to_string();
        let known = tx
            .query_row("SELECT 1 FROM ssh_keys WHERE session = ?1 AND key = ?2", params![id, key], |_| Ok(()))
            .optional()?;
        if known.is_some() {
            return Ok(Err(KeyRefused::Known));
        }
        let has: u32 = tx.query_row("SELECT count(*) FROM ssh_keys WHERE session = ?1", [&id], |r| r.get(0))?;
        if has >= most {
            return Ok(Err(KeyRefused::TooMany));
        }
        let added_at = now_ms();
        tx.execute(
            "INSERT INTO ssh_keys (session, key, name, added_at) VALUES (?1, ?2, ?3, ?4)",
            params![id, key, name, added_at],
        )?;
        let row = SshKeyRow { id: tx.last_insert_rowid(), key: key.to_owned(), name: name.to_owned(), added_at };
        tx.commit()?;
        Ok(Ok(row))
    }

    /// Removes a key; whether the session had it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn remove_ssh_key(&self, session: SessionId, id: i64) -> Result<bool, StoreError> {
        let n = self
            .lock()
            .execute("DELETE FROM ssh_keys WHERE session = ?1 AND id = ?2", params![session.to_string(), id])?;
        Ok(n == 1)
    }

    /// Keeps a secret's digest until it expires; of one kind a session has `most`, and the oldest goes.
    ///
    /// # Errors
    /// When the database fails.
    pub fn add_secret(
        &self,
        session: SessionId,
        kind: SecretKind,
        digest: &[u8],
        expires_at: i64,
        most: u32,
    ) -> Result<(), StoreError> {
        let mut db = self.lock();
        let tx = db.transaction()?;
        let id = session.to_string();
        tx.execute("DELETE FROM outside_secrets WHERE session = ?1 AND expires_at <= ?2", params![id, now_ms()])?;
        tx.execute(
            "INSERT INTO outside_secrets (session, kind, digest, expires_at) VALUES (?1, ?2, ?3, ?4)",
            params![id, kind.as_str(), digest, expires_at],
        )?;
        tx.execute(
            "DELETE FROM outside_secrets WHERE session = ?1 AND kind = ?2 AND id NOT IN
                 (SELECT id FROM outside_secrets WHERE session = ?1 AND kind = ?2 ORDER BY id DESC LIMIT ?3)",
            params![id, kind.as_str(), most],
        )?;
        tx.commit()?;
        Ok(())
    }

    /// The secrets of a session that are good now: number and digest. The caller compares, in constant time.
    ///
    /// # Errors
    /// When the database fails.
    pub fn secrets(&self, session: SessionId, kind: SecretKind) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let db = self.lock();
        let mut q = db.prepare_cached(
            "SELECT id, digest FROM outside_secrets WHERE session = ?1 AND kind = ?2 AND expires_at > ?3",
        )?;
        let rows =
            q.query_map(params![session.to_string(), kind.as_str(), now_ms()], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Uses a secret up: `true` for exactly one caller.
    ///
    /// # Errors
    /// When the database fails.
    pub fn use_secret(&self, id: i64) -> Result<bool, StoreError> {
        Ok(self
            .lock()
            .execute("DELETE FROM outside_secrets WHERE id = ?1 AND expires_at > ?2", params![id, now_ms()])?
            == 1)
    }
}
