//! Pulls and builds while they run. The engine tells of neither before it is done, so this follows what can be had: the
//! agent sees layers come into Docker's storage, and BuildKit lists the steps that it holds in its cache.

use std::time::Duration;

use boatyard_protocol::agent::{DockerStorage, StoredLayer};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    layers::instruction,
    model::{Layer, UnderWay, UnderWayKind, UnderWayStep},
    read::cut,
};
use crate::session::{Node, ask_docker_for};

/// How often BuildKit is asked while a build is under way.
pub(super) const AGAIN: Duration = Duration::from_millis(500);
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

/// The build that a node's BuildKit is at; `None` where it rests or does not answer.
pub(super) async fn under_way(node: &Node) -> Option<UnderWay> {
    // It measures what its steps have written so far.
    let usage = ask_docker_for(node, "/system/df?type=build-cache", Duration::from_secs(8)).await.ok()??;
    steps(usage["BuildCache"].as_array()?)
}

fn steps(cache: &[Value]) -> Option<UnderWay> {
    let in_use = |r: &&Value| r["InUse"] == true && r["Type"] == "regular";
    let mut records: Vec<&Value> = cache.iter().filter(in_use).collect();
    records.sort_by_key(|r| r["CreatedAt"].as_str().unwrap_or_default());
    // A step on which another stands is done. Docker's own name of the field begins with a space.
    let parents = |r: &Value| r["Parents"].as_array().or(r[" Parents"].as_array()).cloned().unwrap_or_default();
    let below: Vec<Value> = records.iter().flat_map(|r| parents(r)).collect();
    let mut steps: Vec<UnderWayStep> = records
        .iter()
        .filter_map(|r| {
            let words = step(r["Description"].as_str()?)?;
            let size = r["Size"].as_u64().unwrap_or_default();
            Some(UnderWayStep { layer: None, words, size, done: below.contains(&r["ID"]) })
        })
        .collect();
    let over = steps.len().saturating_sub(MAX_STEPS);
    steps.drain(..over);
    let at = steps.iter().rfind(|s| !s.done).or(steps.last())?;
    Some(UnderWay { kind: UnderWayKind::Build, words: at.words.clone(), steps })
}

/// A step's instruction, from BuildKit's description of what it left; `None` where it is no step of a Dockerfile.
fn step(description: &str) -> Option<String> {
    if let Some((_, command)) = description.split_once(" from exec ") {
        return Some(instruction(command)).filter(|i| !i.is_empty());
    }
    // `[2/4] WORKDIR /app`, `[stage-1 2/3] COPY --from=build /a /b`
    let (number, words) = description.strip_prefix('[')?.split_once("] ")?;
    (number != "internal" && number.contains('/')).then(|| instruction(words))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_build_is_at_the_step_on_which_none_stands() {
        let cache = json!([
            {"ID": "b", " Parents": ["a"], "Type": "regular", "Description": "[2/4] WORKDIR /app", "InUse": true, "Size": 0, "CreatedAt": "1"},
            {"ID": "x", "Type": "source.local", "Description": "local source for context", "InUse": true, "CreatedAt": "0"},
            {"ID": "y", "Type": "regular", "Description": "local source for dockerfile", "InUse": true, "CreatedAt": "0"},
            {"ID": "a", "Type": "regular", "Description": "from local ", "InUse": true, "CreatedAt": "0"},
            {"ID": "c", " Parents": ["b"], "Type": "regular", "Description": "mount / from exec /bin/sh -c pip install flask", "InUse": true, "Size": 12, "CreatedAt": "2"},
            {"ID": "o", "Type": "regular", "Description": "[2/2] RUN old", "InUse": false, "CreatedAt": "0"},
        ]);
        let build = steps(cache.as_array().unwrap()).unwrap();
        assert_eq!(build.words, "RUN pip install flask");
        let shown: Vec<_> = build.steps.iter().map(|s| (s.words.as_str(), s.size, s.done)).collect();
        assert_eq!(shown, [("WORKDIR /app", 0, true), ("RUN pip install flask", 12, false)]);
        assert_eq!(steps(&[json!(null), json!({"InUse": true, "Type": "regular"})]), None);
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
