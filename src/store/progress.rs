//! What learners have done: steps and quizzes, per session.

use std::collections::BTreeMap;

use rusqlite::OptionalExtension;

use super::{Store, StoreError, now_ms};
use crate::session::SessionId;

/// How far a session has come in one lesson.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// The step that was last looked at.
    pub current_step: Option<String>,
    /// Steps whose checks have all passed at some time.
    pub steps_done: Vec<String>,
    /// Answered quizzes by their id.
    pub quizzes: BTreeMap<String, QuizState>,
}

/// The last answer to a quiz.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct QuizState {
    /// Whether it was right.
    pub correct: bool,
    /// Numbers of the options that were chosen.
    pub answers: Vec<usize>,
}

impl Store {
    /// How far `session` has come in `lesson` (`course/lesson`).
    ///
    /// # Errors
    /// When the database fails.
    pub fn progress(&self, session: SessionId, lesson: &str) -> Result<Progress, StoreError> {
        let db = self.lock();
        let key = (session.to_string(), lesson);
        let current_step = db
            .query_row("SELECT step FROM lesson_positions WHERE session = ?1 AND lesson = ?2", (&key.0, key.1), |r| {
                r.get(0)
            })
            .optional()?;
        let steps_done = db
            .prepare_cached("SELECT step FROM steps_done WHERE session = ?1 AND lesson = ?2 ORDER BY done_at")?
            .query_map((&key.0, key.1), |r| r.get(0))?
            .collect::<Result<_, _>>()?;
        let quizzes = db
            .prepare_cached("SELECT quiz, correct, answers FROM quiz_answers WHERE session = ?1 AND lesson = ?2")?
            .query_map((&key.0, key.1), |r| {
                let answers: String = r.get(2)?;
                let answers = serde_json::from_str(&answers).unwrap_or_default();
                Ok((r.get(0)?, QuizState { correct: r.get(1)?, answers }))
            })?
            .collect::<Result<_, _>>()?;
        Ok(Progress { current_step, steps_done, quizzes })
    }

    /// Remembers the step that is looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub fn set_position(&self, session: SessionId, lesson: &str, step: &str) -> Result<(), StoreError> {
        self.lock().execute(
            "INSERT INTO lesson_positions (session, lesson, step) VALUES (?1, ?2, ?3)
             ON CONFLICT (session, lesson) DO UPDATE SET step = excluded.step",
            (session.to_string(), lesson, step),
        )?;
        Ok(())
    }

    /// Marks a step as done; `true` if it was not before.
    ///
    /// # Errors
    /// When the database fails.
    pub fn step_done(&self, session: SessionId, lesson: &str, step: &str) -> Result<bool, StoreError> {
        let n = self.lock().execute(
            "INSERT OR IGNORE INTO steps_done (session, lesson, step, done_at) VALUES (?1, ?2, ?3, ?4)",
            (session.to_string(), lesson, step, now_ms()),
        )?;
        Ok(n == 1)
    }

    /// Keeps the answer to a quiz. A right answer is not undone by a later wrong one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn answer_quiz(
        &self,
        session: SessionId,
        lesson: &str,
        quiz: &str,
        answers: &[usize],
        correct: bool,
    ) -> Result<(), StoreError> {
        let answers = serde_json::to_string(answers).map_err(|_| StoreError::Value("quiz_answers.answers"))?;
        self.lock().execute(
            "INSERT INTO quiz_answers (session, lesson, quiz, answers, correct, tries) VALUES (?1, ?2, ?3, ?4, ?5, 1)
             ON CONFLICT (session, lesson, quiz) DO UPDATE SET
                 answers = CASE WHEN correct AND NOT excluded.correct THEN answers ELSE excluded.answers END,
                 correct = max(correct, excluded.correct), tries = tries + 1",
            (session.to_string(), lesson, quiz, answers, correct),
        )?;
        Ok(())
    }
}
