//! How a deployment stands, as data.

use serde::Serialize;
use utoipa::ToSchema;

use super::typed::Ended;
use crate::{session::NodeName, stack::Plan};

/// A stack that a session was started to deploy, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Deployment {
    /// Name of its folder, and of its Compose project or its stack in the swarm.
    pub name: String,
    /// Where it comes from: a stack's id, or an address.
    pub source: String,
    /// Whether it is a stack of a swarm.
    pub swarm: bool,
    /// What is typed to deploy it.
    pub command: String,
    /// The terminal of `node1` in which it is typed.
    pub terminal: String,
    /// Where it is.
    pub stage: DeployStage,
    /// Its services, in the order of its file.
    pub services: Vec<ServiceProgress>,
    /// Bytes of images that are being downloaded now, on all nodes together; null where none are.
    pub downloading: Option<u64>,
    /// The first port that it publishes; null where it publishes none, or Docker has not chosen it yet.
    pub port: Option<DeployedPort>,
    /// Why it failed, in Docker's own words.
    pub error: Option<String>,
}

/// Where a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeployStage {
    /// Its files are being written.
    Preparing,
    /// The command was typed and goes on.
    Deploying,
    /// The command has ended; not all services run yet, or the first port does not answer yet.
    Starting,
    /// All services run, and the first port answers.
    Ready,
    /// The command failed, or a service does.
    Failed,
}

/// How far a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ServiceProgress {
    /// Its name.
    pub name: String,
    /// Its image; null where it is only built.
    pub image: Option<String>,
    /// Where it is.
    pub state: ServiceState,
    /// The same in words, such as `2 of 3 run`.
    pub words: String,
}

/// Where a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// Nothing has happened for it yet.
    Waiting,
    /// Its image is being pulled.
    Pulling,
    /// Its image is being built.
    Building,
    /// Its container is there and does not run yet.
    Created,
    /// It runs and is not ready, or only some of its containers run.
    Starting,
    /// It runs.
    Running,
    /// It has done what it was to do, and ended.
    Done,
    /// It does not run as it should.
    Failed,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeployedPort {
    /// The node where it is open, or is expected to be.
    pub node: NodeName,
    /// The port.
    pub port: u16,
    /// Whether something answers there.
    pub answers: bool,
}

/// What was seen of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub state: ServiceState,
    pub words: String,
    /// Docker's own words, where it failed.
    pub error: Option<String>,
    /// A port of it that Docker chose.
    pub chosen: Option<u16>,
}

impl Seen {
    pub fn new(state: ServiceState, words: impl Into<String>) -> Seen {
        Seen { state, words: words.into(), error: None, chosen: None }
    }
}

impl Deployment {
    pub(super) fn new(plan: &Plan, terminal: &str) -> Deployment {
        let service = |s: &crate::stack::Service| ServiceProgress {
            name: s.name.clone(),
            image: s.image.clone(),
            state: ServiceState::Waiting,
            words: "waits".into(),
        };
        Deployment {
            name: plan.name.clone(),
            source: plan.source.as_str().to_owned(),
            swarm: plan.swarm,
            command: plan.command(),
            terminal: terminal.to_owned(),
            stage: DeployStage::Preparing,
            services: plan.compose.services.iter().map(service).collect(),
            downloading: None,
            port: None,
            error: None,
        }
    }

    /// Takes over what was seen, and says where that leaves the whole. `ended` is how the command ended, once it has.
    pub(super) fn take(&mut self, seen: Vec<Seen>, ended: Option<&Ended>) {
        let failed = self.services.iter().zip(&seen).find(|(_, s)| s.state == ServiceState::Failed);
        let failed = failed.map(|(service, s)| {
            let why = s.error.as_deref().unwrap_or(&s.words);
            format!("{}: {why}", service.name)
        });
        let begun = seen.iter().any(|s| s.state != ServiceState::Waiting);
        let up = seen.iter().all(|s| matches!(s.state, ServiceState::Running | ServiceState::Done));
        for (service, s) in self.services.iter_mut().zip(seen) {
            (service.state, service.words) = (s.state, s.words);
        }
        let answers = self.port.as_ref().is_none_or(|p| p.answers);
        let code = ended.and_then(|e| e.code);
        (self.stage, self.error) = match (ended, failed) {
            (None, _) => (DeployStage::Deploying, None),
            (Some(end), _) if code.is_some_and(|c| c != 0) => (DeployStage::Failed, Some(why(end))),
            (Some(_), Some(failed)) => (DeployStage::Failed, Some(failed)),
            (Some(_), None) if code.is_none() && !begun => {
                (DeployStage::Failed, Some("None of its services was started.".into()))
            }
            (Some(_), None) if up && answers => (DeployStage::Ready, None),
            (Some(_), None) => (DeployStage::Starting, None),
        };
    }

    /// Whether it is where it stays unless something happens.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.stage, DeployStage::Ready | DeployStage::Failed)
    }
}

fn why(end: &Ended) -> String {
    match (end.code, end.said.as_str()) {
        (Some(130), _) => "The command was interrupted.".into(),
        (Some(code), "") => format!("The command ended with exit code {code}."),
        (_, said) => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{DeployStage as D, ServiceState as S, *};

    fn deployment() -> Deployment {
        let url = url::Url::parse("https://example.org/shop.yaml").unwrap();
        let text = "services: {web: {image: nginx, ports: ['8080:80']}, db: {image: redis}}";
        let mut d = Deployment::new(&Plan::of_fetched(&url, text.into(), None, false).unwrap(), "main");
        d.port = Some(DeployedPort { node: NodeName::parse("node1").unwrap(), port: 8080, answers: false });
        d
    }

    fn end(code: Option<i32>, said: &str) -> Option<Ended> {
        Some(Ended { code, said: said.into() })
    }

    #[test]
    fn the_whole_follows_from_its_parts() {
        let seen = |a, b| vec![Seen::new(a, "a"), Seen::new(b, "b")];
        for (parts, ended, answers, stage) in [
            ((S::Pulling, S::Waiting), None, false, D::Deploying),
            ((S::Running, S::Running), None, true, D::Deploying),
            ((S::Running, S::Created), end(Some(0), ""), false, D::Starting),
            ((S::Running, S::Running), end(Some(0), ""), false, D::Starting),
            ((S::Running, S::Done), end(Some(0), ""), true, D::Ready),
            ((S::Running, S::Running), end(None, ""), true, D::Ready),
            ((S::Running, S::Failed), end(Some(0), ""), true, D::Failed),
            ((S::Waiting, S::Waiting), end(Some(0), ""), false, D::Starting),
            ((S::Waiting, S::Waiting), end(None, ""), false, D::Failed),
            ((S::Waiting, S::Running), end(Some(1), "no such image"), false, D::Failed),
        ] {
            let mut d = deployment();
            d.port.as_mut().unwrap().answers = answers;
            d.take(seen(parts.0, parts.1), ended.as_ref());
            assert_eq!(d.stage, stage, "{parts:?}");
            assert_eq!(d.error.is_some(), stage == D::Failed);
        }
    }

    #[test]
    fn a_failure_is_told_in_dockers_words() {
        let mut d = deployment();
        let mut broken = Seen::new(S::Failed, "fails");
        broken.error = Some("no such image: mongo".into());
        d.take(vec![Seen::new(S::Running, "runs"), broken], end(Some(0), "").as_ref());
        assert_eq!(d.error.as_deref(), Some("db: no such image: mongo"));
        d.take(vec![Seen::new(S::Waiting, ""), Seen::new(S::Waiting, "")], end(Some(130), "^C").as_ref());
        assert_eq!(d.error.as_deref(), Some("The command was interrupted."));
    }
}
