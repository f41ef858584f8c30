//! Processes held by their standard streams.

use boatyard_protocol::process::{Frame, StartProcess};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio_tungstenite::tungstenite::Message;

use super::{AgentClient, AgentError, AgentSocket, nonsense};

/// The way to a process: it is hung up when this is dropped.
pub struct ToProcess(SplitSink<AgentSocket, Message>);

/// The way from a process.
pub struct FromProcess(SplitStream<AgentSocket>);

impl AgentClient {
    /// Starts a process; its frames are those of [`boatyard_protocol::process`].
    ///
    /// # Errors
    /// [`AgentError`]: status 404 from an agent that is older than this, 409 where there are too many. What cannot be
    /// started says so on its standard error and exits.
    pub async fn start_process(&self, start: &StartProcess) -> Result<(ToProcess, FromProcess), AgentError> {
        let mut socket = self.websocket("/v1/process").await?;
        let text = serde_json::to_string(start).map_err(nonsense)?;
        socket.send(Message::Text(text.into())).await.map_err(nonsense)?;
        let (to, from) = socket.split();
        Ok((ToProcess(to), FromProcess(from)))
    }
}

impl ToProcess {
    /// Sends a frame; whether the process is still there.
    pub async fn send(&mut self, frame: Frame) -> bool {
        self.0.send(Message::Binary(frame.encode())).await.is_ok()
    }
}

impl FromProcess {
    /// The next frame; none when the agent is gone, or says what is no frame.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            match self.0.next().await?.ok()? {
                Message::Binary(bytes) => return Frame::decode(bytes).ok(),
                Message::Close(_) => return None,
                // Pings are answered by the library.
                _ => {}
            }
        }
    }
}
