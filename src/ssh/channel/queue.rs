//! What a client says on a channel, on its way to where it belongs.
//!
//! It is taken from the connection at once, so that a channel which nobody reads holds up no other; clients are granted
//! little while much waits (`Client::adjust_window`), so it stays bounded.

use std::sync::Arc;

use bytes::Bytes;
use russh::{ChannelMsg, ChannelReadHalf};
use tokio::sync::mpsc;

use crate::ssh::connection::{Connection, Waiting};

/// Something that a client said.
pub enum Said {
    /// Bytes, and what counts them as waiting.
    Data(Bytes, Waiting),
    /// Nothing more comes.
    Eof,
    /// Everything else, such as a signal.
    Other(ChannelMsg),
}

/// Takes what the client says, until it closes the channel.
pub async fn take(mut from: ChannelReadHalf, connection: Arc<Connection>, to: mpsc::UnboundedSender<Said>) {
    while let Some(message) = from.wait().await {
        let said = match message {
            // To a server there is but one kind of data.
            ChannelMsg::Data { data } if !data.is_empty() => {
                let waits = connection.waits(data.len());
                Said::Data(data, waits)
            }
            ChannelMsg::Eof => Said::Eof,
            ChannelMsg::Close => return,
            ChannelMsg::Data { .. } | ChannelMsg::ExtendedData { .. } | ChannelMsg::WindowAdjusted { .. } => continue,
            other => Said::Other(other),
        };
        if to.send(said).is_err() {
            return;
        }
    }
}
