//! Listening to the agents of a session: what changes in its nodes, and the streams that begin there.

use std::{sync::Arc, time::Duration};

use boatyard_protocol::agent::{DockerState, Event as AgentEvent, StreamOffer};
use futures_util::StreamExt;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;
use tracing::{debug, warn};

use super::{EndReason, Event, LimitReached, Live, Node, Sessions, live::DockerTold};
use crate::{
    agent::{AgentError, AgentSocket},
    docker,
    store::StoreError,
};

/// Streams that one node may have open to the server at once.
const MAX_STREAMS: usize = 128;
/// An agent that cannot be reached for so long is dead, and its session lost.
const GIVE_UP: Duration = Duration::from_secs(5);

impl Sessions {
    /// Starts what runs beside a session until it ends.
    pub(super) fn watch(&self, live: &Arc<Live>) {
        let tasks = &self.inner.tasks;
        tasks.spawn(self.clone().expire(live.clone()));
        tasks.spawn(self.clone().watch_lessons(live.clone()));
        tasks.spawn(self.clone().watch_pushes(live.clone()));
        tasks.spawn(self.clone().watch_swarm(live.clone()));
        tasks.spawn(self.clone().watch_usage(live.clone()));
        for node in live.nodes() {
            self.watch_node(live, &node);
        }
    }

    /// Starts what runs beside a node until it leaves.
    pub(super) fn watch_node(&self, live: &Arc<Live>, node: &Arc<Node>) {
        self.inner.tasks.spawn(self.clone().watch_events(live.clone(), node.clone()));
        self.inner.tasks.spawn(self.clone().watch_offers(live.clone(), node.clone()));
    }

    async fn watch_pushes(self, live: Arc<Live>) {
        let mut pushes = self.inner.services.pushes();
        let name = live.public_name();
        loop {
            tokio::select! {
                () = live.cancel.cancelled() => return,
                push = pushes.recv() => match push {
                    Ok(session) if session != name => {}
                    Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                        live.emit(Event::Registry);
                        live.touch();
                    }
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                },
            }
        }
    }

    async fn watch_events(self, live: Arc<Live>, node: Arc<Node>) {
        let mut failing_since = None;
        loop {
            let seen = tokio::select! {
                () = node.over() => return,
                seen = read_events(&live, &node) => seen,
            };
            match seen {
                // It spoke, so it lives; a closed socket is opened again.
                Ok(()) => failing_since = None,
                Err(e) => {
                    debug!(node = %node.name(), error = %e, "an agent is out of reach");
                    let since = *failing_since.get_or_insert_with(tokio::time::Instant::now);
                    if since.elapsed() > GIVE_UP || (e.is_gone() && since.elapsed() > Duration::from_secs(1)) {
                        warn!(session = %live.id(), node = %node.name(), "its sandbox is dead");
                        match self.give_up(&live, &node).await {
                            Ok(()) => return,
                            Err(e) => warn!(session = %live.id(), error = %e, "its end was not stored; trying again"),
                        }
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Goes on without a dead node, or ends the session with its last.
    async fn give_up(&self, live: &Arc<Live>, node: &Arc<Node>) -> Result<(), StoreError> {
        if !self.node_lost(live, node).await? {
            self.end(live.id(), EndReason::Lost)?;
        }
        Ok(())
    }

    async fn watch_offers(self, live: Arc<Live>, node: Arc<Node>) {
        let places = Arc::new(Semaphore::new(MAX_STREAMS));
        loop {
            if let Ok(mut offers) = node.agent().offers().await {
                loop {
                    let offer = tokio::select! {
                        () = node.over() => return,
                        offer = next::<StreamOffer>(&mut offers) => offer,
                    };
                    let Some(offer) = offer else { break };
                    // One that finds no place is not collected, and the agent closes it.
                    let Ok(place) = places.clone().try_acquire_owned() else { continue };
                    let (sessions, live, node) = (self.clone(), live.clone(), node.clone());
                    self.inner.tasks.spawn(async move {
                        let serve = async {
                            match node.agent().collect(offer.stream).await {
                                Ok(stream) => {
                                    sessions.inner.services.serve(&live.public_name(), &offer.service, stream).await;
                                }
                                Err(e) => debug!(error = %e, "an offered stream was not there"),
                            }
                        };
                        tokio::select! { () = node.over() => {}, () = serve => {} }
                        drop(place);
                    });
                }
            }
            tokio::select! {
                () = node.over() => return,
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
    }
}

async fn read_events(live: &Live, node: &Node) -> Result<(), AgentError> {
    let mut socket = node.agent().events().await?;
    while let Some(event) = next::<AgentEvent>(&mut socket).await {
        match event {
            AgentEvent::Ports { mut listening } => {
                listening.truncate(200);
                if node.lock().ports != listening {
                    node.lock().ports = listening;
                    live.emit(Event::Ports(node.name().clone()));
                    live.touch();
                }
            }
            AgentEvent::DockerState { state } => {
                node.lock().docker = state;
                if state == DockerState::Ready {
                    live.swarm_changed.notify_one();
                }
                live.emit(Event::Docker(node.name().clone()));
                live.touch();
            }
            AgentEvent::Terminals { mut terminals } => {
                terminals.truncate(64);
                node.lock().terminals = terminals;
                live.emit(Event::Terminals(node.name().clone()));
            }
            AgentEvent::Docker { event } => {
                live.tell_docker(node, || docker::Event::read(&event).map(DockerTold::Event));
                // Told by managers: a node joined, left or was promoted.
                if event["Type"] == "node" {
                    live.swarm_changed.notify_one();
                }
                if event["Type"] == "container" && event["Action"] == "oom" {
                    live.emit(Event::LimitReached { node: node.name().clone(), limit: LimitReached::OutOfMemory });
                }
                live.touch();
            }
            AgentEvent::DockerStorage { storage } => {
                live.tell_docker(node, || Some(DockerTold::Storage(Arc::new(storage))));
            }
            AgentEvent::Activity { .. } => live.touch(),
        }
    }
    Ok(())
}

/// The next JSON message; `None` when the socket has ended. What is none is passed over.
async fn next<T: serde::de::DeserializeOwned>(socket: &mut AgentSocket) -> Option<T> {
    loop {
        match socket.next().await?.ok()? {
            Message::Text(text) => {
                if let Ok(value) = serde_json::from_str(&text) {
                    return Some(value);
                }
            }
            Message::Close(_) => return None,
            _ => {}
        }
    }
}
