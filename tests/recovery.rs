//! What outlives a server, and what is cleared up after one.

mod common;

use std::time::Duration;

use common::{TestServer, eventually, residue::residue, student::Student};
use serde_json::Value;

#[tokio::test]
async fn three_busy_sessions_survive_a_killed_server() {
    let mut server = TestServer::start();
    let mut students = Vec::new();
    for n in 0..3 {
        let me = Student::start(&server).await;
        me.ok(&format!("docker run -d --name c{n} -p 8080:80 nginx && date +%s%N > /root/born")).await;
        let mut t = me.terminal("main", None).await;
        t.write("i=0; while true; do i=$((i+1)); echo tick-$i; sleep 0.05; done\r").await;
        t.wait_for("tick-3").await;
        students.push((me, (t.generation, t.offset)));
    }
    server.kill();
    server.start_again();
    for (n, (me, resume)) in students.iter().enumerate() {
        let mut t = me.terminal("main", Some(*resume)).await;
        t.wait_for("tick-").await;
        assert!(t.repaints.is_empty(), "exactly what was missed");
        t.write("\x03").await;
        let running = me.ok("docker ps --format '{{.Names}} {{.Status}}'").await;
        assert!(running.contains(&format!("c{n} Up")), "{running}");
        eventually("nginx answers", Duration::from_secs(10), || async {
            me.port(reqwest::Method::GET, 8080, "/").send().await.unwrap().status() == 200
        })
        .await;
    }
    // Sessions end as ever.
    for (me, _) in &students {
        me.close().await;
    }
    eventually("every trace is gone", Duration::from_secs(20), || async { residue(&server.paths()).is_empty() }).await;
}

#[tokio::test]
async fn fifty_sessions_leave_nothing() {
    let server = TestServer::with(&[("SESSIONS__PER_CLIENT", "60"), ("SESSIONS__MAX", "60")]);
    for n in 0..50 {
        let me = Student::start(&server).await;
        if n % 10 == 0 {
            me.ok("docker run -d nginx").await;
        }
        me.close().await;
    }
    eventually("every trace is gone", Duration::from_secs(30), || async { residue(&server.paths()).is_empty() }).await;
    let links = std::process::Command::new("nsenter")
        .arg(format!("--net={}", server.paths().run().join("netns").display()))
        .args(["ip", "-o", "link"])
        .output()
        .unwrap();
    let links = String::from_utf8_lossy(&links.stdout).into_owned();
    assert!(links.lines().all(|l| l.contains(": lo:")), "{links}");
}

#[tokio::test]
async fn a_server_killed_amid_creations_clears_up() {
    let mut server = TestServer::start();
    for delay in [5, 15, 25, 35, 45, 60] {
        let url = format!("{}/api/v1/sessions", server.url());
        let asked = tokio::spawn(async move { common::student::client().post(url).send().await.is_ok() });
        tokio::time::sleep(Duration::from_millis(delay)).await;
        server.kill();
        let _ = asked.await;
        server.start_again();
        // Either the session is whole, or there is nothing of it.
        let listed = server.boatyard(&["session", "ls", "--json"]);
        let sessions: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
        for s in &sessions {
            assert!(server.boatyard(&["session", "rm", s["id"].as_str().unwrap()]).status.success());
        }
        eventually("every trace is gone", Duration::from_secs(10), || async { residue(&server.paths()).is_empty() })
            .await;
    }
}

#[tokio::test]
async fn gc_finds_what_a_crash_left() {
    let mut server = TestServer::start();
    let me = Student::start(&server).await;
    server.kill();
    // A host that lost the store, as after a restored backup: the sandbox belongs to nobody.
    for file in ["boatyard.db", "boatyard.db-wal", "boatyard.db-shm"] {
        let _ = std::fs::remove_file(server.data().join(file));
    }
    assert!(!residue(&server.paths()).is_empty());
    let out = server.boatyard(&["gc"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(
        String::from_utf8_lossy(&out.stdout).contains("1 leftovers removed"),
        "{}",
        String::from_utf8_lossy(&out.stdout)
    );
    assert!(residue(&server.paths()).is_empty(), "{:?}", residue(&server.paths()));
    server.start_again();
    // With a connection of its own: the old one ended with the old server.
    let url = format!("{}/api/v1/sessions/{}", server.url(), me.id);
    let gone = common::student::client().get(url).bearer_auth(&me.token).send().await.unwrap();
    assert_eq!(gone.status(), 404);
}
