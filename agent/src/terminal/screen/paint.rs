//! Draws the model as terminal output, for a terminal that was reset.

use std::io::Write;

use super::{
    buffer::{Buffer, Saved},
    cell::{COLOR, Cell, EXT},
    line::Line,
    pen,
    term::Term,
};

/// All of it: at most about `budget` bytes, the oldest lines left out first.
pub fn paint(term: &Term, budget: usize) -> Vec<u8> {
    // A reset leaves these two as they were.
    let mut out = b"\x1b[20l\x1b[?25h".to_vec();
    let mut painter = Painter { term, out: &mut out };
    if term.on_alternate {
        let saved = painter.grid(&term.normal, budget / 2);
        painter.rest_of_grid(&term.normal, saved);
        painter.put(format_args!(
            "\x1b[{};{}H\x1b[?47h\x1b[H",
            term.normal.y + 1,
            term.normal.x.min(term.cols - 1) + 1
        ));
        let saved = painter.grid(&term.alternate, budget / 2);
        painter.rest_of_grid(&term.alternate, saved);
    } else {
        if !untouched(&term.alternate.saved) {
            painter.put(format_args!("\x1b[?47h"));
            painter.saved(&term.alternate);
            painter.put(format_args!("\x1b[?47l\x1b[H"));
        }
        let saved = painter.grid(&term.normal, budget);
        painter.rest_of_grid(&term.normal, saved);
    }
    painter.state();
    out
}

/// Whether a saved cursor is what it is after a reset.
fn untouched(saved: &Saved) -> bool {
    saved.x == 0 && saved.y == 0 && (saved.fg, saved.bg, saved.charset) == (0, 0, None)
}

fn on_screen(buffer: &Buffer) -> bool {
    buffer.saved.y >= buffer.back.len()
}

struct Painter<'a> {
    term: &'a Term,
    out: &'a mut Vec<u8>,
}

impl Painter<'_> {
    fn put(&mut self, text: std::fmt::Arguments) {
        let _ = self.out.write_fmt(text);
    }

    /// Scrollback and rows, from the top left corner of an empty grid; whether the saved cursor is saved by that.
    fn grid(&mut self, buffer: &Buffer, budget: usize) -> bool {
        let cols = self.term.cols;
        // From the bottom up, since the newest count most. Rows of the screen are never left out, but may be empty.
        let mut parts: Vec<Vec<u8>> = Vec::new();
        let mut spent = 0;
        let mut below: Option<Line> = None;
        let back = buffer.back.iter().rev().filter(|_| !buffer.alternate()).map(|p| p.unpack(cols));
        for (at, line) in buffer.rows.iter().rev().cloned().chain(back).enumerate() {
            if spent > budget && at >= buffer.rows.len() {
                break;
            }
            let line = if spent > budget { Line::blank(cols, Cell::NULL, false) } else { line };
            let part = self.line(&line, below.as_ref());
            spent += part.len();
            parts.push(part);
            below = Some(line);
        }
        if below.is_some_and(|top| top.wrapped) {
            self.wrapped_top();
        }
        let left_out = buffer.back.len() + buffer.rows.len() - parts.len();
        let saved = buffer.saved.y.checked_sub(left_out).filter(|_| !on_screen(buffer) && !untouched(&buffer.saved));
        let mut done = false;
        for (at, part) in parts.iter().rev().enumerate() {
            if saved == Some(at) && !buffer.back.get(at + left_out).is_some_and(|line| line.wrapped()) {
                // Saved on a row that has scrolled away since: it comes back when the scrollback does.
                self.save(&buffer.saved);
                self.out.push(b'\r');
                done = true;
            }
            self.out.extend_from_slice(part);
        }
        done
    }

    /// Makes the first row one that goes on from a row before it, of which nothing is left.
    fn wrapped_top(&mut self) {
        let (cols, rows) = (self.term.cols, self.term.rows);
        self.out.extend(std::iter::repeat_n(b' ', cols + 1));
        if rows > 1 {
            self.put(format_args!("\x1b[{rows};1H\n"));
        }
        self.put(format_args!("\x1b[3J\x1b[H\x1b[X"));
    }

    /// A row, and the step to the row below. It begins in the first column and ends there, with default attributes.
    fn line(&self, line: &Line, below: Option<&Line>) -> Vec<u8> {
        let cols = self.term.cols;
        let cells = &line.cells[..cols.min(line.cells.len())];
        let used =
            cells.iter().rposition(|c| c.has_content() || c.width() != 1 || c.bg & COLOR != 0).map_or(0, |at| at + 1);
        let mut out = Vec::with_capacity(used + 16);
        let mut strokes = Strokes { term: self.term, out: &mut out, pen: Cell::NULL, link: None };
        let Some(below) = below else {
            strokes.cells(&cells[..used]);
            strokes.plain();
            return out;
        };
        if !below.wrapped {
            strokes.cells(&cells[..used]);
            strokes.plain();
            out.extend_from_slice(b"\r\n");
            return out;
        }
        // The terminal itself must turn over: from a full row, by a character of the next.
        let last = cells.last().copied().unwrap_or(Cell::NULL);
        let first = below.cells.first().copied().unwrap_or(Cell::NULL);
        let draws = first.has_content() && first.width() > 0 && first.bg & COLOR == 0;
        let empty = !last.has_content() && last.width() == 1;
        if empty && draws && first.width() == 2 && last.bg & COLOR == 0 {
            let at = strokes.cells(&cells[..used.min(cols - 1)]);
            strokes.skip(cols - 1 - at);
            strokes.plain();
            return out;
        }
        let at = strokes.cells(&cells[..used]);
        let empty = at < cols;
        if empty {
            strokes.skip(cols - 1 - at);
            strokes.plain();
            strokes.out.push(b' ');
        }
        strokes.plain();
        if empty || !draws {
            out.extend_from_slice(b" \r\x1b[X");
        }
        if empty && self.term.rows > 1 {
            out.extend_from_slice(b"\x1b[A");
            let _ = write!(out, "\x1b[{cols}G");
            let mut strokes = Strokes { term: self.term, out: &mut out, pen: Cell::NULL, link: None };
            strokes.attr(Cell { bg: last.bg & COLOR, ..Cell::NULL });
            strokes.out.extend_from_slice(b"\x1b[X");
            strokes.plain();
            out.extend_from_slice(b"\x1b[B\r");
        }
        out
    }

    /// What a grid has beside its rows.
    fn rest_of_grid(&mut self, buffer: &Buffer, saved: bool) {
        let cols = self.term.cols;
        if (0..cols).any(|at| buffer.tab(at) != (at % 8 == 0)) {
            self.put(format_args!("\x1b[3g"));
            for at in (0..cols).filter(|at| buffer.tab(*at)) {
                self.put(format_args!("\x1b[{}G\x1bH", at + 1));
            }
        }
        if !saved {
            self.saved(buffer);
        }
        if (buffer.top, buffer.bottom) != (0, self.term.rows - 1) {
            self.put(format_args!("\x1b[{};{}r", buffer.top + 1, buffer.bottom + 1));
        }
    }

    fn saved(&mut self, buffer: &Buffer) {
        if !untouched(&buffer.saved) {
            let y = buffer.saved.y.saturating_sub(buffer.back.len()).min(self.term.rows - 1);
            self.put(format_args!("\x1b[{}d", y + 1));
            self.save(&buffer.saved);
        }
    }

    /// Saves the cursor in this row.
    fn save(&mut self, saved: &Saved) {
        self.put(format_args!("\x1b[{}G", saved.x.min(self.term.cols - 1) + 1));
        pen::write(Cell { fg: saved.fg, bg: saved.bg & !EXT, ..Cell::NULL }, &self.term.shared, self.out);
        if let Some(set) = saved.charset {
            self.out.extend_from_slice(&[0x1b, b'(', set.last()]);
        }
        self.out.extend_from_slice(b"\x1b7");
        if saved.charset.is_some() {
            self.out.extend_from_slice(b"\x1b(B");
        }
        self.out.extend_from_slice(b"\x1b[m");
    }

    /// Title, modes, character sets, pen and cursor.
    fn state(&mut self) {
        let term = self.term;
        let (cols, modes) = (term.cols, &term.modes);
        if !term.title.is_empty() {
            self.put(format_args!("\x1b]0;{}\x07", term.title));
        }
        modes.write(self.out);
        if modes.origin {
            self.put(format_args!("\x1b[?6h"));
        }
        let grid = if term.on_alternate { &term.alternate } else { &term.normal };
        let row = grid.y.min(grid.rows.len().saturating_sub(1));
        let y = if modes.origin { grid.y.saturating_sub(grid.top) } else { grid.y } + 1;
        let cell = |at: usize| grid.rows.get(row).and_then(|r| r.cells.get(at)).copied().unwrap_or(Cell::NULL);
        let pen = term.pen.cell();
        let stays = |c: Cell| term.charset.is_none_or(|set| c.char() >= 0x7f || set.map(c.char() as u8) == c.char());
        // Drawn once more, the character just drawn must be as it was: a change of size may have moved the cursor away.
        let joins = term.join > 0 && grid.x >= term.join && grid.x <= cols && {
            let last = cell(grid.x - term.join);
            last.has_content() && last.width() as usize == term.join && last.same_attr(pen) && stays(last)
        };
        // A restored cursor has brought back a set that is not the level's.
        let restored = term.charset != term.charsets[term.level] && term.charset == grid.saved.charset;
        if restored {
            self.sets();
            self.out.extend_from_slice(b"\x1b8\x1b[m");
        }
        if joins {
            self.sets_and_modes(restored);
            self.put(format_args!("\x1b[{y};{}H", grid.x - term.join + 1));
            if modes.insert {
                self.put(format_args!("\x1b[{}P", term.join));
            }
        } else if grid.x >= cols {
            // Behind the last column: only writing that column again brings the cursor there.
            let at = if cell(cols - 1).width() == 0 && cell(cols - 2).width() == 2 { cols - 2 } else { cols - 1 };
            self.put(format_args!("\x1b[{y};{}H", at + 1));
            let mut strokes = Strokes { term, out: self.out, pen: Cell::NULL, link: None };
            let last = cell(at);
            if last.has_content() {
                strokes.text(last)
            } else {
                strokes.space(last)
            }
            strokes.plain();
            self.sets_and_modes(restored);
        } else {
            self.put(format_args!("\x1b[{y};{}H", grid.x + 1));
            self.sets_and_modes(restored);
        }
        if let Some(link) = term.pen.ext.link.as_ref().filter(|_| term.pen.bg & EXT != 0) {
            self.put(format_args!("\x1b]8;{link}\x1b\\"));
        }
        if pen != Cell::NULL || joins {
            pen::write(pen, &term.shared, self.out);
        }
        if joins {
            // A mark that comes next must find the character that it belongs to.
            let mut text = String::new();
            term.shared.text(cell(grid.x - term.join), &mut text);
            self.out.extend_from_slice(text.as_bytes());
        }
    }

    fn sets_and_modes(&mut self, restored: bool) {
        if !restored {
            self.sets();
        }
        if self.term.modes.insert {
            self.put(format_args!("\x1b[4h"));
        }
        if !self.term.modes.wraparound {
            self.put(format_args!("\x1b[?7l"));
        }
    }

    fn sets(&mut self) {
        let term = self.term;
        for (set, to) in [b'(', b')', b'*', b'+'].into_iter().zip(term.charsets) {
            if let Some(to) = to {
                self.out.extend_from_slice(&[0x1b, set, to.last()]);
            }
        }
        match term.level {
            1 => self.out.push(0x0e),
            2 => self.out.extend_from_slice(b"\x1bn"),
            3 => self.out.extend_from_slice(b"\x1bo"),
            _ => {}
        }
    }
}

/// Draws cells with as few changes of attributes as there are.
struct Strokes<'a> {
    term: &'a Term,
    out: &'a mut Vec<u8>,
    pen: Cell,
    link: Option<std::sync::Arc<str>>,
}

impl Strokes<'_> {
    fn attr(&mut self, cell: Cell) {
        if !cell.same_attr(self.pen) {
            if cell.ext != self.pen.ext {
                let link = self.term.shared.get_ext(cell.ext).link;
                if link != self.link {
                    let _ = write!(self.out, "\x1b]8;{}\x1b\\", link.as_deref().unwrap_or(";"));
                    self.link = link;
                }
            }
            if cell.same_attr(Cell::NULL) {
                self.out.extend_from_slice(b"\x1b[m");
            } else {
                pen::write(cell, &self.term.shared, self.out);
            }
            self.pen = cell;
        }
    }

    fn plain(&mut self) {
        self.attr(Cell::NULL);
    }

    fn skip(&mut self, n: usize) {
        if n > 0 {
            let _ = write!(self.out, "\x1b[{n}C");
        }
    }

    fn text(&mut self, cell: Cell) {
        self.attr(cell);
        if let Some(c) = char::from_u32(cell.char()).filter(|_| cell.cluster().is_none()) {
            self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            let mut text = String::new();
            self.term.shared.text(cell, &mut text);
            self.out.extend_from_slice(text.as_bytes());
        }
    }

    fn space(&mut self, cell: Cell) {
        self.attr(cell);
        self.out.push(b' ');
    }

    /// Draws a row's beginning; gives the column that the cursor is left in.
    fn cells(&mut self, cells: &[Cell]) -> usize {
        let half = |at: usize| cells.get(at).is_some_and(|c: &Cell| c.width() == 0 && !c.has_content());
        let mut at = 0;
        while at < cells.len() {
            let cell = cells[at];
            let whole = cell.width() != 2 || half(at + 1);
            if cell.has_content() && whole {
                if cell.width() == 0 {
                    // A mark that stands alone must not join what is before it.
                    self.pen = Cell { ext: u32::MAX, ..cell };
                    self.attr(cell);
                }
                self.text(cell);
                at += if cell.width() == 2 { 2 } else { 1 };
                continue;
            }
            // Nothing was written here; it must stay so, since what was never written does not flow when lines do.
            let back = cell.bg & COLOR;
            let blank = |at: usize| {
                let c = cells[at];
                (!c.has_content() || (c.width() == 2 && !half(at + 1))) && c.bg & COLOR == back
            };
            let n = (at..cells.len()).take_while(|at| blank(*at)).count().max(1);
            if back != 0 {
                self.attr(Cell { bg: back, ..Cell::NULL });
                let _ = write!(self.out, "\x1b[{n}X");
            }
            if at + n == cells.len() {
                return at;
            }
            self.skip(n);
            at += n;
        }
        at
    }
}
