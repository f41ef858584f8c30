//! What is known of one node's ports: which host name applications see, the links that share them, and the connections
//! that are kept.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

use super::pool::Pool;
use crate::{
    engine::SandboxId,
    store::{PortLinkRow, Store, StoreError, now_ms},
};

/// Most links of one node.
const MOST_LINKS: usize = 64;
/// Most ports of one node with a host name other than the usual one.
const MOST_HOSTS: usize = 256;
/// Most requests and open streams to one node's ports at one time.
const MOST_STREAMS: usize = 512;

/// Which host name an application sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SeenHost {
    /// That which the browser asked for: links, redirects and cookies that the application makes of it are right.
    #[default]
    Original,
    /// `localhost:<port>`, for those that refuse names that they do not know.
    Localhost,
}

impl SeenHost {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            SeenHost::Original => "original",
            SeenHost::Localhost => "localhost",
        }
    }

    /// Reads it back.
    pub fn parse(s: &str) -> Option<SeenHost> {
        [SeenHost::Original, SeenHost::Localhost].into_iter().find(|h| h.as_str() == s)
    }
}

/// Why something about a port was not kept.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The node has as many as it may have.
    #[error("This node has {0} links, as many as it may have. Revoke one first")]
    TooManyLinks(usize),
    /// So many ports are set already.
    #[error("This node has {0} ports that are set, as many as it may have. Set one back first")]
    TooManyHosts(usize),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A link that shares a port.
#[derive(Debug)]
pub struct Link {
    /// Its id, which opens nothing.
    pub id: Uuid,
    /// The port.
    pub port: u16,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// Cancelled when it is revoked: what was opened with it ends.
    pub revoked: CancellationToken,
}

impl Link {
    fn of(row: &PortLinkRow) -> Arc<Link> {
        let revoked = CancellationToken::new();
        Arc::new(Link { id: row.id, port: row.port, created_at: row.created_at, revoked })
    }
}

/// What is known of one node's ports.
pub struct NodePorts {
    sandbox: SandboxId,
    /// Kept connections to its applications.
    pub pool: Pool,
    streams: Arc<Semaphore>,
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    hosts: BTreeMap<u16, SeenHost>,
    links: Vec<Arc<Link>>,
}

impl NodePorts {
    /// Reads what the store has of a sandbox.
    ///
    /// # Errors
    /// When the store fails.
    pub fn load(store: &Store, sandbox: &SandboxId) -> Result<NodePorts, StoreError> {
        let known = Known {
            hosts: store.port_hosts(sandbox)?.into_iter().collect(),
            links: store.port_links(sandbox)?.iter().map(Link::of).collect(),
        };
        Ok(NodePorts {
            sandbox: sandbox.clone(),
            pool: Pool::default(),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            known: RwLock::new(known),
        })
    }

    /// A place for one more request or stream; none where there are too many.
    pub fn stream(&self) -> Option<OwnedSemaphorePermit> {
        self.streams.clone().try_acquire_owned().ok()
    }

    /// The host name that the application on `port` sees.
    pub fn host(&self, port: u16) -> SeenHost {
        self.read().hosts.get(&port).copied().unwrap_or_default()
    }

    /// The ports whose applications see another host name than the usual one.
    pub fn hosts(&self) -> Vec<(u16, SeenHost)> {
        self.read().hosts.iter().map(|(port, host)| (*port, *host)).collect()
    }

    /// Chooses the host name that the application on `port` sees, from the next request on.
    ///
    /// # Errors
    /// [`PortError`].
    pub fn set_host(&self, store: &Store, port: u16, host: SeenHost) -> Result<(), PortError> {
        let mut known = self.write();
        if host == SeenHost::default() {
            store.set_port_host(&self.sandbox, port, host)?;
            known.hosts.remove(&port);
            return Ok(());
        }
        if known.hosts.len() >= MOST_HOSTS && !known.hosts.contains_key(&port) {
            return Err(PortError::TooManyHosts(known.hosts.len()));
        }
        store.set_port_host(&self.sandbox, port, host)?;
        known.hosts.insert(port, host);
        Ok(())
    }

    /// Its links, oldest first.
    pub fn links(&self) -> Vec<Arc<Link>> {
        self.read().links.clone()
    }

    /// The link of this id to `port`, while it is not revoked.
    pub fn link(&self, id: Uuid, port: u16) -> Option<Arc<Link>> {
        self.read().links.iter().find(|l| l.id == id && l.port == port).cloned()
    }

    /// Makes a link that shares `port`, and the key that opens it, which is told this once.
    ///
    /// # Errors
    /// [`PortError`].
    pub fn share(&self, store: &Store, port: u16) -> Result<(Arc<Link>, String), PortError> {
        let mut known = self.write();
        if known.links.len() >= MOST_LINKS {
            return Err(PortError::TooManyLinks(known.links.len()));
        }
        let key = hex::encode(rand::random::<[u8; 20]>());
        let row = PortLinkRow { id: Uuid::new_v4(), sandbox: self.sandbox.clone(), port, created_at: now_ms() };
        store.add_port_link(&row, &key_hash(&key))?;
        let link = Link::of(&row);
        known.links.push(link.clone());
        Ok((link, key))
    }

    /// Revokes a link: from now on neither it nor a cookie that it gave opens anything, and what is open with it ends.
    /// `false` where there is no such link.
    ///
    /// # Errors
    /// When the store fails; then the link is still good.
    pub fn revoke(&self, store: &Store, id: Uuid, port: u16) -> Result<bool, StoreError> {
        let mut known = self.write();
        let Some(at) = known.links.iter().position(|l| l.id == id && l.port == port) else { return Ok(false) };
        store.remove_port_link(id)?;
        known.links.remove(at).revoked.cancel();
        Ok(true)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the store keeps of a link's key.
pub fn key_hash(key: &str) -> Vec<u8> {
    Sha256::digest(key.as_bytes()).to_vec()
}
