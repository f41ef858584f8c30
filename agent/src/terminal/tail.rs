//! Finds the unfinished escape sequence or character at the end of a byte stream.
//!
//! A repaint stands for an offset that may lie in the middle of a sequence. The bytes of it that came before the
//! offset are appended to the repaint, so that what follows is read as the terminal meant it.

/// Longest unfinished sequence that is carried over; longer ones (pictures in device control strings) are let go.
const MAX: usize = 8 << 10;

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// After ESC, with or without intermediates.
    Escape,
    /// After `ESC [`.
    Csi,
    /// In an OSC, DCS, APC, PM or SOS string.
    Text,
    /// In such a string, after an ESC.
    TextEscape,
    /// In a UTF-8 character, with so many bytes to come.
    Char(u8),
}

/// Follows the stream and keeps what is unfinished at its end.
#[derive(Default)]
pub struct Tail {
    state: State,
    pending: Vec<u8>,
}

impl Tail {
    /// Reads on.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &b in bytes {
            if self.state == State::Ground && (0x20..0x80).contains(&b) {
                continue;
            }
            self.step(b);
            if self.state == State::Ground {
                self.pending.clear();
            } else if self.pending.len() < MAX {
                self.pending.push(b);
            }
        }
    }

    fn step(&mut self, b: u8) {
        use State::*;
        // CAN and SUB end any sequence.
        if matches!(b, 0x18 | 0x1a) && !matches!(self.state, Ground) {
            self.state = Ground;
            return;
        }
        let fresh = |tail: &mut Self, state| {
            tail.pending.clear();
            tail.state = state;
        };
        match (self.state, b) {
            (Char(n), 0x80..=0xbf) => self.state = if n > 1 { Char(n - 1) } else { Ground },
            (Ground | Char(_), 0x1b) | (Escape | Csi, 0x1b) => fresh(self, Escape),
            (Ground | Char(_), 0xc2..=0xdf) => fresh(self, Char(1)),
            (Ground | Char(_), 0xe0..=0xef) => fresh(self, Char(2)),
            (Ground | Char(_), 0xf0..=0xf4) => fresh(self, Char(3)),
            (Ground | Char(_), _) => self.state = Ground,
            (Escape, b'[') => self.state = Csi,
            (Escape, b']' | b'P' | b'X' | b'^' | b'_') => self.state = Text,
            (Escape, 0x30..=0x7e) => self.state = Ground,
            (Csi, 0x40..=0x7e) => self.state = Ground,
            (Escape | Csi, _) => {}
            (Text, 0x07) => self.state = Ground,
            (Text, 0x1b) => self.state = TextEscape,
            (Text, _) => {}
            (TextEscape, b'\\') => self.state = Ground,
            (TextEscape, 0x1b) => {}
            (TextEscape, _) => self.state = Text,
        }
    }

    /// The unfinished bytes; empty where the stream ends between sequences.
    pub fn pending(&self) -> &[u8] {
        if self.pending.len() < MAX { &self.pending } else { &[] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(bytes: &[u8]) -> Vec<u8> {
        let mut tail = Tail::default();
        tail.feed(bytes);
        tail.pending().to_vec()
    }

    #[test]
    fn what_is_unfinished_is_kept() {
        assert_eq!(tail(b"hello"), b"");
        assert_eq!(tail(b"hello\x1b[31"), b"\x1b[31");
        assert_eq!(tail(b"\x1b[31mred"), b"");
        assert_eq!(tail(b"\x1b]0;title"), b"\x1b]0;title");
        assert_eq!(tail(b"\x1b]0;title\x1b"), b"\x1b]0;title\x1b");
        assert_eq!(tail(b"\x1b]0;title\x1b\\"), b"");
        assert_eq!(tail("ab\u{20ac}".as_bytes()), b"");
        assert_eq!(tail(&"ab\u{20ac}".as_bytes()[..4]), &"\u{20ac}".as_bytes()[..2]);
        assert_eq!(tail(b"\x1b("), b"\x1b(");
        assert_eq!(tail(b"\x1b[3\x18"), b"");
    }
}
