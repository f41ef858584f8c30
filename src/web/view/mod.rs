//! The pages: one struct for each template in `templates/`, and how a page becomes a response.

mod catalogue;
mod home;
mod notice;
mod port;
mod session;
mod try_link;

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;

pub use catalogue::{CatalogueImage, CataloguePage, LabImage};
pub use home::{CourseCard, HomePage, ImageChoice, LessonCard, RunningSession};
pub use notice::{EndedPage, ErrorPage, FullPage, LimitPage};
pub use port::{PortErrorPage, PortWaitingPage};
pub use session::{LessonLink, LessonPlace, LessonView, PageState, SessionPage, StepLink};
pub use try_link::{StackCard, TryErrorPage, TryListPage, TryPage, code_parts};

/// What allows a page's own inline script and styles, and nobody else's: 128 random bits for each response.
#[derive(Debug, Clone)]
pub struct Nonce(String);

impl Nonce {
    /// A new one.
    pub fn new() -> Nonce {
        Nonce(hex::encode(rand::random::<[u8; 16]>()))
    }
}

impl Default for Nonce {
    fn default() -> Nonce {
        Nonce::new()
    }
}

impl std::fmt::Display for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A page that can become a response.
pub trait Page: Template {
    /// The nonce that its template wrote.
    fn nonce(&self) -> &Nonce;

    /// What its content security policy says beyond the usual.
    fn further_policy(&self) -> &'static str {
        ""
    }

    /// The page as a response that nobody caches.
    fn respond(&self, status: StatusCode) -> Response {
        let html = match self.render() {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(%error, "a page did not render");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        let mut response = (status, Html(html)).into_response();
        let headers = response.headers_mut();
        let policy = policy(self.nonce(), self.further_policy());
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // A session's address opens it: no other site learns it from a link.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
        response
    }
}

fn policy(nonce: &Nonce, further: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'{further}"
    )
}

/// `value` as JSON that may stand inside a `script` element: no `<` can end the element early.
fn script_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(value)?.replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests;
