//! Published ports: any size, WebSockets, server-sent events, a page that waits, and who may look.

mod common;

use std::time::{Duration, Instant};

use common::{
    TestServer,
    app::with_app,
    eventually,
    student::{Student, client},
};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode, header};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

#[tokio::test]
async fn bodies_of_any_size_websockets_and_events() {
    let server = TestServer::start();
    let me = with_app(&server).await;
    use sha2::Digest;
    let big = vec![b'x'; 64 << 20];
    let answer = me.port(Method::POST, 8080, "/").body(big.clone()).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), format!("{} {}", big.len(), hex::encode(sha2::Sha256::digest(&big))));

    let mut events = me.port(Method::GET, 8080, "/events").send().await.unwrap();
    let start = Instant::now();
    let first = events.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"data: 0") && !first.ends_with(b"data: 2\n\n"), "events come one by one: {first:?}");
    while let Some(_more) = events.chunk().await.unwrap() {}
    assert!(start.elapsed() > Duration::from_millis(700), "and as they are sent");

    let host = format!("8080-node1-{}.localhost:{}", me.public_name, server.port());
    let mut request = format!("ws://127.0.0.1:{}/ws", server.port()).into_client_request().unwrap();
    request.headers_mut().insert("host", host.parse().unwrap());
    request.headers_mut().insert("x-boatyard-token", me.token.parse().unwrap());
    request.headers_mut().insert("origin", format!("http://{host}").parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    socket.send(Message::text("ahoy")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("ahoy"));
}

#[tokio::test]
async fn only_the_owner_looks_and_the_app_sees_no_key() {
    let server = TestServer::start();
    let me = with_app(&server).await;
    let host = format!("http://8080-node1-{}.localhost:{}", me.public_name, server.port());
    let refused = client().get(&host).send().await.unwrap();
    assert_eq!(
        (refused.status(), &refused.headers()["boatyard-error"]),
        (StatusCode::FORBIDDEN, &"not-open".parse().unwrap())
    );
    assert_eq!(refused.headers()[header::CONTENT_TYPE], "application/problem+json");

    // The link on the page hands out a ticket, the ticket becomes a cookie of this host, and the cookie opens it.
    let link =
        me.http.get(format!("{}/s/{}/ports/node1/8080?path=/headers", server.url(), me.id)).send().await.unwrap();
    assert_eq!(link.status(), StatusCode::SEE_OTHER);
    let enter = link.headers()[header::LOCATION].to_str().unwrap().to_owned();
    assert!(enter.starts_with(&host) && !enter.contains(&me.id) && !enter.contains(&me.token));
    let entered = me.http.get(&enter).send().await.unwrap();
    assert_eq!(entered.status(), StatusCode::SEE_OTHER);
    assert_eq!(entered.headers()[header::LOCATION], "/headers");
    let seen = me.http.get(format!("{host}/headers")).send().await.unwrap();
    assert_eq!(seen.status(), StatusCode::OK);
    let seen = seen.text().await.unwrap();
    assert!(
        !seen.contains("boatyard-port")
            && seen.to_lowercase().contains(&format!("host: 8080-node1-{}", me.public_name)),
        "{seen}"
    );
    let stranger = client().get(format!("{}/s/{}/ports/node1/8080", server.url(), me.id)).send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::NOT_FOUND);
    // Another session's key does not open it.
    let other = Student::start(&server).await;
    let answer = client().get(&host).header("x-boatyard-token", &other.token).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_not_there_yet_is_waited_for() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let page = me.port(Method::GET, 9090, "/").header(header::ACCEPT, "text/html").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.headers()["boatyard-error"], "nothing-listens");
    assert!(page.text().await.unwrap().contains("Nothing listens on port 9090"));
    assert_eq!(
        me.port(Method::GET, 9090, "/.boatyard/port").send().await.unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    let mut events = me.events().await;
    me.ok("nohup python3 -m http.server 9090 >/dev/null 2>&1 &").await;
    events
        .wait_for(|e| {
            e["type"] == "ports" && e["ports"].as_array().is_some_and(|p| p.iter().any(|p| p["port"] == 9090))
        })
        .await;
    assert_eq!(me.port(Method::GET, 9090, "/.boatyard/port").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(me.port(Method::GET, 9090, "/").send().await.unwrap().status(), StatusCode::OK);
    // Port 5000 is the student's, although the registry answers there inside while nothing of theirs does.
    me.ok("curl -sf localhost:5000/v2/").await;
    assert_eq!(me.port(Method::GET, 5000, "/v2/").send().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    // Docker listens on a published port before the program in the container does: that is waited for too.
    me.ok("docker run -d --name late -p 9191:80 busybox sh -c 'sleep 4; echo up > index.html; httpd -f -p 80'").await;
    assert_eq!(me.port(Method::GET, 9191, "/").send().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        me.port(Method::GET, 9191, "/.boatyard/port").send().await.unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    eventually("the late program answers", Duration::from_secs(20), || async {
        me.port(Method::GET, 9191, "/.boatyard/port").send().await.unwrap().status() == StatusCode::NO_CONTENT
    })
    .await;
    assert_eq!(me.port(Method::GET, 9191, "/").send().await.unwrap().text().await.unwrap(), "up\n");
    // Neither another node nor an address of the network hides behind a name.
    let wrong = format!("http://9090-node2-{}.localhost:{}", me.public_name, server.port());
    let answer = me.http.get(wrong).header("x-boatyard-token", &me.token).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_application_sees_the_host_that_was_chosen() {
    let mut server = TestServer::start();
    let mut me = with_app(&server).await;
    let own = format!("8080-node1-{}.localhost:{}", me.public_name, server.port());
    let seen = async |me: &Student| {
        let origin = format!("http://{own}");
        let answer = me.port(Method::GET, 8080, "/headers").header(header::ORIGIN, origin).send().await.unwrap();
        answer.text().await.unwrap().to_lowercase()
    };
    let original = seen(&me).await;
    assert!(
        original.contains(&format!("\nhost: {own}\r")) && original.contains(&format!("origin: http://{own}\r")),
        "{original}"
    );
    let put = |body: serde_json::Value, port: u32| {
        me.request(Method::PUT, &format!("/ports/node1/{port}")).json(&body).send()
    };
    assert_eq!(put(serde_json::json!({"host": "localhost"}), 8080).await.unwrap().status(), StatusCode::NO_CONTENT);
    for (body, port) in [
        (serde_json::json!({"host": "example.org"}), 8080),
        (serde_json::json!({"host": "localhost"}), 0),
        (serde_json::json!({"host": "localhost"}), 65536),
    ] {
        assert!(put(body, port).await.unwrap().status().is_client_error());
    }
    server.kill();
    server.start_again();
    me.http = client();
    let local = seen(&me).await;
    for line in [
        "host: localhost:8080".to_owned(),
        "origin: http://localhost:8080".into(),
        format!("x-forwarded-host: {own}"),
        "x-forwarded-proto: http".into(),
        "x-forwarded-for: 127.0.0.1".into(),
    ] {
        assert!(local.contains(&format!("\n{line}\r")), "no {line} in {local}");
    }
    assert_eq!(
        me.get("/ports").await["hosts"],
        serde_json::json!([{"node": "node1", "port": 8080, "host": "localhost"}])
    );

    // What it answers is its own, but for what reaches beyond it.
    let answer = me.port(Method::GET, 8080, "/cookies").send().await.unwrap();
    assert_eq!(answer.headers()[header::LOCATION], format!("http://{own}/headers"));
    let set: Vec<_> = answer.headers().get_all(header::SET_COOKIE).iter().collect();
    assert_eq!(set, ["mine=1; Path=/"]);
    assert!(!answer.headers().contains_key("boatyard-error"), "an application is not the proxy");
}

/// Serves one connection at a time, keeps it, and tells its number.
const ONE_BY_ONE: &str = r#"
import http.server as s
class App(s.BaseHTTPRequestHandler):
    protocol_version, n, timeout = 'HTTP/1.1', 0, 30
    def setup(self):
        App.n += 1; self.n = App.n; super().setup()
    def do_GET(self):
        body = str(self.n).encode(); self.send_response(200)
        self.send_header('Content-Length', str(len(body))); self.end_headers(); self.wfile.write(body)
    def do_POST(self):
        self.rfile.read(int(self.headers['content-length'])); self.do_GET()
s.HTTPServer(('', 7070), App).serve_forever()
"#;

#[tokio::test]
async fn connections_are_kept_where_nothing_can_go_wrong() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    me.write("/root/one.py", ONE_BY_ONE).await;
    me.ok("nohup python3 one.py > one.log 2>&1 &").await;
    let ask = async |method: Method| {
        let answer = tokio::time::timeout(Duration::from_secs(10), me.port(method, 7070, "/").body("x").send()).await;
        answer.expect("it waits for a connection that nobody uses").unwrap().text().await.unwrap()
    };
    let get = async || me.port(Method::GET, 7070, "/").send().await.unwrap().text().await.unwrap();
    eventually("it answers", Duration::from_secs(10), || async { get().await.parse::<u32>().is_ok() }).await;
    let first = get().await;
    for _ in 0..20 {
        assert_eq!(get().await, first, "one connection for all");
    }
    // What cannot be repeated has one of its own, and waits for none.
    assert_ne!(ask(Method::POST).await, first);
    let kept = get().await;
    // A program that was started anew has closed what was kept: the next request does not notice.
    me.ok("pkill -x python3; sleep 0.2; nohup python3 one.py > one.log 2>&1 & sleep 1").await;
    let again = get().await;
    assert!(again == "1" && kept.parse::<u32>().unwrap() > 1, "{again}");
}

const NGINX: &str = "events {}
http { server { listen 8081; http2 on; location / { add_trailer grpc-status 0 always; return 200 \"$server_protocol $host\"; } } }";

#[tokio::test]
async fn http2_reaches_the_application_where_it_must() {
    use http_body_util::{BodyExt, Full};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let server = TestServer::start();
    let me = Student::start(&server).await;
    me.write("/root/nginx.conf", NGINX).await;
    me.ok("docker run -d --network host -v /root/nginx.conf:/etc/nginx/nginx.conf:ro nginx").await;
    eventually("nginx answers", Duration::from_secs(30), || async {
        me.port(Method::GET, 8081, "/").send().await.unwrap().status() == StatusCode::OK
    })
    .await;
    let host = format!("8081-node1-{}.localhost", me.public_name);
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut ask = async |method: &str, kind: &str, token: &str| {
        let request = hyper::Request::builder()
            .method(method)
            .uri(format!("http://{host}:{}/", server.port()))
            .header("content-type", kind)
            .header("te", "trailers")
            .header("x-boatyard-token", token)
            .body(Full::new(bytes::Bytes::from_static(b"x")))
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap();
        let trailers = body.trailers().cloned();
        (head, String::from_utf8(body.to_bytes().to_vec()).unwrap(), trailers)
    };
    let (head, body, _) = ask("GET", "text/plain", &me.token).await;
    assert_eq!((head.status.as_u16(), body), (200, format!("HTTP/1.1 {host}")), "most speak HTTP/1.1");
    let (head, body, trailers) = ask("POST", "application/grpc", &me.token).await;
    assert_eq!((head.status.as_u16(), body), (200, format!("HTTP/2.0 {host}")), "gRPC does not");
    assert_eq!(trailers.expect("trailers")["grpc-status"], "0");
    let (head, ..) = ask("POST", "application/grpc", "wrong").await;
    assert_eq!((head.status.as_u16(), &head.headers["boatyard-error"]), (403, &"not-open".parse().unwrap()));
    // The page's own API takes no orders from an application, in HTTP/2 neither.
    let request = hyper::Request::post(format!("http://localhost:{}/api/v1/sessions", server.port()))
        .header("origin", format!("http://{host}:{}", server.port()))
        .body(Full::default())
        .unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status().as_u16(), 403);
}

#[tokio::test]
async fn a_websocket_over_http2_reaches_an_application_that_speaks_none() {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let server = TestServer::start();
    let me = with_app(&server).await;
    let host = format!("8080-node1-{}.localhost:{}", me.public_name, server.port());
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    // Once it has answered, it has said what it can.
    let first = hyper::Request::get(format!("http://{host}/")).body(http_body_util::Empty::<bytes::Bytes>::new());
    assert_eq!(sender.send_request(first.unwrap()).await.unwrap().status().as_u16(), 403);
    let connect = |token: &str| {
        hyper::Request::connect(format!("http://{host}/ws"))
            .extension(hyper::ext::Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13")
            .header("x-boatyard-token", token)
            .body(http_body_util::Empty::<bytes::Bytes>::new())
            .unwrap()
    };
    let answer = sender.send_request(connect(&me.token)).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let stream = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    let role = tokio_tungstenite::tungstenite::protocol::Role::Client;
    let mut socket = tokio_tungstenite::WebSocketStream::from_raw_socket(stream, role, None).await;
    socket.send(Message::text("ahoy")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("ahoy"));
    assert_eq!(sender.send_request(connect("wrong")).await.unwrap().status().as_u16(), 403);
}
