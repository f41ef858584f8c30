//! The store: SQLite, the only state outside the sandboxes' own folders.
//!
//! Statements here take tens of microseconds in WAL mode, less than a hop to another thread would cost, so they run
//! where they are called, under one lock.

mod nodes;
mod outside;
mod ports;
mod progress;
mod sessions;
mod shares;

use std::{path::Path, sync::Mutex, time::Duration};

pub use nodes::{NoNode, NodeRow, NodeState};
pub use outside::{KeyRefused, SecretKind, SshKeyRow};
pub use ports::{PortLinkRow, PortLinkTarget};
pub use progress::{Progress, QuizState};
use rusqlite::{Connection, OptionalExtension};
use rusqlite_migration::{M, Migrations};
pub use sessions::{Counts, NewSession, Refused, SessionRow};
pub use shares::{GuestRow, ShareRow};

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite's own words.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file was made by a newer version, or cannot be brought up to date.
    #[error("database: {0}; a newer boatyard may have written it")]
    Migrate(#[from] rusqlite_migration::Error),
    /// A value that this version cannot read.
    #[error("database: {0} cannot be read")]
    Value(&'static str),
}

/// The store. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Store {
    db: Mutex<Connection>,
}

impl Store {
    /// Opens the database, makes it if there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// When the file is no database, or of a newer version.
    pub fn open(file: &Path) -> Result<Store, StoreError> {
        let mut db = Connection::open(file)?;
        db.busy_timeout(Duration::from_secs(5))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        // A database of an earlier version takes the steps that it lacks; what was released is never changed.
        let steps = vec![
            M::up(include_str!("schema.sql")),
            M::up("ALTER TABLE nodes ADD COLUMN state TEXT NOT NULL DEFAULT 'running'; -- starting, running, leaving"),
            M::up("ALTER TABLE sessions ADD COLUMN stack TEXT; -- what it was started to deploy, as JSON"),
            M::up(include_str!("shares.sql")),
            M::up(outside::SCHEMA),
            M::up(include_str!("ports.sql")),
        ];
        Migrations::new(steps).to_latest(&mut db)?;
        Ok(Store { db: Mutex::new(db) })
    }

    /// A secret of this Boatyard, 64 random bytes, made when it is first asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub fn secret(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let db = self.lock();
        let known = db.query_row("SELECT value FROM secrets WHERE name = ?1", [name], |r| r.get(0)).optional()?;
        if let Some(value) = known {
            return Ok(value);
        }
        let value: Vec<u8> = (0..64).map(|_| rand::random()).collect();
        db.execute("INSERT INTO secrets (name, value) VALUES (?1, ?2)", (name, &value))?;
        Ok(value)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        // A panic elsewhere leaves no half-done statement: SQLite rolls its transaction back.
        self.db.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
