//! Stacks: Compose files that a link deploys in a session of their own. They have a name, as folders of a course or of the
//! operator's, or an address on a host that the operator allows.
//!
//! Here they are found, fetched and read; [`crate::session`] deploys them. Everything that comes from an address is hostile
//! input, and so is the address.

mod compose;
mod fetch;
mod interpolate;
mod named;
mod plan;
mod yaml;

pub use compose::{Compose, Published, Service};
pub use fetch::{FetchError, Fetcher, Origin};
pub use named::{NamedStack, StackFile, Stacks};
pub use plan::{Plan, Source};

/// Most bytes of a stack's files.
pub const MOST_BYTES: usize = 1 << 20;
/// Longest name of a stack.
pub const LONGEST_NAME: usize = 32;

/// Why a stack cannot be deployed.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// None has this name.
    #[error("There is no stack `{0}` here.")]
    Unknown(String),
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It is no Compose file.
    #[error("The file cannot be deployed: {0}.")]
    NoCompose(String),
    /// It needs files that lie beside it.
    #[error("The file cannot be deployed from its address alone: {0}, and only the file itself is fetched.")]
    NotAlone(String),
    /// A stack of a swarm builds nothing.
    #[error(
        "A swarm builds no images, and the service `{0}` is built. Leave `swarm` out to deploy it with Docker Compose."
    )]
    Built(String),
    /// The name that it shall have is none.
    #[error("A stack's name has up to {LONGEST_NAME} of a-z, 0-9 and dash, and begins with a letter or digit.")]
    Name,
    /// There is no swarm to deploy it in.
    #[error("{0}")]
    NoSwarm(String),
    /// It is not what was looked at any more.
    #[error("The stack has changed since you looked at it. Look at it again.")]
    Changed,
}

/// What a link asks for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// A name, or an address.
    pub stack: String,
    /// What it shall be called.
    pub name: Option<String>,
    /// Whether it shall be a stack of a swarm.
    pub swarm: bool,
}

/// Finds stacks by name and by address.
pub struct Finder {
    named: Stacks,
    fetcher: Fetcher,
}

impl Finder {
    /// Finds the stacks `named`, and those at the `allowed` origins.
    pub fn new(named: Stacks, allowed: Vec<Origin>) -> Finder {
        Finder { named, fetcher: Fetcher::new(allowed) }
    }

    /// Those that have a name.
    pub fn named(&self) -> &Stacks {
        &self.named
    }

    /// Finds a stack and reads it.
    ///
    /// # Errors
    /// [`StackError`].
    pub async fn plan(&self, wish: &Wish) -> Result<Plan, StackError> {
        if !wish.stack.contains("://") {
            let stack = self.named.find(&wish.stack);
            let stack = stack.ok_or_else(|| StackError::Unknown(wish.stack.chars().take(80).collect()))?;
            return Plan::of_named(stack, wish.name.as_deref(), wish.swarm);
        }
        let (url, text) = self.fetcher.fetch(&wish.stack).await?;
        let (name, swarm) = (wish.name.clone(), wish.swarm);
        // A mebibyte of someone's YAML takes its time.
        let read = tokio::task::spawn_blocking(move || Plan::of_fetched(&url, text, name.as_deref(), swarm));
        read.await.unwrap_or_else(|e| Err(StackError::NoCompose(e.to_string())))
    }
}
