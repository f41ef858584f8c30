//! What control characters and sequences do.

use super::{
    buffer::Saved,
    cell::{Cell, PROTECTED},
    charset::Charset,
    params::Params,
    parser::Perform,
    term::Term,
};

/// Longest window title kept.
const TITLE: usize = 1 << 10;

impl Perform for Term {
    fn print_ascii(&mut self, text: &[u8]) {
        Term::print_ascii(self, text);
    }

    fn print(&mut self, char: u32) {
        Term::print(self, char);
    }

    fn text(&mut self, begins: bool) {
        if begins { self.text_begins() } else { self.text_ends() }
    }

    fn execute(&mut self, control: u32) {
        let (cols, rows) = (self.cols, self.rows);
        match control {
            0x08 => self.backspace(),
            0x09 => {
                let grid = self.grid();
                if grid.x < cols {
                    grid.x = grid.next_tab(cols);
                }
            }
            0x0a..=0x0c => {
                let (fill, new_line) = (self.pen.erased(), self.modes.new_line);
                let grid = self.grid();
                if new_line {
                    grid.x = 0;
                }
                if grid.y == grid.bottom {
                    grid.scroll(fill, false);
                } else if grid.y + 1 < rows {
                    grid.y += 1;
                    grid.row().wrapped = false;
                }
                if grid.x >= cols {
                    grid.x -= 1;
                }
            }
            0x0d => self.grid().x = 0,
            0x0e => self.shift(1),
            0x0f => self.shift(0),
            0x84 => self.index(),
            0x85 => {
                self.grid().x = 0;
                self.index();
            }
            0x88 => self.set_tab(),
            _ => {}
        }
        self.join = 0;
    }

    fn esc(&mut self, collect: u32, last: u8) {
        match (collect, last) {
            (0, b'7') => self.save(),
            (0, b'8') => self.restore(),
            (0, b'D') => self.index(),
            (0, b'E') => {
                self.grid().x = 0;
                self.index();
            }
            (0, b'H') => self.set_tab(),
            (0, b'M') => self.reverse_index(),
            (0, b'=') => self.modes.keypad = true,
            (0, b'>') => self.modes.keypad = false,
            (0, b'c') => self.reset(),
            (0, b'n' | b'}') => self.shift(2),
            (0, b'o' | b'|') => self.shift(3),
            (0, b'~') => self.shift(1),
            (0x25, b'@' | b'G') => {
                self.shift(0);
                self.designate(0, None);
            }
            (0x23, b'8') => self.alignment(),
            (0x28..=0x2e, _) => {
                let level = [0, 1, 2, 3, 4, 1, 2][collect as usize - 0x28];
                if let Some(set) = Charset::of(last).filter(|_| level < 4) {
                    self.designate(level, set);
                }
            }
            _ => {}
        }
        self.join = 0;
    }

    fn csi(&mut self, collect: u32, params: &Params, last: u8) {
        const QUESTION: u32 = b'?' as u32;
        match (collect, last) {
            (0, b'm') => self.pen.select(params, &mut self.shared),
            (0, b'h' | b'l') => self.ansi_modes(params, last == b'h'),
            (QUESTION, b'h' | b'l') => self.private_modes(params, last == b'h'),
            (QUESTION, b'J' | b'K') => self.erase(params.get(0), last == b'J', true),
            (0, b'J' | b'K') => self.erase(params.get(0), last == b'J', false),
            (0, b'A'..=b'I' | b'Z' | b'`' | b'a' | b'd'..=b'f') => self.move_cursor(params, last),
            (0, b'b') => self.repeat(params.count(0)),
            (0, b'g') => match params.get(0) {
                0 => {
                    let grid = self.grid();
                    grid.set_tab(grid.x, false);
                }
                3 => self.grid().clear_tabs(),
                _ => {}
            },
            (0, b'r') => self.region(params),
            (0, b's') => self.save(),
            (0, b'u') => self.restore(),
            (0x20, b'q') => {
                if let n @ 0..=6 = params.get(0) {
                    self.modes.shape = n as u8;
                }
            }
            (0x21, b'p') => self.soft_reset(),
            (0x22, b'q') => match params.get(0) {
                1 => self.pen.bg |= PROTECTED,
                0 | 2 => self.pen.bg &= !PROTECTED,
                _ => {}
            },
            _ => self.edit(collect, params, last),
        }
        self.join = 0;
    }

    fn osc(&mut self, number: u32, text: &str) {
        match number {
            0 | 2 => self.title = text.chars().take(TITLE).collect(),
            8 => {
                if let Some((params, address)) = text.split_once(';') {
                    if !address.is_empty() {
                        self.pen.link(Some(text), &mut self.shared);
                    } else if params.trim().is_empty() {
                        self.pen.link(None, &mut self.shared);
                    }
                }
            }
            _ => {}
        }
        self.join = 0;
    }

    fn string_end(&mut self) {
        self.join = 0;
    }
}

impl Term {
    fn shift(&mut self, level: usize) {
        self.level = level;
        self.charset = self.charsets[level];
    }

    fn designate(&mut self, level: usize, set: Option<Charset>) {
        self.charsets[level] = set;
        if self.level == level {
            self.charset = set;
        }
    }

    fn set_tab(&mut self) {
        let grid = self.grid();
        grid.set_tab(grid.x, true);
    }

    fn backspace(&mut self) {
        let cols = self.cols;
        if !self.modes.reverse_wraparound {
            self.restrict(cols - 1);
            let grid = self.grid();
            grid.x = grid.x.saturating_sub(1);
            return;
        }
        self.restrict(cols);
        let grid = self.grid();
        if grid.x > 0 {
            grid.x -= 1;
        } else if grid.y > grid.top && grid.y <= grid.bottom && grid.row().wrapped {
            grid.row().wrapped = false;
            grid.y -= 1;
            grid.x = cols - 1;
            let last = grid.row().cells.get(cols - 1).copied().unwrap_or(Cell::NULL);
            if last.width() > 0 && !last.has_content() {
                grid.x -= 1;
            }
        }
        self.restrict(cols - 1);
    }

    fn reverse_index(&mut self) {
        let (cols, fill) = (self.cols, self.pen.erased());
        self.restrict(cols - 1);
        let grid = self.grid();
        if grid.y == grid.top {
            grid.shift(grid.top, grid.bottom, false, 1, cols, fill);
        } else {
            grid.y = grid.y.saturating_sub(1);
            self.restrict(cols - 1);
        }
    }

    fn alignment(&mut self) {
        let cell = Cell { ext: 0, ..Cell::of(b'E'.into(), 1, self.pen.cell()) };
        self.place(0, 0);
        let grid = self.grid();
        let from = grid.y;
        for row in grid.rows.iter_mut().skip(from) {
            row.fill(cell, false);
            row.wrapped = false;
        }
        self.place(0, 0);
    }

    fn save(&mut self) {
        let (fg, bg, charset) = (self.pen.fg, self.pen.bg, self.charset);
        let grid = self.grid();
        grid.saved = Saved { x: grid.x, y: grid.back.len() + grid.y, fg, bg, charset };
    }

    fn restore(&mut self) {
        let grid = self.grid();
        let saved = grid.saved;
        grid.x = saved.x;
        grid.y = saved.y.saturating_sub(grid.back.len());
        (self.pen.fg, self.pen.bg, self.charset) = (saved.fg, saved.bg, saved.charset);
        let last = self.cols - 1;
        self.restrict(last);
    }

    fn soft_reset(&mut self) {
        let rows = self.rows;
        self.pen = Default::default();
        self.modes = self.modes.after_soft_reset();
        (self.charsets, self.level, self.charset) = ([None; 4], 0, None);
        let grid = self.grid();
        (grid.top, grid.bottom) = (0, rows - 1);
        grid.saved = Saved { y: grid.back.len(), ..Saved::default() };
    }

    fn region(&mut self, params: &Params) {
        let rows = self.rows as i32;
        let top = params.get(0).max(1);
        let bottom = if params.len() < 2 || params.get(1) > rows || params.get(1) == 0 { rows } else { params.get(1) };
        if bottom > top {
            let grid = self.grid();
            (grid.top, grid.bottom) = (top as usize - 1, bottom as usize - 1);
            self.place(0, 0);
        }
    }

    fn move_cursor(&mut self, params: &Params, last: u8) {
        let n = params.count(0);
        let (cols, grid) = (self.cols, self.grid());
        let (x, y, top, bottom) = (grid.x, grid.y, grid.top, grid.bottom);
        let up = if y >= top { n.min(y - top) } else { n };
        let down = if y <= bottom { n.min(bottom - y) } else { n };
        match last {
            b'A' => self.step(0, -(up as isize)),
            b'B' => self.step(0, down as isize),
            b'C' | b'a' => self.step(n as isize, 0),
            b'D' => self.step(-(n as isize), 0),
            b'E' => {
                self.step(0, down as isize);
                self.grid().x = 0;
            }
            b'F' => {
                self.step(0, -(up as isize));
                self.grid().x = 0;
            }
            b'G' | b'`' => self.place(n - 1, y),
            b'H' | b'f' => self.place(if params.len() > 1 { params.count(1) - 1 } else { 0 }, n - 1),
            b'd' => self.place(x, n - 1),
            b'e' => self.step(0, n as isize),
            b'I' if x < cols => {
                for _ in 0..n.min(cols) {
                    let grid = self.grid();
                    grid.x = grid.next_tab(cols);
                }
            }
            b'Z' if x < cols => {
                for _ in 0..n.min(cols) {
                    let grid = self.grid();
                    grid.x = grid.previous_tab(grid.x, cols);
                }
            }
            _ => {}
        }
    }

    /// Moves relative to the cursor. Where the origin is at the region, its rows count from there, as in xterm.js.
    fn step(&mut self, x: isize, y: isize) {
        let last = self.cols - 1;
        self.restrict(last);
        let origin = self.modes.origin;
        let grid = self.grid();
        let row = grid.y as isize + y + if origin { grid.top as isize } else { 0 };
        grid.x = (grid.x as isize + x).max(0) as usize;
        grid.y = row.max(0) as usize;
        self.restrict(last);
    }

    fn repeat(&mut self, n: usize) {
        let wide = self.join;
        if wide == 0 {
            return;
        }
        let mut text = String::new();
        let grid = self.grid();
        let at = grid.x.checked_sub(wide);
        if let Some(cell) = at.and_then(|at| grid.row().cells.get(at).copied()) {
            self.shared.text(cell, &mut text);
        }
        if text.is_empty() {
            return;
        }
        self.text_begins();
        for _ in 0..n {
            for char in text.chars() {
                match (char, self.charset) {
                    ('\0'..'\x7f', Some(set)) => self.print(set.map(char as u8)),
                    _ => self.print(char.into()),
                }
            }
        }
        self.text_ends();
    }

    fn ansi_modes(&mut self, params: &Params, on: bool) {
        for at in 0..params.len() {
            match params.get(at) {
                4 => self.modes.insert = on,
                20 => self.modes.new_line = on,
                _ => {}
            }
        }
    }

    fn private_modes(&mut self, params: &Params, on: bool) {
        for at in 0..params.len() {
            let mode = params.get(at);
            if self.modes.private(mode, on) {
                continue;
            }
            match mode {
                2 if on => (self.charsets, self.charset) = ([None; 4], None),
                6 => {
                    self.modes.origin = on;
                    self.place(0, 0);
                }
                47 | 1047 | 1049 => {
                    if on && mode == 1049 {
                        self.save();
                    }
                    self.show_alternate(on);
                    if !on && mode == 1049 {
                        self.restore();
                    }
                }
                1048 if on => self.save(),
                1048 => self.restore(),
                _ => {}
            }
        }
    }

    fn show_alternate(&mut self, on: bool) {
        if on == self.on_alternate {
            return;
        }
        let (cols, rows, fill) = (self.cols, self.rows, self.pen.erased());
        self.on_alternate = on;
        if on {
            self.alternate.fill(cols, rows, fill);
            (self.alternate.x, self.alternate.y) = (self.normal.x, self.normal.y);
        } else {
            (self.normal.x, self.normal.y) = (self.alternate.x, self.alternate.y);
            self.alternate.clear(cols, rows);
        }
    }
}
