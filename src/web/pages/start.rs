//! `POST /sessions`: the start button, which works without scripts.

use std::net::SocketAddr;

use axum::{
    Form,
    extract::{ConnectInfo, State, rejection::FormRejection},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::cookie::SignedCookieJar;
use serde::Deserialize;

use super::{problem_page, running};
use crate::{
    session::{CreateError, StartRequest},
    store::Refused,
    web::{
        App, Problem, api, client,
        problem::rfc3339,
        view::{FullPage, LimitPage, Nonce, Page},
    },
};

/// What the form says.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    course: Option<String>,
    lesson: Option<String>,
    image: Option<String>,
    template: Option<String>,
}

/// Starts a session and leads to its page.
pub async fn start(
    State(app): State<App>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    jar: SignedCookieJar,
    form: Result<Form<Wanted>, FormRejection>,
) -> Response {
    let (lesson, image, template) = match form {
        Ok(Form(wanted)) => match app.template(wanted.template.as_deref()) {
            Ok(template) => (wanted.course.zip(wanted.lesson), wanted.image.filter(|i| !i.is_empty()), template),
            Err(e) => return problem_page(e),
        },
        Err(e) => return problem_page(Problem::bad_request(e.body_text())),
    };
    let (owner, jar) = client::known_or_new(&app, jar);
    let request = StartRequest {
        owner,
        address: address.ip().to_string(),
        lesson: lesson.clone(),
        image: image.clone(),
        template,
    };
    let answer = match app.sessions.start(request).await {
        Ok(created) => {
            let row = created.live.row();
            Redirect::to(&api::page_path(row.id, row.lesson.as_ref())).into_response()
        }
        Err(CreateError::Refused(Refused::Full { running, next_end })) => FullPage {
            nonce: Nonce::new(),
            running: running as usize,
            capacity: app.sessions.config().sessions.max as usize,
            next_end: next_end.and_then(rfc3339),
            lesson,
            image,
        }
        .respond(StatusCode::SERVICE_UNAVAILABLE),
        Err(CreateError::Refused(Refused::Client(_))) => LimitPage {
            nonce: Nonce::new(),
            limit: app.sessions.config().sessions.per_client as usize,
            sessions: running(&app, Some(owner)),
        }
        .respond(StatusCode::TOO_MANY_REQUESTS),
        Err(e) => problem_page(e.into()),
    };
    (jar, answer).into_response()
}
