//! What of a Compose file (compose-spec.io) has to be known before it is deployed. Docker itself judges the rest.

use super::{interpolate::interpolate, yaml::Yaml};

/// Most services of a file.
const MOST_SERVICES: usize = 50;
/// Longest text of a name or an image.
const LONGEST: usize = 300;

/// A Compose file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compose {
    /// What it is called, by `title` in its `x-boatyard`.
    pub title: Option<String>,
    /// What it shows, by `summary` there.
    pub summary: Option<String>,
    /// Its services, in their order; those of a profile are not among them, since nobody asks for it.
    pub services: Vec<Service>,
    /// Files beside it that it cannot do without, each in words.
    pub needs: Vec<String>,
    /// What it may do without, in words.
    pub warnings: Vec<String>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its image; none where it is only built.
    pub image: Option<String>,
    /// Whether it is built.
    pub build: bool,
    /// Its TCP ports that are published.
    pub ports: Vec<Published>,
    /// Whether a swarm gives it names instead of a virtual address (`endpoint_mode: dnsrr`).
    pub dnsrr: bool,
}

/// A published port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The port outside; none where Docker chooses one.
    pub port: Option<u16>,
    /// The port inside.
    pub target: u16,
    /// Whether a swarm publishes it on the nodes that run it, past the routing mesh (`mode: host`).
    pub host: bool,
}

impl Compose {
    /// Reads a file.
    ///
    /// # Errors
    /// Why it is none, as a sentence without its end.
    pub fn read(text: &str) -> Result<Compose, String> {
        let head = text.trim_start().get(..15).unwrap_or(text).to_ascii_lowercase();
        if head.starts_with("<!doctype") || head.starts_with("<html") {
            return Err("it is a web page; name the address of the file itself, which a Git host calls `raw`".into());
        }
        let yaml = Yaml::read(text).map_err(|e| format!("it is no valid YAML: {e}"))?;
        let Yaml::Map(_) = yaml else {
            return Err("it is no Compose file, which begins with keys such as `services:`".into());
        };
        let Yaml::Map(services) = yaml.get("services") else {
            return Err("it has no `services`, so it is no Compose file".into());
        };
        if services.is_empty() {
            return Err("its `services` are empty".into());
        }
        if services.len() > MOST_SERVICES {
            return Err(format!("it has {} services, and at most {MOST_SERVICES} are deployed", services.len()));
        }
        let mut compose = Compose {
            title: words(yaml.get("x-boatyard").get("title")),
            summary: words(yaml.get("x-boatyard").get("summary")),
            services: Vec::new(),
            needs: Vec::new(),
            warnings: Vec::new(),
        };
        for (name, service) in services {
            if service.get("profiles").items().is_empty() {
                let service = compose.service(name, service)?;
                compose.services.push(service);
            }
        }
        if compose.services.is_empty() {
            return Err("all its services belong to profiles, so none is started".into());
        }
        for kind in ["configs", "secrets"] {
            for (name, entry) in yaml.get(kind).entries() {
                if let Some(file) = entry.get("file").text() {
                    compose.needs.push(format!(
                        "the {} `{name}` comes from the file `{}`",
                        &kind[..kind.len() - 1],
                        cut(file)
                    ));
                }
            }
        }
        if !yaml.get("include").is_null() {
            compose.needs.push("it includes other Compose files".into());
        }
        Ok(compose)
    }

    fn service(&mut self, name: &str, service: &Yaml) -> Result<Service, String> {
        let fits =
            (1..=100).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !fits {
            return Err(format!("`{}` is no name of a service", cut(name)));
        }
        if !matches!(service, Yaml::Map(_)) {
            return Err(format!("its service `{name}` says nothing"));
        }
        let image = service.get("image").text().map(|i| cut(&interpolate(i))).filter(|i| !i.is_empty());
        let build = service.get("build");
        if image.is_none() && build.is_null() && service.get("extends").is_null() {
            return Err(format!("its service `{name}` has neither `image` nor `build`"));
        }
        self.files_of(name, service);
        let mut ports = Vec::new();
        for port in service.get("ports").items() {
            ports.extend(
                published(port).map_err(|port| format!("`{}` is no port of its service `{name}`", cut(&port)))?,
            );
        }
        let dnsrr = service.get("deploy").get("endpoint_mode").text() == Some("dnsrr");
        Ok(Service { name: name.to_owned(), image, build: !build.is_null(), ports, dnsrr })
    }

    /// Notes the files beside it that a service needs.
    fn files_of(&mut self, name: &str, service: &Yaml) {
        let build = service.get("build");
        let context = build.text().or_else(|| build.get("context").text());
        let inline = !build.get("dockerfile_inline").is_null() && context.is_none_or(|c| c == ".");
        let remote = context.is_some_and(|c| c.contains("://") || c.starts_with("git@"));
        if !build.is_null() && !inline && !remote {
            let folder = cut(context.unwrap_or("."));
            self.needs.push(format!("its service `{name}` is built from the folder `{folder}`"));
        }
        if !service.get("env_file").is_null() {
            self.needs.push(format!("its service `{name}` has an `env_file`"));
        }
        if !service.get("extends").get("file").is_null() {
            self.needs.push(format!("its service `{name}` extends one of another file"));
        }
        for volume in service.get("volumes").items() {
            let source = match volume {
                Yaml::Map(_) if volume.get("type").text() == Some("bind") => volume.get("source").text(),
                Yaml::Scalar(text) => text.split_once(':').map(|(source, _)| source),
                _ => None,
            };
            if let Some(source) = source.filter(|s| s.starts_with("./") || s.starts_with("../") || *s == ".") {
                self.warnings.push(format!("`{name}` mounts `{}`, which is an empty folder here", cut(source)));
            }
        }
    }
}

/// Reads an entry of `ports`. None where it is no TCP port.
///
/// # Errors
/// What it says, where that is no port.
fn published(entry: &Yaml) -> Result<Option<Published>, String> {
    let first = |range: &str| range.split('-').next().unwrap_or_default().parse::<u16>().ok().filter(|p| *p > 0);
    let number = |text: &str| first(&interpolate(text)).ok_or_else(|| text.to_owned());
    if let Yaml::Map(_) = entry {
        if entry.get("protocol").text().is_some_and(|p| p != "tcp") {
            return Ok(None);
        }
        let port = entry.get("published").text().filter(|p| !p.is_empty()).map(number).transpose()?;
        let target = number(entry.get("target").text().unwrap_or_default())?;
        return Ok(Some(Published { port, target, host: entry.get("mode").text() == Some("host") }));
    }
    let Some(text) = entry.text() else { return Err("…".into()) };
    let text = interpolate(text);
    let (text, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
    if protocol != "tcp" {
        return Ok(None);
    }
    // [address:][port outside:]port inside
    let mut parts = text.rsplit(':');
    let target = number(parts.next().unwrap_or_default())?;
    let port = parts.next().filter(|p| !p.is_empty()).map(number).transpose()?;
    Ok(Some(Published { port, target, host: false }))
}

fn words(yaml: &Yaml) -> Option<String> {
    yaml.text().map(|t| cut(t.trim())).filter(|t| !t.is_empty())
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_with_images_and_ports_in_order() {
        let text = r#"
x-boatyard: {title: A shop, summary: Two services.}
services:
  web:
    image: ${WEB:-nginx}:1
    ports: ["127.0.0.1:8080-8081:80-81", "53:53/udp", 9000, {target: 90, published: "${P:-9090}", mode: host}]
    deploy: {endpoint_mode: dnsrr}
  db: {image: postgres}
  debug: {image: busybox, profiles: [debug]}
"#;
        let compose = Compose::read(text).unwrap();
        assert_eq!(compose.title.as_deref(), Some("A shop"));
        let names: Vec<_> = compose.services.iter().map(|s| (s.name.as_str(), s.image.as_deref().unwrap())).collect();
        assert_eq!(names, [("web", "nginx:1"), ("db", "postgres")]);
        let p = |port, target, host| Published { port, target, host };
        assert_eq!(
            compose.services[0].ports,
            [p(Some(8080), 80, false), p(None, 9000, false), p(Some(9090), 90, true)]
        );
        assert!(compose.services[0].dnsrr && !compose.services[1].dnsrr);
        assert_eq!(compose.needs, [""; 0]);
    }

    #[test]
    fn files_beside_it_are_named() {
        let text = r#"
services:
  app: {build: ., env_file: .env, volumes: ["./src:/src", "data:/data"]}
  inline: {build: {dockerfile_inline: "FROM busybox"}}
  far: {build: "https://example.org/repo.git"}
configs: {page: {file: ./index.html}}
"#;
        let compose = Compose::read(text).unwrap();
        assert_eq!(compose.needs.len(), 3, "{:?}", compose.needs);
        assert!(compose.needs[0].contains("built from the folder `.`"));
        assert_eq!(compose.warnings.len(), 1);
    }

    #[test]
    fn what_is_none_is_refused_in_words() {
        for (text, why) in [
            ("", "no Compose file"),
            ("hello", "no Compose file"),
            ("version: '3'", "no `services`"),
            ("services: {}", "empty"),
            ("services: [a]", "no `services`"),
            ("services: {a: {}}", "neither"),
            ("services: {a: ~}", "says nothing"),
            ("services: {'a b': {image: x}}", "no name"),
            ("services: {a: {image: x, ports: [web]}}", "no port"),
            ("services: {a: {image: x, profiles: [p]}}", "profiles"),
            ("services: [", "no valid YAML"),
            ("<!DOCTYPE html><html>", "raw"),
        ] {
            let e = Compose::read(text).unwrap_err();
            assert!(e.contains(why), "{text}: {e}");
        }
    }
}
