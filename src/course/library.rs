use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use super::{
    Course, Lesson, Problem,
    front::{CourseFile, image_name},
    is_id,
    problem::Problems,
    read::{self, Reading},
};

/// All courses, read and rendered.
#[derive(Debug, Clone, Default)]
pub struct Library {
    courses: Vec<Course>,
}

impl Library {
    /// Reads all courses in `dir`: folders with a `course.yaml`. What is broken is left out and told in the problems; it
    /// hides nothing else. Problems name files below `dir`.
    pub fn load(dir: &Path) -> (Library, Vec<Problem>) {
        let mut library = Library::default();
        let mut problems = Vec::new();
        match folders(dir) {
            Ok(ids) => {
                for id in ids {
                    library.courses.extend(course(dir, &id, &mut problems));
                }
            }
            Err(e) => {
                let mut found = Problems::new(dir);
                found.error(0, format!("the folder of the courses cannot be read: {e}"));
                problems.extend(found.into_vec());
            }
        }
        (library, problems)
    }

    /// All courses, by id.
    pub fn courses(&self) -> &[Course] {
        &self.courses
    }

    /// The course with this id.
    pub fn course(&self, id: &str) -> Option<&Course> {
        self.courses.iter().find(|course| course.id == id)
    }

    /// A lesson by the ids of its course and its own.
    pub fn lesson(&self, course: &str, lesson: &str) -> Option<&Lesson> {
        self.course(course)?.lesson(lesson)
    }
}

/// Names of the folders in `dir` that hold a course, sorted.
fn folders(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.path().join("course.yaml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Reads one course and its lessons.
fn course(dir: &Path, id: &str, all: &mut Vec<Problem>) -> Option<Course> {
    let file = PathBuf::from(id).join("course.yaml");
    let mut problems = Problems::new(&file);
    let parsed = read_text(&dir.join(&file))
        .map_err(|e| problems.error(0, e))
        .ok()
        .and_then(|text| serde_norway::from_str::<CourseFile>(&text).map_err(|e| problems.yaml(1, &e)).ok());
    if !is_id(id) {
        problems.error(0, format!("the folder's name `{id}` may hold lower-case letters, digits and hyphens only"));
    }
    if let Some(parsed) = &parsed {
        image_name(parsed.image.as_deref(), 0, &mut problems);
    }
    let Some(parsed) = parsed.filter(|_| !problems.has_errors()) else {
        all.extend(problems.into_vec());
        return None;
    };
    let readings = lessons(dir, id, &parsed, &mut problems);
    all.extend(problems.into_vec());
    let known: HashSet<&str> = parsed.lessons.iter().map(String::as_str).collect();
    let mut lessons = Vec::new();
    for (file, reading) in readings {
        let mut found = Problems::new(&file);
        for (line, link) in &reading.links {
            if !known.contains(link.as_str()) {
                found.error(*line, format!("the link `{link}.md` leads to no lesson of this course"));
            }
        }
        lessons.extend(reading.lesson.filter(|_| !found.has_errors()).map(|mut lesson| {
            lesson.image = lesson.image.or_else(|| parsed.image.clone());
            lesson
        }));
        all.extend(reading.problems);
        all.extend(found.into_vec());
    }
    Some(Course { id: id.to_owned(), title: parsed.title, summary: parsed.summary, lessons })
}

/// Reads the lessons that `course.yaml` names, and tells of those that it does not name.
fn lessons(dir: &Path, id: &str, course: &CourseFile, problems: &mut Problems) -> Vec<(PathBuf, Reading)> {
    let mut readings = Vec::new();
    let mut seen = HashSet::new();
    for lesson in &course.lessons {
        let file = PathBuf::from(id).join(format!("{lesson}.md"));
        if !seen.insert(lesson.as_str()) {
            problems.error(0, format!("the lesson `{lesson}` is listed twice"));
        } else if !is_id(lesson) {
            problems.error(
                0,
                format!("the lesson's name `{lesson}` may hold lower-case letters, digits and hyphens only, no `.md`"),
            );
        } else {
            match read_text(&dir.join(&file)) {
                Ok(text) => readings.push((file.clone(), read::lesson(lesson, &file, &text))),
                Err(e) => problems.error(0, format!("the lesson `{lesson}` is listed, but {}: {e}", file.display())),
            }
        }
    }
    let Ok(entries) = fs::read_dir(dir.join(id)) else { return readings };
    for name in entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()) {
        if let Some(lesson) = name.strip_suffix(".md")
            && lesson != "README"
            && !seen.contains(lesson)
        {
            problems.warn(0, format!("`{name}` is not listed under `lessons`, so nobody can see it"));
        }
    }
    readings
}

fn read_text(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        format!("line {line} is not UTF-8 text")
    })
}
