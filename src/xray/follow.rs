//! Follows a session: what its engines, its agents and its registry tell makes the picture be read again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::{broadcast::error::RecvError, watch},
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use super::{
    buildkit,
    deeds::{Said, Teller, pushes},
    gauges,
    incoming::Incoming,
    layers::chain,
    model::{Engine, NodePicture, Pushed, PushedLayer, Registry, UnderWay},
    read::{Parts, Reader, cut},
    shared::Shared,
};
use crate::{
    docker,
    session::{DockerTold, Event, Held, Live, Node, Services},
};

/// What comes within this is read at once: a command makes several events.
const TOGETHER: Duration = Duration::from_millis(40);
/// A push's manifest arrives shortly before the engine says that it pushed.
const PUSH: Duration = Duration::from_millis(120);
/// An image is stored shortly before it gets its name, of which there is an event.
const UNNAMED: Duration = Duration::from_secs(1);
/// Most events that are remembered for the words.
const MAX_EVENTS: usize = 300;
/// Most tags of the registry that are shown.
const MAX_PUSHED: usize = 60;
/// How often a swarm's tasks are asked for: a manager has no events of them.
const TASKS: Duration = Duration::from_secs(2);

/// Follows all nodes and the registry until it is dropped.
pub(super) async fn follow(services: Arc<dyn Services>, live: Arc<Live>, shared: Arc<Shared>) {
    let mut happens = live.subscribe();
    let spawn = |task| AbortOnDropHandle::new(tokio::spawn(task));
    let _registry: AbortOnDropHandle<()> = spawn(boxed(follow_registry(services, live.clone(), shared.clone())));
    let mut following: HashMap<String, (Arc<Node>, [AbortOnDropHandle<()>; 3])> = HashMap::new();
    loop {
        let nodes: Vec<Arc<Node>> = live.nodes();
        let names: Vec<String> = nodes.iter().map(|n| n.name().to_string()).collect();
        shared.keep_nodes(&names);
        following.retain(|_, (node, _)| nodes.iter().any(|n| Arc::ptr_eq(n, node)));
        for (name, node) in names.into_iter().zip(nodes) {
            following.entry(name).or_insert_with(|| {
                let (builds, seen) = watch::channel(Vec::new());
                let following = Following::new(node.clone(), shared.clone(), seen);
                let picture = spawn(boxed(following.run(live.clone())));
                let builds = spawn(boxed(buildkit::follow(node.clone(), builds)));
                let gauges = spawn(boxed(gauges::measure(node.clone(), shared.clone())));
                (node, [picture, builds, gauges])
            });
        }
        loop {
            match happens.recv().await {
                Ok(Event::Changed) | Err(RecvError::Lagged(_)) => break,
                Ok(Event::Ended(_)) | Err(RecvError::Closed) => return,
                Ok(_) => {}
            }
        }
    }
}

fn boxed(task: impl Future<Output = ()> + Send + 'static) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(task)
}

/// What is known of one node while it is followed.
struct Following {
    node: Arc<Node>,
    name: String,
    shared: Arc<Shared>,
    reader: Reader,
    teller: Teller,
    picture: NodePicture,
    /// Whether it was read at all: what is there at first is no news.
    known: bool,
    /// What is to be read, and when.
    due: Parts,
    when: Option<Instant>,
    /// No reading before this: a flood of events takes at most half of the time.
    rest: Instant,
    failures: u32,
    events: Vec<docker::Event>,
    pull: Incoming,
    builds: watch::Receiver<Vec<UnderWay>>,
    tasks: Instant,
    /// When images are read though no event tells of one.
    stored: Option<Instant>,
}

impl Following {
    fn new(node: Arc<Node>, shared: Arc<Shared>, builds: watch::Receiver<Vec<UnderWay>>) -> Following {
        let now = Instant::now();
        let reader = Reader::new(node.clone());
        Following {
            name: node.name().to_string(),
            picture: reader.empty(),
            node,
            shared,
            reader,
            teller: Teller::default(),
            known: false,
            due: Parts::ALL,
            when: Some(now),
            rest: now,
            failures: 0,
            events: Vec::new(),
            pull: Incoming::default(),
            builds,
            tasks: now + TASKS,
            stored: None,
        }
    }

    async fn run(mut self, live: Arc<Live>) {
        let mut news = live.docker_news();
        let mut happens = live.subscribe();
        loop {
            let now = Instant::now();
            let tasks = self.has_tasks().then_some(self.tasks);
            let times = [self.when.map(|w| w.max(self.rest)), self.teller.due(), self.pull.ends(), tasks, self.stored];
            let wake = times.into_iter().flatten().min();
            tokio::select! {
                biased;
                news = news.recv() => match news {
                    Ok(news) if news.node != *self.node.name() => {}
                    Ok(news) => self.take(news.what, now),
                    Err(RecvError::Lagged(_)) => self.read_soon(Parts::ALL, now),
                    Err(RecvError::Closed) => return,
                },
                happened = happens.recv() => match happened {
                    Ok(Event::Docker(node)) if node == *self.node.name() => self.read_soon(Parts::ALL, now),
                    Err(RecvError::Lagged(_)) => self.read_soon(Parts::default(), now),
                    Err(RecvError::Closed) => return,
                    Ok(_) => {}
                },
                Ok(()) = self.builds.changed() => self.show_under_way(),
                () = sleep_until(wake.unwrap_or(now)), if wake.is_some() => self.act(Instant::now()).await,
            }
        }
    }

    fn has_tasks(&self) -> bool {
        self.picture.swarm.as_ref().is_some_and(|s| !s.services.is_empty())
    }

    fn read_soon(&mut self, parts: Parts, now: Instant) {
        self.due = self.due.and(parts);
        self.when.get_or_insert(now + TOGETHER);
    }

    fn take(&mut self, told: DockerTold, now: Instant) {
        match told {
            DockerTold::Event(event) => {
                let mut parts = Parts::touched_by(&event);
                if !parts.any() {
                    return;
                }
                // Where there is a swarm, its tasks are containers.
                parts.swarm |= parts.containers && self.picture.swarm.is_some();
                if event.kind == "image" {
                    self.pull.image_came();
                    self.stored = None;
                }
                if self.events.len() < MAX_EVENTS {
                    self.events.push(event);
                }
                self.read_soon(parts, now);
            }
            DockerTold::Storage(storage) => {
                if storage.images {
                    self.stored = Some(now + UNNAMED);
                }
                self.pull.take(&storage, now);
                self.show_under_way();
            }
        }
    }

    async fn act(&mut self, now: Instant) {
        if self.has_tasks() && now >= self.tasks {
            self.tasks = now + TASKS;
            self.read_soon(Parts { swarm: true, ..Parts::default() }, now - TOGETHER);
        }
        if self.stored.is_some_and(|at| now >= at) {
            self.stored = None;
            self.read_soon(Parts { images: true, ..Parts::default() }, now - TOGETHER);
        }
        if self.pull.ends().is_some_and(|at| now >= at) {
            self.pull.image_came();
            self.show_under_way();
        }
        if self.when.is_some_and(|w| now >= w.max(self.rest)) {
            self.read(now).await;
        } else if self.teller.due().is_some_and(|at| now >= at) {
            let said = self.teller.tell(&self.picture, &self.picture, &[], now);
            self.shared.tell(Some(&self.name), said);
        }
    }

    async fn read(&mut self, now: Instant) {
        self.when = None;
        let due = std::mem::take(&mut self.due);
        let events = std::mem::take(&mut self.events);
        let place = self.shared.clone();
        let _place = place.reading.acquire().await;
        match self.reader.read(&self.picture, due).await {
            Ok(mut picture) => {
                self.failures = 0;
                picture.under_way.clone_from(&self.picture.under_way);
                if picture.engine != Engine::Ready {
                    picture.under_way.clear();
                }
                self.shared.set_node(&picture);
                if std::mem::replace(&mut self.known, true) {
                    let said: Vec<Said> = self.teller.tell(&self.picture, &picture, &events, Instant::now());
                    self.shared.tell(Some(&self.name), said);
                } else {
                    self.shared.has_read();
                }
                self.picture = picture;
                self.show_under_way();
            }
            Err(e) => {
                debug!(node = %self.name, error = %e, "an engine did not tell what it holds");
                self.due = self.due.and(due);
                let newer = std::mem::replace(&mut self.events, events);
                self.events.extend(newer);
                self.failures = (self.failures + 1).min(5);
                self.when = Some(Instant::now() + Duration::from_millis(100) * 2u32.pow(self.failures));
                // One that cannot be asked shows what is known of it.
                if !self.known {
                    self.shared.set_node(&self.picture);
                    self.shared.has_read();
                }
            }
        }
        self.rest = Instant::now() + now.elapsed();
    }

    fn show_under_way(&mut self) {
        self.pull.forget(&self.picture.layers);
        let builds = self.builds.borrow().clone();
        let pull = self.pull.under_way(!builds.is_empty());
        let under_way: Vec<UnderWay> = builds.into_iter().chain(pull).collect();
        if self.picture.under_way != under_way && self.picture.engine == Engine::Ready {
            self.shared.set_under_way(&self.name, &under_way);
            self.picture.under_way = under_way;
        }
    }
}

async fn follow_registry(services: Arc<dyn Services>, live: Arc<Live>, shared: Arc<Shared>) {
    let (mut told, mut news) = (services.pushes(), live.docker_news());
    let session = live.public_name();
    let mut before: Option<Registry> = None;
    loop {
        match services.holdings(&session, MAX_PUSHED).await {
            Ok((held, count)) => {
                let more = count.saturating_sub(held.len());
                let after = Registry { images: held.into_iter().map(pushed).collect(), more };
                shared.set_registry(&after);
                if let Some(before) = &before {
                    let mut by_docker = false;
                    while let Ok(news) = news.try_recv() {
                        by_docker |= is_push(&news.what);
                    }
                    shared.tell(None, pushes(before, &after, by_docker));
                }
                before = Some(after);
            }
            Err(e) => debug!(error = format!("{e:#}"), "the registry did not tell what it holds"),
        }
        loop {
            match told.recv().await {
                Ok(name) if name != session => {}
                Ok(_) | Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return,
            }
        }
        tokio::time::sleep(PUSH).await;
    }
}

fn is_push(told: &DockerTold) -> bool {
    matches!(told, DockerTold::Event(e) if e.is("image", "push"))
}

fn pushed(held: Held) -> Pushed {
    let mut below: Option<String> = None;
    let mut layers = Vec::new();
    for layer in held.layers {
        let id = layer.diff.map(|diff| chain(below.as_deref(), &cut(&diff, 100)));
        below.clone_from(&id);
        layers.push(PushedLayer { id, digest: cut(&layer.digest, 100), size: layer.size, catalogue: layer.catalogue });
    }
    let name = format!("{}/{}:{}", boatyard_protocol::agent::REGISTRY_HOST, held.repository, held.tag);
    Pushed { name, digest: held.digest, layers }
}
