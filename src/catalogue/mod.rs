//! The offline catalogue: images that students pull without the internet, built here from Debian packages.
//!
//! An image is a definition in `deploy/catalogue/images/`: the image that it is built on, its layers and its configuration. Each layer is
//! built once, for a key that covers everything it depends on, and kept below the data folder's `catalogue/layers/`;
//! a build that was interrupted goes on with the first layer that is missing. Finished images are pushed into the registry.

mod build;
mod definition;
mod image;
mod layer;
mod publish;
mod tarball;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
pub use build::{build, is_current};
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

/// The images that have been built, by name.
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
            let text = fs::read(&path)?;
            images.push(
                serde_json::from_slice(&text).with_context(|| format!("{} is damaged; remove it", path.display()))?,
            );
        }
    }
    images.sort_by(|a: &CatalogueImage, b: &CatalogueImage| a.name.cmp(&b.name));
    Ok(images)
}

fn records(paths: &Paths) -> PathBuf {
    paths.catalogue().join("images")
}

fn layers(paths: &Paths) -> PathBuf {
    paths.catalogue().join("layers")
}
