//! Files of a sandbox.

use std::time::Duration;

use boatyard_protocol::agent::{FileEntry, FileList, FileMove};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
};

use super::{AgentClient, AgentError, Body, MAX_ANSWER, PATIENCE, escape, full, nonsense};

/// Longest that a write may take, from its first byte to the answer.
const WRITING: Duration = Duration::from_secs(3600);
/// Longest that the removal of a folder may take.
const REMOVING: Duration = Duration::from_secs(60);
/// Most entries that are taken of a folder.
const MAX_ENTRIES: usize = 10_000;
/// Longest listing of a folder, in bytes of JSON: what an agent tells of its most entries, each name escaped in full.
const MAX_LIST: usize = 5 << 20;

/// What must hold of the file that is there when it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Any,
    /// There is none.
    New,
    /// It has this etag; the agent judges what one is.
    Same(String),
}

impl Condition {
    fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>, AgentError> {
        Ok(match self {
            Condition::Any => None,
            Condition::New => Some((header::IF_NONE_MATCH, HeaderValue::from_static("*"))),
            Condition::Same(tag) => {
                Some((header::IF_MATCH, HeaderValue::from_str(&format!("\"{tag}\"")).map_err(nonsense)?))
            }
        })
    }
}

/// A file that is being read.
#[derive(Debug)]
pub struct ReadFile {
    /// What the agent says of it; its etag is fit for a header.
    pub entry: FileEntry,
    /// Its bytes as they come, bounded in nothing, so a caller streams them on; their number is in `content-length` where
    /// it is known.
    pub answer: Response<Incoming>,
}

impl AgentClient {
    /// A file's bytes, as they come.
    ///
    /// # Errors
    /// [`AgentError`]; status 404 where there is no such file, 409 where it is a folder, 400 where it is neither.
    pub async fn read_file(&self, path: &str) -> Result<ReadFile, AgentError> {
        let answer =
            self.send(Method::GET, &format!("/v1/files?path={}", escape(path)), full(Bytes::new()), PATIENCE).await?;
        let entry = answer.headers().get("x-boatyard-file").ok_or_else(|| nonsense("no description"))?;
        let entry: FileEntry = serde_json::from_slice(entry.as_bytes()).map_err(nonsense)?;
        check(&entry)?;
        Ok(ReadFile { entry, answer })
    }

    /// The first `max` bytes of a file at most; `None` where there is none.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn read_small_file(&self, path: &str, max: usize) -> Result<Option<Vec<u8>>, AgentError> {
        let answer = match self.read_file(path).await {
            Ok(read) => read.answer,
            Err(e) if e.status() == Some(404) => return Ok(None),
            Err(e) => return Err(e),
        };
        let mut body = answer.into_body();
        let mut bytes = Vec::new();
        let read = async {
            while let Some(frame) = body.frame().await {
                if let Ok(data) = frame.map_err(nonsense)?.into_data() {
                    bytes.extend_from_slice(&data[..data.len().min(max - bytes.len())]);
                }
                if bytes.len() == max {
                    break;
                }
            }
            Ok::<(), AgentError>(())
        };
        tokio::time::timeout(PATIENCE, read).await.map_err(|_| AgentError::Timeout)??;
        Ok(Some(bytes))
    }

    /// Writes a text file.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn write_text(&self, path: &str, text: &str) -> Result<FileEntry, AgentError> {
        let write = self.write_file(path, None, &Condition::Any, full(text.to_owned()));
        tokio::time::timeout(PATIENCE, write).await.map_err(|_| AgentError::Timeout)?
    }

    /// Writes a file, in one step for its readers; missing folders are made. `mode` are its permission bits, those of the
    /// file that it replaces where absent. `body` is passed on as it comes.
    ///
    /// # Errors
    /// [`AgentError`]; status 412 where `condition` does not hold, 507 where the disk is full, 403 on a read-only place.
    pub async fn write_file(
        &self,
        path: &str,
        mode: Option<u32>,
        condition: &Condition,
        body: Body,
    ) -> Result<FileEntry, AgentError> {
        let mode = mode.map(|m| format!("&mode={m}")).unwrap_or_default();
        let mut request = Request::builder()
            .method(Method::PUT)
            .uri(format!("/v1/files?path={}{mode}", escape(path)))
            .header(header::HOST, "agent")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(body)
            .map_err(nonsense)?;
        request.headers_mut().extend(condition.header()?);
        let answer = self.request(request, WRITING).await?;
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect();
        let bytes = tokio::time::timeout(PATIENCE, body).await.map_err(|_| AgentError::Timeout)?.map_err(nonsense)?;
        let entry: FileEntry = serde_json::from_slice(&bytes.to_bytes()).map_err(nonsense)?;
        check(&entry)?;
        Ok(entry)
    }

    /// Removes a file, a link, or a folder with all in it. That there is none is no error.
    ///
    /// # Errors
    /// [`AgentError`].
    pub async fn remove_file(&self, path: &str) -> Result<(), AgentError> {
        self.send(Method::DELETE, &format!("/v1/files?path={}", escape(path)), full(Bytes::new()), REMOVING).await?;
        Ok(())
    }

    /// What is in a folder, by name. Entries whose names cannot be names are left out.
    ///
    /// # Errors
    /// [`AgentError`]; status 400 where it is no folder.
    pub async fn list_files(&self, path: &str) -> Result<FileList, AgentError> {
        let uri = format!("/v1/files/list?path={}", escape(path));
        let mut list: FileList = self.json(Method::GET, &uri, None::<&()>, PATIENCE, MAX_LIST).await?;
        list.truncated |= list.entries.len() > MAX_ENTRIES;
        list.entries.truncate(MAX_ENTRIES);
        list.entries.retain(|e| check(e).is_ok() && !["", ".", ".."].contains(&e.name.as_str()));
        if !list.path.starts_with('/') {
            return Err(nonsense("a folder that has no absolute path"));
        }
        Ok(list)
    }

    /// Makes a folder and those above it, or finds it.
    ///
    /// # Errors
    /// [`AgentError`]; status 409 where something else has the name.
    pub async fn make_folder(&self, path: &str) -> Result<FileEntry, AgentError> {
        self.json(Method::PUT, &format!("/v1/files/folder?path={}", escape(path)), None::<&()>, PATIENCE, MAX_ANSWER)
            .await
    }

    /// Moves or renames, never over what is there.
    ///
    /// # Errors
    /// [`AgentError`]; status 409 where the new name is taken or in another file system.
    pub async fn move_file(&self, from: &str, to: &str) -> Result<FileEntry, AgentError> {
        let request = FileMove { from: from.to_owned(), to: to.to_owned() };
        self.json(Method::POST, "/v1/files/move", Some(&request), PATIENCE, MAX_ANSWER).await
    }

    /// A folder as a tar archive, as it comes; bounded in nothing, so a caller streams it on.
    ///
    /// # Errors
    /// [`AgentError`]; status 400 where it is no folder, 409 where too many archives are being made.
    pub async fn pack_folder(&self, path: &str) -> Result<Response<Incoming>, AgentError> {
        self.send(Method::GET, &format!("/v1/files/tar?path={}", escape(path)), full(Bytes::new()), PATIENCE).await
    }
}

/// The agent is the student's: a name is a name, and an etag goes into a header.
fn check(entry: &FileEntry) -> Result<(), AgentError> {
    if entry.etag.len() > 100 || !entry.etag.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return Err(nonsense("an etag that is none"));
    }
    // The root folder alone has a name with a slash.
    if entry.name.contains('\0') || (entry.name.contains('/') && entry.name != "/") {
        return Err(nonsense("a file name that is none"));
    }
    Ok(())
}
