//! What happened to containers.

use std::collections::HashMap;

use tokio::time::Instant;

use super::{ASKED, Said, Teller, UNREMOVED, UNSTARTED, added, grouped, listed, pruned};
use crate::{
    docker::Event,
    xray::model::{Container, NodePicture},
};

/// Who ended a container that nobody stopped.
const PROGRAM: &str = "The program";

impl Teller {
    pub(super) fn containers(
        &mut self,
        before: &NodePicture,
        after: &NodePicture,
        events: &[Event],
        now: Instant,
    ) -> Vec<Said> {
        self.asked.retain(|_, at| now < *at + ASKED);
        for event in events.iter().filter(|e| e.kind == "container") {
            let known = ["kill", "stop", "oom", "restart"].into_iter().find(|a| *a == event.action);
            // A stop begins with a signal that asks, and says so only after the container has ended.
            let asks = event.action == "kill" && event.signal.is_some_and(|s| s != libc::SIGKILL);
            let known = if asks { Some("stop") } else { known };
            self.asked.extend(known.map(|action| ((event.id.clone(), action), now)));
        }
        for event in events.iter().filter(|e| e.is("container", "die")) {
            self.exits.extend(event.exit_code.map(|code| (event.id.clone(), code)));
        }
        let mut said = Vec::new();
        let old: HashMap<&str, &Container> = before.containers.iter().map(|c| (c.id.as_str(), c)).collect();
        for new in added(&before.containers, &after.containers, |c| &c.id) {
            self.unstarted.insert(new.id.clone(), now);
        }
        // Those that have started, ended or gone, or were never meant to start.
        let (mut started, mut made, mut ran) = (Vec::new(), Vec::new(), Vec::new());
        let mut told = Vec::new();
        for container in &after.containers {
            let Some(since) = self.unstarted.get(&container.id).copied() else { continue };
            match container.state.as_str() {
                "created" if now < since + UNSTARTED => continue,
                "created" => made.push(container),
                "exited" | "dead" => ran.push(container),
                _ => started.push(container),
            }
            self.unstarted.remove(&container.id);
            told.push(&container.id);
        }
        said.extend(grouped(
            made,
            |c| c.name.clone(),
            |some, names| {
                let words = format!("made {names} from {}: a writable layer, nothing runs yet", images(some));
                Said::new("docker create", words, ids(some))
            },
        ));
        said.extend(grouped(
            started,
            |c| c.name.clone(),
            |some, names| {
                let what = if some.len() == 1 {
                    format!("started {names}")
                } else {
                    format!("started {} containers, {names},", some.len())
                };
                Said::new("docker run", format_args!("{what} from {}{}", images(some), ports(some)), ids(some))
            },
        ));
        for container in ran {
            let words =
                format!("ran {} from {} to its end{}", container.name, container.image_name, self.exit(container));
            self.ended.insert(container.id.clone(), (now, Said::new("docker run", words, vec![container.id.clone()])));
        }
        for container in &after.containers {
            let Some(old) = old
                .get(container.id.as_str())
                .filter(|_| !self.unstarted.contains_key(&container.id) && !told.contains(&&container.id))
            else {
                continue;
            };
            if old.name != container.name {
                let words = format!("calls {} {} now", old.name, container.name);
                said.push(Said::new("docker rename", words, vec![container.id.clone()]));
            }
            if old.state != container.state {
                match self.changed(old, container) {
                    Some(by_itself) if by_itself.verb == PROGRAM => {
                        self.ended.insert(container.id.clone(), (now, by_itself));
                    }
                    other => said.extend(other),
                }
            } else if container.state == "running" && self.asked.contains_key(&(container.id.clone(), "restart")) {
                said.push(Said::new(
                    "docker restart",
                    format_args!("stopped and started {}", container.name),
                    vec![container.id.clone()],
                ));
            }
            if old.state == container.state {
                for network in container.networks.iter().filter(|n| !old.networks.contains(n)) {
                    let words = format!("connected {} to {network}", container.name);
                    said.push(Said::new("docker network connect", words, vec![container.id.clone()]));
                }
                for network in old.networks.iter().filter(|n| !container.networks.contains(n)) {
                    let words = format!("took {} off {network}", container.name);
                    said.push(Said::new("docker network disconnect", words, vec![container.id.clone()]));
                }
            }
        }
        said.extend(self.gone(before, after, events));
        said.extend(self.stayed(after, now));
        // What was told once is not told again.
        self.asked.retain(|(id, action), _| {
            *action != "restart" && after.containers.iter().any(|c| c.id == *id && c.state == "running")
        });
        self.unstarted.retain(|id, _| after.containers.iter().any(|c| c.id == *id));
        self.exits.retain(|id, _| after.containers.iter().any(|c| c.id == *id));
        said
    }

    fn changed(&self, old: &Container, new: &Container) -> Option<Said> {
        let name = &new.name;
        let asked = |action| self.asked.contains_key(&(new.id.clone(), action));
        let (verb, words) = match new.state.as_str() {
            "running" if old.state == "paused" => ("docker unpause", format!("lets {name} go on")),
            "running" if asked("restart") => ("docker restart", format!("started {name} again")),
            "running" if old.state == "restarting" => {
                ("Docker", format!("started {name} again, as its restart policy says"))
            }
            "running" if old.state == "created" => ("docker start", format!("started {name}")),
            "running" => ("docker start", format!("started {name} again on the same writable layer")),
            "paused" => ("docker pause", format!("froze {name}")),
            "restarting" => ("Docker", format!("will start {name} again{}", self.exit(new))),
            "exited" | "dead" => {
                let exit = self.exit(new);
                if asked("oom") {
                    ("The kernel", format!("killed {name}: it wanted more memory than it may have"))
                } else if asked("stop") {
                    ("docker stop", format!("stopped {name}{exit}; its writable layer stays"))
                } else if asked("kill") {
                    ("docker kill", format!("ended {name}{exit}; its writable layer stays"))
                } else {
                    (PROGRAM, format!("of {name} ended{exit}; its writable layer stays"))
                }
            }
            _ => return None,
        };
        Some(Said::new(verb, words, vec![new.id.clone()]))
    }

    /// Those that ended by themselves a while ago and are still there.
    fn stayed(&mut self, after: &NodePicture, now: Instant) -> Vec<Said> {
        let mut said = Vec::new();
        self.ended.retain(|id, (since, words)| {
            let Some(container) = after.containers.iter().find(|c| c.id == *id) else { return false };
            let waits = now < *since + UNREMOVED && matches!(container.state.as_str(), "exited" | "dead");
            if !waits {
                said.push(words.clone());
            }
            waits
        });
        said.sort_by(|a, b| a.words.cmp(&b.words));
        said
    }

    /// ` with exit code 0`
    fn exit(&self, container: &Container) -> String {
        let told = self.exits.get(&container.id).copied();
        let read = || container.status.split_once('(')?.1.split_once(')')?.0.parse().ok();
        told.or_else(read).map_or_else(String::new, |code| format!(" with exit code {code}"))
    }

    fn gone(&mut self, before: &NodePicture, after: &NodePicture, events: &[Event]) -> Vec<Said> {
        let mut said = self.unseen(before, after, events);
        let gone = added(&after.containers, &before.containers, |c| &c.id);
        if pruned(events, "container") {
            let names: Vec<_> = gone.iter().map(|c| c.name.clone()).collect();
            if !names.is_empty() {
                let words = format!("removed {} and what they had written", listed(&names));
                said.push(Said::new("docker container prune", words, Vec::new()));
            }
            return said;
        }
        let asked = |id: &str| ["kill", "stop"].iter().any(|action| self.asked.contains_key(&(id.to_owned(), *action)));
        let (by_itself, removed): (Vec<_>, Vec<_>) = gone.into_iter().partition(|c| {
            self.ended.contains_key(&c.id)
                || c.state != "exited" && c.state != "created" && self.exits.contains_key(&c.id) && !asked(&c.id)
        });
        for c in by_itself {
            let words = format!("removed {} and its writable layer when it ended{}", c.name, self.exit(c));
            said.push(Said::new("docker run --rm", words, Vec::new()));
        }
        said.extend(grouped(
            removed,
            |c| c.name.clone(),
            |some, names| {
                let what = if some.len() == 1 { "its writable layer" } else { "their writable layers" };
                Said::new("docker rm", format_args!("removed {names} and {what}"), Vec::new())
            },
        ));
        said
    }

    /// Those that came and went between two looks.
    fn unseen(&self, before: &NodePicture, after: &NodePicture, events: &[Event]) -> Vec<Said> {
        let unseen: Vec<&Event> = events
            .iter()
            .filter(|e| {
                e.is("container", "destroy") && events.iter().any(|c| c.is("container", "create") && c.id == e.id)
            })
            .filter(|e| !before.containers.iter().chain(&after.containers).any(|c| c.id == e.id))
            .collect();
        grouped(
            unseen,
            |e| e.name.clone(),
            |some, names| {
                let words = match some {
                    [one] => {
                        let code = self.exits.get(&one.id).map_or_else(String::new, |c| format!(" with exit code {c}"));
                        format!("ran {names} from {} to its end{code} and removed it", one.image)
                    }
                    many => format!("ran {} containers to their ends and removed them: {names}", many.len()),
                };
                Said::new("docker run --rm", words, Vec::new())
            },
        )
    }
}

fn ids(containers: &[&Container]) -> Vec<String> {
    containers.iter().map(|c| c.id.clone()).collect()
}

fn images(containers: &[&Container]) -> String {
    let mut names: Vec<String> = containers.iter().map(|c| c.image_name.clone()).collect();
    names.sort();
    names.dedup();
    listed(&names)
}

fn ports(containers: &[&Container]) -> String {
    let ports: Vec<String> =
        containers.iter().flat_map(|c| &c.ports).filter_map(|p| p.published).map(|p| p.to_string()).collect();
    match ports.len() {
        0 => String::new(),
        1 => format!(", published on port {}", ports[0]),
        _ => format!(", published on ports {}", listed(&ports)),
    }
}
