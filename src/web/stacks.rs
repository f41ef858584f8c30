//! What a link asks for, `/try?stack=…`, and what would come of it: the same for the pages and the API.

use axum::http::StatusCode;
use boatyard_protocol::agent::DockerMode;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{App, Problem};
use crate::{
    config::Config,
    course::ImageRef,
    stack::{FetchError, Finder, Plan, Service, Source, StackError, Stacks, Wish},
    template::Template,
};

/// A link's parameters. Others are passed over: whoever passes a link on may add some.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Name of a stack (`counter`, or `course/counter`), or the address of a Compose file on a host that the operator
    /// allows.
    pub stack: String,
    /// Name of a template; one node where absent, or the first with a swarm where one is wanted.
    pub template: Option<String>,
    /// Whether it is deployed as a stack of a swarm: `1` or `0`. Where absent, it is where the template has a swarm.
    #[serde(default, deserialize_with = "flag")]
    #[param(value_type = Option<bool>)]
    pub swarm: Option<bool>,
    /// What it shall be called: up to 32 of `a-z`, `0-9` and dash.
    pub name: Option<String>,
    /// Digest of what was looked at: anything else is not deployed.
    pub digest: Option<String>,
}

/// A stack for a new session.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StackWish {
    /// Name of a stack (`counter`, or `course/counter`), or the address of a Compose file on a host that the operator
    /// allows.
    source: String,
    /// Whether it is deployed as a stack of a swarm. Where absent, it is where the template has a swarm.
    #[serde(default)]
    swarm: Option<bool>,
    /// What it shall be called: up to 32 of `a-z`, `0-9` and dash. Made from the source where absent.
    #[serde(default)]
    name: Option<String>,
    /// Digest of what was looked at, by `GET /api/v1/stacks/plan`: anything else is not deployed.
    #[serde(default)]
    digest: Option<String>,
}

impl StackWish {
    /// The same as a link has it.
    pub fn wanted(self, template: Option<String>) -> Wanted {
        Wanted { stack: self.source, template, swarm: self.swarm, name: self.name, digest: self.digest }
    }
}

/// What is deployed where, before it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StackPlan {
    /// Name of its folder, and of its Compose project or its stack in the swarm.
    pub name: String,
    /// What the pages call it.
    pub title: String,
    /// What it shows; null where nobody said.
    pub summary: Option<String>,
    /// Where it comes from: a stack's id, or an address.
    pub source: String,
    /// Whether it comes from an address.
    pub fetched: bool,
    /// Name of its Compose file.
    pub file: String,
    /// Text of its Compose file.
    pub text: String,
    /// Paths of all its files.
    pub files: Vec<String>,
    /// Stands for all its files: `sha256:…`.
    pub digest: String,
    /// Whether it is deployed as a stack of a swarm.
    pub swarm: bool,
    /// Name of the template.
    pub template: String,
    /// Nodes that the session has.
    pub nodes: u32,
    /// What is typed to deploy it.
    pub command: String,
    /// The first port that it publishes; null where it publishes none, or Docker chooses it.
    pub port: Option<u16>,
    /// Its services, in the order of its file.
    pub services: Vec<PlannedService>,
    /// What may not work, in words; `code` in backticks.
    pub warnings: Vec<String>,
    /// Address of its page.
    pub url: String,
    /// A badge for a README that leads there, in Markdown.
    pub markdown: String,
}

/// A service of a stack.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlannedService {
    /// Its name.
    pub name: String,
    /// Its image; null where it is only built.
    pub image: Option<String>,
    /// From where that comes.
    pub from: ImageSource,
    /// The TCP ports that it publishes; what Docker chooses is not among them.
    pub ports: Vec<u16>,
}

/// From where an image comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImageSource {
    /// The catalogue of this server.
    Catalogue,
    /// The internet, or a registry behind the catalogue.
    Upstream,
    /// It is built.
    Built,
    /// Nowhere: the catalogue lacks it, and this server is offline.
    Nowhere,
}

impl ImageSource {
    /// Whether it cannot be had.
    pub fn is_nowhere(self) -> bool {
        self == ImageSource::Nowhere
    }

    /// The same in words.
    pub fn words(self) -> &'static str {
        match self {
            ImageSource::Catalogue => "from the catalogue",
            ImageSource::Upstream => "from the internet",
            ImageSource::Built => "built in the session",
            ImageSource::Nowhere => "not in the catalogue",
        }
    }
}

/// The stacks of a server with this configuration.
pub(super) fn find(config: &Config) -> Finder {
    let (named, problems) = Stacks::load(&config.courses, config.try_links.stacks.as_deref());
    for problem in problems {
        tracing::warn!("stack: {problem}");
    }
    Finder::new(named, config.try_links.hosts.clone())
}

/// Finds what a link asks for, and the template for it. `image` is the lab image that was asked for.
///
/// # Errors
/// With what is in the way.
pub async fn resolve(app: &App, wanted: &Wanted, image: Option<&str>) -> Result<(Plan, Template), Problem> {
    let template = template(app, wanted)?;
    let swarm = wanted.swarm.unwrap_or(template.managers > 0);
    let wish = Wish { stack: wanted.stack.clone(), name: wanted.name.clone().filter(|n| !n.is_empty()), swarm };
    let plan = app.stacks.plan(&wish).await?;
    if wanted.digest.as_ref().is_some_and(|d| *d != plan.digest) {
        return Err(StackError::Changed.into());
    }
    let config = app.sessions.config();
    let image = image.or(template.image.as_deref()).unwrap_or(&config.sessions.image);
    let has_docker = |i: &crate::image::ImageInfo| i.versions.contains_key("docker");
    let lacks = app.sessions.images().iter().any(|i| i.name == image && !has_docker(i));
    if lacks || config.sessions.docker == DockerMode::Off {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "No Docker Engine",
            format!("The lab image `{image}` has no Docker Engine here, so nothing can be deployed in it."),
        ));
    }
    Ok((plan, template))
}

fn template(app: &App, wanted: &Wanted) -> Result<Template, Problem> {
    let asked = wanted.template.as_deref().filter(|t| !t.is_empty());
    if asked.is_none() && wanted.swarm == Some(true) {
        let first = app.templates().into_iter().find(|t| t.managers > 0);
        return first.ok_or_else(|| {
            let why = "No template of this Boatyard has a swarm. Leave `swarm` out to deploy it with Docker Compose.";
            StackError::NoSwarm(why.into()).into()
        });
    }
    let template = app.template(asked)?;
    if wanted.swarm == Some(true) && template.managers == 0 {
        let why = format!("The template `{}` has no swarm. Name another one, or none.", template.name);
        return Err(StackError::NoSwarm(why).into());
    }
    Ok(template)
}

impl StackPlan {
    /// What would be done.
    pub fn of(app: &App, plan: &Plan, template: &Template) -> StackPlan {
        let services: Vec<_> = plan.compose.services.iter().map(|s| planned(app, s)).collect();
        let mut warnings = plan.compose.warnings.clone();
        if matches!(plan.source, Source::Named(_)) {
            warnings.clear();
        }
        for service in services.iter().filter(|s| s.from == ImageSource::Nowhere) {
            let image = service.image.as_deref().unwrap_or_default();
            warnings
                .push(format!("`{image}` is not in the catalogue, and this Boatyard is offline: it cannot be pulled"));
        }
        if !app.sessions.has_routing_mesh() {
            warnings.extend(plan.without_ip_vs().into_iter().map(|w| format!("{w}: this kernel has no IP_VS")));
        }
        let url = url(app, plan, template);
        StackPlan {
            name: plan.name.clone(),
            title: plan.compose.title.clone().unwrap_or_else(|| plan.name.clone()),
            summary: plan.compose.summary.clone(),
            source: plan.source.as_str().to_owned(),
            fetched: matches!(plan.source, Source::Url(_)),
            file: plan.file.clone(),
            text: plan.text.clone(),
            files: plan.files.iter().map(|f| f.path.clone()).collect(),
            digest: plan.digest.clone(),
            swarm: plan.swarm,
            template: template.name.clone(),
            nodes: template.nodes,
            command: plan.command(),
            port: plan.first_port().and_then(|(_, port)| port),
            services,
            warnings,
            markdown: markdown(app, &url),
            url,
        }
    }
}

/// A badge that leads to `url`, in Markdown.
pub fn markdown(app: &App, url: &str) -> String {
    format!("[![Try in Boatyard]({}/try/badge.svg)]({url})", app.sessions.config().base_url())
}

/// Address of the page of a named stack.
pub fn url_of(app: &App, stack: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("stack", stack).finish();
    format!("{}/try?{query}", app.sessions.config().base_url())
}

/// Address of the page of a plan, with no more in it than it needs.
fn url(app: &App, plan: &Plan, template: &Template) -> String {
    // A name that no other stack has is shorter than an id.
    let named = |id: &str| {
        let name = id.rsplit('/').next().unwrap_or(id);
        let same = app.stacks.named().find(name).is_some_and(|s| s.id() == id);
        if same { name.to_owned() } else { id.to_owned() }
    };
    let stack = match &plan.source {
        Source::Named(id) => named(id),
        Source::Url(url) => url.clone(),
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("stack", &stack);
    if template.name != "one" {
        query.append_pair("template", &template.name);
    }
    if plan.swarm != (template.managers > 0) {
        query.append_pair("swarm", if plan.swarm { "1" } else { "0" });
    }
    if plan.usual_name() != plan.name {
        query.append_pair("name", &plan.name);
    }
    format!("{}/try?{}", app.sessions.config().base_url(), query.finish())
}

fn planned(app: &App, service: &Service) -> PlannedService {
    PlannedService {
        name: service.name.clone(),
        image: service.image.clone(),
        from: if service.build { ImageSource::Built } else { image_source(app, service.image.as_deref()) },
        ports: service.ports.iter().filter_map(|p| p.port).collect(),
    }
}

fn image_source(app: &App, image: Option<&str>) -> ImageSource {
    let Some(image) = image.and_then(|i| i.parse::<ImageRef>().ok()) else { return ImageSource::Nowhere };
    let name = image.name();
    let has = |i: &super::view::CatalogueImage| {
        i.name == name
            && image.digest().is_none()
            && image.tag().is_none_or(|t| t == "latest" || i.tags.iter().any(|known| known == t))
    };
    let config = app.sessions.config();
    if app.catalogue.iter().any(has) {
        ImageSource::Catalogue
    } else if config.registry.upstream.is_some() || config.engine.internet {
        ImageSource::Upstream
    } else {
        ImageSource::Nowhere
    }
}

/// A flag of an address: forms and links know no booleans.
fn flag<'de, D: Deserializer<'de>>(d: D) -> Result<Option<bool>, D::Error> {
    match Option::<String>::deserialize(d)?.as_deref() {
        None | Some("") => Ok(None),
        Some("1" | "true" | "yes") => Ok(Some(true)),
        Some("0" | "false" | "no") => Ok(Some(false)),
        Some(_) => Err(serde::de::Error::custom("`swarm` is 1 or 0")),
    }
}

impl From<StackError> for Problem {
    fn from(e: StackError) -> Problem {
        let said = e.to_string();
        let (status, title, code) = match e {
            StackError::Unknown(_) => (StatusCode::NOT_FOUND, "No such stack", "unknown-stack"),
            StackError::NoCompose(_) | StackError::NotAlone(_) | StackError::Built(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "This cannot be deployed", "bad-stack")
            }
            StackError::Name => (StatusCode::BAD_REQUEST, "Not a name", "bad-name"),
            StackError::NoSwarm(_) => (StatusCode::BAD_REQUEST, "No swarm", "no-swarm"),
            StackError::Changed => (StatusCode::CONFLICT, "The stack has changed", "stack-changed"),
            StackError::Fetch(e) => match e {
                FetchError::Off | FetchError::NotListed(..) | FetchError::NotPublic(_) => {
                    (StatusCode::FORBIDDEN, "This address is not asked", "refused-address")
                }
                FetchError::Address(_) => (StatusCode::BAD_REQUEST, "Not an address", "bad-address"),
                FetchError::TooLarge => (StatusCode::UNPROCESSABLE_ENTITY, "The file is too large", "stack-too-large"),
                FetchError::Late(_) => (StatusCode::GATEWAY_TIMEOUT, "The file does not come", "unreachable"),
                FetchError::Unreachable(..) | FetchError::Answered(..) | FetchError::Circle(_) => {
                    (StatusCode::BAD_GATEWAY, "The file does not come", "unreachable")
                }
            },
        };
        Problem::new(status, title, said).code(code)
    }
}
