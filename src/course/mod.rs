//! Courses: lessons in Markdown, their steps, checks and quizzes. `docs/lesson-format.md` is the format's description
//! for authors.
//!
//! Everything is read and rendered once, by [`Library::load`]; afterwards a library is plain data. What a student has
//! done is asked for through the [`check::Probe`] that the caller brings: this module knows neither HTTP nor sandboxes.

pub mod check;
mod front;
mod html;
mod image_ref;
mod info;
mod lesson;
mod library;
mod markdown;
mod problem;
mod quiz;
mod read;
mod render;
#[cfg(test)]
mod tests;
mod validate;
mod variable;

pub use image_ref::{ImageRef, NotAnImage};
pub use lesson::{Action, Course, Lesson, Level, Step};
pub use library::Library;
pub use problem::{Problem, Severity};
pub use quiz::{Grade, GradedOption, Quiz, QuizKind};
pub use validate::validate;
pub use variable::Variable;

/// The node that blocks and checks mean when they name none.
pub const DEFAULT_NODE: &str = "node1";

/// The terminal in which commands run when their block names none.
pub const DEFAULT_TERMINAL: &str = "main";

/// Whether `s` may be the id of a course, lesson, step, quiz, terminal or node: `[a-z0-9-]+`.
pub(crate) fn is_id(s: &str) -> bool {
    !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// An id made from a title: lower case, one hyphen for each run of anything but letters and digits. Empty when nothing
/// of the title is left.
pub(crate) fn slug(title: &str) -> String {
    let mut slug = String::with_capacity(title.len());
    for c in title.chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'A'..='Z' => slug.push(c.to_ascii_lowercase()),
            '\'' | '’' => {}
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    slug.trim_end_matches('-').to_owned()
}
