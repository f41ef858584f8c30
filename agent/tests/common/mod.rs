//! Starts the real agent as an ordinary process and talks to it.
#![allow(dead_code)]

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use boatyard_protocol::{agent::*, terminal::Frame};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::{
    net::UnixStream,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// A running agent; it is ended when dropped.
pub struct Agent {
    pub folder: TempDir,
    child: Child,
}

impl Agent {
    pub async fn start() -> Agent {
        Self::with(serde_json::json!({"hostname": "test", "docker": "off"})).await
    }

    pub async fn with(config: serde_json::Value) -> Agent {
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_boatyard-agent"))
            .arg("--listen")
            .arg(folder.path().join("agent.sock"))
            .env(CONFIG_ENV, config.to_string())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let agent = Agent { folder, child };
        let began = Instant::now();
        while UnixStream::connect(agent.folder.path().join("agent.sock")).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "the agent does not listen");
            sleep(Duration::from_millis(5)).await;
        }
        agent
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("agent.sock")).await.unwrap()
    }

    /// One request; gives status, headers and body.
    pub async fn raw(&self, request: Request<Full<Bytes>>) -> (StatusCode, hyper::HeaderMap, Bytes) {
        let (mut sender, connection) = http1::handshake(TokioIo::new(self.connect().await)).await.unwrap();
        tokio::spawn(connection.with_upgrades());
        let response = sender.send_request(request).await.unwrap();
        let (head, body) = response.into_parts();
        (head.status, head.headers, body.collect().await.unwrap().to_bytes())
    }

    pub async fn call(&self, method: Method, path: &str, body: impl Into<Bytes>) -> (StatusCode, Bytes) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "agent")
            .header("content-type", "application/json")
            .body(Full::new(body.into()))
            .unwrap();
        let (status, _, body) = self.raw(request).await;
        (status, body)
    }

    pub async fn exec(&self, request: ExecRequest) -> ExecResponse {
        let (status, body) = self.call(Method::POST, "/v1/exec", serde_json::to_vec(&request).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{body:?}");
        serde_json::from_slice(&body).unwrap()
    }

    pub async fn sh(&self, script: &str) -> ExecResponse {
        self.exec(ExecRequest {
            command: vec!["sh".into(), "-c".into(), script.into()],
            timeout_ms: 20_000,
            max_output: 1 << 20,
            ..Default::default()
        })
        .await
    }

    pub async fn open(&self, id: &str, cols: u16, rows: u16, command: &[&str]) -> TerminalInfo {
        let open = OpenTerminal { cols, rows, command: command.iter().map(|s| s.to_string()).collect(), cwd: None };
        let (status, body) =
            self.call(Method::PUT, &format!("/v1/terminals/{id}"), serde_json::to_vec(&open).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{body:?}");
        serde_json::from_slice(&body).unwrap()
    }

    pub async fn terminals(&self) -> Vec<TerminalInfo> {
        serde_json::from_slice(&self.call(Method::GET, "/v1/terminals", "").await.1).unwrap()
    }

    pub async fn socket(&self, path: &str) -> WebSocketStream<UnixStream> {
        client_async(format!("ws://agent{path}"), self.connect().await).await.unwrap().0
    }

    pub async fn attach(&self, id: &str, query: &str) -> Viewer {
        Viewer::new(self.socket(&format!("/v1/terminals/{id}/attach?{query}")).await).await
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        for _ in 0..300 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        assert!(std::thread::panicking(), "the agent did not end within three seconds");
    }
}

/// A viewer of a terminal, as the browser is one.
pub struct Viewer {
    pub ws: WebSocketStream<UnixStream>,
    pub generation: u64,
    pub offset: u64,
    pub size: (u16, u16),
    /// All output since the attachment, without repaints.
    pub output: Vec<u8>,
    pub repaint: Option<Vec<u8>>,
    pub exit: Option<i32>,
    pub acks: bool,
}

impl Viewer {
    async fn new(mut ws: WebSocketStream<UnixStream>) -> Viewer {
        let first = ws.next().await.unwrap().unwrap().into_data();
        let Frame::Hello { generation, offset } = Frame::decode(first).unwrap() else { panic!("no hello") };
        Viewer { ws, generation, offset, size: (0, 0), output: Vec::new(), repaint: None, exit: None, acks: true }
    }

    pub async fn send(&mut self, frame: Frame) {
        self.ws.send(Message::Binary(frame.encode())).await.unwrap();
    }

    pub async fn type_in(&mut self, text: impl Into<Bytes>) {
        self.send(Frame::Input(text.into())).await;
    }

    /// Takes one frame; none at the end.
    pub async fn frame(&mut self) -> Option<Frame> {
        loop {
            let Message::Binary(bytes) = self.ws.next().await?.ok()? else { continue };
            let frame = Frame::decode(bytes).unwrap();
            match &frame {
                Frame::Output { offset, bytes } => {
                    assert_eq!(*offset, self.offset, "output does not follow what came before");
                    self.offset += bytes.len() as u64;
                    self.output.extend_from_slice(bytes);
                }
                Frame::Repaint { offset, bytes } => {
                    self.offset = *offset;
                    self.output.clear();
                    self.repaint = Some(bytes.to_vec());
                }
                Frame::Size { cols, rows } => self.size = (*cols, *rows),
                Frame::Exit(code) => self.exit = Some(*code),
                other => panic!("{other:?}"),
            }
            if self.acks && matches!(frame, Frame::Output { .. } | Frame::Repaint { .. }) {
                let ack = Frame::Ack(self.offset);
                let _ = self.ws.send(Message::Binary(ack.encode())).await;
            }
            return Some(frame);
        }
    }

    /// Takes frames until the output holds `text`; the output up to its end is then forgotten.
    pub async fn wait_for(&mut self, text: &str) {
        let mut searched = 0;
        let waited = timeout(Duration::from_secs(20), async {
            loop {
                searched = searched.min(self.output.len());
                let rest = &self.output[searched..];
                if let Some(at) = rest.windows(text.len()).position(|w| w == text.as_bytes()) {
                    return searched + at;
                }
                searched = self.output.len().saturating_sub(text.len());
                if self.frame().await.is_none() {
                    panic!("ended before {text:?}: {:?}", String::from_utf8_lossy(&self.output));
                }
            }
        });
        match waited.await {
            Ok(at) => drop(self.output.drain(..at + text.len())),
            Err(_) => {
                let end = &self.output[self.output.len().saturating_sub(1000)..];
                panic!("no {text:?} in {:?}", String::from_utf8_lossy(end));
            }
        }
    }

    pub async fn wait_for_end(&mut self) {
        timeout(Duration::from_secs(20), async { while self.frame().await.is_some() {} }).await.unwrap();
    }
}
