//! What an X-ray shows: data only, as it goes to the page. Every list is bounded; what is over is counted in `more_…`.

use serde::Serialize;
use utoipa::ToSchema;

/// What a session's Docker Engines and its registry hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = XrayPicture)]
pub struct Picture {
    /// The session's nodes, in order.
    pub nodes: Vec<NodePicture>,
    /// What the session has pushed.
    pub registry: Registry,
}

/// State of a Docker Engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = XrayEngine)]
pub enum Engine {
    /// Not started; the next `docker` command starts it.
    #[default]
    Asleep,
    /// Started, does not answer yet.
    Starting,
    /// Answers.
    Ready,
    /// Does not come up.
    Failed,
    /// There is none.
    Absent,
}

/// What one node's Docker Engine holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = XrayNode)]
pub struct NodePicture {
    /// Its name, such as `node1`.
    pub node: String,
    /// State of its engine. Of one that is not ready nothing else is known.
    pub engine: Engine,
    /// Layers of its images, each once, parents before children.
    pub layers: Vec<Layer>,
    /// Images, newest first.
    pub images: Vec<Image>,
    /// Images that are not listed.
    pub more_images: usize,
    /// Containers, newest first.
    pub containers: Vec<Container>,
    /// Containers that are not listed.
    pub more_containers: usize,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// Volumes that are not listed.
    pub more_volumes: usize,
    /// Networks, without Docker's own `host` and `none`.
    pub networks: Vec<Network>,
    /// Networks that are not listed.
    pub more_networks: usize,
    /// What is being pulled or built now.
    pub under_way: Vec<UnderWay>,
    /// The swarm, as its manager tells it; absent on workers and without a swarm.
    #[schema(required)]
    pub swarm: Option<Swarm>,
}

/// A read-only layer. Images that share it name it once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayLayer)]
pub struct Layer {
    /// Chain id: names the layer together with all that are below it.
    pub id: String,
    /// The layer below.
    #[schema(required)]
    pub parent: Option<String>,
    /// The Dockerfile's instruction that made it, where the image tells.
    #[schema(required)]
    pub instruction: Option<String>,
    /// Bytes.
    pub size: u64,
}

/// An image: a stack of layers, and what to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayImage)]
pub struct Image {
    /// Its id, such as `sha256:…`.
    pub id: String,
    /// Its names with tags; none for one that lost its last name.
    pub names: Vec<String>,
    /// Its topmost layer; absent where it has none, or is not described.
    #[schema(required)]
    pub top: Option<String>,
    /// Bytes of all its layers.
    pub size: u64,
    /// Seconds since 1970 of its making.
    pub created: i64,
    /// Instructions that made no layer, such as `CMD ["python3"]`, in order.
    pub settings: Vec<String>,
    /// Whether BuildKit made it.
    pub built: bool,
}

/// A container: a writable layer on an image.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = XrayContainer)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Id of its image.
    pub image: String,
    /// The name under which that was asked for.
    pub image_name: String,
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
    pub state: String,
    /// In words, such as `Exited (1) 3 seconds ago`.
    pub status: String,
    /// What it runs.
    pub command: String,
    /// Its ports.
    pub ports: Vec<Port>,
    /// Names of its volumes.
    pub volumes: Vec<String>,
    /// Names of its networks.
    pub networks: Vec<String>,
}

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(as = XrayPort)]
pub struct Port {
    /// Port of the container.
    pub container: u16,
    /// Port of the node that leads there.
    #[schema(required)]
    pub published: Option<u16>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// What a container takes now: measured while someone looks.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = XrayGauge)]
pub struct Gauge {
    /// The container's id.
    pub container: String,
    /// Processors, of which 1.0 is one.
    #[schema(required)]
    pub cpus: Option<f64>,
    /// Bytes of memory, without what the kernel can take back.
    #[schema(required)]
    pub memory: Option<u64>,
    /// Bytes of its writable layer; measured more rarely.
    #[schema(required)]
    pub writable: Option<u64>,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayVolume)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Its driver.
    pub driver: String,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayNetwork)]
pub struct Network {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its driver, such as `bridge` or `overlay`.
    pub driver: String,
    /// Its first subnet.
    #[schema(required)]
    pub subnet: Option<String>,
}

/// A pull or a build while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayUnderWay)]
pub struct UnderWay {
    /// What is going on.
    pub kind: UnderWayKind,
    /// What it is at, in words.
    pub words: String,
    /// Its steps or layers so far, oldest first.
    pub steps: Vec<UnderWayStep>,
}

/// Kind of an [`UnderWay`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = XrayUnderWayKind)]
pub enum UnderWayKind {
    /// Layers come in: `docker pull`, `docker load`, or what a run or a build needs.
    Pull,
    /// BuildKit works.
    Build,
}

/// A step of a build, or a layer of a pull.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayUnderWayStep)]
pub struct UnderWayStep {
    /// Chain id of the layer, where it is known.
    #[schema(required)]
    pub layer: Option<String>,
    /// The step's instruction, or the layer's short name.
    pub words: String,
    /// Bytes.
    pub size: u64,
    /// Whether it is done.
    pub done: bool,
}

/// A swarm, as one of its managers sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XraySwarm)]
pub struct Swarm {
    /// Its nodes.
    pub nodes: Vec<SwarmNode>,
    /// Its services.
    pub services: Vec<Service>,
    /// Tasks that are wanted, by service.
    pub tasks: Vec<Task>,
}

/// A node of a swarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XraySwarmNode)]
pub struct SwarmNode {
    /// Its id in the swarm.
    pub id: String,
    /// Its host name.
    pub name: String,
    /// `manager` or `worker`.
    pub role: String,
    /// Whether it leads.
    pub leader: bool,
    /// `ready`, `down` or `unknown`.
    pub state: String,
    /// `active`, `pause` or `drain`.
    pub availability: String,
}

/// A service of a swarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayService)]
pub struct Service {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The image that its tasks run, without digest.
    pub image: String,
    /// Tasks wanted; absent for a global one, which has one on each node.
    #[schema(required)]
    pub replicas: Option<u64>,
    /// Tasks that run.
    pub running: usize,
    /// Its ports.
    pub ports: Vec<Port>,
}

/// A task of a service: one container on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayTask)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// Id of its service.
    pub service: String,
    /// Its number in a replicated service.
    #[schema(required)]
    pub slot: Option<u64>,
    /// Id of the swarm's node that it is on; absent while it has none.
    #[schema(required)]
    pub node: Option<String>,
    /// Such as `running`, `preparing` or `rejected`.
    pub state: String,
}

/// What the session has in its registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayRegistry)]
pub struct Registry {
    /// Its tags, by repository.
    pub images: Vec<Pushed>,
    /// Tags that are not listed.
    pub more: usize,
}

/// A tag in the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayPushed)]
pub struct Pushed {
    /// The name under which Docker pulls it, such as `registry.lab:5000/me/app:1.0`.
    pub name: String,
    /// Digest of its manifest.
    pub digest: String,
    /// Its layers, the lowest first.
    pub layers: Vec<PushedLayer>,
}

/// A layer in the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayPushedLayer)]
pub struct PushedLayer {
    /// Chain id: the same as that of the layer which the engine made of it or it of that.
    #[schema(required)]
    pub id: Option<String>,
    /// Digest of the compressed layer.
    pub digest: String,
    /// Bytes, compressed.
    pub size: u64,
    /// Whether the catalogue has it too, so that it was never sent.
    pub catalogue: bool,
}

/// What just happened, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = XrayDeed)]
pub struct Deed {
    /// Counts up within a session while someone looks.
    pub number: u64,
    /// When it was seen, RFC 3339.
    pub at: String,
    /// The node; absent for the registry.
    #[schema(required)]
    pub node: Option<String>,
    /// What did it, such as `docker build`; the words begin with it.
    pub verb: String,
    /// The whole sentence, plain text.
    pub words: String,
    /// What changed and is there: ids of layers, images, containers and networks, `volume:<name>`, `registry:<name>`,
    /// `service:<id>`.
    pub changed: Vec<String>,
}

/// A message to the page.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[schema(as = XrayMessage)]
pub enum Message {
    /// Everything: first, and after a page fell behind.
    Picture {
        /// The picture.
        picture: Picture,
        /// What happened while someone looked, oldest first.
        deeds: Vec<Deed>,
    },
    /// What a node holds now; replaces what was said of it.
    Node {
        /// What it holds.
        node: NodePicture,
    },
    /// What the registry holds now.
    Registry {
        /// What it holds.
        registry: Registry,
    },
    /// What is being pulled or built on a node now; replaces what was said of it.
    UnderWay {
        /// The node.
        node: String,
        /// What is under way.
        under_way: Vec<UnderWay>,
    },
    /// What a node's running containers take now; of those that are not named nothing is known.
    Gauges {
        /// The node.
        node: String,
        /// One for each.
        gauges: Vec<Gauge>,
    },
    /// What just happened. It comes after what it changed.
    Deeds {
        /// Oldest first.
        deeds: Vec<Deed>,
    },
}
