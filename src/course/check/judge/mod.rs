//! From what is there to a verdict: pure functions, one file for each kind of thing.

pub(super) mod container;
pub(super) mod file;
pub(super) mod image;
pub(super) mod net;
pub(super) mod registry;

/// How a check came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    /// With the hint: whole sentences.
    Failed(String),
    /// It could not be looked at, and why.
    Unknown(String),
}

/// The names in backticks with commas, at most five of them.
fn listed<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut names: Vec<String> = items.into_iter().map(|item| format!("`{item}`")).collect();
    names.dedup();
    if names.len() > 5 {
        names.truncate(5);
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// Whether one was probably meant as the other: at most two slips of the keyboard, and not most of a short word. Names
/// that differ by a number, such as `web` and `web2`, are meant to differ.
fn nearly(a: &str, b: &str) -> bool {
    let stem = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    if stem(a) == stem(b) {
        return false;
    }
    let slips = strsim::damerau_levenshtein(a, b);
    slips > 0 && slips <= 2 && slips * 2 < a.chars().count().max(b.chars().count())
}
