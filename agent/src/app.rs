//! What the parts of the agent share.

use std::{sync::Arc, time::Instant};

use boatyard_protocol::agent::AgentConfig;
use tokio_util::sync::CancellationToken;

use crate::{docker::Docker, events::Hub, ports::Ports, reaper::Reaper, streams::Streams, terminal::Terminals};

/// The agent.
pub struct App {
    /// What it was told at its start.
    pub config: AgentConfig,
    /// When it started.
    pub started: Instant,
    /// Where processes are waited for.
    pub reaper: Arc<Reaper>,
    /// What happens, for whoever listens.
    pub events: Hub,
    /// The terminals.
    pub terminals: Terminals,
    /// The Docker Engine.
    pub docker: Docker,
    /// Ports that listen.
    pub ports: Ports,
    /// Streams on offer to the server.
    pub streams: Streams,
    /// Cancelled when the sandbox is to end.
    pub shutdown: CancellationToken,
}
