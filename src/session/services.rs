//! What a session's sandboxes reach outside of themselves.

use crate::{agent::RawStream, session::PublicName};

/// Serves the streams that processes in sandboxes open to their loopback, and keeps what sessions store there.
#[async_trait::async_trait]
pub trait Services: Send + Sync {
    /// Serves one stream of a session's sandbox to its end. `service` is the tunnel's name as the agent told it: hostile
    /// input, unknown names are dropped.
    async fn serve(&self, session: &PublicName, service: &str, stream: RawStream);

    /// Digest of a tag in the session's registry, if it has it.
    async fn digest(&self, session: &PublicName, repository: &str, tag: &str) -> anyhow::Result<Option<String>>;

    /// Tags of a repository in the session's registry.
    async fn tags(&self, session: &PublicName, repository: &str) -> anyhow::Result<Vec<String>>;

    /// Announces each push with the public name of its session.
    fn pushes(&self) -> tokio::sync::broadcast::Receiver<PublicName>;

    /// Removes what a session has stored.
    async fn remove(&self, session: &PublicName) -> anyhow::Result<()>;
}
