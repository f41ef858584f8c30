//! `POST /v1/exec`

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use boatyard_protocol::agent::ExecRequest;

use super::{Shared, bad, error};

/// Runs a command to its end.
pub async fn exec(State(app): Shared, body: Result<Json<ExecRequest>, JsonRejection>) -> Response {
    let request = match body {
        Ok(Json(request)) => request,
        Err(e) => return bad(e),
    };
    let nul = |s: &String| s.contains('\0');
    if request.command.iter().any(nul)
        || request.cwd.iter().any(nul)
        || request.env.iter().any(|(k, v)| k.is_empty() || k.contains('=') || nul(k) || nul(v))
    {
        return error(StatusCode::BAD_REQUEST, "command, folder and variables hold no NUL, names of variables no '='");
    }
    match crate::exec::run(&app.reaper, request).await {
        Ok(response) => Json(response).into_response(),
        Err(e) => super::io_error(&e),
    }
}
