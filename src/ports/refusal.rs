//! What the proxy says itself. Each such answer has the header `boatyard-error`, which no application can send.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{ERROR_HEADER, PortHost};
use crate::web::{
    Problem,
    view::{Nonce, Page, PortErrorPage, PortWaitingPage},
};

/// Code of a port on which nothing listens yet.
const NOTHING_LISTENS: &str = "nothing-listens";

/// An answer of the proxy's own.
pub struct Refusal {
    /// Of what kind, for programs.
    code: &'static str,
    status: StatusCode,
    /// What happened, in one line.
    title: String,
    /// What the reader can do about it.
    detail: String,
}

impl Refusal {
    /// An answer of this kind.
    pub fn new(code: &'static str, status: StatusCode, title: impl Into<String>, detail: impl Into<String>) -> Refusal {
        Refusal { code, status, title: title.into(), detail: detail.into() }
    }

    /// Nothing listens on a port yet. As a page, it waits and goes on by itself.
    pub fn waiting(host: &PortHost) -> Refusal {
        let detail = format!("Nothing listens on port {} of {} yet.", host.port, host.node);
        Refusal::new(NOTHING_LISTENS, StatusCode::SERVICE_UNAVAILABLE, "Nothing listens", detail)
    }

    /// As a page, or as problem details for programs.
    pub fn answer(self, host: Option<&PortHost>, html: bool) -> Response {
        let Refusal { code, status, title, detail } = self;
        let mut answer = match host {
            Some(host) if html && code == NOTHING_LISTENS => {
                PortWaitingPage { nonce: Nonce::new(), port: host.port, node: host.node.to_string() }.respond(status)
            }
            _ if html => {
                let plate =
                    host.map_or_else(|| format!("Error {}", status.as_u16()), |h| format!("{}:{}", h.node, h.port));
                PortErrorPage { nonce: Nonce::new(), plate, title, detail, retry: status.is_server_error() }
                    .respond(status)
            }
            _ => Problem::new(status, title, detail).code(code).into_response(),
        };
        if code == NOTHING_LISTENS {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        answer.headers_mut().insert(ERROR_HEADER, HeaderValue::from_static(code));
        answer
    }
}
