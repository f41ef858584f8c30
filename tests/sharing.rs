//! Sharing a session: who may do what, links that are revoked, two who type in one terminal, and who is there.

mod common;

use std::time::Duration;

use boatyard_protocol::terminal::Frame;
use common::{
    TestServer, eventually,
    guest::Guest,
    student::{Student, client, json},
    terminal::Terminal,
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

/// What the documentation says who may do: method, path below the session, and whether it is for those who watch and
/// those who type.
fn documented() -> Vec<(Method, String, bool, bool)> {
    let rows = include_str!("../docs/sharing.md").lines().filter_map(|l| l.strip_prefix("| `"));
    let read = |row: &str| {
        let (request, rest) = row.split_once('`')?;
        let (method, path) = request.split_once(' ')?;
        let cells: Vec<&str> = rest.split('|').map(str::trim).collect();
        Some((method.parse().ok()?, path.trim_end_matches('/').to_owned(), cells[1] == "yes", cells[2] == "yes"))
    };
    rows.filter_map(read).filter(|(_, path, ..)| !path.starts_with("/s/")).collect()
}

/// A path with something in the place of its parameters that is there.
fn filled(path: &str) -> String {
    [
        ("{node}", "node1"),
        ("{terminal}", "extra"),
        ("{share}", "00000000-0000-4000-8000-000000000000"),
        ("{course}", "containers-and-docker"),
        ("{lesson}", "pull-build-ship-run"),
        ("{step}", "intro"),
        ("{quiz}", "none"),
    ]
    .iter()
    .fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
}

#[tokio::test]
async fn whatever_is_not_a_guests_is_refused() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let watcher = Guest::join(&me, &me.share("watch").await).await;
    let typist = Guest::join(&me, &me.share("type").await).await;
    assert_eq!(watcher.page().await.0, StatusCode::OK);
    assert_eq!(typist.page().await.0, StatusCode::OK);

    let document: Value =
        client().get(format!("{}/api/v1/openapi.json", server.url())).send().await.unwrap().json().await.unwrap();
    let table = documented();
    let (mut refused, mut changes) = (0, 0);
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(below) = path.strip_prefix("/api/v1/sessions/{id}") else { continue };
        for method in operations.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let row = table.iter().find(|(m, p, ..)| *m == method && p == below);
            let (_, _, watch, write) = row.unwrap_or_else(|| panic!("docs/sharing.md has no {method} {below}"));
            if method != Method::GET {
                changes += 1;
                assert!(!watch, "{method} {below}: who watches changes nothing");
            }
            for (guest, may, who) in [(&watcher, *watch, "watching"), (&typist, *write, "typing")] {
                let answer = guest.request(method.clone(), &filled(below)).send().await.unwrap();
                let status = answer.status();
                let problem: Value = answer.json().await.unwrap_or_default();
                if may {
                    assert_ne!(problem["code"], "guest", "{who}: {method} {below}: {problem}");
                } else {
                    assert_eq!((status.as_u16(), &problem["code"]), (403, &json!("guest")), "{who}: {method} {below}");
                    refused += 1;
                }
            }
            // A stranger does not even learn that there is a session.
            let url = format!("{}/api/v1/sessions/{}{}", server.url(), me.id, filled(below));
            let stranger = client().request(method.clone(), url).send().await.unwrap().status();
            assert_eq!(stranger, StatusCode::NOT_FOUND, "{method} {below}");
        }
    }
    assert!(changes > 12 && refused > 30, "{changes} changes, {refused} refused");
    // Nor by the ways of pages and programs.
    let port = format!("{}/s/{}/ports/node1/8080", server.url(), me.id);
    for guest in [&watcher, &typist] {
        assert_eq!(guest.http.get(&port).send().await.unwrap().status(), StatusCode::FORBIDDEN);
        let mine = json(guest.http.get(format!("{}/api/v1/sessions", server.url())).send().await.unwrap()).await;
        assert_eq!(mine, json!([]), "it is not theirs");
        // A method that no route has is nobody's.
        let patched = guest.request(Method::PATCH, "").send().await.unwrap().status();
        assert_eq!(patched, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(me.get("").await["state"], "running");
}

#[tokio::test]
async fn who_watches_types_nothing_and_who_types_does() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let mut mine = me.terminal("main", None).await;
    mine.wait_for("# ").await;

    let watcher = Guest::join(&me, &me.share("watch").await).await;
    let mut watching = watcher.terminal(40, 10).await;
    watching.type_in("echo from-the-watcher\r").await;
    watching.send(Frame::Resize { cols: 20, rows: 5 }).await;
    mine.write("echo mine-$((40+2)) $(tput cols)x$(tput lines)\r").await;
    mine.wait_for("mine-42 100x30").await;
    watching.wait_for("mine-42 100x30").await;
    assert!(!mine.text().contains("from-the-watcher"), "{}", mine.text());

    let typist = Guest::join(&me, &me.share("type").await).await;
    let mut typing = typist.terminal(80, 20).await;
    typing.type_in("echo theirs-$((40+2)) $(tput cols)x$(tput lines)\r").await;
    for seen in ["theirs-42 80x20"] {
        typing.wait_for(seen).await;
        mine.wait_for(seen).await;
        watching.wait_for(seen).await;
    }
    // Both type on one line.
    mine.write("echo to-").await;
    mine.wait_for("echo to-").await;
    typing.type_in("gether-$((1+1))\r").await;
    for _ in 0..2 {
        mine.wait_for("to-gether-2").await;
        typing.wait_for("to-gether-2").await;
    }
    assert!(!mine.text().contains("from-the-watcher"), "{}", mine.text());
    // Files, and a shell of their own.
    let wrote = typist.request(Method::PUT, "/nodes/node1/files?path=/root/note").body("hello").send().await.unwrap();
    assert_eq!(wrote.status(), StatusCode::OK);
    assert_eq!(me.ok("cat /root/note").await, "hello");
    let size = json!({"cols": 80, "rows": 24});
    json(typist.request(Method::PUT, "/nodes/node1/terminals/two").json(&size).send().await.unwrap()).await;
    assert!(Terminal::try_attach(&me, "two", None, false).await.is_ok());
}

#[tokio::test]
async fn a_share_that_is_revoked_is_over_at_once() {
    let mut server = TestServer::start();
    let me = Student::start(&server).await;
    let (watch, write) = (me.share("watch").await, me.share("type").await);
    let (watcher, typist) = (Guest::join(&me, &watch).await, Guest::join(&me, &write).await);
    let mut others = watcher.terminal(80, 24).await;
    others.wait_for("# ").await;
    let mut terminal = typist.terminal(80, 24).await;
    terminal.wait_for("# ").await;
    let mut events = typist.socket("/events").await.unwrap();
    events.event(|e| e["type"] == "people").await;
    let mut xray = typist.socket("/xray").await.unwrap();

    me.unshare(&write).await;
    tokio::time::timeout(Duration::from_secs(5), async {
        terminal.type_in("echo too-late\r").await;
        terminal.end().await;
        xray.end().await;
        events.event(|e| e["type"] == "unshared").await;
        events.end().await;
    })
    .await
    .expect("within seconds");
    assert_eq!((terminal.closed, xray.closed), (Some(4010), Some(4010)));
    assert_eq!(typist.request(Method::GET, "").send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert!(typist.socket("/events").await.is_err());
    let (status, page) = typist.page().await;
    assert!(status == StatusCode::FORBIDDEN && page.contains("The owner has ended this share"), "{page}");
    let again = client().get(&write.url).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::FORBIDDEN);
    assert!(again.text().await.unwrap().contains("This link is no longer valid"));

    // The other share is as good as it was, also after the server was replaced; the first stays gone.
    let mut mine = me.terminal("main", None).await;
    mine.write("echo still-$((40+2))\r").await;
    others.wait_for("still-42").await;
    assert!(!others.text.contains("too-late"));
    server.kill();
    server.start_again();
    // The first request of each finds a connection of the old server.
    for (guest, status) in [(&watcher, StatusCode::OK), (&typist, StatusCode::NOT_FOUND)] {
        eventually("the new server knows its guests", Duration::from_secs(10), || async {
            guest.request(Method::GET, "").send().await.is_ok_and(|a| a.status() == status)
        })
        .await;
    }
    me.unshare(&watch).await;
    assert_eq!(watcher.request(Method::GET, "").send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let gone = me.request(Method::DELETE, &format!("/shares/{}", watch.id)).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn people_see_who_is_there() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let share = me.share("type").await;
    assert_eq!(me.get("/shares").await[0]["guests"], json!([]));
    let mut events = me.events().await;
    events.wait_for(|e| e["type"] == "people" && e["people"][0]["right"] == "own" && e["you"] == 0).await;

    let guest = Guest::join(&me, &share).await;
    assert_eq!(me.get("/shares").await[0]["guests"], json!([]), "a link that was followed is no guest yet");
    let mut there = guest.socket("/events").await.unwrap();
    let told = there.event(|e| e["type"] == "people").await;
    assert_eq!((&told["you"], &told["people"][1]["name"]), (&json!(1), &json!("Guest 1")));
    events.wait_for(|e| e["people"][1]["name"] == "Guest 1").await;
    let at = json!({"node": "node1", "terminal": "main"});
    there.say(json!({"type": "here", "name": " Ada\u{202e}<b>\n", "terminal": at})).await;
    let seen = events.wait_for(|e| e["people"][1]["name"] == "Ada <b>").await;
    assert_eq!((&seen["people"][1]["right"], &seen["people"][1]["terminal"]), (&json!("type"), &at));
    let shares = me.get("/shares").await;
    assert_eq!((&shares[0]["guests"][0]["name"], &shares[0]["guests"][0]["here"]), (&json!("Ada <b>"), &json!(true)));
    assert_eq!((&shares[0]["label"], &shares[0]["kind"]), (&json!("friends"), &json!("type")));

    let mut terminal = guest.terminal(80, 24).await;
    terminal.type_in("x").await;
    events.wait_for(|e| e["type"] == "typing" && e["person"] == 1).await;
    // Another tab is the same person; so is the browser that comes back later.
    let second = guest.socket("/events").await.unwrap();
    drop(there);
    let mut once_more = me.events().await;
    let now = once_more.wait_for(|e| e["type"] == "people").await;
    assert_eq!((now["people"].as_array().unwrap().len(), &now["people"][1]["name"]), (2, &json!("Ada <b>")));
    drop(second);
    once_more.wait_for(|e| e["people"].as_array().is_some_and(|p| p.len() == 1)).await;
    eventually("they have left, and are remembered", Duration::from_secs(10), || async {
        let guest = &me.get("/shares").await[0]["guests"][0];
        guest["here"] == false && guest["name"] == "Ada <b>"
    })
    .await;
}

#[tokio::test]
async fn links_are_bounded_and_open_one_session_only() {
    let server = TestServer::with(&[("SESSIONS__PER_CLIENT", "2")]);
    let (me, other) = (Student::start(&server).await, Student::start(&server).await);
    let share = me.share("type").await;
    let guest = Guest::join(&me, &share).await;
    // The cookie under another session's name opens nothing: a share belongs to its session.
    let (_, value) = guest.cookie.split_once('=').unwrap();
    let name = format!("boatyard-guest-{}", other.id.replace('-', ""));
    let url = format!("{}/api/v1/sessions/{}", server.url(), other.id);
    let forged = client().get(&url).header(header::COOKIE, format!("{name}={value}")).send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::NOT_FOUND);
    let changed = client().get(&url).header(header::COOKIE, format!("{name}={value}x")).send().await.unwrap();
    assert_eq!(changed.status(), StatusCode::NOT_FOUND);
    // An owner who opens the link stays the owner; a link of another session does not open this one.
    assert_eq!(me.http.get(&share.url).send().await.unwrap().status(), StatusCode::SEE_OTHER);
    let extended = me.http.post(format!("{}/api/v1/sessions/{}/extend", server.url(), me.id)).send().await.unwrap();
    assert_eq!(extended.status(), StatusCode::OK);
    let wrong = share.url.replace(&me.id, &other.id);
    assert_eq!(client().get(&wrong).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    // A page of another origin shares nothing.
    let shares = format!("{}/api/v1/sessions/{}/shares", server.url(), me.id);
    let foreign = me.http.post(&shares).header(header::ORIGIN, "https://evil.example").json(&json!({"kind": "type"}));
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);

    for _ in 1..20 {
        me.share("watch").await;
    }
    let more = me.request(Method::POST, "/shares").json(&json!({"kind": "watch"})).send().await.unwrap();
    assert_eq!(more.status(), StatusCode::CONFLICT);
    for body in [json!({"kind": "own"}), json!({}), json!({"kind": "watch", "more": 1})] {
        let bad = me.request(Method::POST, "/shares").json(&body).send().await.unwrap();
        assert_eq!(bad.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    // One guest has so many views of a terminal and no more, so others find a place.
    let mut views = Vec::new();
    while let Ok(view) = guest.socket("/nodes/node1/terminals/main/socket").await {
        views.push(view);
        assert!(views.len() < 20, "no end");
    }
    assert_eq!(views.len(), 4);
    drop(views.pop());
    eventually("a place is free again", Duration::from_secs(10), || async {
        guest.socket("/nodes/node1/terminals/main/socket").await.is_ok()
    })
    .await;
    assert!(Terminal::try_attach(&me, "main", None, false).await.is_ok());

    me.close().await;
    let (status, page) = guest.page().await;
    assert!(status == StatusCode::GONE && page.contains("Its owner closed it"), "{page}");
    let late = client().get(&share.url).send().await.unwrap();
    assert_eq!(late.status(), StatusCode::GONE);
}
