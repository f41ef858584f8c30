//! What containers take: asked again and again, but only while someone looks, and of so many at once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use boatyard_protocol::agent::ExecRequest;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::time::Instant;

use super::{model::Gauge, read::is_id, shared::Shared};
use crate::session::{Node, ask_docker};

/// How often.
const EVERY: Duration = Duration::from_secs(2);
/// Of so many running containers, the newest.
const MAX: usize = 24;
/// Measuring a writable layer is a walk through its files: so many at once, and each so rarely while its container
/// runs. One that does not run does not change.
const MEASURED: usize = 8;
/// Sums up the files of each folder. The engine itself would walk through the whole image as well, which takes seconds.
const SUM: &str =
    r#"for d; do nice find "$d" -xdev -type f -printf '%s\n' 2>/dev/null | awk '{s+=$1} END {print s+0}'; done"#;
const WRITABLE: Duration = Duration::from_secs(10);

/// A reading of cpu counters, in nanoseconds: of the container and of the machine.
type Cpu = (u64, u64);

/// Tells what a node's containers take until it is dropped.
pub(super) async fn measure(node: Arc<Node>, shared: Arc<Shared>) {
    let name = node.name().to_string();
    let mut cpu: HashMap<String, Cpu> = HashMap::new();
    let mut writable: HashMap<String, (Option<u64>, Instant, bool)> = HashMap::new();
    let mut told = Vec::new();
    loop {
        let began = Instant::now();
        let containers: Vec<_> = shared.containers(&name).into_iter().filter(|(id, _)| is_id(id)).collect();
        let running = containers.iter().filter(|(_, runs)| *runs).map(|(id, _)| id.clone());
        let running: Vec<String> = running.take(MAX).collect();
        cpu.retain(|id, _| running.contains(id));
        writable.retain(|id, _| containers.iter().any(|(c, _)| c == id));

        let old = |(id, runs): &&(String, bool)| match writable.get(id) {
            None => true,
            Some((_, at, ran)) => *ran != *runs || (*runs && at.elapsed() > WRITABLE),
        };
        let to_measure: Vec<(String, bool)> = containers.iter().filter(old).take(MEASURED).cloned().collect();
        for ((id, runs), size) in to_measure.iter().zip(writable_layers(&node, &to_measure).await) {
            writable.insert(id.clone(), (size, Instant::now(), *runs));
        }
        let stats = stream::iter(running).map(|id| {
            let node = &node;
            async move {
                let path = format!("/containers/{id}/stats?stream=false&one-shot=true");
                Some((id, ask_docker(node, &path).await.ok()??))
            }
        });
        let stats: HashMap<String, Value> = stats.buffer_unordered(4).filter_map(std::future::ready).collect().await;

        let mut gauges = Vec::new();
        for (id, _) in &containers {
            let stats = stats.get(id);
            let size = writable.get(id).and_then(|w| w.0);
            if stats.is_none() && size.is_none() {
                continue;
            }
            let now = stats.and_then(counters);
            let before = now.and_then(|now| cpu.insert(id.clone(), now));
            let cpus = now.zip(before).and_then(|(now, before)| used(before, now, stats?));
            gauges.push(Gauge { container: id.clone(), cpus, memory: stats.and_then(memory), writable: size });
        }
        if gauges != told {
            shared.gauges(&name, gauges.clone());
            told = gauges;
        }
        // The containers may not have been read yet.
        let pause = if containers.is_empty() { Duration::from_millis(500) } else { EVERY };
        tokio::time::sleep(pause.max(began.elapsed() * 4)).await;
    }
}

/// Bytes of the containers' writable layers, in order; `None` for what cannot be measured in two seconds.
async fn writable_layers(node: &Node, containers: &[(String, bool)]) -> Vec<Option<u64>> {
    let mut folders = Vec::new();
    for (id, _) in containers {
        let inspect = ask_docker(node, &format!("/containers/{id}/json")).await.ok().flatten().unwrap_or_default();
        // Of a container without one, nothing is summed up.
        let folder = inspect["GraphDriver"]["Data"]["UpperDir"].as_str().filter(|f| f.starts_with('/'));
        folders.push(folder.unwrap_or("/var/empty").chars().take(400).collect::<String>());
    }
    if folders.is_empty() {
        return Vec::new();
    }
    let command = ["sh", "-c", SUM, "sh"].map(str::to_owned).into_iter().chain(folders).collect();
    let request = ExecRequest {
        command,
        user: Some("root".into()),
        stdin: None,
        cwd: None,
        env: Default::default(),
        timeout_ms: 2000,
        max_output: 1 << 10,
    };
    let answer = node.agent().exec(&request).await.map(|a| a.stdout).unwrap_or_default();
    let mut sizes = answer.lines().map(|line| line.trim().parse().ok());
    containers.iter().map(|_| sizes.next().flatten()).collect()
}

fn counters(stats: &Value) -> Option<Cpu> {
    let cpu = &stats["cpu_stats"];
    Some((cpu["cpu_usage"]["total_usage"].as_u64()?, cpu["system_cpu_usage"].as_u64()?))
}

fn used(before: Cpu, now: Cpu, stats: &Value) -> Option<f64> {
    let machine = now.1.checked_sub(before.1).filter(|d| *d > 0)?;
    let processors = stats["cpu_stats"]["online_cpus"].as_u64().unwrap_or(1).min(4096);
    let used = now.0.saturating_sub(before.0) as f64 / machine as f64 * processors as f64;
    // Two digits are what can be measured in two seconds.
    Some((used * 100.0).round() / 100.0)
}

fn memory(stats: &Value) -> Option<u64> {
    let memory = &stats["memory_stats"];
    let usage = memory["usage"].as_u64()?;
    // Files that the kernel has cached; named after the version of control groups.
    let cache = [&memory["stats"]["total_inactive_file"], &memory["stats"]["inactive_file"]];
    Some(usage.saturating_sub(cache.into_iter().find_map(Value::as_u64).unwrap_or_default()))
}
