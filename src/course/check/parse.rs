//! Checks from YAML: a list of mappings, each with one key that says what is looked at.

use std::{fmt, marker::PhantomData};

use regex::Regex;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{
    Check, ContainerState, ContainerWanted, FileWanted, HttpWanted, ImageWanted, Kind, PublishedPort, RepositoryTag,
    Side,
};
use crate::course::{DEFAULT_NODE, ImageRef, is_id, problem::Problems};

impl Check {
    /// Reads a step's checks from YAML whose first line is the file's line `first`.
    pub(in crate::course) fn parse_list(yaml: &str, first: usize, problems: &mut Problems) -> Vec<Check> {
        let raw: Vec<RawCheck> = match serde_norway::from_str(yaml) {
            Ok(raw) => raw,
            Err(e) => {
                problems.yaml(first, &e);
                return Vec::new();
            }
        };
        if raw.is_empty() {
            problems.error(first, "the list of checks is empty");
        }
        let mut checks = Vec::new();
        for (i, raw) in raw.into_iter().enumerate() {
            match raw.check(DEFAULT_NODE) {
                Ok(check) => checks.push(check),
                Err(e) => problems.error(first + item_line(yaml, i), e),
            }
        }
        checks
    }
}

/// The line, from 0, on which the `n`th item of the outermost list begins. (serde_norway tells places of its own errors
/// only; what is found out afterwards needs one too.)
fn item_line(yaml: &str, n: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let items = || yaml.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with('-'));
    let outermost = items().map(|(_, line)| indent(line)).min().unwrap_or(0);
    items().filter(|(_, line)| indent(line) == outermost).nth(n).map_or(0, |(number, _)| number)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCheck {
    image: Option<StringOr<RawImage>>,
    no_image: Option<StringOr<RawImage>>,
    container: Option<RawContainer>,
    file: Option<RawFile>,
    port: Option<u16>,
    http: Option<RawHttp>,
    registry: Option<String>,
    same_digest: Option<Vec<RawSide>>,
    all: Option<Vec<RawCheck>>,
    any: Option<Vec<RawCheck>>,
    not: Option<Box<RawCheck>>,
    node: Option<String>,
    title: Option<String>,
    hint: Option<String>,
}

const KINDS: &str = "image, no_image, container, file, port, http, registry, same_digest, all, any, not";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawImage {
    name: String,
    tag: Option<String>,
    digest: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContainer {
    image: Option<StringOr<RawImage>>,
    name: Option<String>,
    #[serde(default)]
    state: ContainerState,
    port: Option<RawPort>,
}

/// `8080` or `"8080:5000"`.
struct RawPort(PublishedPort);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    path: String,
    contains: Option<OneOrMany>,
    matches: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHttp {
    port: u16,
    #[serde(default = "root")]
    path: String,
    #[serde(default = "ok")]
    status: u16,
    contains: Option<String>,
}

fn root() -> String {
    "/".to_owned()
}

fn ok() -> u16 {
    200
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSide {
    image: Option<String>,
    registry: Option<String>,
    node: Option<String>,
}

impl RawCheck {
    /// `node` is the one that the check around it names.
    fn check(self, node: &str) -> Result<Check, String> {
        let node = match self.node {
            Some(node) if !is_id(&node) => return Err(format!("`{node}` is no name of a node, such as `node2`")),
            Some(node) => node,
            None => node.to_owned(),
        };
        let nested = |checks: Vec<RawCheck>| -> Result<Vec<Check>, String> {
            if checks.is_empty() {
                return Err("the list of checks is empty".to_owned());
            }
            checks.into_iter().map(|raw| raw.check(&node)).collect()
        };
        let kinds: Vec<Result<Kind, String>> = [
            self.image.map(|raw| image(raw).map(Kind::Image)),
            self.no_image.map(|raw| image(raw).map(Kind::NoImage)),
            self.container.map(|raw| container(raw).map(Kind::Container)),
            self.file.map(|raw| file(raw).map(Kind::File)),
            self.port.map(|port| nonzero(port).map(Kind::Port)),
            self.http.map(|raw| http(raw).map(Kind::Http)),
            self.registry.map(|raw| repository_tag(&raw).map(Kind::Registry)),
            self.same_digest.map(|raw| sides(raw, &node).map(Kind::SameDigest)),
            self.all.map(|raw| nested(raw).map(Kind::All)),
            self.any.map(|raw| nested(raw).map(Kind::Any)),
            self.not.map(|raw| raw.check(&node).map(|check| Kind::Not(Box::new(check)))),
        ]
        .into_iter()
        .flatten()
        .collect();
        let count = kinds.len();
        match kinds.into_iter().next() {
            Some(kind) if count == 1 => Ok(Check { node, kind: kind?, title: self.title, hint: self.hint }),
            Some(_) => Err("a check looks at one thing; make it two checks, or put both under `all`".to_owned()),
            None => Err(format!("this check does not say what to look at: give it one of {KINDS}")),
        }
    }
}

fn image(raw: StringOr<RawImage>) -> Result<ImageWanted, String> {
    let raw = match raw {
        StringOr::String(name) => RawImage { name, tag: None, digest: None },
        StringOr::Other(raw) => raw,
    };
    let parse = |text: &str| text.parse::<ImageRef>().map_err(|e| e.to_string());
    if raw.tag.is_some() && raw.digest.is_some() {
        return Err("an image is looked for by `tag` or by `digest`, not by both".to_owned());
    }
    if (raw.tag.is_some() || raw.digest.is_some())
        && parse(&raw.name)?.to_string() != format!("{}:latest", parse(&raw.name)?.name())
    {
        return Err(format!("`{}` has a tag or digest of its own beside `tag` or `digest`", raw.name));
    }
    match (raw.tag.as_deref(), raw.digest) {
        (Some("*"), _) => Ok(ImageWanted { image: parse(&raw.name)?, any_tag: true }),
        (Some(tag), _) => Ok(ImageWanted { image: parse(&format!("{}:{tag}", raw.name))?, any_tag: false }),
        (None, Some(digest)) => Ok(ImageWanted { image: parse(&format!("{}@{digest}", raw.name))?, any_tag: false }),
        (None, None) => Ok(ImageWanted { image: parse(&raw.name)?, any_tag: false }),
    }
}

fn container(raw: RawContainer) -> Result<ContainerWanted, String> {
    if raw.image.is_none() && raw.name.is_none() && raw.port.is_none() {
        return Err("a container is looked for by at least one of `name`, `image` and `port`".to_owned());
    }
    let image = raw.image.map(image).transpose()?;
    Ok(ContainerWanted { image, name: raw.name, state: raw.state, port: raw.port.map(|port| port.0) })
}

fn file(raw: RawFile) -> Result<FileWanted, String> {
    absolute("path", &raw.path)?;
    let matches = raw.matches.map(|pattern| Regex::new(&pattern)).transpose().map_err(|e| format!("`matches`: {e}"))?;
    let contains = raw.contains.map(|c| c.0).unwrap_or_default();
    if contains.iter().any(String::is_empty) {
        return Err("`contains` is empty, so every file would do".to_owned());
    }
    Ok(FileWanted { path: raw.path, contains, matches })
}

fn http(raw: RawHttp) -> Result<HttpWanted, String> {
    absolute("path", &raw.path)?;
    if !(100..600).contains(&raw.status) {
        return Err(format!("`{}` is no HTTP status", raw.status));
    }
    Ok(HttpWanted { port: nonzero(raw.port)?, path: raw.path, status: raw.status, contains: raw.contains })
}

fn absolute(key: &str, path: &str) -> Result<(), String> {
    match path.starts_with('/') {
        true => Ok(()),
        false => Err(format!("`{key}: {path}` does not begin with `/`")),
    }
}

fn nonzero(port: u16) -> Result<u16, String> {
    if port == 0 { Err("there is no port 0".to_owned()) } else { Ok(port) }
}

/// `me/app:1.0`, with the registry's own name before it or without.
fn repository_tag(text: &str) -> Result<RepositoryTag, String> {
    let host = boatyard_protocol::agent::REGISTRY_HOST;
    let path = text.strip_prefix(host).and_then(|rest| rest.strip_prefix('/')).unwrap_or(text);
    // With the host before it, a first part such as `localhost` is no registry.
    let image: ImageRef = format!("{host}/{path}").parse().map_err(|e: crate::course::NotAnImage| e.to_string())?;
    match image.tag() {
        Some(tag) => Ok(RepositoryTag { repository: image.repository().to_owned(), tag: tag.to_owned() }),
        None => Err(format!("`{text}`: the registry is asked for a tag, not for a digest")),
    }
}

fn sides(raw: Vec<RawSide>, node: &str) -> Result<Vec<Side>, String> {
    if raw.len() < 2 {
        return Err("`same_digest` compares at least two".to_owned());
    }
    raw.into_iter()
        .map(|side| match side {
            RawSide { image: Some(image), registry: None, node: own } => {
                let image = image.parse().map_err(|e: crate::course::NotAnImage| e.to_string())?;
                Ok(Side::Image { node: own.unwrap_or_else(|| node.to_owned()), image })
            }
            RawSide { image: None, registry: Some(tag), node: None } => Ok(Side::Registry(repository_tag(&tag)?)),
            _ => {
                Err("`same_digest` compares items that each have `image` (and perhaps `node`) or `registry`".to_owned())
            }
        })
        .collect()
}

/// A text as the short form of something longer.
enum StringOr<T> {
    String(String),
    Other(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for StringOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not serde's `untagged`: that forgets what was wrong and where.
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = StringOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name such as `app:1.0`, or a mapping with `name` and `tag`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(StringOr::String(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(StringOr::Other)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<'de> Deserialize<'de> for RawPort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for as text, since YAML may read 8080:5000 as a number of base 60.
        let text = String::deserialize(deserializer)?;
        let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
        let port = match text.split_once(':') {
            Some((host, container)) => {
                number(host).zip(number(container)).map(|(host, c)| PublishedPort { host, container: Some(c) })
            }
            None => number(&text).map(|host| PublishedPort { host, container: None }),
        };
        port.map(RawPort).ok_or_else(|| de::Error::custom(format!("`port: {text}` is neither 8080 nor 8080:5000")))
    }
}

/// One text or a list of texts.
struct OneOrMany(Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany(texts))
            }
        }
        deserializer.deserialize_any(Texts)
    }
}
