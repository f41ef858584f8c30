//! Checks: what must hold when a step is done, declared in a lesson and judged by what is really there.

mod evaluate;
mod judge;
mod parse;
mod probe;
mod snapshot;
#[cfg(test)]
mod tests;
mod title;

use std::collections::BTreeSet;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::ImageRef;
pub use evaluate::{TIME_LIMIT, evaluate};
pub use probe::{HttpAnswer, Probe, ProbeError};

/// One check of a step.
#[derive(Debug, Clone)]
pub struct Check {
    /// The node that it looks at.
    pub(crate) node: String,
    pub(crate) kind: Kind,
    title: Option<String>,
    hint: Option<String>,
}

/// What a check looks at. A new kind is a variant here, a key in `parse`, words in `title` and a judge.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Image(ImageWanted),
    NoImage(ImageWanted),
    Container(ContainerWanted),
    File(FileWanted),
    Port(u16),
    Http(HttpWanted),
    Registry(RepositoryTag),
    SameDigest(Vec<Side>),
    All(Vec<Check>),
    Any(Vec<Check>),
    Not(Box<Check>),
}

/// An image: with this tag or digest, or in this repository with any tag.
#[derive(Debug, Clone)]
pub(crate) struct ImageWanted {
    pub image: ImageRef,
    /// Any tag will do.
    pub any_tag: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct ContainerWanted {
    pub image: Option<ImageWanted>,
    pub name: Option<String>,
    pub state: ContainerState,
    pub port: Option<PublishedPort>,
}

/// States of a container, named as the Engine API names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ContainerState {
    Created,
    #[default]
    Running,
    Paused,
    Restarting,
    Exited,
    Dead,
    /// Whatever it is.
    Any,
}

impl ContainerState {
    pub fn as_str(self) -> &'static str {
        match self {
            ContainerState::Created => "created",
            ContainerState::Running => "running",
            ContainerState::Paused => "paused",
            ContainerState::Restarting => "restarting",
            ContainerState::Exited => "exited",
            ContainerState::Dead => "dead",
            ContainerState::Any => "any",
        }
    }
}

/// A published port: `-p host:container`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublishedPort {
    pub host: u16,
    /// Any, where none is given.
    pub container: Option<u16>,
}

#[derive(Debug, Clone)]
pub(crate) struct FileWanted {
    pub path: String,
    /// Texts, each of which must stand in it.
    pub contains: Vec<String>,
    pub matches: Option<Regex>,
}

#[derive(Debug, Clone)]
pub(crate) struct HttpWanted {
    pub port: u16,
    pub path: String,
    pub status: u16,
    pub contains: Option<String>,
}

/// A repository of the session's registry and a tag in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepositoryTag {
    pub repository: String,
    pub tag: String,
}

/// One of the things that `same_digest` compares.
#[derive(Debug, Clone)]
pub(crate) enum Side {
    Image { node: String, image: ImageRef },
    Registry(RepositoryTag),
}

/// How a check came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// What must hold, plain text in which backticks mark code.
    pub title: String,
    /// Whether it holds.
    pub passed: bool,
    /// Where it does not hold: what is missing and, where it is known, what helps. Same form as the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What changes the outcome of checks; a step is to be judged again when one of its topics has news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Images and containers: the Engine's events tell.
    Docker,
    /// Files: nothing tells; look again from time to time.
    Files,
    /// Listening ports: the agent's events tell.
    Ports,
    /// What an HTTP server answers: nothing tells; look again from time to time, and when ports change.
    Http,
    /// Pushes: the registry proxy's events tell.
    Registry,
}

impl Check {
    /// What must hold, in words: the author's title, or one made from the check.
    pub fn title(&self) -> String {
        self.title.clone().unwrap_or_else(|| title::of(self))
    }

    /// What its outcome depends on.
    pub fn topics(&self) -> BTreeSet<Topic> {
        match &self.kind {
            Kind::Image(_) | Kind::NoImage(_) | Kind::Container(_) => [Topic::Docker].into(),
            Kind::File(_) => [Topic::Files].into(),
            Kind::Port(_) => [Topic::Ports].into(),
            Kind::Http(_) => [Topic::Ports, Topic::Http].into(),
            Kind::Registry(_) => [Topic::Registry].into(),
            Kind::SameDigest(_) => [Topic::Docker, Topic::Registry].into(),
            Kind::All(checks) | Kind::Any(checks) => checks.iter().flat_map(Check::topics).collect(),
            Kind::Not(check) => check.topics(),
        }
    }

    /// The nodes that it looks at.
    pub fn nodes(&self) -> BTreeSet<&str> {
        match &self.kind {
            Kind::All(checks) | Kind::Any(checks) => checks.iter().flat_map(Check::nodes).collect(),
            Kind::Not(check) => check.nodes(),
            Kind::SameDigest(sides) => sides
                .iter()
                .filter_map(|side| match side {
                    Side::Image { node, .. } => Some(node.as_str()),
                    Side::Registry(_) => None,
                })
                .collect(),
            Kind::Registry(_) => BTreeSet::new(),
            _ => [self.node.as_str()].into(),
        }
    }
}
