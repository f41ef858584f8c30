//! Starting a session.

use std::sync::Arc;

use boatyard_protocol::agent::{AgentConfig, DockerMode, HostEntry, OpenTerminal, Tunnel};
use futures_util::future::join_all;
use sha2::{Digest, Sha256};
use tracing::{Instrument, info, info_span, warn};

use super::{ClientId, EndReason, Live, PublicName, SessionId, Sessions, address, nodes::host, setup::SetUpError};
use crate::{
    engine::{EngineError, SandboxSpec},
    image::ImageInfo,
    store::{Counts, NewSession, NodeRow, Refused, SessionRow, StoreError, now_ms},
    template::Template,
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
    /// With which lab image; the template's, the lesson's or the configured one where absent.
    pub image: Option<String>,
    /// As what.
    pub template: Template,
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
    /// Its nodes were there, but what they were to hold was not; all that was made has been removed.
    #[error("the session could not be set up: {0}")]
    SetUp(SetUpError),
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
    pub async fn start(&self, mut request: StartRequest) -> Result<Created, CreateError> {
        let of_template = || {
            let (course, lesson) = request.template.lesson.as_deref()?.split_once('/')?;
            Some((course.to_owned(), lesson.to_owned()))
        };
        request.lesson = request.lesson.take().or_else(of_template);
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
        let template = request.template;
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
        let images = vec![image; template.nodes as usize];
        let (row, nodes) = {
            let mut making = self.inner.making.lock();
            let place =
                self.inner.store.reserve(&new, counts, &images, |net, n| address::node(&config.engine, net, n))?;
            let (row, nodes) = place.map_err(CreateError::Refused)?;
            making.extend(nodes.iter().map(|n| n.sandbox.clone()));
            (row, nodes)
        };
        let started = self.make_all(&row, &nodes).await;
        let live = {
            let mut making = self.inner.making.lock();
            for node in &nodes {
                making.remove(&node.sandbox);
            }
            started?;
            self.adopt(row, &nodes)
        };
        info!(session = %live.id(), nodes = nodes.len(), "session started");
        if let Err(e) = self.set_up(&live, &template).await {
            warn!(session = %live.id(), error = %e, "a session could not be set up");
            self.end(live.id(), EndReason::Lost)?;
            return Err(CreateError::SetUp(e));
        }
        Ok(Created { live, token })
    }

    /// Makes all sandboxes of a new session, or none.
    async fn make_all(&self, row: &SessionRow, nodes: &[NodeRow]) -> Result<(), CreateError> {
        let made = join_all(nodes.iter().map(|node| async {
            let others: Vec<_> =
                nodes.iter().filter(|n| n.name != node.name).map(|n| host(&n.name, n.address)).collect();
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
        // It was there when its session was made; removing it is refused while a session has it.
        let image = self.image(&node.image);
        let command = self.first_command(session, node, image.as_ref());
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
                hosts: others.to_vec(),
                dns: config.engine.dns.clone(),
                address: Some(node.address),
                user: image.and_then(|i| i.user),
                tunnels: vec![
                    tunnel("registry", 61500, &["127.0.0.2:5000", "127.0.0.1:5000"], &["registry.lab"]),
                    tunnel("catalogue", 61501, &[], &[]),
                ],
                cpus: Some(config.limits.cpus.ceil() as u32),
                ssh: self.ssh_keys(session.id),
                greeting: (!others.is_empty()).then(|| self.greeting()).flatten(),
                terminals: vec![(FIRST_TERMINAL.into(), OpenTerminal { cols: 80, rows: 24, command, cwd: None })],
            },
        }
    }

    /// Command of a node's first terminal; none for the login shell alone.
    fn first_command(&self, session: &SessionRow, node: &NodeRow, image: Option<&ImageInfo>) -> Vec<String> {
        let has_docker = self.inner.config.sessions.docker != DockerMode::Off
            && image.is_some_and(|i| i.versions.contains_key("docker"));
        let first = node.name.as_str() == crate::course::DEFAULT_NODE;
        if first && session.lesson.is_none() && has_docker { super::welcome::command() } else { Vec::new() }
    }
}
