//! What a session has pushed, read from storage: tags with their layers.
//!
//! Manifests and configurations come from students: they are read as far as they are short and have the known shape.

use std::{fs::File, io::Read, path::Path};

use serde::{Deserialize, de::DeserializeOwned};

use super::{names::session_prefix, storage::Storage};
use crate::session::{Held, HeldLayer, PublicName};

/// Longest manifest or configuration that is read, in bytes.
const MAX: u64 = 1 << 20;
/// Most layers of an image: Docker itself allows 127.
const MAX_LAYERS: usize = 128;

#[derive(Deserialize)]
struct Manifest {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    /// Of an index: one for each platform.
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    size: u64,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    architecture: String,
}

#[derive(Deserialize)]
struct ImageConfig {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// The tags of a session in order, at most `most`, and how many there are.
pub fn of_session(storage: &Storage, session: &PublicName, most: usize) -> (Vec<Held>, usize) {
    let (mut held, mut count) = (Vec::new(), 0);
    for repository in storage.of_session(session) {
        let stored = format!("{}{repository}", session_prefix(session));
        for tag in storage.tags(&stored) {
            let Some(digest) = storage.digest(&stored, &tag) else { continue };
            count += 1;
            if held.len() < most {
                let layers = layers(storage, &stored, &digest);
                held.push(Held { repository: repository.clone(), tag, digest, layers });
            }
        }
    }
    (held, count)
}

fn layers(storage: &Storage, repository: &str, digest: &str) -> Vec<HeldLayer> {
    let Some(mut manifest) = read::<Manifest>(storage, digest) else { return Vec::new() };
    if !manifest.manifests.is_empty() {
        // What BuildKit attests of an image has an unknown platform.
        let known = |d: &&Descriptor| d.platform.as_ref().is_none_or(|p| p.architecture != "unknown");
        let first = manifest.manifests.iter().find(known).map(|d| d.digest.clone());
        let Some(inner) = first.and_then(|d| read::<Manifest>(storage, &d)) else { return Vec::new() };
        manifest = inner;
    }
    manifest.layers.truncate(MAX_LAYERS);
    let own = manifest.config.filter(|c| storage.holds(repository, &c.digest));
    let config = own.and_then(|c| read::<ImageConfig>(storage, &c.digest));
    let diffs = config.map(|c| c.rootfs.diff_ids).filter(|d| d.len() == manifest.layers.len()).unwrap_or_default();
    let layer = |(at, layer): (usize, Descriptor)| HeldLayer {
        catalogue: storage.in_catalogue(&layer.digest).is_some(),
        size: layer.size,
        diff: diffs.get(at).cloned(),
        digest: layer.digest,
    };
    manifest.layers.into_iter().enumerate().map(layer).collect()
}

fn read<T: DeserializeOwned>(storage: &Storage, digest: &str) -> Option<T> {
    fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
    serde_json::from_slice(&bytes(&storage.blob_of(digest)?).ok()?).ok()
}
