//! Pages elsewhere: which origins may use the API, with a token and never with a cookie, and the script that they load.

mod common;

use common::{
    TestServer,
    student::{Student, client, json},
};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json as object};
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest};

const TUTORIAL: &str = "https://tutorial.example";
const OTHER: &str = "https://other.example";

fn listed() -> TestServer {
    TestServer::with(&[("SDK__ORIGINS", r#"["https://Tutorial.example:443"]"#)])
}

fn allowed(answer: &Response) -> Option<&str> {
    answer.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|v| v.to_str().unwrap())
}

/// A session that a page of the tutorial started.
async fn embedded(server: &TestServer, client_token: Option<&str>) -> Value {
    let answer = start(server, TUTORIAL, client_token).send().await.unwrap();
    assert_eq!(allowed(&answer), Some(TUTORIAL));
    assert!(!answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    assert!(!answer.headers().contains_key(header::SET_COOKIE), "a page elsewhere gets no cookie");
    json(answer).await
}

fn start(server: &TestServer, origin: &str, client_token: Option<&str>) -> RequestBuilder {
    let request = client().post(format!("{}/api/v1/sessions", server.url())).header(header::ORIGIN, origin);
    client_token.iter().fold(request, |r, t| r.header("x-boatyard-client", *t))
}

async fn preflight(server: &TestServer, origin: &str, path: &str) -> Response {
    client()
        .request(Method::OPTIONS, format!("{}{path}", server.url()))
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization,content-type")
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn only_listed_origins_and_only_the_api() {
    let server = listed();
    let answer = preflight(&server, TUTORIAL, "/api/v1/sessions/x/nodes/node1/files").await;
    assert_eq!((answer.status(), allowed(&answer)), (StatusCode::OK, Some(TUTORIAL)));
    let methods = answer.headers()[header::ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap();
    let headers = answer.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
    assert!(methods.contains("PUT") && methods.contains("DELETE"), "{methods}");
    assert!(headers.contains("authorization") && headers.contains("x-boatyard-client"), "{headers}");
    for (origin, path) in [
        (OTHER, "/api/v1/sessions"),
        ("null", "/api/v1/sessions"),
        ("http://tutorial.example", "/api/v1/sessions"),
        ("https://tutorial.example.evil.example", "/api/v1/sessions"),
        (TUTORIAL, "/sessions"),
        (TUTORIAL, "/"),
    ] {
        let answer = preflight(&server, origin, path).await;
        assert_eq!(allowed(&answer), None, "{origin} {path}");
        let post = client().post(format!("{}{path}", server.url())).header(header::ORIGIN, origin);
        let post = post.send().await.unwrap();
        assert_eq!((post.status(), allowed(&post)), (StatusCode::FORBIDDEN, None), "{origin} {path}");
    }
    // A page of the server's own stays what it was: none may frame it, whoever is listed.
    let page = client().get(server.url()).header(header::ORIGIN, TUTORIAL).send().await.unwrap();
    assert_eq!((allowed(&page), page.headers()[header::X_FRAME_OPTIONS].to_str().unwrap()), (None, "DENY"));

    // Whoever asks learns whether it may come, since a browser would not tell it of a refusal.
    for (origin, may) in [(TUTORIAL, true), (OTHER, false), ("null", false), (server.url(), true)] {
        let asked = client().get(format!("{}/api/v1/embedding", server.url())).header(header::ORIGIN, origin);
        let answer = asked.send().await.unwrap();
        assert_eq!(allowed(&answer), Some("*"));
        assert_eq!(
            json(answer).await,
            object!({"allowed": may, "origin": origin, "version": env!("CARGO_PKG_VERSION")})
        );
    }
}

#[tokio::test]
async fn without_a_list_nothing_is_allowed() {
    let server = TestServer::start();
    let answer = preflight(&server, TUTORIAL, "/api/v1/sessions").await;
    assert_eq!((answer.status(), allowed(&answer)), (StatusCode::METHOD_NOT_ALLOWED, None));
    assert_eq!(start(&server, TUTORIAL, None).send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_cookie_counts_for_nothing_elsewhere() {
    let server = listed();
    // The student has a session of their own on the server's pages, and a cookie for it.
    let me = Student::start(&server).await;
    let url = format!("{}/api/v1/sessions/{}", server.url(), me.id);
    let from =
        |method: Method, path: &str| me.http.request(method, format!("{url}{path}")).header(header::ORIGIN, TUTORIAL);
    assert_eq!(me.http.get(&url).send().await.unwrap().status(), StatusCode::OK);
    let answer = from(Method::GET, "").send().await.unwrap();
    assert_eq!((answer.status(), allowed(&answer)), (StatusCode::NOT_FOUND, Some(TUTORIAL)));
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json", "and the page can read why");
    assert_eq!(from(Method::DELETE, "").send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let exec = from(Method::POST, "/nodes/node1/exec").json(&object!({"command": ["true"]}));
    assert_eq!(exec.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let all = format!("{}/api/v1/sessions", server.url());
    let mine = me.http.get(&all).header(header::ORIGIN, TUTORIAL).send().await.unwrap();
    assert_eq!(json(mine).await, object!([]));
    // With a token it may, beside a cookie too.
    assert_eq!(from(Method::GET, "").bearer_auth(&me.token).send().await.unwrap().status(), StatusCode::OK);
    // And what it starts leaves the student's cookie as it is.
    let started = me.http.post(&all).header(header::ORIGIN, TUTORIAL).send().await.unwrap();
    assert_eq!(started.status(), StatusCode::CREATED);
    assert_eq!(me.http.get(&url).send().await.unwrap().status(), StatusCode::OK, "the cookie is still mine");
}

#[tokio::test]
async fn limits_hold_for_pages_elsewhere() {
    let server =
        TestServer::with(&[("SDK__ORIGINS", r#"["https://tutorial.example"]"#), ("SESSIONS__PER_CLIENT", "1")]);
    let first = embedded(&server, None).await;
    let token = first["client"].as_str().unwrap();
    let again = start(&server, TUTORIAL, Some(token)).send().await.unwrap();
    assert_eq!((again.status(), allowed(&again)), (StatusCode::TOO_MANY_REQUESTS, Some(TUTORIAL)));
    let problem: Value = again.json().await.unwrap();
    assert_eq!((&problem["code"], &problem["sessions"]), (&object!("client-limit"), &object!([first["id"]])));
    // It counts, and it opens nothing: neither as a token nor as a cookie.
    let url = format!("{}/api/v1/sessions/{}", server.url(), first["id"].as_str().unwrap());
    assert_eq!(client().get(&url).bearer_auth(token).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let cookie = client().get(&url).header(header::COOKIE, format!("boatyard={token}"));
    assert_eq!(cookie.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    // One that was made up is nobody's.
    let made_up = format!("{}.{}", token.split('.').next().unwrap(), "0".repeat(64));
    let other = embedded(&server, Some(&made_up)).await;
    assert_ne!(other["client"], first["client"]);
    // The server's own pages have their cookie, and are told no token for counting.
    assert!(Student::start(&server).await.session.get("client").is_none());
}

#[tokio::test]
async fn a_websocket_brings_its_token_as_a_subprotocol() {
    let server = listed();
    let session = embedded(&server, None).await;
    let (id, token) = (session["id"].as_str().unwrap(), session["token"].as_str().unwrap());
    let connect = async |origin: &str, id: &str, protocols: Option<String>, cookie: Option<&str>| {
        let path = format!("/api/v1/sessions/{id}/nodes/node1/terminals/main/socket?cols=80&rows=24");
        let mut request = format!("ws://localhost:{}{path}", server.port()).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        for (name, value) in [("sec-websocket-protocol", protocols.as_deref()), ("cookie", cookie)] {
            if let Some(value) = value {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
        tokio_tungstenite::client_async(request, stream).await
    };
    let with = |token: &str| Some(format!("boatyard.v1, boatyard.bearer.{token}"));
    let (mut socket, answer) = connect(TUTORIAL, id, with(token), None).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "boatyard.v1", "the token is not repeated");
    socket.send(Message::binary([b"\0".as_slice(), b"echo rope-$((6*7))\n"].concat())).await.unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("rope-42") {
        let Message::Binary(frame) = socket.next().await.unwrap().unwrap() else { continue };
        seen.extend_from_slice(&frame);
    }

    let refused = async |origin: &str, id: &str, protocols: Option<String>, cookie: Option<&str>| match connect(
        origin, id, protocols, cookie,
    )
    .await
    {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{origin}: {other:?}"),
    };
    assert_eq!(refused(TUTORIAL, id, with(&"0".repeat(64)), None).await, 404);
    assert_eq!(refused(OTHER, id, with(token), None).await, 403, "a token does not make an origin listed");
    // The cookie of the server's own pages opens its session there, and nothing from elsewhere.
    let own = client().post(format!("{}/api/v1/sessions", server.url())).send().await.unwrap();
    let cookie = own.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let own = json(own).await["id"].as_str().unwrap().to_owned();
    assert!(connect(server.url(), &own, None, Some(&cookie)).await.is_ok());
    assert_eq!(refused(TUTORIAL, &own, None, Some(&cookie)).await, 403);
    assert_eq!(refused(TUTORIAL, &own, with(token), Some(&cookie)).await, 404, "nor beside another session's token");
}

#[tokio::test]
async fn a_port_opens_by_a_ticket() {
    let server = listed();
    let session = embedded(&server, None).await;
    let (id, token) = (session["id"].as_str().unwrap(), session["token"].as_str().unwrap());
    let ask = |port: &str, body: Value| {
        let url = format!("{}/api/v1/sessions/{id}/nodes/node1/ports/{port}/ticket", server.url());
        client().post(url).header(header::ORIGIN, TUTORIAL).bearer_auth(token).json(&body)
    };
    let ticket = json(ask("8080", object!({"path": "/a/b?c=d"})).send().await.unwrap()).await;
    let url = ticket["url"].as_str().unwrap();
    assert!(!url.contains(token) && !url.contains(id), "{url}");
    let me = client();
    let entered = me.get(url).send().await.unwrap();
    assert_eq!(
        (entered.status(), &entered.headers()[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/a/b?c=d".parse().unwrap())
    );
    let host = url.split("/.boatyard/").next().unwrap();
    assert_eq!(
        me.get(format!("{host}/")).send().await.unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE,
        "nothing listens yet"
    );
    for (port, body) in
        [("0", object!({})), ("70000", object!({})), ("x", object!({})), ("80", object!({"path": "x".repeat(5000)}))]
    {
        assert_eq!(ask(port, body).send().await.unwrap().status(), StatusCode::BAD_REQUEST, "{port}");
    }
    let stranger = client().post(format!("{}/api/v1/sessions/{id}/nodes/node1/ports/80/ticket", server.url()));
    assert_eq!(stranger.send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_script_is_the_servers_own() {
    let server = TestServer::start();
    let url = format!("{}/sdk/boatyard.js", server.url());
    let answer =
        client().get(&url).header(header::ORIGIN, OTHER).header(header::ACCEPT_ENCODING, "br").send().await.unwrap();
    assert_eq!((answer.status(), allowed(&answer)), (StatusCode::OK, Some("*")));
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(answer.headers()[header::CONTENT_ENCODING], "br");
    assert_eq!(answer.headers()["cross-origin-resource-policy"], "cross-origin");
    assert!(answer.headers()[header::CACHE_CONTROL].to_str().unwrap().starts_with("public"));
    let tag = answer.headers()[header::ETAG].clone();
    let size = answer.bytes().await.unwrap().len();
    assert!(size < 150_000, "{size} bytes over the wire");
    let same = client()
        .get(&url)
        .header(header::ACCEPT_ENCODING, "br")
        .header(header::IF_NONE_MATCH, tag)
        .send()
        .await
        .unwrap();
    assert_eq!((same.status(), allowed(&same)), (StatusCode::NOT_MODIFIED, Some("*")));
    let module = client().get(format!("{}/sdk/boatyard.mjs", server.url())).send().await.unwrap();
    assert_eq!(module.status(), StatusCode::OK);
    for name in ["boatyard.js.br", "nothing.js", "manifest.json"] {
        let answer = client().get(format!("{}/sdk/{name}", server.url())).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{name}");
    }
}
