//! A process that the server starts in a sandbox and holds by its standard streams: what a login from outside needs.
//!
//! `GET /v1/process` is a WebSocket. Its first message is a text, [`StartProcess`] as JSON; then come binary messages, one
//! frame in each. The first byte is the kind; integers are big-endian.
//!
//! | kind | direction | rest |
//! |---|---|---|
//! | `0x00` input | server → agent | bytes for its standard input |
//! | `0x01` end | server → agent | none: its standard input ends |
//! | `0x02` resize | server → agent | `u16` columns, `u16` rows of its terminal |
//! | `0x03` signal | server → agent | `u8` number, to its process group or to the foreground of its terminal |
//! | `0x04` grant | both | `u32` further bytes that the other side may send |
//! | `0x10` output | agent → server | bytes of its standard output, or of its terminal |
//! | `0x11` error | agent → server | bytes of its standard error |
//! | `0x12` exit | agent → server | `i32` exit code; nothing follows |
//!
//! Each side may send [`WINDOW`] bytes (input; output and error together) before the first grant, so neither direction is
//! ever full: a process that reads nothing holds up neither its output nor a signal. Exit comes after all output.
//! When the WebSocket ends before, the process is hung up.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// Bytes that either side may send before the other has granted more.
pub const WINDOW: u32 = 256 << 10;

/// Longest frame that either side accepts, in bytes.
pub const MAX_FRAME: usize = (64 << 10) + 16;

/// Most bytes that one frame carries.
pub const MAX_PAYLOAD: usize = 32 << 10;

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartProcess {
    /// The program.
    pub run: Run,
    /// Variables set over the user's login environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The terminal that it runs on; pipes where there is none.
    #[serde(default)]
    pub terminal: Option<TerminalRequest>,
}

/// Which program a [`StartProcess`] is for. It belongs to the user to whom terminals belong, and starts in their home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Run {
    /// The user's login shell.
    Shell,
    /// A line for the user's shell.
    Command {
        /// The line.
        line: String,
    },
    /// OpenSSH's sftp-server, where the lab image has it.
    Sftp,
}

/// A terminal as its user's own terminal is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalRequest {
    /// Value of `TERM`.
    pub term: String,
    /// Columns, 1 to 1000.
    pub cols: u16,
    /// Rows, 1 to 1000.
    pub rows: u16,
    /// Modes: numbers and values of RFC 4254, section 8. Those that are not known are left out.
    #[serde(default)]
    pub modes: Vec<(u8, u32)>,
}

/// A frame. See the module for its layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Bytes for the process.
    Input(Bytes),
    /// Its input ends.
    End,
    /// The size of its terminal.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// A signal.
    Signal(u8),
    /// So many bytes more may be sent.
    Grant(u32),
    /// Bytes of its standard output.
    Output(Bytes),
    /// Bytes of its standard error.
    Error(Bytes),
    /// It ended; 128 + signal where a signal ended it.
    Exit(i32),
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a frame of a process")]
pub struct NoFrame;

impl Frame {
    /// The frame as the payload of a binary message.
    pub fn encode(&self) -> Bytes {
        let mut b = BytesMut::new();
        match self {
            Frame::Input(bytes) => put(&mut b, 0x00, bytes),
            Frame::End => b.put_u8(0x01),
            Frame::Resize { cols, rows } => {
                b.put_u8(0x02);
                b.put_u16(*cols);
                b.put_u16(*rows);
            }
            Frame::Signal(number) => b.put_slice(&[0x03, *number]),
            Frame::Grant(more) => {
                b.put_u8(0x04);
                b.put_u32(*more);
            }
            Frame::Output(bytes) => put(&mut b, 0x10, bytes),
            Frame::Error(bytes) => put(&mut b, 0x11, bytes),
            Frame::Exit(code) => {
                b.put_u8(0x12);
                b.put_i32(*code);
            }
        }
        b.freeze()
    }

    /// Reads the payload of a binary message.
    ///
    /// # Errors
    /// [`NoFrame`] when it is not exactly one frame.
    pub fn decode(mut b: Bytes) -> Result<Frame, NoFrame> {
        if b.is_empty() || b.len() > MAX_FRAME {
            return Err(NoFrame);
        }
        let kind = b.get_u8();
        let fixed = |wanted: usize| if b.len() == wanted { Ok(()) } else { Err(NoFrame) };
        Ok(match kind {
            0x00 => Frame::Input(b),
            0x01 => fixed(0).map(|()| Frame::End)?,
            0x02 => {
                fixed(4)?;
                Frame::Resize { cols: b.get_u16(), rows: b.get_u16() }
            }
            0x03 => {
                fixed(1)?;
                Frame::Signal(b.get_u8())
            }
            0x04 => {
                fixed(4)?;
                Frame::Grant(b.get_u32())
            }
            0x10 => Frame::Output(b),
            0x11 => Frame::Error(b),
            0x12 => {
                fixed(4)?;
                Frame::Exit(b.get_i32())
            }
            _ => return Err(NoFrame),
        })
    }
}

fn put(b: &mut BytesMut, kind: u8, bytes: &[u8]) {
    b.reserve(1 + bytes.len());
    b.put_u8(kind);
    b.put_slice(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..100).prop_map(Bytes::from);
        prop_oneof![
            bytes().prop_map(Frame::Input),
            Just(Frame::End),
            any::<(u16, u16)>().prop_map(|(cols, rows)| Frame::Resize { cols, rows }),
            any::<u8>().prop_map(Frame::Signal),
            any::<u32>().prop_map(Frame::Grant),
            bytes().prop_map(Frame::Output),
            bytes().prop_map(Frame::Error),
            any::<i32>().prop_map(Frame::Exit),
        ]
    }

    proptest! {
        #[test]
        fn a_frame_reads_back(frame in frames()) {
            prop_assert_eq!(Frame::decode(frame.encode()), Ok(frame));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let _ = Frame::decode(bytes.into());
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for bytes in [&b""[..], b"\x01x", b"\x02\0", b"\x04\0\0\0", b"\x12", b"\xff"] {
            assert_eq!(Frame::decode(Bytes::copy_from_slice(bytes)), Err(NoFrame));
        }
        assert_eq!(Frame::decode(vec![0; MAX_FRAME + 1].into()), Err(NoFrame));
    }
}
