//! What a session's sandboxes reach outside of themselves.

use crate::{agent::RawStream, session::PublicName};

/// A tag in a session's registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The repository, as the session calls it.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// Digest of its manifest.
    pub digest: String,
    /// Its layers, the lowest first; none where the manifest is of no image.
    pub layers: Vec<HeldLayer>,
}

/// A layer of a [`Held`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLayer {
    /// Digest of the compressed layer.
    pub digest: String,
    /// Bytes, compressed.
    pub size: u64,
    /// Digest of what is in it (diff id), where the image's configuration tells.
    pub diff: Option<String>,
    /// Whether the catalogue has it too: then it need not be sent.
    pub catalogue: bool,
}

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

    /// What a session has in its registry, by name, at most `most` tags; and how many there are.
    async fn holdings(&self, session: &PublicName, most: usize) -> anyhow::Result<(Vec<Held>, usize)>;

    /// Announces each push with the public name of its session.
    fn pushes(&self) -> tokio::sync::broadcast::Receiver<PublicName>;

    /// Removes what a session has stored.
    async fn remove(&self, session: &PublicName) -> anyhow::Result<()>;
}
