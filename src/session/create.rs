//! Starting a session.

use std::sync::Arc;

use boatyard_protocol::agent::{AgentConfig, HostEntry, OpenTerminal, Tunnel};
use futures_util::future::join_all;
use sha2::{Digest, Sha256};
use tracing::{Instrument, info, info_span, warn};

use super::{ClientId, EndReason, Live, PublicName, SessionId, Sessions, address};
use crate::{
    engine::{EngineError, SandboxSpec},
    store::{Counts, NewSession, NodeRow, Refused, SessionRow, StoreError, now_ms},
};

/// Name of a session's first terminal on each node.
pub const FIRST_TERMINAL: &str = "main";

/// What a session is asked for.
#[derive(Debug, Clone)]
pub struct StartRequest {
    /// Who asks.
    pub owner: ClientId,
    /// From which network address.
    pub address: String,
    /// For which course and lesson.
    pub lesson: Option<(String, String)>,
    /// With how many nodes, at least one.
    pub nodes: u32,
}

/// A session that has just been started.
#[derive(Debug)]
pub struct Created {
    /// The session.
    pub live: Arc<Live>,
    /// Its bearer token, which is nowhere kept: 64 hexadecimal digits.
    pub token: String,
}

/// Why a session was not started.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There is no place for it.
    #[error("no place for another session")]
    Refused(Refused),
    /// There is no such lesson.
    #[error("there is no lesson {0}/{1}")]
    NoLesson(String, String),
    /// There is no lab image of the configured name.
    #[error("there is no lab image `{0}`; build it with `boatyard image build`")]
    NoImage(String),
    /// The engine failed; all that was made has been removed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server stops.
    #[error("the server is stopping; try again in a moment")]
    Stopping,
}

impl Sessions {
    /// Starts a session.
    ///
    /// The work goes on when the caller goes away, so that a closed browser leaves nothing half-made.
    ///
    /// # Errors
    /// [`CreateError`]; then nothing is left of it.
    pub async fn start(&self, request: StartRequest) -> Result<Created, CreateError> {
        if self.inner.shutdown.is_cancelled() {
            return Err(CreateError::Stopping);
        }
        if let Some((course, lesson)) = &request.lesson
            && self.inner.library.lesson(course, lesson).is_none()
        {
            return Err(CreateError::NoLesson(course.clone(), lesson.clone()));
        }
        let sessions = self.clone();
        let work = async move { sessions.start_now(request).await }.instrument(info_span!("start_session"));
        self.inner.tasks.spawn(work).await.map_err(|_| CreateError::Stopping)?
    }

    async fn start_now(&self, request: StartRequest) -> Result<Created, CreateError> {
        let config = &self.inner.config;
        let image = config.sessions.image.clone();
        if !self.rootfs(&image).join("etc").is_dir() {
            return Err(CreateError::NoImage(image));
        }
        let token = hex::encode(rand::random::<[u8; 32]>());
        let new = NewSession {
            id: SessionId::random(),
            public_name: PublicName::random(),
            owner: request.owner,
            address: request.address,
            token_hash: Sha256::digest(token.as_bytes()).to_vec(),
            expires_at: now_ms() + config.sessions.duration.as_millis() as i64,
            extensions: config.sessions.extensions,
            lesson: request.lesson,
        };
        let counts = Counts {
            max: config.sessions.max,
            per_client: config.sessions.per_client,
            per_address: config.sessions.per_address,
            nodes: config.sessions.max_nodes,
            numbers: address::capacity(&config.engine),
        };
        let images = vec![image; request.nodes as usize];
        let (row, nodes) = {
            let mut making = self.inner.making.lock();
            let place =
                self.inner.store.reserve(&new, counts, &images, |net, n| address::node(&config.engine, net, n))?;
            let (row, nodes) = place.map_err(CreateError::Refused)?;
            making.extend(nodes.iter().map(|n| n.sandbox.clone()));
            (row, nodes)
        };
        let started = self.make_all(&row, &nodes).await;
        let mut making = self.inner.making.lock();
        for node in &nodes {
            making.remove(&node.sandbox);
        }
        started?;
        info!(session = %row.id, nodes = nodes.len(), "session started");
        let live = self.adopt(row, &nodes);
        drop(making);
        Ok(Created { live, token })
    }

    /// Makes all sandboxes of a new session, or none.
    async fn make_all(&self, row: &SessionRow, nodes: &[NodeRow]) -> Result<(), CreateError> {
        let made = join_all(nodes.iter().map(|node| async {
            let others: Vec<_> = nodes.iter().filter(|n| n.name != node.name).map(entry).collect();
            self.inner.engine.create(&self.spec(row, node, &others)).await
        }))
        .await;
        let failed = made.into_iter().find_map(Result::err);
        if failed.is_none() && self.inner.store.set_running(row.id)? {
            return Ok(());
        }
        self.inner.store.end_session(row.id, EndReason::Lost)?;
        for node in nodes {
            self.discard(node).await?;
        }
        // Stays where something is left of one of its nodes.
        self.inner.store.forget_session(row.id)?;
        let Some(e) = failed else { return Err(CreateError::Stopping) };
        warn!(session = %row.id, error = %e, "a session could not be made");
        Err(e.into())
    }

    pub(super) fn rootfs(&self, image: &str) -> std::path::PathBuf {
        self.inner.paths.images().join(image).join("rootfs")
    }

    pub(super) fn spec(&self, session: &SessionRow, node: &NodeRow, others: &[HostEntry]) -> SandboxSpec {
        let config = &self.inner.config;
        let tunnel = |service: &str, port, aliases: &[&str], names: &[&str]| Tunnel {
            service: service.into(),
            port,
            aliases: aliases.iter().filter_map(|a| a.parse().ok()).collect(),
            names: names.iter().map(|n| (*n).to_owned()).collect(),
        };
        SandboxSpec {
            id: node.sandbox.clone(),
            range: node.range,
            rootfs: self.rootfs(&node.image),
            limits: config.limits.limits(),
            network: address::network(&config.engine, session.network, node.address),
            agent: AgentConfig {
                hostname: node.name.to_string(),
                docker: config.sessions.docker,
                hosts: others.to_vec(),
                dns: config.engine.dns.clone(),
                address: Some(node.address),
                tunnels: vec![
                    tunnel("registry", 61500, &["127.0.0.2:5000", "127.0.0.1:5000"], &["registry.lab"]),
                    tunnel("catalogue", 61501, &[], &[]),
                ],
                cpus: Some(config.limits.cpus.ceil() as u32),
                ssh: self.ssh_keys(session.id),
                terminals: vec![(
                    FIRST_TERMINAL.into(),
                    OpenTerminal { cols: 80, rows: 24, command: Vec::new(), cwd: None },
                )],
            },
        }
    }
}

fn entry(node: &NodeRow) -> HostEntry {
    HostEntry { address: node.address.into(), names: vec![node.name.to_string()] }
}
