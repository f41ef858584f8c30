//! The screen model: what a terminal shows, and how to draw it again from nothing.
//!
//! It is a model of one terminal in particular, the page's xterm.js: a viewer that comes new is drawn what a viewer shows
//! that was there all the time, also after changes of size. So where the two could differ (rewrapping, halves of wide
//! characters, what an erased line still wraps to, invalid UTF-8) it does what xterm.js does, and a test of the front
//! end feeds both the same streams.

mod buffer;
mod cell;
mod charset;
mod edit;
mod line;
mod modes;
mod pack;
mod paint;
mod params;
mod parser;
mod pen;
mod perform;
mod reflow;
mod term;
mod width;

use std::panic::{AssertUnwindSafe, catch_unwind};

use parser::Parser;
pub use parser::unfinished;
use term::Term;

/// The model of one terminal's screen.
pub struct Screen {
    term: Term,
    parser: Parser,
}

impl Screen {
    /// An empty screen.
    pub fn new(cols: u16, rows: u16) -> Self {
        Self { term: Term::new(cols, rows), parser: Parser::new() }
    }

    /// Follows what the terminal put out. A fault of the model empties it instead of ending the agent.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.guard("some output", |screen| screen.parser.advance(bytes, &mut screen.term));
    }

    /// Follows a change of the terminal's size.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.guard("a resize", |screen| screen.term.resize(cols, rows));
    }

    /// How many bytes at the end of the output are the beginning of a character that is not there yet.
    pub fn unfinished(&self) -> usize {
        self.parser.unfinished()
    }

    /// Bytes that draw scrollback, screen, cursor and modes on a terminal that was reset; at most about `budget` of
    /// them, the oldest lines left out first. They stand for the output but for what is [`Screen::unfinished`] of it.
    pub fn repaint(&mut self, budget: usize) -> Vec<u8> {
        let mut out = Vec::new();
        self.guard("drawing itself", |screen| {
            out = paint::paint(&screen.term, budget);
            out.extend_from_slice(screen.parser.pending());
        });
        out
    }

    fn guard(&mut self, what: &str, deed: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| deed(self))).is_err() {
            tracing::error!("the screen model failed on {what}; it starts again empty");
            *self = Self::new(self.term.cols as u16, self.term.rows as u16);
        }
    }
}

#[cfg(test)]
mod tests;
