use super::{super::FileWanted, Verdict};

/// The file must be there, with what is wanted in it. `content` may be its beginning only.
pub(crate) fn present(wanted: &FileWanted, node: &str, content: Option<&[u8]>) -> Verdict {
    let path = &wanted.path;
    let Some(content) = content else {
        return Verdict::Failed(format!("There is no file `{path}` on {node} yet."));
    };
    let text = String::from_utf8_lossy(content);
    if let Some(lacking) = wanted.contains.iter().find(|part| !text.contains(part.as_str())) {
        let what = if text.trim().is_empty() { "is empty" } else { "does not contain" };
        return Verdict::Failed(match lacking.contains('\n') {
            true => format!("The file `{path}` is there, but a part of its text is missing."),
            false if what == "is empty" => format!("The file `{path}` is there, but it is empty."),
            false => format!("The file `{path}` is there, but it {what} `{lacking}`."),
        });
    }
    if wanted.matches.as_ref().is_some_and(|pattern| !pattern.is_match(&text)) {
        return Verdict::Failed(format!("The file `{path}` is there, but not what is in it."));
    }
    Verdict::Passed
}
