//! Typing into a terminal of a sandbox, and hearing what it says, without showing it to anyone.

use boatyard_protocol::{agent::Attach, terminal::Frame};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use super::{AgentClient, AgentError, AgentSocket, nonsense};

/// A viewer of a terminal that no one looks at.
pub struct Typist(AgentSocket);

impl AgentClient {
    /// Attaches to a terminal: what it has said since it was opened comes first, where that is still known.
    ///
    /// # Errors
    /// [`AgentError`]; status 404 where there is no such terminal.
    pub async fn typist(&self, terminal: &str, generation: u64) -> Result<Typist, AgentError> {
        // Without a size of its own it does not change the terminal's.
        let attach = Attach { generation: Some(generation), offset: Some(0), ..Attach::default() };
        Ok(Typist(self.attach(terminal, &attach).await?))
    }
}

impl Typist {
    /// Types text, as it is.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub async fn write(&mut self, text: &str) -> Result<(), AgentError> {
        self.send(Frame::Input(Bytes::copy_from_slice(text.as_bytes()))).await
    }

    /// The next bytes that it says: at most a frame's. `None` when it has ended.
    pub async fn hear(&mut self) -> Option<Bytes> {
        loop {
            let Message::Binary(bytes) = self.0.next().await?.ok()? else { continue };
            match Frame::decode(bytes).ok()? {
                Frame::Output { offset, bytes } => {
                    self.send(Frame::Ack(offset.saturating_add(bytes.len() as u64))).await.ok()?;
                    return Some(bytes);
                }
                Frame::Repaint { offset, bytes } => {
                    self.send(Frame::Ack(offset)).await.ok()?;
                    return Some(bytes);
                }
                Frame::Exit(_) => return None,
                _ => {}
            }
        }
    }

    async fn send(&mut self, frame: Frame) -> Result<(), AgentError> {
        self.0.send(Message::Binary(frame.encode())).await.map_err(nonsense)
    }
}
