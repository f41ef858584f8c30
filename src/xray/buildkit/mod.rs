//! Builds while they run, as BuildKit itself tells them: the same streams that `docker buildx` reads, over the Engine
//! API's `POST /grpc` (BuildKit's `api/services/control/control.proto`).

mod grpc;
mod wire;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use boatyard_protocol::agent::DockerState;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use super::{
    incoming::step,
    model::{UnderWay, UnderWayKind, UnderWayStep},
    read::cut,
};
use crate::session::Node;
use grpc::Grpc;
use wire::Fields;

/// Builds that are followed at once.
const MAX_BUILDS: usize = 4;
/// Steps of one build.
const MAX_VERTICES: usize = 200;
/// Most steps that are shown: the last ones.
const MAX_STEPS: usize = 40;
/// Least time between two reports.
const EVERY: Duration = Duration::from_millis(150);
/// When a connection that failed is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// A step of BuildKit's, such as `[2/4] WORKDIR /app` or `exporting to image`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Vertex {
    digest: String,
    name: String,
    cached: bool,
    started: bool,
    completed: bool,
}

/// What the streams say.
enum Told {
    Steps(String, Vec<Vertex>),
    Ended(String),
}

/// Tells which builds run on a node, until it is dropped.
pub(super) async fn follow(node: Arc<Node>, builds: watch::Sender<Vec<UnderWay>>) {
    loop {
        // Asking one that sleeps would wake it.
        if node.facts().docker == DockerState::Ready {
            if let Err(e) = listen(&node, &builds).await {
                debug!(node = %node.name(), error = %e, "BuildKit does not tell of its builds");
            }
            builds.send_if_modified(|b| !std::mem::take(b).is_empty());
        }
        sleep(RETRY).await;
    }
}

async fn listen(node: &Node, builds: &watch::Sender<Vec<UnderWay>>) -> anyhow::Result<()> {
    let mut grpc = Grpc::connect(node).await?;
    // BuildHistoryRequest: only active builds.
    let mut history = grpc.call("ListenBuildHistory", &wire::boolean(1, true)).await?;
    let (tell, mut told) = mpsc::channel(64);
    let mut running: BTreeMap<String, (Vec<Vertex>, AbortOnDropHandle<()>)> = BTreeMap::new();
    let mut due: Option<Instant> = None;
    loop {
        tokio::select! {
            event = history.next() => {
                let Some(event) = event? else { return Ok(()) };
                // BuildHistoryEvent: type 0 is a build that started; the record's first field is its reference.
                let event = Fields::read(&event);
                let reference = event.message(2).text(1);
                if event.number(1) == 0 && running.len() < MAX_BUILDS && !running.contains_key(&reference) {
                    let mut status = grpc.call("Status", &wire::text(1, &reference)).await?;
                    let (tell, of) = (tell.clone(), reference.clone());
                    let task = AbortOnDropHandle::new(tokio::spawn(async move {
                        while let Ok(Some(response)) = status.next().await {
                            if tell.send(Told::Steps(of.clone(), vertices(&response))).await.is_err() {
                                return;
                            }
                        }
                        let _ = tell.send(Told::Ended(of)).await;
                    }));
                    running.insert(reference, (Vec::new(), task));
                } else if event.number(1) != 0 && running.remove(&reference).is_some() {
                    due.get_or_insert(Instant::now());
                }
            }
            // This holds a sender itself, so it never ends.
            Some(told) = told.recv() => {
                match told {
                    Told::Steps(of, new) => if let Some((known, _)) = running.get_mut(&of) { merge(known, new) },
                    Told::Ended(of) => { running.remove(&of); }
                }
                due.get_or_insert(Instant::now() + EVERY);
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                due = None;
                let now: Vec<UnderWay> = running.values().filter_map(|(vertices, _)| under_way(vertices)).collect();
                builds.send_if_modified(|before| {
                    let changed = *before != now;
                    *before = now;
                    changed
                });
            }
        }
    }
}

/// Steps of a StatusResponse.
fn vertices(response: &[u8]) -> Vec<Vertex> {
    let read = |v: Fields| Vertex {
        digest: cut(&v.text(1), 100),
        name: cut(&v.text(3), 500),
        cached: v.number(4) != 0,
        started: v.has(5),
        completed: v.has(6),
    };
    Fields::read(response).messages(1).take(MAX_VERTICES).map(read).collect()
}

fn merge(known: &mut Vec<Vertex>, new: Vec<Vertex>) {
    for vertex in new {
        match known.iter().position(|v| v.digest == vertex.digest) {
            Some(at) => {
                let old = &mut known[at];
                let (started, completed) = (old.started || vertex.started, old.completed || vertex.completed);
                *old = Vertex { started, completed, cached: old.cached || vertex.cached, ..vertex };
            }
            None if known.len() < MAX_VERTICES => known.push(vertex),
            None => {}
        }
    }
}

fn under_way(vertices: &[Vertex]) -> Option<UnderWay> {
    let begun = || vertices.iter().filter(|v| v.started || v.completed || v.cached);
    // BuildKit lists them as it comes upon them, from the last one on.
    let mut in_order: Vec<&Vertex> = begun().collect();
    in_order.sort_by_key(|v| number(&v.name));
    let mut steps: Vec<UnderWayStep> = in_order
        .into_iter()
        .filter_map(|v| {
            let cached = if v.cached { " (cached)" } else { "" };
            let words = format!("{}{cached}", step(&v.name)?);
            Some(UnderWayStep { layer: None, words, size: 0, done: v.completed || v.cached })
        })
        .collect();
    let over = steps.len().saturating_sub(MAX_STEPS);
    steps.drain(..over);
    let at = begun().rfind(|v| !v.completed && !v.cached).or(begun().next_back())?;
    let words = step(&at.name).unwrap_or_else(|| at.name.trim_start_matches("[internal] ").to_owned());
    Some(UnderWay { kind: UnderWayKind::Build, words: cut(&words, 300), steps })
}

/// Stage and number of a step: `("build", 2)` of `[build 2/4] RUN make`.
fn number(name: &str) -> (&str, u32) {
    let inner = name.strip_prefix('[').and_then(|n| n.split_once('/')).map_or("", |(before, _)| before);
    let (stage, number) = inner.rsplit_once(' ').unwrap_or(("", inner));
    (stage, number.parse().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vertex(name: &str, started: bool, completed: bool, cached: bool) -> Vertex {
        Vertex { digest: name.into(), name: name.into(), cached, started, completed }
    }

    #[test]
    fn a_build_is_told_by_its_steps() {
        let mut known = Vec::new();
        merge(&mut known, vec![vertex("[internal] load build context", true, false, false)]);
        assert_eq!(under_way(&known).unwrap().words, "load build context");
        merge(
            &mut known,
            vec![
                vertex("[internal] load build context", false, true, false),
                vertex("[2/3] RUN pip install flask", true, false, false),
                vertex("[1/3] FROM docker.io/library/python", true, true, true),
                vertex("[3/3] COPY . .", false, false, false),
            ],
        );
        let shown = under_way(&known).unwrap();
        assert_eq!(shown.words, "RUN pip install flask");
        let steps: Vec<_> = shown.steps.iter().map(|s| (s.words.as_str(), s.done)).collect();
        assert_eq!(steps, [("FROM docker.io/library/python (cached)", true), ("RUN pip install flask", false)]);
        assert_eq!(under_way(&[]), None);
    }

    #[test]
    fn a_status_is_read_and_nonsense_is_not() {
        let mut inner = wire::text(1, "sha256:1");
        inner.extend(wire::text(3, "[1/2] RUN x"));
        inner.extend(wire::bytes(5, b""));
        let status = wire::bytes(1, &inner);
        assert_eq!(
            vertices(&status),
            [Vertex { digest: "sha256:1".into(), ..vertex("[1/2] RUN x", true, false, false) }]
        );
        for nonsense in [&b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..], b"\x0a\x7fabc", b"\xff", b""] {
            assert!(vertices(nonsense).is_empty());
        }
    }
}
