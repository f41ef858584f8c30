//! `/s/{id}` and `/s/{id}/{course}/{lesson}`.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use axum_extra::extract::cookie::SignedCookieJar;

use super::problem_page;
use crate::{
    course::{Course, Lesson},
    session::{Place, Right, SessionId, State as Life},
    store::now_ms,
    web::{
        App, Problem, access,
        api::{self, events, page_path},
        guest,
        problem::rfc3339,
        view::{
            EndedPage, ErrorPage, LessonLink, LessonPlace, LessonView, Nonce, Page, PageState, SessionPage, StepLink,
        },
    },
};

/// The terminals alone.
pub async fn playground(State(app): State<App>, Path(id): Path<String>, jar: SignedCookieJar) -> Response {
    page(&app, &id, None, &jar).unwrap_or_else(problem_page)
}

/// The terminals beside a lesson.
pub async fn lesson(
    State(app): State<App>,
    Path((id, course, lesson)): Path<(String, String, String)>,
    jar: SignedCookieJar,
) -> Response {
    page(&app, &id, Some((course, lesson)), &jar).unwrap_or_else(problem_page)
}

fn page(app: &App, id: &str, place: Option<(String, String)>, jar: &SignedCookieJar) -> Result<Response, Problem> {
    let nothing = || Problem::not_found("no such session");
    let id = id.parse().map(SessionId).map_err(|_| nothing())?;
    let row = app.sessions.store().session(id)?.ok_or_else(nothing)?;
    let live = app.sessions.get(id);
    let Some(visitor) = access::visitor(app, &row, live.as_deref(), jar)? else {
        // Its address is as good as unguessable: who has it was given it, and is told why it does not open.
        let page = match guest::known(app, jar, id) {
            Some(_) => ErrorPage::no_longer_shared("The owner has ended this share"),
            None => ErrorPage::forbidden(),
        };
        return Ok(page.respond(StatusCode::FORBIDDEN));
    };
    let right = visitor.right();
    let Some(live) = live else {
        let reason = match row.state {
            Life::Ended(reason) => reason.as_str(),
            _ => return Err(nothing()),
        };
        let guest = right < Right::Own;
        let ended = EndedPage { nonce: Nonce::new(), reason: reason.into(), guest, lesson: row.lesson };
        return Ok(ended.respond(StatusCode::GONE));
    };
    // Only looked at: it is taken when the page connects.
    events::place(&live, &visitor, Place::Events)?;
    let mut state = PageState {
        session: serde_json::to_value(api::SessionView::of(&live, app)).map_err(|e| Problem::internal(&e))?,
        now: rfc3339(now_ms()).unwrap_or_default(),
        right,
        max_nodes: app.sessions.config().sessions.nodes,
        routing_mesh: app.sessions.has_routing_mesh(),
        ssh: app.outside.ssh().is_some(),
        lesson: None,
    };
    let mut view = None;
    if let Some((course, id)) = place {
        let found = app.sessions.library().lesson(&course, &id).ok_or_else(nothing)?;
        let progress = app.sessions.progress(&live, &format!("{course}/{id}"))?;
        view = Some(LessonView {
            title: found.title.clone(),
            html: found.steps.iter().map(|s| s.html.as_str()).collect(),
            steps: found
                .steps
                .iter()
                .map(|s| StepLink {
                    id: s.id.clone(),
                    title: s.title.clone(),
                    done: progress.steps_done.contains(&s.id),
                })
                .collect(),
            next: following(app.sessions.library().course(&course), &id).map(|next| LessonLink {
                href: page_path(live.id(), Some(&(course.clone(), next.id.clone()))),
                title: next.title.clone(),
            }),
        });
        let progress = serde_json::to_value(progress).map_err(|e| Problem::internal(&e))?;
        state.lesson = Some(LessonPlace { course, lesson: id, progress });
    }
    let page = SessionPage::new(&state, view).map_err(|e| Problem::internal(&e))?;
    Ok(page.respond(StatusCode::OK))
}

/// The lesson after `id` in its course.
fn following<'a>(course: Option<&'a Course>, id: &str) -> Option<&'a Lesson> {
    course?.lessons.iter().skip_while(|lesson| lesson.id != id).nth(1)
}
