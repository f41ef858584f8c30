//! The agent's HTTP and WebSocket interface: translation only. The routes are those of [`boatyard_protocol::agent`].

mod events;
mod exec;
mod files;
mod process;
mod streams;
mod terminals;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use boatyard_protocol::agent::{AgentInfo, HostEntry, Problem};

use crate::app::App;

type Shared = State<Arc<App>>;

/// Largest JSON body taken: an exec request may carry a script's input.
const JSON_LIMIT: usize = 16 << 20;

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/info", get(info))
        .route("/v1/shutdown", post(shutdown))
        .route("/v1/hosts", put(hosts))
        .route("/v1/docker/start", post(start_docker))
        .route("/v1/terminals", get(terminals::list))
        .route("/v1/terminals/{id}", put(terminals::open).delete(terminals::close))
        .route("/v1/terminals/{id}/attach", get(terminals::attach))
        .route("/v1/exec", post(exec::exec))
        .route("/v1/process", get(process::process))
        .route("/v1/files", get(files::read).put(files::write).delete(files::remove))
        .route("/v1/files/list", get(files::list))
        .route("/v1/files/folder", put(files::make_folder))
        .route("/v1/files/move", post(files::rename))
        .route("/v1/files/tar", get(files::tar))
        .route("/v1/dial", get(streams::dial))
        .route("/v1/events", get(events::events))
        .route("/v1/accept", get(streams::accept))
        .route("/v1/streams/{id}", get(streams::collect))
        .fallback(|| async { error(StatusCode::NOT_FOUND, "no such route") })
        .method_not_allowed_fallback(|| async { error(StatusCode::METHOD_NOT_ALLOWED, "no such method here") })
        .layer(DefaultBodyLimit::max(JSON_LIMIT))
        .with_state(app)
}

async fn info(State(app): Shared) -> Json<AgentInfo> {
    Json(AgentInfo {
        protocol: boatyard_protocol::VERSION,
        version: env!("CARGO_PKG_VERSION").into(),
        docker: app.docker.state(),
        uptime_ms: app.started.elapsed().as_millis() as u64,
    })
}

async fn shutdown(State(app): Shared) -> StatusCode {
    app.shutdown.cancel();
    StatusCode::ACCEPTED
}

async fn start_docker(State(app): Shared) -> Response {
    if app.docker.start() {
        StatusCode::ACCEPTED.into_response()
    } else {
        error(StatusCode::NOT_FOUND, "there is no Docker Engine in this sandbox, or it is switched off")
    }
}

async fn hosts(
    State(app): Shared,
    body: Result<Json<Vec<HostEntry>>, axum::extract::rejection::JsonRejection>,
) -> Response {
    let entries = match body {
        Ok(Json(entries)) => entries,
        Err(e) => return bad(e),
    };
    let fits = |n: &String| !n.is_empty() && n.len() <= 253 && n.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    let loopback = |e: &HostEntry| e.address == IpAddr::from([0, 0, 0, 0]);
    if entries.len() > 1000 || entries.iter().any(|e| e.names.is_empty() || loopback(e) || !e.names.iter().all(fits)) {
        return error(StatusCode::BAD_REQUEST, "a host entry has an address and names without blanks");
    }
    match crate::sandbox::names::write_hosts(&app.config, &entries) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(e) => io_error(&e),
    }
}

/// An error answer.
fn error(status: StatusCode, title: impl Into<String>) -> Response {
    let problem = Problem { status: status.as_u16(), title: title.into(), detail: None };
    (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(problem).0.to_json()).into_response()
}

/// What axum says of a request that it cannot read.
fn bad(rejection: impl IntoResponse + std::fmt::Display) -> Response {
    let title = rejection.to_string();
    match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => error(StatusCode::PAYLOAD_TOO_LARGE, title),
        _ => error(StatusCode::BAD_REQUEST, title),
    }
}

/// The status that fits an error of the system.
fn io_error(e: &std::io::Error) -> Response {
    use std::io::ErrorKind as K;
    let status = match e.kind() {
        K::NotFound => StatusCode::NOT_FOUND,
        K::InvalidInput | K::InvalidFilename | K::NotADirectory => StatusCode::BAD_REQUEST,
        K::ReadOnlyFilesystem | K::PermissionDenied => StatusCode::FORBIDDEN,
        K::IsADirectory | K::AlreadyExists | K::DirectoryNotEmpty | K::ResourceBusy | K::CrossesDevices => {
            StatusCode::CONFLICT
        }
        K::FileTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        K::StorageFull | K::QuotaExceeded => StatusCode::INSUFFICIENT_STORAGE,
        K::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        _ if e.raw_os_error() == Some(libc::ELOOP) => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    error(status, e.to_string())
}

trait ToJson {
    fn to_json(&self) -> String;
}

impl<T: serde::Serialize> ToJson for T {
    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
