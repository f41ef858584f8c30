//! Starting, looking at, extending and closing sessions.

use std::net::SocketAddr;

use axum::{
    Json,
    extract::{ConnectInfo, State, rejection::JsonRejection},
    http::StatusCode,
    response::Response,
};
use axum_extra::extract::cookie::SignedCookieJar;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    session::{Deployment, EndReason, Live, NodeName, NodeUsage, PublicName, SessionId, StartRequest},
    template::Template,
    web::{
        App, Problem,
        access::Access,
        client::{self, Caller},
        problem::rfc3339,
        stacks::{self, StackWish},
    },
};

/// What a session shall be.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// Id of a course; goes with `lesson`.
    #[serde(default)]
    course: Option<String>,
    /// Id of a lesson of that course, which the session's page shows.
    #[serde(default)]
    lesson: Option<String>,
    /// Name of the lab image; the template's, the lesson's or the server's usual one, where absent.
    #[serde(default)]
    image: Option<String>,
    /// Name of a template; one node where absent, or the first with a swarm where a stack wants one.
    #[serde(default)]
    template: Option<String>,
    /// A stack that is deployed as soon as the session is there.
    #[serde(default)]
    stack: Option<StackWish>,
}

/// A session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// The name by which it is known in host names of ports; opens nothing.
    pub public_name: PublicName,
    /// `running`; a session that has ended is answered with status 410.
    pub state: &'static str,
    /// Its nodes.
    pub nodes: Vec<NodeView>,
    /// When it was started (RFC 3339).
    pub created_at: String,
    /// When it ends (RFC 3339).
    pub expires_at: String,
    /// How often it can still be extended.
    pub extensions_left: u32,
    /// Its page.
    pub url: String,
    /// The course that it was started for.
    pub course: Option<String>,
    /// The lesson that it was started for.
    pub lesson: Option<String>,
    /// How far the stack is that it was started to deploy; null where there is none.
    pub deployment: Option<Deployment>,
}

/// A session that was just started.
#[derive(Debug, Serialize, ToSchema)]
pub struct StartedSession {
    /// The session.
    #[serde(flatten)]
    session: SessionView,
    /// Opens the session without a cookie, as `Authorization: Bearer <token>`. It is told this once.
    token: String,
    /// To a page of another origin only: who its browser is. Sent as `X-Boatyard-Client` with the next start, it has the
    /// browser's sessions counted; it opens nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
}

/// A node of a session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NodeView {
    /// Its name.
    pub name: NodeName,
    /// Its address on the session's network.
    pub address: String,
    /// The lab image that it was made from.
    pub image: String,
    /// State of its Docker Engine.
    #[schema(value_type = super::described::DockerState)]
    pub docker: boatyard_protocol::agent::DockerState,
    /// What it is in the session's swarm; null where it is in none.
    pub swarm: Option<crate::session::SwarmRole>,
    /// Ports that listen.
    pub ports: Vec<PortView>,
}

/// What a node uses, and what it may use.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UsageView {
    /// Processors in use, such as 0.25.
    pub cpus: f64,
    /// Processors that it may use.
    pub cpus_most: f64,
    /// Bytes of memory in use.
    pub memory: u64,
    /// Bytes of memory that it may use.
    pub memory_most: u64,
    /// Bytes of disk in use.
    pub disk: u64,
    /// Bytes of disk that it has.
    pub disk_most: u64,
    /// Processes and threads.
    pub processes: u32,
    /// Processes and threads that it may have.
    pub processes_most: u32,
}

impl UsageView {
    /// A node's usage as the API shows it.
    pub fn of(usage: &NodeUsage, app: &App) -> UsageView {
        let limits = app.sessions.config().limits.limits();
        UsageView {
            cpus: f64::from(usage.cpu_milli) / 1000.0,
            cpus_most: limits.cpus,
            memory: usage.counted.memory,
            memory_most: limits.memory,
            disk: usage.counted.disk,
            disk_most: usage.counted.disk_size,
            processes: usage.counted.pids,
            processes_most: limits.pids,
        }
    }
}

/// A port that listens in a node.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PortView {
    /// The port.
    pub port: u16,
    /// Where its owner opens it.
    pub url: String,
}

impl SessionView {
    /// The session as the API shows it.
    pub fn of(live: &Live, app: &App) -> SessionView {
        let row = live.row();
        let (course, lesson) = row.lesson.clone().unzip();
        SessionView {
            id: row.id,
            public_name: row.public_name,
            state: "running",
            nodes: live.nodes().iter().map(|n| NodeView::of(live, n)).collect(),
            created_at: rfc3339(row.created_at).unwrap_or_default(),
            expires_at: rfc3339(row.expires_at).unwrap_or_default(),
            extensions_left: row.extensions_left,
            url: format!("{}{}", app.sessions.config().base_url(), page_path(row.id, row.lesson.as_ref())),
            course,
            lesson,
            deployment: live.deployment(),
        }
    }
}

impl NodeView {
    /// The node as the API shows it.
    pub fn of(live: &Live, node: &crate::session::Node) -> NodeView {
        let facts = node.facts();
        NodeView {
            name: node.name().clone(),
            address: node.address().to_string(),
            image: node.image().to_owned(),
            docker: facts.docker,
            swarm: facts.swarm,
            ports: PortView::all(live.id(), node, &facts),
        }
    }
}

impl PortView {
    /// All ports of a node as the API shows them.
    pub fn all(session: SessionId, node: &crate::session::Node, facts: &crate::session::Facts) -> Vec<PortView> {
        let view = |p: &boatyard_protocol::agent::ListeningPort| PortView {
            port: p.port,
            url: format!("/s/{session}/ports/{}/{}", node.name(), p.port),
        };
        facts.ports.iter().map(view).collect()
    }
}

/// Path of a session's page.
pub fn page_path(id: SessionId, lesson: Option<&(String, String)>) -> String {
    match lesson {
        Some((course, lesson)) => format!("/s/{id}/{course}/{lesson}"),
        None => format!("/s/{id}"),
    }
}

/// Starts a session. The cookie in the answer, or the token, opens it.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "sessions", security(()),
    request_body(content = NewSession, description = "May be left out"),
    responses(
        (status = 201, body = StartedSession),
        (status = 403, body = Problem, description = "The stack is at an address that the server does not ask", content_type = "application/problem+json"),
        (status = 404, body = Problem, description = "No such lesson, lab image, template or stack", content_type = "application/problem+json"),
        (status = 409, body = Problem, description = "The stack has changed (`stack-changed`), or the lab image has no Docker Engine", content_type = "application/problem+json"),
        (status = 422, body = Problem, description = "The stack is no Compose file, or cannot be deployed that way", content_type = "application/problem+json"),
        (status = 429, body = Problem, description = "The client has as many as it may have (`client-limit`, `address-limit`)", content_type = "application/problem+json"),
        (status = 502, body = Problem, description = "The stack's server cannot be reached", content_type = "application/problem+json"),
        (status = 503, body = Problem, description = "All places are taken (`full`)", content_type = "application/problem+json"),
        (status = 504, body = Problem, description = "The stack's server does not answer in time", content_type = "application/problem+json"),
    ))]
pub async fn create(
    State(app): State<App>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    caller: Caller,
    body: Result<Option<Json<NewSession>>, JsonRejection>,
) -> Result<Response, Problem> {
    let new = body.map_err(|e| Problem::bad_request(e.body_text()))?.map(|j| j.0).unwrap_or_default();
    let lesson = match (new.course, new.lesson) {
        (Some(course), Some(lesson)) => Some((course, lesson)),
        (None, None) => None,
        _ => return Err(Problem::bad_request("`course` and `lesson` go together.")),
    };
    let (plan, template) = match new.stack {
        Some(wish) => {
            let wanted = wish.wanted(new.template);
            let (plan, template) = stacks::resolve(&app, &wanted, new.image.as_deref()).await?;
            (Some(plan), template)
        }
        None => (None, app.template(new.template.as_deref())?),
    };
    let request =
        StartRequest { owner: caller.id, address: address.ip().to_string(), lesson, image: new.image, template };
    let created = app.sessions.start(request).await?;
    if let Some(plan) = plan {
        app.sessions.deploy(&created.live, plan).await?;
    }
    let session = SessionView::of(&created.live, &app);
    let started = StartedSession { session, token: created.token, client: caller.token(&app) };
    Ok(caller.answer((StatusCode::CREATED, Json(started))))
}

/// What a session can be started as.
#[utoipa::path(get, path = "/api/v1/templates", operation_id = "list_templates", tag = "sessions", security(()),
    responses((status = 200, body = Vec<Template>)))]
pub async fn templates(State(app): State<App>) -> Json<Vec<Template>> {
    Json(app.templates())
}

/// The running sessions of this browser.
#[utoipa::path(get, path = "/api/v1/sessions", operation_id = "list_sessions", tag = "sessions", responses((status = 200, body = Vec<SessionView>)))]
pub async fn list(State(app): State<App>, jar: SignedCookieJar) -> Json<Vec<SessionView>> {
    let mine = client::known(&app, &jar).map(|c| app.sessions.of_client(c)).unwrap_or_default();
    Json(mine.iter().map(|l| SessionView::of(l, &app)).collect())
}

/// A session as it is now.
#[utoipa::path(get, path = "/api/v1/sessions/{id}", tag = "sessions", params(("id" = SessionId, Path)),
    responses((status = 200, body = SessionView), (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn get(State(app): State<App>, Access(live): Access) -> Json<SessionView> {
    Json(SessionView::of(&live, &app))
}

/// Closes a session: at once for its user; what it had is removed within about a second.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "sessions", params(("id" = SessionId, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn delete(State(app): State<App>, Access(live): Access) -> Result<StatusCode, Problem> {
    app.sessions.end(live.id(), EndReason::Closed)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Adds an extension's time to a session.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/extend", tag = "sessions", params(("id" = SessionId, Path)),
    responses((status = 200, body = SessionView), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "No extension is left")))]
pub async fn extend(State(app): State<App>, Access(live): Access) -> Result<Json<SessionView>, Problem> {
    match app.sessions.extend(&live)? {
        Some(()) => Ok(Json(SessionView::of(&live, &app))),
        None => Err(Problem::new(
            StatusCode::CONFLICT,
            "No extension is left",
            "This session has been extended as often as it can be. Save what you need before it ends.",
        )),
    }
}
