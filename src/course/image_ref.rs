use std::{fmt, str::FromStr};

use oci_spec::distribution::Reference;

const HUB: &str = "docker.io";
const OFFICIAL: &str = "library/";

/// A text that does not name an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` does not name an image ({reason}); write it as in `docker pull`, such as `python:3.13`")]
pub struct NotAnImage {
    text: String,
    reason: String,
}

/// The name of an image, as Docker reads it: without a registry it is Docker Hub's, without a user's name it is below
/// `library/`, and without tag and digest the tag is `latest`. Two names that mean the same image are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageRef(Reference);

impl ImageRef {
    /// Whether both are of the same repository, whatever their tags and digests.
    pub fn same_repository(&self, other: &ImageRef) -> bool {
        self.0.registry() == other.0.registry() && self.0.repository() == other.0.repository()
    }

    /// The name without tag and digest, as the `docker` command shows it: without `docker.io/` and `library/`.
    pub fn name(&self) -> String {
        match (self.0.registry(), self.0.repository()) {
            (HUB, repository) => repository.strip_prefix(OFFICIAL).unwrap_or(repository).to_owned(),
            (registry, repository) => format!("{registry}/{repository}"),
        }
    }

    /// The last part of the name: `app` of `registry.lab:5000/me/app:1.0`.
    pub fn short_name(&self) -> &str {
        self.0.repository().rsplit('/').next().unwrap_or_default()
    }

    /// The registry, such as `docker.io` or `registry.lab:5000`.
    pub fn registry(&self) -> &str {
        self.0.registry()
    }

    /// The name within its registry, such as `library/python` or `me/app`.
    pub fn repository(&self) -> &str {
        self.0.repository()
    }

    /// The tag; `latest` where neither tag nor digest was given.
    pub fn tag(&self) -> Option<&str> {
        self.0.tag()
    }

    /// The digest, such as `sha256:…`.
    pub fn digest(&self) -> Option<&str> {
        self.0.digest()
    }
}

impl FromStr for ImageRef {
    type Err = NotAnImage;

    fn from_str(s: &str) -> Result<ImageRef, NotAnImage> {
        s.parse().map(ImageRef).map_err(|e: oci_spec::distribution::ParseError| NotAnImage {
            text: s.to_owned(),
            reason: if s.bytes().any(|b| b.is_ascii_uppercase()) {
                "names are in lower case".to_owned()
            } else {
                e.to_string()
            },
        })
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        // Docker leaves out a default tag in few places only; with it the name is exact.
        if let Some(tag) = self.tag() {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = self.digest() {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(s: &str) -> ImageRef {
        s.parse().unwrap()
    }

    #[test]
    fn reads_names_as_docker_does() {
        for same in ["python:latest", "library/python", "docker.io/python", "docker.io/library/python:latest"] {
            assert_eq!(image("python"), image(same), "{same}");
        }
        assert_eq!(image("index.docker.io/library/python"), image("python"));
        for other in ["python:3", "me/python", "registry.lab:5000/python", "localhost/python"] {
            assert_ne!(image("python"), image(other), "{other}");
        }
        let app = image("registry.lab:5000/me/app:1.0");
        assert_eq!((app.registry(), app.repository(), app.tag()), ("registry.lab:5000", "me/app", Some("1.0")));
        assert_eq!(app.to_string(), "registry.lab:5000/me/app:1.0");
        assert_eq!(image("docker.io/library/nginx").to_string(), "nginx:latest");
        assert_eq!(app.short_name(), "app");
    }

    #[test]
    fn keeps_a_digest_apart_from_the_tag() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let by_digest = image(&format!("python@{digest}"));
        assert_eq!((by_digest.tag(), by_digest.digest()), (None, Some(digest.as_str())));
        assert!(by_digest.same_repository(&image("python:3")));
    }

    #[test]
    fn says_why_a_text_is_no_name() {
        assert!("App".parse::<ImageRef>().unwrap_err().to_string().contains("lower case"));
        for bad in ["", "a b", "app:", ":1.0", "app@sha256:12", "-app", "a//b"] {
            assert!(bad.parse::<ImageRef>().is_err(), "{bad}");
        }
    }
}
