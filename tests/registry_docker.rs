//! What Docker says when the registry refuses it, and that what was pushed outlives the server.

mod common;

use std::time::Duration;

use common::{TestServer, eventually, student::Student};

#[tokio::test]
async fn a_push_past_the_quota_is_denied_in_words() {
    let server = TestServer::with(&[("REGISTRY__QUOTA", "8MiB")]);
    let me = Student::start(&server).await;
    me.write("/root/Dockerfile", "FROM busybox\nRUN head -c 20000000 /dev/urandom >/big\n").await;
    me.ok("docker build -q -t registry.lab:5000/me/big . && docker pull -q python && docker pull -q busybox").await;
    let (code, said) = me.sh("docker push -q registry.lab:5000/me/big").await;
    assert!(code != 0 && said.contains("may store 8.0 MiB"), "{said}");
    // There is room for what is smaller, and for what the catalogue has, however large.
    me.ok("docker tag busybox registry.lab:5000/me/small && docker push -q registry.lab:5000/me/small").await;
    me.ok("docker tag python registry.lab:5000/me/python && docker push -q registry.lab:5000/me/python").await;
    me.ok(
        "docker tag python registry.lab:5000/library/python:own && docker push -q registry.lab:5000/library/python:own",
    )
    .await;
    assert!(me.ok("curl -s registry.lab:5000/v2/_catalog").await.contains("me/python"));
}

#[tokio::test]
async fn what_was_pushed_outlives_the_server() {
    let mut server = TestServer::start();
    let me = Student::start(&server).await;
    me.ok("docker pull -q busybox && docker tag busybox registry.lab:5000/me/app:1").await;
    me.ok("docker push -q registry.lab:5000/me/app:1").await;
    server.kill();
    server.start_again();
    // Lets the client see that its connections are gone.
    tokio::time::sleep(Duration::from_millis(100)).await;
    me.ok("docker image rm registry.lab:5000/me/app:1 busybox").await;
    eventually("the registry answers again", Duration::from_secs(5), || async {
        me.sh("curl -sf registry.lab:5000/v2/").await.0 == 0
    })
    .await;
    me.ok("docker pull -q registry.lab:5000/me/app:1 && docker pull -q registry.lab:5000/library/busybox").await;
    me.ok("docker run --rm registry.lab:5000/me/app:1 true").await;
}
