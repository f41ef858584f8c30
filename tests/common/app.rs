//! An application in a sandbox.

use std::time::Duration;

use reqwest::{Method, StatusCode};

use super::{TestServer, eventually, student::Student};

/// A small server in the sandbox: echoes bodies and WebSockets, and sends events.
pub const APP: &str = r#"
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
    elif path == '/forever':
        w.write(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')
        while True:
            w.write(b'data: more\n\n'); await w.drain(); await asyncio.sleep(0.1)
    elif path == '/cookies':
        w.write(b'HTTP/1.1 302 Found\r\nSet-Cookie: boatyard=evil; Path=/\r\nSet-Cookie: boatyard-port=evil\r\nSet-Cookie: mine=1; Path=/; Domain=localhost\r\nBoatyard-Error: none\r\nLocation: http://localhost:8080/headers\r\nContent-Length: 0\r\n\r\n')
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

/// A session in which it listens on port 8080 of node1.
pub async fn with_app(server: &TestServer) -> Student {
    let me = Student::start(server).await;
    me.write("/root/app.py", APP).await;
    me.ok("nohup python3 app.py > app.log 2>&1 &").await;
    eventually("the app listens", Duration::from_secs(10), || async {
        me.port(Method::GET, 8080, "/").send().await.unwrap().status() == StatusCode::OK
    })
    .await;
    me
}
