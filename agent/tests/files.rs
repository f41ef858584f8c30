//! Files through the real agent, in a folder where a student has put all that could be in the way.

mod common;

use std::{
    collections::BTreeMap,
    io::Read,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::PathBuf,
};

use boatyard_protocol::agent::*;
use bytes::Bytes;
use common::Agent;
use http_body_util::Full;
use hyper::{Method, Request, StatusCode};

fn at(agent: &Agent, name: &str) -> String {
    agent.folder.path().join(name).display().to_string()
}

fn uri(agent: &Agent, what: &str, name: &str) -> String {
    format!("/v1/files{what}?path={}", at(agent, name))
}

/// Writes with a condition.
async fn put(agent: &Agent, name: &str, header: (&str, &str), body: &str) -> StatusCode {
    let request = Request::put(uri(agent, "", name)).header("host", "a").header(header.0, header.1);
    agent.raw(request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()).await.0
}

/// The etag of the file `f/new` as a header has it.
async fn tag(agent: &Agent) -> String {
    format!("\"{}\"", list(agent, "f").await.entries[0].etag)
}

async fn list(agent: &Agent, name: &str) -> FileList {
    serde_json::from_slice(&agent.call(Method::GET, &uri(agent, "/list", name), "").await.1).unwrap()
}

#[tokio::test]
async fn a_condition_is_judged_with_the_replacement() {
    let agent = Agent::start().await;
    assert_eq!(put(&agent, "f/new", ("if-none-match", "*"), "one").await, StatusCode::OK);
    assert_eq!(put(&agent, "f/new", ("if-none-match", "*"), "two").await, StatusCode::PRECONDITION_FAILED);
    let seen = tag(&agent).await;
    // Of many writers that have seen the same file, one wins.
    let writes = (0..8).map(|n| {
        let (agent, seen) = (&agent, &seen);
        async move { put(agent, "f/new", ("if-match", seen), &format!("writer {n}")).await }
    });
    let answers = futures_util::future::join_all(writes).await;
    assert_eq!(answers.iter().filter(|s| **s == StatusCode::OK).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|s| **s == StatusCode::PRECONDITION_FAILED).count(), 7, "{answers:?}");
    // So is a change by a program.
    let seen = tag(&agent).await;
    std::fs::write(at(&agent, "f/new"), "writer x").unwrap();
    assert_eq!(put(&agent, "f/new", ("if-match", &seen), "mine").await, StatusCode::PRECONDITION_FAILED);
    assert_eq!(std::fs::read(at(&agent, "f/new")).unwrap(), b"writer x");
    std::fs::remove_file(at(&agent, "f/new")).unwrap();
    assert_eq!(put(&agent, "f/new", ("if-match", &seen), "mine").await, StatusCode::PRECONDITION_FAILED);
    assert_eq!(put(&agent, "f/new", ("if-match", "*"), "mine").await, StatusCode::BAD_REQUEST);
    assert!(list(&agent, "f").await.entries.is_empty(), "no draft is left");
}

#[tokio::test]
async fn nothing_but_a_regular_file_is_opened() {
    let agent = Agent::start().await;
    nix::unistd::mkfifo(agent.folder.path().join("pipe").as_path(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    symlink("pipe", at(&agent, "to-pipe")).unwrap();
    symlink("loop", at(&agent, "loop")).unwrap();
    symlink("nowhere", at(&agent, "dangling")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at(&agent, "socket")).unwrap();
    for name in ["pipe", "to-pipe", "socket"] {
        for method in [Method::GET, Method::PUT] {
            let (status, body) = agent.call(method.clone(), &uri(&agent, "", name), "x").await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{method} {name}: {body:?}");
        }
    }
    let (status, _) = agent.call(Method::GET, &uri(&agent, "", "dangling"), "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(agent.call(Method::GET, &uri(&agent, "", "loop"), "").await.0.is_client_error());
    let kinds: BTreeMap<_, _> =
        list(&agent, "").await.entries.into_iter().map(|e| (e.name, (e.kind, e.leads_to))).collect();
    assert_eq!(kinds["pipe"], (FileKind::Other, None));
    assert_eq!(kinds["to-pipe"], (FileKind::Link, Some(FileKind::Other)));
    assert_eq!(kinds["dangling"], (FileKind::Link, None));

    // The kernel's files can be read, not replaced.
    let (status, body) = agent.call(Method::GET, "/v1/files?path=/proc/self/status", "").await;
    assert!(status == StatusCode::OK && body.starts_with(b"Name:"));
    let (status, _) = agent.call(Method::PUT, "/v1/files?path=/proc/sys/kernel/hostname", "x").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (_, body) = agent.call(Method::GET, "/v1/files/list?path=/proc/sys/kernel", "").await;
    assert!(serde_json::from_slice::<FileList>(&body).unwrap().entries.iter().all(|e| e.read_only));
    for path in ["/dev/zero", "/dev/null"] {
        let (status, _) = agent.call(Method::PUT, &format!("/v1/files?path={path}"), "x").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
    }
    assert_eq!(agent.call(Method::DELETE, "/v1/files?path=/", "").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn folders_are_made_moved_and_removed() {
    let agent = Agent::start().await;
    std::fs::create_dir(at(&agent, "home")).unwrap();
    std::os::unix::fs::chown(at(&agent, "home"), Some(1234), Some(56)).unwrap();
    for _ in 0..2 {
        assert_eq!(agent.call(Method::PUT, &uri(&agent, "/folder", "home/a/b"), "").await.0, StatusCode::OK);
    }
    assert_eq!(agent.call(Method::PUT, &uri(&agent, "", "home/a/b/file"), "text").await.0, StatusCode::OK);
    for name in ["home/a", "home/a/b", "home/a/b/file"] {
        let meta = std::fs::metadata(at(&agent, name)).unwrap();
        assert_eq!((meta.uid(), meta.gid()), (1234, 56), "{name} is the home's owner's");
    }
    assert_eq!(agent.call(Method::PUT, &uri(&agent, "/folder", "home/a/b/file"), "").await.0, StatusCode::CONFLICT);

    let step = async |from: &str, to: &str| {
        let m = FileMove { from: at(&agent, from), to: at(&agent, to) };
        agent.call(Method::POST, "/v1/files/move", serde_json::to_vec(&m).unwrap()).await.0
    };
    assert_eq!(step("home/a/b", "home/-c d").await, StatusCode::OK);
    assert_eq!(step("home/-c d", "home/a").await, StatusCode::CONFLICT);
    assert_eq!(step("home/nothing", "home/x").await, StatusCode::NOT_FOUND);
    assert_eq!(step("home/a", "home/a/below").await, StatusCode::BAD_REQUEST);

    // So deep that a program that calls itself for each folder would fall over.
    let deep = "d/".repeat(1500);
    assert_eq!(agent.call(Method::PUT, &uri(&agent, "/folder", &deep), "").await.0, StatusCode::OK);
    assert_eq!(agent.call(Method::DELETE, &uri(&agent, "", "d"), "").await.0, StatusCode::NO_CONTENT);
    assert!(!agent.folder.path().join("d").exists());
    symlink("/etc", at(&agent, "home/link")).unwrap();
    assert_eq!(agent.call(Method::DELETE, &uri(&agent, "", "home"), "").await.0, StatusCode::NO_CONTENT);
    assert!(std::path::Path::new("/etc/passwd").exists(), "a link is removed, not what it leads to");
}

#[tokio::test]
async fn a_listing_is_cut_and_says_so() {
    let agent = Agent::start().await;
    for n in 0..5_001 {
        std::fs::write(at(&agent, &format!("{n}")), "").unwrap();
    }
    let long = list(&agent, "").await;
    assert!(long.truncated && long.entries.len() == 5_000);
}

#[tokio::test]
async fn a_folder_comes_as_an_archive() {
    let agent = Agent::start().await;
    let top = agent.folder.path().join("top");
    std::fs::create_dir_all(top.join("sub/empty")).unwrap();
    let big: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
    std::fs::write(top.join("sub/big"), &big).unwrap();
    std::fs::set_permissions(top.join("sub/big"), std::fs::Permissions::from_mode(0o754)).unwrap();
    std::fs::write(top.join("ü -x"), "short").unwrap();
    symlink("../elsewhere", top.join("link")).unwrap();
    nix::unistd::mkfifo(top.join("pipe").as_path(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let (status, body) = agent.call(Method::GET, &uri(&agent, "/tar", "top"), "").await;
    assert_eq!(status, StatusCode::OK);
    let mut archive = tar::Archive::new(&body[..]);
    let mut found = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let link = entry.link_name().unwrap().map(|l| l.into_owned());
        found.insert(entry.path().unwrap().into_owned(), (entry.header().mode().unwrap() & 0o777, bytes, link));
    }
    let names: Vec<_> = found.keys().map(|p| p.to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["top", "top/link", "top/sub", "top/sub/big", "top/sub/empty", "top/ü -x"]);
    assert!(found[&PathBuf::from("top/sub/big")] == (0o754, big, None));
    assert_eq!(found[&PathBuf::from("top/link")].2.as_deref(), Some("../elsewhere".as_ref()));
    assert_eq!(
        agent
            .call(Method::GET, &uri(&agent, "/tar", "top/ü -x").replace(" ", "%20").replace("ü", "%C3%BC"), "")
            .await
            .0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn archives_that_nobody_reads_are_few() {
    let agent = Agent::start().await;
    let top = agent.folder.path().join("top");
    std::fs::create_dir(&top).unwrap();
    std::fs::write(top.join("big"), vec![7; 8 << 20]).unwrap();
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let ask = async || {
        let mut stream = agent.connect().await;
        let request = format!("GET {} HTTP/1.1\r\nhost: a\r\n\r\n", uri(&agent, "/tar", "top"));
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        (String::from_utf8_lossy(&head).into_owned(), stream)
    };
    let mut open = Vec::new();
    for _ in 0..4 {
        let (head, stream) = ask().await;
        assert!(head.ends_with("200"), "{head}");
        open.push(stream);
    }
    assert!(ask().await.0.ends_with("409"));
    // A reader that goes away gives its place back.
    open.clear();
    for _ in 0..200 {
        if ask().await.0.ends_with("200") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no place became free");
}

#[tokio::test]
async fn a_terminal_says_where_it_is() {
    let agent = Agent::start().await;
    std::fs::create_dir(at(&agent, "work")).unwrap();
    let work = at(&agent, "work");
    agent.open("t", 80, 24, &["sh", "-c", &format!("cd {work}; (cd /usr; exec sleep 60)")]).await;
    let cwd = async |wanted: &str| {
        for _ in 0..200 {
            let now = agent.terminals().await[0].cwd.clone();
            if now.as_deref() == Some(wanted) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("it is in {:?}", agent.terminals().await[0].cwd);
    };
    // Without job control the shell leads its foreground's process group.
    cwd(&work).await;
}
