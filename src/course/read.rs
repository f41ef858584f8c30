//! A lesson from its Markdown.

use std::{collections::HashSet, path::Path};

use comrak::{
    Arena, Node,
    nodes::{NodeHeading, NodeValue},
    parse_document,
};

use super::{
    Action, Lesson, Problem, Quiz, Step, Variable,
    check::Check,
    front::front_matter,
    info::Block,
    is_id, markdown,
    markdown::{Tags, alert_tags, defuse, escape, plain_text, to_html, wrap},
    problem::Problems,
    render,
    render::PortLink,
    slug,
};

/// Name of the introduction among the steps.
const INTRO: &str = "intro";

/// What a lesson's file gave.
pub(super) struct Reading {
    /// None when something in it is an error.
    pub lesson: Option<Lesson>,
    pub problems: Vec<Problem>,
    /// Lessons of the same course that it links to, with the lines.
    pub links: Vec<(usize, String)>,
}

/// Reads the lesson `id` from the text of `file`.
pub(super) fn lesson(id: &str, file: &Path, text: &str) -> Reading {
    let text = text.replace("\r\n", "\n");
    let mut reader =
        Reader { problems: Problems::new(file), links: Vec::new(), anchors: Vec::new(), quizzes: HashSet::new() };
    let lesson = reader.lesson(id, &text).filter(|_| !reader.problems.has_errors());
    Reading { lesson, problems: reader.problems.into_vec(), links: reader.links }
}

struct Reader {
    problems: Problems,
    links: Vec<(usize, String)>,
    anchors: Vec<(usize, String)>,
    quizzes: HashSet<String>,
}

/// A step while it is read.
struct Draft {
    line: usize,
    id: String,
    title: String,
    title_html: String,
    body: String,
    checks: Vec<Check>,
    quizzes: Vec<Quiz>,
    /// What clicks do, and whether it is a solution.
    actions: Vec<(Action, bool)>,
}

impl Reader {
    fn lesson(&mut self, id: &str, text: &str) -> Option<Lesson> {
        let front = front_matter(text, &mut self.problems);
        let arena = Arena::new();
        let root = parse_document(&arena, text, &markdown::options());
        let mut drafts = vec![Draft::new(1, INTRO.to_owned(), "Introduction".to_owned(), "Introduction".to_owned())];
        for node in root.children() {
            let line = node.data().sourcepos.start.line;
            let level = match &node.data().value {
                NodeValue::FrontMatter(_) => continue,
                NodeValue::Heading(NodeHeading { level, .. }) => Some(*level),
                _ => None,
            };
            match (level, drafts.last_mut()) {
                (Some(1), _) => {
                    if front.as_ref().is_some_and(|f| f.title.trim() != plain_text(node).trim()) {
                        self.problems
                            .error(line, "the lesson's title stands in its front matter; steps begin with `## `");
                    }
                }
                (Some(2), _) => drafts.push(self.heading(node, line)),
                (_, Some(draft)) => {
                    self.block(node, draft);
                    draft.body.push_str(&to_html(node));
                }
                (_, None) => {}
            }
        }
        self.check_steps(&drafts);
        let front = front?;
        Some(Lesson {
            id: id.to_owned(),
            title: front.title,
            summary: front.summary,
            minutes: front.minutes,
            level: front.level,
            tags: front.tags,
            image: front.image,
            steps: drafts.into_iter().map(Draft::finish).collect(),
        })
    }

    /// A new step from its heading: `## Title {#id}`.
    fn heading(&mut self, node: Node<'_>, line: usize) -> Draft {
        let mut id = None;
        if let Some(last) = node.last_child()
            && let NodeValue::Text(text) = &mut last.data_mut().value
            && let Some(at) = text.rfind("{#")
            && let Some(given) = text[at + 2..].strip_suffix('}')
        {
            id = Some(given.to_owned());
            *text = text[..at].trim_end().to_owned().into();
        }
        let title = plain_text(node).trim().to_owned();
        let id = id.unwrap_or_else(|| slug(&title));
        if !is_id(&id) {
            self.problems.error(
                line,
                format!(
                    "the step's id `{id}` may hold lower-case letters, digits and hyphens only: `## Title {{#id}}`"
                ),
            );
        }
        for part in node.descendants().collect::<Vec<_>>().into_iter().rev() {
            if let Some(tags) = self.inline(part, line) {
                wrap(part, &tags);
            }
        }
        let title_html = node.children().map(to_html).collect::<String>();
        Draft::new(line, id, title, title_html)
    }

    /// Reads what one block of a step holds, and turns it into what the page shows.
    fn block(&mut self, block: Node<'_>, draft: &mut Draft) {
        let mut wraps = Vec::new();
        for node in block.descendants().collect::<Vec<_>>() {
            let line = node.data().sourcepos.start.line;
            let code = match &node.data().value {
                NodeValue::CodeBlock(code) => Some((code.info.clone(), code.literal.clone())),
                _ => None,
            };
            match code {
                Some((info, text)) => {
                    if let Some(html) = self.fence(&info, &text, line, draft) {
                        node.data_mut().value = NodeValue::Raw(html);
                    }
                }
                None => wraps.extend(self.inline(node, line).map(|tags| (node, tags))),
            }
        }
        // What lies deepest comes last in document order, and is wrapped first.
        for (node, tags) in wraps.into_iter().rev() {
            wrap(node, &tags);
        }
    }

    /// Reads a fenced block; answers its HTML unless Markdown's own will do.
    fn fence(&mut self, info: &str, text: &str, line: usize, draft: &mut Draft) -> Option<String> {
        let block = match Block::parse(info) {
            Ok(block) => block,
            Err(e) => {
                self.problems.error(line, e);
                return None;
            }
        };
        // A file keeps its last line break; what is typed or shown has none.
        let trimmed = text.trim_end_matches('\n');
        match block {
            Block::Command(command) => {
                if trimmed.trim().is_empty() {
                    self.problems.error(line, "the command is empty");
                }
                let variables = Variable::find(trimmed).unwrap_or_else(|e| {
                    self.problems.error(line, e);
                    Vec::new()
                });
                if !variables.is_empty() && !command.run {
                    self.problems.error(line, "a variable needs a node; a block that a click types is `sh run`");
                }
                if command.run {
                    let action = Action::Type {
                        node: command.node.clone(),
                        terminal: command.terminal.clone(),
                        text: trimmed.to_owned(),
                        enter: command.enter,
                    };
                    draft.actions.push((action, command.solution));
                }
                Some(render::command(&command, trimmed, &variables))
            }
            Block::Output => Some(render::output(trimmed)),
            Block::File { language, path, node } => {
                let html = render::file(&path, &node, &language, text);
                draft.actions.push((Action::Write { node, path, text: text.to_owned() }, false));
                Some(html)
            }
            Block::Checks => {
                draft.checks.extend(Check::parse_list(text, line + 1, &mut self.problems));
                Some(String::new())
            }
            Block::Quiz => {
                let quiz = Quiz::parse(text, line + 1, &mut self.problems);
                let html = quiz.as_ref().map(Quiz::html).unwrap_or_default();
                if let Some(quiz) = quiz {
                    if !self.quizzes.insert(quiz.id.clone()) {
                        self.problems.error(line, format!("two quizzes have the id `{}`; give one an `id:`", quiz.id));
                    }
                    draft.quizzes.push(quiz);
                }
                Some(html)
            }
            Block::Code { .. } => None,
        }
    }

    /// Looks at anything but a fenced block; answers the tags to put around its children where Markdown's will not do.
    fn inline(&mut self, node: Node<'_>, line: usize) -> Option<Tags> {
        if let Some(tag) = defuse(node) {
            self.problems.warn(
                line,
                format!("raw HTML is shown as text: `{tag}`; allowed are details, summary, kbd, sub, sup and br"),
            );
        }
        if let Some(tags) = alert_tags(node) {
            return Some(tags);
        }
        match &node.data().value {
            NodeValue::Image(_) => {
                self.problems.error(line, "images are not supported yet");
                None
            }
            NodeValue::Link(link) => self.link(&link.url, line),
            _ => None,
        }
    }

    fn link(&mut self, url: &str, line: usize) -> Option<Tags> {
        let open = if let Some(link) = PortLink::parse(url) {
            match link {
                Ok(link) => link.opening_tag(),
                Err(e) => {
                    self.problems.error(line, e);
                    return None;
                }
            }
        } else if let Some(id) = url.strip_prefix('#') {
            self.anchors.push((line, id.to_owned()));
            return None;
        } else if ["https://", "http://", "mailto:"].iter().any(|scheme| url.starts_with(scheme)) {
            // In a tab of its own: the terminals must stay where they are.
            format!("<a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\">", escape(url))
        } else if let Some((id, anchor)) = lesson_link(url) {
            self.links.push((line, id.to_owned()));
            format!("<a href=\"{}{}\">", escape(id), escape(anchor))
        } else {
            self.problems.error(
                line,
                format!("the link `{url}` leads nowhere: link to https://…, port:8080, #step or another-lesson.md"),
            );
            return None;
        };
        Some(Tags { open, close: "</a>" })
    }

    /// What can be said only when all steps are known.
    fn check_steps(&mut self, drafts: &[Draft]) {
        let mut seen = HashSet::new();
        for draft in drafts {
            if !seen.insert(draft.id.as_str()) {
                self.problems.error(draft.line, format!("two steps have the id `{}`", draft.id));
            }
        }
        if let Some(intro) = drafts.first().filter(|d| !d.checks.is_empty()) {
            self.problems.error(intro.line, "the introduction has checks; they belong into a step (`## Title`)");
        }
        if drafts.len() == 1 {
            self.problems.error(0, "the lesson has no steps: each begins with a line `## Title`");
        }
        for (line, anchor) in std::mem::take(&mut self.anchors) {
            if !seen.contains(anchor.as_str()) {
                self.problems.error(line, format!("there is no step `#{anchor}` in this lesson"));
            }
        }
    }
}

/// The lesson and the anchor in `other-lesson.md#step`.
fn lesson_link(url: &str) -> Option<(&str, &str)> {
    let (file, anchor) = url.split_at(url.find('#').unwrap_or(url.len()));
    file.strip_suffix(".md").filter(|id| is_id(id)).map(|id| (id, anchor))
}

impl Draft {
    fn new(line: usize, id: String, title: String, title_html: String) -> Draft {
        let (body, checks, quizzes, actions) = Default::default();
        Draft { line, id, title, title_html, body, checks, quizzes, actions }
    }

    fn finish(self) -> Step {
        let html = render::step(&self.id, &self.title_html, &self.body, &render::checks(&self.checks));
        let has_solution = self.actions.iter().any(|(_, solution)| *solution);
        let solution = self
            .actions
            .iter()
            .filter(|(action, solution)| !has_solution || *solution || matches!(action, Action::Write { .. }))
            .map(|(action, _)| action.clone())
            .collect();
        let actions = self.actions.into_iter().filter(|(_, solution)| !solution).map(|(action, _)| action).collect();
        Step { id: self.id, title: self.title, html, checks: self.checks, quizzes: self.quizzes, actions, solution }
    }
}
