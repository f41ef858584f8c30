use askama::Template;

use super::{Nonce, Page};

/// `/`: what Boatyard is, the lessons, and the sessions that this browser holds.
#[derive(Debug, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// For the page's own script.
    pub nonce: Nonce,
    /// Sessions that this browser may rejoin.
    pub sessions: Vec<RunningSession>,
    /// What else than one node a session can be started as: name and title.
    pub templates: Vec<(String, String)>,
    /// Courses with their lessons, in their order.
    pub courses: Vec<CourseCard>,
    /// Lab images to choose from, the usual one first.
    pub choices: Vec<ImageChoice>,
    /// Names of some images of the catalogue, to show what can be pulled.
    pub images: Vec<String>,
    /// How long a session lasts, in words (`2 hours`).
    pub lasts: String,
}

/// A running session on the home page.
#[derive(Debug, Clone)]
pub struct RunningSession {
    /// Where it opens.
    pub url: String,
    /// Its public name.
    pub name: String,
    /// Title of the lesson that it was started with.
    pub lesson: Option<String>,
    /// Names of its nodes.
    pub nodes: Vec<String>,
    /// When it ends, RFC 3339.
    pub expires_at: String,
    /// How long it still lasts, in words (`1 h 20 min`).
    pub left: String,
}

/// A lab image on the home page.
#[derive(Debug, Clone)]
pub struct ImageChoice {
    /// Its name.
    pub name: String,
    /// What it is, in one line; empty where nobody said.
    pub summary: String,
    /// Whether sessions get it unless they ask for another.
    pub usual: bool,
}

/// A course on the home page.
#[derive(Debug, Clone)]
pub struct CourseCard {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// One sentence on it.
    pub summary: String,
    /// Its lessons in order.
    pub lessons: Vec<LessonCard>,
}

/// A lesson on the home page.
#[derive(Debug, Clone)]
pub struct LessonCard {
    /// Its id within the course.
    pub id: String,
    /// Its title.
    pub title: String,
    /// One or two sentences on it.
    pub summary: String,
    /// How long it takes.
    pub minutes: u32,
    /// `beginner`, `intermediate` or `advanced`.
    pub level: String,
}

impl Page for HomePage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}
