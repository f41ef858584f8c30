//! Manifests and image configurations as sessions pushed them (OCI Image Specification 1.1, Docker's schema 2): hostile
//! input, of which only a little is read.

use serde::Deserialize;

/// Longest text of a document that is shown.
const MAX_TEXT: usize = 200;
/// Most layers, and most images of an index, that are read.
const MAX_LAYERS: usize = 200;
const MAX_IMAGES: usize = 16;

/// What a manifest says.
#[derive(Debug, Default, Deserialize)]
pub struct Manifest {
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

/// What a manifest says of a blob, or an index of a manifest.
#[derive(Debug, Clone, Deserialize)]
pub struct Descriptor {
    /// Its digest.
    pub digest: String,
    /// Its bytes.
    #[serde(default)]
    pub size: u64,
    platform: Option<Platform>,
}

#[derive(Debug, Clone, Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
}

/// What an image's configuration says.
#[derive(Debug, Default, Deserialize)]
pub struct ImageConfig {
    created: Option<String>,
    config: Option<RunConfig>,
    history: Option<Vec<History>>,
    rootfs: Option<RootFs>,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct RunConfig {
    #[serde(rename = "ExposedPorts")]
    exposed: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Debug, Deserialize)]
struct History {
    created_by: Option<String>,
    #[serde(default)]
    empty_layer: bool,
}

impl Manifest {
    /// Reads a manifest or an index; one that is neither holds nothing.
    pub fn read(json: &[u8]) -> Manifest {
        serde_json::from_slice(json).unwrap_or_default()
    }

    /// Its media type, where it says one.
    pub fn media_type(&self) -> String {
        let index = "application/vnd.oci.image.index.v1+json";
        let image = "application/vnd.oci.image.manifest.v1+json";
        let usual = if self.manifests.is_some() { index } else { image };
        shown(self.media_type.as_deref().unwrap_or(usual))
    }

    /// The image's configuration.
    pub fn config(&self) -> Option<&Descriptor> {
        self.config.as_ref()
    }

    /// The image's layers, lowest first.
    pub fn layers(&self) -> impl Iterator<Item = &Descriptor> {
        self.layers.iter().flatten().take(MAX_LAYERS)
    }

    /// The manifests of an index.
    pub fn manifests(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests.iter().flatten().take(MAX_IMAGES)
    }
}

impl Descriptor {
    /// The platform that an image of an index is for, such as `linux/amd64`; `None` where it is no image, such as what a
    /// build attests of another.
    pub fn platform(&self) -> Option<String> {
        let platform = self.platform.as_ref()?;
        (platform.os != "unknown").then(|| shown(&format!("{}/{}", platform.os, platform.architecture)))
    }
}

impl ImageConfig {
    /// Reads a configuration; one that is none says nothing.
    pub fn read(json: &[u8]) -> ImageConfig {
        serde_json::from_slice(json).unwrap_or_default()
    }

    /// When the image was made.
    pub fn created(&self) -> Option<String> {
        let time: jiff::Timestamp = self.created.as_deref()?.parse().ok()?;
        Some(time.to_string())
    }

    /// TCP ports that it says it listens on.
    pub fn ports(&self) -> Vec<u16> {
        let exposed = self.config.iter().filter_map(|c| c.exposed.as_ref()).flat_map(|ports| ports.keys());
        let mut ports: Vec<u16> = exposed
            .filter_map(|p| match p.split_once('/') {
                Some((port, "tcp")) => port.parse().ok(),
                Some(_) => None,
                None => p.parse().ok(),
            })
            .filter(|&p| p > 0)
            .collect();
        ports.sort_unstable();
        ports.truncate(5);
        ports
    }

    /// Digests of what is in its layers, uncompressed, lowest first.
    pub fn diffs(&self) -> Vec<String> {
        self.rootfs.iter().flat_map(|r| &r.diff_ids).take(MAX_LAYERS).map(|d| shown(d)).collect()
    }

    /// The instruction that made each layer, in order, as far as it is known.
    pub fn instructions(&self) -> Vec<Option<String>> {
        let made = self.history.iter().flatten().filter(|h| !h.empty_layer).take(MAX_LAYERS);
        made.map(|h| h.created_by.as_deref().map(instruction)).collect()
    }
}

/// An instruction in one line, not longer than it shall be.
fn instruction(created_by: &str) -> String {
    shown(&crate::docker::instruction(created_by))
}

/// A text of a document in one line and not longer than it shall be.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain: String = line.chars().filter(|c| !c.is_control()).collect();
    match plain.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_read_as_in_the_dockerfile() {
        for (created_by, wanted) in [
            ("RUN /bin/sh -c pip install flask # buildkit", "RUN pip install flask"),
            ("COPY app.py . # buildkit", "COPY app.py ."),
            ("/bin/sh -c #(nop) COPY file:1 in / ", "COPY file:1 in /"),
            ("/bin/sh -c apt-get update", "RUN apt-get update"),
            ("RUN a \\\n\t && b", "RUN a \\ && b"),
        ] {
            assert_eq!(instruction(created_by), wanted);
        }
        assert_eq!(instruction(&"ä".repeat(5000)).chars().count(), MAX_TEXT + 1);
    }

    #[test]
    fn what_is_no_document_says_nothing() {
        for json in ["", "[]", "null", "{\"layers\":null}", "{\"layers\":[1]}", "{\"config\":7}"] {
            assert_eq!(Manifest::read(json.as_bytes()).layers().count(), 0, "{json}");
            assert_eq!(ImageConfig::read(json.as_bytes()).ports(), [0; 0], "{json}");
        }
        let config = ImageConfig::read(br#"{"config":{"ExposedPorts":{"80/tcp":{},"53/udp":{},"5000":{},"x":{}}}}"#);
        assert_eq!(config.ports(), [80, 5000]);
    }
}
