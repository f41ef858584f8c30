use serde::{Deserialize, Serialize};

use super::{
    is_id,
    markdown::{escape, inline},
    problem::Problems,
    slug,
};

/// A question with options to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct Quiz {
    /// Unique within the lesson.
    pub id: String,
    /// The question, in inline Markdown.
    pub question: String,
    /// How many options the student can choose.
    pub kind: QuizKind,
    /// The options, in the order of the page.
    options: Vec<QuizOption>,
    /// Said after every answer, plain text.
    explanation: Option<String>,
}

/// How many options of a quiz can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuizKind {
    /// Exactly one, and one is right.
    Single,
    /// Any number; right is exactly the set of all right ones.
    Multiple,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuizOption {
    text: String,
    #[serde(default)]
    correct: bool,
    explanation: Option<String>,
}

/// What a student is told about an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grade {
    /// Whether the answer is right as a whole.
    pub correct: bool,
    /// One for each option that the student chose, in the order of the page: nothing is given away about the others,
    /// so that the question can be tried again.
    pub options: Vec<GradedOption>,
    /// What the author says to everyone who has answered, plain text.
    pub explanation: Option<String>,
}

/// What a student is told about one chosen option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GradedOption {
    /// Number of the option on the page, from 0.
    pub index: usize,
    /// Whether it was right to choose it.
    pub correct: bool,
    /// Why, plain text.
    pub text: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuiz {
    id: Option<String>,
    question: String,
    kind: Option<QuizKind>,
    options: Vec<QuizOption>,
    explanation: Option<String>,
}

impl Quiz {
    /// Reads a quiz from YAML whose first line is the file's line `first`.
    pub(super) fn parse(yaml: &str, first: usize, problems: &mut Problems) -> Option<Quiz> {
        let raw: RawQuiz = match serde_norway::from_str(yaml) {
            Ok(raw) => raw,
            Err(e) => {
                problems.yaml(first, &e);
                return None;
            }
        };
        let right = raw.options.iter().filter(|option| option.correct).count();
        let kind = raw.kind.unwrap_or(if right == 1 { QuizKind::Single } else { QuizKind::Multiple });
        let id = raw.id.unwrap_or_else(|| slug(&raw.question));
        let error = if !is_id(&id) {
            Some(format!("the quiz's id `{id}` may hold lower-case letters, digits and hyphens only"))
        } else if raw.question.trim().is_empty() {
            Some("the question is empty".to_owned())
        } else if raw.options.len() < 2 {
            Some("a quiz needs at least two options".to_owned())
        } else if right == 0 {
            Some("no option is right: mark those that are with `correct: true`".to_owned())
        } else if kind == QuizKind::Single && right > 1 {
            Some(format!("{right} options are right, but `kind` is `single`: make it `multiple`"))
        } else {
            None
        };
        if let Some(error) = error {
            problems.error(first, error);
            return None;
        }
        Some(Quiz { id, question: raw.question, kind, options: raw.options, explanation: raw.explanation })
    }

    /// Number of options.
    pub fn len(&self) -> usize {
        self.options.len()
    }

    /// Never: a quiz has at least two options.
    pub fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    /// Judges an answer: the numbers of the chosen options, from 0, in any order. Numbers that no option has count as
    /// wrong choices and are not explained.
    pub fn grade(&self, answers: &[usize]) -> Grade {
        let chosen = |index: &usize| answers.contains(index);
        let right = (0..self.options.len()).all(|i| self.options[i].correct == chosen(&i));
        let known = answers.iter().all(|&i| i < self.options.len());
        let options = self
            .options
            .iter()
            .enumerate()
            .filter(|(index, _)| chosen(index))
            .map(|(index, option)| GradedOption { index, correct: option.correct, text: option.explanation.clone() })
            .collect();
        Grade { correct: right && known, options, explanation: self.explanation.clone() }
    }

    /// The quiz as a form. It does not tell which options are right.
    pub(super) fn html(&self) -> String {
        let (kind, input) = match self.kind {
            QuizKind::Single => ("single", "radio"),
            QuizKind::Multiple => ("multiple", "checkbox"),
        };
        let id = escape(&self.id);
        let mut html = format!(
            "<form class=\"quiz\" data-quiz=\"{id}\" data-kind=\"{kind}\"><fieldset><legend>{}</legend>\n",
            inline(&self.question)
        );
        for (value, option) in self.options.iter().enumerate() {
            html.push_str(&format!(
                "<label><input type=\"{input}\" name=\"{id}\" value=\"{value}\"> <span>{}</span></label>\n",
                inline(&option.text)
            ));
        }
        html.push_str("</fieldset></form>\n");
        html
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parse(yaml: &str) -> Result<Quiz, String> {
        let mut problems = Problems::new(Path::new("a.md"));
        Quiz::parse(yaml, 10, &mut problems).ok_or_else(|| problems.into_vec()[0].to_string())
    }

    const WORKFLOW: &str = "question: Which are steps?\noptions:\n  - {text: pull, correct: true, explanation: Yes.}\n  \
                            - {text: sink, explanation: No.}\n  - {text: push, correct: true}\nexplanation: All told.\n";

    #[test]
    fn multiple_choice_wants_exactly_the_right_set() {
        let quiz = parse(WORKFLOW).unwrap();
        assert_eq!((quiz.kind, quiz.id.as_str()), (QuizKind::Multiple, "which-are-steps"));
        assert!(quiz.grade(&[2, 0]).correct);
        assert!(quiz.grade(&[0, 2, 2]).correct);
        for wrong in [&[0][..], &[0, 1, 2], &[], &[0, 2, 9]] {
            assert!(!quiz.grade(wrong).correct, "{wrong:?}");
        }
        let grade = quiz.grade(&[1, 0]);
        assert_eq!(grade.options.iter().map(|o| (o.index, o.correct)).collect::<Vec<_>>(), [(0, true), (1, false)]);
        assert_eq!(grade.options[1].text.as_deref(), Some("No."));
        assert_eq!(grade.explanation.as_deref(), Some("All told."));
    }

    #[test]
    fn the_form_gives_nothing_away() {
        let html = parse(WORKFLOW).unwrap().html();
        assert!(html.contains("type=\"checkbox\" name=\"which-are-steps\" value=\"2\""));
        assert!(!html.contains("Yes.") && !html.contains("correct"));
    }

    #[test]
    fn refuses_quizzes_that_cannot_be_answered() {
        for (yaml, part) in [
            ("question: q\noptions: []\n", "a.md:10: a quiz needs at least two"),
            ("question: q\noptions: [{text: a}, {text: b}]\n", "no option is right"),
            ("question: q\nkind: single\noptions: [{text: a, correct: true}, {text: b, correct: true}]\n", "multiple"),
            ("question: q\noptions:\n  - {text: a, corect: true}\n", "a.md:12: "),
            ("question: q\n", "missing field `options`"),
        ] {
            let error = parse(yaml).unwrap_err();
            assert!(error.contains(part), "{yaml}: {error}");
        }
    }
}
