use std::future::Future;

use serde_json::Value;

/// What a check wants to know of a session. The caller implements it over the agents and the registry.
///
/// Everything that it answers comes from where the student is root, so checks take no shape for granted. Within one
/// [`super::evaluate`] nothing is asked twice. Nothing that it does may change the session.
pub trait Probe: Sync {
    /// `GET` on the node's Engine API. `path` begins with `/` and has no version, such as `/containers/json?all=1`; the
    /// implementation puts one before it (written for 1.45). `None` when the answer is 404.
    ///
    /// # Errors
    /// [`ProbeError::DockerDown`] when the engine is not started; asking must not start it.
    fn docker(&self, node: &str, path: &str) -> impl Future<Output = Result<Option<Value>, ProbeError>> + Send;

    /// The first `max` bytes of a file; `None` when there is none of that path.
    ///
    /// # Errors
    /// When the node does not answer.
    fn read_file(
        &self,
        node: &str,
        path: &str,
        max: usize,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, ProbeError>> + Send;

    /// The digest of a manifest in the session's own registry, such as `sha256:…`; `None` when there is none.
    ///
    /// # Errors
    /// When the registry does not answer.
    fn registry_digest(
        &self,
        repository: &str,
        tag: &str,
    ) -> impl Future<Output = Result<Option<String>, ProbeError>> + Send;

    /// The tags of a repository in the session's own registry; empty when there is no such repository.
    ///
    /// # Errors
    /// When the registry does not answer.
    fn registry_tags(&self, repository: &str) -> impl Future<Output = Result<Vec<String>, ProbeError>> + Send;

    /// The TCP ports on which something of the student's listens.
    ///
    /// # Errors
    /// When the node does not answer.
    fn listening(&self, node: &str) -> impl Future<Output = Result<Vec<u16>, ProbeError>> + Send;

    /// `GET http://<node>:<port><path>` without following redirects, with a bounded body.
    ///
    /// # Errors
    /// [`ProbeError::NoAnswer`] when nothing listens there or what listens does not speak HTTP.
    fn http_get(
        &self,
        node: &str,
        port: u16,
        path: &str,
    ) -> impl Future<Output = Result<HttpAnswer, ProbeError>> + Send;
}

/// An answer to [`Probe::http_get`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The beginning of the body, as much as the implementation reads; 64 KiB are enough.
    pub body: Vec<u8>,
}

/// Why a [`Probe`] has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The node's Docker Engine is not started: so far there are no images and no containers.
    #[error("the Docker Engine of the node is not started")]
    DockerDown,
    /// What was asked over HTTP did not answer.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Something else; the message says what.
    #[error("{0}")]
    Other(String),
}
