//! Running a command in a node, without a terminal.

use std::collections::BTreeMap;

use axum::{Json, extract::rejection::JsonRejection};
use boatyard_protocol::agent::ExecRequest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::web::{Problem, access::NodeAccess};

/// Most bytes kept of each of stdout and stderr: as JSON, where a byte may become six, both fit into an agent's answer.
const MAX_OUTPUT: usize = 512 << 10;

/// A command.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// The program and its arguments, such as `["sh", "-c", "docker image ls"]`.
    command: Vec<String>,
    /// What its standard input gets.
    #[serde(default)]
    stdin: Option<String>,
    /// Working folder; the user's home where absent.
    #[serde(default)]
    cwd: Option<String>,
    /// Further environment variables.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// As whom it runs: a user's name in the sandbox; where absent, whose terminals they are, which is root in most lab
    /// images.
    #[serde(default)]
    user: Option<String>,
    /// Seconds after which it is killed, 1 to 3600; 60 where absent.
    #[serde(default)]
    timeout_s: Option<u32>,
}

/// How a command ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExecResult {
    /// Its exit code; 128 + signal where a signal ended it.
    exit_code: i32,
    /// Its standard output, as UTF-8; at most 512 KiB.
    stdout: String,
    /// Its standard error, as UTF-8; at most 512 KiB.
    stderr: String,
    /// Whether one of them was cut.
    truncated: bool,
    /// Whether its time ran out.
    timed_out: bool,
}

/// Runs a command in a node and waits for its end.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/nodes/{node}/exec", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path)), request_body = Exec,
    responses((status = 200, body = ExecResult), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn exec(access: NodeAccess, body: Result<Json<Exec>, JsonRejection>) -> Result<Json<ExecResult>, Problem> {
    let Json(exec) = body.map_err(|e| Problem::bad_request(e.body_text()))?;
    let timeout_s = exec.timeout_s.unwrap_or(60);
    if exec.command.is_empty() {
        return Err(Problem::bad_request("`command` needs at least the program's name."));
    }
    if !(1..=3600).contains(&timeout_s) {
        return Err(Problem::bad_request("`timeout_s` is 1 to 3600."));
    }
    let request = ExecRequest {
        command: exec.command,
        stdin: exec.stdin,
        cwd: exec.cwd,
        env: exec.env,
        user: exec.user,
        timeout_ms: u64::from(timeout_s) * 1000,
        max_output: MAX_OUTPUT,
    };
    let _place = access.live.answers.acquire().await.map_err(|e| Problem::internal(&e))?;
    let done = access.node.agent().exec(&request).await?;
    access.live.touch();
    Ok(Json(ExecResult {
        exit_code: done.exit_code,
        stdout: done.stdout,
        stderr: done.stderr,
        truncated: done.truncated,
        timed_out: done.timed_out,
    }))
}
