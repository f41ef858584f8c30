//! A real Docker Engine in each session: pull, build, ship and run without the internet; limits; two sessions that do not
//! touch.

mod common;

use std::time::Duration;

use common::{TestServer, eventually, student::Student};

const APP: &str = "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef hi():\n    return 'hello from flask'\napp.run(host='0.0.0.0', port=5000)\n";

#[tokio::test]
async fn pull_build_ship_run() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    // Docker starts with the first use of its socket, and the command waits for it.
    me.ok("docker version").await;
    me.ok("docker pull python && docker pull hello-world").await;
    assert!(me.ok("docker run --rm hello-world").await.to_lowercase().contains("docker"));
    let layers = me.ok("docker image inspect -f '{{len .RootFS.Layers}}' python").await;
    assert!(layers.trim().parse::<u32>().unwrap() >= 2, "python has {layers} layers");
    // Names that the catalogue lacks fail at once, not after minutes of waiting for a network that is not there.
    assert_ne!(me.sh_for("docker pull no-such-image", 10).await.0, 0);

    me.write("/root/app/app.py", APP).await;
    me.write("/root/app/Dockerfile", "FROM python\nWORKDIR /app\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n").await;
    me.ok("cd app && docker build -t app .").await;
    me.ok("docker tag app registry.lab:5000/me/app:1.0 && docker push registry.lab:5000/me/app:1.0").await;
    me.ok("docker tag app localhost:5000/me/app:2.0 && docker push localhost:5000/me/app:2.0").await;
    me.ok("docker image rm app registry.lab:5000/me/app:1.0 localhost:5000/me/app:2.0").await;
    me.ok("docker run -d --name web -p 8080:5000 registry.lab:5000/me/app:1.0").await;
    eventually("the app answers", Duration::from_secs(20), || async {
        me.sh("curl -sf localhost:8080").await.1.contains("hello from flask")
    })
    .await;
    let answer = me.port(reqwest::Method::GET, 8080, "/").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "hello from flask");

    // A program of the student's own on port 5000 wins over the registry there, and only there.
    me.ok("docker run -d --name own -p 5000:5000 registry.lab:5000/me/app:1.0").await;
    eventually("the own program answers on port 5000", Duration::from_secs(20), || async {
        me.sh("curl -sf localhost:5000").await.1.contains("hello from flask")
    })
    .await;
    assert!(me.ok("curl -sf registry.lab:5000/v2/me/app/tags/list").await.contains("2.0"));
}

#[tokio::test]
async fn ls_has_nothing_to_complain_about() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let complaints = me.ok("bash -ic 'ls --color=always / 2>&1 >/dev/null' 2>/dev/null").await;
    assert_eq!(complaints, "", "ls reads its colours");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_words() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    for command in
        ["docker run ubuntu", "docker pull python:3.99", "docker search web", "echo FROM ubuntu | docker build -"]
    {
        let (code, said) = me.sh(command).await;
        assert!(code != 0 && said.contains("there is no internet here") && !said.contains(":53"), "{command}: {said}");
    }
    assert_eq!(me.get("").await["nodes"][0]["ports"], serde_json::json!([]), "what says so is nobody's port");
    // What is near is asked for directly, whatever it is called.
    for registry in ["node2:5000", "10.1.2.3:5000", "127.0.0.1:9999"] {
        let (_, said) = me.sh(&format!("timeout 5 docker pull {registry}/app")).await;
        assert!(!said.contains("internet"), "{registry}: {said}");
    }
    assert_eq!(me.ok("docker run --rm busybox env | grep -ci proxy || true").await.lines().last(), Some("0"));
}

#[tokio::test]
async fn two_sessions_do_not_touch() {
    let server = TestServer::start();
    let (a, b) = tokio::join!(Student::start(&server), Student::start(&server));
    a.ok("docker pull busybox && docker tag busybox registry.lab:5000/me/app:1 && docker push registry.lab:5000/me/app:1").await;
    // B neither pulls, nor lists, nor overwrites what A pushed, whatever it calls it.
    let name = &a.public_name;
    for path in [
        "me/app".to_owned(),
        format!("sessions/{name}/me/app"),
        format!("../{name}/me/app"),
        format!("..%2f{name}%2fme%2fapp"),
    ] {
        let (_, status) = b
            .sh(&format!(
                "curl -s --path-as-is -o /dev/null -w '%{{http_code}}' registry.lab:5000/v2/{path}/manifests/1"
            ))
            .await;
        assert!(status.starts_with('4'), "{path}: {status}");
    }
    assert!(!b.ok("curl -s registry.lab:5000/v2/_catalog").await.contains("app"));
    b.ok("docker pull hello-world && docker tag hello-world registry.lab:5000/me/app:1 && docker push registry.lab:5000/me/app:1").await;
    let digest = "curl -sI -H 'accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' \
                  registry.lab:5000/v2/me/app/manifests/1 | grep -i docker-content-digest";
    assert_ne!(a.ok(digest).await, b.ok(digest).await, "each has its own");

    // They see neither each other, nor the host, nor each other's processes.
    let address = a.session["nodes"][0]["address"].as_str().unwrap().to_owned();
    a.sh("nohup nc -lk -p 7777 >/dev/null 2>&1 &").await;
    assert_ne!(b.sh(&format!("nc -z -w 2 {address} 7777")).await.0, 0, "B reaches A");
    let gateway = b.ok("ip route show default | cut -d' ' -f3").await;
    for host in [gateway.trim(), "169.254.169.254", "10.0.0.1", "192.168.0.1"] {
        let (code, _) = b.sh(&format!("nc -z -w 2 {host} {}", server.port())).await;
        assert_ne!(code, 0, "B reaches {host}");
    }
    assert_eq!(b.ok("pgrep -c -x nc || true").await.trim(), "0");
    assert_ne!(b.sh("mount -t proc proc /mnt && cat /mnt/1/root/etc/shadow.host").await.0, 0);
    for write in [
        "echo 1 > /proc/sys/kernel/panic",
        "echo b > /proc/sysrq-trigger",
        "dmesg",
        "mknod /tmp/sda b 8 0 && cat /tmp/sda",
    ] {
        assert_ne!(b.sh(write).await.0, 0, "{write}");
    }
    // What a session pushed is gone with it.
    a.close().await;
    let pushed = server.paths().registry();
    eventually("what A pushed is gone", Duration::from_secs(10), || async {
        !std::process::Command::new("find").arg(&pushed).args(["-name", name]).output().unwrap().stdout.contains(&b'/')
    })
    .await;
}

#[tokio::test]
async fn limits_are_seen_and_hold() {
    let server = TestServer::with(&[
        ("LIMITS__MEMORY", "512 MiB"),
        ("LIMITS__CPUS", "1.0"),
        ("LIMITS__PIDS", "300"),
        ("LIMITS__DISK", "1 GiB"),
    ]);
    let me = Student::start(&server).await;
    assert_eq!(me.ok("nproc").await.trim(), "1");
    let total: u64 = me.ok("free -m | awk '/^Mem/ {print $2}'").await.trim().parse().unwrap();
    assert_eq!(total, 512);
    let disk: u64 = me.ok("df -m --output=size / | tail -1").await.trim().parse().unwrap();
    assert!((900..=1024).contains(&disk), "df says {disk} MB");
    // Beside its own disk there is only what lies in memory.
    let others = me.ok("df --output=source,target -x tmpfs | tail -n +2").await;
    assert!(others.lines().all(|l| l.ends_with(" /") || l.ends_with(" /var/lib/docker")), "{others}");
    let in_memory: u64 =
        me.ok("df -m -t tmpfs --output=size | tail -n +2 | sort -n | tail -1").await.trim().parse().unwrap();
    assert!(in_memory <= 256, "a tmpfs of {in_memory} MB");
    // Time and load are the sandbox's own too, and agree with what ps says of its processes.
    let up: f64 = me.ok("cut -d' ' -f1 /proc/uptime").await.trim().parse().unwrap();
    assert!((0.0..60.0).contains(&up), "up for {up} s");
    let oldest: f64 = me.ok("ps -o etimes= -p 1").await.trim().parse().unwrap();
    assert!((up - oldest).abs() < 5.0, "PID 1 is {oldest} s old");
    let load = me.ok("timeout 2 sh -c 'while :; do :; done'; cat /proc/loadavg").await;
    let one: f64 = load.split(' ').next().unwrap().parse().unwrap();
    assert!(one > 0.0 && one < 1.0, "{load}");
    // What the agent needed for that, nobody else has.
    let bounding = u64::from_str_radix(me.ok("sed -n 's/^CapBnd:\t//p' /proc/self/status").await.trim(), 16).unwrap();
    assert_eq!(bounding & (1 << 25), 0, "CAP_SYS_TIME");
    me.ok("test -c /dev/null && echo x >/dev/null && head -c 3 /dev/urandom >/dev/full; test $? = 1").await;
    let memory = me.ok("docker info -f '{{.MemTotal}}'").await;
    assert_eq!(memory.trim(), (512u64 << 20).to_string());

    let (code, _) = me.sh("python3 -c 'x = bytearray(900 << 20)'").await;
    assert_ne!(code, 0, "memory holds");
    let (_, said) = me.sh("dd if=/dev/zero of=/root/fill bs=1M count=1500; rm -f /root/fill").await;
    assert!(said.contains("No space left"), "{said}");
    let (_, said) = me.sh("for i in $(seq 400); do sleep 5 & done; wait").await;
    assert!(said.contains("Resource temporarily unavailable") || said.contains("retry"), "{said}");
    assert_eq!(me.ok("echo alive").await, "alive\n");
}
