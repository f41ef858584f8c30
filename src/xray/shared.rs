//! What all who look at a session's X-ray share: the picture as it is, and the way to them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, broadcast, watch},
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    deeds::Said,
    follow::follow,
    model::{Deed, Gauge, Message, NodePicture, Picture, Registry, UnderWay},
};
use crate::session::{Live, Sessions};

/// Sentences that a newcomer gets.
const DEEDS: usize = 60;
/// So long a newcomer waits for the first reading; then it gets what is known.
const FIRST: Duration = Duration::from_secs(3);

/// The X-ray of one session, for as long as someone looks.
#[derive(Debug)]
pub struct Xray {
    shared: Arc<Shared>,
    _ends: DropGuard,
}

/// One that looks.
pub struct Look {
    xray: Arc<Xray>,
    hears: broadcast::Receiver<Arc<str>>,
    /// Whether it needs everything next.
    anew: bool,
}

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    out: broadcast::Sender<Arc<str>>,
    read: watch::Sender<bool>,
    /// Readings of whole engines, whose answers are held: so many nodes at once.
    pub reading: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    picture: Picture,
    deeds: VecDeque<Deed>,
    number: u64,
}

impl Xray {
    /// Begins to look at a session.
    pub fn look(sessions: &Sessions, live: &Arc<Live>) -> Look {
        let mut known = live.xray.lock().unwrap_or_else(PoisonError::into_inner);
        let xray = known.upgrade().unwrap_or_else(|| {
            let shared = Arc::new(Shared {
                state: Mutex::default(),
                // Each may be a megabyte of a node's picture; a viewer that is further behind gets everything anew.
                out: broadcast::Sender::new(16),
                read: watch::Sender::new(false),
                reading: Semaphore::new(2),
            });
            let ends = CancellationToken::new();
            let (sessions_, live_, shared_, until) = (sessions.clone(), live.clone(), shared.clone(), ends.clone());
            sessions.spawn(async move {
                tokio::select! {
                    () = until.cancelled() => {}
                    () = live_.over() => {}
                    () = follow(sessions_.services().clone(), live_.clone(), shared_) => {}
                }
            });
            let xray = Arc::new(Xray { shared, _ends: ends.drop_guard() });
            *known = Arc::downgrade(&xray);
            xray
        });
        Look { hears: xray.shared.out.subscribe(), xray, anew: true }
    }
}

impl Look {
    /// The next [`Message`], as JSON: first everything, then what changes.
    pub async fn next(&mut self) -> Arc<str> {
        loop {
            if std::mem::take(&mut self.anew) {
                let mut read = self.xray.shared.read.subscribe();
                let _ = timeout(FIRST, read.wait_for(|read| *read)).await;
                let state = self.xray.shared.lock();
                // Whatever is said from here on is not in the picture yet.
                self.hears = self.xray.shared.out.subscribe();
                let deeds = state.deeds.iter().cloned().collect();
                return json(&Message::Picture { picture: state.picture.clone(), deeds });
            }
            match self.hears.recv().await {
                Ok(message) => return message,
                Err(broadcast::error::RecvError::Lagged(_)) => self.anew = true,
                // It cannot be: the sender lives as long as this.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, message: &Message) {
        // Nobody listening is fine.
        let _ = self.out.send(json(message));
    }

    /// The first reading is done.
    pub fn has_read(&self) {
        self.read.send_replace(true);
    }

    /// The session's nodes, in order: others are forgotten.
    pub fn keep_nodes(&self, names: &[String]) {
        let mut state = self.lock();
        let known: Vec<String> = state.picture.nodes.iter().map(|n| n.node.clone()).collect();
        if known == names {
            return;
        }
        let before = std::mem::take(&mut state.picture.nodes);
        state.picture.nodes = names
            .iter()
            .map(|name| {
                let empty = || NodePicture { node: name.clone(), ..NodePicture::default() };
                before.iter().find(|n| n.node == *name).cloned().unwrap_or_else(empty)
            })
            .collect();
        let deeds = state.deeds.iter().cloned().collect();
        self.send(&Message::Picture { picture: state.picture.clone(), deeds });
    }

    /// What a node holds now.
    pub fn set_node(&self, node: &NodePicture) {
        let mut state = self.lock();
        let Some(slot) = state.picture.nodes.iter_mut().find(|n| n.node == node.node) else { return };
        if slot != node {
            slot.clone_from(node);
            self.send(&Message::Node { node: node.clone() });
        }
    }

    /// What is under way on a node now.
    pub fn set_under_way(&self, node: &str, under_way: &[UnderWay]) {
        let mut state = self.lock();
        let Some(slot) = state.picture.nodes.iter_mut().find(|n| n.node == node) else { return };
        if slot.under_way != under_way {
            slot.under_way = under_way.to_vec();
            self.send(&Message::UnderWay { node: node.to_owned(), under_way: under_way.to_vec() });
        }
    }

    /// What the registry holds now.
    pub fn set_registry(&self, registry: &Registry) {
        let mut state = self.lock();
        if state.picture.registry != *registry {
            state.picture.registry.clone_from(registry);
            self.send(&Message::Registry { registry: registry.clone() });
        }
    }

    /// What a node's containers take.
    pub fn gauges(&self, node: &str, gauges: Vec<Gauge>) {
        self.send(&Message::Gauges { node: node.to_owned(), gauges });
    }

    /// Ids of a node's containers and whether they run, as last read.
    pub fn containers(&self, node: &str) -> Vec<(String, bool)> {
        let state = self.lock();
        let node = state.picture.nodes.iter().find(|n| n.node == node);
        node.iter().flat_map(|n| &n.containers).map(|c| (c.id.clone(), c.state == "running")).collect()
    }

    /// Tells what happened.
    pub fn tell(&self, node: Option<&str>, said: Vec<Said>) {
        if said.is_empty() {
            return;
        }
        let mut state = self.lock();
        let at = jiff::Timestamp::now().to_string();
        let mut deeds = Vec::new();
        for Said { verb, words, changed } in said {
            state.number += 1;
            let node = node.map(str::to_owned);
            deeds.push(Deed { number: state.number, at: at.clone(), node, verb, words, changed });
        }
        state.deeds.extend(deeds.iter().cloned());
        while state.deeds.len() > DEEDS {
            state.deeds.pop_front();
        }
        self.send(&Message::Deeds { deeds });
    }
}

fn json(message: &Message) -> Arc<str> {
    serde_json::to_string(message).unwrap_or_default().into()
}
