//! Ports that are shared by links, and ports that a range of TCP ports serves.

mod common;

use std::time::Duration;

use common::{
    TestServer,
    app::with_app,
    eventually,
    student::{Student, client, json},
};
use reqwest::{Client, Method, Response, StatusCode, header};

/// Follows redirects as a browser does.
async fn open(http: &Client, url: &str) -> Response {
    let mut answer = http.get(url).send().await.unwrap();
    for _ in 0..5 {
        if !answer.status().is_redirection() {
            break;
        }
        let to = answer.headers()[header::LOCATION].to_str().unwrap();
        let to = answer.url().join(to).unwrap();
        answer = http.get(to).send().await.unwrap();
    }
    answer
}

fn error(answer: &Response) -> (u16, &str) {
    (answer.status().as_u16(), answer.headers().get("boatyard-error").map_or("", |e| e.to_str().unwrap()))
}

#[tokio::test]
async fn a_link_opens_one_port_until_it_is_revoked() {
    let mut server = TestServer::start();
    let me = with_app(&server).await;
    let host = format!("http://8080-node1-{}.localhost:{}", me.public_name, server.port());
    let made = json(me.request(Method::POST, "/ports/node1/8080/links").send().await.unwrap()).await;
    let (url, id) = (made["url"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert!(url.starts_with(&format!("{}/p/", server.url())) && !url.contains(&me.id) && !url.contains(id));
    let listed = me.get("/ports").await["links"].to_string();
    assert!(listed.contains(id) && !listed.contains(url.rsplit('/').next().unwrap()), "the key is told once: {listed}");

    // A link outlives the server, and its bearer sees the port at its plain address.
    server.kill();
    server.start_again();
    let guest = client();
    let seen = open(&guest, url).await;
    assert_eq!((seen.status(), seen.url().as_str()), (StatusCode::OK, format!("{host}/").as_str()));
    let headers = guest.get(format!("{host}/headers")).send().await.unwrap().text().await.unwrap();
    assert!(!headers.contains("boatyard-port"), "{headers}");
    // It opens nothing else: no other port, no node, no session.
    for other in [host.replace("8080-", "8081-"), host.replace("-node1-", "-node2-")] {
        assert_eq!(error(&guest.get(other).send().await.unwrap()), (403, "not-open"));
    }
    let session = format!("{}/api/v1/sessions/{}", server.url(), me.id);
    assert_eq!(guest.get(&session).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    // An owner who tries it stays the owner.
    open(&me.http, &format!("{}/s/{}/ports/node1/8080", server.url(), me.id)).await;
    assert_eq!(open(&me.http, url).await.status(), StatusCode::OK);

    // Nobody else can revoke it, and with it goes what it has opened.
    let other = Student::start(&server).await;
    let revoke = format!("/ports/node1/8080/links/{id}");
    assert_eq!(other.request(Method::DELETE, &revoke).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let mut forever = guest.get(format!("{host}/forever")).send().await.unwrap();
    assert!(forever.chunk().await.unwrap().is_some());
    assert_eq!(me.request(Method::DELETE, &revoke).send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let ends = async { while let Ok(Some(_)) = forever.chunk().await {} };
    tokio::time::timeout(Duration::from_secs(10), ends).await.expect("the stream goes on");
    assert_eq!(error(&guest.get(&host).send().await.unwrap()), (403, "revoked"));
    assert_eq!(guest.get(url).send().await.unwrap().status(), StatusCode::GONE);
    assert_eq!(me.request(Method::DELETE, &revoke).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(me.http.get(&host).send().await.unwrap().status(), StatusCode::OK, "the owner is not concerned");
}

#[tokio::test]
async fn a_link_goes_with_its_node_and_there_are_not_too_many() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    assert_eq!(me.add_node().await, "node2");
    let made = json(me.request(Method::POST, "/ports/node2/80/links").send().await.unwrap()).await;
    let url = made["url"].as_str().unwrap();
    assert_eq!(error(&open(&client(), url).await), (503, "nothing-listens"));
    assert_eq!(me.request(Method::DELETE, "/nodes/node2").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(client().get(url).send().await.unwrap().status(), StatusCode::GONE);
    eventually("there is a new node2", Duration::from_secs(20), || async {
        me.request(Method::POST, "/nodes").send().await.unwrap().json::<serde_json::Value>().await.unwrap()["name"]
            == "node2"
    })
    .await;
    assert_eq!(client().get(url).send().await.unwrap().status(), StatusCode::GONE, "of the node that was");

    let share = || me.request(Method::POST, "/ports/node1/80/links").send();
    for _ in 0..64 {
        assert_eq!(share().await.unwrap().status(), StatusCode::CREATED);
    }
    assert_eq!(share().await.unwrap().status(), StatusCode::CONFLICT);
}

#[tokio::test]
async fn without_wildcard_dns_tcp_ports_of_the_server_serve() {
    let first = 21_000 + std::process::id() as u16 % 1000 * 4;
    let range = format!("{first}-{}", first + 2);
    let server = TestServer::with(&[("PORTS__RANGE", range.as_str()), ("PORTS__PER_SESSION", "2")]);
    let me = with_app(&server).await;
    let page = |port: u16| format!("{}/s/{}/ports/node1/{port}", server.url(), me.id);
    let nothing = client().get(format!("http://localhost:{first}/")).send().await.unwrap();
    assert_eq!(error(&nothing), (404, "nothing-here"));

    let seen = open(&me.http, &format!("{}?path=/headers", page(8080))).await;
    let own = format!("http://localhost:{first}");
    assert_eq!((seen.status(), seen.url().as_str()), (StatusCode::OK, format!("{own}/headers").as_str()));
    // The browser brings all cookies of the host, whatever the port: the application sees its own alone.
    assert_eq!(
        me.http.get(format!("{own}/cookies")).send().await.unwrap().headers()[header::LOCATION],
        format!("{own}/headers")
    );
    let seen = me.http.get(format!("{own}/headers")).send().await.unwrap().text().await.unwrap();
    assert!(!seen.contains("boatyard") && seen.contains("mine=1"), "{seen}");
    let still = me.http.get(format!("{}/api/v1/sessions/{}", server.url(), me.id)).send().await.unwrap();
    assert_eq!(still.status(), StatusCode::OK, "the page's cookie is not overwritten");
    // A page of the application commands nothing, and a stranger sees nothing.
    let order = me.http.delete(format!("{}/api/v1/sessions/{}", server.url(), me.id)).header(header::ORIGIN, &own);
    assert_eq!(order.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(error(&client().get(&own).send().await.unwrap()), (403, "not-open"));
    let worker = me.http.get(&own).header("service-worker", "script").send().await.unwrap();
    assert_eq!(error(&worker), (403, "no-service-workers"));

    // Others' ports are others'; a link leads to wherever the port is.
    let other = Student::start(&server).await;
    let theirs = other.http.get(format!("{}/s/{}/ports/node1/8080", server.url(), other.id)).send().await.unwrap();
    let theirs = theirs.headers()[header::LOCATION].to_str().unwrap().to_owned();
    assert!(theirs.starts_with(&format!("http://localhost:{}/", first + 1)), "{theirs}");
    assert_eq!(
        error(&me.http.get(format!("http://localhost:{}/", first + 1)).send().await.unwrap()),
        (403, "not-open")
    );
    let made = json(me.request(Method::POST, "/ports/node1/8080/links").send().await.unwrap()).await;
    let guest = client();
    assert_eq!(open(&guest, made["url"].as_str().unwrap()).await.url().as_str(), format!("{own}/"));

    // As many as there may be, then that of the session which nobody uses, then a clear word.
    assert_eq!(open(&me.http, &page(9000)).await.url().port(), Some(first + 2));
    let forever = guest.get(format!("{own}/forever")).send().await.unwrap();
    assert_eq!(open(&me.http, &page(9001)).await.url().port(), Some(first + 2));
    let also = open(&me.http, &format!("{}?path=/forever", page(8080))).await;
    me.write(
        "/root/mute.py",
        "import socket, threading\n\
         def hear(c):\n    if c.recv(99): open('/root/heard', 'w')\n    threading.Event().wait()\n\
         s = socket.create_server(('', 9001))\n\
         while True: threading.Thread(target=hear, args=(s.accept()[0],)).start()\n",
    )
    .await;
    me.ok("nohup python3 mute.py >/dev/null 2>&1 &").await;
    eventually("something listens", Duration::from_secs(20), || async {
        me.port(Method::GET, 9001, "/.boatyard/port").send().await.unwrap().status() == StatusCode::NO_CONTENT
    })
    .await;
    let held = tokio::spawn(me.http.get(format!("http://localhost:{}/", first + 2)).send());
    eventually("it is asked", Duration::from_secs(10), || async { me.sh("test -e /root/heard").await.0 == 0 }).await;
    eventually("there is no address left", Duration::from_secs(10), || async {
        let full = me.http.get(page(9002)).header(header::ACCEPT, "text/html").send().await.unwrap();
        full.status() == StatusCode::SERVICE_UNAVAILABLE && full.text().await.unwrap().contains("2 ports open")
    })
    .await;
    held.abort();
    drop((forever, also));
}
