//! Definitions of images: the TOML files in `deploy/catalogue/images/`, carried inside the binary.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use rust_embed::Embed;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::layer::SCRIPT;

#[derive(Embed)]
#[folder = "deploy/catalogue/images"]
#[include = "*.toml"]
struct Files;

/// Changes when the way of building changes: everything is built anew.
const BUILDER: u32 = 2;

/// An image's definition.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub name: String,
    pub summary: String,
    /// Tags besides `latest`; `{version}`, `{minor}` and `{major}` stand for the version of the package `version_of`.
    pub tags: Vec<String>,
    /// Name of the image that it is built on.
    pub from: Option<String>,
    /// The package that names its version; the first of `versions` where absent.
    pub version_of: Option<String>,
    /// Versions to record: label to package.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    pub layers: Vec<LayerDefinition>,
    #[serde(default)]
    pub config: ConfigDefinition,
}

/// A layer's definition: what is done on top of those below it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerDefinition {
    /// The instruction that made it, as `docker history` shows it.
    pub created_by: String,
    /// A whole Debian with these packages.
    pub debootstrap: Option<Vec<String>>,
    /// BusyBox with a link for each of its commands.
    #[serde(default)]
    pub busybox: bool,
    /// Shell commands before the packages are installed.
    pub setup: Option<String>,
    /// Debian packages to install.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Shell commands after that.
    pub run: Option<String>,
    /// Files to write.
    #[serde(default)]
    pub files: Vec<LayerFile>,
}

/// A file of a layer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerFile {
    pub path: String,
    #[serde(default = "usual_mode")]
    pub mode: String,
    /// Its text; the first line break is not part of it.
    pub content: String,
}

fn usual_mode() -> String {
    "644".into()
}

/// How containers of the image run (OCI image configuration, `config`).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigDefinition {
    #[serde(default)]
    pub entrypoint: Vec<String>,
    #[serde(default)]
    pub cmd: Vec<String>,
    #[serde(default)]
    pub env: Vec<String>,
    /// A folder put after the usual `PATH`.
    pub path: Option<String>,
    #[serde(default)]
    pub expose: Vec<String>,
    #[serde(default)]
    pub volumes: Vec<String>,
    pub workdir: Option<String>,
    pub stop_signal: Option<String>,
}

/// A definition with the key of each of its layers.
#[derive(Debug, Clone)]
pub struct Planned {
    pub definition: Definition,
    /// Keys of all its layers, those of the images below it first.
    pub keys: Vec<String>,
    /// Key of the whole image.
    pub key: String,
}

/// All definitions, each after the one that it is built on.
pub fn all() -> Result<Vec<Planned>> {
    let mut open: Vec<(Definition, String)> = Vec::new();
    for file in Files::iter() {
        let data = Files::get(&file).context("a definition is missing")?.data;
        let text = std::str::from_utf8(&data)?.to_owned();
        let definition: Definition = toml::from_str(&text).with_context(|| file.to_string())?;
        ensure!(format!("{}.toml", definition.name) == file, "{file} defines {}", definition.name);
        open.push((definition, text));
    }
    open.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    let mut planned: Vec<Planned> = Vec::new();
    while !open.is_empty() {
        let ready = |d: &Definition| d.from.as_ref().is_none_or(|f| planned.iter().any(|p| p.definition.name == *f));
        let Some(i) = open.iter().position(|(d, _)| ready(d)) else {
            bail!("{} is built on an image that is not defined", open[0].0.name);
        };
        let (definition, text) = open.remove(i);
        let below = planned.iter().find(|p| Some(&p.definition.name) == definition.from.as_ref());
        let mut keys = below.map(|p| p.keys.clone()).unwrap_or_default();
        for layer in &definition.layers {
            let mut hash = Sha256::new_with_prefix(BUILDER.to_le_bytes());
            hash.update(keys.last().map(String::as_bytes).unwrap_or_default());
            hash.update(format!("{layer:?}"));
            if layer.runs() {
                hash.update(SCRIPT);
            }
            keys.push(hex::encode(&hash.finalize()[..16]));
        }
        let mut hash = Sha256::new_with_prefix(text);
        keys.iter().for_each(|k| hash.update(k));
        let key = hex::encode(&hash.finalize()[..16]);
        planned.push(Planned { definition, keys, key });
    }
    Ok(planned)
}

impl LayerDefinition {
    /// Whether something is installed or run on top of the layers below.
    pub fn runs(&self) -> bool {
        !self.packages.is_empty() || self.run.is_some() || self.setup.is_some()
    }
}

impl Definition {
    /// Its tags, `latest` first, for `version` of what it holds.
    pub fn tags(&self, version: &str) -> Vec<String> {
        let parts: Vec<&str> = version.split('.').collect();
        let major = parts[0];
        let minor = parts[..parts.len().min(2)].join(".");
        let named = self
            .tags
            .iter()
            .map(|t| t.replace("{version}", version).replace("{minor}", &minor).replace("{major}", major));
        let mut tags = vec!["latest".to_owned()];
        for tag in named {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_definitions_are_in_order() {
        let all = all().unwrap();
        let names: Vec<_> = all.iter().map(|p| p.definition.name.as_str()).collect();
        for name in ["hello-world", "busybox", "debian", "python", "nginx", "redis", "postgres", "node", "registry"] {
            assert!(names.contains(&name), "{name} is among {names:?}");
        }
        let of = |name: &str| all.iter().find(|p| p.definition.name == name).unwrap();
        assert!(of("python").keys.len() >= 2 && of("python").keys[0] == of("nginx").keys[0], "layers are shared");
    }

    #[test]
    fn tags_follow_the_version() {
        let d = &all().unwrap().into_iter().find(|p| p.definition.name == "python").unwrap().definition;
        let tags = d.tags("3.13.5");
        assert_eq!(tags[..4], ["latest", "3", "3.13", "3.13.5"]);
    }
}
