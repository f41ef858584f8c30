//! Pulls while they run. The engine tells nobody but the client of one before it is done, so this follows what the agent
//! sees: layers that come into Docker's storage.

use std::time::Duration;

use boatyard_protocol::agent::{DockerStorage, StoredLayer};
use tokio::time::Instant;

use super::{
    layers::instruction,
    model::{Layer, UnderWay, UnderWayKind, UnderWayStep},
    read::cut,
};

/// A pull from which nothing more has come for so long has ended, or was given up.
const QUIET: Duration = Duration::from_secs(2);
/// Most steps that are shown: the last ones.
const MAX_STEPS: usize = 40;

/// Layers that come in.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    layers: Vec<StoredLayer>,
    downloads: u32,
    downloaded: u64,
    /// Whether something was downloaded: what a build makes comes into the same storage.
    any: bool,
    last: Option<Instant>,
}

impl Incoming {
    pub fn take(&mut self, storage: &DockerStorage, now: Instant) {
        if storage.layers.is_empty() && storage.downloads == 0 && self.downloads == 0 {
            return;
        }
        self.any |= storage.downloads > 0;
        self.downloads = storage.downloads.min(1000);
        self.downloaded = storage.downloaded;
        self.layers.extend(storage.layers.iter().take(128).cloned());
        let over = self.layers.len().saturating_sub(MAX_STEPS);
        self.layers.drain(..over);
        self.last = Some(now);
    }

    /// The image is there, or will not come: what follows is another's.
    pub fn image_came(&mut self) {
        *self = Incoming::default();
    }

    /// When it counts as ended, if nothing more comes.
    pub fn ends(&self) -> Option<Instant> {
        self.last.map(|last| last + QUIET)
    }

    /// Forgets layers that belong to an image by now: what a report brings late, and what a build has made.
    pub fn forget(&mut self, known: &[Layer]) {
        self.layers.retain(|layer| !known.iter().any(|k| k.id == layer.chain));
    }

    pub fn under_way(&self, building: bool) -> Option<UnderWay> {
        if self.last.is_none() || (!self.any && building) || (self.layers.is_empty() && self.downloads == 0) {
            return None;
        }
        let mut steps: Vec<UnderWayStep> = self
            .layers
            .iter()
            .map(|l| UnderWayStep {
                words: format!("layer {}", cut(l.chain.trim_start_matches("sha256:"), 12).trim_end_matches('…')),
                layer: Some(cut(&l.chain, 100)),
                size: l.size,
                done: true,
            })
            .collect();
        if self.downloads > 0 {
            let words =
                format!("downloading {} {}", self.downloads, if self.downloads == 1 { "layer" } else { "layers" });
            steps.push(UnderWayStep { layer: None, words, size: self.downloaded, done: false });
        }
        let layers = self.layers.len();
        let words = format!("{layers} {} unpacked", if layers == 1 { "layer" } else { "layers" });
        Some(UnderWay { kind: UnderWayKind::Pull, words, steps })
    }
}

/// A step's instruction, from BuildKit's name of it; `None` where it is no step of a Dockerfile.
pub(super) fn step(description: &str) -> Option<String> {
    // `[2/4] WORKDIR /app`, `[stage-1 2/3] COPY --from=build /a /b`
    let (number, words) = description.strip_prefix('[')?.split_once("] ")?;
    (number != "internal" && number.contains('/')).then(|| instruction(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_a_dockerfile_are_told_from_buildkits_own() {
        for (name, wanted) in [
            ("[2/4] WORKDIR /app", Some("WORKDIR /app")),
            ("[build 1/2] RUN make", Some("RUN make")),
            ("[internal] load build definition from Dockerfile", None),
            ("exporting to image", None),
        ] {
            assert_eq!(step(name).as_deref(), wanted);
        }
    }

    #[test]
    fn a_pull_counts_its_layers_until_the_image_is_there() {
        let mut pull = Incoming::default();
        let now = Instant::now();
        pull.take(&DockerStorage { downloads: 2, downloaded: 1000, ..DockerStorage::default() }, now);
        let layer = StoredLayer { chain: "sha256:0123456789abcdef".into(), parent: None, size: 5 };
        pull.take(
            &DockerStorage { downloads: 1, downloaded: 700, layers: vec![layer], ..DockerStorage::default() },
            now,
        );
        let shown = pull.under_way(false).unwrap();
        assert_eq!(shown.words, "1 layer unpacked");
        assert_eq!(shown.steps[0].words, "layer 0123456789ab");
        assert_eq!((shown.steps[1].words.as_str(), shown.steps[1].size), ("downloading 1 layer", 700));
        pull.image_came();
        assert_eq!(pull.under_way(false), None);
    }
}
