//! `/v1/files`

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{
    Json,
    body::{Body, BodyDataStream},
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use boatyard_protocol::agent::FileMove;
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use super::{Shared, ToJson, bad, error, io_error};
use crate::files::{self, Condition, WriteError, off_loop};

const ENTRY: HeaderName = HeaderName::from_static("x-boatyard-file");
/// How long the rest of a refused upload is taken and dropped, so that its sender comes to read the refusal.
const DRAINING: Duration = Duration::from_secs(60);

/// Which file.
#[derive(Deserialize)]
pub struct Which {
    path: String,
    mode: Option<u32>,
}

/// The path: absolute, or below the user's home.
fn resolve(path: &str) -> Result<PathBuf, Box<Response>> {
    if path.is_empty() || path.contains('\0') || path.len() > 4096 {
        return Err(Box::new(error(StatusCode::BAD_REQUEST, "`path` is 1 to 4096 bytes without NUL")));
    }
    Ok(Path::new(&crate::users::Login::user().home).join(path))
}

type Param = Result<Query<Which>, QueryRejection>;

macro_rules! path {
    ($query:expr) => {
        match $query {
            Ok(Query(which)) => match resolve(&which.path) {
                Ok(path) => (path, which.mode),
                Err(answer) => return *answer,
            },
            Err(e) => return bad(e),
        }
    };
}

/// Sends a file's bytes.
pub async fn read(State(_): Shared, query: Param) -> Response {
    let (path, _) = path!(query);
    let (file, entry) = match off_loop(move || files::open(&path)).await {
        Ok(read) => read,
        Err(e) => return io_error(&e),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    // Names may hold what a header may not.
    let json = ascii(&entry.to_json());
    if let Ok(value) = HeaderValue::from_str(&json) {
        headers.insert(ENTRY, value);
    }
    let file = tokio::fs::File::from_std(file);
    // Files of the kernel have no size until they are read.
    if entry.size == 0 {
        return (headers, Body::from_stream(ReaderStream::with_capacity(file, 64 << 10))).into_response();
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(entry.size));
    (headers, Body::from_stream(ReaderStream::with_capacity(file.take(entry.size), 64 << 10))).into_response()
}

/// JSON in ASCII alone, with the rest escaped.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// What the conditional headers of a request ask for; none where they ask for what is not known here.
fn condition(headers: &HeaderMap) -> Option<Condition> {
    match (headers.get(header::IF_MATCH), headers.get(header::IF_NONE_MATCH)) {
        (None, None) => Some(Condition::Any),
        (Some(tag), None) => {
            let tag = tag.to_str().ok()?.strip_prefix('"')?.strip_suffix('"')?;
            (!tag.contains('"')).then(|| Condition::Same(tag.to_owned()))
        }
        (None, Some(any)) => (any == "*").then_some(Condition::New),
        _ => None,
    }
}

/// Writes a file.
pub async fn write(State(_): Shared, query: Param, headers: HeaderMap, body: Body) -> Response {
    let (path, mode) = path!(query);
    let Some(condition) = condition(&headers) else {
        return error(StatusCode::BAD_REQUEST, "only `If-Match: \"<etag>\"` or `If-None-Match: *`");
    };
    let mut body = body.into_data_stream();
    let mut draft = match files::Draft::create(path, mode, condition).await {
        Ok(draft) => draft,
        Err(e) => return refused(body, &e),
    };
    while let Some(chunk) = body.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(e) => return error(StatusCode::BAD_REQUEST, format!("the upload broke off: {e}")),
        };
        if let Err(e) = draft.file().write_all(&chunk).await {
            return refused(body, &e.into());
        }
    }
    match draft.finish().await {
        Ok(entry) => Json(entry).into_response(),
        Err(e) => refused(body, &e),
    }
}

/// Says why a file is not written, and takes what is still being sent.
fn refused(mut rest: BodyDataStream, why: &WriteError) -> Response {
    tokio::spawn(tokio::time::timeout(DRAINING, async move { while let Some(Ok(_)) = rest.next().await {} }));
    match why {
        WriteError::Changed => error(StatusCode::PRECONDITION_FAILED, why.to_string()),
        WriteError::Io(e) => io_error(e),
    }
}

/// Removes a file or folder; that it is not there is what was asked for.
pub async fn remove(State(_): Shared, query: Param) -> Response {
    let (path, _) = path!(query);
    match off_loop(move || files::remove(&path)).await {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => io_error(&e),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Lists a folder.
pub async fn list(State(_): Shared, query: Param) -> Response {
    let (path, _) = path!(query);
    match off_loop(move || files::list(&path)).await {
        Ok(list) => Json(list).into_response(),
        Err(e) => io_error(&e),
    }
}

/// Makes a folder.
pub async fn make_folder(State(_): Shared, query: Param) -> Response {
    let (path, _) = path!(query);
    let made = off_loop(move || {
        files::make_folder(&path)?;
        files::entry(&path)
    });
    match made.await {
        Ok(entry) => Json(entry).into_response(),
        Err(e) => io_error(&e),
    }
}

/// Moves a file or folder.
pub async fn rename(State(_): Shared, body: Result<Json<FileMove>, JsonRejection>) -> Response {
    let (from, to) = match body {
        Ok(Json(m)) => match (resolve(&m.from), resolve(&m.to)) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(answer), _) | (_, Err(answer)) => return *answer,
        },
        Err(e) => return bad(e),
    };
    let moved = off_loop(move || {
        files::rename(&from, &to)?;
        files::entry(&to)
    });
    match moved.await {
        Ok(entry) => Json(entry).into_response(),
        Err(e) => io_error(&e),
    }
}

/// Sends a folder as a tar archive.
pub async fn tar(State(_): Shared, query: Param) -> Response {
    let (path, _) = path!(query);
    let chunks = match off_loop(move || files::pack(&path)).await {
        Ok(chunks) => chunks,
        Err(e) => return io_error(&e),
    };
    let stream = futures_util::stream::unfold(chunks, |mut chunks| async { Some((chunks.recv().await?, chunks)) });
    ([(header::CONTENT_TYPE, "application/x-tar")], Body::from_stream(stream)).into_response()
}
