//! From a student's own machine by ssh: shells, commands, files, and who gets in.

mod common;

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use common::{
    TestServer, eventually,
    laptop::{self, Laptop, run, text},
    student::{Student, json},
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};

fn server() -> TestServer {
    TestServer::with(&[("SSH__LISTEN", "127.0.0.1:0")])
}

#[tokio::test]
async fn commands_have_streams_exit_codes_and_terminals() {
    let server = server();
    let me = Student::start(&server).await;
    let laptop = Laptop::of(&me).await;
    let out = laptop.ssh(&["node1", "echo out; echo err >&2; exit 7"]).await;
    assert_eq!(out.status.code(), Some(7), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!((&out.stdout[..], &out.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
    assert_eq!(laptop.ssh(&["node1", "kill -9 $$"]).await.status.code(), Some(137));

    // Capital letters are the same, and where one is, and as whom.
    let user = format!("{}@node1", laptop.user("node1").to_uppercase());
    assert_eq!(laptop.ok(&[&user, "hostname; whoami; pwd"]).await, "node1\nroot\n/root\n");

    // Its input ends when the client's does.
    let mut c = laptop.open("/usr/bin/ssh", &["node1", "tr a-z A-Z; echo ended"]);
    let input = laptop.path("input");
    std::fs::write(&input, "hello\n").unwrap();
    c.stdin(std::fs::File::open(&input).unwrap());
    assert_eq!(text(run(c).await), "HELLO\nended\n");

    // A terminal of the asked kind; a language that the lab image lacks is not taken over.
    let mut c = laptop.open("/usr/bin/ssh", &["-tt", "-o", "SendEnv=LANG LC_TIME", "node1"]);
    c.env("TERM", "screen-256color").env("LANG", "de_DE.UTF-8").env("LC_TIME", "C.UTF-8");
    std::fs::write(&input, "tty; echo \"<$TERM|$LANG|$LC_TIME>\"; test -t 0 && echo terminal; exit 5\n").unwrap();
    c.stdin(std::fs::File::open(&input).unwrap());
    let out = run(c).await;
    let said = String::from_utf8_lossy(&out.stdout);
    assert_eq!(out.status.code(), Some(5), "{said}");
    assert!(said.contains("/dev/pts/") && said.contains("<screen-256color|C.UTF-8|C.UTF-8>"), "{said}");
    assert!(said.contains("terminal\r\n") && said.contains("root@node1"), "a login shell with a prompt: {said}");

    // What is refused is refused, and the rest goes on.
    assert!(!laptop.ssh(&["-s", "node1", "netconf"]).await.status.success());
    assert_eq!(laptop.ok(&["-A", "-X", "node1", "echo on"]).await, "on\n");

    // A command that loses its client is hung up.
    let mut c = laptop.bare(&["node1", "echo $$ >/tmp/lost; sleep 1000"]).spawn().unwrap();
    eventually("it runs", Duration::from_secs(20), || async { me.sh("test -s /tmp/lost").await.0 == 0 }).await;
    c.kill().unwrap();
    c.wait().unwrap();
    eventually("it is hung up", Duration::from_secs(20), || async { me.sh("kill -0 $(cat /tmp/lost)").await.0 != 0 })
        .await;
}

#[tokio::test]
async fn files_arrive_whole_in_every_way() {
    let server = server();
    let me = Student::start(&server).await;
    let laptop = Laptop::of(&me).await;
    let big: Vec<u8> = {
        let mut x = 1u64;
        let mut next = || {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x.to_le_bytes()
        };
        (0..100 << 17).flat_map(|_| next()).collect()
    };
    let digest = hex::encode(Sha256::digest(&big));
    std::fs::write(laptop.path("big"), &big).unwrap();
    for (name, way) in [("sftp", &[][..]), ("scp", &["-O"][..]), ("rekeyed", &["-o", "RekeyLimit=8M"][..])] {
        let (to, back) = (format!("node1:{name}"), format!("{name}.back"));
        let began = Instant::now();
        let args = |from: &'static str, to: &str| {
            [&["-q"], way, &[from]].concat().iter().map(|s| s.to_string()).chain([to.to_owned()]).collect::<Vec<_>>()
        };
        let up = args("big", &to);
        text(run(laptop.open("/usr/bin/scp", &up.iter().map(String::as_str).collect::<Vec<_>>())).await);
        assert!(me.ok(&format!("sha256sum {name}")).await.starts_with(&digest), "{name}: there");
        let mut down: Vec<&str> = vec!["-q"];
        down.extend(way);
        down.extend([to.as_str(), back.as_str()]);
        text(run(laptop.open("/usr/bin/scp", &down)).await);
        let read = std::fs::read(laptop.path(&back)).unwrap();
        assert_eq!(hex::encode(Sha256::digest(&read)), digest, "{name}: and back");
        println!("{name}: 100 MiB there and back in {:?}", began.elapsed());
        me.ok(&format!("rm {name}")).await;
    }
    std::fs::write(laptop.path("batch"), "mkdir a\nput big a/b\nls -l a\nrename a/b a/c\nget a/c c\n").unwrap();
    let listed = text(run(laptop.open("/usr/bin/sftp", &["-b", "batch", "node1"])).await);
    assert!(listed.contains("104857600"), "{listed}");
    assert_eq!(std::fs::read(laptop.path("c")).unwrap().len(), big.len());

    // What is read as it is written: neither side waits for the other for ever.
    let mut c = laptop.open("/usr/bin/ssh", &["node1", "cat"]);
    c.stdin(std::fs::File::open(laptop.path("big")).unwrap());
    let out = run(c).await;
    assert_eq!(hex::encode(Sha256::digest(&out.stdout)), digest, "{}", String::from_utf8_lossy(&out.stderr));
}

#[tokio::test]
async fn a_lab_image_without_sftp_says_so() {
    let server = server();
    let me = Student::start_with(&server, json!({"image": "minimal"})).await;
    let laptop = Laptop::of(&me).await;
    std::fs::write(laptop.path("f"), "text").unwrap();
    let out = run(laptop.open("/usr/bin/scp", &["-q", "f", "node1:"])).await;
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success() && said.contains("has no sftp-server"), "{said}");
    assert_eq!(laptop.ok(&["node1", "hostname"]).await, "node1\n");
}

#[tokio::test]
async fn one_connection_carries_many_channels_and_none_waits_for_another() {
    let server = server();
    let me = Student::start(&server).await;
    let laptop = Laptop::of(&me).await;
    laptop.configure(&format!("ControlPath {}/%C", laptop.folder().display()));
    let mut master = laptop.bare(&["-M", "-N", "node1"]).spawn().unwrap();
    eventually("the connection is up", Duration::from_secs(20), || async {
        laptop.ssh(&["-O", "check", "node1"]).await.status.success()
    })
    .await;
    assert_eq!(laptop.ok(&["node1", "echo one"]).await, "one\n");
    // One that does not read what it is sent, however much.
    let mut stuck = laptop.bare(&["node1", "sleep 1000"]);
    let zeros = std::fs::File::open("/dev/zero").unwrap();
    let mut stuck = stuck.stdin(zeros).stdout(Stdio::null()).spawn().unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(laptop.ok(&["node1", "echo two"]).await, "two\n");
    let lots = laptop.ok(&["node1", "head -c 20000000 /dev/zero | tr '\\0' x"]).await;
    assert_eq!(lots.len(), 20_000_000);
    let all = (0..6).map(|n| {
        let n = n.to_string();
        let laptop = &laptop;
        async move { laptop.ok(&["node1", &format!("sleep 1; echo {n}")]).await }
    });
    let all = futures_util::future::join_all(all).await;
    assert_eq!(all, ["0\n", "1\n", "2\n", "3\n", "4\n", "5\n"]);
    stuck.kill().unwrap();
    stuck.wait().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    println!("{}", status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default());
    master.kill().unwrap();
    master.wait().unwrap();
}

#[tokio::test]
async fn strangers_stay_outside_whoever_they_say_they_are() {
    let server = server();
    let me = Student::start(&server).await;
    let stranger = Laptop::stranger(&me).await;
    let batch = ["-o", "BatchMode=yes"];
    let denied = |out: &std::process::Output| {
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.code() == Some(255) && said.contains("Permission denied (publickey,password)"), "{said}");
    };
    denied(&stranger.ssh(&[&batch[..], &["node1", "true"]].concat()).await);
    // A session that is not there, and a node that is not, fail as a wrong password does.
    for user in [stranger.user("node1"), stranger.user("node9"), "abcdefghij-node1".into(), "root".into()] {
        let began = Instant::now();
        denied(&stranger.ssh_with("aaaa-bbbb-cccc-dddd", &[&format!("{user}@127.0.0.1"), "true"]).await);
        assert!(began.elapsed() > Duration::from_millis(400), "{user}: refused in the same time");
    }
    // Another session's key opens this one no more than any other does.
    let other = Student::start(&server).await;
    let elsewhere = Laptop::of(&other).await;
    denied(&elsewhere.ssh(&["-o", "BatchMode=yes", &format!("{}@127.0.0.1", stranger.user("node1")), "true"]).await);
}

#[tokio::test]
async fn a_password_is_good_for_one_sign_in() {
    let server = server();
    let me = Student::start(&server).await;
    let laptop = Laptop::stranger(&me).await;
    let made = json(me.request(Method::POST, "/ssh/password").send().await.unwrap()).await;
    let password = made["password"].as_str().unwrap();
    assert_eq!(text(laptop.ssh_with(password, &["node1", "hostname"]).await), "node1\n");
    let again = laptop.ssh_with(password, &["node1", "hostname"]).await;
    assert_eq!(again.status.code(), Some(255), "it was used");
    // Dashes are for reading. What was made is nowhere to be read.
    let made = json(me.request(Method::POST, "/ssh/password").send().await.unwrap()).await;
    let password = made["password"].as_str().unwrap();
    let stored = std::fs::read(server.paths().database()).unwrap();
    let log = std::fs::read(server.paths().database().with_extension("db-wal")).unwrap_or_default();
    for file in [stored, log] {
        assert!(!file.windows(password.len()).any(|w| w == password.as_bytes()));
    }
    assert_eq!(text(laptop.ssh_with(&password.replace('-', ""), &["node1", "hostname"]).await), "node1\n");
}

#[tokio::test]
async fn connections_end_with_their_key_their_node_and_their_session() {
    let server = server();
    let me = Student::start(&server).await;
    let laptop = Laptop::of(&me).await;
    let second = me.add_node().await;
    let wait = |node: &str| {
        let mut c = laptop.open("/usr/bin/ssh", &[node, "echo up; sleep 1000"]);
        let mut child = c.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut up = [0; 3];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut up).unwrap();
        child
    };
    let over = |mut child: std::process::Child| {
        tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            while child.try_wait().unwrap().is_none() {
                assert!(began.elapsed() < Duration::from_secs(10), "the connection is still there");
                std::thread::sleep(Duration::from_millis(20));
            }
            laptop::text_of(child)
        })
    };
    let on_second = wait(&second);
    let removed = me.request(Method::DELETE, &format!("/nodes/{second}")).send().await.unwrap();
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    assert!(over(on_second).await.unwrap().contains("the node has left it"));

    let by_key = wait("node1");
    let key = json(me.request(Method::GET, "/ssh").send().await.unwrap()).await["keys"][0]["id"].clone();
    let removed = me.request(Method::DELETE, &format!("/ssh/keys/{key}")).send().await.unwrap();
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    assert!(over(by_key).await.unwrap().contains("the key was removed"));
    assert_eq!(laptop.ssh(&["-o", "BatchMode=yes", "node1", "true"]).await.status.code(), Some(255));

    let public = std::fs::read_to_string(laptop.path("key.pub")).unwrap();
    let again = me.request(Method::POST, "/ssh/keys").json(&json!({"key": public, "name": "again"})).send().await;
    assert_eq!(again.unwrap().status(), StatusCode::CREATED);
    let last = wait("node1");
    me.close().await;
    assert!(over(last).await.unwrap().contains("the session has ended"));
    assert_eq!(laptop.ssh(&["-o", "BatchMode=yes", "node1", "true"]).await.status.code(), Some(255));
}

#[tokio::test]
async fn the_host_key_stays_and_the_api_says_what_is_wrong() {
    let mut server = server();
    let me = Student::start(&server).await;
    let before = json(me.request(Method::GET, "/ssh").send().await.unwrap()).await;
    let key = server.paths().ssh_host_key();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions()) & 0o777, 0o600);
    let shown = std::process::Command::new("ssh-keygen").arg("-lf").arg(&key).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(before["fingerprint"].as_str().unwrap()), "{shown}");
    for (body, said) in [
        (json!({"key": "hello"}), "this is no public key"),
        (json!({"key": "-----BEGIN OPENSSH PRIVATE KEY-----"}), "this is a private key"),
    ] {
        let answer = me.request(Method::POST, "/ssh/keys").json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert!(answer.text().await.unwrap().contains(said));
    }
    let laptop = Laptop::of(&me).await;
    let twice = json!({"key": std::fs::read_to_string(laptop.path("key.pub")).unwrap()});
    let answer = me.request(Method::POST, "/ssh/keys").json(&twice).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    // Keys outlive the server, as the session does.
    server.kill();
    server.start_again();
    // Lets the client see that its connections are gone.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let after = json(me.request(Method::GET, "/ssh").send().await.unwrap()).await;
    assert_eq!((&after["fingerprint"], after["keys"].as_array().unwrap().len()), (&before["fingerprint"], 1));
    assert_eq!(after["keys"][0]["name"], "laptop");
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_who_may_come_in() {
    let server = TestServer::with(&[("SSH__LISTEN", "127.0.0.1:0"), ("SSH__PER_SESSION", "1")]);
    let me = Student::start(&server).await;
    let laptop = Laptop::of(&me).await;
    let mut first = laptop.bare(&["node1", "touch /tmp/up; sleep 1000"]).spawn().unwrap();
    eventually("it is up", Duration::from_secs(20), || async { me.sh("test -e /tmp/up").await.0 == 0 }).await;
    let second = laptop.ssh(&["node1", "true"]).await;
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains("as many connections as there may be"), "{said}");
    first.kill().unwrap();
    first.wait().unwrap();
    eventually("there is a place again", Duration::from_secs(20), || async {
        laptop.ssh(&["node1", "true"]).await.status.success()
    })
    .await;
}

#[tokio::test]
async fn it_is_off_unless_the_operator_gives_it_a_port() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let answer = me.request(Method::GET, "/ssh").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(json_code(answer).await, "no-ssh");
    assert!(!server.paths().ssh_host_key().exists());
}

async fn json_code(answer: reqwest::Response) -> String {
    let problem: serde_json::Value = answer.json().await.unwrap();
    problem["code"].as_str().unwrap_or_default().to_owned()
}
