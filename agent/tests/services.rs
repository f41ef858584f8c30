//! Commands, files, dialling, streams and events of the real agent.

mod common;

use std::{os::unix::fs::PermissionsExt, time::Duration};

use boatyard_protocol::agent::*;
use bytes::Bytes;
use common::Agent;
use futures_util::StreamExt;
use http_body_util::Full;
use hyper::{Method, Request, StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout},
};

fn path(agent: &Agent, name: &str) -> String {
    agent.folder.path().join(name).display().to_string()
}

/// Asks for a raw stream; gives it, or the status that refuses it.
async fn stream(agent: &Agent, path: &str) -> Result<TokioIo<hyper::upgrade::Upgraded>, StatusCode> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(agent.connect().await)).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    let request = Request::get(path).header("host", "a").header("connection", "upgrade").header("upgrade", UPGRADE);
    let response = sender.send_request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => Ok(TokioIo::new(hyper::upgrade::on(response).await.unwrap())),
        status => Err(status),
    }
}

async fn next_event(
    ws: &mut (
             impl StreamExt<Item = Result<tokio_tungstenite::tungstenite::Message, tokio_tungstenite::tungstenite::Error>>
             + Unpin
         ),
) -> Event {
    let message = timeout(Duration::from_secs(5), ws.next()).await.expect("no event").unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

#[tokio::test]
async fn a_command_runs_to_its_end() {
    let agent = Agent::start().await;
    let done = agent.sh("echo out; echo err >&2; echo $HOME $USER $LANG; exit 7").await;
    assert_eq!((done.exit_code, done.stderr.as_str()), (7, "err\n"));
    assert!(done.stdout.starts_with("out\n/root root C.UTF-8"), "{done:?}");
    let input = "x".repeat(3 << 20);
    let done = agent
        .exec(ExecRequest {
            command: vec!["wc".into(), "-c".into()],
            stdin: Some(input),
            timeout_ms: 5000,
            max_output: 100,
            ..Default::default()
        })
        .await;
    assert_eq!(done.stdout.trim(), "3145728");
    assert_eq!(agent.sh("kill -9 $$").await.exit_code, 137);
    // What a command leaves in the background does not hold its answer up.
    let began = Instant::now();
    assert_eq!(agent.sh("sleep 30 & echo started").await.stdout, "started\n");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn an_ordinary_users_commands_and_files_are_theirs() {
    let config = serde_json::json!({"hostname": "test", "docker": "off", "user": "nobody"});
    let agent = Agent::with(config).await;
    let done = agent.sh("id -un; id -Gn; echo $USER $XDG_RUNTIME_DIR; grep CapEff /proc/self/status").await;
    assert_eq!(done.stdout, "nobody\nnogroup\nnobody /run/user/65534\nCapEff:\t0000000000000000\n", "{done:?}");
    // Unless another is named.
    let run = |user: &str| ExecRequest {
        command: vec!["id".into(), "-u".into()],
        user: Some(user.into()),
        timeout_ms: 5000,
        max_output: 100,
        ..Default::default()
    };
    assert_eq!(agent.exec(run("root")).await.stdout, "0\n");
    let unknown = serde_json::to_vec(&run("no-such")).unwrap();
    assert_eq!(agent.call(Method::POST, "/v1/exec", unknown).await.0, StatusCode::BAD_REQUEST);

    // A new file is whose its folder is, with the folders that it needs.
    let folder = agent.folder.path().join("theirs");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::chown(&folder, Some(65534), Some(65534)).unwrap();
    let path = folder.join("a/b/file");
    let (status, body) = agent.call(Method::PUT, &format!("/v1/files?path={}", path.display()), "x").await;
    assert_eq!(status, StatusCode::OK, "{body:?}");
    for made in [path.as_path(), path.parent().unwrap()] {
        assert_eq!(std::os::unix::fs::MetadataExt::uid(&made.metadata().unwrap()), 65534, "{made:?}");
    }
}

#[tokio::test]
async fn a_commands_time_and_output_are_bounded() {
    let agent = Agent::start().await;
    let began = Instant::now();
    let run = |script: &str| ExecRequest {
        command: vec!["sh".into(), "-c".into(), script.into()],
        timeout_ms: 300,
        max_output: 10,
        ..Default::default()
    };
    let done = agent.exec(run("echo before; sleep 77 & sleep 77")).await;
    assert!(done.timed_out && done.exit_code == 137 && done.stdout == "before\n", "{done:?}");
    assert!(began.elapsed() < Duration::from_secs(20));
    let left = agent.sh("pgrep -f '[s]leep 77'").await;
    assert_eq!(left.stdout, "", "the whole group should be gone");
    let done = agent.exec(ExecRequest { timeout_ms: 5000, ..run("head -c 5000000 /dev/zero | tr '\\0' x") }).await;
    assert_eq!((done.stdout.as_str(), done.truncated, done.exit_code), ("xxxxxxxxxx", true, 0));
    for (command, code) in [("nosuchcommand", 127), ("/", 126)] {
        let done =
            agent.exec(ExecRequest { command: vec![command.into()], timeout_ms: 99, ..Default::default() }).await;
        assert_eq!(done.exit_code, code, "{done:?}");
    }
    for body in ["{}", "nonsense", r#"{"command":[],"timeout_ms":1,"max_output":1}"#] {
        let (status, body) = agent.call(Method::POST, "/v1/exec", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(serde_json::from_slice::<Problem>(&body).unwrap().status, 400);
    }
}

#[tokio::test]
async fn a_caller_who_leaves_takes_the_command_along() {
    let agent = Agent::start().await;
    let long = agent.sh("exec sleep 78");
    assert!(timeout(Duration::from_millis(500), long).await.is_err());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(agent.sh("pgrep -f '[s]leep 78'").await.stdout, "");
}

#[tokio::test]
async fn files_are_written_whole_or_not_at_all() {
    let agent = Agent::start().await;
    let file = path(&agent, "new/folder/file.bin");
    let bytes: Vec<u8> = (0..5_000_000u32).map(|n| (n % 253) as u8).collect();
    let uri = format!("/v1/files?path={file}");
    let (status, body) = agent.call(Method::PUT, &format!("{uri}&mode=384"), bytes.clone()).await;
    let entry: FileEntry = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, entry.size, entry.mode, entry.kind), (StatusCode::OK, 5_000_000, 0o600, FileKind::File));
    let (status, headers, read) =
        agent.raw(Request::get(&uri).header("host", "a").body(Full::default()).unwrap()).await;
    assert!(status == StatusCode::OK && read == bytes);
    let told: FileEntry = serde_json::from_slice(headers["x-boatyard-file"].as_bytes()).unwrap();
    assert_eq!(told, entry);

    // Owner and mode of what is replaced stay; the etag does not.
    std::os::unix::fs::chown(&file, Some(12), Some(34)).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o751)).unwrap();
    let replaced: FileEntry = serde_json::from_slice(&agent.call(Method::PUT, &uri, "short").await.1).unwrap();
    assert_eq!((replaced.size, replaced.mode), (5, 0o751));
    assert_ne!(replaced.etag, entry.etag);
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(&file).unwrap();
    assert_eq!((meta.uid(), meta.gid()), (12, 34));

    // An upload that breaks off changes nothing and leaves nothing.
    let mut half = agent.connect().await;
    let head = format!("PUT {uri} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nhalf of it");
    half.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(half);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(std::fs::read(&file).unwrap(), b"short");

    std::os::unix::fs::symlink("file.bin", path(&agent, "new/folder/link")).unwrap();
    let (_, body) = agent.call(Method::GET, &format!("/v1/files/list?path={}", path(&agent, "new/folder")), "").await;
    let list: FileList = serde_json::from_slice(&body).unwrap();
    let names: Vec<_> =
        list.entries.iter().map(|e| (e.name.as_str(), e.kind, e.target.as_deref(), e.leads_to)).collect();
    let link = ("link", FileKind::Link, Some("file.bin"), Some(FileKind::File));
    assert_eq!(names, [("file.bin", FileKind::File, None, None), link]);
    assert!(!list.truncated && list.path == path(&agent, "new/folder"));

    // Writing through a link writes what it points to.
    let link = format!("/v1/files?path={}", path(&agent, "new/folder/link"));
    assert_eq!(agent.call(Method::PUT, &link, "through").await.0, StatusCode::OK);
    assert_eq!(std::fs::read(&file).unwrap(), b"through");
    assert!(std::fs::symlink_metadata(path(&agent, "new/folder/link")).unwrap().is_symlink());

    let folder = format!("/v1/files?path={}", path(&agent, "new"));
    assert_eq!(agent.call(Method::GET, &folder, "").await.0, StatusCode::CONFLICT);
    assert_eq!(agent.call(Method::PUT, &folder, "x").await.0, StatusCode::CONFLICT);
    for _ in 0..2 {
        assert_eq!(agent.call(Method::DELETE, &folder, "").await.0, StatusCode::NO_CONTENT);
    }
    for gone in [&folder, &uri, "/v1/files/list?path=/nosuch"] {
        assert_eq!(agent.call(Method::GET, gone, "").await.0, StatusCode::NOT_FOUND);
    }
    for bad in ["/v1/files", "/v1/files?path=", "/v1/files?path=%00", "/v1/files?path=/dev/zero"] {
        assert_eq!(agent.call(Method::GET, bad, "").await.0, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn ports_and_sockets_are_dialled() {
    let agent = Agent::start().await;
    let echo = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = echo.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut s, _) = echo.accept().await.unwrap();
        let (mut r, mut w) = s.split();
        tokio::io::copy(&mut r, &mut w).await.unwrap();
    });
    let s = stream(&agent, &format!("/v1/dial?port={port}")).await.unwrap();
    let (mut r, mut w) = tokio::io::split(s);
    let sent: Vec<u8> = (0..20_000_000u32).map(|n| (n >> 3) as u8).collect();
    let all = sent.clone();
    tokio::spawn(async move {
        w.write_all(&all).await.unwrap();
        w.shutdown().await.unwrap();
    });
    let mut back = Vec::new();
    r.read_to_end(&mut back).await.unwrap();
    assert!(back == sent);

    assert_eq!(stream(&agent, "/v1/dial?port=1").await.err(), Some(StatusCode::BAD_GATEWAY));
    assert_eq!(stream(&agent, "/v1/dial?unix=/nosuch").await.err(), Some(StatusCode::BAD_GATEWAY));
    for bad in ["/v1/dial", "/v1/dial?port=0", "/v1/dial?port=70000", "/v1/dial?port=1&unix=/x"] {
        assert_eq!(stream(&agent, bad).await.err(), Some(StatusCode::BAD_REQUEST), "{bad}");
    }
    let mut itself = stream(&agent, &format!("/v1/dial?unix={}", path(&agent, "agent.sock"))).await.unwrap();
    itself.write_all(b"GET /v1/info HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    itself.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
}

#[tokio::test]
async fn streams_are_offered_and_collected() {
    let port = free_port();
    let agent = Agent::with(serde_json::json!({
        "hostname": "test", "docker": "off", "tunnels": [{"service": "registry", "port": port}],
    }))
    .await;
    // Opened before anyone accepts: it waits.
    let mut inside = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut accept = agent.socket("/v1/accept").await;
    let message = accept.next().await.unwrap().unwrap();
    let offer: StreamOffer = serde_json::from_str(message.to_text().unwrap()).unwrap();
    assert_eq!(offer.service, "registry");
    let path = format!("/v1/streams/{}", offer.stream);
    let mut outside = stream(&agent, &path).await.unwrap();
    assert_eq!(stream(&agent, &path).await.err(), Some(StatusCode::NOT_FOUND), "a stream is collected once");
    inside.write_all(b"ping").await.unwrap();
    let mut buf = [0; 4];
    outside.read_exact(&mut buf).await.unwrap();
    outside.write_all(b"pong").await.unwrap();
    inside.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"pong");
    drop(outside);
    assert_eq!(inside.read(&mut buf).await.unwrap(), 0);
}

#[tokio::test]
async fn events_tell_what_happens() {
    let agent = Agent::start().await;
    let mut ws = agent.socket("/v1/events").await;
    assert_eq!(next_event(&mut ws).await, Event::DockerState { state: DockerState::Absent });
    assert_eq!(next_event(&mut ws).await, Event::Terminals { terminals: vec![] });
    assert!(matches!(next_event(&mut ws).await, Event::Ports { .. }));

    agent.open("t", 80, 24, &["sh", "-c", "echo hi; sleep 0.2; exit 4"]).await;
    let (mut active, mut code) = (false, None);
    while code.is_none() {
        match next_event(&mut ws).await {
            Event::Activity { terminal } => active |= terminal == "t",
            Event::Terminals { terminals } => code = terminals[0].exit_code,
            _ => {}
        }
    }
    assert_eq!((active, code), (true, Some(4)));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = ListeningPort { port: listener.local_addr().unwrap().port(), loopback: true };
    let told = async |ws: &mut _, there: bool| loop {
        if let Event::Ports { listening } = next_event(ws).await
            && listening.contains(&here) == there
        {
            return;
        }
    };
    told(&mut ws, true).await;
    drop(listener);
    told(&mut ws, false).await;
}

#[tokio::test]
async fn an_idle_agent_is_small_and_ends_quickly() {
    let agent = Agent::start().await;
    let info: AgentInfo = serde_json::from_slice(&agent.call(Method::GET, "/v1/info", "").await.1).unwrap();
    assert_eq!((info.protocol, info.docker), (boatyard_protocol::VERSION, DockerState::Absent));
    agent.open("t", 80, 24, &["sh", "-c", "trap '' HUP TERM; sleep 60"]).await;
    let began = Instant::now();
    assert_eq!(agent.call(Method::POST, "/v1/shutdown", "").await.0, StatusCode::ACCEPTED);
    while std::fs::read_to_string(format!("/proc/{}/stat", agent.pid())).is_ok_and(|s| !s.contains(") Z ")) {
        assert!(began.elapsed() < Duration::from_secs(20), "still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
