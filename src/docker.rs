//! The parts of the Docker Engine API's answers that checks and the X-ray look at (written for 1.45). Everything is
//! optional or has a default: what a student's engine answers may have any shape, and what does not look at a part must
//! not fail for it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::course::ImageRef;

/// All images.
pub(crate) const IMAGES: &str = "/images/json";

/// All containers, also those that do not run.
pub(crate) const CONTAINERS: &str = "/containers/json?all=1";

/// An image of [`IMAGES`].
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Image {
    pub id: String,
    /// Seconds since 1970.
    #[serde(default)]
    pub created: i64,
    /// Bytes of all its layers.
    #[serde(default)]
    pub size: i64,
    #[serde(default)]
    pub repo_tags: Option<Vec<String>>,
    #[serde(default)]
    pub repo_digests: Option<Vec<String>>,
}

impl Image {
    /// Its names with tags.
    pub fn names(&self) -> impl Iterator<Item = ImageRef> {
        // Docker lists an image that lost its last name as `<none>:<none>`, which is no name.
        self.repo_tags.iter().flatten().filter_map(|name| name.parse().ok())
    }

    /// Its names with digests: one for each repository that it was pulled from or pushed to.
    pub fn digests(&self) -> impl Iterator<Item = ImageRef> {
        self.repo_digests.iter().flatten().filter_map(|name| name.parse().ok())
    }
}

/// A container of [`CONTAINERS`].
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Container {
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub names: Option<Vec<String>>,
    /// The name under which the image was asked for; the image's id once that name means another image or none.
    #[serde(default)]
    pub image: String,
    #[serde(default, rename = "ImageID")]
    pub image_id: String,
    #[serde(default)]
    pub state: String,
    /// In words, such as `Exited (1) 3 seconds ago`.
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub command: String,
    #[serde(default)]
    pub ports: Option<Vec<Port>>,
    #[serde(default)]
    pub mounts: Option<Vec<Mount>>,
    #[serde(default)]
    pub network_settings: Option<NetworkSettings>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Port {
    pub private_port: u16,
    #[serde(default)]
    pub public_port: Option<u16>,
    /// `tcp`, `udp` or `sctp`.
    #[serde(default, rename = "Type")]
    pub protocol: String,
}

/// What a container has mounted.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Mount {
    /// `volume`, `bind` or `tmpfs`.
    #[serde(default, rename = "Type")]
    pub kind: String,
    /// The volume's name.
    #[serde(default)]
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NetworkSettings {
    /// By the networks' names.
    #[serde(default)]
    pub networks: Option<BTreeMap<String, Value>>,
}

impl Container {
    /// Its name without the slash that the API puts before it. A link's alias (`/other/alias`) is no name of it.
    pub fn name(&self) -> &str {
        let names = self.names.as_deref().unwrap_or_default();
        names.iter().filter_map(|n| n.strip_prefix('/')).find(|n| !n.contains('/')).unwrap_or_default()
    }

    /// Its published ports as (host, container), sorted, each once though Docker lists IPv4 and IPv6 apart.
    pub fn published(&self) -> Vec<(u16, u16)> {
        let mut ports: Vec<_> =
            self.ports.iter().flatten().filter_map(|p| Some((p.public_port?, p.private_port))).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

/// Reads a list of an answer; what is not of its shape is left out. `None` where the answer is no list.
pub(crate) fn list<T: for<'de> Deserialize<'de>>(answer: Value) -> Option<Vec<T>> {
    let Value::Array(items) = answer else { return None };
    Some(items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
}

/// An instruction as a Dockerfile has it, in one line, from what an image's history keeps of it (`created_by`, OCI image
/// specification, config.md).
pub(crate) fn instruction(created_by: &str) -> String {
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim();
    // The builder before BuildKit: `/bin/sh -c #(nop)  CMD ["x"]`, `|1 arg=x /bin/sh -c make`, `/bin/sh -c make`.
    let text = match text.split_once("#(nop)") {
        Some((_, instruction)) => instruction.trim().to_owned(),
        None => {
            let run = text.strip_prefix("RUN ").unwrap_or(text);
            let run = match run.strip_prefix('|') {
                Some(arguments) => arguments.split_once("/bin/sh -c ").map_or(run, |(_, command)| command),
                None => run.strip_prefix("/bin/sh -c ").unwrap_or(run),
            };
            let is_run = text.starts_with("RUN ") || run.len() < text.len();
            if is_run { format!("RUN {}", run.trim()) } else { text.to_owned() }
        }
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An event of the engine (`GET /events`), what of it is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// `image`, `container`, `volume`, `network`, `service`, `node`, …
    pub kind: String,
    /// Such as `pull`, `tag`, `create`, `start` or `die`; without what follows a colon.
    pub action: String,
    /// Id of what it happened to, or the name of an image or volume.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Name of a container's image.
    pub image: String,
    /// Exit code of a container that died.
    pub exit_code: Option<i32>,
    /// The signal that a container was sent.
    pub signal: Option<i32>,
    /// The container that a network was joined or left by.
    pub container: String,
}

impl Event {
    /// Reads an event; `None` for what is none. Names are cut at a length that no true one has.
    pub fn read(event: &Value) -> Option<Event> {
        let text = |v: &Value| v.as_str().unwrap_or_default().chars().take(300).collect::<String>();
        let attributes = &event["Actor"]["Attributes"];
        let action = text(event.get("Action")?);
        Some(Event {
            kind: text(event.get("Type")?),
            action: action.split(':').next().unwrap_or_default().to_owned(),
            id: text(&event["Actor"]["ID"]),
            name: text(&attributes["name"]),
            image: text(&attributes["image"]),
            exit_code: text(&attributes["exitCode"]).parse().ok(),
            signal: text(&attributes["signal"]).parse().ok(),
            container: text(&attributes["container"]),
        })
    }

    /// Whether it is of this kind and action.
    pub fn is(&self, kind: &str, action: &str) -> bool {
        self.kind == kind && self.action == action
    }
}
