//! `/v1/files`

use std::path::PathBuf;

use axum::{
    Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use boatyard_protocol::agent::FileKind;
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;

use super::{Shared, ToJson, bad, error, io_error};
use crate::files;

const ENTRY: HeaderName = HeaderName::from_static("x-boatyard-file");

/// Which file.
#[derive(Deserialize)]
pub struct Which {
    path: String,
    mode: Option<u32>,
}

impl Which {
    /// The path: absolute, or below the user's home.
    fn path(&self) -> Result<PathBuf, Box<Response>> {
        if self.path.is_empty() || self.path.contains('\0') || self.path.len() > 4096 {
            return Err(Box::new(error(StatusCode::BAD_REQUEST, "`path` is 1 to 4096 bytes without NUL")));
        }
        Ok(PathBuf::from(crate::users::Login::user().home).join(&self.path))
    }
}

type Param = Result<Query<Which>, QueryRejection>;

macro_rules! path {
    ($query:expr) => {
        match $query {
            Ok(Query(which)) => match which.path() {
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
    let read = async {
        let path = tokio::fs::canonicalize(&path).await?;
        let entry = files::entry(&path).await?;
        match entry.kind {
            FileKind::File => Ok((tokio::fs::File::open(&path).await?, entry)),
            FileKind::Folder => Err(std::io::Error::from(std::io::ErrorKind::IsADirectory)),
            // Opening a pipe or a device could wait for ever.
            _ => Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file")),
        }
    };
    let (file, entry) = match read.await {
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
    (headers, Body::from_stream(ReaderStream::with_capacity(file, 64 << 10))).into_response()
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

/// Writes a file.
pub async fn write(State(_): Shared, query: Param, body: Body) -> Response {
    let (path, mode) = path!(query);
    let mut draft = match files::Draft::create(&path, mode).await {
        Ok(draft) => draft,
        Err(e) => return io_error(&e),
    };
    let mut body = body.into_data_stream();
    while let Some(chunk) = body.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(e) => return error(StatusCode::BAD_REQUEST, format!("the upload broke off: {e}")),
        };
        if let Err(e) = draft.file().write_all(&chunk).await {
            return io_error(&e);
        }
    }
    match draft.finish().await {
        Ok(entry) => Json(entry).into_response(),
        Err(e) => io_error(&e),
    }
}

/// Removes a file or folder; that it is not there is what was asked for.
pub async fn remove(State(_): Shared, query: Param) -> Response {
    let (path, _) = path!(query);
    match files::remove(&path).await {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => io_error(&e),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Lists a folder.
pub async fn list(State(_): Shared, query: Param) -> Response {
    let (path, _) = path!(query);
    match files::list(path).await {
        Ok(entries) => Json(entries).into_response(),
        Err(e) => io_error(&e),
    }
}
