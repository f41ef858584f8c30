//! The parts of the Engine API's answers that checks look at. Everything is optional or has a default: what a student's
//! engine answers may have any shape, and a check of something else must not fail for it.

use serde::Deserialize;
use serde_json::Value;

use super::ProbeError;
use crate::course::ImageRef;

/// All images.
pub(super) const IMAGES: &str = "/images/json";

/// All containers, also those that do not run.
pub(super) const CONTAINERS: &str = "/containers/json?all=1";

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Image {
    pub id: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    repo_digests: Option<Vec<String>>,
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

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Container {
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
    ports: Option<Vec<Port>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Port {
    private_port: u16,
    #[serde(default)]
    public_port: Option<u16>,
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

/// Reads a list from an answer of the engine.
pub(super) fn list<T: for<'de> Deserialize<'de>>(
    answer: Result<Option<Value>, ProbeError>,
) -> Result<Vec<T>, ProbeError> {
    match answer {
        Ok(Some(Value::Array(items))) => {
            Ok(items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
        }
        Ok(_) => Err(ProbeError::Other("the Docker Engine answered something that is no list".to_owned())),
        Err(ProbeError::DockerDown) => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}
