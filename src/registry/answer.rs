//! Answers of the proxy that do not come from the registry, in the specification's form.

use http_body_util::BodyExt;
use hyper::{
    Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use serde_json::json;
use tracing::warn;

use super::{
    client::{Body, full},
    quota::Refused,
};

/// An answer of the registry, as it is.
pub fn pass(answer: anyhow::Result<Response<Incoming>>) -> Response<Body> {
    match answer {
        Ok(answer) => answer.map(|b| BodyExt::map_err(b, Into::into).boxed_unsync()),
        Err(e) => unavailable(&e),
    }
}

/// The registry did not answer.
pub fn unavailable(e: &anyhow::Error) -> Response<Body> {
    warn!(error = format!("{e:#}"), "the registry did not answer");
    error(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "The registry does not answer. Try again in a moment.")
}

/// What `/v2/` answers.
pub fn base() -> Response<Body> {
    json_answer(json!({}))
}

/// A success with JSON.
pub fn json_answer(value: serde_json::Value) -> Response<Body> {
    with_headers(StatusCode::OK, value.to_string())
}

/// An error in the specification's form.
pub fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    with_headers(status, json!({ "errors": [{ "code": code, "message": message }] }).to_string())
}

fn with_headers(status: StatusCode, body: String) -> Response<Body> {
    let mut answer = Response::new(full(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert("docker-distribution-api-version", HeaderValue::from_static("registry/2.0"));
    answer
}

/// What is not taken, and why.
pub fn refusal(why: Refused) -> Response<Body> {
    let (status, code) = match why {
        // Docker shows the message of a status from 400 on, and tries again from 500 on.
        Refused::Bytes(_) | Refused::Files(_) | Refused::Disk => (StatusCode::FORBIDDEN, "DENIED"),
        Refused::Deadline => (StatusCode::REQUEST_TIMEOUT, "BLOB_UPLOAD_INVALID"),
        Refused::Broken => (StatusCode::SERVICE_UNAVAILABLE, "BLOB_UPLOAD_INVALID"),
    };
    error(status, code, &why.to_string())
}
