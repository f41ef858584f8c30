//! Someone with whom a session was shared by a link: a browser with a cookie.

use boatyard_protocol::terminal::Frame;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::student::{Student, client, json};

/// A link that a student made.
pub struct Share {
    pub id: String,
    pub url: String,
}

impl Student {
    /// Shares the session: `kind` is `watch` or `type`.
    pub async fn share(&self, kind: &str) -> Share {
        let body = json!({"kind": kind, "label": "friends"});
        let made = json(self.request(Method::POST, "/shares").json(&body).send().await.expect("an answer")).await;
        Share { id: made["id"].as_str().expect("an id").into(), url: made["url"].as_str().expect("a link").into() }
    }

    /// Revokes a share.
    pub async fn unshare(&self, share: &Share) {
        let answer = self.request(Method::DELETE, &format!("/shares/{}", share.id)).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    }
}

/// A guest.
pub struct Guest {
    pub http: reqwest::Client,
    pub base: String,
    pub id: String,
    pub cookie: String,
}

impl Guest {
    /// Opens a link.
    pub async fn join(student: &Student, share: &Share) -> Guest {
        let http = client();
        let answer = http.get(&share.url).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(answer.headers()[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
        let to = answer.headers()[header::LOCATION].to_str().expect("text");
        let secret = share.url.rsplit('/').next().expect("a secret");
        assert!(to == format!("/s/{}", student.id) && !to.contains(secret), "{to}");
        let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains(secret), "{cookie}");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        Guest { http, base: student.base.clone(), id: student.id.clone(), cookie }
    }

    /// A request to the session.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1/sessions/{}{path}", self.base, self.id))
    }

    /// Status of the session's page.
    pub async fn page(&self) -> (StatusCode, String) {
        let answer = self.http.get(format!("{}/s/{}", self.base, self.id)).send().await.expect("an answer");
        (answer.status(), answer.text().await.expect("a page"))
    }

    /// Opens a WebSocket of the session.
    pub async fn socket(&self, path: &str) -> Result<GuestSocket, Error> {
        let url =
            format!("{}/api/v1/sessions/{}{path}", self.base.replace("http://localhost", "ws://127.0.0.1"), self.id);
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("cookie", self.cookie.parse().expect("a header"));
        Ok(GuestSocket {
            socket: tokio_tungstenite::connect_async(request).await?.0,
            text: String::new(),
            closed: None,
        })
    }

    /// Attaches to the first terminal of node1, as one who would type.
    pub async fn terminal(&self, cols: u16, rows: u16) -> GuestSocket {
        let path = format!("/nodes/node1/terminals/main/socket?cols={cols}&rows={rows}");
        self.socket(&path).await.expect("attached")
    }
}

/// A WebSocket of a guest.
pub struct GuestSocket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What a terminal has shown.
    pub text: String,
    /// Code with which the server closed it.
    pub closed: Option<u16>,
}

impl GuestSocket {
    pub async fn send(&mut self, frame: Frame) {
        let _ = self.socket.send(Message::Binary(frame.encode())).await;
    }

    pub async fn type_in(&mut self, text: &str) {
        self.send(Frame::Input(Bytes::copy_from_slice(text.as_bytes()))).await;
    }

    pub async fn say(&mut self, message: Value) {
        self.socket.send(Message::Text(message.to_string().into())).await.expect("sent");
    }

    /// The next message as JSON or a frame; `None` at the end.
    async fn next(&mut self) -> Option<Message> {
        match tokio::time::timeout(std::time::Duration::from_secs(30), self.socket.next()).await.expect("something") {
            Some(Ok(Message::Close(frame))) => {
                self.closed = frame.map(|f| f.code.into());
                None
            }
            Some(Ok(message)) => Some(message),
            _ => None,
        }
    }

    /// Waits until the terminal has shown `what`.
    pub async fn wait_for(&mut self, what: &str) {
        while !self.text.contains(what) {
            let Some(message) = self.next().await else { panic!("it ended before {what:?}: {}", self.text) };
            let Message::Binary(bytes) = message else { continue };
            match Frame::decode(bytes).expect("a frame") {
                Frame::Output { offset, bytes } => {
                    self.text.push_str(&String::from_utf8_lossy(&bytes));
                    self.send(Frame::Ack(offset + bytes.len() as u64)).await;
                }
                Frame::Repaint { bytes, .. } => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                _ => {}
            }
        }
    }

    /// Waits for an event as wanted.
    pub async fn event(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let Some(message) = self.next().await else { panic!("it ended") };
            let Some(event) = message.to_text().ok().and_then(|t| serde_json::from_str(t).ok()) else { continue };
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Waits for its end.
    pub async fn end(&mut self) {
        while self.next().await.is_some() {}
    }
}
