//! Files of a node.

use axum::{
    Json,
    body::Body,
    extract::Query,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use boatyard_protocol::agent::FileEntry;
use http_body_util::BodyExt;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::web::{Problem, access::NodeAccess};

/// Which file.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Which {
    /// Its absolute path.
    path: String,
    /// Permission bits of a new file, as a decimal number; 420 (0644) where absent.
    mode: Option<u32>,
}

/// The bytes of a file.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/nodes/{node}/files", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path), Which),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 404, body = Problem)))]
pub async fn read(access: NodeAccess, Query(which): Query<Which>) -> Result<Response, Problem> {
    check(&which)?;
    let answer = access.node.agent().read_file(&which.path).await?;
    let mut headers = HeaderMap::new();
    // What a student wrote must never be shown as a page of this server's origin.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    if let Some(length) = answer.headers().get(header::CONTENT_LENGTH) {
        headers.insert(header::CONTENT_LENGTH, length.clone());
    }
    Ok((headers, Body::new(answer.into_body())).into_response())
}

/// Writes a file. Missing folders are made; readers see the old file or the new one, never a part.
#[utoipa::path(put, path = "/api/v1/sessions/{id}/nodes/{node}/files", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path), Which),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Object, description = "name, kind, size, mode, modified_ms, etag"), (status = 400, body = Problem)))]
pub async fn write(access: NodeAccess, Query(which): Query<Which>, body: Body) -> Result<Json<FileEntry>, Problem> {
    check(&which)?;
    let body = BodyExt::map_err(body, Into::into).boxed_unsync();
    let entry = access.node.agent().write_file(&which.path, which.mode, body).await?;
    access.live.touch();
    Ok(Json(entry))
}

fn check(which: &Which) -> Result<(), Problem> {
    if !which.path.starts_with('/') || which.path.contains('\0') {
        return Err(Problem::bad_request("`path` is an absolute path."));
    }
    if which.mode.is_some_and(|m| m > 0o7777) {
        return Err(Problem::bad_request("`mode` is at most 4095 (octal 7777)."));
    }
    Ok(())
}
