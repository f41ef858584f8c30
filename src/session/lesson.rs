//! Working through lessons: checks that are evaluated when something happens, quizzes and progress.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::broadcast::error::RecvError, time::Instant};

use super::{Event, Live, Sessions, probe::SessionProbe};
use crate::{
    course::{
        Grade, Lesson, Step,
        check::{CheckResult, evaluate},
    },
    store::{Progress, StoreError},
};

/// Events that come within so long of each other lead to one evaluation.
const GATHER: Duration = Duration::from_millis(80);
/// Some deeds take effect after their last event: a container is started, and the program in it listens later. So a
/// step that is not done is looked at again, so often and so long after each other: it must turn green within a second of
/// the deed, and of the deed's effect.
const AGAIN: Duration = Duration::from_millis(500);
const TIMES: u32 = 30;

/// Why something about a lesson could not be done.
#[derive(Debug, thiserror::Error)]
pub enum LessonError {
    /// There is no such lesson, step or quiz.
    #[error("there is no {0}")]
    Unknown(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A watch on a step, as long as it lives.
#[derive(Debug)]
pub struct StepWatch {
    live: Arc<Live>,
    step: (String, String),
}

impl StepWatch {
    /// Whether it is this step that is watched.
    pub fn is_on(&self, lesson: &str, step: &str) -> bool {
        self.step.0 == lesson && self.step.1 == step
    }
}

impl Drop for StepWatch {
    fn drop(&mut self) {
        self.live.watched.send_modify(|w| {
            if let Some(i) = w.iter().position(|s| *s == self.step) {
                w.swap_remove(i);
            }
        });
    }
}

impl Sessions {
    /// Has a step's checks evaluated now and whenever something happens, until the watch is dropped; results come as
    /// [`Event::Checks`].
    ///
    /// # Errors
    /// When there is no such step.
    pub fn watch_step(&self, live: &Arc<Live>, lesson: &str, step: &str) -> Result<StepWatch, LessonError> {
        self.step(lesson, step)?;
        let step = (lesson.to_owned(), step.to_owned());
        live.watched.send_modify(|w| w.push(step.clone()));
        Ok(StepWatch { live: live.clone(), step })
    }

    /// Evaluates a step's checks now.
    ///
    /// # Errors
    /// When there is no such step, or the store fails.
    pub async fn check_step(&self, live: &Live, lesson: &str, step: &str) -> Result<Vec<CheckResult>, LessonError> {
        let found = self.step(lesson, step)?;
        let probe = SessionProbe { live, services: &*self.inner.services };
        // Closed never.
        let _place = live.checking.acquire().await;
        let results = evaluate(&found.checks, &probe).await;
        let done = !results.is_empty() && results.iter().all(|r| r.passed);
        if done && self.inner.store.step_done(live.id(), lesson, step)? {
            live.emit(Event::Progress { lesson: lesson.to_owned() });
        }
        Ok(results)
    }

    /// Grades an answer and keeps it.
    ///
    /// # Errors
    /// When there is no such quiz, or the store fails.
    pub fn answer_quiz(&self, live: &Live, lesson: &str, quiz: &str, answers: &[usize]) -> Result<Grade, LessonError> {
        let found = self.lesson(lesson)?;
        let grade = found.quiz(quiz).ok_or_else(|| LessonError::Unknown(format!("quiz {quiz}")))?.grade(answers);
        self.inner.store.answer_quiz(live.id(), lesson, quiz, answers, grade.correct)?;
        // A step that has only quizzes is done when they are answered rightly.
        let progress = self.inner.store.progress(live.id(), lesson)?;
        for step in found.steps.iter().filter(|s| s.checks.is_empty() && s.quizzes.iter().any(|q| q.id == quiz)) {
            let right = |id: &str| progress.quizzes.get(id).is_some_and(|q| q.correct);
            if step.quizzes.iter().all(|q| right(&q.id)) {
                self.inner.store.step_done(live.id(), lesson, &step.id)?;
            }
        }
        live.emit(Event::Progress { lesson: lesson.to_owned() });
        Ok(grade)
    }

    /// How far a session has come in a lesson.
    ///
    /// # Errors
    /// When there is no such lesson, or the store fails.
    pub fn progress(&self, live: &Live, lesson: &str) -> Result<Progress, LessonError> {
        self.lesson(lesson)?;
        Ok(self.inner.store.progress(live.id(), lesson)?)
    }

    /// Remembers the step that a learner looks at.
    ///
    /// # Errors
    /// When there is no such step, or the store fails.
    pub fn set_position(&self, live: &Live, lesson: &str, step: &str) -> Result<(), LessonError> {
        self.step(lesson, step)?;
        Ok(self.inner.store.set_position(live.id(), lesson, step)?)
    }

    fn lesson(&self, lesson: &str) -> Result<&Lesson, LessonError> {
        lesson
            .split_once('/')
            .and_then(|(course, id)| self.inner.library.lesson(course, id))
            .ok_or_else(|| LessonError::Unknown(format!("lesson {lesson}")))
    }

    fn step(&self, lesson: &str, step: &str) -> Result<&Step, LessonError> {
        self.lesson(lesson)?.step(step).ok_or_else(|| LessonError::Unknown(format!("step {step} in lesson {lesson}")))
    }

    /// Evaluates the watched steps of a session when something happens, until it ends.
    pub(super) async fn watch_lessons(self, live: Arc<Live>) {
        let mut events = live.subscribe();
        let mut watched = live.watched.subscribe();
        let mut last: HashMap<(String, String), Arc<Vec<CheckResult>>> = HashMap::new();
        let mut look_at: Option<Instant> = None;
        let mut again = 0;
        loop {
            let look = async {
                match look_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = live.cancel.cancelled() => return,
                event = events.recv() => match event {
                    Ok(Event::Activity) | Err(RecvError::Lagged(_)) => {
                        look_at = Some(look_at.map_or(Instant::now() + GATHER, |at| at.min(Instant::now() + GATHER)));
                        again = 0;
                    }
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                },
                _ = watched.changed() => {
                    let now = watched.borrow_and_update().clone();
                    // A step that someone opens anew is told even if nothing has changed.
                    last.clear();
                    look_at = (!now.is_empty()).then(Instant::now);
                    again = 0;
                }
                () = look => {
                    look_at = None;
                    let mut steps = watched.borrow().clone();
                    steps.sort();
                    steps.dedup();
                    let mut open = false;
                    for step in steps {
                        let Ok(results) = self.check_step(&live, &step.0, &step.1).await else { continue };
                        open |= results.iter().any(|r| !r.passed);
                        if last.get(&step).is_none_or(|l| **l != results) {
                            let results = Arc::new(results);
                            last.insert(step.clone(), results.clone());
                            live.emit(Event::Checks { lesson: step.0, step: step.1, results });
                        }
                    }
                    if open && again < TIMES {
                        look_at = Some(Instant::now() + AGAIN);
                        again += 1;
                    }
                }
            }
        }
    }
}
