//! Reads what a node's Docker Engine holds, over its API: only what changed, and never waking an engine that sleeps.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use boatyard_protocol::agent::DockerState;
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::{
    layers::{Described, describe},
    model::{Container, Engine, Image, Network, NodePicture, Port, Volume},
    swarm,
};
use crate::{
    course::check::ProbeError,
    docker::{self, CONTAINERS, IMAGES},
    session::{Node, ask_docker},
};

/// Most of each that is shown.
const MAX_IMAGES: usize = 100;
const MAX_CONTAINERS: usize = 250;
const MAX_VOLUMES: usize = 100;
const MAX_NETWORKS: usize = 60;
/// Most layers of all images together.
const MAX_LAYERS: usize = 1500;
/// Most names of one image, and ports, volumes and networks of one container.
const MAX_OF_ONE: usize = 10;
/// Longest name that is shown, in characters.
const MAX_NAME: usize = 150;
/// Requests to an engine at once.
const AT_ONCE: usize = 4;

/// Which parts of a picture have to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub images: bool,
    pub containers: bool,
    pub volumes: bool,
    pub networks: bool,
    pub swarm: bool,
}

impl Parts {
    pub const ALL: Parts = Parts { images: true, containers: true, volumes: true, networks: true, swarm: true };

    pub fn any(self) -> bool {
        self != Parts::default()
    }

    pub fn and(self, other: Parts) -> Parts {
        Parts {
            images: self.images || other.images,
            containers: self.containers || other.containers,
            volumes: self.volumes || other.volumes,
            networks: self.networks || other.networks,
            swarm: self.swarm || other.swarm,
        }
    }

    /// What an event may have changed.
    pub fn touched_by(event: &docker::Event) -> Parts {
        let none = Parts::default();
        match event.kind.as_str() {
            "image" | "builder" => Parts { images: true, ..none },
            // A commit makes an image.
            "container" => match event.action.as_str() {
                "commit" => Parts { images: true, containers: true, ..none },
                // Healthchecks run commands every few seconds.
                a if a.starts_with("exec_") || matches!(a, "top" | "attach" | "detach" | "resize") => none,
                _ => Parts { containers: true, ..none },
            },
            "volume" => Parts { volumes: true, ..none },
            // Swarm's own networks come and go with it.
            "network" => Parts { networks: true, containers: true, swarm: true, ..none },
            "service" | "node" | "secret" | "config" => Parts { swarm: true, ..none },
            "daemon" => Parts::ALL,
            _ => none,
        }
    }
}

/// Reads one node, and remembers what never changes.
pub(super) struct Reader {
    node: Arc<Node>,
    described: HashMap<String, Arc<Described>>,
}

impl Reader {
    pub fn new(node: Arc<Node>) -> Reader {
        Reader { node, described: HashMap::new() }
    }

    /// An empty picture of the node as its engine is.
    pub fn empty(&self) -> NodePicture {
        let engine = match self.node.facts().docker {
            DockerState::Stopped => Engine::Asleep,
            DockerState::Starting => Engine::Starting,
            DockerState::Ready => Engine::Ready,
            DockerState::Failed => Engine::Failed,
            DockerState::Absent => Engine::Absent,
        };
        NodePicture { node: self.node.name().to_string(), engine, ..NodePicture::default() }
    }

    /// What the node holds now; what is not among `parts` is as it was `before`.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn read(&mut self, before: &NodePicture, parts: Parts) -> Result<NodePicture, ProbeError> {
        let mut picture = self.empty();
        if picture.engine != Engine::Ready {
            return Ok(picture);
        }
        // What was seen of an engine that has been away is read again.
        let parts = if before.engine == Engine::Ready { parts } else { Parts::ALL };
        picture = NodePicture { engine: Engine::Ready, ..before.clone() };
        let node = self.node.clone();
        let ask = |wanted: bool, path: &'static str| {
            let node = node.clone();
            async move {
                if wanted { ask_docker(&node, path).await.map(Option::unwrap_or_default) } else { Ok(Value::Null) }
            }
        };
        let (containers, volumes, networks, images, swarm) = tokio::join!(
            ask(parts.containers, CONTAINERS),
            ask(parts.volumes, "/volumes"),
            ask(parts.networks, "/networks"),
            ask(parts.images, IMAGES),
            async { if parts.swarm { swarm::read(&node).await } else { Ok(before.swarm.clone()) } },
        );
        picture.swarm = swarm?;
        if parts.containers {
            (picture.containers, picture.more_containers) =
                first(list(containers?)?.into_iter().map(container).collect(), MAX_CONTAINERS);
        }
        if parts.volumes {
            let found = volumes?["Volumes"].as_array().cloned().unwrap_or_default();
            let mut found: Vec<_> = found.iter().map(volume).collect();
            found.sort_by(|a, b| a.name.cmp(&b.name));
            (picture.volumes, picture.more_volumes) = first(found, MAX_VOLUMES);
        }
        if parts.networks {
            let found = networks?;
            let mut found: Vec<_> = found.as_array().into_iter().flatten().map(network).collect();
            found.retain(|n| !matches!(n.driver.as_str(), "host" | "null"));
            found.sort_by(|a, b| (a.name != "bridge", &a.name).cmp(&(b.name != "bridge", &b.name)));
            (picture.networks, picture.more_networks) = first(found, MAX_NETWORKS);
        }
        if parts.images {
            let (images, more) = first(list(images?)?, MAX_IMAGES);
            self.take_images(&mut picture, images).await;
            picture.more_images = more;
        }
        Ok(picture)
    }

    async fn take_images(&mut self, picture: &mut NodePicture, images: Vec<docker::Image>) {
        self.described.retain(|id, _| images.iter().any(|i| i.id == *id));
        let unknown: Vec<String> =
            images.iter().map(|i| i.id.clone()).filter(|id| is_id(id) && !self.described.contains_key(id)).collect();
        let node = &self.node;
        let asked = stream::iter(unknown).map(|id| async move {
            let inspect = ask_docker(node, &format!("/images/{id}/json")).await.ok()??;
            let history = ask_docker(node, &format!("/images/{id}/history")).await.ok()??;
            Some((id, Arc::new(describe(&inspect, history))))
        });
        self.described.extend(asked.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect::<Vec<_>>().await);
        let mut seen = HashSet::new();
        let images = images.into_iter().filter(|i| is_id(&i.id));
        (picture.layers, picture.images) = Default::default();
        for image in images {
            let described = self.described.get(&image.id);
            let layers = described.map(|d| d.layers.as_slice()).unwrap_or_default();
            let new: Vec<_> = layers.iter().filter(|l| !seen.contains(&l.id)).cloned().collect();
            let fits = picture.layers.len() + new.len() <= MAX_LAYERS;
            if fits {
                seen.extend(new.iter().map(|l| l.id.clone()));
                picture.layers.extend(new);
            }
            let names = image.repo_tags.into_iter().flatten().filter(|n| n != "<none>:<none>");
            picture.images.push(Image {
                top: layers.last().filter(|_| fits).map(|l| l.id.clone()),
                names: names.take(MAX_OF_ONE).map(|n| cut(&n, MAX_NAME)).collect(),
                size: image.size.max(0) as u64,
                created: image.created,
                settings: described.map(|d| d.settings.clone()).unwrap_or_default(),
                built: described.is_some_and(|d| d.built),
                id: image.id,
            });
        }
    }
}

/// Whether it may stand in a path of the API.
pub(super) fn is_id(id: &str) -> bool {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

fn list<T: for<'de> serde::Deserialize<'de>>(answer: Value) -> Result<Vec<T>, ProbeError> {
    docker::list(answer).ok_or_else(|| ProbeError::Other("the Docker Engine answered something that is no list".into()))
}

fn first<T>(mut all: Vec<T>, most: usize) -> (Vec<T>, usize) {
    let more = all.len().saturating_sub(most);
    all.truncate(most);
    (all, more)
}

/// At most `most` characters of a text, with a mark where some are missing.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

fn container(c: docker::Container) -> Container {
    // Docker lists IPv4 and IPv6 apart.
    let ports = c.ports.iter().flatten().map(|p| Port {
        container: p.private_port,
        published: p.public_port,
        protocol: cut(&p.protocol, 8),
    });
    let ports: BTreeSet<Port> = ports.collect();
    let volumes = c.mounts.iter().flatten().filter(|m| m.kind == "volume").map(|m| cut(&m.name, MAX_NAME));
    let networks = c.network_settings.iter().flat_map(|n| n.networks.iter().flatten()).map(|(n, _)| cut(n, MAX_NAME));
    Container {
        name: cut(c.name(), MAX_NAME),
        volumes: volumes.take(MAX_OF_ONE).collect(),
        networks: networks.take(MAX_OF_ONE).collect(),
        ports: ports.into_iter().take(MAX_OF_ONE).collect(),
        image_name: cut(&c.image, MAX_NAME),
        state: cut(&c.state, 20),
        // `Up 3 seconds` changes without an event, so it would be wrong a moment later.
        status: if c.state == "running" { health(&c.status) } else { ended(&c.status) },
        command: cut(&c.command, MAX_NAME),
        image: cut(&c.image_id, 100),
        id: cut(&c.id, 100),
    }
}

/// `Exited (1)`: how long ago would be wrong a moment later.
fn ended(status: &str) -> String {
    let end = status.find(')').map_or(status.len(), |at| at + 1);
    cut(&status[..end], MAX_NAME)
}

fn health(status: &str) -> String {
    let words = status.rsplit_once('(').map_or("", |(_, w)| w.trim_end_matches(')'));
    if words.starts_with("health") || words == "unhealthy" { cut(words, 30) } else { String::new() }
}

fn text(value: &Value) -> String {
    cut(value.as_str().unwrap_or_default(), MAX_NAME)
}

fn volume(v: &Value) -> Volume {
    Volume { name: text(&v["Name"]), driver: text(&v["Driver"]) }
}

fn network(n: &Value) -> Network {
    let subnet = n["IPAM"]["Config"][0]["Subnet"].as_str().map(|s| cut(s, 60));
    Network { id: text(&n["Id"]), name: text(&n["Name"]), driver: text(&n["Driver"]), subnet }
}
