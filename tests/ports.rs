//! Published ports: any size, WebSockets, server-sent events, a page that waits, and who may look.

mod common;

use std::time::{Duration, Instant};

use common::{
    TestServer, eventually,
    student::{Student, client},
};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode, header};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

/// A small server in the sandbox: echoes bodies and WebSockets, and sends events.
const APP: &str = r#"
import asyncio, base64, hashlib
async def serve(r, w):
    head = (await r.readuntil(b'\r\n\r\n')).decode()
    line, *rest = head.split('\r\n')
    h = {k.lower(): v for k, v in (l.split(': ', 1) for l in rest if ': ' in l)}
    method, path, _ = line.split(' ')
    if h.get('upgrade') == 'websocket':
        key = base64.b64encode(hashlib.sha1((h['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest()).decode()
        w.write(f'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {key}\r\n\r\n'.encode())
        b = await r.readexactly(2); n = b[1] & 127; m = await r.readexactly(4); d = await r.readexactly(n)
        w.write(bytes([0x81, n]) + bytes(c ^ m[i % 4] for i, c in enumerate(d)))
    elif path == '/events':
        w.write(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')
        for i in range(3):
            w.write(f'data: {i}\n\n'.encode()); await w.drain(); await asyncio.sleep(0.4)
    elif path == '/headers':
        w.write(b'HTTP/1.1 200 OK\r\n\r\n' + head.encode())
    else:
        n = int(h.get('content-length', 0)); d = hashlib.sha256(); total = 0
        chunked = h.get('transfer-encoding') == 'chunked'
        while chunked or total < n:
            if chunked:
                size = int(await r.readline(), 16); part = await r.readexactly(size); await r.readline()
                if size == 0: break
            else:
                part = await r.read(1 << 20)
            total += len(part); d.update(part)
        body = f'{total} {d.hexdigest()}'.encode()
        w.write(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(body) + body)
    await w.drain(); w.close()
async def main():
    async with await asyncio.start_server(serve, '0.0.0.0', 8080, limit=1 << 20) as s: await s.serve_forever()
asyncio.run(main())
"#;

async fn with_app(server: &TestServer) -> Student {
    let me = Student::start(server).await;
    me.write("/root/app.py", APP).await;
    me.ok("nohup python3 app.py > app.log 2>&1 &").await;
    eventually("the app listens", Duration::from_secs(10), || async {
        me.port(Method::GET, 8080, "/").send().await.unwrap().status() == StatusCode::OK
    })
    .await;
    me
}

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
    assert_eq!(client().get(&host).send().await.unwrap().status(), StatusCode::FORBIDDEN);

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
