//! What the variables in the commands of lessons stand for.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    course::Variable,
    session::VariableError,
    web::{App, Problem, access::NodeAccess},
};

/// Which variable, and for which node.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "`id` and `node` are read by `NodeAccess`")]
pub struct VariablePath {
    /// The session.
    id: String,
    /// The node on which the command is typed.
    node: String,
    /// Its name, such as `swarm.join`.
    variable: String,
}

/// A variable's value.
#[derive(Debug, Serialize, ToSchema)]
pub struct VariableView {
    /// Its name.
    name: &'static str,
    /// What it stands for in a command that is typed on the node now.
    value: String,
}

/// What a variable in a lesson's command stands for now: `swarm.join` and `swarm.join.manager` for the command by which the
/// node joins the session's swarm.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/nodes/{node}/variables/{variable}", operation_id = "variable", tag = "lessons",
    params(VariablePath),
    responses(
        (status = 200, body = VariableView),
        (status = 404, body = Problem, description = "No such session, node or variable", content_type = "application/problem+json"),
        (status = 409, body = Problem, description = "It stands for nothing now (`no-swarm`, `member`)", content_type = "application/problem+json"),
    ))]
pub async fn get(
    State(app): State<App>,
    access: NodeAccess,
    Path(at): Path<VariablePath>,
) -> Result<Json<VariableView>, Problem> {
    let variable = Variable::parse(&at.variable).ok_or_else(|| {
        let known: Vec<_> = Variable::ALL.iter().map(|v| v.name()).collect();
        Problem::not_found(format!("There is no such variable; there are {}.", known.join(", ")))
    })?;
    let value = app.sessions.value(&access.live, &access.node, variable).await?;
    Ok(Json(VariableView { name: variable.name(), value }))
}

impl From<VariableError> for Problem {
    fn from(e: VariableError) -> Problem {
        let detail = format!("{e}.");
        let detail = detail[..1].to_uppercase() + &detail[1..];
        match e {
            VariableError::NoSwarm => Problem::new(StatusCode::CONFLICT, "No swarm yet", detail).code("no-swarm"),
            VariableError::Member(_) => {
                Problem::new(StatusCode::CONFLICT, "In the swarm already", detail).code("member")
            }
            VariableError::Nonsense(_) => Problem::new(StatusCode::BAD_GATEWAY, "No join token", detail),
        }
    }
}
