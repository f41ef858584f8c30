use std::path::{Path, PathBuf};

use super::{Library, Problem, Severity, Step};

/// All that can be said about the courses in `dir` without running them: the problems of [`Library::load`], and steps
/// that cannot be proven. Sorted by file and line; empty when all is well.
pub fn validate(dir: &Path) -> Vec<Problem> {
    let (library, mut problems) = Library::load(dir);
    for course in library.courses() {
        for lesson in &course.lessons {
            let file = PathBuf::from(&course.id).join(format!("{}.md", lesson.id));
            for message in lesson.steps.iter().filter_map(unproven) {
                problems.push(Problem { file: file.clone(), line: 0, severity: Severity::Warning, message });
            }
        }
    }
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    problems
}

fn unproven(step: &Step) -> Option<String> {
    let Step { id, checks, solution, .. } = step;
    if !checks.is_empty() && solution.is_empty() {
        return Some(format!("step `{id}` has checks, but neither commands nor a solution that make them pass"));
    }
    if checks.is_empty() && !solution.is_empty() && id != "intro" {
        return Some(format!("step `{id}` has something to do, but no check that tells when it is done"));
    }
    None
}
