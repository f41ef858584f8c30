//! Ports, sockets and the Docker Engine of a node, from a student's own machine: by ssh, and by `boatyard forward`.

mod common;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use common::{
    TestServer, eventually,
    laptop::{Laptop, run, text},
    student::{Student, json},
};
use reqwest::Method;

/// Reads to the end of what it is sent, and only then answers: with its length and its digest.
const APP: &str = "
import hashlib, socket, threading
def serve(c):
    d = hashlib.sha256(); n = 0
    while True:
        b = c.recv(1 << 16)
        if not b: break
        d.update(b); n += len(b)
    c.sendall(f'{n} {d.hexdigest()}'.encode()); c.close()
s = socket.create_server(('127.0.0.1', 7000))
while True: threading.Thread(target=serve, args=(s.accept()[0],)).start()
";

async fn with_app(me: &Student) {
    me.write("/root/app.py", APP).await;
    me.ok("nohup python3 app.py >app.log 2>&1 &").await;
    eventually("the app listens", Duration::from_secs(20), || async {
        me.sh("python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 7000))'").await.0 == 0
    })
    .await;
}

/// Sends 20 MB, ends its own side, and hears what the app has to say then.
fn tell(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(&vec![7; 20_000_000])?;
    stream.shutdown(Shutdown::Write)?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    Ok(said)
}

fn told() -> String {
    use sha2::Digest;
    format!("20000000 {}", hex::encode(sha2::Sha256::digest(vec![7; 20_000_000])))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn ssh_forwards_to_the_session_and_nowhere_else() {
    let server = TestServer::with(&[("SSH__LISTEN", "127.0.0.1:0")]);
    let me = Student::start(&server).await;
    let laptop = Laptop::of(&me).await;
    with_app(&me).await;
    let second = me.add_node().await;
    me.ok_on(&second, "nohup python3 -m http.server 8000 >log 2>&1 &").await;
    eventually("node2 serves", Duration::from_secs(20), || async {
        me.sh_on(&second, "curl -s localhost:8000", 20).await.0 == 0
    })
    .await;
    let docker = laptop.path("docker.sock");
    let ports: Vec<u16> = (0..4).map(|_| free_port()).collect();
    let forwards = [
        format!("127.0.0.1:{}:localhost:7000", ports[0]),
        format!("127.0.0.1:{}:{second}:8000", ports[1]),
        // The server's own port, as the host's address on the sandboxes' network, and as any other.
        format!("127.0.0.1:{}:100.96.0.1:{}", ports[2], server.port()),
        format!("127.0.0.1:{}:192.0.2.1:80", ports[3]),
        format!("{}:/var/run/docker.sock", docker.display()),
    ];
    let mut args = vec!["-N", "-o", "ExitOnForwardFailure=yes"];
    forwards.iter().for_each(|f| args.extend(["-L", f]));
    args.push("node1");
    let _ssh = Ends(laptop.open("/usr/bin/ssh", &args).spawn().unwrap());
    let there = ports[3];
    eventually(
        "ssh listens",
        Duration::from_secs(30),
        || async move { TcpStream::connect(("127.0.0.1", there)).is_ok() },
    )
    .await;
    let app = ports[0];
    assert_eq!(tokio::task::spawn_blocking(move || tell(app)).await.unwrap().unwrap(), told());
    let listing = reqwest::get(format!("http://127.0.0.1:{}/", ports[1])).await.unwrap().text().await.unwrap();
    assert!(listing.contains("Directory listing"), "{listing}");
    for refused in &ports[2..] {
        let mut stream = TcpStream::connect(("127.0.0.1", *refused)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0, "it is closed");
    }
    eventually("the engine answers over the socket", Duration::from_secs(30), || async {
        let mut c = Command::new("curl");
        let c = c.args(["-s", "--max-time", "20", "--unix-socket"]).arg(&docker).arg("http://docker/version");
        String::from_utf8_lossy(&c.output().unwrap().stdout).contains("ApiVersion")
    })
    .await;

    let back = laptop.ssh(&["-o", "ExitOnForwardFailure=yes", "-R", "9000:localhost:9000", "node1", "true"]).await;
    assert!(!back.status.success() && String::from_utf8_lossy(&back.stderr).contains("remote port forwarding failed"));
}

#[tokio::test]
async fn docker_works_over_ssh() {
    let server = TestServer::with(&[("SSH__LISTEN", "127.0.0.1:0")]);
    let me = Student::start(&server).await;
    let laptop = Laptop::of(&me).await;
    let host = format!("ssh://{}@127.0.0.1:{}", laptop.user("node1"), laptop.port());
    // The host's docker command, or the lab image's.
    let program = ["/usr/local/bin/docker", "/usr/bin/docker"].into_iter().find(|p| std::path::Path::new(p).exists());
    let own = common::workspace().join(".boatyard/images/default/rootfs/usr/bin/docker");
    let program = program.map_or(own, Into::into);
    let docker = |args: &[&str]| {
        let mut c = laptop.command(program.to_str().unwrap(), args);
        c.env("DOCKER_HOST", &host).env("DOCKER_BUILDKIT", "0");
        c
    };
    let version = text(run(docker(&["version", "--format", "{{.Server.Version}}"])).await);
    assert!(me.ok("docker version --format '{{.Server.Version}}'").await.contains(version.trim()));
    text(run(docker(&["pull", "-q", "busybox"])).await);
    assert_eq!(text(run(docker(&["run", "--rm", "busybox", "echo", "hello"])).await), "hello\n");

    // Streams both ways, with the end of the input.
    let mut c = docker(&["run", "-i", "--rm", "busybox", "sha1sum"]);
    std::fs::write(laptop.path("in"), vec![b'x'; 3_000_000]).unwrap();
    c.stdin(std::fs::File::open(laptop.path("in")).unwrap());
    let digest = text(
        run({
            let mut s = Command::new("sha1sum");
            s.arg(laptop.path("in"));
            s
        })
        .await,
    );
    assert_eq!(text(run(c).await).split(" ").next(), digest.split(" ").next());
    let out = run(docker(&["run", "--rm", "busybox", "sh", "-c", "echo err >&2; exit 9"])).await;
    assert_eq!((out.status.code(), &out.stderr[..]), (Some(9), &b"err\n"[..]));

    // A build sends its context; several commands at once have connections of their own.
    std::fs::create_dir_all(laptop.path("context")).unwrap();
    std::fs::write(laptop.path("context/Dockerfile"), "FROM busybox\nCOPY page /page\nCMD cat /page\n").unwrap();
    std::fs::write(laptop.path("context/page"), "from outside\n").unwrap();
    text(run(docker(&["build", "-q", "-t", "mine", "context"])).await);
    let all = (0..5).map(|_| run(docker(&["run", "--rm", "mine"])));
    for out in futures_util::future::join_all(all).await {
        assert_eq!(text(out), "from outside\n");
    }

    // The same as a context.
    let context = ["context", "create", "lab", "--docker", &format!("host={host}")];
    let mut c = laptop.command(program.to_str().unwrap(), &context);
    c.env("DOCKER_CONFIG", laptop.path("docker"));
    text(run(c).await);
    let mut c = laptop.command(program.to_str().unwrap(), &["--context", "lab", "image", "ls", "-q", "mine"]);
    c.env("DOCKER_CONFIG", laptop.path("docker"));
    assert!(!text(run(c).await).trim().is_empty());
}

/// `boatyard forward`, running; the address that it listens on for each port.
fn forward(env: &[(&str, &str)], args: &[&str]) -> Result<(Ends, Vec<String>), String> {
    let mut c = Command::new(env!("CARGO_BIN_EXE_boatyard"));
    c.arg("forward").args(args).env("RUST_LOG", "warn");
    c.envs(env.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Ends(c.spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap());
    let ports = args.iter().filter(|a| a.contains(":") && a.contains("node")).count();
    let mut at = Vec::new();
    for _ in 0..ports {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let Some((_, address)) = line.trim().split_once(" is at ") else {
            let mut said = String::new();
            child.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            assert!(!child.0.wait().unwrap().success());
            return Err(said);
        };
        at.push(address.to_owned());
    }
    Ok((child, at))
}

#[tokio::test]
async fn boatyard_forward_carries_raw_tcp() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    with_app(&me).await;
    let made = json(me.request(Method::POST, "/forward-token").send().await.unwrap()).await;
    let session = made["session"].as_str().unwrap().to_owned();
    let (url, page) = (server.url().to_owned(), format!("{}/s/{}", server.url(), me.id));
    let token = me.token.clone();
    let checked = tokio::task::spawn_blocking(move || {
        // What the page gives, which says all but the server; in the environment, or in a file.
        let env = [("BOATYARD_SESSION", session.as_str())];
        let (_one, at) = forward(&env, &["--server", &url, "0:node1:7000"]).unwrap();
        let port = |at: &str| at.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
        assert_eq!(tell(port(&at[0])).unwrap(), told());
        let several: Vec<_> = (0..5).map(|_| port(&at[0])).map(|p| std::thread::spawn(move || tell(p))).collect();
        for one in several {
            assert_eq!(one.join().unwrap().unwrap(), told());
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{token}\n")).unwrap();
        let file = file.path().to_str().unwrap();
        let (_two, at) =
            forward(&[], &["--session", &page, "--token-file", file, "0:node1:7000", "0:node1:7001"]).unwrap();
        assert_eq!(tell(port(&at[0])).unwrap(), told());
        // Nothing listens: told at the start, and the connection is closed.
        let mut nothing = TcpStream::connect(&at[1]).unwrap();
        assert_eq!(nothing.read(&mut [0]).unwrap_or(0), 0);

        // One line, with the cause and the mend.
        for (env, args, said) in [
            (vec![], vec!["--server", &url, "node1:7000"], "which session?"),
            (vec![("BOATYARD_SESSION", "x")], vec!["--server", &url, "node1:7000"], "the session is none"),
            (vec![("BOATYARD_SESSION", &session[..])], vec!["0:node1:7000"], "which server?"),
            (vec![("BOATYARD_SESSION", &session[..])], vec!["--server", &url, "0:node7:7000"], "no node node7"),
            (
                vec![("BOATYARD_SESSION", &session[..])],
                vec!["--server", "http://127.0.0.1:1", "0:node1:7000"],
                "cannot be reached",
            ),
            (vec![("BOATYARD_TOKEN", "wrong")], vec!["--session", &page, "0:node1:7000"], "no such session"),
        ] {
            let e = forward(&env, &args).map(|(_, at)| at).unwrap_err();
            assert!(e.contains(said) && e.trim_end().lines().count() == 1 && !e.contains(&session), "{args:?}: {e}");
        }
        (url, session)
    });
    let (url, session) = checked.await.unwrap();

    // The token opens ports and nothing else.
    let (id, secret) = session.split_once('.').unwrap();
    let other = me.http.get(format!("{url}/api/v1/sessions/{id}")).bearer_auth(secret).send().await.unwrap();
    assert_eq!(other.status(), reqwest::StatusCode::NOT_FOUND);
    // Nor does a page of another origin come through.
    let path = format!("{url}/api/v1/sessions/{id}/nodes/node1/tcp/7000");
    let foreign = me.http.get(&path).bearer_auth(secret).header("origin", "http://8080-node1-x.localhost");
    let foreign = foreign.header("connection", "upgrade").header("upgrade", "websocket").send().await.unwrap();
    assert_eq!(foreign.status(), reqwest::StatusCode::FORBIDDEN);
    me.close().await;
    let env = [("BOATYARD_SESSION", session.as_str())];
    let e = forward(&env, &["--server", &url, "0:node1:7000"]).map(|(_, at)| at).unwrap_err();
    assert!(e.contains("no such session") || e.contains("ended"), "{e}");
}
