//! Engines make and remove sandboxes. All that happens inside a sandbox goes through its agent, so an engine is small,
//! and what one engine cannot do, the agent does for all.

pub mod native;

use std::{fmt, net::Ipv4Addr, path::PathBuf};

use boatyard_protocol::agent::AgentConfig;
use tokio::io::{AsyncRead, AsyncWrite};

/// Name of a sandbox on its host: `sb-` and eight hexadecimal digits, unique within one Boatyard.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SandboxId(String);

impl SandboxId {
    /// A new random id.
    pub fn random() -> SandboxId {
        SandboxId(format!("sb-{:08x}", rand::random::<u32>()))
    }

    /// Reads an id back from a file name or the store; `None` if it is none.
    pub fn parse(s: &str) -> Option<SandboxId> {
        let hex = s.strip_prefix("sb-")?;
        (hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
            .then(|| SandboxId(s.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SandboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Number of a sandbox's range of user ids, from 0: a sandbox owns [`IDS_PER_SANDBOX`] ids from
/// `uid_base + range * IDS_PER_SANDBOX`. No two living sandboxes have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UidRange(pub u32);

/// User ids of a sandbox: enough for rootless Podman and Apptainer, which need 65,536 of their own inside.
pub const IDS_PER_SANDBOX: u32 = 1 << 18;

/// Upper bounds of what one sandbox may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Bytes of memory, swap included.
    pub memory: u64,
    /// Processors; fractions are shares of time.
    pub cpus: f64,
    /// Processes and threads.
    pub pids: u32,
    /// Bytes of disk.
    pub disk: u64,
}

/// A sandbox's place on its session's private network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Number of the session's network, from 0: no two living sessions have the same, and a session's sandboxes share it.
    pub number: u16,
    /// Address of the sandbox.
    pub address: Ipv4Addr,
    /// The network's first address, which is its gateway.
    pub gateway: Ipv4Addr,
    /// Length of the network's prefix in bits.
    pub prefix: u8,
}

/// What a sandbox shall be.
#[derive(Debug, Clone)]
pub struct SandboxSpec {
    /// Its id, chosen by the caller and recorded before [`Engine::create`] is called.
    pub id: SandboxId,
    /// Its user ids.
    pub range: UidRange,
    /// Root file system of its lab image: a folder owned by the host's root, shared read-only.
    pub rootfs: PathBuf,
    /// Where in it the sandbox's plain disk lies, such as `/var/lib/docker`: its root is an overlay, on which container
    /// engines cannot put overlays of their own.
    pub disk: PathBuf,
    /// Its limits.
    pub limits: Limits,
    /// Its network.
    pub network: NetworkSpec,
    /// What its agent is told.
    pub agent: AgentConfig,
}

/// What a sandbox uses now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time since it was made, in microseconds.
    pub cpu_us: u64,
    /// Bytes of memory, without files' pages that can be dropped.
    pub memory: u64,
    /// How many of its processes were killed because its memory was used up; on cgroup v1 without those in containers.
    pub killed: u64,
    /// Processes and threads.
    pub pids: u32,
    /// How often it has come to its limit of processes.
    pub pids_hits: u64,
    /// Bytes of disk in use.
    pub disk: u64,
    /// Bytes of its disk in all.
    pub disk_size: u64,
    /// Files in use.
    pub inodes: u64,
    /// Files that its disk has room for.
    pub inodes_most: u64,
}

/// A connection to an agent.
pub trait AgentStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> AgentStream for T {}

/// Why an engine could not do something. The message names the step, the cause and, where there is one, the mend.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no such sandbox, or its agent is gone.
    #[error("sandbox {0} is gone")]
    Gone(SandboxId),
    /// A step of a creation or a removal failed.
    #[error("{step}: {source}")]
    Step {
        /// Which step.
        step: &'static str,
        /// Why.
        source: anyhow::Error,
    },
}

/// Makes and removes sandboxes.
#[async_trait::async_trait]
pub trait Engine: Send + Sync + fmt::Debug {
    /// Makes and starts a sandbox. When it returns, the agent's socket accepts connections.
    ///
    /// # Errors
    /// When a step fails; then everything that was made before has been removed again.
    async fn create(&self, spec: &SandboxSpec) -> Result<(), EngineError>;

    /// Stops a sandbox and removes everything that it had. Does nothing for what is not there, so it also clears up
    /// after a creation or a removal that was interrupted.
    ///
    /// # Errors
    /// When something could not be removed; it may be called again.
    async fn destroy(&self, id: &SandboxId) -> Result<(), EngineError>;

    /// All sandboxes of which anything is left on this host, whole or not.
    ///
    /// # Errors
    /// When the host's state cannot be read.
    async fn list(&self) -> Result<Vec<SandboxId>, EngineError>;

    /// What a sandbox uses now, as its host counts it.
    ///
    /// # Errors
    /// When it is not there.
    async fn usage(&self, id: &SandboxId) -> Result<Usage, EngineError>;

    /// A new connection to a sandbox's agent.
    ///
    /// # Errors
    /// [`EngineError::Gone`] when nothing answers.
    async fn connect(&self, id: &SandboxId) -> Result<Box<dyn AgentStream>, EngineError>;
}
