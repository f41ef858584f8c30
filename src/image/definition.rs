//! What a lab image shall contain: data, in TOML.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Raised when the way of building changes what comes out, so that images built the former way are built again.
const BUILDER: u32 = 2;

/// The definitions that are part of this program, by name.
const BUILT_IN: [(&str, &str); 3] = [
    ("default", include_str!("../../deploy/lab-image/default.toml")),
    ("alternatives", include_str!("../../deploy/lab-image/alternatives.toml")),
    ("minimal", include_str!("../../deploy/lab-image/minimal.toml")),
];

/// What definitions may include, by name.
const PARTS: [(&str, &str); 2] = [
    ("shell", include_str!("../../deploy/lab-image/parts/shell.toml")),
    ("tools", include_str!("../../deploy/lab-image/parts/tools.toml")),
];

/// A lab image as defined in a file below `deploy/lab-image/`; `docs/lab-images.md` describes the format.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its name: the folder below `images/`.
    pub name: String,
    /// What it is, in one line, for whoever chooses among images.
    #[serde(default)]
    pub summary: String,
    /// The Debian suite that it is made of.
    pub suite: String,
    /// Parts whose packages and files come before its own.
    #[serde(default)]
    include: Vec<String>,
    /// Packages beside the base system, with those of its parts.
    pub packages: Vec<String>,
    /// Packages from other suites, with nothing else of those: suite to packages.
    #[serde(default)]
    pub suites: BTreeMap<String, Vec<String>>,
    /// The ordinary user to whom terminals, commands and files belong, made with the image; root where there is none.
    #[serde(default)]
    pub user: Option<String>,
    /// Where a sandbox's plain disk lies, for what cannot lie on the overlay that is its root.
    #[serde(default)]
    pub disk: Option<PathBuf>,
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

/// Packages and files that several definitions have in common.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(default)]
    packages: Vec<String>,
    #[serde(default)]
    files: Vec<FileEntry>,
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
        Definition::built_in(super::DEFAULT)
    }

    /// Names of the definitions that are part of this program, the default one first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A definition that is part of this program.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn built_in(name: &str) -> Result<Definition> {
        match BUILT_IN.iter().find(|(n, _)| *n == name) {
            Some((_, text)) => Definition::parse(text).with_context(|| format!("the built-in lab image {name}")),
            None => bail!(
                "there is no lab image {name:?} to build; there are {}, or give the path of a definition (*.toml)",
                Definition::names().collect::<Vec<_>>().join(", ")
            ),
        }
    }

    /// Reads a definition from TOML.
    ///
    /// # Errors
    /// When a key is unknown or missing, or a value cannot be.
    pub fn parse(text: &str) -> Result<Definition> {
        let mut definition: Definition = toml::from_str(text)?;
        check_name(&definition.name)?;
        let mut hash = Sha256::new().chain_update(BUILDER.to_le_bytes()).chain_update(text);
        let (mut packages, mut files) = (Vec::new(), Vec::new());
        for name in &definition.include {
            let Some((_, text)) = PARTS.iter().find(|(n, _)| n == name) else {
                bail!("there is no part {name:?}; there are {}", PARTS.map(|(n, _)| n).join(", "));
            };
            hash.update(text);
            let part: Part = toml::from_str(text).with_context(|| format!("the part {name}"))?;
            packages.extend(part.packages);
            files.extend(part.files);
        }
        packages.append(&mut definition.packages);
        files.append(&mut definition.files);
        (definition.packages, definition.files) = (packages, files);
        definition.check()?;
        definition.digest = hex::encode(hash.finalize());
        Ok(definition)
    }

    fn check(&self) -> Result<()> {
        let one_line = self.summary.len() <= 120 && !self.summary.contains(char::is_control);
        ensure!(one_line, "`summary` is one line of at most 120 bytes");
        for file in &self.files {
            file.check()?;
        }
        // All of these become words of commands.
        let suites = self.suites.keys().chain([&self.suite]);
        for word in suites.chain(&self.packages).chain(self.suites.values().flatten()) {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"+-.:_~".contains(&b);
            let good = word.bytes().all(plain) && word.starts_with(|c: char| c.is_ascii_alphanumeric());
            ensure!(good, "{word:?} is no name of a package or suite");
        }
        if let Some(user) = &self.user {
            check_user(user)?;
        }
        if let Some(disk) = &self.disk {
            check_disk(disk)?;
        }
        Ok(())
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

/// Refuses what is no name of an ordinary user (adduser(8)).
pub(super) fn check_user(name: &str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    let good = name.len() <= 32 && name.bytes().all(plain) && name.starts_with(|c: char| c.is_ascii_lowercase());
    ensure!(good && name != "root", "{name:?} is no name for an image's user; leave `user` out for root");
    Ok(())
}

/// Refuses folders that sandboxes have of their own, and what is no absolute path.
pub(super) fn check_disk(disk: &Path) -> Result<()> {
    let text = disk.to_str().unwrap_or_default();
    let plain =
        text.starts_with('/') && text.len() <= 256 && text.split('/').skip(1).all(|p| !matches!(p, "" | "." | ".."));
    let taken = ["/proc", "/sys", "/dev", "/run", "/tmp", "/etc", "/usr"].iter().any(|t| disk.starts_with(t));
    ensure!(plain && !taken, "`disk` is an absolute path, and not below what a sandbox has of its own: {text:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_images_are_valid_and_record_only_what_they_install() {
        for name in Definition::names() {
            let d = Definition::built_in(name).unwrap();
            assert_eq!(d.name, name);
            assert!(!d.summary.is_empty(), "{name}");
            for package in d.versions.values() {
                assert!(d.packages.iter().chain(d.suites.values().flatten()).any(|p| p == package), "{package}");
            }
        }
        let unknown = Definition::built_in("default.tml").unwrap_err().to_string();
        assert!(unknown.contains("default, alternatives, minimal"), "{unknown}");
    }

    #[test]
    fn a_definition_has_its_parts_first_and_refuses_what_is_none() {
        let text = "name = \"a\"\nsuite = \"trixie\"\ninclude = [\"shell\"]\npackages = [\"git\"]\n";
        let d = Definition::parse(text).unwrap();
        assert_eq!(d.packages.last().unwrap(), "git");
        assert!(d.packages.iter().any(|p| p == "bash"));
        assert!(d.files.iter().any(|f| f.path == "/etc/skel/.bashrc"));
        for (key, no) in [
            ("include", "[\"none\"]"),
            ("packages", "[\"git --x\"]"),
            ("packages", "[\"-x\"]"),
            ("suites", "{ sid = [\"a;b\"] }"),
            ("user", "\"root\""),
            ("user", "\"a b\""),
            ("disk", "\"/etc/x\""),
            ("disk", "\"/home/../etc\""),
            ("disk", "\"home\""),
            ("summary", "\"a\\nb\""),
        ] {
            let packages = if key == "packages" { "" } else { "packages = []\n" };
            let text = format!("name = \"a\"\nsuite = \"trixie\"\n{packages}{key} = {no}\n");
            assert!(Definition::parse(&text).is_err(), "{text}");
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
