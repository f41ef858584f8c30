//! Links that start a session and deploy a stack in it: by name, in a swarm, from an address; and what is refused.

mod common;

use std::time::Duration;

use common::{
    TestServer, eventually,
    student::{Student, client, json},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// The deployment once it is as wanted.
async fn deployment(me: &Student, stage: &str) -> Value {
    let mut events = me.events().await;
    let of = |e: &Value| match e["type"].as_str() {
        Some("deployment") => e["deployment"].clone(),
        Some("session") => e["session"]["deployment"].clone(),
        _ => Value::Null,
    };
    of(&events.wait_for(|e| of(e)["stage"] == stage).await)
}

/// What the first port of a deployment serves.
async fn visit(me: &Student, deployment: &Value) -> String {
    let (_, tcp) = me.base.rsplit_once(':').unwrap();
    let (node, port) = (deployment["port"]["node"].as_str().unwrap(), &deployment["port"]["port"]);
    let url = format!("http://{port}-{node}-{}.localhost:{tcp}/", me.public_name);
    me.http.get(url).header("x-boatyard-token", &me.token).send().await.unwrap().text().await.unwrap()
}

fn sessions(server: &TestServer) -> usize {
    let listed = server.boatyard(&["session", "ls", "--json"]).stdout;
    serde_json::from_slice::<Vec<Value>>(&listed).unwrap().len()
}

#[tokio::test]
async fn a_stack_by_its_name_is_typed_deployed_and_answers() {
    let mut server = TestServer::start();
    let me = Student::start_with(&server, json!({"stack": {"source": "counter"}})).await;
    assert_eq!(me.session["deployment"]["command"], "cd ~/counter && docker compose up -d");
    let ready = deployment(&me, "ready").await;
    assert_eq!(ready["port"], json!({"node": "node1", "port": 8080, "answers": true}));
    assert!(ready["services"].as_array().unwrap().iter().all(|s| s["state"] == "running"), "{ready}");
    // Nobody has visited it before.
    assert!(visit(&me, &ready).await.contains("visitor number 1!"));
    // It was typed as a student would, and its files are theirs.
    let mut terminal = me.terminal("main", None).await;
    terminal.wait_for("docker compose up -d").await;
    terminal.wait_for("lies in /root/counter").await;
    assert_eq!(me.ok("ls ~/counter").await, "app.py\ncompose.yaml\n");

    // A server that was killed goes on with it.
    server.kill();
    server.start_again();
    eventually("it answers", Duration::from_secs(10), || async { me.request(Method::GET, "").send().await.is_ok() })
        .await;
    deployment(&me, "ready").await;
    let mut terminal = me.terminal("main", None).await;
    // What stops is told; the same again mends it.
    me.ok("docker kill counter-redis-1").await;
    let failed = deployment(&me, "failed").await;
    assert!(failed["error"].as_str().unwrap().contains("redis: ended with exit code 137"), "{failed}");
    let again = me.request(Method::POST, "/deployment").send().await.unwrap();
    assert_eq!(again.status(), StatusCode::ACCEPTED);
    deployment(&me, "ready").await;
    // Not into what runs in the terminal.
    terminal.write("sleep 600\r").await;
    eventually("the terminal is busy", Duration::from_secs(20), || async {
        me.get("/nodes/node1/terminals").await[0]["foreground"] == "sleep"
    })
    .await;
    let busy = me.request(Method::POST, "/deployment").send().await.unwrap();
    assert_eq!(busy.status(), StatusCode::CONFLICT);
    assert_eq!(busy.json::<Value>().await.unwrap()["code"], "busy");
    terminal.close().await;
    me.close().await;
    let without = Student::start(&server).await;
    assert_eq!(without.session["deployment"], Value::Null);
    let none = without.request(Method::POST, "/deployment").send().await.unwrap();
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_same_file_is_a_stack_of_a_swarm() {
    let pair = r#"[{name="pair", title="A pair", nodes=2, managers=1}]"#;
    let server = TestServer::with(&[("TEMPLATES", pair)]);
    let body = json!({"template": "pair", "stack": {"source": "containers-and-docker/counter", "name": "visits"}});
    let me = Student::start_with(&server, body).await;
    let ready = deployment(&me, "ready").await;
    assert_eq!((&ready["swarm"], &ready["name"]), (&json!(true), &json!("visits")));
    assert!(visit(&me, &ready).await.contains("visitor number 1!"));
    assert_eq!(me.ok("docker stack services -q visits | wc -l").await.trim(), "2");

    // What cannot be pulled is told in Docker's words, though the command itself succeeds.
    me.ok("docker service update --detach --image nowhere:1 visits_web").await;
    let failed = deployment(&me, "failed").await;
    assert!(failed["error"].as_str().unwrap().contains("No such image: nowhere:1"), "{failed}");
}

/// A server that has `files`; its origin.
async fn files(files: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let n = stream.read(&mut head).await.unwrap_or(0);
            let path = String::from_utf8_lossy(&head[..n]).split(' ').nth(1).unwrap_or_default().to_owned();
            let answer = match files.iter().find(|(name, _)| *name == path) {
                Some((_, "large")) => "HTTP/1.1 200 OK\r\n\r\n".to_owned() + &"#".repeat(2 << 20),
                Some((_, text)) => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()),
                None => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    origin
}

#[tokio::test]
async fn a_file_from_a_listed_server_is_shown_and_then_deployed() {
    let origin = files(&[
        ("/web/compose.yaml", "services: {web: {image: nginx, ports: ['8081:80']}}"),
        ("/missing.yaml", "services: {db: {image: mongo}}"),
        ("/built.yaml", "services: {app: {build: .}}"),
        ("/none.yaml", "services: {}"),
        ("/broken.yaml", "services: ["),
        ("/page", "<!doctype html><title>x</title>"),
        ("/large.yaml", "large"),
    ])
    .await;
    let hosts = format!(r#"["{origin}", "example.org", "localhost"]"#);
    let server = TestServer::with(&[("TRY__HOSTS", &hosts)]);
    let http = client();
    let plan =
        async |query: &str| http.get(format!("{}/api/v1/stacks/plan?{query}", server.url())).send().await.unwrap();
    let url = format!("{origin}/web/compose.yaml");
    let shown = json(plan(&format!("stack={url}")).await).await;
    assert_eq!((&shown["name"], &shown["port"], &shown["fetched"]), (&json!("web"), &json!(8081), &json!(true)));
    let missing = json(plan(&format!("stack={origin}/missing.yaml")).await).await;
    assert!(missing["warnings"][0].as_str().unwrap().contains("`mongo` is not in the catalogue"), "{missing}");

    // Each refusal has a status, a code for programs, and says what to do; as a page, too.
    let other = origin.replace("127.0.0.1", "127.0.0.2");
    for (query, status, code, says) in [
        ("stack=nothing".to_owned(), 404, "unknown-stack", "no stack `nothing`"),
        (format!("stack={origin}/none.yaml"), 422, "bad-stack", "`services` are empty"),
        (format!("stack={origin}/broken.yaml"), 422, "bad-stack", "no valid YAML"),
        (format!("stack={origin}/page"), 422, "bad-stack", "raw"),
        (format!("stack={origin}/built.yaml"), 422, "bad-stack", "only the file itself is fetched"),
        (format!("stack={origin}/large.yaml"), 422, "stack-too-large", "1024 KiB"),
        (format!("stack={origin}/gone.yaml"), 502, "unreachable", "404 Not Found"),
        (format!("stack={other}/x.yaml"), 403, "refused-address", "fetches no files from"),
        ("stack=https://localhost/x.yaml".to_owned(), 403, "refused-address", "no public address"),
        ("stack=file:///etc/passwd".to_owned(), 400, "bad-address", "no address"),
        ("stack=counter&name=a;b".to_owned(), 400, "bad-name", "a-z, 0-9"),
        ("stack=counter&template=two&swarm=1".to_owned(), 400, "no-swarm", "has no swarm"),
        ("stack=counter&digest=sha256:0".to_owned(), 409, "stack-changed", "changed"),
    ] {
        let answer = plan(&query).await;
        assert_eq!(answer.status(), status, "{query}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], code, "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
        let page = http.get(format!("{}/try?{query}", server.url())).send().await.unwrap();
        assert_eq!(page.status(), status, "{query}");
        assert!(page.text().await.unwrap().contains("All stacks"));
    }
    // A preview of a link, or a crawler, starts nothing; nor does another site's form.
    for path in [format!("/try?stack={url}"), "/try?stack=counter&utm_source=x".to_owned(), "/try".to_owned()] {
        let page = http.get(format!("{}{path}", server.url())).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{path}");
    }
    let form = http.post(format!("{}/try", server.url())).body("stack=counter");
    let form =
        form.header("content-type", "application/x-www-form-urlencoded").header("origin", "https://evil.example");
    assert_eq!(form.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(sessions(&server), 0);
    let badge = http.get(format!("{}/try/badge.svg", server.url())).send().await.unwrap();
    assert_eq!(badge.headers()["content-type"], "image/svg+xml");
    assert!(badge.headers()["cache-control"].to_str().unwrap().contains("max-age"));

    let stack = json!({"source": url, "digest": shown["digest"]});
    let me = Student::start_with(&server, json!({"stack": stack})).await;
    let ready = deployment(&me, "ready").await;
    assert!(visit(&me, &ready).await.contains("Welcome to nginx"));
    assert_eq!(me.ok("cat ~/web/compose.yaml").await, "services: {web: {image: nginx, ports: ['8081:80']}}");

    let lost = Student::start_with(&server, json!({"stack": {"source": format!("{origin}/missing.yaml")}})).await;
    let failed = deployment(&lost, "failed").await;
    assert!(failed["error"].as_str().unwrap().contains("there is no internet here"), "{failed}");
}

#[tokio::test]
async fn without_a_list_nothing_is_fetched() {
    let server = TestServer::start();
    let answer = reqwest::get(format!("{}/api/v1/stacks/plan?stack=https://example.org/x.yaml", server.url())).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(answer.json::<Value>().await.unwrap()["detail"].as_str().unwrap().contains("`hosts` in `[try]`"));
    let names = json(reqwest::get(format!("{}/api/v1/stacks", server.url())).await.unwrap()).await;
    let names: Vec<_> = names.as_array().unwrap().iter().filter_map(|s| s["name"].as_str()).collect();
    assert_eq!(names, ["counter", "hello"]);
}

#[tokio::test]
async fn the_variables_of_lessons_stand_for_what_the_session_has() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    me.add_node().await;
    let value = async |node: &str, name: &str| {
        me.request(Method::GET, &format!("/nodes/{node}/variables/{name}")).send().await.unwrap()
    };
    let none = value("node2", "swarm.join").await;
    assert_eq!(none.status(), StatusCode::CONFLICT);
    assert_eq!(none.json::<Value>().await.unwrap()["code"], "no-swarm");
    assert_eq!(value("node2", "swarm.leave").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(value("node3", "swarm.join").await.status(), StatusCode::NOT_FOUND);
    let mut events = me.events().await;
    me.ok("docker swarm init").await;
    let is =
        |e: &Value, node: usize, role: &str| e["type"] == "session" && e["session"]["nodes"][node]["swarm"] == role;
    events.wait_for(|e| is(e, 0, "manager")).await;
    let worker = json(value("node2", "swarm.join").await).await;
    let manager = json(value("node2", "swarm.join.manager").await).await;
    assert_ne!(worker["value"], manager["value"]);
    me.ok_on("node2", worker["value"].as_str().unwrap()).await;
    events.wait_for(|e| is(e, 1, "worker")).await;
    assert_eq!(value("node2", "swarm.join").await.json::<Value>().await.unwrap()["code"], "member");
}
