//! Starting a session.

use std::sync::Arc;

use boatyard_protocol::agent::{AgentConfig, OpenTerminal, Tunnel};
use sha2::{Digest, Sha256};
use tracing::{Instrument, info, info_span, warn};

use super::{ClientId, EndReason, Live, Node, PublicName, SessionId, Sessions, State, address};
use crate::{
    agent::AgentClient,
    engine::{EngineError, SandboxSpec},
    image::ImageInfo,
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
    /// With which lab image; the lesson's, or the configured one, where absent.
    pub image: Option<String>,
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
    /// There is no lab image of the name that was asked for.
    #[error("there is no lab image `{0}` here")]
    UnknownImage(String),
    /// There is no lab image of the name that configuration or lesson give.
    #[error("there is no lab image `{0}`; build it with `boatyard image build {0}`")]
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
        let image = self.choose_image(&request)?.name;
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
            numbers: address::capacity(&config.engine),
        };
        let (row, node) = self
            .inner
            .store
            .reserve(&new, counts, &image, |number| address::node(&config.engine, number, 0))?
            .map_err(CreateError::Refused)?;
        if let Err(e) = self.inner.engine.create(&self.spec(&row, &node)).await {
            warn!(session = %row.id, error = %e, "a sandbox could not be made");
            self.inner.store.end_session(row.id, EndReason::Lost)?;
            // Whatever the engine could not undo keeps its numbers until a later `gc` has removed it.
            if self.inner.engine.destroy(&node.sandbox).await.is_ok() {
                self.inner.store.forget_node(&node.sandbox)?;
                self.inner.store.forget_session(row.id)?;
            }
            return Err(e.into());
        }
        if !self.inner.store.set_running(row.id)? {
            self.remove_nodes(row.public_name.clone(), vec![node]);
            return Err(CreateError::Stopping);
        }
        info!(session = %row.id, sandbox = %node.sandbox, "session started");
        let live = self.adopt(SessionRow { state: State::Running, ..row }, &[node]);
        Ok(Created { live, token })
    }

    /// Makes a session that runs known to this server, and begins to watch it.
    pub(super) fn adopt(&self, row: SessionRow, nodes: &[NodeRow]) -> Arc<Live> {
        let nodes = nodes
            .iter()
            .map(|n| {
                let client = AgentClient::new(self.inner.engine.clone(), n.sandbox.clone());
                Arc::new(Node::new(n, client))
            })
            .collect();
        let live = Arc::new(Live::new(row, nodes, self.inner.shutdown.child_token()));
        self.write_live().insert(live.id(), live.clone());
        self.watch(&live);
        live
    }

    pub(super) fn rootfs(&self, image: &str) -> std::path::PathBuf {
        self.inner.paths.images().join(image).join("rootfs")
    }

    fn spec(&self, session: &SessionRow, node: &NodeRow) -> SandboxSpec {
        let config = &self.inner.config;
        // It was there when its session was made; removing it is refused while a session has it.
        let image = self.image(&node.image);
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
            disk: image.as_ref().map_or_else(ImageInfo::usual_disk, |i| i.disk.clone()),
            limits: config.limits.limits(),
            network: address::network(&config.engine, session.network, node.address),
            agent: AgentConfig {
                hostname: node.name.to_string(),
                docker: config.sessions.docker,
                hosts: Vec::new(),
                dns: config.engine.dns.clone(),
                address: Some(node.address),
                user: image.and_then(|i| i.user),
                tunnels: vec![
                    tunnel("registry", 61500, &["127.0.0.2:5000", "127.0.0.1:5000"], &["registry.lab"]),
                    tunnel("catalogue", 61501, &[], &[]),
                ],
                cpus: Some(config.limits.cpus.ceil() as u32),
                terminals: vec![(
                    FIRST_TERMINAL.into(),
                    OpenTerminal { cols: 80, rows: 24, command: Vec::new(), cwd: None },
                )],
            },
        }
    }
}
