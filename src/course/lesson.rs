use serde::{Deserialize, Serialize};

use super::{Quiz, check::Check};

/// A course: lessons in the order in which they are taught.
#[derive(Debug, Clone)]
pub struct Course {
    /// Name of its folder.
    pub id: String,
    /// Its title, plain text.
    pub title: String,
    /// One or two sentences on what it teaches, plain text.
    pub summary: String,
    /// Its lessons; those that are broken are not among them.
    pub lessons: Vec<Lesson>,
}

impl Course {
    /// The lesson with this id.
    pub fn lesson(&self, id: &str) -> Option<&Lesson> {
        self.lessons.iter().find(|lesson| lesson.id == id)
    }
}

/// A lesson.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// Name of its file without `.md`.
    pub id: String,
    /// Its title, plain text.
    pub title: String,
    /// One or two sentences on what it teaches, plain text.
    pub summary: String,
    /// How long it takes, in minutes.
    pub minutes: u16,
    /// What it expects of the student.
    pub level: Level,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The lab image of its sessions; none: the configured one.
    pub image: Option<String>,
    /// Its steps; the first is the introduction, with the id `intro`.
    pub steps: Vec<Step>,
}

impl Lesson {
    /// The step with this id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The quiz with this id; ids are unique within a lesson.
    pub fn quiz(&self, id: &str) -> Option<&Quiz> {
        self.steps.iter().flat_map(|step| &step.quizzes).find(|quiz| quiz.id == id)
    }
}

/// What a lesson expects of the student.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing but curiosity.
    Beginner,
    /// The first lessons.
    Intermediate,
    /// Daily use.
    Advanced,
}

impl Level {
    /// The level as it is written in lessons.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Beginner => "beginner",
            Level::Intermediate => "intermediate",
            Level::Advanced => "advanced",
        }
    }
}

/// A step of a lesson.
#[derive(Debug, Clone)]
pub struct Step {
    /// Unique within the lesson; also the id of its HTML section.
    pub id: String,
    /// Its title, plain text.
    pub title: String,
    /// The whole step as safe HTML, from `<section class="step" …>` to `</section>`.
    pub html: String,
    /// What must hold when it is done, in the order of the list on the page. Empty where there is nothing to do.
    pub checks: Vec<Check>,
    /// Its quizzes, in the order of the page.
    pub quizzes: Vec<Quiz>,
    /// What the student does, by clicks, in the order of the page.
    pub actions: Vec<Action>,
    /// What makes the checks pass, in order: the actions, or where the step has solution blocks of its own, its file
    /// blocks and those.
    pub solution: Vec<Action>,
}

/// Something that a click does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Types into a terminal.
    Type {
        /// On which node.
        node: String,
        /// Into which terminal.
        terminal: String,
        /// The text, without a last line break.
        text: String,
        /// Whether Enter follows.
        enter: bool,
    },
    /// Writes a file.
    Write {
        /// On which node.
        node: String,
        /// Absolute path.
        path: String,
        /// The whole content.
        text: String,
    },
}
