//! Deploying a stack in a session, in plain sight: its files lie in a folder of the student's, the command is typed into
//! the first terminal, and how far it is is read from the engines' own events and answers.

mod containers;
mod model;
mod tasks;
mod typed;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use model::{DeployStage, DeployedPort, Deployment, ServiceProgress, ServiceState};
use tokio::{
    io::AsyncReadExt,
    sync::{Notify, broadcast::error::RecvError, oneshot},
    time::{Instant, timeout},
};
use tracing::{debug, warn};

use self::{
    model::Seen,
    typed::{Ended, marked_shell},
};
use super::{DockerTold, EndReason, Event, Live, Node, NodeName, Sessions, create::FIRST_TERMINAL};
use crate::{
    agent::{AgentError, Condition, full},
    stack::Plan,
    store::StoreError,
};

/// Events that come within so long of each other are looked at once.
const GATHER: Duration = Duration::from_millis(150);
/// While something is under way, it is looked at so often even without an event.
const EVERY: Duration = Duration::from_millis(1000);
/// A download of which nothing was heard for so long is over.
const QUIET: Duration = Duration::from_secs(3);
/// A port serves where it keeps a connection open for so long.
const GREETING: Duration = Duration::from_millis(200);

/// Why a stack is not deployed again.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The session was not started with a stack.
    #[error("the session was not started to deploy a stack")]
    None,
    /// It is still at it.
    #[error("it is being deployed now")]
    UnderWay,
    /// Something else runs in the terminal.
    #[error("`{0}` runs in the terminal {FIRST_TERMINAL} of node1; end it first")]
    Busy(String),
    /// The first node cannot be asked.
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// A session's deployment.
#[derive(Debug)]
pub(super) struct Deploying {
    plan: Plan,
    state: Mutex<Deployment>,
    again: Notify,
}

impl Deploying {
    fn change(&self, live: &Live, change: impl FnOnce(&mut Deployment)) {
        let changed = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let before = state.clone();
            change(&mut state);
            *state != before
        };
        if changed {
            live.emit(Event::Deployment);
        }
    }

    fn now(&self) -> Deployment {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Live {
    /// How the stack stands that the session was started to deploy.
    pub fn deployment(&self) -> Option<Deployment> {
        self.deploying.get().map(|d| d.now())
    }
}

impl Sessions {
    /// Begins to deploy a stack in a session that was just started. When this returns, its files are there, and so is the
    /// terminal in which its command is typed. A session has one stack: of several, the first counts.
    ///
    /// # Errors
    /// When the store fails. Then it is not deployed, and the session has ended: nobody asked for one without its stack,
    /// which would hold a place.
    pub async fn deploy(&self, live: &Arc<Live>, plan: Plan) -> Result<(), StoreError> {
        if let Err(e) = self.inner.store.set_stack(live.id(), &plan.to_json()) {
            self.end(live.id(), EndReason::Closed)?;
            return Err(e);
        }
        let (told, prepared) = oneshot::channel();
        self.begin(live, plan, Some(told));
        // Dropped where the session has ended meanwhile, or has a stack already.
        let _ = prepared.await;
        Ok(())
    }

    /// Goes on with what an earlier server began to deploy in a session.
    pub(super) fn resume_deployment(&self, live: &Arc<Live>) -> Result<(), StoreError> {
        if let Some(plan) = self.inner.store.stack(live.id())?.and_then(|stored| Plan::of_json(&stored)) {
            self.begin(live, plan, None);
        }
        Ok(())
    }

    /// Deploys anew, and says when all is prepared for it; without anyone to tell, only looks on.
    fn begin(&self, live: &Arc<Live>, plan: Plan, anew: Option<oneshot::Sender<()>>) {
        let state = Mutex::new(Deployment::new(&plan, FIRST_TERMINAL));
        let deploying = Arc::new(Deploying { plan, state, again: Notify::new() });
        if live.deploying.set(deploying.clone()).is_err() {
            return;
        }
        live.emit(Event::Deployment);
        let (sessions, live) = (self.clone(), live.clone());
        self.inner.tasks.spawn(async move {
            let over = live.cancel.clone();
            tokio::select! { () = over.cancelled() => {}, () = sessions.deploy_now(&live, &deploying, anew) => {} }
        });
    }

    /// Types the command once more.
    ///
    /// # Errors
    /// [`DeployError`].
    pub async fn deploy_again(&self, live: &Live) -> Result<(), DeployError> {
        let deploying = live.deploying.get().ok_or(DeployError::None)?;
        if matches!(deploying.now().stage, DeployStage::Preparing | DeployStage::Deploying) {
            return Err(DeployError::UnderWay);
        }
        if let Some(node) = live.nodes().first()
            && let Some(busy) = typed::busy_with(node, FIRST_TERMINAL).await?
        {
            return Err(DeployError::Busy(busy.chars().take(40).collect()));
        }
        deploying.again.notify_one();
        Ok(())
    }

    async fn deploy_now(&self, live: &Live, deploying: &Deploying, anew: Option<oneshot::Sender<()>>) {
        let Some(node) = live.nodes().into_iter().next() else { return };
        // None where the command was typed by an earlier server.
        let mut generation = match &anew {
            Some(_) => self.prepare(&node, &deploying.plan).await.map(Some),
            None => Ok(None),
        };
        if let Some(told) = anew {
            let _ = told.send(());
        }
        let mut prepared = false;
        loop {
            match generation {
                Ok(generation) => {
                    prepared = true;
                    deploying.change(live, |d| (d.stage, d.error) = (DeployStage::Deploying, None));
                    self.follow(live, deploying, &node, generation).await;
                }
                Err(e) => {
                    give_up(live, deploying, &e);
                    deploying.again.notified().await;
                }
            }
            let again = if prepared { open(&node).await } else { self.prepare(&node, &deploying.plan).await };
            generation = again.map(Some);
        }
    }

    /// Writes the files and makes the first terminal one whose shell marks the ends of commands. Answers its generation.
    async fn prepare(&self, node: &Node, plan: &Plan) -> Result<u64, AgentError> {
        let user = self.image(node.image()).and_then(|i| i.user);
        let home = user.map_or_else(|| "/root".to_owned(), |user| format!("/home/{user}"));
        for file in &plan.files {
            let path = format!("{home}/{}/{}", plan.name, file.path);
            let mode = file.executable.then_some(0o755);
            node.agent().write_file(&path, mode, &Condition::Any, full(file.content.clone())).await?;
        }
        let welcome = format!(
            "\x1b[1m{}\x1b[0m lies in {home}/{}. It is deployed\r\nby the command that follows:\r\n\r\n",
            plan.name, plan.name
        );
        // Nobody has seen it yet: the session is shown to its student after this.
        node.agent().close_terminal(FIRST_TERMINAL).await?;
        Ok(node.agent().open_terminal(FIRST_TERMINAL, &marked_shell(&welcome)).await?.generation)
    }

    /// Types the command into the terminal of this generation, where it was not typed before, and follows what comes of
    /// it, until it shall be done again.
    async fn follow(&self, live: &Live, deploying: &Deploying, node: &Arc<Node>, generation: Option<u64>) {
        let mut news = live.docker_news();
        let command = deploying.plan.command();
        let mut typed = std::pin::pin!(async {
            match generation {
                Some(generation) => typed::run(node, FIRST_TERMINAL, generation, &command).await,
                None => {
                    while typed::busy_with(node, FIRST_TERMINAL).await?.is_some() {
                        tokio::time::sleep(EVERY).await;
                    }
                    Ok(Ended { code: None, said: String::new() })
                }
            }
        });
        let mut ended: Option<Ended> = None;
        let mut downloads = Downloads::default();
        let mut look_at = Instant::now() + EVERY;
        // A flood of events takes at most half of the time.
        let mut rested = Instant::now();
        loop {
            tokio::select! {
                () = deploying.again.notified(), if ended.is_some() => return,
                end = &mut typed, if ended.is_none() => {
                    ended = Some(end.unwrap_or_else(|e| {
                        debug!(session = %live.id(), error = %e, "how a command ended is not known");
                        Ended { code: None, said: String::new() }
                    }));
                    look_at = Instant::now();
                }
                told = news.recv() => {
                    match told {
                        Ok(news) => if let DockerTold::Storage(storage) = &news.what {
                            downloads.take(news.node, storage.downloads, storage.downloaded);
                        },
                        Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return,
                    }
                    look_at = look_at.min(rested.max(Instant::now() + GATHER));
                }
                () = tokio::time::sleep_until(look_at) => {
                    let began = Instant::now();
                    self.look(live, deploying, node, ended.as_ref(), &mut downloads).await;
                    rested = Instant::now() + began.elapsed();
                    let idle = ended.is_some() && deploying.now().is_settled();
                    // What runs may still stop; that is an event. What lies on no engine of ours is not.
                    look_at = Instant::now() + if idle { EVERY * 30 } else { EVERY };
                }
            }
        }
    }

    async fn look(
        &self,
        live: &Live,
        deploying: &Deploying,
        node: &Arc<Node>,
        ended: Option<&Ended>,
        downloads: &mut Downloads,
    ) {
        let plan = &deploying.plan;
        let looked = {
            // Closed never.
            let _place = live.checking.acquire().await;
            if plan.swarm { tasks::look(node, plan).await } else { containers::look(node, plan, ended.is_some()).await }
        };
        let seen = looked.unwrap_or_else(|e| {
            debug!(session = %live.id(), error = %e, "a deployment cannot be looked at");
            deploying.now().services.iter().map(|s| Seen::new(s.state, s.words.clone())).collect()
        });
        let port = first_port(live, plan, &seen, node).await;
        let downloading = downloads.now();
        deploying.change(live, |d| {
            d.port = port;
            d.downloading = downloading;
            d.take(seen, ended);
        });
    }
}

fn give_up(live: &Live, deploying: &Deploying, e: &AgentError) {
    warn!(session = %live.id(), error = %e, "a stack cannot be deployed");
    deploying.change(live, |d| (d.stage, d.error) = (DeployStage::Failed, Some(e.to_string())));
}

/// The first terminal as it is, or a new one where its shell has ended; its generation.
async fn open(node: &Node) -> Result<u64, AgentError> {
    Ok(node.agent().open_terminal(FIRST_TERMINAL, &marked_shell("")).await?.generation)
}

/// The first port that the stack publishes, where it is open, and whether something answers.
async fn first_port(live: &Live, plan: &Plan, seen: &[Seen], first: &Arc<Node>) -> Option<DeployedPort> {
    let (service, port) = plan.first_port()?;
    let at = plan.compose.services.iter().position(|s| s.name == service.name)?;
    let seen = seen.get(at)?;
    let port = port.or(seen.chosen)?;
    let has = |node: &&Arc<Node>| node.facts().ports.iter().any(|p| p.port == port);
    let nodes = live.nodes();
    let open = nodes.iter().find(has);
    let answers = match open {
        Some(node) if matches!(seen.state, ServiceState::Running | ServiceState::Starting | ServiceState::Pulling) => {
            answers(node, port).await
        }
        _ => false,
    };
    Some(DeployedPort { node: open.unwrap_or(first).name().clone(), port, answers })
}

/// Whether something serves a port. Docker takes connections to a published port from the start, and ends them at once
/// while the program in the container does not listen yet; one that serves greets, or waits for a request. None is sent:
/// the app's first visitor is the student.
async fn answers(node: &Node, port: u16) -> bool {
    let Ok(stream) = node.agent().dial_port(port).await else { return false };
    let mut first = [0];
    match timeout(GREETING, hyper_util::rt::TokioIo::new(stream).read(&mut first)).await {
        Ok(read) => read.is_ok_and(|n| n > 0),
        Err(_) => true,
    }
}

/// What the nodes' engines download now.
#[derive(Debug, Default)]
struct Downloads(HashMap<NodeName, (u64, Instant)>);

impl Downloads {
    fn take(&mut self, node: NodeName, downloads: u32, downloaded: u64) {
        if downloads == 0 {
            self.0.remove(&node);
        } else {
            self.0.insert(node, (downloaded, Instant::now()));
        }
    }

    fn now(&mut self) -> Option<u64> {
        self.0.retain(|_, (_, at)| at.elapsed() < QUIET);
        (!self.0.is_empty()).then(|| self.0.values().fold(0u64, |sum, (bytes, _)| sum.saturating_add(*bytes)))
    }
}
