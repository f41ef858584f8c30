//! Which packages a Debian root file system has, read from dpkg's own records.

use std::{collections::BTreeMap, fs, path::Path};

/// Installed packages and their versions.
#[derive(Debug, Clone, Default)]
pub struct Packages(BTreeMap<String, String>);

impl Packages {
    /// Reads the records below `root`; none where dpkg has none, as in an imported image of another distribution.
    pub fn read(root: &Path) -> Packages {
        Packages::parse(&fs::read_to_string(root.join("var/lib/dpkg/status")).unwrap_or_default())
    }

    /// Parses a status file: stanzas parted by empty lines.
    pub fn parse(status: &str) -> Packages {
        let stanza = |text: &str| {
            let field = |key: &str| text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(": "));
            let installed = field("Status").is_some_and(|s| s.ends_with(" installed"));
            installed.then(|| Some((field("Package")?.to_owned(), field("Version")?.to_owned()))).flatten()
        };
        Packages(status.split("\n\n").filter_map(stanza).collect())
    }

    /// Debian's version of a package, such as `26.1.5+dfsg1-9+b9`.
    pub fn version(&self, package: &str) -> Option<&str> {
        self.0.get(package).map(String::as_str)
    }

    /// The version that the package's authors gave it, such as `26.1.5`: what people know it by.
    pub fn upstream(&self, package: &str) -> Option<String> {
        self.version(package).map(upstream)
    }
}

/// Strips what Debian adds to a version: epoch, revision, and marks of a repacked source.
fn upstream(version: &str) -> String {
    let version = version.split_once(':').map_or(version, |(_, v)| v);
    let version = version.rsplit_once('-').map_or(version, |(v, _)| v);
    version.split(['+', '~']).next().unwrap_or(version).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_installed_packages_alone() {
        let p = Packages::parse(
            "Package: a\nStatus: install ok installed\nVersion: 5:26.1.5+dfsg1-9+b9\nDescription: x\n more\n\nPackage: \
             b\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: c\nStatus: install ok installed\nVersion: 2.0\n",
        );
        assert_eq!(p.version("a"), Some("5:26.1.5+dfsg1-9+b9"));
        assert_eq!(p.upstream("a").as_deref(), Some("26.1.5"));
        assert_eq!(p.version("b"), None);
        assert_eq!(p.upstream("c").as_deref(), Some("2.0"));
    }
}
