//! Stacks with a name: folders with a Compose file, in courses and in a folder of the operator's.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

use super::{Compose, MOST_BYTES};
use crate::course::is_id;

/// Names that a Compose file may have, the first before the others, as `docker compose` looks for them.
const FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
/// Most files of a stack.
const MOST_FILES: usize = 100;

/// A stack with a name.
#[derive(Debug, Clone)]
pub struct NamedStack {
    /// Its name, by which links ask for it: `counter`.
    pub name: String,
    /// The course that it belongs to; none for the operator's own.
    pub course: Option<String>,
    /// Name of its Compose file.
    pub file: String,
    /// Text of its Compose file.
    pub text: String,
    /// What it says.
    pub compose: Compose,
    /// All of its files, the Compose file among them.
    pub files: Vec<StackFile>,
}

/// A file of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackFile {
    /// Its path below the stack's folder.
    pub path: String,
    /// What is in it.
    pub content: Bytes,
    /// Whether it is a program.
    pub executable: bool,
}

impl NamedStack {
    /// What the pages call it.
    pub fn title(&self) -> &str {
        self.compose.title.as_deref().unwrap_or(&self.name)
    }

    /// What links call it so that no other is meant: `course/name`, or the name alone.
    pub fn id(&self) -> String {
        self.course.as_ref().map_or_else(|| self.name.clone(), |c| format!("{c}/{}", self.name))
    }
}

/// All stacks with a name.
#[derive(Debug, Clone, Default)]
pub struct Stacks(Vec<Arc<NamedStack>>);

impl Stacks {
    /// Reads the stacks of all courses below `courses` (`<course>/stacks/<name>`) and those of the operator's own folder,
    /// whose names go before. What is broken is left out and told.
    pub fn load(courses: &Path, own: Option<&Path>) -> (Stacks, Vec<String>) {
        let (mut stacks, mut problems) = (Vec::new(), Vec::new());
        if let Some(own) = own {
            if !own.is_dir() {
                problems.push(format!("{}: there is no such folder", own.display()));
            }
            folder(own, None, &mut stacks, &mut problems);
        }
        for course in folders(courses) {
            folder(&courses.join(&course).join("stacks"), Some(&course), &mut stacks, &mut problems);
        }
        (Stacks(stacks), problems)
    }

    /// All of them: the operator's own first, then by course.
    pub fn all(&self) -> &[Arc<NamedStack>] {
        &self.0
    }

    /// The stack of this name (`counter`) or id (`containers-and-docker/counter`).
    pub fn find(&self, name: &str) -> Option<&Arc<NamedStack>> {
        self.0.iter().find(|s| s.name == name || s.id() == name)
    }
}

fn folder(dir: &Path, course: Option<&str>, stacks: &mut Vec<Arc<NamedStack>>, problems: &mut Vec<String>) {
    for name in folders(dir) {
        match read(&dir.join(&name), &name, course) {
            Ok(stack) => stacks.push(Arc::new(stack)),
            Err(e) => problems.push(format!("{}: {e}", dir.join(&name).display())),
        }
    }
}

/// Names of the folders in `dir`, sorted; none where it is not there.
fn folders(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let folders = entries.filter(|e| e.path().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = folders.filter(|n| !n.starts_with('.')).collect();
    names.sort();
    names
}

fn read(dir: &Path, name: &str, course: Option<&str>) -> Result<NamedStack, String> {
    if !is_id(name) || name.len() > super::LONGEST_NAME {
        return Err("a stack's folder is named by lower-case letters, digits and hyphens".into());
    }
    let files = files(dir)?;
    let file = FILES.iter().find(|f| files.iter().any(|file| file.path == **f));
    let file = file.ok_or("it has no compose.yaml")?;
    let compose = files.iter().find(|f| f.path == *file).map(|f| f.content.clone()).unwrap_or_default();
    let text = String::from_utf8(compose.into()).map_err(|_| format!("{file} is no UTF-8 text"))?;
    let compose = Compose::read(&text).map_err(|e| format!("{file}: {e}"))?;
    Ok(NamedStack { name: name.into(), course: course.map(Into::into), file: (*file).into(), text, compose, files })
}

fn files(dir: &Path) -> Result<Vec<StackFile>, String> {
    let mut files = Vec::new();
    let mut bytes = 0;
    for entry in walkdir::WalkDir::new(dir).sort_by_file_name().max_depth(8) {
        let entry = entry.map_err(|e| e.to_string())?;
        if !entry.file_type().is_file() {
            continue;
        }
        let path: PathBuf = entry.path().strip_prefix(dir).map_err(|e| e.to_string())?.into();
        let told = |e: std::io::Error| format!("{}: {e}", path.display());
        let content = fs::read(entry.path()).map_err(told)?;
        let executable = fs::metadata(entry.path()).map_err(told)?.permissions().mode() & 0o100 != 0;
        bytes += content.len();
        if bytes > MOST_BYTES || files.len() == MOST_FILES {
            return Err(format!("a stack is at most {MOST_FILES} files of {MOST_BYTES} bytes together"));
        }
        let path = path.to_str().ok_or("a file's name is no UTF-8")?.to_owned();
        files.push(StackFile { path, content: content.into(), executable });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_stacks_of_courses_and_of_the_operator() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("courses/docker/stacks/web/compose.yaml", "services: {web: {image: nginx}}");
        write("courses/docker/stacks/web/site/index.html", "hello");
        write("courses/docker/stacks/broken/compose.yaml", "services: {}");
        write("own/web/docker-compose.yml", "x-boatyard: {title: Mine}\nservices: {web: {image: nginx}}");
        write("own/empty/readme", "");
        let (stacks, problems) = Stacks::load(&dir.path().join("courses"), Some(&dir.path().join("own")));
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(stacks.find("web").unwrap().title(), "Mine");
        let of_course = stacks.find("docker/web").unwrap();
        let paths: Vec<_> = of_course.files.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["compose.yaml", "site/index.html"]);
        assert!(stacks.find("broken").is_none());
    }

    #[test]
    fn those_that_come_with_boatyard_are_in_order() {
        let (stacks, problems) = Stacks::load(Path::new("courses"), None);
        assert_eq!(problems, [""; 0]);
        for name in ["counter", "hello"] {
            let stack = stacks.find(name).unwrap();
            assert!(stack.compose.title.is_some() && stack.compose.summary.is_some(), "{name}");
            assert!(stack.compose.services.iter().all(|s| !s.build && s.dnsrr && s.ports.iter().all(|p| p.host)));
        }
    }
}
