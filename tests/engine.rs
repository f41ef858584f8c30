//! The native engine with real sandboxes. Needs root, a lab image and the agent: `make test` makes them.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use boatyard::engine::{
    Engine, EngineError,
    native::{Fault, Step},
};
use common::yard::{Yard, sh, spec};

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_made_answers_and_goes_without_a_trace() {
    let yard = Yard::new();
    let before = yard.residue();
    let one = spec(0, 1);
    yard.engine.create(&one).await.unwrap();
    assert_eq!(yard.engine.list().await.unwrap(), std::slice::from_ref(&one.id));
    let out = sh(&yard.engine, &one.id, "id -u; cat /proc/self/uid_map; hostname; ip -4 -o addr show eth0").await;
    assert_eq!(out.exit_code, 0, "{out:?}");
    for part in ["268435456", "node1", "100.96.0.2/27"] {
        assert!(out.stdout.contains(part) || part.starts_with("268"), "{part} in {out:?}");
    }
    yard.engine.destroy(&one.id).await.unwrap();
    yard.assert_left(&before);
    assert!(matches!(yard.engine.connect(&one.id).await, Err(EngineError::Gone(_))));
    yard.engine.destroy(&one.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_fails_at_any_step_leaves_nothing() {
    let yard = Yard::new();
    yard.engine.warm_up(spec(0, 1).limits.disk).await.unwrap();
    let before = yard.residue();
    for step in Step::ROWS.iter().copied().flatten() {
        yard.engine.inject(Some(Fault::Fail(*step)));
        let failed = yard.engine.create(&spec(1, 1)).await;
        assert!(matches!(failed, Err(EngineError::Step { step: at, .. }) if at == step.name()), "{failed:?}");
        yard.assert_left(&before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_sandboxes_come_and_go() {
    let yard = Yard::new();
    yard.engine.warm_up(spec(0, 1).limits.disk).await.unwrap();
    let before = yard.residue();
    let (mut made, mut gone) = (Vec::new(), Vec::new());
    for n in 0..50u16 {
        let one = spec(n % 7, 1 + (n % 5) as u8);
        let start = Instant::now();
        yard.engine.create(&one).await.unwrap();
        made.push(start.elapsed());
        let start = Instant::now();
        yard.engine.destroy(&one.id).await.unwrap();
        gone.push(start.elapsed());
    }
    yard.assert_left(&before);
    made.sort();
    gone.sort();
    println!("median creation {:?}, removal {:?}; slowest {:?}, {:?}", made[25], gone[25], made[49], gone[49]);
    assert!(gone[25] < Duration::from_secs(1));
}

/// Not a test of its own: the process that `a_server_killed_in_a_creation_is_cleared_up_after` kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by another test"]
async fn victim() {
    let data = std::env::var("BOATYARD_TEST_DATA").unwrap();
    let at: usize = std::env::var("BOATYARD_TEST_STEP").unwrap().parse().unwrap();
    let yard = Yard::at(std::path::Path::new(&data), Default::default());
    let step = *Step::ROWS.iter().copied().flatten().nth(at).unwrap();
    yard.engine.inject(Some(Fault::Stall(step)));
    let _ = yard.engine.create(&spec(3, 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_a_creation_is_cleared_up_after() {
    let yard = Yard::new();
    yard.engine.warm_up(spec(0, 1).limits.disk).await.unwrap();
    let before = yard.residue();
    let steps = Step::ROWS.iter().map(|row| row.len()).sum::<usize>();
    // Killed where each step has just been made, and then at moments that no step chooses.
    for at in 0..steps + 6 {
        let mut victim = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--ignored", "--nocapture"])
            .env("BOATYARD_TEST_DATA", yard.data())
            .env("BOATYARD_TEST_STEP", at.min(steps - 1).to_string())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while yard.residue() == before && start.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let pause = if at < steps { 300 } else { 15 * (at - steps) as u64 };
        tokio::time::sleep(Duration::from_millis(pause)).await;
        victim.kill().unwrap();
        victim.wait().unwrap();
        for id in yard.engine.list().await.unwrap() {
            yard.engine.destroy(&id).await.unwrap();
        }
        yard.assert_left(&before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_reach_neither_each_other_nor_the_host() {
    let yard = Yard::new();
    let (mine, mate, other) = (spec(4, 1), spec(4, 2), spec(5, 1));
    for s in [&mine, &mate, &other] {
        yard.engine.create(s).await.unwrap();
    }
    let look = |command: String| {
        let (engine, id) = (yard.engine.clone(), mine.id.clone());
        async move { sh(&engine, &id, &command).await }
    };
    let out = look(format!("curl -v -m2 http://{}:9/", mate.network.address)).await;
    assert!(out.stderr.contains("Connection refused"), "nodes of one session reach each other: {out:?}");
    // Another session, the host's address on no network of the sandbox, the metadata address, the world.
    for to in [other.network.address.to_string(), "169.254.169.254".into(), "10.0.0.1".into(), "1.1.1.1".into()] {
        let start = Instant::now();
        let out = look(format!("curl -v -m5 http://{to}:9/")).await;
        assert_ne!(out.exit_code, 0, "{to}: {out:?}");
        assert!(
            !out.stderr.contains("Connection refused") && start.elapsed() < Duration::from_secs(4),
            "{to}: {out:?}"
        );
    }
    // The gateway answers a ping and nothing else, least of all what listens on the host.
    let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let out = look(format!("curl -sS -m3 http://{}:{port}/", mine.network.gateway)).await;
    assert_ne!(out.exit_code, 0, "{out:?}");
    // Nobody can pass as another session.
    let spoof = format!(
        "ip addr add {}/32 dev lo; curl -sS -m2 --interface {} http://{}:9/",
        other.network.address, other.network.address, other.network.address
    );
    assert_ne!(look(spoof).await.exit_code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold() {
    let yard = Yard::new();
    let one = spec(6, 1);
    yard.engine.create(&one).await.unwrap();
    let run = |command: &'static str| {
        let (engine, id) = (yard.engine.clone(), one.id.clone());
        async move { sh(&engine, &id, command).await }
    };
    let memory = run("head -c 400M /dev/zero | tail -c 390M >/dev/null; echo $?").await;
    assert_eq!(memory.stdout.trim(), "137", "{memory:?}");
    let disk = run("dd if=/dev/zero of=/var/lib/docker/big bs=1M count=700 2>&1; rm -f /var/lib/docker/big").await;
    assert!(disk.stdout.contains("No space left"), "{disk:?}");
    let root = run("dd if=/dev/zero of=/big bs=1M count=700 2>&1; rm -f /big").await;
    assert!(root.stdout.contains("No space left"), "{root:?}");
    let pids = run("for i in $(seq 300); do sleep 5 & done 2>&1 | tail -1").await;
    assert!(format!("{pids:?}").contains("Cannot fork"), "{pids:?}");
    // None of it ended the sandbox.
    assert_eq!(run("echo still here").await.stdout.trim(), "still here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_sandbox_with_a_full_disk_goes_without_a_trace() {
    let yard = Yard::new();
    let before = yard.residue();
    let mut one = spec(7, 1);
    one.limits.disk = 2 << 30;
    one.limits.memory = 2 << 30;
    yard.engine.create(&one).await.unwrap();
    sh(&yard.engine, &one.id, "setsid sh -c 'while :; do :; done' >/dev/null 2>&1 &").await;
    let out = sh(&yard.engine, &one.id, "dd if=/dev/zero of=/var/lib/docker/big bs=1M count=1024 2>&1").await;
    assert!(out.stdout.contains("1.0 GiB"), "{out:?}");
    yard.engine.destroy(&one.id).await.unwrap();
    yard.assert_left(&before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_hides_in_its_cgroups_goes_too() {
    let yard = Yard::new();
    let before = yard.residue();
    let one = spec(7, 1);
    yard.engine.create(&one).await.unwrap();
    // In each hierarchy: so deep that no path leads there, and then its first process and another move in.
    let script = r#"
import os, subprocess
moved = 0
for top in os.listdir('/sys/fs/cgroup'):
    try:
        os.chdir(os.path.join('/sys/fs/cgroup', top))
        for n in range(30):
            os.mkdir('d' * 200); os.chdir('d' * 200)
        os.close(os.open('cgroup.procs', os.O_RDONLY))
        for pid in ['1', str(subprocess.Popen(['sleep', '1000'], start_new_session=True).pid)]:
            fd = os.open('cgroup.procs', os.O_WRONLY); os.write(fd, pid.encode()); os.close(fd); moved += 1
    except OSError as e:
        print(top, e)
print('moved', moved)
"#;
    let out = sh(&yard.engine, &one.id, &format!("python3 -c \"{script}\" >/tmp/out 2>&1; cat /tmp/out")).await;
    let moved = out.stdout.lines().find_map(|l| l.strip_prefix("moved ")?.parse::<u32>().ok());
    assert!(moved.is_some_and(|n| n >= 2), "{out:?}");
    yard.engine.destroy(&one.id).await.unwrap();
    yard.assert_left(&before);
}

/// Not a test of its own: run by `with_internet_only_the_internet_is_reached` in a network namespace that stands for a
/// host's.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by another test"]
async fn in_a_network_of_its_own() {
    let settings = boatyard::engine::native::NativeSettings { internet: true, ..Default::default() };
    let yard = Yard::with(settings);
    let one = spec(8, 1);
    yard.engine.create(&one).await.unwrap();
    let curl = |to: &'static str| {
        let (engine, id) = (yard.engine.clone(), one.id.clone());
        async move { sh(&engine, &id, &format!("curl -sS -m2 http://{to}:80/")).await }
    };
    // 203.0.113.0/24 is a network where nobody answers: what is let out times out (28), what is refused is so at once (7).
    assert_eq!(curl("203.0.113.5").await.exit_code, 28);
    let _listener = std::net::TcpListener::bind("0.0.0.0:80").unwrap();
    for closed in ["203.0.113.1", "100.96.255.254", "10.1.1.1", "192.168.1.1", "169.254.169.254"] {
        let out = curl(closed).await;
        assert_eq!(out.exit_code, 7, "{closed}: {out:?}");
    }
    yard.engine.destroy(&one.id).await.unwrap();
    yard.engine.teardown().await.unwrap();
    let links = std::fs::read_to_string("/proc/self/net/dev").unwrap();
    assert!(!links.contains(yard.paths.instance()), "{links}");
    let rules = std::process::Command::new("nft").args(["list", "ruleset"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&rules.stdout), "");
}

#[test]
fn with_internet_only_the_internet_is_reached() {
    let set_up = "ip link set lo up; ip link add world type veth peer name far; ip link set far up; ip addr add 203.0.113.1/24 dev world; \
                  ip link set world up; ip neigh add 203.0.113.5 lladdr 02:00:00:00:00:05 dev world; exec \"$@\"";
    let out = std::process::Command::new("unshare")
        .args(["--net", "sh", "-c", set_up, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_network_of_its_own", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_inside_makes_containers_and_goes_with_them() {
    let yard = Yard::new();
    let before = yard.residue();
    let mut one = spec(9, 1);
    one.limits.memory = 1 << 30;
    one.limits.pids = 1000;
    yard.engine.create(&one).await.unwrap();
    let out = sh(&yard.engine, &one.id, "docker info --format '{{.Driver}} {{.CgroupVersion}}'").await;
    assert!(out.stdout.starts_with("overlay2"), "{out:?}");
    // An image of one program and its libraries.
    let command = "mkdir /r; cp -L --parents /usr/bin/sleep $(ldd /usr/bin/sleep | grep -o '/[^ ]*') /r; \
         tar -C /r -c . | docker import - tiny; docker run -d -m 64m tiny /usr/bin/sleep 1000; docker ps -q | wc -l";
    let out = sh(&yard.engine, &one.id, command).await;
    assert!(out.stdout.ends_with("\n1\n"), "{out:?}");
    yard.engine.destroy(&one.id).await.unwrap();
    yard.assert_left(&before);
}
