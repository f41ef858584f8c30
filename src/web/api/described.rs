//! Types of the API that come from crates and modules that know nothing of its description, as the OpenAPI document shows
//! them. They are only described, never made; the tests hold them to the real ones.
#![allow(dead_code, reason = "types that are described and never made")]

use utoipa::ToSchema;

/// State of a node's Docker Engine.
#[derive(ToSchema)]
#[schema(as = DockerState, rename_all = "kebab-case")]
pub(super) enum DockerState {
    /// Not started; the next use of its socket starts it.
    Stopped,
    /// Started, does not answer yet.
    Starting,
    /// Answers.
    Ready,
    /// Died several times in a row; started again after a pause.
    Failed,
    /// There is none in this lab image, or it is switched off.
    Absent,
}

/// A terminal.
#[derive(ToSchema)]
#[schema(as = TerminalInfo)]
pub(super) struct TerminalInfo {
    /// Its id, unique in its node at one time.
    id: String,
    /// Distinguishes terminals that had the same id one after the other: offsets count within one generation.
    generation: u64,
    /// Columns.
    cols: u16,
    /// Rows.
    rows: u16,
    /// Bytes that it has put out since it was opened.
    offset: u64,
    /// Exit code of its process, once it has ended (128 + signal where a signal ended it).
    #[schema(required)]
    exit_code: Option<i32>,
    /// Viewers attached now.
    viewers: u32,
    /// Name of the program in its foreground, such as `bash` or `vim`.
    #[schema(required)]
    foreground: Option<String>,
    /// Working folder of that program, or of the shell.
    #[schema(required)]
    cwd: Option<String>,
}

/// A file or folder.
#[derive(ToSchema)]
#[schema(as = FileEntry)]
pub(super) struct FileEntry {
    /// Its name without folders; bytes that are not UTF-8 are replaced by U+FFFD, and such a name cannot be asked for.
    name: String,
    /// What it is.
    kind: FileKind,
    /// Bytes; 0 also where it is not known before it is read, as in /proc.
    size: u64,
    /// Permission bits.
    mode: u32,
    /// Milliseconds since 1970 of its last change.
    modified_ms: i64,
    /// Changes with every write.
    etag: String,
    /// Where a symbolic link points.
    #[schema(required)]
    target: Option<String>,
    /// What a symbolic link leads to in the end; none where that is not there.
    #[schema(required)]
    leads_to: Option<FileKind>,
    /// Whether it lies where nothing can be replaced, such as /proc.
    read_only: bool,
}

/// Kind of a file.
#[derive(ToSchema)]
#[schema(as = FileKind, rename_all = "kebab-case")]
pub(super) enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, socket or pipe.
    Other,
}

/// How a check came out.
#[derive(ToSchema)]
#[schema(as = CheckResult)]
pub(super) struct CheckResult {
    /// What must hold, plain text in which backticks mark code.
    title: String,
    /// Whether it holds.
    passed: bool,
    /// Where it does not hold: what is missing and, where it is known, what helps. Same form as the title.
    hint: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use boatyard_protocol::agent;
    use serde_json::{Value, json};

    use crate::course::check;

    fn schema(name: &str) -> Value {
        let document = serde_json::to_value(crate::web::api::document()).unwrap();
        document["components"]["schemas"][name].clone()
    }

    #[track_caller]
    fn has_the_fields_of(name: &str, real: impl serde::Serialize) {
        let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(&schema(name)["properties"]), keys(&serde_json::to_value(real).unwrap()), "{name}");
    }

    #[test]
    fn what_is_described_is_what_is_sent() {
        has_the_fields_of(
            "TerminalInfo",
            agent::TerminalInfo {
                id: "main".into(),
                generation: 1,
                cols: 80,
                rows: 24,
                offset: 0,
                exit_code: None,
                viewers: 0,
                foreground: None,
                cwd: None,
            },
        );
        has_the_fields_of(
            "FileEntry",
            agent::FileEntry {
                name: "a".into(),
                kind: agent::FileKind::File,
                size: 0,
                mode: 0,
                modified_ms: 0,
                etag: String::new(),
                target: None,
                leads_to: None,
                read_only: false,
            },
        );
        use agent::FileKind as K;
        let all = [K::File, K::Folder, K::Link, K::Other].map(|k| match k {
            K::File | K::Folder | K::Link | K::Other => json!(k),
        });
        assert_eq!(schema("FileKind")["enum"], json!(all));
        has_the_fields_of(
            "CheckResult",
            check::CheckResult { title: String::new(), passed: false, hint: Some(String::new()) },
        );
        use agent::DockerState as D;
        // A state that is added there is missed here by the compiler.
        let all = [D::Stopped, D::Starting, D::Ready, D::Failed, D::Absent].map(|s| match s {
            D::Stopped | D::Starting | D::Ready | D::Failed | D::Absent => json!(s),
        });
        assert_eq!(schema("DockerState")["enum"], json!(all));
    }
}
