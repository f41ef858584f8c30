//! What the variables of lessons stand for, in a session as it is now.

use std::sync::Arc;

use super::{Live, Node, Sessions, swarm};
use crate::course::Variable;

/// Why a variable has no value now.
#[derive(Debug, thiserror::Error)]
pub enum VariableError {
    /// There is no swarm.
    #[error("there is no swarm yet; run `docker swarm init` on another node first")]
    NoSwarm,
    /// The node is in the swarm already.
    #[error("{0} is in the swarm already")]
    Member(String),
    /// What the engine said is no command that may be typed.
    #[error("the Docker Engine of {0} answered no join token")]
    Nonsense(String),
}

impl Sessions {
    /// What `variable` stands for in a command that is typed on `node`.
    ///
    /// # Errors
    /// [`VariableError`].
    pub async fn value(&self, live: &Live, node: &Arc<Node>, variable: Variable) -> Result<String, VariableError> {
        let role = match variable {
            Variable::SwarmJoin => swarm::SwarmRole::Worker,
            Variable::SwarmJoinManager => swarm::SwarmRole::Manager,
        };
        if node.facts().swarm.is_some() {
            return Err(VariableError::Member(node.name().to_string()));
        }
        let (manager, token) = swarm::token(live, node, role).await.ok_or(VariableError::NoSwarm)?;
        // It is typed into a terminal, and it comes from an engine that may be anything.
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if !token.starts_with("SWMTKN-") || token.len() > 200 || !token.bytes().all(fits) {
            return Err(VariableError::Nonsense(manager.name().to_string()));
        }
        Ok(format!("docker swarm join --token {token} {}:{}", manager.address(), swarm::PORT))
    }
}
