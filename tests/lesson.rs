//! The first lesson, step by step: each check fails before and passes after, within a second of the deed.

mod common;

use std::time::Instant;

use boatyard::course::{Action, Library};
use common::{
    TestServer,
    student::{Student, json},
    workspace,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

const LESSON: &str = "containers-and-docker/pull-build-ship-run";

#[tokio::test]
async fn each_step_of_the_first_lesson() {
    let server = TestServer::start();
    let body = json!({"course": "containers-and-docker", "lesson": "pull-build-ship-run"});
    let me = Student::start_with(&server, body).await;
    let (library, problems) = Library::load(&workspace().join("courses"));
    assert!(problems.is_empty(), "{problems:?}");
    let lesson = library.lesson("containers-and-docker", "pull-build-ship-run").unwrap();
    let mut events = me.events().await;
    let mut terminal = me.terminal("main", None).await;
    terminal.wait_for("# ").await;
    let mut done = Vec::new();
    for step in lesson.steps.iter().filter(|s| !s.checks.is_empty()) {
        events.watch(LESSON, &step.id).await;
        let before = events.wait_for(|e| e["type"] == "checks" && e["step"] == *step.id).await;
        assert_eq!(before["done"], false, "{} is red before: {before}", step.id);
        for check in before["checks"].as_array().unwrap().iter().filter(|c| c["passed"] == false) {
            assert!(check["hint"].as_str().is_some_and(|h| h.len() > 8), "{check} says what is missing");
        }
        for (n, action) in step.solution.iter().enumerate() {
            match action {
                Action::Write { path, text, .. } => me.write(path, text).await,
                Action::Type { text, .. } => {
                    // As a student does: the next command when the prompt is back. What is typed has quotes, what comes out
                    // has none.
                    let mark = format!("{}-{n}-ready", step.id);
                    terminal.write(&format!("{text}\r")).await;
                    terminal.write(&format!("echo '{}'-{n}-ready\r", step.id)).await;
                    terminal.wait_for(&mark).await;
                }
            }
        }
        let deed = Instant::now();
        let after = events.wait_for(|e| e["type"] == "checks" && e["step"] == *step.id && e["done"] == true).await;
        eprintln!("{}: green after {:?}", step.id, deed.elapsed());
        assert!(after["checks"].as_array().unwrap().iter().all(|c| c["passed"] == true));
        done.push(step.id.clone());
    }
    for quiz in lesson.steps.iter().flat_map(|s| &s.quizzes) {
        let options: Vec<usize> = (0..quiz.len()).collect();
        let right =
            options.iter().copied().filter(|&i| quiz.grade(&[i]).options.iter().any(|o| o.index == i && o.correct));
        let right: Vec<usize> = right.collect();
        let wrong: Vec<usize> = options.iter().copied().filter(|i| !right.contains(i)).take(1).collect();
        for (answers, correct) in [(wrong, false), (right, true)] {
            let path = format!("/lessons/{LESSON}/quizzes/{}", quiz.id);
            let graded =
                json(me.request(Method::POST, &path).json(&json!({"answers": answers})).send().await.unwrap()).await;
            assert_eq!(graded["correct"], correct, "{}: {graded}", quiz.id);
        }
    }
    let progress = me.get(&format!("/lessons/{LESSON}/progress")).await;
    for id in &done {
        assert!(progress["steps_done"].as_array().unwrap().iter().any(|s| s == id.as_str()), "{progress}");
    }
    let position = me.request(Method::PUT, &format!("/lessons/{LESSON}/progress"));
    assert_eq!(position.json(&json!({"current_step": done[1]})).send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(me.get(&format!("/lessons/{LESSON}/progress")).await["current_step"], done[1].as_str());
    // A check judges what is there now.
    me.ok("docker rm -f $(docker ps -aq)").await;
    let last = done.last().unwrap();
    let again =
        json(me.request(Method::POST, &format!("/lessons/{LESSON}/steps/{last}/check")).send().await.unwrap()).await;
    assert_eq!(again["done"], false, "{again}");
}

#[tokio::test]
async fn a_program_that_is_slow_to_listen_turns_its_check_green() {
    let server = TestServer::start();
    let body = json!({"course": "containers-and-docker", "lesson": "pull-build-ship-run"});
    let me = Student::start_with(&server, body).await;
    me.ok("docker pull python && docker tag python registry.lab:5000/me/app:1.0").await;
    let mut events = me.events().await;
    events.watch(LESSON, "run").await;
    // Nothing happens any more when it begins to listen: the published port is open from the start.
    let app = "sleep 8; mkdir /www; echo Ahoy! > /www/index.html; exec python3 -m http.server -d /www 5000";
    me.ok(&format!("docker run -d --name web -p 8080:5000 registry.lab:5000/me/app:1.0 sh -c '{app}'")).await;
    let after = events.wait_for(|e| e["type"] == "checks" && e["step"] == "run" && e["done"] == true).await;
    assert_eq!(after["done"], true);
}
