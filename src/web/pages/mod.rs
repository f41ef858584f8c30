//! The pages: each gathers what its template shows.

mod catalogue;
mod home;
mod join;
mod port_link;
mod session;
mod start;
mod try_link;

use axum::{
    Router,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::{
    App, Problem, assets,
    view::{ErrorPage, Nonce, Page, RunningSession},
};
use crate::{
    session::{ClientId, Live},
    store::now_ms,
    web::{api, problem::rfc3339},
};

/// Routes of all pages.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(home::home))
        .route("/catalogue", get(catalogue::catalogue))
        .route("/sessions", post(start::start))
        .route("/try", get(try_link::show).post(try_link::start))
        .route("/try/badge.svg", get(try_link::badge))
        .route("/s/{id}", get(session::playground))
        .route("/s/{id}/{course}/{lesson}", get(session::lesson))
        .route("/s/{id}/join/{secret}", get(join::join))
        .route("/s/{id}/ports/{node}/{port}", get(port_link::open))
        .route("/p/{key}", get(port_link::shared))
        .route("/assets/{name}", get(assets::serve))
        .route("/sdk/{name}", get(assets::serve_sdk))
}

/// What is at no address.
pub async fn not_found(uri: Uri, headers: HeaderMap) -> Response {
    if uri.path().starts_with("/api/") || !wants_html(&headers) {
        return Problem::not_found("Nothing is at this address.").into_response();
    }
    ErrorPage::not_found().respond(StatusCode::NOT_FOUND)
}

/// Whether a page answers the request better than JSON.
pub fn wants_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|a| a.to_str().ok()).is_some_and(|a| a.contains("text/html"))
}

/// A problem as a page.
fn problem_page(p: Problem) -> Response {
    let status = StatusCode::from_u16(p.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = match status {
        StatusCode::NOT_FOUND => ErrorPage::not_found(),
        StatusCode::INTERNAL_SERVER_ERROR => ErrorPage::internal(),
        _ => ErrorPage { nonce: Nonce::new(), status: p.status, title: p.title, detail: p.detail.unwrap_or_default() },
    };
    page.respond(status)
}

/// A client's sessions as the pages list them.
fn running(app: &App, client: Option<ClientId>) -> Vec<RunningSession> {
    let mine = client.map(|c| app.sessions.of_client(c)).unwrap_or_default();
    mine.iter().map(|live| running_session(app, live)).collect()
}

fn running_session(app: &App, live: &Live) -> RunningSession {
    let row = live.row();
    let lesson = row.lesson.as_ref().and_then(|(course, id)| app.sessions.library().lesson(course, id));
    RunningSession {
        url: api::page_path(row.id, row.lesson.as_ref()),
        name: row.public_name.to_string(),
        lesson: lesson.map(|l| l.title.clone()),
        nodes: live.nodes().iter().map(|n| n.name().to_string()).collect(),
        expires_at: rfc3339(row.expires_at).unwrap_or_default(),
        left: in_words(row.expires_at - now_ms()),
    }
}

/// A time span of so many milliseconds, to the minute.
fn in_words(ms: i64) -> String {
    let minutes = (ms.max(0) + 30_000) / 60_000;
    let plural = |n: i64, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".into(),
        (0, m) => plural(m, "minute"),
        (h, 0) => plural(h, "hour"),
        (h, m) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        for (ms, words) in [
            (0, "less than a minute"),
            (60_000, "1 minute"),
            (7_200_000, "2 hours"),
            (4_800_000, "1 h 20 min"),
            (-5, "less than a minute"),
        ] {
            assert_eq!(in_words(ms), words);
        }
    }
}
