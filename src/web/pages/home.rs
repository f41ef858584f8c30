//! `/`.

use axum::{extract::State, http::StatusCode, response::Response};
use axum_extra::extract::cookie::SignedCookieJar;

use super::{in_words, running};
use crate::{
    image::ImageInfo,
    web::{
        App, client,
        view::{CourseCard, HomePage, ImageChoice, LessonCard, Nonce, Page},
    },
};

/// What Boatyard is, the lessons, and the sessions that this browser holds.
pub async fn home(State(app): State<App>, jar: SignedCookieJar) -> Response {
    let courses = app.sessions.library().courses().iter().map(|c| CourseCard {
        id: c.id.clone(),
        title: c.title.clone(),
        summary: c.summary.clone(),
        lessons: c
            .lessons
            .iter()
            .map(|l| LessonCard {
                id: l.id.clone(),
                title: l.title.clone(),
                summary: l.summary.clone(),
                minutes: u32::from(l.minutes),
                level: l.level.as_str().into(),
            })
            .collect(),
    });
    HomePage {
        nonce: Nonce::new(),
        sessions: running(&app, client::known(&app, &jar)),
        templates: app.templates().into_iter().filter(|t| t.name != "one").map(|t| (t.name, t.title)).collect(),
        courses: courses.collect(),
        choices: choices(&app),
        images: app.catalogue.iter().map(|i| i.name.clone()).collect(),
        lasts: in_words(app.sessions.config().sessions.duration.as_millis() as i64),
    }
    .respond(StatusCode::OK)
}

fn choices(app: &App) -> Vec<ImageChoice> {
    let usual = &app.sessions.config().sessions.image;
    let choice = |i: ImageInfo| ImageChoice { usual: i.name == *usual, name: i.name, summary: i.summary };
    app.sessions.images().into_iter().map(choice).collect()
}
