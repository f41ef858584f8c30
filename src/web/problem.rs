//! Errors of the API: problem details (RFC 9457).

use std::any::Any;

use axum::{
    Json,
    body::to_bytes,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    agent::AgentError,
    session::{CreateError, LessonError, NodeError, SessionId, SwarmError},
    store::{Refused, StoreError},
};

/// Longest text of an error that is taken over into a problem.
const LONGEST_SAID: usize = 4096;

/// An error answer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status and `code` tell the kind.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What went wrong, in a few words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// The particulars, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// For programs: which of several problems with the same status it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// With `client-limit` and `full`: what the client can go on with.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    places: Option<Box<Places>>,
}

/// What there is to know when there is no place for another session.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct Places {
    /// The sessions that the client has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sessions: Vec<SessionId>,
    /// How many sessions run.
    #[serde(skip_serializing_if = "Option::is_none")]
    running: Option<u32>,
    /// When the first of them ends at the latest (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    next_end: Option<String>,
}

impl Problem {
    /// A problem with a title and a detail that says what to do.
    pub fn new(status: StatusCode, title: impl Into<String>, detail: impl Into<String>) -> Problem {
        Problem {
            kind: "about:blank",
            title: title.into(),
            status: status.as_u16(),
            detail: Some(detail.into()),
            code: None,
            places: None,
        }
    }

    /// There is none of what was asked for.
    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "Not found", detail)
    }

    /// The request is not what it must be.
    pub fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "Bad request", detail)
    }

    /// The same with a code, for programs that act on it.
    pub fn code(mut self, code: &'static str) -> Problem {
        self.code = Some(code);
        self
    }

    /// A fault of the server's own: logged in full, told in general.
    pub fn internal(error: &dyn std::fmt::Display) -> Problem {
        tracing::error!(%error, "a request failed");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The server failed",
            "Something went wrong on the server. Try again; if it stays, its operator finds the cause in the log.",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = (status, Json(&self)).into_response();
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        answer
    }
}

impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Problem {
        Problem::internal(&e)
    }
}

impl From<LessonError> for Problem {
    fn from(e: LessonError) -> Problem {
        match e {
            LessonError::Unknown(what) => Problem::not_found(format!("There is no {what}.")),
            LessonError::Store(e) => e.into(),
        }
    }
}

impl From<AgentError> for Problem {
    fn from(e: AgentError) -> Problem {
        match e {
            AgentError::Refused(p) => {
                let status = StatusCode::from_u16(p.status).unwrap_or(StatusCode::BAD_GATEWAY);
                let title = status.canonical_reason().unwrap_or("Refused");
                Problem::new(status, title, sentence(&p.detail.unwrap_or(p.title)))
            }
            AgentError::Timeout => Problem::new(StatusCode::GATEWAY_TIMEOUT, "No answer", e.to_string()),
            e => Problem::new(StatusCode::BAD_GATEWAY, "The sandbox does not answer", e.to_string()),
        }
    }
}

impl From<CreateError> for Problem {
    fn from(e: CreateError) -> Problem {
        match e {
            CreateError::Refused(Refused::Full { running, next_end }) => {
                let mut p = Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "All places are taken",
                    format!(
                        "All {running} sessions that this server has room for are in use. Try again when one ends."
                    ),
                )
                .code("full");
                let next_end = next_end.and_then(rfc3339);
                p.places = Some(Box::new(Places { running: Some(running), next_end, ..Places::default() }));
                p
            }
            CreateError::Refused(Refused::Client(sessions)) => {
                let mut p = Problem::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "You have a session already",
                    format!(
                        "You have {} of as many sessions that you may have. Go on in one of them, or close it first.",
                        sessions.len()
                    ),
                )
                .code("client-limit");
                p.places = Some(Box::new(Places { sessions, ..Places::default() }));
                p
            }
            CreateError::Refused(Refused::Address) => Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many sessions from your network",
                "Your network address has as many sessions as it may have. Try again when one ends.",
            )
            .code("address-limit"),
            CreateError::NoLesson(course, lesson) => {
                Problem::not_found(format!("There is no lesson {course}/{lesson}."))
            }
            CreateError::UnknownImage(image) => {
                // What was asked for is told, but not at any length.
                let image: String = image.chars().take(64).collect();
                Problem::not_found(format!(
                    "There is no lab image `{image}` here. GET /api/v1/images lists those that are."
                ))
                .code("unknown-image")
            }
            CreateError::NoImage(_) | CreateError::Stopping => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "No session can be started", format!("{e}."))
            }
            CreateError::SetUp(_) => {
                Problem::new(StatusCode::BAD_GATEWAY, "The session could not be set up", format!("{e}. Try again."))
            }
            CreateError::Engine(_) | CreateError::Store(_) => Problem::internal(&e),
        }
    }
}

/// What the agent says, as a sentence: without the number that its system's message ends with.
fn sentence(said: &str) -> String {
    let said = said.split(" (os error ").next().unwrap_or(said).trim_end_matches('.');
    let mut letters = said.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// Has every error below `/api/` be a problem, also those of extractors and of routing, which answer in plain text or not
/// at all.
pub(super) async fn in_api(request: Request, next: Next) -> Response {
    let in_api = request.uri().path().starts_with("/api/");
    let method = request.method().clone();
    let answer = next.run(request).await;
    let status = answer.status();
    let is_problem = answer.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == "application/problem+json");
    if !in_api || is_problem || !(status.is_client_error() || status.is_server_error()) {
        return answer;
    }
    let (head, body) = answer.into_parts();
    let said = to_bytes(body, LONGEST_SAID).await.unwrap_or_default();
    let detail = match String::from_utf8_lossy(&said) {
        said if !said.trim().is_empty() => said.into_owned(),
        _ if status == StatusCode::METHOD_NOT_ALLOWED => format!("{method} is not for this address."),
        _ => "The request cannot be answered.".to_owned(),
    };
    let mut problem = Problem::new(status, status.canonical_reason().unwrap_or("Error"), detail).into_response();
    for (name, value) in &head.headers {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
            problem.headers_mut().insert(name.clone(), value.clone());
        }
    }
    problem
}

impl From<NodeError> for Problem {
    fn from(e: NodeError) -> Problem {
        let detail = format!("{e}.");
        match e {
            NodeError::TooMany(_) => Problem::new(StatusCode::CONFLICT, "No further node", detail).code("node-limit"),
            NodeError::Full => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "No further node", detail).code("full"),
            NodeError::NoImage(_) | NodeError::Unknown(_) => Problem::not_found(detail),
            NodeError::Last => Problem::new(StatusCode::CONFLICT, "The last node", detail).code("last-node"),
            NodeError::Ended => Problem::new(StatusCode::GONE, "The session has ended", detail),
            NodeError::Engine(_) | NodeError::Store(_) => Problem::internal(&e),
        }
    }
}

impl From<SwarmError> for Problem {
    fn from(e: SwarmError) -> Problem {
        match e {
            SwarmError::Member(_) => Problem::new(StatusCode::CONFLICT, "In a swarm already", format!("{e}.")),
            SwarmError::Refused(_) => Problem::new(StatusCode::CONFLICT, "The node did not join", e.to_string()),
            SwarmError::Agent(e) => e.into(),
        }
    }
}

/// A time in milliseconds since 1970 as RFC 3339 has it.
pub fn rfc3339(ms: i64) -> Option<String> {
    jiff::Timestamp::from_millisecond(ms).ok().map(|t| t.to_string())
}

/// The answer where a handler panicked.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Problem::internal(&text.unwrap_or("panic")).into_response()
}
