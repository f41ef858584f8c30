//! Sessions of other lab images than Docker's: what students do in them, and how a session gets one.

mod common;

use std::time::Duration;

use common::{
    TestServer, eventually,
    residue::residue,
    student::{Student, client, json},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

async fn student(server: &TestServer, image: &str) -> Student {
    Student::start_with(server, json!({ "image": image })).await
}

#[tokio::test]
async fn podman_pulls_runs_builds_and_pushes_without_root() {
    let server = TestServer::start();
    let me = student(&server, "alternatives").await;
    assert_eq!(me.ok("id -un; pwd; sudo id -u").await, "student\n/home/student\n0\n");

    // The catalogue by its short names, on an overlay of the kernel's in the student's own user namespace.
    me.ok("podman pull -q nginx").await;
    assert_eq!(
        me.ok("podman info -f '{{.Host.Security.Rootless}} {{.Store.GraphDriverName}}'").await,
        "true overlay\n"
    );
    assert_eq!(me.ok("podman info -f '{{index .Store.GraphStatus \"Native Overlay Diff\"}}'").await, "true\n");
    assert!(me.ok("podman run --rm nginx nginx -v").await.contains("nginx/"));
    let unknown = me.sh("podman pull no-such-image").await;
    assert_ne!(unknown.0, 0);
    assert!(unknown.1.contains("manifest unknown") && !unknown.1.contains("lookup"), "{}", unknown.1);

    // A port that a container publishes opens as one of Docker's does.
    me.ok("podman run -d --name web -p 8080:80 nginx && curl -sf --retry 20 --retry-connrefused localhost:8080").await;
    let page = me.port(reqwest::Method::GET, 8080, "/").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    // A network with names, and a volume.
    me.ok("podman network create n && podman run -d --name api --network n nginx").await;
    let fetch = "import urllib.request as u; print(u.urlopen('http://api').status)";
    let there = me.ok(&format!("podman run --rm --network n python python3 -c \"{fetch}\" | tail -1")).await;
    assert!(there.ends_with("200\n"), "{there}");
    me.ok("podman run --rm -v data:/d busybox touch /d/kept && podman run --rm -v data:/d busybox test -e /d/kept")
        .await;

    // What a page or program writes into the home is the student's.
    me.write(
        "/home/student/app/Containerfile",
        "FROM debian\nRUN id -u >/who && chown 33:33 /who\nCMD [\"cat\", \"/who\"]\n",
    )
    .await;
    assert_eq!(me.ok("stat -c %U app app/Containerfile").await, "student\nstudent\n");
    me.ok("podman build -q -t registry.lab:5000/me/app:1 app && podman push -q registry.lab:5000/me/app:1").await;
    me.ok("podman rmi -f registry.lab:5000/me/app:1").await;
    assert!(me.ok("podman run --rm registry.lab:5000/me/app:1").await.ends_with("0\n"));
    // Nobody else's session has it.
    let other = student(&server, "alternatives").await;
    assert_ne!(other.sh("podman pull -q registry.lab:5000/me/app:1").await.0, 0);

    me.close().await;
    other.close().await;
    eventually("every trace is gone", Duration::from_secs(20), || async { residue(&server.paths()).is_empty() }).await;
}

#[tokio::test]
async fn apptainer_runs_builds_and_converts_without_root() {
    let server = TestServer::start();
    let me = student(&server, "alternatives").await;
    me.ok("apptainer build d.sif docker://debian").await;
    assert!(me.ok("apptainer exec d.sif cat /etc/os-release").await.contains("Debian"));
    assert_eq!(
        me.ok("apptainer exec d.sif sh -c 'id -un; ls -d ~/d.sif' 2>/dev/null").await,
        "student\n/home/student/d.sif\n"
    );

    let definition = "Bootstrap: docker\nFrom: python\n\n%post\n    id -u >/who && chown 33:33 /who\n\n%runscript\n    \
                      python3 -c 'print(6 * 7)'\n";
    me.write("/home/student/a.def", definition).await;
    me.ok("apptainer build a.sif a.def").await;
    assert_eq!(me.ok("apptainer run a.sif 2>/dev/null; apptainer exec a.sif cat /who").await, "42\n0\n");

    // What Podman has built becomes an image of Apptainer's: through the registry, and from an archive.
    me.write("/home/student/app/Containerfile", "FROM busybox\nCMD [\"echo\", \"shipped\"]\n").await;
    me.ok("podman build -q -t registry.lab:5000/me/app:1 app && podman push -q registry.lab:5000/me/app:1").await;
    me.ok("apptainer build r.sif docker://registry.lab:5000/me/app:1").await;
    assert_eq!(me.ok("apptainer run r.sif 2>/dev/null").await, "shipped\n");
    me.ok("podman save -q -o app.tar registry.lab:5000/me/app:1 && apptainer build t.sif docker-archive:app.tar").await;
    assert_eq!(me.ok("apptainer run t.sif 2>/dev/null").await, "shipped\n");
    me.ok("apptainer push r.sif oras://registry.lab:5000/me/sif:1 && apptainer pull p.sif oras://registry.lab:5000/me/sif:1")
        .await;
    me.ok("cmp r.sif p.sif").await;
}

#[tokio::test]
async fn sessions_of_several_images_stand_side_by_side() {
    let server = TestServer::with(&[("SESSIONS__PER_CLIENT", "3")]);
    let images = json(client().get(format!("{}/api/v1/images", server.url())).send().await.unwrap()).await;
    let names: Vec<_> = images.as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap()).collect();
    assert_eq!((names[0], images[0]["default"].as_bool()), ("default", Some(true)));
    assert!(names.contains(&"alternatives") && names.contains(&"minimal"), "{names:?}");
    let home = client().get(server.url()).send().await.unwrap().text().await.unwrap();
    assert!(
        home.contains("<option value=\"default\" selected>") && home.contains("<option value=\"minimal\">"),
        "{home}"
    );

    let docker = Student::start(&server).await;
    let minimal = student(&server, "minimal").await;
    let podman = student(&server, "alternatives").await;
    for (me, image, state) in
        [(&docker, "default", "stopped"), (&minimal, "minimal", "absent"), (&podman, "alternatives", "absent")]
    {
        assert_eq!(me.session["nodes"][0]["image"], image);
        eventually("what it has of Docker is known", Duration::from_secs(10), || async {
            me.get("").await["nodes"][0]["docker"] == state
        })
        .await;
    }
    // A shell, with everything that is not Docker.
    assert_eq!(minimal.ok("id -un; hostname").await, "root\nnode1\n");
    assert_eq!(minimal.sh("docker version; test -e /run/docker.sock").await.0, 1);
    minimal.ok("curl -sf http://registry.lab:5000/v2/").await;
    let mut terminal = minimal.terminal("main", None).await;
    terminal.write("echo is-$((6 * 7))\r").await;
    terminal.wait_for("is-42").await;
    // An ordinary user's terminal is that user's, so that programs can open it by its name.
    let mut terminal = podman.terminal("main", None).await;
    terminal.write("echo of-$(id -un)-$(stat -c %U $(tty)); echo he''re >$(tty)\r").await;
    terminal.wait_for("of-student-student").await;
    terminal.wait_for("here").await;
    docker.ok("docker run --rm busybox true").await;

    // A node of another image in the same session.
    let node = docker.request(reqwest::Method::POST, "/nodes").json(&json!({"image": "minimal"})).send().await.unwrap();
    assert_eq!(json(node).await["image"], "minimal");
}

#[tokio::test]
async fn an_image_that_is_not_there_is_told_so() {
    let server = TestServer::with(&[("SESSIONS__PER_CLIENT", "2")]);
    let http = client();
    for image in ["no-such", "../default", "/etc", "", ".building-default"] {
        let url = format!("{}/api/v1/sessions", server.url());
        let answer = http.post(url).json(&json!({ "image": image })).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{image}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "unknown-image", "{image}");
    }
    let me = student(&server, "minimal").await;
    let node = me.request(reqwest::Method::POST, "/nodes").json(&json!({"image": "../default"})).send().await.unwrap();
    assert_eq!(node.status(), StatusCode::NOT_FOUND);
    // The form of the home page starts one, too.
    let form = http.post(format!("{}/sessions", server.url())).body("image=minimal");
    let form = form.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    assert_eq!(form.status(), StatusCode::SEE_OTHER);
    let sessions = json(http.get(format!("{}/api/v1/sessions", server.url())).send().await.unwrap()).await;
    assert_eq!(sessions[0]["nodes"][0]["image"], "minimal");
}
