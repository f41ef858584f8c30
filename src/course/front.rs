//! The front matter of a lesson, and `course.yaml`.

use serde::Deserialize;

use super::{Level, problem::Problems};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FrontMatter {
    pub title: String,
    pub summary: String,
    pub minutes: u16,
    pub level: Level,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub image: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CourseFile {
    pub title: String,
    pub summary: String,
    pub lessons: Vec<String>,
    #[serde(default)]
    pub image: Option<String>,
}

/// Tells where a lab image's name cannot be one.
pub(super) fn image_name(name: Option<&str>, line: usize, problems: &mut Problems) {
    if let Some(Err(e)) = name.map(crate::image::check_name) {
        problems.error(line, format!("image: {e}"));
    }
}

/// Reads a lesson's front matter: the text between two lines `---`, which are the lesson's first and a later one.
pub(super) fn front_matter(text: &str, problems: &mut Problems) -> Option<FrontMatter> {
    let Some(rest) = text.strip_prefix("---\n") else {
        problems.error(
            1,
            "a lesson begins with front matter: a line `---`, then title, summary, minutes, level and tags, then a \
             line `---`",
        );
        return None;
    };
    let Some(end) = rest.find("\n---\n").map(|i| i + 1).or_else(|| rest.starts_with("---\n").then_some(0)) else {
        problems.error(1, "the front matter has no end: a line `---` is missing");
        return None;
    };
    match serde_norway::from_str::<FrontMatter>(&rest[..end]) {
        Ok(front) if front.title.trim().is_empty() => {
            problems.error(2, "the title is empty");
            None
        }
        Ok(front) => {
            image_name(front.image.as_deref(), 2, problems);
            Some(front)
        }
        Err(e) => {
            problems.yaml(2, &e);
            None
        }
    }
}
