use askama::Template;
use serde::Serialize;

use super::{Nonce, Page, script_json};
use crate::session::Right;

/// `/s/{id}` and `/s/{id}/{course}/{lesson}`: the terminals, beside a lesson where there is one.
#[derive(Debug, Template)]
#[template(path = "session.html")]
pub struct SessionPage {
    nonce: Nonce,
    lesson: Option<LessonView>,
    state: String,
    starting: bool,
    right: Right,
    course: Option<(String, String)>,
    /// The lab image of the session's first node.
    image: Option<String>,
}

/// What the page's script starts from: `SessionPageState` in `web/src/api/types.ts`.
#[derive(Debug, Serialize)]
pub struct PageState {
    /// The session as the API shows it.
    pub session: serde_json::Value,
    /// What the reader may do.
    pub right: Right,
    /// The server's clock, RFC 3339: browsers' clocks are wrong often enough to spoil a countdown.
    pub now: String,
    /// Most nodes that a session may have.
    pub max_nodes: u32,
    /// Whether Swarm's routing mesh works on the server's host.
    pub routing_mesh: bool,
    /// Whether the server has ssh.
    pub ssh: bool,
    /// The lesson that the page shows.
    pub lesson: Option<LessonPlace>,
}

/// Which lesson a page shows, and how far its student is.
#[derive(Debug, Serialize)]
pub struct LessonPlace {
    /// Course id.
    pub course: String,
    /// Lesson id.
    pub lesson: String,
    /// The lesson's progress as the API shows it; null before there is any.
    pub progress: serde_json::Value,
}

/// A lesson as its page shows it.
#[derive(Debug, Clone)]
pub struct LessonView {
    /// Its title.
    pub title: String,
    /// All steps as HTML: `section.step` elements as `docs/lesson-format.md` describes, already made safe.
    pub html: String,
    /// The steps in order, the introduction first.
    pub steps: Vec<StepLink>,
    /// The lesson that follows it in its course.
    pub next: Option<LessonLink>,
}

/// A lesson to go on with, in the same session.
#[derive(Debug, Clone)]
pub struct LessonLink {
    /// Where it is.
    pub href: String,
    /// Its title.
    pub title: String,
}

/// A step in a lesson's outline.
#[derive(Debug, Clone)]
pub struct StepLink {
    /// Its id, the fragment of its address.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Whether the student has done it.
    pub done: bool,
}

impl SessionPage {
    /// The page of a session.
    ///
    /// # Errors
    /// When the state is no JSON, which a value made by serde never is.
    pub fn new(state: &PageState, lesson: Option<LessonView>) -> Result<SessionPage, serde_json::Error> {
        Ok(SessionPage {
            nonce: Nonce::new(),
            lesson,
            state: script_json(state)?,
            right: state.right,
            starting: state.session.get("state").and_then(|s| s.as_str()) == Some("starting"),
            image: state.session["nodes"][0]["image"].as_str().map(str::to_owned),
            course: state.lesson.as_ref().map(|l| (l.course.clone(), l.lesson.clone())),
        })
    }

    /// What the button that starts a session says when this one is over.
    fn again(&self) -> &'static str {
        if self.is_own() { "Start again" } else { "Start my own" }
    }

    fn is_own(&self) -> bool {
        self.right == Right::Own
    }

    fn title(&self) -> &str {
        self.lesson.as_ref().map_or("Playground", |lesson| &lesson.title)
    }
}

impl Page for SessionPage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    // Where there is no WebGL, xterm.js colours cells by style attributes. They can colour, but run nothing.
    fn further_policy(&self) -> &'static str {
        "; style-src-attr 'unsafe-inline'"
    }
}
