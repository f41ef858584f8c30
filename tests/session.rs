//! Sessions through the front door: start, look at, extend, close, expire; limits; whose they are.

mod common;

use std::time::Duration;

use common::{
    TestServer, eventually,
    residue::residue,
    student::{Student, client, json},
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

#[tokio::test]
async fn a_session_lives_and_ends() {
    let server = TestServer::with(&[("SESSIONS__EXTENSIONS", "1"), ("SESSIONS__PER_CLIENT", "2")]);
    let me = Student::start(&server).await;
    assert_eq!(me.session["state"], "running");
    assert_eq!(me.session["nodes"][0]["name"], "node1");
    assert!(me.session["url"].as_str().unwrap().starts_with(server.url()));
    assert_eq!(me.ok("hostname; id -u; pwd").await, "node1\n0\n/root\n");

    let longer = json(me.request(Method::POST, "/extend").send().await.unwrap()).await;
    assert!(longer["expires_at"].as_str() > me.session["expires_at"].as_str());
    let no_more = me.request(Method::POST, "/extend").send().await.unwrap();
    assert_eq!(no_more.status(), StatusCode::CONFLICT);
    assert_eq!(no_more.headers()[header::CONTENT_TYPE], "application/problem+json");

    me.close().await;
    let gone = me.request(Method::GET, "").send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::GONE);
    assert_eq!(gone.json::<Value>().await.unwrap()["status"], 410);
    eventually("every trace is gone", Duration::from_secs(10), || async { residue(&server.paths()).is_empty() }).await;
}

#[tokio::test]
async fn a_session_is_its_owners() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let url = format!("{}/api/v1/sessions/{}", server.url(), me.id);

    // Neither no credential, nor a wrong token, nor another browser's cookie opens it; the one that started it does.
    assert_eq!(client().get(&url).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let wrong = client().get(&url).bearer_auth("0".repeat(64)).send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::NOT_FOUND);
    let other = Student::start(&server).await;
    assert_eq!(other.http.get(&url).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(me.http.get(&url).send().await.unwrap().status(), StatusCode::OK);
    let page = format!("{}/s/{}", server.url(), me.id);
    assert_eq!(me.http.get(&page).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(other.http.get(&page).send().await.unwrap().status(), StatusCode::FORBIDDEN);

    // A page of another origin changes nothing, even with the cookie: a student's own published port among them.
    for origin in
        ["https://evil.example", "null", &format!("http://8080-node1-{}.localhost:{}", me.public_name, server.port())]
    {
        let answer = me.http.delete(&url).header(header::ORIGIN, origin).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin}");
    }
    let events = me.http.get(format!("{url}/events")).header(header::ORIGIN, "https://evil.example");
    let upgrade = events.header(header::UPGRADE, "websocket").header(header::CONNECTION, "upgrade");
    assert_eq!(upgrade.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    // A name that someone else's DNS points here is none of ours.
    let rebound = me.http.get(server.url()).header(header::HOST, "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(me.http.get(&url).send().await.unwrap().status(), StatusCode::OK, "it still runs");
}

#[tokio::test]
async fn limits_are_told_honestly() {
    let server = TestServer::with(&[("SESSIONS__MAX", "2"), ("SESSIONS__PER_CLIENT", "1")]);
    let me = Student::start(&server).await;
    let again = me.http.post(format!("{}/api/v1/sessions", server.url())).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::TOO_MANY_REQUESTS);
    let problem: Value = again.json().await.unwrap();
    assert_eq!((&problem["code"], &problem["sessions"][0]), (&json!("client-limit"), &json!(me.id)));

    let other = Student::start(&server).await;
    let full = client().post(format!("{}/api/v1/sessions", server.url())).send().await.unwrap();
    assert_eq!(full.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(full.headers().contains_key(header::RETRY_AFTER));
    let problem: Value = full.json().await.unwrap();
    assert_eq!((&problem["code"], &problem["running"]), (&json!("full"), &json!(2)));
    let start = client().post(format!("{}/sessions", server.url())).header(header::ACCEPT, "text/html");
    let page = start.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text().await.unwrap().contains("2 of 2"));

    other.close().await;
    Student::start(&server).await;
}

#[tokio::test]
async fn a_session_that_expires_says_so() {
    let server = TestServer::with(&[("SESSIONS__DURATION", "62s")]);
    let me = Student::start(&server).await;
    let mut events = me.events().await;
    events.wait_for(|e| e["type"] == "warning" && e["seconds_left"] == 60).await;
    let ended = events.wait_for(|e| e["type"] == "ended").await;
    assert_eq!(ended["reason"], "expired");
    let page = me.http.get(format!("{}/s/{}", server.url(), me.id)).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::GONE);
    assert!(page.text().await.unwrap().contains("time was up"));
}

#[tokio::test]
async fn bad_requests_are_told_apart() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    for (method, path, body, status) in [
        (Method::POST, "/nodes/node1/exec", r#"{"command": []}"#, 400),
        (Method::POST, "/nodes/node1/exec", r#"{"comand": ["ls"]}"#, 400),
        (Method::POST, "/nodes/node1/exec", "{", 400),
        (Method::POST, "/nodes/node9/exec", r#"{"command": ["ls"]}"#, 404),
        (Method::GET, "/nodes/node1/files?path=relative", "", 400),
        (Method::GET, "/nodes/node1/files?path=/no/such/file", "", 404),
        (Method::GET, "/nodes/node1/files?path=/root", "", 409),
        (Method::GET, "/nodes/node1/files", "", 400),
        (Method::DELETE, "/nodes/node1/files?path=/etc/passwd", "", 405),
        (Method::GET, "/nodes/node1/terminals/main/socket", "", 400),
        (Method::PUT, "/nodes/node1/terminals/UPPER", r#"{"cols": 80, "rows": 24}"#, 400),
        (Method::PUT, "/nodes/node1/terminals/t2", r#"{"cols": 0, "rows": 24}"#, 400),
        (Method::GET, "/lessons/no/lesson/progress", "", 404),
        (Method::GET, "/nothing", "", 404),
    ] {
        let request = me.request(method, path).header(header::CONTENT_TYPE, "application/json").body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {body}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json", "{path}");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().is_some_and(|d| d.len() > 8 && !d.contains("os error")), "{problem}");
        assert!(problem["title"].as_str().is_some_and(|t| t.starts_with(char::is_uppercase)), "{problem}");
    }
    let answer =
        client().post(format!("{}/api/v1/sessions", server.url())).json(&json!({"lesson": "x"})).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn files_and_commands() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    me.write("/root/new/folder/hello.txt", "héllo\n").await;
    assert_eq!(me.ok("cat /root/new/folder/hello.txt").await, "héllo\n");
    me.ok("head -c 3000000 /dev/urandom > big; sha256sum < big > sum").await;
    let big = me.request(Method::GET, "/nodes/node1/files?path=/root/big").send().await.unwrap();
    assert_eq!(big.headers()[header::CONTENT_TYPE], "application/octet-stream");
    let bytes = big.bytes().await.unwrap();
    use sha2::Digest;
    assert!(me.ok("cat sum").await.starts_with(&hex::encode(sha2::Sha256::digest(&bytes))));

    let body = json!({"command": ["sh", "-c", "cat; echo oops >&2; exit 3"], "stdin": "in"});
    let done = json(me.request(Method::POST, "/nodes/node1/exec").json(&body).send().await.unwrap()).await;
    assert_eq!(
        done,
        json!({"exit_code": 3, "stdout": "in", "stderr": "oops\n", "truncated": false, "timed_out": false})
    );
    let body = json!({"command": ["sleep", "60"], "timeout_s": 1});
    let done = json(me.request(Method::POST, "/nodes/node1/exec").json(&body).send().await.unwrap()).await;
    assert_eq!((&done["timed_out"], &done["exit_code"]), (&json!(true), &json!(137)));
}

#[tokio::test]
async fn the_api_describes_itself() {
    let server = TestServer::start();
    let document: Value =
        client().get(format!("{}/api/v1/openapi.json", server.url())).send().await.unwrap().json().await.unwrap();
    for path in [
        "/api/v1/sessions",
        "/api/v1/sessions/{id}",
        "/api/v1/sessions/{id}/extend",
        "/api/v1/sessions/{id}/nodes/{node}/exec",
        "/api/v1/sessions/{id}/nodes/{node}/files",
        "/api/v1/sessions/{id}/nodes/{node}/terminals/{terminal}/socket",
        "/healthz",
    ] {
        assert!(document["paths"][path].is_object(), "{path} is described");
    }
    let health = json(client().get(format!("{}/healthz", server.url())).send().await.unwrap()).await;
    assert_eq!((&health["status"], &health["sessions"]), (&json!("ok"), &json!(0)));
}
