//! What a session has pushed, as the API tells it: tags, digests, shared layers, deleting.

mod common;

use std::time::Duration;

use common::{TestServer, eventually, student::Student};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// The tag `image` (`me/app:1.0`) of a listing.
fn tag<'a>(contents: &'a Value, image: &str) -> Option<&'a Value> {
    let (repository, tag) = image.rsplit_once(':')?;
    let found = contents["repositories"].as_array()?.iter().find(|r| r["name"] == repository)?;
    found["tags"].as_array()?.iter().find(|t| t["name"] == tag)
}

async fn delete(me: &Student, what: &str) -> StatusCode {
    me.request(Method::DELETE, &format!("/registry/{what}")).send().await.unwrap().status()
}

#[tokio::test]
async fn push_list_share_delete() {
    let server = TestServer::start();
    let (me, other) = tokio::join!(Student::start(&server), Student::start(&server));
    let empty = me.get("/registry").await;
    assert_eq!((&empty["repositories"], &empty["stored"]), (&Value::Array(Vec::new()), &0.into()), "{empty}");
    assert_eq!(empty["quota"], 2u64 << 30);

    let mut events = me.events().await;
    me.write("/root/app/Dockerfile", "FROM python\nCOPY . /app\nEXPOSE 5000\nCMD [\"python\"]\n").await;
    me.ok("cd app && docker build -q -t registry.lab:5000/me/app:1.0 . && docker push -q registry.lab:5000/me/app:1.0")
        .await;
    events.wait_for(|e| e["type"] == "registry").await;
    me.ok(
        "cd app && printf 'FROM registry.lab:5000/me/app:1.0\\nRUN head -c 100000 /dev/urandom >/more\\n' | docker build -q -t registry.lab:5000/me/deep/er:2 - \
         && docker push -q registry.lab:5000/me/deep/er:2 \
         && docker tag registry.lab:5000/me/app:1.0 registry.lab:5000/me/app:latest && docker push -q registry.lab:5000/me/app:latest",
    )
    .await;

    let contents = me.get("/registry").await;
    let app = tag(&contents, "me/app:1.0").unwrap_or_else(|| panic!("{contents}"));
    // The digest that Docker shows after the push is this one.
    let digests = me.ok("docker image inspect -f '{{json .RepoDigests}}' registry.lab:5000/me/app:1.0").await;
    let digest = app["digest"].as_str().unwrap();
    assert!(digests.contains(&format!("registry.lab:5000/me/app@{digest}")), "{digests} {app}");
    assert!(app["media_type"].as_str().unwrap().contains("manifest"), "{app}");
    for time in ["created", "pushed_at"] {
        assert!(app[time].as_str().is_some_and(|t| t.starts_with("20") && t.ends_with('Z')), "{app}");
    }
    assert_eq!(app["ports"], serde_json::json!([5000]), "{app}");
    let layers = app["layers"].as_array().unwrap();
    let size: u64 = layers.iter().map(|l| l["size"].as_u64().unwrap()).sum();
    assert!(app["size"].as_u64().unwrap() > size && layers.len() == 4, "{app}");
    // Three layers are the catalogue's, the lowest of which all images built on debian share; one is its own.
    assert_eq!(layers[0]["catalogue"][0], "debian", "{app}");
    assert_eq!(layers[1]["catalogue"][0], "python", "{app}");
    assert_eq!(layers[3]["catalogue"], serde_json::json!([]), "{app}");
    assert_eq!(layers[3]["created_by"], "COPY . /app", "{app}");
    assert_eq!(layers[3]["shared_with"], serde_json::json!(["me/app:latest", "me/deep/er:2"]), "{app}");
    let deeper = tag(&contents, "me/deep/er:2").unwrap();
    assert_eq!(deeper["layers"].as_array().unwrap().len(), 5);
    assert_eq!(deeper["layers"][4]["shared_with"], serde_json::json!([]), "{deeper}");
    let stored = contents["stored"].as_u64().unwrap();
    assert!((100_000..1_000_000).contains(&stored), "the catalogue's layers do not count: {stored}");

    // Nobody else sees or deletes it.
    assert_eq!(other.get("/registry").await["repositories"], Value::Array(Vec::new()));
    assert_eq!(delete(&other, "tags?repository=me/app&tag=1.0").await, StatusCode::NOT_FOUND);
    let nobody = reqwest::get(format!("{}/api/v1/sessions/{}/registry", server.url(), me.id)).await.unwrap();
    assert_eq!(nobody.status(), StatusCode::NOT_FOUND);
    let stolen = format!("{}/api/v1/sessions/{}/registry", server.url(), me.id);
    assert_eq!(other.http.get(&stolen).bearer_auth(&other.token).send().await.unwrap().status(), StatusCode::NOT_FOUND);

    // A tag goes alone: its image has another name.
    for missing in [
        "tags?repository=me/app&tag=2.0",
        "tags?repository=me/none&tag=1.0",
        "tags?repository=me/app&tag=..",
        "tags?repository=../x&tag=1.0",
        "repositories?repository=me/deep",
        "repositories?repository=library/python",
    ] {
        assert_eq!(delete(&me, missing).await, StatusCode::NOT_FOUND, "{missing}");
    }
    assert_eq!(delete(&me, "tags?repository=me/app&tag=1.0").await, StatusCode::NO_CONTENT);
    events.wait_for(|e| e["type"] == "registry").await;
    let contents = me.get("/registry").await;
    assert!(tag(&contents, "me/app:1.0").is_none());
    assert_eq!(tag(&contents, "me/app:latest").unwrap()["digest"], digest);
    me.ok("docker image rm registry.lab:5000/me/app:1.0 registry.lab:5000/me/app:latest").await;
    assert_ne!(me.sh("docker pull -q registry.lab:5000/me/app:1.0").await.0, 0);
    // Its bytes are the same wherever it is pulled.
    me.ok(&format!(
        "docker pull -q registry.lab:5000/me/app@{digest} && docker run --rm registry.lab:5000/me/app@{digest} ls /app"
    ))
    .await;

    // With its last tag the image goes; what is built on it stays.
    assert_eq!(delete(&me, "tags?repository=me/app&tag=latest").await, StatusCode::NO_CONTENT);
    let manifest = format!("curl -s -o /dev/null -w '%{{http_code}}' registry.lab:5000/v2/me/app/manifests/{digest}");
    assert_eq!(me.ok(&manifest).await, "404");
    me.ok("docker pull -q registry.lab:5000/me/deep/er:2").await;
    assert_eq!(delete(&me, "repositories?repository=me/app").await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&me, "repositories?repository=me/deep/er").await, StatusCode::NO_CONTENT);
    let contents = me.get("/registry").await;
    assert_eq!((&contents["repositories"], &contents["stored"]), (&empty["repositories"], &0.into()), "{contents}");
    // It can be pushed again.
    me.ok("docker push -q registry.lab:5000/me/deep/er:2").await;
    eventually("it is there again", Duration::from_secs(10), || async {
        tag(&me.get("/registry").await, "me/deep/er:2").is_some()
    })
    .await;
}

#[tokio::test]
async fn what_one_node_ships_another_runs_byte_for_byte() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let other = me.add_node().await;
    me.write("/root/Dockerfile", "FROM busybox\nRUN head -c 100000 /dev/urandom >/cargo\nCMD sha256sum /cargo\n").await;
    me.ok("docker build -q -t registry.lab:5000/me/ship:1 . && docker push -q registry.lab:5000/me/ship:1").await;
    let cargo = me.ok("docker run --rm registry.lab:5000/me/ship:1").await;

    // The page's digest, what the other node says it pulled, and what it runs are the same.
    let contents = me.get("/registry").await;
    let digest = tag(&contents, "me/ship:1").unwrap()["digest"].as_str().unwrap().to_owned();
    let pulled = me.ok_on(&other, "docker pull registry.lab:5000/me/ship:1").await;
    assert!(pulled.contains(&format!("Digest: {digest}")), "{pulled}");
    assert_eq!(me.ok_on(&other, "docker run --rm registry.lab:5000/me/ship:1").await, cargo);

    // And back, by the digest alone.
    me.ok_on(&other, "docker tag registry.lab:5000/me/ship:1 registry.lab:5000/me/back:1 && docker push -q registry.lab:5000/me/back:1")
        .await;
    me.ok("docker image rm -f registry.lab:5000/me/ship:1").await;
    assert_eq!(me.ok(&format!("docker run -q --rm registry.lab:5000/me/back@{digest}")).await, cargo);
    let contents = me.get("/registry").await;
    let layer = &tag(&contents, "me/ship:1").unwrap()["layers"][1];
    assert_eq!(layer["shared_with"], serde_json::json!(["me/back:1"]), "{layer}");
}
