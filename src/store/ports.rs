//! What is kept of published ports: the host names that applications see, and links that share a port.

use rusqlite::{OptionalExtension, Row};
use uuid::Uuid;

use super::{Store, StoreError, sessions::parse};
use crate::{
    engine::SandboxId,
    ports::SeenHost,
    session::{NodeName, SessionId},
};

/// A link that shares a port, as it is stored. Its key is not: only the key's hash is.
#[derive(Debug, Clone, PartialEq)]
pub struct PortLinkRow {
    /// Its id, which opens nothing.
    pub id: Uuid,
    /// The sandbox that the port is in.
    pub sandbox: SandboxId,
    /// The port.
    pub port: u16,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq)]
pub struct PortLinkTarget {
    /// The link's id.
    pub id: Uuid,
    /// The session.
    pub session: SessionId,
    /// The node.
    pub node: NodeName,
    /// The port.
    pub port: u16,
}

impl Store {
    /// The ports of a sandbox whose applications see another host name than the usual one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn port_hosts(&self, sandbox: &SandboxId) -> Result<Vec<(u16, SeenHost)>, StoreError> {
        let db = self.lock();
        let mut q = db.prepare_cached("SELECT port, host FROM port_hosts WHERE sandbox = ?1 ORDER BY port")?;
        let rows = q.query_map([sandbox.as_str()], |r| Ok((r.get(0)?, parse(r, 1, SeenHost::parse)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps which host name the application on a port sees; the usual one needs no row.
    ///
    /// # Errors
    /// When the database fails, or the sandbox is gone.
    pub fn set_port_host(&self, sandbox: &SandboxId, port: u16, host: SeenHost) -> Result<(), StoreError> {
        let db = self.lock();
        if host == SeenHost::default() {
            db.execute("DELETE FROM port_hosts WHERE sandbox = ?1 AND port = ?2", (sandbox.as_str(), port))?;
        } else {
            db.execute(
                "INSERT INTO port_hosts (sandbox, port, host) VALUES (?1, ?2, ?3)
                 ON CONFLICT (sandbox, port) DO UPDATE SET host = excluded.host",
                (sandbox.as_str(), port, host.as_str()),
            )?;
        }
        Ok(())
    }

    /// The links that share ports of a sandbox, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn port_links(&self, sandbox: &SandboxId) -> Result<Vec<PortLinkRow>, StoreError> {
        let db = self.lock();
        let mut q = db.prepare_cached(
            "SELECT id, sandbox, port, created_at FROM port_links WHERE sandbox = ?1 ORDER BY created_at, id",
        )?;
        let rows = q.query_map([sandbox.as_str()], |r| {
            Ok(PortLinkRow {
                id: id(r, 0)?,
                sandbox: parse(r, 1, SandboxId::parse)?,
                port: r.get(2)?,
                created_at: r.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps a link; `key_hash` is the SHA-256 of what opens it.
    ///
    /// # Errors
    /// When the database fails, or the sandbox is gone.
    pub fn add_port_link(&self, link: &PortLinkRow, key_hash: &[u8]) -> Result<(), StoreError> {
        self.lock().execute(
            "INSERT INTO port_links (id, sandbox, port, key_hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            (link.id.to_string(), link.sandbox.as_str(), link.port, key_hash, link.created_at),
        )?;
        Ok(())
    }

    /// Forgets a link.
    ///
    /// # Errors
    /// When the database fails.
    pub fn remove_port_link(&self, link: Uuid) -> Result<(), StoreError> {
        self.lock().execute("DELETE FROM port_links WHERE id = ?1", [link.to_string()])?;
        Ok(())
    }

    /// Where the link leads whose key has this SHA-256.
    ///
    /// # Errors
    /// When the database fails.
    pub fn port_link_by_key(&self, key_hash: &[u8]) -> Result<Option<PortLinkTarget>, StoreError> {
        Ok(self
            .lock()
            .query_row(
                "SELECT l.id, n.session, n.name, l.port FROM port_links l JOIN nodes n ON n.sandbox = l.sandbox
                 WHERE l.key_hash = ?1",
                [key_hash],
                |r| {
                    Ok(PortLinkTarget {
                        id: id(r, 0)?,
                        session: parse(r, 1, |s| s.parse().ok().map(SessionId))?,
                        node: parse(r, 2, NodeName::parse)?,
                        port: r.get(3)?,
                    })
                },
            )
            .optional()?)
    }
}

fn id(r: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    parse(r, column, |s| s.parse().ok())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::store::{Counts, NewSession};

    fn with_node() -> (Store, SandboxId) {
        let s = Store::open(std::path::Path::new(":memory:")).unwrap();
        let new = NewSession::sample();
        let counts = Counts { max: 9, per_client: 9, per_address: 0, nodes: 9, numbers: 9 };
        let images = ["default".to_owned()];
        let (_, nodes) = s.reserve(&new, counts, &images, |_, _| Ipv4Addr::new(100, 96, 0, 2)).unwrap().unwrap();
        let sandbox = nodes[0].sandbox.clone();
        (s, sandbox)
    }

    #[test]
    fn a_port_keeps_its_host_name_and_its_links_until_its_sandbox_goes() {
        let (s, sandbox) = with_node();
        s.set_port_host(&sandbox, 8080, SeenHost::Localhost).unwrap();
        assert_eq!(s.port_hosts(&sandbox).unwrap(), [(8080, SeenHost::Localhost)]);
        s.set_port_host(&sandbox, 8080, SeenHost::Original).unwrap();
        assert_eq!(s.port_hosts(&sandbox).unwrap(), []);
        s.set_port_host(&sandbox, 80, SeenHost::Localhost).unwrap();

        let link = PortLinkRow { id: Uuid::new_v4(), sandbox: sandbox.clone(), port: 65535, created_at: 5 };
        s.add_port_link(&link, &[7; 32]).unwrap();
        assert_eq!(s.port_links(&sandbox).unwrap(), std::slice::from_ref(&link));
        let target = s.port_link_by_key(&[7; 32]).unwrap().unwrap();
        assert_eq!((target.id, target.port, target.node.as_str()), (link.id, 65535, "node1"));
        assert_eq!(s.port_link_by_key(&[8; 32]).unwrap(), None);
        s.remove_port_link(link.id).unwrap();
        assert_eq!(s.port_link_by_key(&[7; 32]).unwrap(), None);

        s.add_port_link(&link, &[7; 32]).unwrap();
        s.forget_node(&sandbox).unwrap();
        assert_eq!((s.port_links(&sandbox).unwrap(), s.port_hosts(&sandbox).unwrap()), (vec![], vec![]));
        assert!(s.add_port_link(&link, &[7; 32]).is_err(), "of a sandbox that is gone");
    }
}
