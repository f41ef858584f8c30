//! The catalogue: its images run in a sandbox's Docker as tutorials use them, and one build waits for another.

#![allow(missing_docs, reason = "a test")]

mod common;

use std::{
    fs::File,
    io::Read,
    process::{Command, Stdio},
    time::Duration,
};

use boatyard::{paths::Paths, registry::Registry};
use common::{TestServer, eventually, student::Student, workspace};
use nix::fcntl::{Flock, FlockArg};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn images_do_what_they_are_for() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    me.ok("docker run -d --name db -e POSTGRES_PASSWORD=geheim -p 5432:5432 postgres:17").await;
    me.ok("docker run -d --name cache redis && docker run -d --name hub -p 5050:5000 registry:2").await;

    assert_eq!(me.ok("docker run --rm node node -e 'console.log(6 * 7)'").await.lines().last(), Some("42"));
    eventually("redis answers", Duration::from_secs(30), || async {
        me.sh("docker exec cache redis-cli ping").await.1.trim() == "PONG"
    })
    .await;
    me.ok("docker exec cache redis-cli set boat afloat").await;
    assert_eq!(me.ok("docker exec cache redis-cli get boat").await.trim(), "afloat");

    // A query, with the password, over the network: not by the socket that trusts everybody.
    let query = "docker exec -e PGPASSWORD=geheim db psql -h 127.0.0.1 -U postgres -tAc";
    eventually("postgres answers", Duration::from_secs(60), || async {
        me.sh(&format!("{query} 'select 6 * 7'")).await.1.trim() == "42"
    })
    .await;
    me.ok(&format!("{query} 'create table boats (name text); insert into boats values ($$Anna$$)'")).await;
    me.ok("docker restart db").await;
    eventually("what was written outlives a restart", Duration::from_secs(60), || async {
        me.sh(&format!("{query} 'select name from boats'")).await.1.trim() == "Anna"
    })
    .await;

    eventually("the registry answers", Duration::from_secs(30), || async {
        me.sh("curl -sf localhost:5050/v2/").await.1.trim() == "{}"
    })
    .await;
    me.ok("docker tag redis localhost:5050/me/redis && docker push -q localhost:5050/me/redis").await;
    assert!(me.ok("curl -sf localhost:5050/v2/_catalog").await.contains("me/redis"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_waited_finds_a_registry_of_its_own() {
    let data = tempfile::tempdir_in("/var/tmp").unwrap();
    let paths = Paths::new(data.path());
    // All layers are there, and nothing is pushed: it takes no time, and needs a registry.
    let made = workspace().join(".boatyard/catalogue");
    assert!(Command::new("cp").arg("-al").args([&made, &paths.catalogue()]).status().unwrap().success());
    let stop = CancellationToken::new();
    let earlier = Registry::start(&paths, &Default::default(), stop.clone()).await.unwrap();
    let lock = Flock::lock(File::create(paths.catalogue().join(".lock")).unwrap(), FlockArg::LockExclusive).unwrap();

    let mut build = Command::new(env!("CARGO_BIN_EXE_boatyard"))
        .arg("--data")
        .arg(data.path())
        .args(["catalogue", "build", "busybox"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It says that it waits; then the earlier build ends, and its registry with it.
    let (mut said, mut byte) = (String::new(), [0]);
    let mut messages = build.stderr.take().unwrap();
    while !said.contains("waiting for another build") {
        assert_eq!(messages.read(&mut byte).unwrap(), 1, "it ended: {said}");
        said.push(byte[0].into());
    }
    stop.cancel();
    earlier.finished().await;
    drop(lock);
    messages.read_to_string(&mut said).unwrap();
    assert!(build.wait().unwrap().success(), "{said}");
    let _ = std::fs::remove_dir_all(paths.run());
}
