//! The screen model: what a terminal shows, and how to draw it again from nothing.

use std::{
    collections::BTreeSet,
    num::NonZeroU16,
    panic::{AssertUnwindSafe, catch_unwind},
};

use vt100::{Callbacks, Parser};

use super::{paint, tail::Tail};

/// Lines of scrollback that a repaint brings back.
const SCROLLBACK: usize = 1000;
/// Longest window title kept.
const MAX_TITLE: usize = 1 << 10;

/// Modes that the model itself does not follow but a repaint must set again: (private, number).
const FOLLOWED: [(bool, u16); 7] =
    [(true, 7), (true, 12), (true, 1004), (true, 1007), (true, 1015), (true, 1016), (false, 4)];

/// What the model reports beside its grid.
#[derive(Default)]
pub struct Extra {
    title: Vec<u8>,
    /// Modes of [`FOLLOWED`] that were set, and those that were reset.
    set: BTreeSet<(bool, u16)>,
    reset: BTreeSet<(bool, u16)>,
    /// Designations of G0 and G1, such as `(0` for line drawing.
    charsets: [Option<u8>; 2],
    shifted_out: bool,
}

impl Callbacks for Extra {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.title = title[..title.len().min(MAX_TITLE)].to_vec();
    }

    fn unhandled_control(&mut self, _: &mut vt100::Screen, b: u8) {
        match b {
            0x0e => self.shifted_out = true,
            0x0f => self.shifted_out = false,
            _ => {}
        }
    }

    fn unhandled_escape(&mut self, _: &mut vt100::Screen, i1: Option<u8>, _: Option<u8>, b: u8) {
        match i1 {
            Some(b'(') => self.charsets[0] = Some(b),
            Some(b')') => self.charsets[1] = Some(b),
            _ => {}
        }
    }

    fn unhandled_csi(&mut self, _: &mut vt100::Screen, i1: Option<u8>, _: Option<u8>, params: &[&[u16]], c: char) {
        if !matches!(c, 'h' | 'l') || !matches!(i1, None | Some(b'?')) {
            return;
        }
        for mode in params.iter().filter_map(|p| p.first()).map(|n| (i1.is_some(), *n)) {
            if FOLLOWED.contains(&mode) {
                let (to, from) =
                    if c == 'h' { (&mut self.set, &mut self.reset) } else { (&mut self.reset, &mut self.set) };
                from.remove(&mode);
                to.insert(mode);
            }
        }
    }
}

/// The model of one terminal's screen.
pub struct Screen {
    parser: Parser<Extra>,
    tail: Tail,
}

impl Screen {
    /// An empty screen.
    pub fn new(cols: u16, rows: u16) -> Self {
        Self { parser: parser(cols, rows, SCROLLBACK), tail: Tail::default() }
    }

    /// Follows what the terminal put out. A fault of the model empties it instead of ending the agent.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.tail.feed(bytes);
        let (rows, cols) = self.parser.screen().size();
        if catch_unwind(AssertUnwindSafe(|| self.parser.process(bytes))).is_err() {
            tracing::error!("the screen model failed on some output; it starts again empty");
            self.parser = parser(cols.get(), rows.get(), SCROLLBACK);
        }
    }

    /// Follows a change of the terminal's size.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let (c, r) = (nonzero(cols), nonzero(rows));
        if catch_unwind(AssertUnwindSafe(|| self.parser.set_size(r, c))).is_err() {
            tracing::error!("the screen model failed on a resize; it starts again empty");
            self.parser = parser(cols, rows, SCROLLBACK);
        }
    }

    /// Bytes that draw scrollback, screen, cursor and modes on a terminal that was reset; at most about `budget` of
    /// them, the oldest lines left out first.
    pub fn repaint(&mut self, budget: usize) -> Vec<u8> {
        catch_unwind(AssertUnwindSafe(|| self.draw(budget))).unwrap_or_else(|_| {
            tracing::error!("the screen model failed to draw itself");
            Vec::new()
        })
    }

    fn draw(&mut self, budget: usize) -> Vec<u8> {
        // The parser may stand in the middle of a sequence: another one looks at the screen meanwhile.
        let (rows, cols) = self.parser.screen().size();
        let mut probe: Parser = Parser::new(rows, cols, 0);
        std::mem::swap(probe.screen_mut(), self.parser.screen_mut());
        let mut out = Vec::with_capacity(8 << 10);
        if probe.screen().alternate_screen() {
            probe.process(b"\x1b[?47l");
            paint::screen(&mut probe, budget / 2, &mut out);
            probe.process(b"\x1b[?47h");
            out.extend_from_slice(b"\x1b[?1049h");
            paint::screen(&mut probe, budget / 2, &mut out);
        } else {
            paint::screen(&mut probe, budget, &mut out);
        }
        out.extend_from_slice(probe.screen().input_mode_formatted().as_bytes());
        std::mem::swap(probe.screen_mut(), self.parser.screen_mut());

        let extra = self.parser.callbacks();
        if !extra.title.is_empty() {
            out.extend_from_slice(b"\x1b]0;");
            out.extend(extra.title.iter().filter(|b| **b >= 0x20));
            out.push(0x07);
        }
        for (modes, end) in [(&extra.set, 'h'), (&extra.reset, 'l')] {
            for (private, mode) in modes {
                out.extend_from_slice(format!("\x1b[{}{mode}{end}", if *private { "?" } else { "" }).as_bytes());
            }
        }
        for (set, to) in [b'(', b')'].into_iter().zip(extra.charsets) {
            if let Some(to) = to.filter(|to| *to != b'B') {
                out.extend_from_slice(&[0x1b, set, to]);
            }
        }
        if extra.shifted_out {
            out.push(0x0e);
        }
        out.extend_from_slice(self.tail.pending());
        out
    }
}

fn parser(cols: u16, rows: u16, scrollback: usize) -> Parser<Extra> {
    Parser::new_with_callbacks(nonzero(rows), nonzero(cols), scrollback, Extra::default())
}

fn nonzero(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN)
}
