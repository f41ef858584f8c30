//! Raw HTML in Markdown: few tags, exactly as listed, everything else as text.

/// Tags that may stand in a lesson, without attributes except those written here.
const ALLOWED: &[&str] = &[
    "<details>",
    "<details open>",
    "</details>",
    "<summary>",
    "</summary>",
    "<kbd>",
    "</kbd>",
    "<sub>",
    "</sub>",
    "<sup>",
    "</sup>",
    "<br>",
    "<br/>",
    "<br />",
];

/// Raw HTML with all tags but the allowed ones turned into text, and the first tag that was. Comments are dropped.
///
/// Only `<` can begin a tag, so no text can get around this by being malformed: a `<` either begins one of the allowed
/// texts, compared whole, or is escaped.
pub(super) fn sanitise(raw: &str) -> (String, Option<&str>) {
    let mut safe = String::with_capacity(raw.len());
    let mut refused = None;
    let mut rest = raw;
    while let Some(at) = rest.find('<') {
        text(&mut safe, &rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("<!--") {
            rest = rest.find("-->").map_or("", |end| &rest[end + 3..]);
            continue;
        }
        let end = rest.find('>').map_or(rest.len(), |end| end + 1);
        let tag = &rest[..end];
        if ALLOWED.iter().any(|allowed| tag.eq_ignore_ascii_case(allowed)) {
            safe.push_str(&tag.to_ascii_lowercase());
            rest = &rest[end..];
        } else {
            refused.get_or_insert(tag);
            safe.push_str("&lt;");
            rest = &rest[1..];
        }
    }
    text(&mut safe, rest);
    (safe, refused)
}

fn text(safe: &mut String, text: &str) {
    safe.push_str(&text.replace('>', "&gt;").replace('"', "&quot;"));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_the_few_and_escapes_the_rest() {
        assert_eq!(
            sanitise("<details>\n<summary>Hint</summary>\n"),
            ("<details>\n<summary>Hint</summary>\n".to_owned(), None)
        );
        let (safe, refused) = sanitise("<details onclick=\"x\"><IMG src=x onerror=y>");
        assert_eq!(safe, "&lt;details onclick=&quot;x&quot;&gt;&lt;IMG src=x onerror=y&gt;");
        assert_eq!(refused, Some("<details onclick=\"x\">"));
        assert_eq!(sanitise("a<!-- <script> -->b<BR>").0, "ab<br>");
        assert_eq!(sanitise("<script").0, "&lt;script");
    }

    proptest! {
        #[test]
        fn no_other_tag_survives(raw in "[<>a-z!/ =\"-]{0,40}|(<details>|<|>|script|</|summary>|<br>|<!--|-->){0,12}") {
            let mut safe = sanitise(&raw).0;
            for allowed in ALLOWED {
                safe = safe.replace(allowed, "");
            }
            prop_assert!(!safe.contains('<'), "{raw:?} became {safe:?}");
        }
    }
}
