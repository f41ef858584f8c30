//! An image's layers: which instruction made which, from what the engine's `inspect` and `history` say of it.

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{model::Layer, read::cut};
use crate::docker;

/// Most layers of an image that are looked at: Docker itself allows 127.
const MAX_LAYERS: usize = 128;
/// Most entries of an image's history that are looked at.
const MAX_HISTORY: usize = 400;
/// Most instructions without a layer that are kept.
const MAX_SETTINGS: usize = 30;
/// Longest instruction that is shown, in characters.
const MAX_WORDS: usize = 240;

/// What never changes of an image.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Described {
    /// The lowest first.
    pub layers: Vec<Layer>,
    /// Instructions that made no layer, in order.
    pub settings: Vec<String>,
    /// Whether BuildKit made its last step.
    pub built: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Step {
    created_by: String,
    size: i64,
    comment: String,
}

/// Describes an image.
pub(super) fn describe(inspect: &Value, history: Value) -> Described {
    let diffs = inspect["RootFS"]["Layers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let diffs: Vec<&str> = diffs.iter().filter_map(Value::as_str).filter(|d| d.len() < 200).take(MAX_LAYERS).collect();
    // Newest first, as `docker history` shows it.
    let mut steps: Vec<Step> = crate::docker::list(history).unwrap_or_default();
    steps.truncate(MAX_HISTORY);
    steps.reverse();
    let built = steps.last().is_some_and(|s| s.comment.starts_with("buildkit"));
    let made_layer = which_made_layers(&steps, diffs.len());
    let mut described = Described { built, ..Described::default() };
    let mut made = Vec::new();
    for (step, made_layer) in steps.iter().zip(made_layer) {
        match made_layer {
            true => made.push(step),
            false if described.settings.len() >= MAX_SETTINGS => {}
            false => described.settings.push(instruction(&step.created_by)),
        }
    }
    for (at, diff) in diffs.iter().enumerate() {
        let parent = described.layers.last().map(|l: &Layer| l.id.clone());
        let step = made.get(at).filter(|_| made.len() == diffs.len());
        described.layers.push(Layer {
            id: chain(parent.as_deref(), diff),
            parent,
            instruction: step.map(|s| instruction(&s.created_by)).filter(|i| !i.is_empty()),
            size: step.map_or(0, |s| s.size.max(0) as u64),
        });
    }
    described
}

/// The id of a layer together with those below it (OCI Image Specification, "Layer ChainID").
pub(super) fn chain(parent: Option<&str>, diff: &str) -> String {
    match parent {
        None => diff.to_owned(),
        Some(parent) => format!("sha256:{}", hex::encode(Sha256::digest(format!("{parent} {diff}")))),
    }
}

/// Which steps made a layer. The engine does not say: what has a size did, and of the empty ones those whose
/// instruction touches files, the last ones first, until there are as many as layers.
fn which_made_layers(steps: &[Step], layers: usize) -> Vec<bool> {
    let mut made: Vec<bool> = steps.iter().map(|s| s.size > 0).collect();
    let mut missing = layers.saturating_sub(made.iter().filter(|m| **m).count());
    // BuildKit makes an empty layer of every RUN, COPY, ADD and WORKDIR; the builder before it makes none of WORKDIR.
    for of in [["RUN", "COPY", "ADD"].as_slice(), &["WORKDIR"], &["", "FROM"]] {
        for (step, made) in steps.iter().zip(&mut made).rev() {
            let text = instruction(&step.created_by);
            let verb = text.split_whitespace().next().unwrap_or_default();
            if missing > 0 && !*made && of.contains(&verb) {
                *made = true;
                missing -= 1;
            }
        }
    }
    made
}

/// An instruction in one line, not longer than it shall be.
pub(super) fn instruction(created_by: &str) -> String {
    cut(&docker::instruction(created_by), MAX_WORDS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(by: &str, size: i64) -> Value {
        json!({"CreatedBy": by, "Size": size, "Comment": "buildkit.dockerfile.v0"})
    }

    #[test]
    fn each_layer_has_the_instruction_that_made_it() {
        let history = json!([
            entry("CMD [\"sleep\" \"99\"]", 0),
            entry("COPY Dockerfile . # buildkit", 99),
            entry("RUN /bin/sh -c true # buildkit", 0),
            entry("ENV A=b", 0),
            entry("WORKDIR /app", 0),
            entry("/bin/sh -c #(nop) ADD file:1 in / ", 1000),
        ]);
        let inspect = json!({"RootFS": {"Layers": ["sha256:a", "sha256:b", "sha256:c", "sha256:d"]}});
        let described = describe(&inspect, history);
        let shown: Vec<_> = described.layers.iter().map(|l| (l.instruction.clone().unwrap(), l.size)).collect();
        let wanted = [("ADD file:1 in /", 1000), ("WORKDIR /app", 0), ("RUN true", 0), ("COPY Dockerfile .", 99)];
        assert_eq!(shown, wanted.map(|(i, s)| (i.to_owned(), s)));
        assert_eq!(described.settings, ["ENV A=b", "CMD [\"sleep\" \"99\"]"]);
        assert!(described.built);
        assert_eq!(described.layers[0].id, "sha256:a");
        assert_eq!(described.layers[3].parent.as_ref(), Some(&described.layers[2].id));
    }

    #[test]
    fn a_history_that_does_not_fit_names_no_layer() {
        let inspect = json!({"RootFS": {"Layers": ["sha256:a", "sha256:b"]}});
        for history in [json!([]), json!("x"), json!([entry("ENV A=b", 0)]), json!([{"Size": -7}, null, 3])] {
            let described = describe(&inspect, history);
            assert_eq!(described.layers.len(), 2);
            assert!(described.layers.iter().all(|l| l.instruction.is_none() && l.size == 0));
        }
        assert_eq!(describe(&json!(null), json!(null)), Described::default());
    }

    #[test]
    fn instructions_read_as_a_dockerfile_has_them() {
        for (by, wanted) in [
            ("RUN /bin/sh -c pip install flask # buildkit", "RUN pip install flask"),
            ("RUN |1 V=3 /bin/sh -c make V=$V # buildkit", "RUN make V=$V"),
            ("/bin/sh -c apt-get update &&     apt-get install -y x", "RUN apt-get update && apt-get install -y x"),
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD [\"bash\"]"),
            ("COPY /a /b # buildkit", "COPY /a /b"),
            ("bazel build ...", "bazel build ..."),
            ("", ""),
        ] {
            assert_eq!(instruction(by), wanted, "{by}");
        }
    }
}
