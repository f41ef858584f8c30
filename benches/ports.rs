//! What the way through the server costs a published port: `make bench`.
//!
//! A large download from nginx in a sandbox through the port's host name, and, in turn with it, the same download through two
//! relays that only copy bytes between sockets as the server and the agent do: TCP to Unix socket, Unix socket to TCP, the second
//! in the sandbox's own network. Then small requests, with server and agent on one processor, all else on the others.

#![allow(missing_docs)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{TestServer, eventually, student::Student};
use nix::{
    sched::{CpuSet, sched_setaffinity},
    unistd::Pid,
};
use reqwest::Method;
use serde_json::json;

/// Size of the download.
const LARGE: u64 = 512 << 20;
/// Buffer of the plain relays, as large as the agent's.
const BUFFER: usize = 64 << 10;
/// Connections that ask for the small page at the same time.
const CONNECTIONS: usize = 16;
const PORT: u16 = 8080;

const NGINX: &str = "worker_processes 1; events { worker_connections 1024; }
http { access_log off; sendfile on; keepalive_requests 100000000; server { listen 8080; root /site; } }";

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("relay-server") => relay_server(args[2].clone().into()),
        Some("relay-agent") => relay_agent(args[2].clone().into()),
        _ => measure(),
    }
}

#[tokio::main]
async fn measure() {
    let runs: usize = std::env::var("BOATYARD_TEST_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(7);
    let server = TestServer::with(&[]);
    let me = Student::start(&server).await;
    me.write("/root/nginx.conf", NGINX).await;
    me.ok("mkdir site && echo Ahoy > site/small && head -c 512M /dev/zero > site/large").await;
    let mounts = "-v /root/nginx.conf:/etc/nginx/nginx.conf:ro -v /root/site:/site:ro";
    me.ok(&format!("docker run -d --network host {mounts} nginx")).await;
    eventually("nginx answers", Duration::from_secs(30), || async {
        me.port(Method::GET, PORT, "/small").send().await.unwrap().status().is_success()
    })
    .await;
    let sandbox = sandbox(&server, &me);
    let agent = processes(&sandbox, "agent").into_iter().min().expect("the agent runs");
    let (mut relay_in, mut relay_out, plain) = plain_relays(server.data(), agent);
    let through =
        Way { tcp: server.port(), host: format!("8080-node1-{}.localhost", me.public_name), token: me.token.clone() };
    let plain = Way { tcp: plain, host: "localhost".into(), token: String::new() };

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        let (a, b) = (download(&through), download(&plain));
        // The first fills caches.
        if run > 0 {
            ours.push(a);
            theirs.push(b);
        }
    }
    let apart = pin(&[server.pid(), agent, relay_in.id(), relay_out.id()], &processes(&sandbox, "nginx"));
    let mut small = Vec::new();
    let mut small_plain = Vec::new();
    for run in 0..=runs.min(5) {
        let a = small_requests(&through, &[server.pid(), agent]).await;
        let b = small_requests(&plain, &[relay_in.id(), relay_out.id()]).await;
        if run > 0 {
            small.push(a);
            small_plain.push(b);
        }
    }
    for relay in [&mut relay_in, &mut relay_out] {
        let _ = relay.kill();
        let _ = relay.wait();
    }

    let rate = |f: fn(&Rate) -> f64, of: &[Rate]| median(&of.iter().map(f).collect::<Vec<_>>());
    let percent = 100.0 * median(&ours) / median(&theirs);
    let alone = if apart { "server and agent on one processor" } else { "all on one processor" };
    println!("| what | median | goal | runs |\n|---|---|---|---|");
    println!("| download through a port's host name | {:.0} MB/s | – | {} |", median(&ours), ours.len());
    println!("| the same through plain relays | {:.0} MB/s | – | {} |", median(&theirs), theirs.len());
    println!("| … which is | {percent:.0} % | ≥ 80 % | |");
    for (what, goal, of) in
        [("through a port's host name", "≥ 5000/s", &small), ("through plain relays", "–", &small_plain)]
    {
        println!("| small requests {what}, {alone} | {:.0}/s | {goal} | {} |", rate(|r| r.wall, of), of.len());
        println!("| … in a second of their time on it | {:.0} | {goal} | |", rate(|r| r.busy, of));
    }
    let both = |of: &[Rate]| of.iter().map(|r| json!({"per_s": r.wall, "per_processor_s": r.busy})).collect::<Vec<_>>();
    let all = json!({
        "download_mb_s": ours, "plain_mb_s": theirs, "percent": percent,
        "requests": both(&small), "plain_requests": both(&small_plain),
    });
    let file = common::workspace().join("target/bench-ports.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&all).expect("JSON")).expect("written");
    println!("\n{}", file.display());
}

/// A way to nginx.
#[derive(Clone)]
struct Way {
    tcp: u16,
    host: String,
    token: String,
}

impl Way {
    fn request(&self, path: &str, connection: &str) -> String {
        let Way { host, token, .. } = self;
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Boatyard-Token: {token}\r\nConnection: {connection}\r\n\r\n")
    }
}

/// Megabytes a second of one download.
fn download(way: &Way) -> f64 {
    let start = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", way.tcp)).expect("connected");
    stream.write_all(way.request("/large", "close").as_bytes()).expect("sent");
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer).expect("received") {
            0 => break,
            n => total += n as u64,
        }
    }
    assert!((LARGE..LARGE + 4096).contains(&total), "{total} bytes came");
    LARGE as f64 / 1e6 / start.elapsed().as_secs_f64()
}

/// Requests in a second.
struct Rate {
    /// Of the clock's.
    wall: f64,
    /// Of the time that the processes between client and application had a processor: a busy machine takes less of it.
    busy: f64,
}

/// Small requests over kept connections.
async fn small_requests(way: &Way, between: &[u32]) -> Rate {
    let busy = || between.iter().map(|pid| processor_seconds(*pid)).sum::<f64>();
    let (start, before) = (Instant::now(), busy());
    let tasks = (0..CONNECTIONS).map(|_| {
        let way = way.clone();
        tokio::task::spawn_blocking(move || ask(&way, start))
    });
    let mut all = 0;
    for task in tasks.collect::<Vec<_>>() {
        all += task.await.expect("requests");
    }
    Rate { wall: all as f64 / start.elapsed().as_secs_f64(), busy: all as f64 / (busy() - before) }
}

/// How many small requests were answered one after the other, for three seconds from `start`.
fn ask(way: &Way, start: Instant) -> u64 {
    let mut stream = TcpStream::connect(("127.0.0.1", way.tcp)).expect("connected");
    stream.set_nodelay(true).expect("set");
    let request = way.request("/small", "keep-alive");
    let (mut buffer, mut n) = (vec![0; 4096], 0);
    while start.elapsed() < Duration::from_secs(3) {
        stream.write_all(request.as_bytes()).expect("sent");
        let mut have = 0;
        while !buffer[..have].ends_with(b"\r\n\r\nAhoy\n") {
            let got = stream.read(&mut buffer[have..]).expect("received");
            assert!(got > 0, "{}", String::from_utf8_lossy(&buffer[..have]));
            have += got;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&buffer[..have]));
        n += 1;
    }
    n
}

/// Seconds for which a process has had a processor.
fn processor_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is there");
    let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().expect("a number") + fields[12].parse::<f64>().expect("a number");
    // A tick is a hundredth of a second on every Linux (USER_HZ).
    ticks / 100.0
}

/// Two processes that copy bytes, in the place of server and agent; and where the first listens.
fn plain_relays(data: &Path, agent: u32) -> (Child, Child, u16) {
    let own = std::env::current_exe().expect("its own path");
    let socket = data.join("relay.sock");
    let net = format!("--net=/proc/{agent}/ns/net");
    let mut inner = Command::new("nsenter");
    let inner =
        inner.arg(net).arg(&own).arg("relay-agent").arg(&socket).stdin(Stdio::null()).spawn().expect("nsenter runs");
    while !socket.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut outer = Command::new(own);
    let mut outer = outer.arg("relay-server").arg(&socket).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut line = String::new();
    let said = outer.stdout.take().expect("its output");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(said), &mut line).expect("a line");
    (outer, inner, line.trim().parse().expect("a port"))
}

/// Listens on TCP and copies to a Unix socket and back, on as many threads as the server has.
#[tokio::main]
async fn relay_server(socket: PathBuf) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
    println!("{}", listener.local_addr().expect("an address").port());
    loop {
        let (mut from, _) = listener.accept().await.expect("accepted");
        let _ = from.set_nodelay(true);
        let socket = socket.clone();
        tokio::spawn(async move {
            let mut to = tokio::net::UnixStream::connect(socket).await.expect("connected");
            let _ = tokio::io::copy_bidirectional_with_sizes(&mut from, &mut to, BUFFER, BUFFER).await;
        });
    }
}

/// Listens on a Unix socket and copies to the application's port and back, on one thread as the agent.
#[tokio::main(flavor = "current_thread")]
async fn relay_agent(socket: PathBuf) {
    let listener = tokio::net::UnixListener::bind(socket).expect("bound");
    loop {
        let (mut from, _) = listener.accept().await.expect("accepted");
        tokio::spawn(async move {
            let mut to = tokio::net::TcpStream::connect(("127.0.0.1", PORT)).await.expect("connected");
            let _ = to.set_nodelay(true);
            let _ = tokio::io::copy_bidirectional_with_sizes(&mut from, &mut to, BUFFER, BUFFER).await;
        });
    }
}

/// Name of the session's sandbox.
fn sandbox(server: &TestServer, me: &Student) -> String {
    let out = server.boatyard(&["session", "ls", "--json"]);
    let all: Vec<serde_json::Value> = serde_json::from_slice(&out.stdout).expect("JSON");
    let session = all.iter().find(|s| s["id"] == me.id.as_str()).expect("the session");
    session["nodes"][0][1].as_str().expect("a sandbox").to_owned()
}

/// The processes of this name in a sandbox.
fn processes(sandbox: &str, name: &str) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let all = entries.filter_map(|e| e.file_name().to_str().and_then(|n| n.parse::<u32>().ok()));
    let read = |pid: u32, what: &str| std::fs::read_to_string(format!("/proc/{pid}/{what}")).unwrap_or_default();
    all.filter(|pid| read(*pid, "comm").trim() == name && read(*pid, "cgroup").contains(sandbox)).collect()
}

/// Puts some processes on the first processor, and others with this one on the rest. `false` where there is one processor
/// only.
fn pin(first: &[u32], others: &[u32]) -> bool {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    if cpus < 2 {
        return false;
    }
    let (mut one, mut rest) = (CpuSet::new(), CpuSet::new());
    one.set(0).expect("a processor");
    (1..cpus).for_each(|cpu| rest.set(cpu).expect("a processor"));
    let set = |pid: u32, cpus: &CpuSet| {
        for task in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            if let Some(task) = task.file_name().to_str().and_then(|t| t.parse().ok()) {
                let _ = sched_setaffinity(Pid::from_raw(task), cpus);
            }
        }
    };
    others.iter().chain([&std::process::id()]).for_each(|pid| set(*pid, &rest));
    first.iter().for_each(|pid| set(*pid, &one));
    true
}

fn median(values: &[f64]) -> f64 {
    let mut v = values.to_vec();
    v.sort_by(f64::total_cmp);
    v[v.len() / 2]
}
