//! Files of a node.

use axum::{
    Json,
    body::Body,
    extract::{Query, State, rejection::JsonRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use boatyard_protocol::agent::FileEntry;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    agent::{AgentError, Condition},
    web::{App, Problem, access::NodeAccess, upload::Upload},
};

/// Tells with `true` that the file lies where nothing can be replaced.
const READ_ONLY: HeaderName = HeaderName::from_static("x-boatyard-read-only");

const NO_FILE: &str = "It is no regular file but a device, a pipe or the like, which cannot be opened here.";
const TOO_LONG: &str = "Its name is longer than the system takes.";

/// Which file or folder.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Which {
    /// Its absolute path, without `..`.
    path: String,
}

/// Which file, and how it is made.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Writing {
    /// Its absolute path, without `..`.
    path: String,
    /// Permission bits of a new file, as a decimal number; 420 (0644) where absent.
    mode: Option<u32>,
}

/// What is in a folder.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileList {
    /// The folder, without links in its path.
    path: String,
    /// What is in it, by name.
    #[schema(value_type = Vec<super::described::FileEntry>)]
    entries: Vec<FileEntry>,
    /// Whether there is more than is told.
    truncated: bool,
    /// Most bytes of a file that may be written.
    upload_limit: u64,
}

/// What to move where: also a new name in the same folder.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileMove {
    /// What there is.
    from: String,
    /// Where it goes, with its new name.
    to: String,
}

/// The bytes of a file. `ETag` is what `If-Match` takes; `X-Boatyard-Read-Only: true` where it cannot be replaced. A file
/// whose size is not known before it is read, as in /proc, comes without `Content-Length`.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/nodes/{node}/files", operation_id = "read_file", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path), Which),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 400, body = Problem, description = "No regular file"), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "A folder")))]
pub async fn read(access: NodeAccess, Query(which): Query<Which>) -> Result<Response, Problem> {
    check(&which.path)?;
    let told = |e| words(e, &which.path, NO_FILE, "It is a folder; a folder is downloaded as an archive.");
    let read = access.node.agent().read_file(&which.path).await.map_err(told)?;
    let mut headers = attachment("application/octet-stream", last(&which.path));
    if let Some(length) = read.answer.headers().get(header::CONTENT_LENGTH) {
        headers.insert(header::CONTENT_LENGTH, length.clone());
    }
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", read.entry.etag)) {
        headers.insert(header::ETAG, tag);
    }
    if read.entry.read_only {
        headers.insert(READ_ONLY, HeaderValue::from_static("true"));
    }
    Ok((headers, Body::new(read.answer.into_body())).into_response())
}

/// Writes a file. Missing folders are made; readers see the old file or the new one, never a part. With `If-Match` it is
/// written only over the file that has this `ETag`, with `If-None-Match: *` only where there is none.
#[utoipa::path(put, path = "/api/v1/sessions/{id}/nodes/{node}/files", operation_id = "write_file", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path), Writing,
        ("if-match" = Option<String>, Header), ("if-none-match" = Option<String>, Header)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = super::described::FileEntry), (status = 400, body = Problem),
        (status = 403, body = Problem, description = "Nothing can be changed there"),
        (status = 412, body = Problem, description = "It was changed meanwhile (`changed`)"),
        (status = 413, body = Problem, description = "Larger than an upload may be (`too-large`)"),
        (status = 507, body = Problem, description = "The disk is full (`disk-full`)")))]
pub async fn write(
    State(app): State<App>,
    access: NodeAccess,
    Query(which): Query<Writing>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FileEntry>, Problem> {
    check(&which.path)?;
    if which.mode.is_some_and(|m| m > 0o7777) {
        return Err(Problem::bad_request("`mode` is at most 4095 (octal 7777)."));
    }
    let condition = condition(&headers)?;
    let limit = app.sessions.config().limits.upload;
    let too_large = || {
        let detail = format!("A file that is uploaded has at most {limit}. The terminal can fetch larger ones.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Too large", detail).code("too-large")
    };
    let upload = Upload::new(body, limit.as_u64()).map_err(|_| too_large())?;
    let exceeded = upload.watch();
    let sent_away = access.visitor.sent_away();
    let written = tokio::select! {
        written = access.node.agent().write_file(&which.path, which.mode, &condition, upload.body) => written,
        // What was not whole by then is not kept.
        () = sent_away.cancelled() => return Err(access.visitor.unshared()),
    };
    let entry = written.map_err(|e| match exceeded() {
        true => too_large(),
        false => {
            words(e, &which.path, NO_FILE, "There is a folder of this name, or a file where a folder would have to be.")
        }
    })?;
    access.live.touch();
    Ok(Json(entry))
}

/// Removes a file, a link, or a folder with all in it.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}/nodes/{node}/files", operation_id = "remove_file", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path), Which),
    responses((status = 204, description = "It is gone, or never was"), (status = 403, body = Problem),
        (status = 409, body = Problem, description = "In use")))]
pub async fn remove(access: NodeAccess, Query(which): Query<Which>) -> Result<StatusCode, Problem> {
    check(&which.path)?;
    if which.path.trim_matches('/').is_empty() {
        return Err(Problem::bad_request("The root folder stays."));
    }
    let told = |e| words(e, &which.path, TOO_LONG, "It, or something in it, is in use as a mount.");
    access.node.agent().remove_file(&which.path).await.map_err(told)?;
    access.live.touch();
    Ok(StatusCode::NO_CONTENT)
}

/// What is in a folder.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/nodes/{node}/files/list", operation_id = "list_files", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path), Which),
    responses((status = 200, body = FileList), (status = 400, body = Problem, description = "No folder"), (status = 404, body = Problem)))]
pub async fn list(
    State(app): State<App>,
    access: NodeAccess,
    Query(which): Query<Which>,
) -> Result<Json<FileList>, Problem> {
    check(&which.path)?;
    let told = |e| words(e, &which.path, "It is no folder.", "It is in use.");
    let list = access.node.agent().list_files(&which.path).await.map_err(told)?;
    let upload_limit = app.sessions.config().limits.upload.as_u64();
    Ok(Json(FileList { path: list.path, entries: list.entries, truncated: list.truncated, upload_limit }))
}

/// Makes a folder and those above it that are missing, or finds it.
#[utoipa::path(put, path = "/api/v1/sessions/{id}/nodes/{node}/files/folder", operation_id = "make_folder", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path), Which),
    responses((status = 200, body = super::described::FileEntry), (status = 409, body = Problem, description = "Something else has the name"),
        (status = 507, body = Problem)))]
pub async fn make_folder(access: NodeAccess, Query(which): Query<Which>) -> Result<Json<FileEntry>, Problem> {
    check(&which.path)?;
    let told = |e| words(e, &which.path, TOO_LONG, "There is a file of this name.");
    let made = access.node.agent().make_folder(&which.path).await.map_err(told)?;
    access.live.touch();
    Ok(Json(made))
}

/// Moves or renames a file or folder, never over what is there.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/nodes/{node}/files/move", operation_id = "move_file", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path)),
    request_body = FileMove,
    responses((status = 200, body = super::described::FileEntry), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The new name is taken, or on another file system")))]
pub async fn rename(
    access: NodeAccess,
    body: Result<Json<FileMove>, JsonRejection>,
) -> Result<Json<FileEntry>, Problem> {
    let Json(FileMove { from, to }) = body.map_err(|e| Problem::bad_request(e.body_text()))?;
    check(&from)?;
    check(&to)?;
    let told = |e| {
        let taken =
            format!("{to} is there already, or on another file system; `mv` in the terminal moves across those.");
        words(e, &from, "It cannot be moved into itself, nor have a longer name than the system takes.", &taken)
    };
    let moved = access.node.agent().move_file(&from, &to).await.map_err(told)?;
    access.live.touch();
    Ok(Json(moved))
}

/// A folder as a tar archive, made while it is sent. Other file systems below it stay out.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/nodes/{node}/files/tar", operation_id = "download_folder", tag = "nodes",
    params(("id" = crate::session::SessionId, Path), ("node" = String, Path), Which),
    responses((status = 200, content_type = "application/x-tar", body = Vec<u8>), (status = 400, body = Problem, description = "No folder"),
        (status = 404, body = Problem), (status = 409, body = Problem, description = "Too many at once")))]
pub async fn tar(access: NodeAccess, Query(which): Query<Which>) -> Result<Response, Problem> {
    check(&which.path)?;
    let told = |e| {
        words(e, &which.path, "It is no folder.", "Several archives are being made already; wait until one is done.")
    };
    let answer = access.node.agent().pack_folder(&which.path).await.map_err(told)?;
    let headers = attachment("application/x-tar", &format!("{}.tar", last(&which.path)));
    Ok((headers, Body::new(answer.into_body())).into_response())
}

/// The name at the end of a path.
fn last(path: &str) -> &str {
    path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("root")
}

/// Headers of what a student wrote: it must never be shown as a page of this server's origin.
fn attachment(kind: &'static str, name: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    // RFC 8187: everything but letters and digits is percent-encoded, so nothing in a name can end the value.
    let mut value = String::from("attachment; filename*=UTF-8''");
    for b in name.bytes() {
        match b {
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => value.push(b as char),
            b => value.push_str(&format!("%{b:02X}")),
        }
    }
    let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_DISPOSITION, value);
    headers
}

fn condition(headers: &HeaderMap) -> Result<Condition, Problem> {
    match (headers.get(header::IF_MATCH), headers.get(header::IF_NONE_MATCH)) {
        (None, None) => Ok(Condition::Any),
        (None, Some(any)) if any == "*" => Ok(Condition::New),
        (Some(tag), None) => {
            let tag = tag.to_str().ok().and_then(|t| t.strip_prefix('"')?.strip_suffix('"'));
            match tag {
                Some(tag) if tag.len() <= 100 && !tag.contains(['"', '\\']) => Ok(Condition::Same(tag.to_owned())),
                _ => Err(Problem::bad_request("`If-Match` takes one `ETag`, in its quotation marks.")),
            }
        }
        _ => Err(Problem::bad_request("Either `If-Match` with one `ETag`, or `If-None-Match: *`.")),
    }
}

fn check(path: &str) -> Result<(), Problem> {
    if !path.starts_with('/') || path.contains('\0') || path.len() > 4096 || path.split('/').any(|part| part == "..") {
        return Err(Problem::bad_request("`path` is an absolute path of at most 4096 bytes, without `..`."));
    }
    Ok(())
}

/// What the agent's refusal means to who asked: `unfit` where it says that this cannot be done with what is there,
/// `conflict` where something is in the way.
fn words(e: AgentError, path: &str, unfit: &str, conflict: &str) -> Problem {
    let Some(Ok(status)) = e.status().map(StatusCode::from_u16) else { return e.into() };
    match status {
        StatusCode::BAD_REQUEST => Problem::bad_request(format!("{path}: {unfit}")),
        StatusCode::FORBIDDEN => Problem::new(
            status,
            "Not permitted",
            format!("The system does not permit that for {path}: it is protected, or shows the kernel's own affairs."),
        ),
        StatusCode::NOT_FOUND => Problem::not_found(format!("There is no {path}.")),
        StatusCode::CONFLICT => Problem::new(status, "In the way", format!("{path}: {conflict}")),
        StatusCode::PRECONDITION_FAILED => Problem::new(
            status,
            "Changed meanwhile",
            format!("{path} was changed by someone else meanwhile; nothing was written."),
        )
        .code("changed"),
        StatusCode::INSUFFICIENT_STORAGE => Problem::new(
            status,
            "No space left",
            format!("There is no space left for {path}. Remove what is not needed; `docker system prune` often helps."),
        )
        .code("disk-full"),
        _ => e.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_header() {
        let headers = attachment("application/x-tar", "a\"; x=\r\nü.tar");
        assert_eq!(headers[header::CONTENT_DISPOSITION], "attachment; filename*=UTF-8''a%22%3B%20x%3D%0D%0A%C3%BC.tar");
    }

    #[test]
    fn paths_are_absolute_and_straight() {
        for (path, ok) in
            [("/", true), ("/a b/-c/…", true), ("", false), ("a", false), ("/a/../b", false), ("/a..b", true)]
        {
            assert_eq!(check(path).is_ok(), ok, "{path}");
        }
    }

    #[test]
    fn conditions_are_told_apart() {
        let of = |name, value| condition(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]));
        assert_eq!(condition(&HeaderMap::new()).unwrap(), Condition::Any);
        assert_eq!(of(header::IF_NONE_MATCH, "*").unwrap(), Condition::New);
        assert_eq!(of(header::IF_MATCH, "\"a-1\"").unwrap(), Condition::Same("a-1".into()));
        for bad in ["a-1", "W/\"a-1\"", "\"a\", \"b\"", "*"] {
            assert!(of(header::IF_MATCH, bad).is_err(), "{bad}");
        }
        assert!(of(header::IF_NONE_MATCH, "\"a-1\"").is_err());
    }
}
