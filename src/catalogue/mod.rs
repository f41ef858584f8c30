//! The offline catalogue: images that students pull without the internet, built here from Debian packages.
//!
//! An image is a definition in `deploy/catalogue/images/`: the image that it is built on, its layers and its configuration. Each layer is
//! built once, for a key that covers everything it depends on, and kept below the data folder's `catalogue/layers/`;
//! a build that was interrupted goes on with the first layer that is missing. Finished images are pushed into the registry.

mod build;
mod definition;
mod discard;
mod image;
mod layer;
mod publish;
mod tarball;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
pub use build::{Turn, is_current, known};
use serde::{Deserialize, Serialize};

use crate::paths::Paths;

/// Where the catalogue's repositories lie in the registry's storage.
pub const NAMESPACE: &str = "catalogue/library";

/// An image of the catalogue, as it was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueImage {
    /// Its name, such as `python`.
    pub name: String,
    /// Its tags, `latest` first.
    pub tags: Vec<String>,
    /// What it holds, in a sentence.
    pub summary: String,
    /// Bytes to pull: its layers, compressed.
    pub size: u64,
    /// Number of its layers.
    pub layers: usize,
    /// Versions of what is in it: label to version.
    pub versions: std::collections::BTreeMap<String, String>,
    /// Digest of its manifest.
    pub digest: String,
    /// Key of what it was built from: its definition and all below it.
    pub key: String,
}

/// The images that have been built, by name. One whose record is damaged counts as not built.
///
/// # Errors
/// When a record cannot be read.
pub fn list(paths: &Paths) -> Result<Vec<CatalogueImage>> {
    let folder = records(paths);
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut images = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "json") {
            let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            match serde_json::from_slice(&text) {
                Ok(image) => images.push(image),
                // The next build writes it anew.
                Err(e) => tracing::warn!("{} is damaged: {e}", path.display()),
            }
        }
    }
    images.sort_by(|a: &CatalogueImage, b: &CatalogueImage| a.name.cmp(&b.name));
    Ok(images)
}

fn records(paths: &Paths) -> PathBuf {
    paths.catalogue().join("images")
}

/// Writes an image's record: whole, or not at all.
fn record(paths: &Paths, image: &CatalogueImage) -> Result<()> {
    let file = records(paths).join(format!("{}.json", image.name));
    let draft = file.with_extension("draft");
    fs::write(&draft, serde_json::to_vec_pretty(image)?).with_context(|| format!("writing {}", draft.display()))?;
    fs::rename(&draft, &file).with_context(|| format!("writing {}", file.display()))
}

fn layers(paths: &Paths) -> PathBuf {
    paths.catalogue().join("layers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_record_counts_as_not_built() {
        let data = tempfile::tempdir().unwrap();
        let paths = Paths::new(data.path());
        fs::create_dir_all(records(&paths)).unwrap();
        let image = |name: &str| CatalogueImage {
            name: name.into(),
            tags: vec!["latest".into()],
            summary: String::new(),
            size: 1,
            layers: 1,
            versions: Default::default(),
            digest: "sha256:00".into(),
            key: "00".into(),
        };
        record(&paths, &image("one")).unwrap();
        record(&paths, &image("two")).unwrap();
        fs::write(records(&paths).join("one.json"), "{\n  \"name\": \"on").unwrap();
        assert_eq!(list(&paths).unwrap(), [image("two")]);
    }
}
