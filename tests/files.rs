//! Files of a node through the API: the tree, the editor's saves, uploads, downloads, and all that a student can put in
//! their way.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{
    TestServer, eventually,
    student::{Student, client, json},
};
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::{Value, json};

const FILES: &str = "/nodes/node1/files";

impl Student {
    fn file(&self, method: Method, path: &str) -> RequestBuilder {
        self.files(method, "", path)
    }

    fn files(&self, method: Method, what: &str, path: &str) -> RequestBuilder {
        let path: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
        self.request(method, &format!("{FILES}{what}?path={path}"))
    }

    async fn list(&self, path: &str) -> Value {
        json(self.files(Method::GET, "/list", path).send().await.unwrap()).await
    }
}

/// Status, code and detail of a refusal.
async fn refusal(request: RequestBuilder) -> (u16, Value, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json", "{status}");
    let problem: Value = answer.json().await.unwrap();
    (status, problem["code"].clone(), problem["detail"].as_str().unwrap().to_owned())
}

/// Bytes that come as they are taken.
fn stream(bytes: u64) -> reqwest::Body {
    const CHUNK: u64 = 64 << 10;
    let chunk = Bytes::from(vec![b'x'; CHUNK as usize]);
    let chunks = (0..bytes.div_ceil(CHUNK)).map(move |n| {
        let rest = (bytes - n * CHUNK).min(CHUNK);
        Ok::<_, std::io::Error>(chunk.slice(..rest as usize))
    });
    reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))
}

#[tokio::test]
async fn a_save_never_goes_over_what_someone_else_wrote() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let path = "/root/app/Dockerfile";
    let first = me.file(Method::PUT, path).header(header::IF_NONE_MATCH, "*").body("FROM busybox\n");
    assert_eq!(json(first.send().await.unwrap()).await["size"], 13);
    let again = me.file(Method::PUT, path).header(header::IF_NONE_MATCH, "*").body("FROM alpine\n");
    assert_eq!(refusal(again).await.0, 412);

    let opened = me.file(Method::GET, path).send().await.unwrap();
    let tag = opened.headers()[header::ETAG].clone();
    assert_eq!(opened.headers()[header::CONTENT_LENGTH], "13");
    assert_eq!(opened.headers()[header::CONTENT_DISPOSITION], "attachment; filename*=UTF-8''Dockerfile");
    assert_eq!(opened.text().await.unwrap(), "FROM busybox\n");
    let looked = me.file(Method::HEAD, path).send().await.unwrap();
    assert_eq!(looked.headers()[header::ETAG], tag);

    me.ok("echo 'RUN true' >> /root/app/Dockerfile").await;
    let mine = || me.file(Method::PUT, path).body("FROM debian\n");
    let (status, code, detail) = refusal(mine().header(header::IF_MATCH, &tag)).await;
    assert_eq!((status, code), (412, json!("changed")));
    assert!(detail.contains(path), "{detail}");
    assert_eq!(me.ok("cat /root/app/Dockerfile").await, "FROM busybox\nRUN true\n");

    let now = me.file(Method::HEAD, path).send().await.unwrap().headers()[header::ETAG].clone();
    assert_ne!(now, tag);
    let saved = json(mine().header(header::IF_MATCH, now).send().await.unwrap()).await;
    let next = me.file(Method::HEAD, path).send().await.unwrap().headers()[header::ETAG].clone();
    assert_eq!(next.to_str().unwrap(), format!("\"{}\"", saved["etag"].as_str().unwrap()));
    // A file of the lab image keeps its etag until it is written.
    let hosts =
        || async { me.file(Method::HEAD, "/etc/profile").send().await.unwrap().headers()[header::ETAG].clone() };
    let (before, text) =
        (hosts().await, me.file(Method::GET, "/etc/profile").send().await.unwrap().text().await.unwrap());
    let saved = me.file(Method::PUT, "/etc/profile").header(header::IF_MATCH, before).body(text + "\n");
    assert_eq!(saved.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(refusal(mine().header(header::IF_MATCH, "*")).await.0, 400);
}

#[tokio::test]
async fn a_tree_is_listed_changed_and_downloaded() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let folder = |path: &str| me.files(Method::PUT, "/folder", path);
    json(folder("/root/-a b/ü").send().await.unwrap()).await;
    json(folder("/root/-a b/ü").send().await.unwrap()).await;
    json(me.file(Method::PUT, "/root/-a b/ü/-rf *.txt").body("care").send().await.unwrap()).await;
    me.ok("cd '/root/-a b'; ln -s ü link; ln -s nowhere lost; mkfifo pipe; touch $'bad\\xff'").await;
    let list = me.list("/root/-a b/").await;
    assert_eq!(
        (&list["path"], &list["truncated"], &list["upload_limit"]),
        (&json!("/root/-a b"), &json!(false), &json!(512u64 << 20))
    );
    let seen: Vec<_> =
        list["entries"].as_array().unwrap().iter().map(|e| (&e["name"], &e["kind"], &e["leads_to"])).collect();
    assert_eq!(
        json!(seen),
        json!([
            ["bad\u{fffd}", "file", null],
            ["link", "link", "folder"],
            ["lost", "link", null],
            ["pipe", "other", null],
            ["ü", "folder", null]
        ])
    );
    assert_eq!(me.list("/root/-a b/link").await["path"], "/root/-a b/ü");
    assert_eq!(me.list("/proc/self").await["entries"][0]["read_only"], true);

    let step = |from: &str, to: &str| {
        me.request(Method::POST, &format!("{FILES}/move")).json(&json!({"from": from, "to": to}))
    };
    json(step("/root/-a b/ü", "/root/moved").send().await.unwrap()).await;
    assert_eq!(me.ok("cat '/root/moved/-rf *.txt'").await, "care");
    me.ok("touch /root/there").await;
    let (status, _, detail) = refusal(step("/root/there", "/root/moved")).await;
    assert!(status == 409 && detail.contains("/root/moved is there already"), "{detail}");
    assert_eq!(refusal(step("/root/there", "/tmp/there")).await.0, 409);
    assert_eq!(refusal(step("/root/none", "/root/x")).await.0, 404);

    me.ok("cd /root/moved; head -c 1000000 /dev/urandom > big; mkfifo pipe; ln -s /etc/passwd l").await;
    let tar = me.files(Method::GET, "/tar", "/root/moved").send().await.unwrap();
    assert_eq!(tar.headers()[header::CONTENT_DISPOSITION], "attachment; filename*=UTF-8''moved.tar");
    assert!(tar.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("sandbox"));
    let tar = tar.bytes().await.unwrap();
    json(me.file(Method::PUT, "/root/back.tar").body(tar).send().await.unwrap()).await;
    me.ok("cd /tmp && tar xf /root/back.tar && cmp moved/big /root/moved/big && cat 'moved/-rf *.txt'").await;
    assert_eq!(me.ok("cd /tmp; readlink moved/l; test -e moved/pipe || echo no pipe").await, "/etc/passwd\nno pipe\n");

    for _ in 0..2 {
        let gone = me.file(Method::DELETE, "/root/moved").send().await.unwrap();
        assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    }
    assert_eq!(me.ok("ls /root; ls /etc/passwd").await, "-a b\nback.tar\nthere\n/etc/passwd\n");
}

#[tokio::test]
async fn what_is_no_file_is_told_in_words() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    me.ok("mkfifo pipe; ln -s pipe to-pipe; ln -s loop loop; mkdir d; mknod zero c 1 5 || ln -s /dev/zero zero").await;
    for name in ["pipe", "to-pipe", "zero", "loop"] {
        for method in [Method::GET, Method::PUT] {
            let (status, _, detail) = refusal(me.file(method, &format!("/root/{name}")).body("x")).await;
            assert!(status == 400 && detail.contains("no regular file"), "{name}: {status} {detail}");
        }
    }
    for (method, path, status) in [
        (Method::GET, "/root/d", 409),
        (Method::PUT, "/root/d", 409),
        (Method::PUT, "/root/pipe/below", 400),
        (Method::GET, "/root/none", 404),
        (Method::GET, "/root/../etc/passwd", 400),
        (Method::PUT, "/root/../x", 400),
        (Method::DELETE, "/root/d/..", 400),
        (Method::DELETE, "/", 400),
        (Method::PUT, "/proc/sys/kernel/hostname", 403),
        (Method::GET, "relative", 400),
    ] {
        let (got, _, detail) = refusal(me.file(method.clone(), path).body("x")).await;
        assert!(got == status && detail.len() > 8, "{method} {path}: {got} {detail}");
    }
    // What has no size before it is read still comes whole; what never ends can be left.
    let status = me.file(Method::GET, "/proc/1/status").send().await.unwrap();
    assert_eq!(status.headers()["x-boatyard-read-only"], "true");
    assert!(status.text().await.unwrap().starts_with("Name:"));
    assert!(me.list("/dev").await["entries"].as_array().unwrap().len() > 5);
    assert_eq!(me.ok("echo alive").await, "alive\n");

    let other = client();
    let url = format!("{}/api/v1/sessions/{}{FILES}?path=/root/x", server.url(), me.id);
    assert_eq!(other.put(&url).body("x").send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let foreign = me.file(Method::PUT, "/root/x").header(header::ORIGIN, "https://evil.example").body("x");
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_upload_is_bounded() {
    let server = TestServer::with(&[("LIMITS__UPLOAD", "2 MiB"), ("LIMITS__DISK", "256 MiB")]);
    let me = Student::start(&server).await;
    let whole = me.file(Method::PUT, "/root/whole").body(vec![b'x'; 2 << 20]);
    assert_eq!(json(whole.send().await.unwrap()).await["size"], 2 << 20);
    for body in [reqwest::Body::from(vec![b'x'; (2 << 20) + 1]), stream((2 << 20) + 1)] {
        let (status, code, detail) = refusal(me.file(Method::PUT, "/root/large").body(body)).await;
        assert_eq!((status, code), (413, json!("too-large")));
        assert!(detail.contains("2.0 MiB"), "{detail}");
    }
    // /tmp is small; what is full is told, and nothing is left of what did not fit.
    me.ok("head -c 300M /dev/zero > /tmp/fill; df --output=avail /tmp | tail -n 1").await;
    let (status, code, detail) = refusal(me.file(Method::PUT, "/tmp/more").body(vec![b'x'; 2 << 20])).await;
    assert_eq!((status, code), (507, json!("disk-full")));
    assert!(detail.contains("/tmp/more"), "{detail}");
    assert_eq!(me.ok("find /root /tmp -name '*.part' -o -name large -o -name more").await, "");
}

#[tokio::test]
async fn two_hundred_megabytes_do_not_grow_the_server() {
    const SIZE: u64 = 200_000_000;
    let server = TestServer::start();
    let me = Student::start(&server).await;
    json(me.file(Method::PUT, "/root/first").body(stream(1 << 20)).send().await.unwrap()).await;
    // The most that the server ever had; it is set to what it has now, and read again when the upload is over.
    let peak = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    };
    std::fs::write(format!("/proc/{}/clear_refs", server.pid()), "5").unwrap();
    let before = peak();
    let written = json(me.file(Method::PUT, "/root/big").body(stream(SIZE)).send().await.unwrap()).await;
    assert_eq!(written["size"], SIZE);
    let up = peak().saturating_sub(before);
    let down = me.file(Method::GET, "/root/big").send().await.unwrap();
    let mut got = 0;
    let mut body = down.bytes_stream();
    while let Some(chunk) = futures_util::StreamExt::next(&mut body).await {
        got += chunk.unwrap().len() as u64;
    }
    assert_eq!(got, SIZE);
    let both = peak().saturating_sub(before);
    println!("the server grew by {} KiB in the upload, {} KiB with the download", up >> 10, both >> 10);
    assert!(both < 16 << 20, "the server grew by {both} bytes");
}

#[tokio::test]
async fn a_terminal_says_where_it_is() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let mut t = me.terminal("main", None).await;
    t.wait_for("# ").await;
    let cwd = || async { me.get("/nodes/node1/terminals").await[0]["cwd"].clone() };
    assert_eq!(cwd().await, "/root");
    t.write("mkdir -p 'a b'; cd 'a b'\r").await;
    eventually("it follows the shell", Duration::from_secs(20), || async { cwd().await == "/root/a b" }).await;
    t.write("rmdir ../'a b'\r").await;
    eventually("a folder that is gone is none", Duration::from_secs(20), || async { cwd().await.is_null() }).await;
}
