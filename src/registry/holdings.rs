//! What a session has pushed, as the X-ray shows it: tags with their layers, and what is in them.

use super::{
    Registry,
    manifest::{ImageConfig, Manifest},
    names::session_prefix,
    storage::Storage,
};
use crate::session::{Held, HeldLayer, PublicName};

/// Most bytes of manifests and configurations that are read for one answer.
const MAX_READ: usize = 8 << 20;

impl Registry {
    /// The tags of a session in order, at most `most`, and how many there are.
    pub(super) async fn holdings_of(&self, session: &PublicName, most: usize) -> (Vec<Held>, usize) {
        let used = self.quota.of(session);
        let _turn = used.reading.lock().await;
        let _place = self.readings.acquire().await;
        let session = session.clone();
        self.storage.blocking(move |storage| of_session(storage, &session, most)).await
    }
}

fn of_session(storage: &Storage, session: &PublicName, most: usize) -> (Vec<Held>, usize) {
    let (mut held, mut count, mut left) = (Vec::new(), 0, MAX_READ);
    let catalogue = storage.catalogue_layers();
    for repository in storage.of_session(session) {
        let stored = format!("{}{repository}", session_prefix(session));
        for tag in storage.tags(&stored) {
            let Some(digest) = storage.digest(&stored, &tag) else { continue };
            count += 1;
            if held.len() < most {
                let mut layers = layers(storage, &stored, &digest, &mut left);
                for layer in &mut layers {
                    layer.catalogue = catalogue.contains_key(&layer.digest);
                }
                held.push(Held { repository: repository.clone(), tag, digest, layers });
            }
        }
    }
    (held, count)
}

/// Layers of an image, or of the first one of an index.
fn layers(storage: &Storage, repository: &str, digest: &str, left: &mut usize) -> Vec<HeldLayer> {
    let mut read = |file: Option<std::path::PathBuf>| {
        let bytes = Storage::document(&file?)?;
        *left = left.checked_sub(bytes.len())?;
        Some(bytes)
    };
    let mut manifest = |digest: &str| read(storage.manifest_file(repository, digest)).map(|m| Manifest::read(&m));
    let Some(mut found) = manifest(digest) else { return Vec::new() };
    // What a build attests of an image has no platform.
    let first = found.manifests().find(|m| m.platform().is_some()).map(|m| m.digest.clone());
    if let Some(first) = first {
        found = manifest(&first).unwrap_or_default();
    }
    let config = found.config().and_then(|c| read(storage.blob_file(repository, &c.digest)));
    let diffs = config.map(|c| ImageConfig::read(&c).diffs()).unwrap_or_default();
    let known = diffs.len() == found.layers().count();
    let layer = |(at, layer): (usize, &super::manifest::Descriptor)| HeldLayer {
        size: layer.size,
        diff: diffs.get(at).filter(|_| known).cloned(),
        digest: layer.digest.chars().take(71).collect(),
        catalogue: false,
    };
    found.layers().enumerate().map(layer).collect()
}
