//! What a session's nodes use against their limits, while someone looks, and word of the limits that they come to.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;
use tracing::debug;

use super::{Event, Live, NodeName, Sessions};
use crate::engine::{SandboxId, Usage};

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// The same limit of a node is told no more often.
const QUIET: Duration = Duration::from_secs(20);
/// A disk, or its table of files, is called full when so much of it is in use, in percent.
const FULL: u64 = 98;
/// A disk is also called full with so many bytes left: less is hardly ever handed out.
const REST: u64 = 16 << 20;

/// What a node uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeUsage {
    /// Processors, in thousandths of one, since the last look.
    pub cpu_milli: u32,
    /// The rest, as the engine counts it.
    pub counted: Usage,
}

/// A limit that a node has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LimitReached {
    /// A process was killed because the node's memory was used up.
    OutOfMemory,
    /// A process was not started because the node had as many as it may have.
    Processes,
    /// The node's disk is full, or has no room for more files.
    Disk,
}

/// One node between two looks.
struct Last {
    at: Instant,
    usage: Usage,
    disk_full: bool,
    told: HashMap<LimitReached, Instant>,
}

impl Sessions {
    /// Looks at the nodes of a session while someone looks at the session, until it ends.
    pub(super) async fn watch_usage(self, live: Arc<Live>) {
        let mut viewers = live.viewers.subscribe();
        let mut last: HashMap<SandboxId, Last> = HashMap::new();
        loop {
            tokio::select! {
                () = live.cancel.cancelled() => return,
                seen = viewers.wait_for(|n| *n > 0) => if seen.is_err() { return },
            }
            let nodes = live.nodes();
            last.retain(|id, _| nodes.iter().any(|n| n.agent().sandbox() == id));
            for node in nodes {
                let id = node.agent().sandbox();
                let usage = match self.inner.engine.usage(id).await {
                    Ok(usage) => usage,
                    Err(e) => {
                        debug!(node = %node.name(), error = %e, "what it uses is not known");
                        continue;
                    }
                };
                let before = last.get(id);
                let cpu_milli = before.map_or(0, |b| rate(b.usage.cpu_us, usage.cpu_us, b.at.elapsed()));
                node.lock().usage = Some(NodeUsage { cpu_milli, counted: usage });
                live.emit(Event::Usage(node.name().clone()));
                let disk_full = is_full(usage.disk + REST, usage.disk_size) || is_full(usage.inodes, usage.inodes_most);
                let now = Instant::now();
                let mut told = HashMap::new();
                if let Some(b) = last.remove(id) {
                    told = b.told;
                    let reached = [
                        (usage.killed > b.usage.killed, LimitReached::OutOfMemory),
                        (usage.pids_hits > b.usage.pids_hits, LimitReached::Processes),
                        (disk_full && !b.disk_full, LimitReached::Disk),
                    ];
                    for (_, limit) in reached.into_iter().filter(|(is, _)| *is) {
                        tell(&live, node.name(), limit, &mut told);
                    }
                } else if disk_full {
                    tell(&live, node.name(), LimitReached::Disk, &mut told);
                }
                last.insert(id.clone(), Last { at: now, usage, disk_full, told });
            }
            tokio::select! {
                () = live.cancel.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }
}

fn tell(live: &Live, node: &NodeName, limit: LimitReached, told: &mut HashMap<LimitReached, Instant>) {
    if told.get(&limit).is_none_or(|at| at.elapsed() > QUIET) {
        told.insert(limit, Instant::now());
        live.emit(Event::LimitReached { node: node.clone(), limit });
    }
}

/// Thousandths of a processor that `from` to `to` microseconds of its time in `span` are.
fn rate(from: u64, to: u64, span: Duration) -> u32 {
    let span = span.as_micros().max(1) as u64;
    u32::try_from(to.saturating_sub(from).saturating_mul(1000) / span).unwrap_or(u32::MAX)
}

fn is_full(used: u64, size: u64) -> bool {
    size > 0 && used * 100 >= size * FULL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_and_fullness() {
        assert_eq!(rate(1_000_000, 2_500_000, Duration::from_secs(1)), 1500);
        assert_eq!(rate(5, 3, Duration::from_secs(1)), 0, "a counter that went back");
        assert!(is_full(98, 100) && !is_full(97, 100) && !is_full(0, 0));
    }
}
