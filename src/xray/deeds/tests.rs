//! The words, for every deed that a session knows.

use std::time::Duration;

use tokio::time::Instant;

use super::{Teller, pushes};
use crate::{
    docker::Event,
    xray::model::{
        Container, Engine, Image, Layer, Network, NodePicture, Port, Pushed, PushedLayer, Registry, Service, Swarm,
        SwarmNode, Volume,
    },
};

fn layer(id: &str, parent: Option<&str>, size: u64) -> Layer {
    Layer { id: id.into(), parent: parent.map(Into::into), instruction: None, size }
}

fn image(id: &str, names: &[&str], top: &str, created: i64, built: bool) -> Image {
    let names = names.iter().map(|n| (*n).to_owned()).collect();
    Image { id: id.into(), names, top: Some(top.into()), size: 0, created, settings: Vec::new(), built }
}

fn container(name: &str, state: &str) -> Container {
    Container {
        id: format!("id-{name}"),
        name: name.into(),
        image: "i-python".into(),
        image_name: "python".into(),
        state: state.into(),
        status: String::new(),
        command: "sleep".into(),
        ports: Vec::new(),
        volumes: Vec::new(),
        networks: vec!["bridge".into()],
    }
}

fn event(kind: &str, action: &str, id: &str) -> Event {
    Event {
        kind: kind.into(),
        action: action.into(),
        id: id.into(),
        name: id.trim_start_matches("id-").into(),
        image: "python".into(),
        ..Event::default()
    }
}

/// An engine that has python of two layers, 100 and 44 MB.
fn python() -> NodePicture {
    NodePicture {
        engine: Engine::Ready,
        layers: vec![layer("a", None, 100_000_000), layer("b", Some("a"), 44_000_000)],
        images: vec![image("i-python", &["python:3"], "b", 1, false)],
        ..NodePicture::default()
    }
}

/// python, and app of two more layers on it.
fn app() -> NodePicture {
    let mut picture = python();
    picture.layers.extend([layer("c", Some("b"), 99), layer("d", Some("c"), 3)]);
    picture.images.insert(0, image("i-app", &["app:latest"], "d", 2, true));
    picture
}

/// What is said in the end, when nothing more happens.
fn words(before: &NodePicture, after: &NodePicture, events: &[Event]) -> Vec<String> {
    let mut teller = Teller::default();
    let mut said = teller.tell(before, after, events, Instant::now());
    while let Some(due) = teller.due() {
        said.extend(teller.tell(after, after, &[], due));
    }
    said.into_iter().map(|s| s.words).collect()
}

fn empty() -> NodePicture {
    NodePicture { engine: Engine::Ready, ..NodePicture::default() }
}

#[test]
fn pulls_and_builds_count_their_layers() {
    let pull = [event("image", "pull", "python:3")];
    assert_eq!(words(&empty(), &python(), &pull), ["docker pull brought python:3: 2 layers, 144 MB"]);
    let said = Teller::default().tell(&python(), &app(), &[event("image", "tag", "i-app")], Instant::now());
    assert_eq!(said[0].words, "docker build added 2 layers on python:3, 102 B: app:latest");
    assert_eq!(said[0].changed, ["i-app", "d", "c"]);
    // Pulled on top of what is there.
    assert_eq!(
        words(&python(), &app(), &[event("image", "pull", "app:latest")]),
        ["docker pull brought app:latest: 2 layers, 102 B, 2 were already there"]
    );
    // A build that only sets something.
    let mut settings = python();
    settings.images.push(image("i-s", &["s:1"], "b", 3, true));
    assert_eq!(words(&python(), &settings, &[]), ["docker build added no layer on python:3, only settings: s:1"]);
    // Without the base at hand.
    let mut alone = app();
    alone.images.pop();
    assert_eq!(words(&empty(), &alone, &[]), ["docker build made app:latest of 4 new layers, 144 MB"]);
}

#[test]
fn nothing_new_is_told_too() {
    assert_eq!(
        words(&app(), &app(), &[event("image", "pull", "python:3"), event("image", "pull", "python:3")]),
        ["docker pull found python:3 up to date: no layer came"]
    );
    assert_eq!(
        words(&app(), &app(), &[Event { name: "app".into(), ..event("image", "tag", "i-app") }]),
        ["docker build took every layer of app from the cache: nothing changed"]
    );
    assert!(words(&app(), &app(), &[event("image", "push", "app")]).is_empty());
}

#[test]
fn names_come_and_go_without_layers() {
    let mut tagged = app();
    tagged.images[0].names.push("registry.lab:5000/me/app:1".into());
    assert_eq!(
        words(&app(), &tagged, &[]),
        ["docker tag named app:latest also registry.lab:5000/me/app:1; no layer was copied"]
    );
    assert_eq!(
        words(&tagged, &app(), &[]),
        ["docker rmi took the name registry.lab:5000/me/app:1 away; the image stays"]
    );
    // A new build takes the name over.
    let mut rebuilt = app();
    rebuilt.images[0].names.clear();
    rebuilt.layers.push(layer("e", Some("c"), 5));
    rebuilt.images.insert(0, image("i-new", &["app:latest"], "e", 9, true));
    assert_eq!(
        words(&app(), &rebuilt, &[]),
        [
            "docker build added 2 layers on python:3, 104 B: app:latest"
                .replace("2 layers on python:3, 104 B", "1 layer on python:3, 5 B"),
            "app:latest names i-new now; the image before it lost its name and stays".into()
        ]
    );
}

#[test]
fn removed_images_tell_which_layers_stay() {
    assert_eq!(
        words(&app(), &python(), &[event("image", "delete", "i-app")]),
        ["docker rmi removed app:latest: 2 layers gone, 102 B, 2 stay because other images have them"]
    );
    assert_eq!(
        words(&python(), &empty(), &[event("image", "prune", "")]),
        ["docker image prune removed python:3: 2 layers gone, 144 MB"]
    );
}

#[test]
fn a_run_is_one_sentence_though_it_is_a_create_and_a_start() {
    let (mut teller, now) = (Teller::default(), Instant::now());
    let (mut created, mut running) = (python(), python());
    created.containers = vec![container("web", "created")];
    running.containers = vec![container("web", "running")];
    running.containers[0].ports = vec![Port { container: 80, published: Some(8080), protocol: "tcp".into() }];
    assert!(teller.tell(&python(), &created, &[], now).is_empty());
    let said = teller.tell(&created, &running, &[], now + Duration::from_millis(300));
    assert_eq!(said[0].words, "docker run started web from python, published on port 8080");
    assert_eq!(said[0].changed, ["id-web"]);
    assert_eq!((said.len(), teller.due()), (1, None));
    // One that nobody starts is told after a while.
    let mut teller = Teller::default();
    teller.tell(&python(), &created, &[], now);
    let later = teller.due().unwrap();
    let said = teller.tell(&created, &created, &[], later);
    assert_eq!(said[0].words, "docker create made web from python: a writable layer, nothing runs yet");
    assert_eq!(teller.tell(&created, &running, &[], later)[0].words, "docker start started web");
}

#[test]
fn containers_end_in_their_own_ways() {
    let with = |state: &str| NodePicture { containers: vec![container("web", state)], ..python() };
    let died = |code| Event { exit_code: Some(code), ..event("container", "die", "id-web") };
    let e = |action: &str| event("container", action, "id-web");
    for (events, wanted) in [
        (vec![e("kill"), e("stop"), died(137)], "docker stop stopped web with exit code 137; its writable layer stays"),
        (
            vec![Event { signal: Some(15), ..e("kill") }, Event { signal: Some(9), ..e("kill") }, died(137)],
            "docker stop stopped web with exit code 137; its writable layer stays",
        ),
        (vec![e("kill"), died(137)], "docker kill ended web with exit code 137; its writable layer stays"),
        (vec![died(3)], "The program of web ended with exit code 3; its writable layer stays"),
        (vec![e("oom"), died(137)], "The kernel killed web: it wanted more memory than it may have"),
    ] {
        assert_eq!(words(&with("running"), &with("exited"), &events), [wanted]);
    }
    assert_eq!(
        words(&with("exited"), &with("running"), &[]),
        ["docker start started web again on the same writable layer"]
    );
    assert_eq!(words(&with("running"), &with("paused"), &[]), ["docker pause froze web"]);
    assert_eq!(words(&with("running"), &with("running"), &[e("restart")]), ["docker restart stopped and started web"]);
    assert_eq!(words(&with("exited"), &python(), &[]), ["docker rm removed web and its writable layer"]);
    assert_eq!(
        words(&with("running"), &python(), &[e("kill"), died(137), e("destroy")]),
        ["docker rm removed web and its writable layer"]
    );
    assert_eq!(
        words(&with("running"), &python(), &[died(0), e("destroy")]),
        ["docker run --rm removed web and its writable layer when it ended with exit code 0"]
    );
    // Seen at its end, and then removed.
    let (mut teller, now) = (Teller::default(), Instant::now());
    assert!(teller.tell(&with("running"), &with("exited"), &[died(0)], now).is_empty());
    assert_eq!(
        teller.tell(&with("exited"), &python(), &[e("destroy")], now)[0].words,
        "docker run --rm removed web and its writable layer when it ended with exit code 0"
    );
    assert_eq!(teller.due(), None);
    // `docker rm -f`, whose events come apart.
    let mut teller = Teller::default();
    assert!(teller.tell(&with("running"), &with("running"), &[e("kill")], now).is_empty());
    assert_eq!(
        teller.tell(&with("running"), &python(), &[died(137), e("destroy")], now)[0].words,
        "docker rm removed web and its writable layer"
    );
    // Came and went before anyone looked.
    assert_eq!(
        words(&python(), &python(), &[e("create"), e("start"), died(0), e("destroy")]),
        ["docker run --rm ran web from python to its end with exit code 0 and removed it"]
    );
    assert_eq!(
        words(&python(), &with("exited"), &[e("create"), died(2)]),
        ["docker run ran web from python to its end with exit code 2"]
    );
    assert_eq!(
        words(&with("exited"), &python(), &[event("container", "prune", "")]),
        ["docker container prune removed web and what they had written"]
    );
}

#[test]
fn many_are_one_sentence() {
    let mut many = python();
    many.containers = (1..=7).map(|n| container(&format!("c{n}"), "running")).collect();
    assert_eq!(words(&python(), &many, &[]), ["docker run started 7 containers, c1, c2, c3 and 4 more, from python"]);
    assert_eq!(words(&many, &python(), &[]), ["docker rm removed c1, c2, c3 and 4 more and their writable layers"]);
}

#[test]
fn volumes_and_networks() {
    let (mut teller, now) = (Teller::default(), Instant::now());
    let volume = Volume { name: "data".into(), driver: "local".into() };
    let made = NodePicture { volumes: vec![volume], ..python() };
    assert!(teller.tell(&python(), &made, &[], now).is_empty());
    let due = teller.due().unwrap();
    assert_eq!(teller.tell(&made, &made, &[], due)[0].words, "docker volume create made the volume data");
    let mut used = made.clone();
    used.containers = vec![Container { volumes: vec!["data".into()], ..container("web", "running") }];
    assert_eq!(
        words(&python(), &used, &[]),
        ["docker run made the volume data for web", "docker run started web from python"]
    );
    assert_eq!(words(&made, &python(), &[]), ["docker volume rm removed the volume data and what was in it"]);
    let network = Network { id: "n".into(), name: "front".into(), driver: "bridge".into(), subnet: None };
    let mut joined = NodePicture { networks: vec![network], ..used.clone() };
    assert_eq!(words(&used, &joined, &[]), ["docker network create made the bridge network front"]);
    let before = joined.clone();
    joined.containers[0].networks.push("front".into());
    assert_eq!(words(&before, &joined, &[]), ["docker network connect connected web to front"]);
    assert_eq!(words(&before, &used, &[]), ["docker network rm removed the network front"]);
}

#[test]
fn a_push_counts_what_was_sent() {
    let layer = |digest: &str, catalogue| PushedLayer { id: None, digest: digest.into(), size: 1, catalogue };
    let image = |name: &str, digest: &str, layers| Pushed { name: name.into(), digest: digest.into(), layers };
    let first = Registry { images: vec![image("r/app:1", "x", vec![layer("a", true), layer("b", false)])], more: 0 };
    let said = pushes(&Registry::default(), &first, true);
    assert_eq!(said[0].words, "docker push sent 1 layer, 1 was already there: r/app:1");
    assert_eq!(said[0].changed, ["registry:r/app:1", "blob:a", "blob:b"]);
    let mut second = first.clone();
    second.images.push(image("r/app:2", "y", vec![layer("a", true), layer("b", false), layer("c", false)]));
    assert_eq!(pushes(&first, &second, true)[0].words, "docker push sent 1 layer, 2 were already there: r/app:2");
    second.images[1].digest = "z".into();
    assert_eq!(
        pushes(
            &second,
            &Registry {
                images: vec![second.images[0].clone(), image("r/app:2", "w", vec![layer("a", true)])],
                more: 0
            },
            false
        )[0]
        .words,
        "A push sent no layer, 1 was already there: r/app:2; the tag means another image now"
    );
    assert_eq!(pushes(&first, &Registry::default(), false)[0].words, "The registry has no r/app:1 any more");
    assert!(pushes(&first, &first, true).is_empty());
}

#[test]
fn engines_and_swarms() {
    let asleep = NodePicture::default();
    assert_eq!(words(&asleep, &python(), &[]), ["Docker Engine started"]);
    assert_eq!(words(&python(), &asleep, &[]), ["Docker Engine stopped"]);
    assert!(words(&asleep, &asleep, &[]).is_empty());
    let node = |name: &str, role: &str| SwarmNode {
        id: name.into(),
        name: name.into(),
        role: role.into(),
        leader: role == "manager",
        state: "ready".into(),
        availability: "active".into(),
    };
    let service = |replicas, running| Service {
        id: "s".into(),
        name: "web".into(),
        image: "python:3".into(),
        replicas: Some(replicas),
        running,
        ports: Vec::new(),
    };
    let swarm = |nodes, services| NodePicture { swarm: Some(Swarm { nodes, services, tasks: Vec::new() }), ..python() };
    let one = swarm(vec![node("node1", "manager")], vec![]);
    assert_eq!(words(&python(), &one, &[]), ["docker swarm made this node a manager; the swarm has 1 node"]);
    let two = swarm(vec![node("node1", "manager"), node("node2", "worker")], vec![service(2, 0)]);
    assert_eq!(
        words(&one, &two, &[]),
        [
            "docker swarm join brought node2 in as a worker",
            "docker service create made web from python:3: 2 tasks wanted"
        ]
    );
    let up = swarm(vec![node("node1", "manager"), node("node2", "manager")], vec![service(3, 2)]);
    assert_eq!(
        words(&two, &up, &[]),
        [
            "docker node promote made node2 a manager",
            "docker service scale wants 3 tasks of web now",
            "The swarm has web: 2 of 3 tasks run"
        ]
    );
    assert_eq!(words(&one, &python(), &[]), ["docker swarm leave took this node out of the swarm"]);
}

#[test]
fn sizes_read_as_docker_shows_them() {
    for (bytes, wanted) in [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_940, "9.9 kB"),
        (15_400, "15 kB"),
        (144_070_342, "144 MB"),
        (3 << 40, "3299 GB"),
    ] {
        assert_eq!(super::size(bytes), wanted);
    }
}
