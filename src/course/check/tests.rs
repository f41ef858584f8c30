//! Checks against recorded answers: shapes as Docker 26.1 (Engine API 1.45) gives them.

use std::{
    collections::HashMap,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::{Value, json};

use super::*;
use crate::course::problem::Problems;

/// A session that answers what it was given and counts what it is asked.
#[derive(Default)]
struct Recorded {
    docker: HashMap<&'static str, Value>,
    docker_down: bool,
    files: HashMap<&'static str, &'static str>,
    registry: HashMap<&'static str, &'static str>,
    ports: Vec<u16>,
    http: Option<HttpAnswer>,
    hangs: bool,
    asked: AtomicUsize,
}

impl Probe for Recorded {
    async fn docker(&self, node: &str, path: &str) -> Result<Option<Value>, ProbeError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        match (node, self.docker_down) {
            ("node1", false) => Ok(Some(self.docker.get(path).cloned().unwrap_or_else(|| json!([])))),
            ("node1", true) => Err(ProbeError::DockerDown),
            (other, _) => Err(ProbeError::Other(format!("the session has no {other}"))),
        }
    }

    async fn read_file(&self, _: &str, path: &str, max: usize) -> Result<Option<Vec<u8>>, ProbeError> {
        Ok(self.files.get(path).map(|text| text.bytes().take(max).collect()))
    }

    async fn registry_digest(&self, repository: &str, tag: &str) -> Result<Option<String>, ProbeError> {
        Ok(self.registry.get(format!("{repository}:{tag}").as_str()).map(|digest| (*digest).to_owned()))
    }

    async fn registry_tags(&self, repository: &str) -> Result<Vec<String>, ProbeError> {
        let tags = self.registry.keys().filter_map(|key| key.split_once(':'));
        Ok(tags.filter(|(name, _)| *name == repository).map(|(_, tag)| tag.to_owned()).collect())
    }

    async fn listening(&self, _: &str) -> Result<Vec<u16>, ProbeError> {
        Ok(self.ports.clone())
    }

    async fn http_get(&self, _: &str, _: u16, _: &str) -> Result<HttpAnswer, ProbeError> {
        self.http.clone().ok_or_else(|| ProbeError::NoAnswer("connection refused".to_owned()))
    }
}

const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const APP_ID: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// An item of `GET /images/json`.
fn image(id: &str, tags: Value, digests: Value) -> Value {
    json!({
        "Containers": -1, "Created": 1_732_400_000, "Id": id, "Labels": null, "ParentId": "", "RepoDigests": digests,
        "RepoTags": tags, "SharedSize": -1, "Size": 131_000_000
    })
}

/// An item of `GET /containers/json?all=1`.
fn container(name: &str, image: &str, state: &str, status: &str, ports: Value) -> Value {
    json!({
        "Id": "4c01db0b339c4a4e9d3b6bb3bb16ac1ba4cf1e3d1b2d9a3a6a4e9bd3a1d9b8a7", "Names": [format!("/{name}")],
        "Image": image, "ImageID": APP_ID, "Command": "python app.py", "Created": 1_732_400_100, "Ports": ports,
        "Labels": {}, "State": state, "Status": status, "HostConfig": {"NetworkMode": "bridge"},
        "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}}, "Mounts": []
    })
}

fn published(host: u16, inner: u16) -> Value {
    json!([
        {"IP": "0.0.0.0", "PrivatePort": inner, "PublicPort": host, "Type": "tcp"},
        {"IP": "::", "PrivatePort": inner, "PublicPort": host, "Type": "tcp"}
    ])
}

fn images(images: Vec<Value>) -> Recorded {
    Recorded { docker: HashMap::from([("/images/json", Value::Array(images))]), ..Recorded::default() }
}

fn with_container(mut session: Recorded, container: Value) -> Recorded {
    session.docker.insert("/containers/json?all=1", json!([container]));
    session
}

fn parse(yaml: &str) -> Vec<Check> {
    let mut problems = Problems::new(Path::new("a.md"));
    let checks = Check::parse_list(yaml, 1, &mut problems);
    let found: Vec<String> = problems.into_vec().iter().map(ToString::to_string).collect();
    assert_eq!(found, Vec::<String>::new(), "{yaml}");
    checks
}

/// The hint of the only check in `yaml`; empty when it passes.
async fn hint(yaml: &str, session: &Recorded) -> String {
    let results = evaluate(&parse(yaml), session).await;
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].passed, results[0].hint.is_none());
    results[0].hint.clone().unwrap_or_default()
}

macro_rules! hints {
    ($session:expr, $($yaml:expr => $hint:expr),+ $(,)?) => {{
        let session = $session;
        $(assert_eq!(hint($yaml, &session).await, $hint, "{}", $yaml);)+
    }};
}

#[tokio::test]
async fn images_are_found_by_every_name_that_docker_knows() {
    let digests = json!([format!("registry.lab:5000/me/app@{DIGEST}")]);
    hints!(
        images(vec![
            image(APP_ID, json!(["app:latest", "registry.lab:5000/me/app:1.0"]), digests),
            image("sha256:b", json!(["python:3.13", "nginx:1.26"]), json!(null)),
            image("sha256:c", json!(["<none>:<none>"]), json!(["<none>@<none>"])),
            image("sha256:d", json!(null), json!([])),
        ]),
        "- image: app" => "",
        "- image: docker.io/library/app:latest" => "",
        "- image: registry.lab:5000/me/app:1.0" => "",
        "- image: {name: registry.lab:5000/me/app, tag: 1.0}" => "",
        "- image: {name: python, tag: '*'}" => "",
        &format!("- image: registry.lab:5000/me/app@{DIGEST}") => "",
        "- image: app:1.0" => "There is an image `app`, but its tag is `latest`; the lesson wants `1.0`.",
        "- image: python" => "There is an image `python`, but its tag is `3.13`; the lesson wants `latest`.",
        "- image: me/app:1.0" => "There is an image `app:latest`, but none named `me/app:1.0` yet.",
        "- image: ngnix" => "There is no image `ngnix`, but one named `nginx:1.26`: is it a slip of the keyboard?",
        "- image: redis" => "There is no image `redis` yet.",
        "- image: redis:7" => "There is no image `redis:7` yet.",
        "- {image: redis, hint: Pull it.}" => "Pull it.",
        "- no_image: redis" => "",
        "- no_image: app" => "The image `app:latest` is still here.",
        "- no_image: {name: python, tag: '*'}" => "The image `python:3.13` is still here.",
    );
}

#[tokio::test]
async fn an_image_in_use_tells_which_container_holds_it() {
    let session = images(vec![image(APP_ID, json!(["app:latest"]), json!([]))]);
    hints!(
        with_container(session, container("web", "app", "exited", "Exited (0) 2 minutes ago", json!([]))),
        "- no_image: app" => "The image `app:latest` is still here, and the container `web` needs it: remove the \
                              container first, with `docker rm -f web`.",
    );
}

#[tokio::test]
async fn containers_tell_what_they_lack() {
    let session = || images(vec![image(APP_ID, json!(["app:latest"]), json!([]))]);
    let wanted = "- container: {name: web, image: app, port: 8080:5000}";
    let web = |image, state, status, ports| with_container(session(), container("web", image, state, status, ports));
    hints!(web("app", "running", "Up 3 seconds", published(8080, 5000)),
        wanted => "",
        "- container: {image: app}" => "",
        "- container: {port: 8080}" => "",
        "- container: {port: 8080:80}" => "The container `web` publishes `-p 8080:5000`; the lesson wants `-p 8080:80`.",
        "- container: {name: web, image: app:1.0}" =>
            "The container `web` was made from `app:latest`; the lesson wants `app:1.0`.",
        "- container: {name: shop, image: app}" =>
            "There is no container `shop` yet (`--name shop`). The one named `web` is from `app:latest`, too.",
        "- container: {name: web2}" => "There is no container `web2` yet.",
        "- container: {name: wbe}" => "There is no container `wbe`, but one named `web`: is it a slip of the keyboard?",
        "- container: {name: database, image: postgres}" => "There is no container `database` yet.",
        "- container: {name: web, state: exited}" =>
            "The container `web` is there, but it is not exited (running: Up 3 seconds). `docker stop web` stops it.",
        "- not: {container: {name: web, state: any}}" => "This still holds: A container `web` is there.",
    );
    hints!(web("app", "running", "Up 3 seconds", json!([{"PrivatePort": 5000, "Type": "tcp"}])),
        wanted => "The container `web` publishes no port; the lesson wants `-p 8080:5000`.");
    hints!(web("app", "running", "Up 3 seconds", published(80, 5000)),
        wanted => "The container `web` publishes `-p 80:5000`; the lesson wants `-p 8080:5000`.");
    hints!(web("app", "exited", "Exited (1) 3 seconds ago", json!([])),
        wanted => "The container `web` is there, but it is not running (exited: Exited (1) 3 seconds ago). \
                   `docker logs web` tells why.");
    // The name that it was made from means another image now, so Docker shows the id.
    hints!(web(APP_ID, "running", "Up", published(8080, 5000)), wanted => "");
    hints!(web("aaaaaaaaaaaa", "running", "Up", published(8080, 5000)), wanted => "");
    hints!(session(), wanted => "There is no container `web` yet.",
        "- container: {image: nginx}" => "There is no container from `nginx:latest` yet.");
}

#[tokio::test]
async fn files_ports_and_http_tell_what_is_missing() {
    let files = HashMap::from([("/root/app/Dockerfile", "FROM python\n\nCOPY app.py .\n"), ("/root/empty", "\n")]);
    hints!(
        Recorded { files, ports: vec![80, 22], ..Recorded::default() },
        "- file: {path: /root/app/Dockerfile, contains: [FROM, COPY], matches: '(?m)^COPY\\s+app'}" => "",
        "- file: {path: /root/app/app.py}" => "There is no file `/root/app/app.py` on node1 yet.",
        "- file: {path: /root/app/Dockerfile, contains: EXPOSE}" =>
            "The file `/root/app/Dockerfile` is there, but it does not contain `EXPOSE`.",
        "- file: {path: /root/empty, contains: x}" => "The file `/root/empty` is there, but it is empty.",
        "- {file: {path: /root/app/Dockerfile, matches: ^RUN}, hint: Add RUN.}" => "Add RUN.",
        "- port: 80" => "",
        "- port: 8080" => "Nothing listens on port 8080 of node1 yet, only on `80`, `22`.",
        "- http: {port: 8080}" => "Nothing answers on port 8080 of node1 yet.",
        "- not: {port: 8080}" => "",
    );
    let answers = |status, body: &str| Recorded {
        http: Some(HttpAnswer { status, body: body.as_bytes().to_vec() }),
        ..Recorded::default()
    };
    let wanted = "- http: {port: 8080, contains: Ahoy}";
    hints!(answers(200, "<h1>Ahoy!</h1>"), wanted => "", "- http: {port: 8080}" => "");
    hints!(answers(200, "Hello"), wanted => "Port 8080 answers, but `Ahoy` does not stand in what it answers on `/`.");
    hints!(answers(500, "Ahoy"), wanted => "Port 8080 answers on `/`, but with status 500; the lesson wants 200.",
        "- http: {port: 8080, status: 500}" => "");
}

#[tokio::test]
async fn the_registry_is_asked_for_tags_and_digests() {
    let tags = json!(["registry.lab:5000/me/app:1.0"]);
    let mut session = images(vec![
        image(APP_ID, tags, json!([format!("registry.lab:5000/me/app@{DIGEST}")])),
        image("sha256:b", json!(["app:2"]), json!([])),
    ]);
    session.registry.insert("me/app:1.0", DIGEST);
    hints!(
        session,
        "- registry: me/app:1.0" => "",
        "- registry: registry.lab:5000/me/app:1.0" => "",
        "- registry: me/app" => "The registry has `me/app`, but with the tag `1.0`; the lesson wants `latest`.",
        "- registry: app:1.0" => "The registry has no `app` yet.",
        "- same_digest: [{image: 'registry.lab:5000/me/app:1.0'}, {registry: 'me/app:1.0'}]" => "",
        "- same_digest: [{image: 'app:2'}, {registry: 'me/app:1.0'}]" =>
            "The `app:2` on node1 is another image than `me/app:1.0` in the registry: their digests differ.",
        "- same_digest: [{image: app}, {registry: 'me/app:1.0'}]" => "There is no `app:latest` on node1 yet.",
    );
}

#[tokio::test]
async fn all_any_and_not_combine() {
    hints!(
        Recorded { ports: vec![80], ..Recorded::default() },
        "- all: [{port: 80}, {port: 81}, {port: 82}]" => "Nothing listens on port 81 of node1 yet, only on `80`.",
        "- any: [{port: 81}, {port: 80}]" => "",
        "- any: [{port: 81, hint: A.}, {port: 82, hint: B.}]" => "A. Or: B.",
        "- not: {all: [{port: 80}, {port: 81}]}" => "",
        "- not: {port: 80}" => "This still holds: Something listens on port 80 of node1.",
    );
}

#[tokio::test]
async fn an_engine_that_is_not_started_has_nothing() {
    hints!(
        Recorded { docker_down: true, ..Recorded::default() },
        "- image: python" => "There is no image `python` yet.",
        "- container: {name: web}" => "There is no container `web` yet.",
        "- no_image: python" => "",
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_no_pass() {
    hints!(
        Recorded::default(),
        "- {image: app, node: node2, hint: Pull it.}" => "This cannot be looked at right now: the session has no node2.",
        "- not: {image: app, node: node2}" => "This cannot be looked at right now: the session has no node2.",
    );
    let hanging = Recorded { hangs: true, ..Recorded::default() };
    let results =
        evaluate::evaluate_within(Duration::from_millis(20), &parse("- image: app\n- port: 80"), &hanging).await;
    assert!(results[0].hint.as_deref().unwrap().contains("no answer in time"));
    assert!(results[1].hint.as_deref().unwrap().contains("Nothing listens"));
}

#[tokio::test]
async fn odd_answers_of_an_engine_break_nothing() {
    for odd in [json!({}), json!("x"), json!([1, {"Id": 3}, {"Id": "x", "RepoTags": "y"}]), json!(null)] {
        let mut session = Recorded::default();
        session.docker.insert("/images/json", odd.clone());
        session.docker.insert("/containers/json?all=1", odd);
        for yaml in ["- image: app", "- container: {name: web}"] {
            assert_ne!(hint(yaml, &session).await, "", "{yaml}");
        }
    }
}

#[tokio::test]
async fn nothing_is_asked_twice() {
    let session = images(vec![image(APP_ID, json!(["app:latest"]), json!([]))]);
    let checks = parse("- image: app\n- image: b\n- container: {name: web}\n- no_image: app\n- any: [{image: c}]\n");
    let results = evaluate(&checks, &session).await;
    assert_eq!(results.iter().map(|r| r.passed).collect::<Vec<_>>(), [true, false, false, false, false]);
    assert_eq!(session.asked.load(Ordering::Relaxed), 2);
}

#[test]
fn titles_are_made_in_words() {
    let title = |yaml: &str| parse(yaml)[0].title();
    for (yaml, expected) in [
        ("- image: app:1.0", "There is an image `app:1.0`"),
        ("- {image: app, node: node2}", "There is an image `app:latest` on node2"),
        ("- no_image: {name: app, tag: '*'}", "The image `app` is gone"),
        ("- container: {name: web, port: 8080:80}", "A container `web` runs and publishes port 8080"),
        ("- container: {image: app, state: exited}", "A container from `app:latest` has ended"),
        ("- file: {path: /a, contains: b}", "The file `/a` contains `b`"),
        ("- http: {port: 80, path: /x}", "Port 80 of node1 answers on `/x`"),
        ("- registry: registry.lab:5000/me/app", "The registry has `me/app:latest`"),
        (
            "- any: [{port: 1}, {port: 2}]",
            "Something listens on port 1 of node1 or something listens on port 2 of node1",
        ),
        ("- {port: 1, title: Mine}", "Mine"),
    ] {
        assert_eq!(title(yaml), expected, "{yaml}");
    }
}

#[test]
fn a_check_tells_what_it_depends_on() {
    let check = &parse("- {any: [{image: a, node: node2}, {not: {port: 80}}], node: node3}")[0];
    assert_eq!(check.topics(), [Topic::Docker, Topic::Ports].into());
    assert_eq!(check.nodes(), ["node2", "node3"].into());
    assert!(parse("- registry: a")[0].nodes().is_empty());
}
