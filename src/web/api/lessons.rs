//! Working through a lesson.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    course::{self, check::CheckResult},
    store::Progress,
    web::{App, Problem, access::Access},
};

/// Which lesson of which session.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "`id` is read by `Access`")]
pub struct LessonPath {
    /// The session.
    id: String,
    /// Id of the course.
    course: String,
    /// Id of the lesson.
    lesson: String,
}

/// Which step of which lesson.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "`id` is read by `Access`")]
pub struct StepPath {
    /// The session.
    id: String,
    /// Id of the course.
    course: String,
    /// Id of the lesson.
    lesson: String,
    /// Id of the step.
    step: String,
}

/// Which quiz of which lesson.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "`id` is read by `Access`")]
pub struct QuizPath {
    /// The session.
    id: String,
    /// Id of the course.
    course: String,
    /// Id of the lesson.
    lesson: String,
    /// Id of the quiz.
    quiz: String,
}

/// Where a learner is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Id of the step that is looked at.
    current_step: String,
}

/// The answer to a quiz.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Numbers of the chosen options, from 0.
    answers: Vec<usize>,
}

/// How a step's checks came out.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Checked {
    /// One for each check, in order.
    #[schema(value_type = Vec<super::described::CheckResult>)]
    pub checks: Vec<CheckResult>,
    /// Whether there are some, and all have passed.
    pub done: bool,
}

impl Checked {
    /// The results as the API shows them.
    pub fn of(checks: Vec<CheckResult>) -> Checked {
        let done = !checks.is_empty() && checks.iter().all(|c| c.passed);
        Checked { checks, done }
    }
}

/// A graded answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Graded {
    /// Whether exactly the right options were chosen.
    correct: bool,
    /// The options that have an explanation, or were chosen.
    explanations: Vec<GradedOption>,
    /// What is to be said of the whole question.
    explanation: Option<String>,
}

/// An option of a graded answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct GradedOption {
    /// Its number, from 0.
    index: usize,
    /// Whether it is a right one.
    correct: bool,
    /// What is to be said of it.
    text: Option<String>,
}

/// How far the session has come in a lesson.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/lessons/{course}/{lesson}/progress", tag = "lessons",
    params(LessonPath),
    responses((status = 200, body = Progress), (status = 404, body = Problem)))]
pub async fn progress(
    State(app): State<App>,
    Access(live): Access,
    Path(at): Path<LessonPath>,
) -> Result<Json<Progress>, Problem> {
    Ok(Json(app.sessions.progress(&live, &format!("{}/{}", at.course, at.lesson))?))
}

/// Remembers the step that is looked at.
#[utoipa::path(put, path = "/api/v1/sessions/{id}/lessons/{course}/{lesson}/progress", tag = "lessons",
    params(LessonPath),
    request_body = Position, responses((status = 204), (status = 404, body = Problem)))]
pub async fn set_position(
    State(app): State<App>,
    Access(live): Access,
    Path(at): Path<LessonPath>,
    body: Result<Json<Position>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(position) = body.map_err(|e| Problem::bad_request(e.body_text()))?;
    app.sessions.set_position(&live, &format!("{}/{}", at.course, at.lesson), &position.current_step)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Evaluates a step's checks now.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/lessons/{course}/{lesson}/steps/{step}/check", tag = "lessons",
    params(StepPath),
    responses((status = 200, body = Checked), (status = 404, body = Problem)))]
pub async fn check(
    State(app): State<App>,
    Access(live): Access,
    Path(at): Path<StepPath>,
) -> Result<Json<Checked>, Problem> {
    Ok(Json(Checked::of(app.sessions.check_step(&live, &format!("{}/{}", at.course, at.lesson), &at.step).await?)))
}

/// Grades an answer to a quiz and keeps it.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/lessons/{course}/{lesson}/quizzes/{quiz}", tag = "lessons",
    params(QuizPath),
    request_body = Answer,
    responses((status = 200, body = Graded), (status = 404, body = Problem)))]
pub async fn answer(
    State(app): State<App>,
    Access(live): Access,
    Path(at): Path<QuizPath>,
    body: Result<Json<Answer>, JsonRejection>,
) -> Result<Json<Graded>, Problem> {
    let Json(answer) = body.map_err(|e| Problem::bad_request(e.body_text()))?;
    let grade = app.sessions.answer_quiz(&live, &format!("{}/{}", at.course, at.lesson), &at.quiz, &answer.answers)?;
    let option = |o: course::GradedOption| GradedOption { index: o.index, correct: o.correct, text: o.text };
    Ok(Json(Graded {
        correct: grade.correct,
        explanations: grade.options.into_iter().map(option).collect(),
        explanation: grade.explanation,
    }))
}
