//! What is deployed where, before anyone has begun.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{Compose, LONGEST_NAME, NamedStack, Service, StackError, StackFile};
use crate::course::is_id;

/// Where a stack comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// One with a name: its id.
    Named(String),
    /// An address.
    Url(String),
}

impl Source {
    /// The id or the address.
    pub fn as_str(&self) -> &str {
        match self {
            Source::Named(s) | Source::Url(s) => s,
        }
    }
}

/// A stack that can be deployed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Name of its folder, its Compose project or its stack in the swarm.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// Whether it is deployed as a stack of a swarm.
    pub swarm: bool,
    /// Name of its Compose file.
    pub file: String,
    /// Text of its Compose file.
    pub text: String,
    /// What that says.
    pub compose: Compose,
    /// All files, the Compose file among them.
    pub files: Vec<StackFile>,
    /// What stands for all of its files: `sha256:…`.
    pub digest: String,
}

impl Plan {
    /// Of a stack that has a name.
    ///
    /// # Errors
    /// [`StackError`] where it cannot be deployed that way.
    pub fn of_named(stack: &NamedStack, name: Option<&str>, swarm: bool) -> Result<Plan, StackError> {
        let name = name.unwrap_or(&stack.name);
        let (source, file) = (Source::Named(stack.id()), stack.file.clone());
        Plan::new(name, source, swarm, file, stack.text.clone(), stack.compose.clone(), stack.files.clone())
    }

    /// Of a file that was fetched from `url`.
    ///
    /// # Errors
    /// [`StackError`] where it is no Compose file, or cannot be deployed.
    pub fn of_fetched(url: &url::Url, text: Bytes, name: Option<&str>, swarm: bool) -> Result<Plan, StackError> {
        let text = String::from_utf8(text.into()).map_err(|_| StackError::NoCompose("it is no UTF-8 text".into()))?;
        let compose = Compose::read(&text).map_err(StackError::NoCompose)?;
        if let Some(need) = compose.needs.first() {
            return Err(StackError::NotAlone(need.clone()));
        }
        let file = "compose.yaml".to_owned();
        let files = vec![StackFile { path: file.clone(), content: Bytes::from(text.clone()), executable: false }];
        let usual = name_of(url);
        Plan::new(name.unwrap_or(&usual), Source::Url(url.to_string()), swarm, file, text, compose, files)
    }

    fn new(
        name: &str,
        source: Source,
        swarm: bool,
        file: String,
        text: String,
        compose: Compose,
        files: Vec<StackFile>,
    ) -> Result<Plan, StackError> {
        if !is_id(name) || name.starts_with('-') || name.len() > LONGEST_NAME {
            return Err(StackError::Name);
        }
        if swarm && let Some(built) = compose.services.iter().find(|s| s.build) {
            return Err(StackError::Built(built.name.clone()));
        }
        let mut digest = Sha256::new();
        for StackFile { path, content, executable } in &files {
            digest.update(format!("{path}\0{executable}\0{}\0", content.len()));
            digest.update(content);
        }
        let digest = format!("sha256:{}", hex::encode(digest.finalize()));
        Ok(Plan { name: name.to_owned(), source, swarm, file, text, compose, files, digest })
    }

    /// What a later server needs to know of it.
    pub(crate) fn to_json(&self) -> String {
        let url = matches!(self.source, Source::Url(_));
        let Plan { name, source, swarm, file, text, .. } = self;
        serde_json::json!({"name": name, "source": source.as_str(), "url": url, "swarm": swarm, "file": file, "text": text})
            .to_string()
    }

    /// Reads what [`Plan::to_json`] wrote. Its files are not in it: they were written long ago.
    pub(crate) fn of_json(json: &str) -> Option<Plan> {
        let stored: serde_json::Value = serde_json::from_str(json).ok()?;
        let of = |key: &str| stored[key].as_str().map(str::to_owned);
        let source = of("source")?;
        let source = if stored["url"] == true { Source::Url(source) } else { Source::Named(source) };
        let text = of("text")?;
        let compose = Compose::read(&text).ok()?;
        Plan::new(&of("name")?, source, stored["swarm"] == true, of("file")?, text, compose, Vec::new()).ok()
    }

    /// What it is called where nobody says otherwise.
    pub fn usual_name(&self) -> String {
        match &self.source {
            Source::Named(id) => id.rsplit('/').next().unwrap_or(id).to_owned(),
            Source::Url(url) => url::Url::parse(url).map(|url| name_of(&url)).unwrap_or_default(),
        }
    }

    /// What is typed to deploy it.
    pub fn command(&self) -> String {
        let Plan { name, file, .. } = self;
        if self.swarm {
            format!("cd ~/{name} && docker stack deploy --detach -c {file} {name}")
        } else {
            format!("cd ~/{name} && docker compose up -d")
        }
    }

    /// The service with the first published port, and that port; none where Docker chooses it.
    pub fn first_port(&self) -> Option<(&Service, Option<u16>)> {
        self.compose.services.iter().find_map(|s| Some((s, s.ports.first()?.port)))
    }

    /// What may not work on a host without IP_VS.
    pub fn without_ip_vs(&self) -> Vec<String> {
        if !self.swarm {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        for service in &self.compose.services {
            if service.ports.iter().any(|p| !p.host) {
                warnings.push(format!(
                    "`{}` publishes a port without `mode: host`, so nothing will answer on it",
                    service.name
                ));
            }
        }
        if self.compose.services.len() > 1 {
            for service in self.compose.services.iter().filter(|s| !s.dnsrr) {
                warnings.push(format!(
                    "`{}` has no `endpoint_mode: dnsrr`, so the other services will not reach it",
                    service.name
                ));
            }
        }
        warnings
    }
}

/// The usual name of what is at an address: of the folder that the file lies in, or of the file where that says more.
fn name_of(url: &url::Url) -> String {
    let parts: Vec<_> = url.path_segments().into_iter().flatten().filter(|p| !p.is_empty()).collect();
    let stem = parts.last().map(|f| f.trim_end_matches(".yaml").trim_end_matches(".yml")).unwrap_or_default();
    let usual = ["compose", "docker-compose", "stack", "docker-stack", ""];
    let said = if usual.contains(&stem) {
        // …/owner/repository/main/compose.yaml, …/owner/repository/raw/branch/main/compose.yaml
        let dull = ["main", "master", "head", "refs", "heads", "raw", "branch", "blob", "-"];
        let folders = &parts[..parts.len().saturating_sub(1)];
        folders.iter().rev().find(|p| !dull.contains(&p.to_ascii_lowercase().as_str())).copied().unwrap_or_default()
    } else {
        stem
    };
    let name: String = crate::course::slug(said).chars().take(LONGEST_NAME).collect();
    let name = name.trim_end_matches('-').to_owned();
    if name.is_empty() { "stack".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_an_address() {
        for (url, name) in [
            (
                "https://raw.githubusercontent.com/dockersamples/example-voting-app/main/docker-stack.yml",
                "example-voting-app",
            ),
            ("http://git.lab:3000/me/web-shop/raw/branch/main/deploy/compose.yaml", "deploy"),
            ("https://example.org/My_Shop.yaml", "my-shop"),
            ("https://example.org/", "stack"),
            ("https://example.org/compose.yaml", "stack"),
        ] {
            assert_eq!(name_of(&url::Url::parse(url).unwrap()), name, "{url}");
        }
    }

    fn plan(text: &'static str, name: Option<&str>, swarm: bool) -> Result<Plan, StackError> {
        let url = url::Url::parse("https://example.org/shop.yaml").unwrap();
        Plan::of_fetched(&url, Bytes::from_static(text.as_bytes()), name, swarm)
    }

    #[test]
    fn a_command_as_one_types_it() {
        let text = "services: {db: {image: redis}, web: {image: nginx, ports: ['8080:80']}}";
        let by_compose = plan(text, None, false).unwrap();
        assert_eq!(by_compose.command(), "cd ~/shop && docker compose up -d");
        assert_eq!(by_compose.first_port().map(|(s, p)| (s.name.as_str(), p)), Some(("web", Some(8080))));
        assert!(by_compose.without_ip_vs().is_empty());
        let stack = plan(text, Some("s-1"), true).unwrap();
        assert_eq!(stack.command(), "cd ~/s-1 && docker stack deploy --detach -c compose.yaml s-1");
        assert_eq!(stack.without_ip_vs().len(), 3);
        assert_eq!(by_compose.digest, stack.digest);
        let again = Plan::of_json(&stack.to_json()).unwrap();
        assert_eq!((again.command(), again.source, again.compose), (stack.command(), stack.source, stack.compose));
    }

    #[test]
    fn what_cannot_be_deployed_says_why() {
        for bad in ["", "-a", "A", "a b", "a;b", "$(x)"] {
            assert!(matches!(plan("services: {a: {image: x}}", Some(bad), false), Err(StackError::Name)), "{bad}");
        }
        let inline = "services: {a: {build: {dockerfile_inline: FROM busybox}}}";
        assert!(plan(inline, None, false).is_ok());
        assert!(matches!(plan(inline, None, true), Err(StackError::Built(_))));
        assert!(matches!(plan("services: {a: {build: .}}", None, false), Err(StackError::NotAlone(_))));
    }
}
