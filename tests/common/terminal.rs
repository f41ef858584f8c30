//! A viewer of a terminal, which keeps what it was sent and where it is in the stream.

use std::time::Duration;

use boatyard_protocol::terminal::Frame;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::student::Student;

/// A viewer.
pub struct Terminal {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Generation of the terminal.
    pub generation: u64,
    /// Offset after the last byte received.
    pub offset: u64,
    /// Raw bytes received, repaints not among them.
    pub output: Vec<u8>,
    /// Pictures received.
    pub repaints: Vec<Bytes>,
    /// The terminal's size.
    pub size: (u16, u16),
    /// Exit code of its process.
    pub exit: Option<i32>,
}

impl Terminal {
    /// Attaches; `resume` is a generation and the offset that the viewer has.
    pub async fn attach(student: &Student, id: &str, resume: Option<(u64, u64)>, read_only: bool) -> Terminal {
        Terminal::try_attach(student, id, resume, read_only).await.expect("attached")
    }

    /// As [`Terminal::attach`], where it may be refused.
    pub async fn try_attach(
        student: &Student,
        id: &str,
        resume: Option<(u64, u64)>,
        read_only: bool,
    ) -> Result<Terminal, Error> {
        let resume = resume.map(|(g, o)| format!("&generation={g}&offset={o}")).unwrap_or_default();
        let url = format!(
            "{}/api/v1/sessions/{}/nodes/node1/terminals/{id}/socket?cols=100&rows=30&read_only={read_only}{resume}",
            student.base.replace("http://localhost", "ws://127.0.0.1"),
            student.id
        );
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {}", student.token).parse().expect("a header"));
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        let mut t = Terminal {
            socket,
            generation: 0,
            offset: 0,
            output: Vec::new(),
            repaints: Vec::new(),
            size: (0, 0),
            exit: None,
        };
        t.next().await;
        assert!(t.generation != 0, "hello comes first");
        Ok(t)
    }

    /// Sends keys at once from now on, as browsers do: else one waits for the acknowledgement of the frame before it (RFC 896).
    pub fn without_delay(&self) {
        let MaybeTlsStream::Plain(stream) = self.socket.get_ref() else { return };
        stream.set_nodelay(true).expect("a TCP socket");
    }

    /// Types.
    pub async fn write(&mut self, text: &str) {
        self.send(Frame::Input(Bytes::copy_from_slice(text.as_bytes()))).await;
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Frame) {
        self.socket.send(Message::Binary(frame.encode())).await.expect("sent");
    }

    /// Receives one frame; `false` at the end.
    pub async fn next(&mut self) -> bool {
        let message = timeout(Duration::from_secs(20), self.socket.next()).await.expect("something within 20 s");
        let frame = match message {
            Some(Ok(Message::Binary(b))) => Frame::decode(b).expect("a frame"),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return true,
            _ => return false,
        };
        match frame {
            Frame::Hello { generation, offset } => (self.generation, self.offset) = (generation, offset),
            Frame::Output { offset, bytes } => {
                assert_eq!(offset, self.offset, "output goes on where it was");
                self.offset += bytes.len() as u64;
                self.output.extend_from_slice(&bytes);
                // A terminal that has ended may be gone before it hears of this.
                let _ = self.socket.send(Message::Binary(Frame::Ack(self.offset).encode())).await;
            }
            Frame::Repaint { offset, bytes } => {
                self.offset = offset;
                self.repaints.push(bytes);
            }
            Frame::Size { cols, rows } => self.size = (cols, rows),
            Frame::Exit(code) => self.exit = Some(code),
            other => panic!("{other:?} is no frame for a viewer"),
        }
        true
    }

    /// Everything seen so far as text: pictures, then output.
    pub fn text(&self) -> String {
        let mut all: Vec<u8> = self.repaints.iter().flat_map(|b| b.to_vec()).collect();
        all.extend_from_slice(&self.output);
        String::from_utf8_lossy(&all).into_owned()
    }

    /// Receives until `what` has been seen.
    pub async fn wait_for(&mut self, what: &str) {
        while !self.text().contains(what) {
            assert!(self.next().await, "the terminal ended before {what:?}: {}", self.text());
        }
    }

    /// Closes the viewer.
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
    }
}
