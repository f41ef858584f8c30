//! Splits a byte stream into text and control sequences: the state machine of DEC's VT500 in the variety that xterm.js
//! has, with its treatment of broken sequences and of invalid UTF-8 (which is skipped).

use super::params::Params;

/// Most bytes kept of a string of an operating system command.
const OSC: usize = 4 << 10;
/// Most bytes kept of an unfinished sequence.
const PENDING: usize = 8 << 10;

/// What a stream does.
pub trait Perform {
    /// Printable ASCII.
    fn print_ascii(&mut self, text: &[u8]);
    /// Another printable character.
    fn print(&mut self, char: u32);
    /// Text begins (`true`) or ends after which something else comes.
    fn text(&mut self, begins: bool);
    /// A control character.
    fn execute(&mut self, control: u32);
    /// `ESC`, intermediates, a final byte.
    fn esc(&mut self, collect: u32, last: u8);
    /// `ESC [`, prefix and intermediates, parameters, a final byte.
    fn csi(&mut self, collect: u32, params: &Params, last: u8);
    /// An operating system command.
    fn osc(&mut self, number: u32, text: &str);
    /// A string of any other kind has ended.
    fn string_end(&mut self);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    Escape,
    EscapeIntermediate,
    CsiEntry,
    CsiParam,
    CsiIntermediate,
    CsiIgnore,
    /// SOS, PM and APC strings.
    Text,
    Osc,
    DcsEntry,
    DcsParam,
    DcsIntermediate,
    DcsIgnore,
    DcsPassthrough,
}

/// The state between two pieces of the stream.
pub struct Parser {
    state: State,
    /// Bytes of an unfinished character: how many it needs, and those that are there.
    char: [u8; 4],
    char_len: usize,
    collect: u32,
    params: Params,
    osc: Vec<u8>,
    pending: Vec<u8>,
    /// Whether the unfinished sequence is too long to keep.
    over: bool,
}

impl Parser {
    /// Between sequences.
    pub fn new() -> Self {
        Self {
            state: State::Ground,
            char: [0; 4],
            char_len: 0,
            collect: 0,
            params: Params::new(),
            osc: Vec::new(),
            pending: Vec::new(),
            over: false,
        }
    }

    /// Reads on.
    pub fn advance(&mut self, bytes: &[u8], to: &mut impl Perform) {
        let mut at = 0;
        while at < bytes.len() {
            if self.state == State::Ground && self.char_len == 0 {
                at += self.ground(&bytes[at..], to);
                continue;
            }
            at += usize::from(self.byte(bytes[at], to));
        }
    }

    /// Text up to whatever is not: how many bytes of it there are.
    fn ground(&mut self, bytes: &[u8], to: &mut impl Perform) -> usize {
        let mut at = 0;
        let mut in_text = false;
        while at < bytes.len() {
            let ascii = bytes[at..].iter().position(|b| !(0x20..0x7f).contains(b)).unwrap_or(bytes.len() - at);
            if ascii > 0 {
                if !in_text {
                    in_text = true;
                    to.text(true);
                }
                to.print_ascii(&bytes[at..at + ascii]);
                at += ascii;
            }
            match bytes.get(at) {
                None => break,
                Some(&b) if b >= 0x80 => match decode(&bytes[at..]) {
                    Decoded::Char(char, len) if char >= 0xa0 => {
                        if !in_text {
                            in_text = true;
                            to.text(true);
                        }
                        to.print(char);
                        at += len;
                    }
                    Decoded::Skip(len) => at += len,
                    Decoded::Char(..) | Decoded::More => {
                        if in_text {
                            to.text(false);
                        }
                        self.byte(b, to);
                        return at + 1;
                    }
                },
                Some(&b) => {
                    if in_text {
                        to.text(false);
                        in_text = false;
                    }
                    at += 1;
                    match b {
                        0x00..=0x17 | 0x19 | 0x1c..=0x1f => to.execute(b.into()),
                        _ => {
                            self.byte(b, to);
                            return at;
                        }
                    }
                }
            }
        }
        if in_text {
            to.text(false);
        }
        at
    }

    /// One byte outside plain text; whether it was taken. One that breaks a character off is not.
    fn byte(&mut self, byte: u8, to: &mut impl Perform) -> bool {
        if self.char_len == 0 && byte < 0x80 {
            self.code(byte.into(), &[byte], to);
            return true;
        }
        if self.char_len > 0 && byte & 0xc0 != 0x80 {
            // The beginning of a character without its end is skipped.
            self.pending.truncate(self.pending.len().saturating_sub(self.char_len));
            self.char_len = 0;
            return false;
        }
        self.char[self.char_len] = byte;
        self.char_len += 1;
        let have = self.char_len;
        match decode(&self.char[..have]) {
            Decoded::More => self.keep(&[byte]),
            Decoded::Char(code, _) => {
                self.pending.truncate(self.pending.len().saturating_sub(have - 1));
                self.char_len = 0;
                let raw = self.char;
                if self.state == State::Ground && code >= 0xa0 {
                    to.text(true);
                    to.print(code);
                    to.text(false);
                } else {
                    self.code(code, &raw[..have], to);
                }
            }
            Decoded::Skip(_) => {
                self.pending.truncate(self.pending.len().saturating_sub(have - 1));
                self.char_len = 0;
            }
        }
        true
    }

    fn keep(&mut self, raw: &[u8]) {
        self.over |= self.pending.len() + raw.len() > PENDING;
        if !self.over {
            self.pending.extend_from_slice(raw);
        }
    }

    fn enter(&mut self, state: State, raw: &[u8]) {
        self.state = state;
        self.pending.clear();
        self.over = false;
        if state != State::Ground {
            self.pending.extend_from_slice(raw);
        }
    }

    fn clear(&mut self) {
        self.params.clear();
        self.collect = 0;
    }

    /// A character by the state.
    fn code(&mut self, code: u32, raw: &[u8], to: &mut impl Perform) {
        use State::*;
        if self.state == Osc && matches!(code, 0x07 | 0x18 | 0x1a | 0x1b | 0x9c) {
            self.osc_end(!matches!(code, 0x18 | 0x1a), to);
            self.clear();
            self.enter(if code == 0x1b { Escape } else { Ground }, raw);
            return;
        }
        if self.state == DcsPassthrough && matches!(code, 0x18 | 0x1a | 0x1b | 0x9c) {
            to.string_end();
            self.clear();
            self.enter(if code == 0x1b { Escape } else { Ground }, raw);
            return;
        }
        // Anywhere.
        match code {
            0x18 | 0x1a | 0x80..=0x8f | 0x91..=0x97 | 0x99 | 0x9a => {
                self.enter(Ground, raw);
                return to.execute(code);
            }
            0x9c => return self.enter(Ground, raw),
            0x1b => {
                self.clear();
                return self.enter(Escape, raw);
            }
            0x9b => {
                self.clear();
                return self.enter(CsiEntry, raw);
            }
            0x90 => {
                self.clear();
                return self.enter(DcsEntry, raw);
            }
            0x9d => {
                self.osc.clear();
                return self.enter(Osc, raw);
            }
            0x98 | 0x9e | 0x9f => return self.enter(Text, raw),
            _ => {}
        }
        let byte = if code < 0x80 { code as u8 } else { 0xff };
        let control = byte < 0x20;
        match self.state {
            Ground if control => to.execute(code),
            Ground => {}
            Escape | EscapeIntermediate | CsiEntry | CsiParam | CsiIntermediate | CsiIgnore if control => {
                // Done at once, so it is no part of what is unfinished.
                to.execute(code);
            }
            Escape | EscapeIntermediate | CsiEntry | CsiParam | CsiIntermediate if byte == 0x7f => {}
            Escape => match byte {
                b'[' => self.go(CsiEntry, raw),
                b']' => {
                    self.osc.clear();
                    self.go(Osc, raw);
                }
                b'P' => self.go(DcsEntry, raw),
                b'X' | b'^' | b'_' => self.go(Text, raw),
                0x20..0x30 => self.gather(byte, EscapeIntermediate, raw),
                0x30..0x7f => self.esc(byte, to),
                _ => self.enter(Ground, raw),
            },
            EscapeIntermediate => match byte {
                0x20..0x30 => self.gather(byte, EscapeIntermediate, raw),
                0x30..0x7f => self.esc(byte, to),
                _ => self.enter(Ground, raw),
            },
            CsiEntry | CsiParam => match byte {
                b'0'..=b';' => {
                    self.params.push(byte);
                    self.go(CsiParam, raw);
                }
                0x3c..=0x3f if self.state == CsiEntry => self.gather(byte, CsiParam, raw),
                0x3c..=0x3f => self.go(CsiIgnore, raw),
                0x20..0x30 => self.gather(byte, CsiIntermediate, raw),
                0x40..0x7f => self.csi(byte, to),
                _ => self.enter(Ground, raw),
            },
            CsiIntermediate => match byte {
                0x20..0x30 => self.gather(byte, CsiIntermediate, raw),
                0x30..0x40 => self.go(CsiIgnore, raw),
                0x40..0x7f => self.csi(byte, to),
                _ => self.enter(Ground, raw),
            },
            CsiIgnore => match byte {
                0x40..0x7f => self.enter(Ground, raw),
                _ => self.keep(raw),
            },
            Text if byte == 0xff => self.enter(Ground, raw),
            Text => self.keep(raw),
            Osc => {
                if !control && self.osc.len() < OSC {
                    self.osc.extend_from_slice(raw);
                }
                self.keep(raw);
            }
            DcsEntry | DcsParam | DcsIntermediate => match byte {
                0xff => self.enter(Ground, raw),
                0x7f => {}
                _ if control => {}
                b'0'..=b';' if self.state != DcsIntermediate => self.go(DcsParam, raw),
                0x3c..=0x3f if self.state == DcsEntry => self.go(DcsParam, raw),
                0x30..0x40 => self.go(DcsIgnore, raw),
                0x20..0x30 => self.go(DcsIntermediate, raw),
                _ => self.go(DcsPassthrough, raw),
            },
            DcsIgnore | DcsPassthrough => self.keep(raw),
        }
    }

    fn go(&mut self, state: State, raw: &[u8]) {
        self.state = state;
        self.keep(raw);
    }

    fn gather(&mut self, byte: u8, state: State, raw: &[u8]) {
        self.collect = self.collect << 8 | u32::from(byte);
        self.go(state, raw);
    }

    fn esc(&mut self, last: u8, to: &mut impl Perform) {
        self.enter(State::Ground, &[]);
        to.esc(self.collect, last);
    }

    fn csi(&mut self, last: u8, to: &mut impl Perform) {
        self.enter(State::Ground, &[]);
        to.csi(self.collect, &self.params, last);
    }

    fn osc_end(&mut self, good: bool, to: &mut impl Perform) {
        let text = std::mem::take(&mut self.osc);
        let whole = text.len() < OSC;
        let text = String::from_utf8(text).unwrap_or_default();
        let (number, rest) = text.split_once(';').unwrap_or((&text, ""));
        match number.parse() {
            Ok(number) if good && whole && number <= 9999 => to.osc(number, rest),
            _ => to.string_end(),
        }
    }

    /// How many bytes at the end of what was read begin a character that is not there yet.
    pub fn unfinished(&self) -> usize {
        self.char_len
    }

    /// The bytes of the unfinished sequence at the end of what was read, without those of an unfinished character: who
    /// has seen everything before them and is given them is in the same state. One too long to keep is stood for by another that swallows what is to come.
    pub fn pending(&self) -> &[u8] {
        if !self.over {
            return &self.pending[..self.pending.len().saturating_sub(self.char_len)];
        }
        match self.state {
            State::Osc => b"\x1b]9999;",
            State::Text => b"\x1bX",
            State::DcsPassthrough => b"\x1bP9999z",
            State::DcsIgnore => b"\x1bP:<",
            _ => b"\x1b[<<",
        }
    }
}

/// How many bytes at the end are the beginning of a character.
pub fn unfinished(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(3);
    let start = bytes[last..].iter().rposition(|b| b & 0xc0 != 0x80).map_or(bytes.len(), |at| last + at);
    match bytes.get(start) {
        Some(0xc0..) if matches!(decode(&bytes[start..]), Decoded::More) => bytes.len() - start,
        _ => 0,
    }
}

enum Decoded {
    /// A character and its bytes.
    Char(u32, usize),
    /// So many bytes are no character.
    Skip(usize),
    /// It may become one.
    More,
}

/// The character at the start of bytes of which the first is not ASCII.
fn decode(bytes: &[u8]) -> Decoded {
    let (need, mut code, least) = match bytes[0] {
        b @ 0xc0..=0xdf => (2, u32::from(b & 0x1f), 0x80),
        b @ 0xe0..=0xef => (3, u32::from(b & 0x0f), 0x800),
        b @ 0xf0..=0xf7 => (4, u32::from(b & 0x07), 0x1_0000),
        _ => return Decoded::Skip(1),
    };
    for at in 1..need {
        match bytes.get(at) {
            None => return Decoded::More,
            Some(b) if b & 0xc0 != 0x80 => return Decoded::Skip(at),
            Some(b) => code = code << 6 | u32::from(b & 0x3f),
        }
    }
    match code {
        0xfeff | 0xd800..=0xdfff | 0x11_0000.. => Decoded::Skip(need),
        _ if code < least => Decoded::Skip(if need == 2 { 1 } else { need }),
        _ => Decoded::Char(code, need),
    }
}
