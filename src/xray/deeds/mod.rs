//! What just happened, in words: from the difference between two pictures, with the engine's events telling by which
//! command. So the words are true whatever client did it, and what happened twice in between is one sentence.

mod containers;
mod images;
mod pushes;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::model::{Engine, NodePicture, Service, Swarm};
use crate::docker::Event;

pub(super) use pushes::pushes;

/// Most sentences of one difference.
const MOST: usize = 12;
/// So many of a kind get a sentence each; more are one sentence.
const EACH: usize = 4;
/// So long a new container may be on its way to its start: `docker run` creates and starts.
const UNSTARTED: Duration = Duration::from_secs(5);
/// So long what was done to a container may be why it ends.
const ASKED: Duration = Duration::from_secs(15);
/// So long a container that ended by itself may be there before it counts as staying: `docker run --rm` removes it.
const UNREMOVED: Duration = Duration::from_secs(1);
/// So long a new volume may wait for its container: `docker run` makes it first.
const UNUSED: Duration = Duration::from_millis(500);

/// A sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// What did it; the words begin with it.
    pub verb: String,
    pub words: String,
    /// Ids of what changed and is there.
    pub changed: Vec<String>,
}

impl Said {
    fn new(verb: &str, rest: impl std::fmt::Display, changed: Vec<String>) -> Said {
        Said { verb: verb.to_owned(), words: format!("{verb} {rest}"), changed }
    }
}

/// Tells the deeds of one node.
#[derive(Debug, Default)]
pub(super) struct Teller {
    /// New containers that have not started yet, and since when.
    unstarted: HashMap<String, Instant>,
    /// What was done to containers that may end of it, and when: `docker stop` waits for ten seconds.
    asked: HashMap<(String, &'static str), Instant>,
    /// What is to be told of containers that ended by themselves, unless they are removed, and since when.
    ended: HashMap<String, (Instant, Said)>,
    /// New volumes that no container uses yet, and since when.
    unused: HashMap<String, Instant>,
    /// Exit codes of containers that died, until they are told.
    exits: HashMap<String, i32>,
}

impl Teller {
    /// When there is something to tell though nothing changes any more.
    pub fn due(&self) -> Option<Instant> {
        let containers = self.unstarted.values().min().map(|since| *since + UNSTARTED);
        let volumes = self.unused.values().min().map(|since| *since + UNUSED);
        let ended = self.ended.values().map(|(since, _)| *since + UNREMOVED).min();
        [containers, volumes, ended].into_iter().flatten().min()
    }

    /// What lies between two pictures of the node. `events` are those that came in between.
    pub fn tell(&mut self, before: &NodePicture, after: &NodePicture, events: &[Event], now: Instant) -> Vec<Said> {
        match (before.engine == Engine::Ready, after.engine == Engine::Ready) {
            (false, false) => return Vec::new(),
            (true, false) => {
                *self = Teller::default();
                return vec![Said::new("Docker Engine", "stopped", Vec::new())];
            }
            (false, true) => return vec![Said::new("Docker Engine", "started", Vec::new())],
            (true, true) => {}
        }
        let mut said = images::tell(before, after, events);
        said.extend(networks(before, after, events));
        said.extend(self.volumes(before, after, events, now));
        said.extend(self.containers(before, after, events, now));
        said.extend(swarm(before.swarm.as_ref(), after.swarm.as_ref()));
        if said.len() > MOST {
            let more = said.len() - MOST;
            said.truncate(MOST);
            said.push(Said::new("docker", format_args!("changed {more} more things"), Vec::new()));
        }
        said
    }
}

impl Teller {
    fn volumes(&mut self, before: &NodePicture, after: &NodePicture, events: &[Event], now: Instant) -> Vec<Said> {
        for new in added(&before.volumes, &after.volumes, |v| &v.name) {
            self.unused.insert(new.name.clone(), now);
        }
        let user = |name: &String| after.containers.iter().find(|c| c.volumes.contains(name));
        let (mut made, mut said) = (Vec::new(), Vec::new());
        self.unused.retain(|name, since| {
            let changed = vec![format!("volume:{name}")];
            match user(name) {
                Some(user) => {
                    let words = format!("made the volume {} for {}", volume_name(name), user.name);
                    said.push(Said::new("docker run", words, changed));
                }
                None if !after.volumes.iter().any(|v| v.name == *name) => {}
                None if now >= *since + UNUSED => made.push(name.clone()),
                None => return true,
            }
            false
        });
        made.sort();
        said.extend(grouped(
            made,
            |name| volume_name(name),
            |some, names| {
                let what = if some.len() == 1 { "the volume" } else { "the volumes" };
                let changed = some.iter().map(|name| format!("volume:{name}")).collect();
                Said::new("docker volume create", format_args!("made {what} {names}"), changed)
            },
        ));
        said.extend(gone_volumes(before, after, events));
        said
    }
}

/// One sentence for each, or one for all where there are many.
fn grouped<T>(items: Vec<T>, name: impl Fn(&T) -> String, say: impl Fn(&[T], &str) -> Said) -> Vec<Said> {
    if items.len() <= EACH {
        return items.chunks(1).map(|one| say(one, &name(&one[0]))).collect();
    }
    let names = listed(&items.iter().map(name).collect::<Vec<_>>());
    vec![say(&items, &names)]
}

/// `a, b, c and 4 more`
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if names.len() <= EACH => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more", names[..EACH - 1].join(", "), names.len() - EACH + 1),
    }
}

/// `1 layer`, `2 layers`
fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Bytes as Docker shows them.
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 || unit == "GB" {
            let digits = usize::from(value < 9.95 && unit != "B");
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    unreachable!("the last unit takes all")
}

fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}

/// Adds what is in `after` and not in `before`, by a key.
fn added<'a, T>(before: &[T], after: &'a [T], key: impl Fn(&T) -> &str) -> Vec<&'a T> {
    let known: std::collections::HashSet<&str> = before.iter().map(&key).collect();
    after.iter().filter(|x| !known.contains(key(x))).collect()
}

/// Whether a command that removes all that is unused did it.
fn pruned(events: &[Event], kind: &str) -> bool {
    events.iter().any(|e| e.is(kind, "prune"))
}

fn networks(before: &NodePicture, after: &NodePicture, events: &[Event]) -> Vec<Said> {
    let made = added(&before.networks, &after.networks, |n| &n.id);
    let mut said = grouped(
        made,
        |n| n.name.clone(),
        |some, names| {
            let what = if some.len() == 1 {
                format!("the {} network {names}", some[0].driver)
            } else {
                format!("the networks {names}")
            };
            Said::new("docker network create", format_args!("made {what}"), some.iter().map(|n| n.id.clone()).collect())
        },
    );
    let verb = if pruned(events, "network") { "docker network prune" } else { "docker network rm" };
    let gone = added(&after.networks, &before.networks, |n| &n.id);
    said.extend(grouped(
        gone,
        |n| n.name.clone(),
        |some, names| {
            let what = if some.len() == 1 { "the network" } else { "the networks" };
            Said::new(verb, format_args!("removed {what} {names}"), Vec::new())
        },
    ));
    said
}

fn gone_volumes(before: &NodePicture, after: &NodePicture, events: &[Event]) -> Vec<Said> {
    let verb = if pruned(events, "volume") { "docker volume prune" } else { "docker volume rm" };
    let gone = added(&after.volumes, &before.volumes, |v| &v.name);
    grouped(
        gone,
        |v| volume_name(&v.name),
        |some, names| {
            let what = if some.len() == 1 { "the volume" } else { "the volumes" };
            Said::new(verb, format_args!("removed {what} {names} and what was in it"), Vec::new())
        },
    )
}

/// An anonymous volume's name is 64 digits long.
fn volume_name(name: &str) -> String {
    if name.len() == 64 { short(name) } else { name.to_owned() }
}

fn swarm(before: Option<&Swarm>, after: Option<&Swarm>) -> Vec<Said> {
    let (before, after) = match (before, after) {
        (None, None) => return Vec::new(),
        (None, Some(after)) => {
            let nodes = count(after.nodes.len(), "node");
            return vec![Said::new(
                "docker swarm",
                format_args!("made this node a manager; the swarm has {nodes}"),
                Vec::new(),
            )];
        }
        (Some(_), None) => return vec![Said::new("docker swarm leave", "took this node out of the swarm", Vec::new())],
        (Some(before), Some(after)) => (before, after),
    };
    let mut said = Vec::new();
    for node in added(&before.nodes, &after.nodes, |n| &n.id) {
        said.push(Said::new(
            "docker swarm join",
            format_args!("brought {} in as a {}", node.name, node.role),
            vec![node.id.clone()],
        ));
    }
    for node in &after.nodes {
        let Some(old) = before.nodes.iter().find(|n| n.id == node.id) else { continue };
        if old.role != node.role {
            let verb = if node.role == "manager" { "docker node promote" } else { "docker node demote" };
            said.push(Said::new(verb, format_args!("made {} a {}", node.name, node.role), vec![node.id.clone()]));
        }
        if old.availability != node.availability {
            let words = format!("set {} to {}", node.name, node.availability);
            said.push(Said::new("docker node update", words, vec![node.id.clone()]));
        }
        if old.state != node.state {
            said.push(Said::new(
                "The swarm",
                format_args!("sees {} as {} now", node.name, node.state),
                vec![node.id.clone()],
            ));
        }
    }
    let wanted = |s: &Service| s.replicas.map_or("one task on each node".into(), |n| count(n as usize, "task"));
    let id = |s: &Service| format!("service:{}", s.id);
    for service in added(&before.services, &after.services, |s| &s.id) {
        let words = format!("made {} from {}: {} wanted", service.name, service.image, wanted(service));
        said.push(Said::new("docker service create", words, vec![id(service)]));
    }
    for service in added(&after.services, &before.services, |s| &s.id) {
        said.push(Said::new("docker service rm", format_args!("removed {} and its tasks", service.name), Vec::new()));
    }
    for service in &after.services {
        let Some(old) = before.services.iter().find(|s| s.id == service.id) else { continue };
        if old.image != service.image {
            let words = format!("moves {} from {} to {}", service.name, old.image, service.image);
            said.push(Said::new("docker service update", words, vec![id(service)]));
        }
        if old.replicas != service.replicas {
            let words = format!("wants {} of {} now", wanted(service), service.name);
            said.push(Said::new("docker service scale", words, vec![id(service)]));
        }
        if old.running != service.running {
            let of = service.replicas.map(|n| format!(" of {n}")).unwrap_or_default();
            let run = if service.running == 1 { "runs" } else { "run" };
            let words = format!("{}: {}{of} tasks {run}", service.name, service.running);
            said.push(Said::new("The swarm", format_args!("has {words}"), vec![id(service)]));
        }
    }
    said
}
