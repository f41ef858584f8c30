//! Binary frames of a terminal, one in each WebSocket binary message. The first byte is the kind; integers are
//! big-endian.
//!
//! | kind | direction | rest |
//! |---|---|---|
//! | `0x00` input | viewer → agent | bytes for the terminal |
//! | `0x01` resize | viewer → agent | `u16` columns, `u16` rows of the viewer's window |
//! | `0x02` ack | viewer → agent | `u64` offset after the last byte rendered |
//! | `0x10` hello | agent → viewer | `u64` generation, `u64` offset at which the stream starts for this viewer |
//! | `0x11` output | agent → viewer | `u64` offset of the first byte, bytes |
//! | `0x12` repaint | agent → viewer | `u64` offset that the picture stands for, bytes that draw it on a reset terminal |
//! | `0x13` size | agent → viewer | `u16` columns, `u16` rows that the terminal now has |
//! | `0x14` exit | agent → viewer | `i32` exit code; nothing follows |
//!
//! Hello comes first, then size, then a repaint if the viewer's offset is not in the buffer, then output. Each output
//! begins where the one before ended, or where a repaint says. A viewer that attaches again with the generation and
//! the offset it has rendered misses nothing and gets nothing twice. Acks may be left out or merged; the highest counts.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Longest frame that either side accepts, in bytes.
pub const MAX_FRAME: usize = 1 << 20;

/// A frame. See the module for its layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Bytes typed or pasted.
    Input(Bytes),
    /// The viewer's window.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// The viewer has rendered everything before this offset.
    Ack(u64),
    /// The first frame of an attachment.
    Hello {
        /// Generation of the terminal.
        generation: u64,
        /// Offset at which this attachment starts.
        offset: u64,
    },
    /// Bytes put out.
    Output {
        /// Offset of the first byte.
        offset: u64,
        /// The bytes.
        bytes: Bytes,
    },
    /// A picture of screen and scrollback, for a terminal that was reset.
    Repaint {
        /// Offset that the picture stands for.
        offset: u64,
        /// What draws it.
        bytes: Bytes,
    },
    /// The size that the terminal now has.
    Size {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// The terminal's process ended.
    Exit(i32),
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No kind byte, or too few bytes for the kind.
    #[error("frame ends too early")]
    Short,
    /// More bytes than [`MAX_FRAME`], or left over after a frame of fixed size.
    #[error("frame is too long")]
    Long,
    /// A kind that this version does not know.
    #[error("unknown frame kind {0:#04x}")]
    Kind(u8),
}

impl Frame {
    /// The frame as the payload of a binary message.
    pub fn encode(&self) -> Bytes {
        let mut b = BytesMut::with_capacity(17 + self.payload_len());
        match self {
            Frame::Input(bytes) => {
                b.put_u8(0x00);
                b.put_slice(bytes);
            }
            Frame::Resize { cols, rows } => put_size(&mut b, 0x01, *cols, *rows),
            Frame::Ack(offset) => {
                b.put_u8(0x02);
                b.put_u64(*offset);
            }
            Frame::Hello { generation, offset } => {
                b.put_u8(0x10);
                b.put_u64(*generation);
                b.put_u64(*offset);
            }
            Frame::Output { offset, bytes } => put_stream(&mut b, 0x11, *offset, bytes),
            Frame::Repaint { offset, bytes } => put_stream(&mut b, 0x12, *offset, bytes),
            Frame::Size { cols, rows } => put_size(&mut b, 0x13, *cols, *rows),
            Frame::Exit(code) => {
                b.put_u8(0x14);
                b.put_i32(*code);
            }
        }
        b.freeze()
    }

    /// Reads the payload of a binary message.
    ///
    /// # Errors
    /// [`FrameError`] when it is not exactly one frame.
    pub fn decode(mut b: Bytes) -> Result<Frame, FrameError> {
        if b.len() > MAX_FRAME {
            return Err(FrameError::Long);
        }
        let kind = b.try_get_u8().map_err(|_| FrameError::Short)?;
        let fixed = match kind {
            0x00 => return Ok(Frame::Input(b)),
            0x11 | 0x12 => {
                let offset = b.try_get_u64().map_err(|_| FrameError::Short)?;
                return Ok(if kind == 0x11 {
                    Frame::Output { offset, bytes: b }
                } else {
                    Frame::Repaint { offset, bytes: b }
                });
            }
            0x01 | 0x13 | 0x14 => 4,
            0x02 => 8,
            0x10 => 16,
            _ => return Err(FrameError::Kind(kind)),
        };
        match b.len() {
            n if n < fixed => return Err(FrameError::Short),
            n if n > fixed => return Err(FrameError::Long),
            _ => {}
        }
        Ok(match kind {
            0x01 => Frame::Resize { cols: b.get_u16(), rows: b.get_u16() },
            0x02 => Frame::Ack(b.get_u64()),
            0x10 => Frame::Hello { generation: b.get_u64(), offset: b.get_u64() },
            0x13 => Frame::Size { cols: b.get_u16(), rows: b.get_u16() },
            _ => Frame::Exit(b.get_i32()),
        })
    }

    fn payload_len(&self) -> usize {
        match self {
            Frame::Input(bytes) | Frame::Output { bytes, .. } | Frame::Repaint { bytes, .. } => bytes.len(),
            _ => 0,
        }
    }
}

fn put_size(b: &mut BytesMut, kind: u8, cols: u16, rows: u16) {
    b.put_u8(kind);
    b.put_u16(cols);
    b.put_u16(rows);
}

fn put_stream(b: &mut BytesMut, kind: u8, offset: u64, bytes: &[u8]) {
    b.put_u8(kind);
    b.put_u64(offset);
    b.put_slice(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from);
        prop_oneof![
            bytes().prop_map(Frame::Input),
            any::<(u16, u16)>().prop_map(|(cols, rows)| Frame::Resize { cols, rows }),
            any::<u64>().prop_map(Frame::Ack),
            any::<(u64, u64)>().prop_map(|(generation, offset)| Frame::Hello { generation, offset }),
            (any::<u64>(), bytes()).prop_map(|(offset, bytes)| Frame::Output { offset, bytes }),
            (any::<u64>(), bytes()).prop_map(|(offset, bytes)| Frame::Repaint { offset, bytes }),
            any::<(u16, u16)>().prop_map(|(cols, rows)| Frame::Size { cols, rows }),
            any::<i32>().prop_map(Frame::Exit),
        ]
    }

    proptest! {
        #[test]
        fn a_frame_survives_the_wire(f in frame()) {
            prop_assert_eq!(Frame::decode(f.encode()), Ok(f));
        }

        #[test]
        fn any_bytes_are_read_without_panic(b in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Frame::decode(Bytes::from(b));
        }
    }

    #[test]
    fn a_frame_of_fixed_size_has_no_tail() {
        assert_eq!(Frame::decode(Bytes::from_static(&[2, 0])), Err(FrameError::Short));
        assert_eq!(Frame::decode(Bytes::from_static(&[1, 0, 80, 0, 24, 9])), Err(FrameError::Long));
        assert_eq!(Frame::decode(Bytes::from_static(&[0x7f])), Err(FrameError::Kind(0x7f)));
        assert_eq!(Frame::decode(Bytes::new()), Err(FrameError::Short));
    }
}
