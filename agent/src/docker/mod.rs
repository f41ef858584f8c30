//! The sandbox's Docker Engine: its socket held from the first millisecond, its daemons started on first use, watched,
//! and stopped in order.

mod client;
mod daemons;
mod settings;
mod socket;
mod storage;

use std::{
    io,
    os::fd::OwnedFd,
    sync::{Arc, Mutex},
    time::Duration,
};

use boatyard_protocol::agent::{AgentConfig, DockerMode, DockerState};
pub use daemons::activate;
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::Notify,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    events::Hub,
    reaper::{Process, Reaper},
    sandbox::offline,
};

/// A daemon that lived shorter than this died quickly.
const QUICK: Duration = Duration::from_secs(10);
/// After so many quick deaths the engine counts as failed.
const DEATHS: u32 = 5;
/// How often a failed engine is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// The Docker Engine. Clones share it.
#[derive(Clone)]
pub struct Docker {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<DockerState>,
    start: Notify,
    events: Hub,
    reaper: Arc<Reaper>,
    mode: DockerMode,
    /// Environment of dockerd, beside what it always has.
    environment: Vec<(&'static str, String)>,
    listener: Option<AsyncFd<OwnedFd>>,
    /// Cancelled when the daemons are to stop.
    stop: CancellationToken,
    stopped: CancellationToken,
}

impl Docker {
    /// Opens the socket where there is an engine to start, and writes its settings.
    pub fn new(config: &AgentConfig, reaper: Arc<Reaper>, events: Hub) -> Self {
        let there = config.docker != DockerMode::Off && daemons::installed();
        let listener = there.then(socket::bind).and_then(|bound| {
            bound
                .and_then(|fd| {
                    // SAFETY: an OwnedFd gives the same descriptor as long as it lives, and stays in the AsyncFd.
                    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map_err(io::Error::from)
                })
                .inspect_err(|e| tracing::error!("{}: {e}; Docker stays off", socket::PATH))
                .ok()
        });
        if listener.is_some() {
            settings::write_if_missing(&config.tunnels);
        }
        let state = if listener.is_some() { DockerState::Stopped } else { DockerState::Absent };
        let inner = Inner {
            state: Mutex::new(state),
            start: Notify::new(),
            events,
            reaper,
            mode: config.docker,
            environment: offline::environment(config),
            listener,
            stop: CancellationToken::new(),
            stopped: CancellationToken::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Its state.
    pub fn state(&self) -> DockerState {
        *self.inner.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn set(&self, state: DockerState) {
        let mut now = self.inner.state.lock().unwrap_or_else(|e| e.into_inner());
        if *now != state {
            *now = state;
            drop(now);
            tracing::info!("docker: {state:?}");
            self.inner.events.docker_state(state);
        }
    }

    /// Starts it if it is not up; false where there is none.
    pub fn start(&self) -> bool {
        self.inner.start.notify_one();
        self.state() != DockerState::Absent
    }

    /// Starts the daemons when they are wanted, and again when they die, until [`Docker::stop`].
    pub async fn supervise(self) {
        let Some(listener) = &self.inner.listener else { return self.inner.stopped.cancel() };
        if self.inner.mode == DockerMode::OnDemand {
            tokio::select! {
                // Nothing is accepted here: the connection waits for dockerd.
                _ = listener.readable() => {}
                () = self.inner.start.notified() => {}
                () = self.inner.stop.cancelled() => return self.inner.stopped.cancel(),
            }
        }
        let mut deaths = 0;
        let mut containerd: Option<Process> = None;
        let mut dockerd: Option<Process> = None;
        while !self.inner.stop.is_cancelled() {
            if deaths < DEATHS {
                self.set(DockerState::Starting);
            }
            let began = Instant::now();
            let why = tokio::select! {
                why = self.run(&mut containerd, &mut dockerd, listener) => why,
                () = self.inner.stop.cancelled() => break,
            };
            tracing::warn!("docker: {why}");
            deaths = if began.elapsed() < QUICK { deaths + 1 } else { 1 };
            let pause = if deaths < DEATHS {
                Duration::from_millis(100) * 2u32.pow(deaths - 1)
            } else {
                self.set(DockerState::Failed);
                RETRY
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.inner.start.notified() => {}
                () = self.inner.stop.cancelled() => {}
            }
        }
        let patience = Duration::from_millis(400);
        for process in [dockerd, containerd].into_iter().flatten() {
            daemons::end(&self.inner.reaper, process, patience).await;
        }
        self.inner.stopped.cancel();
    }

    /// Starts what is not running and waits until one of the daemons is gone; gives what happened.
    async fn run(
        &self,
        containerd: &mut Option<Process>,
        dockerd: &mut Option<Process>,
        listener: &AsyncFd<OwnedFd>,
    ) -> String {
        let reaper = &self.inner.reaper;
        if containerd.is_none() {
            match daemons::containerd(reaper) {
                Ok(process) => *containerd = Some(process),
                Err(e) => return format!("containerd does not start: {e}"),
            }
        }
        // At the same time: dockerd has much to do before it needs containerd, and then looks for its socket again and again.
        if dockerd.is_none() {
            match daemons::dockerd(reaper, listener.get_ref(), &self.inner.environment) {
                Ok(process) => *dockerd = Some(process),
                Err(e) => return format!("dockerd does not start: {e}"),
            }
        }
        let Some(c) = containerd.as_mut() else { return "no containerd".into() };
        let Some(d) = dockerd.as_mut() else { return "no dockerd".into() };
        tokio::select! {
            code = c.exit() => {
                *containerd = None;
                format!("containerd ended with {code}; see {}", daemons::CONTAINERD_LOG)
            }
            code = d.exit() => {
                *dockerd = None;
                format!("dockerd ended with {code}; see {}", daemons::DOCKERD_LOG)
            }
            never = self.follow() => match never {},
        }
    }

    /// Waits until dockerd answers, then passes its events on, for as long as it lives.
    async fn follow(&self) -> std::convert::Infallible {
        loop {
            if client::ping().await {
                self.set(DockerState::Ready);
                let storage = async {
                    // Where this does not work, events alone tell.
                    let Err(e) = storage::follow(|seen| self.inner.events.docker_storage(seen)).await;
                    tracing::debug!("Docker's storage is not watched: {e}");
                    std::future::pending::<()>().await
                };
                tokio::select! {
                    () = client::events(|event| self.inner.events.docker(event)) => {}
                    () = storage => {}
                }
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Stops containers, dockerd and containerd, in that order, within about a second.
    pub async fn stop(&self) {
        if self.state() == DockerState::Ready {
            let _ = tokio::time::timeout(Duration::from_millis(900), client::stop_containers()).await;
        }
        self.inner.stop.cancel();
        let _ = tokio::time::timeout(Duration::from_millis(900), self.inner.stopped.cancelled()).await;
    }
}
