//! Shares of sessions, and who came through them.

use rusqlite::{OptionalExtension, Row};

use super::{Store, StoreError, now_ms, sessions::parse};
use crate::session::{GuestId, SessionId, ShareId, ShareKind};

/// A share as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareRow {
    /// Its id.
    pub id: ShareId,
    /// The session that it lets others into.
    pub session: SessionId,
    /// What they may do there.
    pub kind: ShareKind,
    /// SHA-256 of the secret in its link.
    pub secret_hash: Vec<u8>,
    /// What its owner calls it; empty where nobody said.
    pub label: String,
    /// When it was made, in milliseconds since 1970.
    pub made_at: i64,
}

/// A browser that came through a share.
#[derive(Debug, Clone, PartialEq)]
pub struct GuestRow {
    /// Its id.
    pub id: GuestId,
    /// The share.
    pub share: ShareId,
    /// Its number among the session's guests, from 1.
    pub number: u32,
    /// What the guest goes by; empty where nobody said.
    pub name: String,
    /// When it first came, in milliseconds since 1970.
    pub came_at: i64,
}

impl Store {
    /// Keeps a share.
    ///
    /// # Errors
    /// When the database fails, also where the session is not there any more.
    pub fn add_share(&self, share: &ShareRow) -> Result<(), StoreError> {
        self.lock().execute(
            "INSERT INTO shares (id, session, kind, secret_hash, label, made_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            rusqlite::params![
                share.id.0.to_string(),
                share.session.to_string(),
                share.kind.as_str(),
                share.secret_hash,
                share.label,
                share.made_at,
            ],
        )?;
        Ok(())
    }

    /// The shares of a session, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn shares(&self, session: SessionId) -> Result<Vec<ShareRow>, StoreError> {
        let db = self.lock();
        let mut q = db.prepare_cached(
            "SELECT id, session, kind, secret_hash, label, made_at FROM shares WHERE session = ?1 ORDER BY made_at, rowid",
        )?;
        let rows = q.query_map([session.to_string()], share_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets a share and who came through it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn remove_share(&self, id: ShareId) -> Result<(), StoreError> {
        self.lock().execute("DELETE FROM shares WHERE id = ?1", [id.0.to_string()])?;
        Ok(())
    }

    /// Notes that a browser came through a share, and gives what is known of it. Of a session with `most` guests no
    /// further ones are kept.
    ///
    /// # Errors
    /// When the database fails, also where the share is not there any more.
    pub fn note_guest(&self, id: GuestId, share: ShareId, most: u32) -> Result<GuestRow, StoreError> {
        let mut db = self.lock();
        let tx = db.transaction()?;
        let known = tx
            .query_row(
                "SELECT id, share, number, name, came_at FROM guests WHERE id = ?1",
                [id.0.to_string()],
                guest_row,
            )
            .optional()?;
        if let Some(known) = known {
            return Ok(known);
        }
        let (count, last): (u32, u32) = tx.query_row(
            "SELECT count(*), coalesce(max(number), 0) FROM guests
             WHERE share IN (SELECT id FROM shares WHERE session = (SELECT session FROM shares WHERE id = ?1))",
            [share.0.to_string()],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )?;
        let new = GuestRow { id, share, number: last + 1, name: String::new(), came_at: now_ms() };
        if count < most {
            tx.execute(
                "INSERT INTO guests (id, share, number, name, came_at) VALUES (?1, ?2, ?3, '', ?4)",
                (id.0.to_string(), share.0.to_string(), new.number, new.came_at),
            )?;
        }
        tx.commit()?;
        Ok(new)
    }

    /// Remembers what a guest goes by.
    ///
    /// # Errors
    /// When the database fails.
    pub fn name_guest(&self, id: GuestId, name: &str) -> Result<(), StoreError> {
        self.lock().execute("UPDATE guests SET name = ?2 WHERE id = ?1", (id.0.to_string(), name))?;
        Ok(())
    }

    /// Who came through the shares of a session, in that order.
    ///
    /// # Errors
    /// When the database fails.
    pub fn guests(&self, session: SessionId) -> Result<Vec<GuestRow>, StoreError> {
        let db = self.lock();
        let mut q = db.prepare_cached(
            "SELECT id, share, number, name, came_at FROM guests
             WHERE share IN (SELECT id FROM shares WHERE session = ?1) ORDER BY number",
        )?;
        let rows = q.query_map([session.to_string()], guest_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn share_row(r: &Row<'_>) -> rusqlite::Result<ShareRow> {
    Ok(ShareRow {
        id: parse(r, 0, |s| s.parse().ok().map(ShareId))?,
        session: parse(r, 1, |s| s.parse().ok().map(SessionId))?,
        kind: parse(r, 2, ShareKind::parse)?,
        secret_hash: r.get(3)?,
        label: r.get(4)?,
        made_at: r.get(5)?,
    })
}

fn guest_row(r: &Row<'_>) -> rusqlite::Result<GuestRow> {
    Ok(GuestRow {
        id: parse(r, 0, |s| s.parse().ok().map(GuestId))?,
        share: parse(r, 1, |s| s.parse().ok().map(ShareId))?,
        number: r.get(2)?,
        name: r.get(3)?,
        came_at: r.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::{
        session::EndReason,
        store::{Counts, NewSession},
    };

    #[test]
    fn shares_and_guests_are_gone_with_what_they_belong_to() {
        let s = Store::open(std::path::Path::new(":memory:")).unwrap();
        let new = NewSession::sample();
        let counts = Counts { max: 9, per_client: 2, per_address: 0, nodes: 6, numbers: 100 };
        let (_, nodes) = s.reserve(&new, counts, &["a".into()], |_, _| Ipv4Addr::LOCALHOST).unwrap().unwrap();
        let share = |kind| ShareRow {
            id: ShareId::random(),
            session: new.id,
            kind,
            secret_hash: vec![1; 32],
            label: "class".into(),
            made_at: now_ms(),
        };
        let (watch, write) = (share(ShareKind::Watch), share(ShareKind::Type));
        s.add_share(&watch).unwrap();
        s.add_share(&write).unwrap();
        assert_eq!(s.shares(new.id).unwrap(), [watch.clone(), write.clone()]);

        let guest = GuestId::random();
        assert_eq!(s.note_guest(guest, watch.id, 2).unwrap().number, 1);
        assert_eq!(s.note_guest(GuestId::random(), write.id, 2).unwrap().number, 2);
        s.name_guest(guest, "Ada").unwrap();
        assert_eq!(s.note_guest(guest, watch.id, 2).unwrap().name, "Ada", "it is known when it comes again");
        assert_eq!(s.note_guest(GuestId::random(), watch.id, 2).unwrap().number, 3);
        assert_eq!(s.guests(new.id).unwrap().len(), 2, "no more are kept than may be");

        s.remove_share(watch.id).unwrap();
        assert_eq!(s.shares(new.id).unwrap(), [write]);
        assert_eq!(s.guests(new.id).unwrap().len(), 1);
        assert!(s.note_guest(GuestId::random(), watch.id, 9).is_err(), "nobody comes through what is gone");

        s.end_session(new.id, EndReason::Closed).unwrap();
        s.forget_node(&nodes[0].sandbox).unwrap();
        s.purge_ended(now_ms() + 1).unwrap();
        assert!(s.session(new.id).unwrap().is_none() && s.shares(new.id).unwrap().is_empty());
    }
}
