//! `/s/{id}/join/{secret}`: the link of a share.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::cookie::SignedCookieJar;

use super::problem_page;
use crate::{
    session::{SessionId, State as Life},
    web::{
        App, Problem, access,
        api::page_path,
        guest,
        view::{EndedPage, ErrorPage, Nonce, Page},
    },
};

/// Lets the browser in and leads to the session's page, whose address has no secret: neither the history of the browser
/// nor a page that is linked from there learns it. Nothing is kept on the server before the page opens, so that programs
/// that look at links for a preview are no guests.
pub async fn join(
    State(app): State<App>,
    Path((id, secret)): Path<(String, String)>,
    jar: SignedCookieJar,
) -> Response {
    let mut answer = enter(&app, &id, &secret, jar).unwrap_or_else(problem_page);
    answer.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

fn enter(app: &App, id: &str, secret: &str, jar: SignedCookieJar) -> Result<Response, Problem> {
    let Ok(id) = id.parse().map(SessionId) else { return Ok(no_longer_valid()) };
    let Some(row) = app.sessions.store().session(id)? else { return Ok(no_longer_valid()) };
    let Some(live) = app.sessions.get(id) else {
        let Life::Ended(reason) = row.state else { return Ok(no_longer_valid()) };
        return Ok(EndedPage { nonce: Nonce::new(), reason: reason.as_str().into(), guest: true, lesson: row.lesson }
            .respond(StatusCode::GONE));
    };
    let Some(share) = app.sessions.share_by_secret(&live, secret)? else { return Ok(no_longer_valid()) };
    let page = Redirect::to(&page_path(id, live.row().lesson.as_ref()));
    // An owner who tries the link stays the owner; who may type is not made to watch by a second link.
    let before = access::visitor(app, &live.row(), Some(&live), &jar)?;
    if before.is_some_and(|v| v.right() > share.row.kind.right()) {
        return Ok(page.into_response());
    }
    let jar = guest::welcome(app, jar, &live.row(), share.row.id);
    Ok((jar, page).into_response())
}

fn no_longer_valid() -> Response {
    ErrorPage::no_longer_shared("This link is no longer valid").respond(StatusCode::FORBIDDEN)
}
