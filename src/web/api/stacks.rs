//! Stacks: Compose files that a session can be started to deploy.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    session::{DeployError, Deployment},
    web::{
        App, Problem,
        access::Access,
        stacks::{self, StackPlan, Wanted},
    },
};

/// A stack with a name.
#[derive(Debug, Serialize, ToSchema)]
pub struct StackView {
    /// Its name.
    name: String,
    /// What no other stack is called: `course/name`, or the name alone.
    id: String,
    /// What the pages call it.
    title: String,
    /// What it shows; null where nobody said.
    summary: Option<String>,
    /// Its services, in the order of its file.
    services: Vec<String>,
    /// Address of its page.
    url: String,
}

/// The stacks that have a name: those of courses, and the operator's own.
#[utoipa::path(get, path = "/api/v1/stacks", operation_id = "list_stacks", tag = "stacks", security(()),
    responses((status = 200, body = Vec<StackView>)))]
pub async fn list(State(app): State<App>) -> Json<Vec<StackView>> {
    let view = |s: &std::sync::Arc<crate::stack::NamedStack>| StackView {
        name: s.name.clone(),
        id: s.id(),
        title: s.title().to_owned(),
        summary: s.compose.summary.clone(),
        services: s.compose.services.iter().map(|s| s.name.clone()).collect(),
        url: stacks::url_of(&app, &s.id()),
    };
    Json(app.stacks.named().all().iter().map(view).collect())
}

/// What a session with this stack would deploy. It starts nothing.
#[utoipa::path(get, path = "/api/v1/stacks/plan", operation_id = "plan_stack", tag = "stacks", security(()), params(Wanted),
    responses(
        (status = 200, body = StackPlan),
        (status = 400, body = Problem, description = "No address, name or swarm (`bad-address`, `bad-name`, `no-swarm`)", content_type = "application/problem+json"),
        (status = 403, body = Problem, description = "An address that the server does not ask (`refused-address`)", content_type = "application/problem+json"),
        (status = 404, body = Problem, description = "No such stack or template (`unknown-stack`)", content_type = "application/problem+json"),
        (status = 409, body = Problem, description = "It is not what has the digest (`stack-changed`)", content_type = "application/problem+json"),
        (status = 422, body = Problem, description = "No Compose file, or one that cannot be deployed (`bad-stack`, `stack-too-large`)", content_type = "application/problem+json"),
        (status = 502, body = Problem, description = "Its server cannot be reached (`unreachable`)", content_type = "application/problem+json"),
        (status = 504, body = Problem, description = "Its server does not answer in time (`unreachable`)", content_type = "application/problem+json"),
    ))]
pub async fn plan(
    State(app): State<App>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<StackPlan>, Problem> {
    let Query(wanted) = wanted.map_err(|e| Problem::bad_request(e.body_text()))?;
    let (plan, template) = stacks::resolve(&app, &wanted, None).await?;
    Ok(Json(StackPlan::of(&app, &plan, &template)))
}

/// Deploys the session's stack once more: its command is typed again.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/deployment", operation_id = "deploy_again", tag = "stacks",
    params(("id" = crate::session::SessionId, Path)),
    responses(
        (status = 202, body = Deployment),
        (status = 404, body = Problem, description = "No such session, or it has no stack", content_type = "application/problem+json"),
        (status = 409, body = Problem, description = "It is being deployed, or the terminal is busy", content_type = "application/problem+json"),
    ))]
pub async fn deploy_again(
    State(app): State<App>,
    Access(live): Access,
) -> Result<(StatusCode, Json<Option<Deployment>>), Problem> {
    app.sessions.deploy_again(&live).await?;
    Ok((StatusCode::ACCEPTED, Json(live.deployment())))
}

impl From<DeployError> for Problem {
    fn from(e: DeployError) -> Problem {
        match e {
            DeployError::None => Problem::not_found("This session was not started to deploy a stack."),
            DeployError::UnderWay => {
                Problem::new(StatusCode::CONFLICT, "It is under way", "The stack is being deployed now.")
            }
            DeployError::Busy(_) => {
                Problem::new(StatusCode::CONFLICT, "The terminal is busy", format!("{e}.")).code("busy")
            }
            DeployError::Agent(e) => e.into(),
        }
    }
}
