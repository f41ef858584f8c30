//! Terminals: a prompt, several viewers, exact resumption, and shells that outlive the server.

mod common;

use boatyard_protocol::terminal::Frame;
use common::{
    TestServer,
    student::{Student, json},
    terminal::Terminal,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_prompt_and_a_reload() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let mut t = me.terminal("main", None).await;
    t.wait_for("# ").await;
    t.write("echo one-$((40+2)); tput cols\r").await;
    t.wait_for("one-42").await;
    t.wait_for("100").await;

    // A viewer that comes back with what it has gets exactly what it missed.
    let resume = (t.generation, t.offset);
    t.write("echo two-$((40+2))\r").await;
    let (before, generation) = (t.offset, t.generation);
    t.close().await;
    let mut again = me.terminal("main", Some(resume)).await;
    assert_eq!((again.offset, again.generation), (before, generation));
    again.wait_for("two-42").await;
    assert!(again.repaints.is_empty() && !again.text().contains("one-42"), "nothing twice: {}", again.text());

    // One that has nothing gets a picture of the screen.
    let mut fresh = me.terminal("main", None).await;
    fresh.wait_for("two-42").await;
    assert!(!fresh.repaints.is_empty() && fresh.text().contains("one-42"));
}

#[tokio::test]
async fn a_window_that_was_narrow_for_a_while_cuts_nothing() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let mut t = me.terminal("main", None).await;
    t.wait_for("# ").await;
    // Wider than the narrow window, and shorter than the wide one.
    t.write("for i in 1 2 3; do echo begin-$i-$(printf %070d 0)-end; done; echo all-$((1+1))\r").await;
    t.wait_for("all-2").await;
    t.send(Frame::Resize { cols: 30, rows: 40 }).await;
    t.write("stty size\r").await;
    t.wait_for("40 30").await;
    t.send(Frame::Resize { cols: 100, rows: 40 }).await;
    t.write("stty size\r").await;
    t.wait_for("40 100").await;
    let mut fresh = me.terminal("main", None).await;
    fresh.wait_for("40 100").await;
    let whole = format!("-{}-end", "0".repeat(70));
    assert_eq!(fresh.text().matches(&whole).count(), 3, "a reload shows whole lines: {}", fresh.text());
}

#[tokio::test]
async fn viewers_share_a_terminal() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let mut writer = me.terminal("main", None).await;
    let mut reader = Terminal::attach(&me, "main", None, true).await;
    reader.write("echo from-the-reader\r").await;
    writer.write("echo from-$((1))-writer\r").await;
    reader.wait_for("from-1-writer").await;
    assert!(!reader.text().contains("from-the-reader"), "a viewer that only reads types nothing");
}

#[tokio::test]
async fn terminals_are_opened_and_closed() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let size = json!({"cols": 80, "rows": 24});
    json(me.request(Method::PUT, "/nodes/node1/terminals/build").json(&size).send().await.unwrap()).await;
    let mut t = me.terminal("build", None).await;
    t.write("exit 7\r").await;
    while t.exit.is_none() {
        assert!(t.next().await);
    }
    assert_eq!(t.exit, Some(7));
    let listed = me.get("/nodes/node1/terminals").await;
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|t| t["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["main", "build"]);
    // Asked for again, it gets a new shell.
    json(me.request(Method::PUT, "/nodes/node1/terminals/build").json(&size).send().await.unwrap()).await;
    let mut t2 = me.terminal("build", Some((t.generation, t.offset))).await;
    assert_ne!(t2.generation, t.generation);
    t2.write("echo new-$((1+1))\r").await;
    t2.wait_for("new-2").await;
    let closed = me.request(Method::DELETE, "/nodes/node1/terminals/build").send().await.unwrap();
    assert_eq!(closed.status(), StatusCode::NO_CONTENT);
    assert!(Terminal::try_attach(&me, "build", None, false).await.is_err());
}

#[tokio::test]
async fn a_megabyte_pasted_arrives_whole() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let mut t = me.terminal("main", None).await;
    t.wait_for("# ").await;
    // Without echo, and with the terminal's line discipline out of the way, as an editor has it.
    t.write("stty raw -echo; head -c 1000000 | sha256sum > /root/sum; stty sane; echo done-$((1+1))\r").await;
    t.wait_for("sha256sum").await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let paste: String = (0..1_000_000u32).map(|i| char::from(b'a' + (i * 7 % 26) as u8)).collect();
    for part in paste.as_bytes().chunks(60_000) {
        t.write(std::str::from_utf8(part).unwrap()).await;
    }
    t.wait_for("done-2").await;
    use sha2::Digest;
    assert!(me.ok("cat sum").await.starts_with(&hex::encode(sha2::Sha256::digest(paste.as_bytes()))));
}

#[tokio::test]
async fn a_flood_does_not_keep_ctrl_c_out() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let mut t = me.terminal("main", None).await;
    t.wait_for("# ").await;
    t.write("yes a-flood\r").await;
    while t.offset < 4_000_000 {
        assert!(t.next().await);
    }
    t.write("\x03").await;
    t.write("echo after-$((1+1))\r").await;
    t.wait_for("after-2").await;
}

#[tokio::test]
async fn shells_outlive_the_server() {
    let mut server = TestServer::start();
    let me = Student::start(&server).await;
    let mut t = me.terminal("main", None).await;
    t.wait_for("# ").await;
    t.write("secret=kept; for i in $(seq 1 40); do echo line-$i; sleep 0.1; done\r").await;
    t.wait_for("line-5").await;
    let resume = (t.generation, t.offset);
    let had = t.text();
    server.kill();
    server.start_again();
    let mut t = me.terminal("main", Some(resume)).await;
    t.wait_for("line-40").await;
    t.write("echo still-$secret\r").await;
    t.wait_for("still-kept").await;
    let all = had + &t.text();
    // The first stands behind what ends bracketed paste; the echoed command has no number.
    let lines: Vec<_> = all.lines().filter(|l| l.contains("line-") && !l.contains("line-$i")).collect();
    assert_eq!(lines.len(), 40, "no line is lost and none comes twice: {lines:?}");
}
