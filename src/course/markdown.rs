//! The dialect of Markdown, and safe HTML from it.
//!
//! Safe means: whatever the Markdown holds, the HTML has no script, no event handler and no `javascript:` address.
//! comrak's safe mode (`render.unsafe` off) sees to that; only what this module and `read` insert is taken as it is.

use comrak::{
    Arena, Node, Options, format_html,
    nodes::{AlertType, NodeValue},
    parse_document,
};

use super::html;

/// The dialect: GitHub's, so that a lesson reads the same on a Git host.
pub(super) fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.front_matter_delimiter = Some("---".to_owned());
    options.extension.alerts = true;
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.autolink = true;
    options.render.github_pre_lang = false;
    options
}

/// Text as HTML, also within a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // Writing to a String cannot fail.
    let _ = comrak::html::escape(&mut escaped, text);
    escaped
}

/// A line of Markdown as HTML without a paragraph around it.
pub(super) fn inline(markdown: &str) -> String {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown.trim(), &options());
    for node in root.descendants() {
        defuse(node);
    }
    let html = root.children().map(to_html).collect::<Vec<_>>().concat();
    let html = html.trim();
    match html.strip_prefix("<p>").and_then(|h| h.strip_suffix("</p>")) {
        Some(line) if !line.contains("<p>") => line.to_owned(),
        _ => html.to_owned(),
    }
}

/// A node and all below it as HTML.
pub(super) fn to_html(node: Node<'_>) -> String {
    let mut html = String::new();
    // Writing to a String cannot fail.
    let _ = format_html(node, &options(), &mut html);
    html
}

/// The text of a node and all below it, without marks.
pub(super) fn plain_text(node: Node<'_>) -> String {
    let mut text = String::new();
    for node in node.descendants() {
        match &node.data().value {
            NodeValue::Text(t) => text.push_str(t),
            NodeValue::Code(code) => text.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => text.push(' '),
            _ => {}
        }
    }
    text
}

/// Replaces raw HTML by what is safe to insert. Answers a tag that is shown as text because it is not among the few that
/// lessons may use.
pub(super) fn defuse(node: Node<'_>) -> Option<String> {
    let raw = match &node.data().value {
        NodeValue::HtmlBlock(block) => block.literal.clone(),
        NodeValue::HtmlInline(tag) => tag.clone(),
        _ => return None,
    };
    let (safe, refused) = html::sanitise(&raw);
    node.data_mut().value = NodeValue::Raw(safe);
    refused.map(str::to_owned)
}

/// The tags to stand around an alert (`> [!NOTE]`); `None` where the node is none.
pub(super) fn alert_tags(node: Node<'_>) -> Option<Tags> {
    let (kind, title) = match &node.data().value {
        NodeValue::Alert(alert) => (alert.alert_type, alert.title.clone()),
        _ => return None,
    };
    // Two classes where the page has one look for two kinds.
    let (class, name) = match kind {
        AlertType::Note => ("note", "Note"),
        AlertType::Tip => ("tip", "Tip"),
        AlertType::Important => ("note important", "Important"),
        AlertType::Warning => ("warning", "Warning"),
        AlertType::Caution => ("warning caution", "Caution"),
    };
    let title = escape(title.as_deref().unwrap_or(name));
    Some(Tags { open: format!("<aside class=\"{class}\"><p class=\"title\">{title}</p>\n"), close: "</aside>\n" })
}

/// An opening tag (and what comes after it at once) and its closing tag.
pub(super) struct Tags {
    pub open: String,
    pub close: &'static str,
}

/// Puts tags around a node's children, in place of what the node itself was. The children must be final.
pub(super) fn wrap(node: Node<'_>, tags: &Tags) {
    let children: Vec<Node<'_>> = node.children().collect();
    let inner: String = children.iter().map(|child| to_html(child)).collect();
    for child in children {
        child.detach();
    }
    node.data_mut().value = NodeValue::Raw(format!("{}{inner}{}", tags.open, tags.close));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_markdown_is_a_line_of_safe_html() {
        assert_eq!(inline("What does `docker pull` do?"), "What does <code>docker pull</code> do?");
        assert_eq!(inline("a <b onclick=x>b</b> & c"), "a &lt;b onclick=x&gt;b&lt;/b&gt; &amp; c");
        assert!(!inline("[x](javascript:alert(1))").contains("javascript"));
        assert!(!inline("<script>alert(1)</script>").contains("<script"));
    }
}
