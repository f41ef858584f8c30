use std::{
    fmt,
    path::{Path, PathBuf},
};

/// How much a [`Problem`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The lesson can be taught as it is, but its author surely meant something else.
    Warning,
    /// The lesson (or course) is left out of the library.
    Error,
}

/// Something wrong with a course, to be shown to its author. Displays as `file:line: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, below the folder that was loaded.
    pub file: PathBuf,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong and, where it is known, how to mend it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        if self.severity == Severity::Warning {
            write!(f, " warning:")?;
        }
        write!(f, " {}", self.message)
    }
}

/// Collects the problems of one file while it is read.
#[derive(Debug)]
pub(super) struct Problems {
    file: PathBuf,
    found: Vec<Problem>,
}

impl Problems {
    pub fn new(file: &Path) -> Problems {
        Problems { file: file.to_owned(), found: Vec::new() }
    }

    pub fn error(&mut self, line: usize, message: impl Into<String>) {
        self.add(line, Severity::Error, message.into());
    }

    pub fn warn(&mut self, line: usize, message: impl Into<String>) {
        self.add(line, Severity::Warning, message.into());
    }

    /// Adds an error of a piece of YAML whose first line is the file's line `first`.
    pub fn yaml(&mut self, first: usize, error: &serde_norway::Error) {
        let line = error.location().map_or(first, |at| first + at.line().saturating_sub(1));
        let text = error.to_string();
        // The place in the piece would only confuse beside the place in the file.
        let message = text.split(" at line ").next().unwrap_or(&text).trim_start_matches('.');
        self.error(line, message);
    }

    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|p| p.severity == Severity::Error)
    }

    pub fn into_vec(self) -> Vec<Problem> {
        self.found
    }

    fn add(&mut self, line: usize, severity: Severity, message: String) {
        self.found.push(Problem { file: self.file.clone(), line, severity, message });
    }
}
