//! Several nodes in one session.

mod common;

use std::time::Duration;

use common::{
    TestServer, eventually,
    residue::residue,
    student::{Student, json},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn nodes_come_and_go_and_know_each_other() {
    let mut server = TestServer::with(&[("SESSIONS__NODES", "3")]);
    let me = Student::start(&server).await;
    assert_eq!(me.add_node().await, "node2");
    assert_eq!(me.add_node().await, "node3");
    let no_more = me.request(Method::POST, "/nodes").send().await.unwrap();
    assert_eq!(no_more.status(), StatusCode::CONFLICT);
    assert_eq!(no_more.json::<Value>().await.unwrap()["code"], "node-limit");

    // Each finds each by name and logs in without being asked for anything.
    for (from, to) in [("node1", "node2"), ("node2", "node3"), ("node3", "node1")] {
        let seen = me.ok_on(from, &format!("ping -c1 -W2 {to} >/dev/null && ssh {to} hostname")).await;
        assert_eq!(seen.trim(), to);
    }
    assert_eq!(me.ok_on("node1", "echo from one > f && scp -q f node3:g && ssh node3 cat g").await.trim(), "from one");
    // Another session's nodes are neither found nor reached.
    let other = Student::start(&server).await;
    let address = me.session["nodes"][0]["address"].as_str().unwrap();
    assert_ne!(other.sh(&format!("ping -c1 -W1 node2 || ping -c1 -W1 {address}")).await.0, 0);

    // What node1 pushed node2 pulls: the same bytes.
    me.ok("docker pull -q busybox && docker tag busybox registry.lab:5000/me/app:1 && docker push -q registry.lab:5000/me/app:1").await;
    me.ok_on("node2", "docker run --rm registry.lab:5000/me/app:1 echo hi").await;
    let digest = "docker inspect -f '{{index .RepoDigests 0}}' registry.lab:5000/me/app:1";
    assert_eq!(
        me.ok_on("node2", digest).await,
        me.ok("docker inspect -f '{{range .RepoDigests}}{{println .}}{{end}}' busybox | grep registry.lab").await
    );

    // A killed server finds all of them again.
    server.kill();
    server.start_again();
    // The client may still hold a connection to the one that died.
    eventually("it answers", Duration::from_secs(10), || async { me.request(Method::GET, "").send().await.is_ok() })
        .await;
    assert_eq!(me.get("").await["nodes"].as_array().unwrap().len(), 3);

    // One leaves: the others forget its name, its number becomes free, and the last one cannot leave.
    let gone = me.request(Method::DELETE, "/nodes/node2").send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(me.request(Method::DELETE, "/nodes/node2").send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_ne!(me.sh("getent hosts node2").await.0, 0);
    eventually("its number is free", Duration::from_secs(10), || async {
        let added = me.request(Method::POST, "/nodes").send().await.unwrap();
        added.status() == StatusCode::CREATED && added.json::<Value>().await.unwrap()["name"] == "node2"
    })
    .await;
    for node in ["node1", "node2"] {
        let gone = me.request(Method::DELETE, &format!("/nodes/{node}")).send().await.unwrap();
        assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    }
    let last = me.request(Method::DELETE, "/nodes/node3").send().await.unwrap();
    assert_eq!(last.status(), StatusCode::CONFLICT);
    me.close().await;
    other.close().await;
    eventually("every trace is gone", Duration::from_secs(20), || async { residue(&server.paths()).is_empty() }).await;
}

#[tokio::test]
async fn a_session_goes_on_without_a_node_that_died() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let mut events = me.events().await;
    me.add_node().await;
    let listed = String::from_utf8(server.boatyard(&["session", "ls", "--json"]).stdout).unwrap();
    let sessions: Value = serde_json::from_str(&listed).unwrap();
    let sandbox = sessions[0]["nodes"][1][1].as_str().unwrap_or_else(|| panic!("{listed}"));
    let pid = std::fs::read_to_string(server.paths().sandboxes().join(sandbox).join("pid")).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.trim().parse().unwrap()), nix::sys::signal::Signal::SIGKILL)
        .unwrap();
    let lost = events.wait_for(|e| e["type"] == "node-lost").await;
    assert_eq!(lost["node"], "node2");
    let session = events.wait_for(|e| e["type"] == "session").await;
    assert_eq!(session["session"]["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(me.ok("echo still here").await.trim(), "still here");
}

#[tokio::test]
async fn a_swarm_forms_by_a_click_and_runs_a_stack() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    me.add_node().await;
    let join = async |node: &str, role: &str| {
        let asked = me.request(Method::POST, &format!("/nodes/{node}/swarm")).json(&json!({ "role": role }));
        asked.send().await.unwrap()
    };
    assert_eq!(json(join("node1", "worker").await).await["swarm"], "manager", "the first makes the swarm");
    assert_eq!(json(join("node2", "worker").await).await["swarm"], "worker");
    assert_eq!(join("node2", "worker").await.status(), StatusCode::CONFLICT);
    let nodes = me.ok("docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'").await;
    assert!(nodes.contains("node1 Ready Leader") && nodes.contains("node2 Ready"), "{nodes}");

    // A stack over both: an overlay network between them, names, and a port of each host.
    me.write(
        "/root/stack.yaml",
        "services:
  web:
    image: nginx
    ports: [{target: 80, published: 8080, mode: host}]
    deploy: {mode: global, endpoint_mode: dnsrr}
  store:
    image: redis
    deploy: {endpoint_mode: dnsrr, placement: {constraints: [node.role == worker]}}
",
    )
    .await;
    me.ok("docker stack deploy --detach=false -c stack.yaml app").await;
    for node in ["node1", "node2"] {
        let seen = me.ok_on(node, "curl -s --retry 20 --retry-all-errors --retry-delay 1 localhost:8080").await;
        assert!(seen.contains("nginx"), "{seen}");
    }
    // From the container on node1 to the one on node2, by name, over VXLAN.
    let pong =
        "docker exec $(docker ps -qf name=app_web) bash -c 'exec 3<>/dev/tcp/store/6379; echo PING >&3; head -n1 <&3'";
    eventually("redis answers over the overlay", Duration::from_secs(30), || async {
        me.sh(pong).await.1.contains("PONG")
    })
    .await;
}

#[tokio::test]
async fn a_template_brings_nodes_swarm_files_and_a_script() {
    let template = r#"[{name="class", title="For the class", nodes=2, managers=1, start="echo started on $(hostname) >> note",
        files=[{path="/root/note", content="hello\n"}, {node="node2", path="/root/two", content="2"}]}]"#;
    let server = TestServer::with(&[("TEMPLATES", template)]);
    let listed: Value = json(reqwest::get(format!("{}/api/v1/templates", server.url())).await.unwrap()).await;
    let names: Vec<_> = listed.as_array().unwrap().iter().filter_map(|t| t["name"].as_str()).collect();
    assert_eq!(names, ["one", "two", "swarm-1-2", "swarm-3-2", "class"]);

    let me = Student::start_with(&server, json!({"template": "class"})).await;
    assert_eq!(me.session["nodes"][0]["swarm"], "manager");
    assert_eq!(me.session["nodes"][1]["swarm"], "worker");
    assert_eq!(me.ok("docker node ls -q | wc -l").await.trim(), "2");
    assert_eq!(me.ok_on("node2", "cat two note").await, "2hello\n");
    eventually("the script ran on node1", Duration::from_secs(10), || async {
        me.ok("cat note").await == "hello\nstarted on node1\n"
    })
    .await;
    // Where the kernel cannot do all, shells say so.
    let greeting = me.ok("cat /run/boatyard/greeting 2>/dev/null || echo none").await;
    let kernel_can = std::path::Path::new("/proc/net/ip_vs").exists();
    assert_eq!(greeting.contains("dnsrr"), !kernel_can, "{greeting}");
    let mut t = me.terminal("main", None).await;
    if !kernel_can {
        t.wait_for("dnsrr").await;
    }
    // The first terminal of a playground says how to begin, and no other: not the next one, nor one of another node, nor
    // that of a lesson, which says it itself.
    t.wait_for("docker run hello-world").await;
    t.wait_for("root@node1").await;
    let welcome = "docker run hello-world";
    let second = me.request(Method::PUT, "/nodes/node1/terminals/second").json(&json!({"cols": 80, "rows": 24}));
    assert!(second.send().await.unwrap().status().is_success());
    let mut second = me.terminal("second", None).await;
    second.wait_for("root@node1").await;
    assert!(!second.text().contains(welcome), "{}", second.text());
    let lesson = json!({"course": "containers-and-docker", "lesson": "pull-build-ship-run"});
    let learner = Student::start_with(&server, lesson).await;
    let mut of_lesson = learner.terminal("main", None).await;
    of_lesson.wait_for("root@node1").await;
    assert!(!of_lesson.text().contains(welcome), "{}", of_lesson.text());

    let unknown = me.http.post(format!("{}/api/v1/sessions", server.url())).json(&json!({"template": "x"}));
    assert_eq!(unknown.send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_a_node_uses_and_the_limits_it_comes_to_are_told() {
    let server =
        TestServer::with(&[("LIMITS__MEMORY", "256 MiB"), ("LIMITS__PIDS", "200"), ("LIMITS__DISK", "600 MiB")]);
    let me = Student::start(&server).await;
    let mut events = me.events().await;
    // The first look may come before the shell does.
    let more_than = |e: &Value, key: &str, least: u64| e["usage"][key].as_u64().is_some_and(|n| n > least);
    let settled = |e: &Value| more_than(e, "processes", 1) && more_than(e, "memory", 1 << 20);
    let used = events.wait_for(|e| e["type"] == "usage" && settled(e)).await;
    assert_eq!(used["usage"]["memory_most"], 256 << 20);

    me.sh("python3 -c 'b = b\"x\" * (400 << 20)'").await;
    events.wait_for(|e| e["type"] == "limit-reached" && e["limit"] == "out-of-memory").await;
    me.sh("docker run --rm -i python python3 -c 'b = b\"x\" * (400 << 20)'").await;
    events.wait_for(|e| e["type"] == "limit-reached" && e["limit"] == "out-of-memory").await;
    me.sh("for i in $(seq 250); do sleep 3 & done; wait").await;
    events.wait_for(|e| e["type"] == "limit-reached" && e["limit"] == "processes").await;
    me.sh("head -c 900M /dev/zero > /root/big").await;
    let full = events.wait_for(|e| e["type"] == "limit-reached" && e["limit"] == "disk").await;
    assert_eq!(full["node"], "node1");
    me.ok("rm /root/big; echo still here").await;
}
