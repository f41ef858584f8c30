//! What a lab image shall contain: data, in TOML.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Raised when the way of building changes what comes out, so that images built the former way are built again.
const BUILDER: u32 = 1;

const DEFAULT: &str = include_str!("../../deploy/lab-image/default.toml");

/// A lab image as defined in a file below `deploy/lab-image/`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its name: the folder below `images/`.
    pub name: String,
    /// The Debian suite that it is made of.
    pub suite: String,
    /// Packages beside the base system.
    pub packages: Vec<String>,
    /// Which packages' versions are recorded: label to package.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// Files written over what the packages bring.
    #[serde(default)]
    pub files: Vec<FileEntry>,
    /// Digest of the text that this was read from.
    #[serde(skip)]
    digest: String,
}

/// A file that a definition brings along.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Absolute path inside the image.
    pub path: String,
    /// Its text. A line break right after the opening quotes is not part of it, as in TOML.
    pub content: String,
    /// Permission bits, in octal digits.
    #[serde(default = "mode")]
    pub mode: String,
}

fn mode() -> String {
    "0644".into()
}

impl Definition {
    /// The definition of the default lab image, which is part of this program.
    ///
    /// # Errors
    /// When it is not valid, which a test forbids.
    pub fn default_image() -> Result<Definition> {
        Definition::parse(DEFAULT).context("the built-in lab image")
    }

    /// Reads a definition from TOML.
    ///
    /// # Errors
    /// When a key is unknown or missing, or a value cannot be.
    pub fn parse(text: &str) -> Result<Definition> {
        let mut definition: Definition = toml::from_str(text)?;
        check_name(&definition.name)?;
        for file in &definition.files {
            file.check()?;
        }
        definition.digest =
            hex::encode(Sha256::new().chain_update(BUILDER.to_le_bytes()).chain_update(text).finalize());
        Ok(definition)
    }

    /// Identifies text and way of building: an image with another digest is out of date.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

impl FileEntry {
    /// Permission bits as a number.
    ///
    /// # Errors
    /// When they are no octal digits.
    pub fn mode_bits(&self) -> Result<u32> {
        u32::from_str_radix(&self.mode, 8).with_context(|| format!("{}: mode {:?} is not octal", self.path, self.mode))
    }

    /// Writes the file below `root`, with the folders that it needs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, root: &Path) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let path = root.join(self.path.trim_start_matches('/'));
        let what = || format!("writing {}", path.display());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).with_context(what)?;
        }
        std::fs::write(&path, &self.content).with_context(what)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(self.mode_bits()?)).with_context(what)
    }

    pub(crate) fn check(&self) -> Result<()> {
        let inside = self.path.starts_with('/') && !self.path.split('/').any(|part| part == "..");
        ensure!(inside, "{:?} is not an absolute path without `..`", self.path);
        self.mode_bits().map(drop)
    }
}

/// Refuses names that would not be a plain folder below `images/`.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    let good = !name.is_empty() && name.len() <= 64 && name.bytes().all(plain) && !name.starts_with(['.', '-']);
    ensure!(
        good,
        "{name:?} is no image name: use up to 64 of a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_image_is_valid_and_records_only_what_it_installs() {
        let d = Definition::default_image().unwrap();
        for package in d.versions.values() {
            assert!(d.packages.contains(package), "{package}");
        }
    }

    #[test]
    fn the_digest_follows_the_text() {
        let text = "name = \"a\"\nsuite = \"trixie\"\npackages = []\n";
        let d = |t: &str| Definition::parse(t).unwrap().digest().to_owned();
        assert_eq!(d(text), d(text));
        assert_ne!(d(text), d(&text.replace("[]", "[\"git\"]")));
    }

    #[test]
    fn refuses_names_and_paths_that_leave_their_folder() {
        for name in ["", "..", ".x", "a/b", "A", "-x"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        let file = |path: &str| FileEntry { path: path.into(), content: String::new(), mode: mode() };
        assert!(file("/etc/../../x").check().is_err());
        assert!(file("etc/x").check().is_err());
        assert!(file("/etc/x").check().is_ok());
    }
}
