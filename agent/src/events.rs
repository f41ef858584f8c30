//! What happens in the sandbox, told to whoever listens.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use boatyard_protocol::agent::{DockerState, DockerStorage, Event, ListeningPort};
use tokio::sync::broadcast;

/// Least time between two [`Event::Activity`] of one terminal.
const ACTIVITY: Duration = Duration::from_millis(250);

/// Something that listeners are told; they look up the rest themselves.
#[derive(Debug, Clone)]
pub enum News {
    /// Terminals were opened, ended or closed.
    Terminals,
    /// An event as it is sent.
    Event(Arc<Event>),
}

/// Where events go. Clones share it.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    news: broadcast::Sender<News>,
    /// Whether a terminal put something out since its last activity was told.
    active: Mutex<HashMap<String, bool>>,
    ports: Mutex<Vec<ListeningPort>>,
}

impl Default for Hub {
    fn default() -> Self {
        let inner = Inner { news: broadcast::Sender::new(256), active: Default::default(), ports: Default::default() };
        Self { inner: Arc::new(inner) }
    }
}

impl Hub {
    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<News> {
        self.inner.news.subscribe()
    }

    /// Whether anyone listens.
    pub fn heard(&self) -> bool {
        self.inner.news.receiver_count() > 0
    }

    fn send(&self, event: Event) {
        let _ = self.inner.news.send(News::Event(Arc::new(event)));
    }

    /// A terminal was opened, ended or closed.
    pub fn terminals_changed(&self) {
        let _ = self.inner.news.send(News::Terminals);
    }

    /// The Docker Engine's state changed.
    pub fn docker_state(&self, state: DockerState) {
        self.send(Event::DockerState { state });
    }

    /// The Docker Engine reported something.
    pub fn docker(&self, event: serde_json::Value) {
        self.send(Event::Docker { event });
    }

    /// Docker's storage changed.
    pub fn docker_storage(&self, storage: DockerStorage) {
        self.send(Event::DockerStorage { storage });
    }

    /// These ports listen now; told where they differ from those last seen.
    pub fn set_ports(&self, listening: Vec<ListeningPort>) {
        let mut ports = self.inner.ports.lock().unwrap_or_else(|e| e.into_inner());
        if *ports != listening {
            ports.clone_from(&listening);
            drop(ports);
            self.send(Event::Ports { listening });
        }
    }

    /// A terminal put something out: told now, then at most each quarter of a second, and once more after the last.
    pub fn activity(&self, terminal: &str) {
        if !self.heard() {
            return;
        }
        let mut active = self.inner.active.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(again) = active.get_mut(terminal) {
            *again = true;
            return;
        }
        active.insert(terminal.to_owned(), false);
        drop(active);
        let (hub, terminal) = (self.clone(), terminal.to_owned());
        tokio::spawn(async move {
            loop {
                hub.send(Event::Activity { terminal: terminal.clone() });
                tokio::time::sleep(ACTIVITY).await;
                let mut active = hub.inner.active.lock().unwrap_or_else(|e| e.into_inner());
                match active.get_mut(&terminal) {
                    Some(again) if *again => *again = false,
                    _ => {
                        active.remove(&terminal);
                        break;
                    }
                }
            }
        });
    }
}
