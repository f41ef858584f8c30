//! The figures that Boatyard promises, measured on this host: `make bench`.
//!
//! It starts the release server as an operator would, uses it as students do, prints a table and writes
//! `target/bench.json`. Machines are noisy: medians count, and the time that the OCI runtime takes for an empty container by
//! hand is measured in the same run, to compare with.

#![allow(missing_docs)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use common::{TestServer, residue::residue, student::Student};
use futures_util::StreamExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

struct Figure {
    what: &'static str,
    unit: &'static str,
    goal: f64,
    values: Vec<f64>,
}

impl Figure {
    fn median(&self) -> f64 {
        let mut v = self.values.clone();
        v.sort_by(f64::total_cmp);
        v[v.len() / 2]
    }

    fn worst(&self) -> f64 {
        self.values.iter().copied().fold(0.0, f64::max)
    }
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Waits until nothing is left of the sessions before: the next one is measured alone.
async fn gone(server: &TestServer) {
    while !residue(&server.paths()).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::main]
async fn main() {
    // `cargo test --benches` and `cargo bench` both pass flags of their own.
    let runs = std::env::var("BOATYARD_TEST_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(15);
    let server = TestServer::with(&[("SESSIONS__PER_CLIENT", "100")]);
    let figure = |what, unit, goal| Figure { what, unit, goal, values: Vec::new() };
    let mut prompt = figure("session asked for → first prompt byte in the WebSocket, cold", "ms", 100.0);
    let mut version = figure("session asked for → `docker version` answers, cold", "ms", 400.0);
    let mut answered = figure("close asked for → answered", "ms", 50.0);
    let mut traces = figure("close asked for → no trace left; 2 containers, 1 GB written", "ms", 1000.0);
    let mut idle = figure("private memory of an idle session before Docker", "MB", 8.0);
    let mut docker = figure("private memory of an idle session with Docker up", "MB", 45.0);
    let mut agent = figure("static agent binary", "MB", 6.0);
    let mut own = figure("private memory of the idle server", "MB", 40.0);
    let mut peer = figure("the OCI runtime alone: create, start and end an empty container", "ms", f64::NAN);

    let binary = common::workspace().join("target/boatyard-agent");
    agent.values.push(std::fs::metadata(binary).expect("the agent").len() as f64 / 1e6);
    own.values.push(private_of(server.pid()));
    // One to warm up: the yard, the page cache.
    Student::start(&server).await.close().await;

    for _ in 0..runs {
        peer.values.push(runtime_alone(server.data()));
        let start = Instant::now();
        let me = Student::start(&server).await;
        let mut t = me.terminal("main", None).await;
        while !t.text().contains("# ") {
            assert!(t.next().await);
        }
        prompt.values.push(ms(start));
        t.close().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        idle.values.push(private(&sandbox(&server, &me)));
        let start = Instant::now();
        me.close().await;
        answered.values.push(ms(start));
        gone(&server).await;
    }
    for _ in 0..runs.min(9) {
        let start = Instant::now();
        let me = Student::start(&server).await;
        me.ok("docker version").await;
        version.values.push(ms(start));
        tokio::time::sleep(Duration::from_secs(1)).await;
        docker.values.push(private(&sandbox(&server, &me)));
        me.close().await;
        gone(&server).await;
    }
    for _ in 0..runs.min(5) {
        let me = Student::start(&server).await;
        me.ok("docker run -d nginx && docker run -d nginx && head -c 1G /dev/zero > big").await;
        let start = Instant::now();
        me.close().await;
        gone(&server).await;
        traces.values.push(ms(start));
    }

    let [echo, echo_watched, output, output_watched] = terminal_beside_xray(&server, runs).await;
    let ratio = |a: &Figure, b: &Figure| a.median() / b.median();
    let effect = format!(
        "With the X-ray open an echo takes {:.2} times as long, output {:.2} times.",
        ratio(&echo_watched, &echo),
        ratio(&output_watched, &output)
    );
    let all =
        [prompt, version, answered, traces, idle, docker, agent, own, peer, echo, echo_watched, output, output_watched];
    println!("| what | median | worst | goal | runs |\n|---|---|---|---|---|");
    for f in &all {
        let goal = if f.goal.is_nan() { "–".into() } else { format!("≤ {} {}", f.goal, f.unit) };
        println!(
            "| {} | {:.1} {} | {:.1} {} | {goal} | {} |",
            f.what,
            f.median(),
            f.unit,
            f.worst(),
            f.unit,
            f.values.len()
        );
    }
    println!("\nSession to prompt takes {:.1} times the runtime alone. {effect}", all[0].median() / all[8].median());
    let rows: Vec<_> = all
        .iter()
        .map(|f| json!({"what": f.what, "unit": f.unit, "goal": f.goal, "median": f.median(), "values": f.values}))
        .collect();
    let file = common::workspace().join("target/bench.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&rows).expect("JSON")).expect("written");
    println!("{}", file.display());
}

/// What a terminal does without and with the X-ray open, in turns, while a container runs and others come and go.
async fn terminal_beside_xray(server: &TestServer, runs: usize) -> [Figure; 4] {
    const OUTPUT: usize = 20_000_000;
    let me = Student::start(server).await;
    me.ok("docker run -d --name web nginx").await;
    me.ok("(while true; do docker run --rm busybox true; sleep 1; done) >/dev/null 2>&1 &").await;
    let mut t = me.terminal("main", None).await;
    t.without_delay();
    t.wait_for("# ").await;
    let mut values = [const { Vec::new() }; 4];
    for turn in 0..2 * runs {
        let watched = turn % 2;
        let look = if watched == 1 { Some(watch(&me).await) } else { None };
        for _ in 0..20 {
            let (start, seen) = (Instant::now(), t.offset);
            t.write("x").await;
            while t.offset == seen {
                assert!(t.next().await, "the terminal goes on");
            }
            values[watched].push(ms(start));
        }
        t.output.clear();
        let start = Instant::now();
        t.write(&format!("\x15head -c {OUTPUT} /dev/zero | tr '\\0' x | fold -w 79; echo -n do; echo ne\n")).await;
        while !t.output.ends_with(b"# ") || !t.output.windows(6).any(|w| w == b"done\r\n") {
            assert!(t.next().await, "the terminal goes on");
        }
        values[2 + watched].push(ms(start));
        if let Some(look) = look {
            look.abort();
        }
    }
    me.close().await;
    let mut values = values.into_iter();
    [
        "key → echo in the WebSocket",
        "the same with the X-ray open",
        "20 MB of output in the WebSocket",
        "the same with the X-ray open ",
    ]
    .map(|what| Figure { what, unit: "ms", goal: f64::NAN, values: values.next().unwrap_or_default() })
}

/// Looks at the session's X-ray until it is aborted.
async fn watch(me: &Student) -> tokio::task::JoinHandle<()> {
    let base = me.base.replace("http://localhost", "ws://127.0.0.1");
    let mut request = format!("{base}/api/v1/sessions/{}/xray", me.id).into_client_request().expect("a request");
    request.headers_mut().insert("authorization", format!("Bearer {}", me.token).parse().expect("a header"));
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.expect("connected");
    socket.next().await.expect("a picture").expect("a picture");
    tokio::spawn(async move { while let Some(Ok(_)) = socket.next().await {} })
}

/// Name of the session's sandbox.
fn sandbox(server: &TestServer, me: &Student) -> String {
    let out = server.boatyard(&["session", "ls", "--json"]);
    let all: Vec<serde_json::Value> = serde_json::from_slice(&out.stdout).expect("JSON");
    let session = all.iter().find(|s| s["id"] == me.id.as_str()).expect("the session");
    session["nodes"][0][1].as_str().expect("a sandbox").to_owned()
}

/// Private memory of all processes of a sandbox, in MB: what would be free if it went. Pages of programs that sandboxes share count
/// for none of them.
fn private(sandbox: &str) -> f64 {
    let mut sum = 0.0;
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        if std::fs::read_to_string(entry.path().join("cgroup")).is_ok_and(|g| g.contains(sandbox)) {
            sum += private_of(pid);
        }
    }
    sum
}

fn private_of(pid: u32) -> f64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let kb = |key: &str| -> f64 {
        let line = rollup.lines().find(|l| l.starts_with(key));
        line.and_then(|l| l.split_whitespace().nth(1)).and_then(|n| n.parse().ok()).unwrap_or(0.0)
    };
    kb("Private_Dirty:") * 1024.0 / 1e6
}

/// Milliseconds that runc takes to run `true` in a plain container on the same root file system.
fn runtime_alone(data: &Path) -> f64 {
    let bundle = data.join("peer");
    std::fs::create_dir_all(&bundle).expect("a folder");
    let root = common::workspace().join(".boatyard/images/default/rootfs");
    let config = json!({
        "ociVersion": "1.0.2",
        "root": {"path": root, "readonly": false},
        "process": {"cwd": "/", "user": {"uid": 0, "gid": 0}, "args": ["/bin/true"], "env": ["PATH=/usr/bin:/bin"]},
        "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"}]},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    });
    std::fs::write(bundle.join("config.json"), config.to_string()).expect("written");
    let start = Instant::now();
    let status = Command::new("runc")
        .arg("--root")
        .arg(data.join("peer-state"))
        .arg("run")
        .arg("--bundle")
        .arg(&bundle)
        .arg(format!("boatyard-bench-{}", std::process::id()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .expect("runc runs");
    assert!(status.success());
    ms(start)
}
