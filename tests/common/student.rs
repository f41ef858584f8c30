//! A student, or a program in a student's name: uses the API as the pages do.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::{TestServer, eventually, terminal::Terminal};

/// A session in someone's hands.
pub struct Student {
    pub http: reqwest::Client,
    pub base: String,
    pub id: String,
    pub token: String,
    pub public_name: String,
    pub session: Value,
}

impl Student {
    /// Starts a session.
    pub async fn start(server: &TestServer) -> Student {
        Student::start_with(server, json!({})).await
    }

    /// Starts a session that is asked for with `body`.
    pub async fn start_with(server: &TestServer, body: Value) -> Student {
        let http = client();
        let answer =
            http.post(format!("{}/api/v1/sessions", server.url())).json(&body).send().await.expect("an answer");
        let status = answer.status();
        let session: Value = answer.json().await.expect("JSON");
        assert_eq!(status, StatusCode::CREATED, "{session}");
        let text = |key: &str| session[key].as_str().unwrap_or_else(|| panic!("{key} in {session}")).to_owned();
        Student {
            http,
            base: server.url().to_owned(),
            id: text("id"),
            token: text("token"),
            public_name: text("public_name"),
            session,
        }
    }

    /// A request to this session, `path` begins after its address.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v1/sessions/{}{path}", self.base, self.id);
        self.http.request(method, url).bearer_auth(&self.token)
    }

    /// `GET` as JSON.
    pub async fn get(&self, path: &str) -> Value {
        json(self.request(Method::GET, path).send().await.expect("an answer")).await
    }

    /// Runs a shell command on node1: exit code, stdout and stderr together.
    pub async fn sh(&self, script: &str) -> (i64, String) {
        self.sh_for(script, 120).await
    }

    /// As [`Student::sh`], with so many seconds.
    pub async fn sh_for(&self, script: &str, seconds: u32) -> (i64, String) {
        self.sh_on("node1", script, seconds).await
    }

    /// Runs a shell command on a node.
    pub async fn sh_on(&self, node: &str, script: &str, seconds: u32) -> (i64, String) {
        let path = format!("/nodes/{node}/exec");
        let body = json!({"command": ["bash", "-lc", format!("{{ {script}\n}} 2>&1")], "timeout_s": seconds});
        let done = json(self.request(Method::POST, &path).json(&body).send().await.expect("an answer")).await;
        let code = done["exit_code"].as_i64().unwrap_or_else(|| panic!("{script}: {done}"));
        (code, done["stdout"].as_str().unwrap_or_default().to_owned())
    }

    /// Runs a shell command that must succeed; its output.
    pub async fn ok(&self, script: &str) -> String {
        let (code, out) = self.sh(script).await;
        assert_eq!(code, 0, "{script}: {out}");
        out
    }

    /// Runs a shell command on a node that must succeed; its output.
    pub async fn ok_on(&self, node: &str, script: &str) -> String {
        let (code, out) = self.sh_on(node, script, 120).await;
        assert_eq!(code, 0, "{node}: {script}: {out}");
        out
    }

    /// Adds a node; its name.
    pub async fn add_node(&self) -> String {
        let node = json(self.request(Method::POST, "/nodes").send().await.expect("an answer")).await;
        node["name"].as_str().expect("a name").to_owned()
    }

    /// Writes a file on node1.
    pub async fn write(&self, path: &str, text: &str) {
        let answer = self
            .request(Method::PUT, &format!("/nodes/node1/files?path={path}"))
            .body(text.to_owned())
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap_or_default());
    }

    /// Attaches to a terminal of node1.
    pub async fn terminal(&self, id: &str, resume: Option<(u64, u64)>) -> Terminal {
        Terminal::attach(self, id, resume, false).await
    }

    /// Asks for what a published port of node1 serves, with the session's token.
    pub fn port(&self, method: Method, port: u16, path: &str) -> RequestBuilder {
        let (_, tcp) = self.base.rsplit_once(':').expect("a port");
        let url = format!("http://{port}-node1-{}.localhost:{tcp}{path}", self.public_name);
        self.http.request(method, url).header("x-boatyard-token", &self.token)
    }

    /// Closes the session.
    pub async fn close(&self) {
        let answer = self.request(Method::DELETE, "").send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    }

    /// Waits until Docker answers.
    pub async fn docker(&self) {
        eventually("docker answers", Duration::from_secs(20), || async { self.sh("docker version").await.0 == 0 })
            .await;
    }
}

/// A client that finds names below `localhost` on loopback, as browsers do.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .cookie_store(true)
        .dns_resolver(std::sync::Arc::new(Loopback))
        .build()
        .expect("a client")
}

struct Loopback;

impl reqwest::dns::Resolve for Loopback {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let loopback: reqwest::dns::Addrs = Box::new(std::iter::once(([127, 0, 0, 1], 0).into()));
        Box::pin(std::future::ready(Ok(loopback)))
    }
}

/// An answer that must be a success, as JSON.
pub async fn json(answer: Response) -> Value {
    let status = answer.status();
    let text = answer.text().await.expect("a body");
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// What happens in a session, as its page hears it.
pub struct Events {
    socket: tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>,
}

impl Student {
    /// Listens to the session.
    pub async fn events(&self) -> Events {
        use tokio_tungstenite::tungstenite::client::IntoClientRequest;
        let url =
            format!("{}/api/v1/sessions/{}/events", self.base.replace("http://localhost", "ws://127.0.0.1"), self.id);
        let mut request = url.into_client_request().expect("a request");
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse().expect("a header"));
        Events { socket: tokio_tungstenite::connect_async(request).await.expect("connected").0 }
    }
}

impl Events {
    /// Tells which step the page shows.
    pub async fn watch(&mut self, lesson: &str, step: &str) {
        use futures_util::SinkExt;
        let text = json!({"type": "watch", "lesson": lesson, "step": step}).to_string();
        self.socket.send(tokio_tungstenite::tungstenite::Message::Text(text.into())).await.expect("sent");
    }

    /// The next event that is as wanted, within two minutes.
    pub async fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        use futures_util::StreamExt;
        let mut seen = Vec::new();
        let search = async {
            while let Some(Ok(message)) = self.socket.next().await {
                let Ok(text) = message.to_text() else { continue };
                let Ok(event) = serde_json::from_str::<Value>(text) else { continue };
                if wanted(&event) {
                    return Some(event);
                }
                seen.push(event);
            }
            None
        };
        match tokio::time::timeout(Duration::from_secs(120), search).await {
            Ok(Some(event)) => event,
            _ => panic!("it did not come; what came was {seen:?}"),
        }
    }
}
