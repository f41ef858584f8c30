//! One of the two grids, normal or alternate: its rows, scrollback, cursor, saved cursor, scroll region and tab stops.

use std::collections::VecDeque;

use super::{cell::Cell, charset::Charset, line::Line, pack::Packed, reflow};

/// Most bytes of packed scrollback of one terminal; a repaint has no room for more.
const SCROLLBACK_BYTES: usize = 1 << 20;

/// What DECSC saves. The row counts from the start of the scrollback.
#[derive(Clone, Copy, Default)]
pub struct Saved {
    pub x: usize,
    pub y: usize,
    pub fg: u32,
    pub bg: u32,
    pub charset: Option<Charset>,
}

/// A grid. `x` may lie one behind the last column: the next character wraps.
pub struct Buffer {
    pub back: VecDeque<Packed>,
    back_bytes: usize,
    pub rows: VecDeque<Line>,
    /// Whether it is the normal grid, with a scrollback and lines that flow.
    normal: bool,
    /// Most lines of scrollback. The alternate grid has some only where it was made smaller while it was not shown: an
    /// oddity of xterm.js, to be followed because such lines come back when it grows.
    limit: usize,
    pub x: usize,
    pub y: usize,
    pub saved: Saved,
    pub top: usize,
    pub bottom: usize,
    tabs: Vec<bool>,
    scratch: Vec<u8>,
}

impl Buffer {
    /// An empty grid without rows yet.
    pub fn new(cols: usize, rows: usize, limit: usize) -> Self {
        let mut buffer = Self {
            back: VecDeque::new(),
            back_bytes: 0,
            rows: VecDeque::new(),
            normal: limit > 0,
            limit,
            x: 0,
            y: 0,
            saved: Saved::default(),
            top: 0,
            bottom: rows - 1,
            tabs: Vec::new(),
            scratch: Vec::new(),
        };
        buffer.default_tabs(cols);
        buffer
    }

    /// Gives it rows, where it has none.
    pub fn fill(&mut self, cols: usize, rows: usize, fill: Cell) {
        if self.rows.is_empty() {
            self.rows.extend((0..rows).map(|_| Line::blank(cols, fill, false)));
        }
    }

    /// Takes rows, cursor, region and tab stops away; what is saved stays.
    pub fn clear(&mut self, cols: usize, rows: usize) {
        *self = Self { saved: self.saved, ..Self::new(cols, rows, if self.normal { self.limit } else { 0 }) };
    }

    /// Whether it is the alternate grid.
    pub fn alternate(&self) -> bool {
        !self.normal
    }

    fn row_at(&self, y: usize) -> usize {
        y.min(self.rows.len().saturating_sub(1))
    }

    /// The row of the cursor.
    pub fn row(&mut self) -> &mut Line {
        let at = self.row_at(self.y);
        &mut self.rows[at]
    }

    /// Scrolls the region up by one line, into the scrollback where the region begins at the top.
    pub fn scroll(&mut self, fill: Cell, wrapped: bool) {
        let bottom = self.row_at(self.bottom);
        let top = self.top.min(bottom);
        let Some(mut line) = self.rows.remove(top) else { return };
        let cols = line.cells.len();
        if self.top == 0 && self.limit > 0 {
            self.keep(&line);
        }
        line.cells.clear();
        line.cells.resize(cols, fill);
        line.wrapped = wrapped;
        self.rows.insert(bottom, line);
    }

    /// Appends a row to the scrollback. A saved row keeps its place on the screen if the scrollback cannot grow.
    fn keep(&mut self, line: &Line) {
        self.push_back(line);
        while self.back.len() > self.limit {
            self.forget();
        }
        while self.back_bytes > SCROLLBACK_BYTES {
            self.forget();
            self.saved.y = self.saved.y.saturating_sub(1);
        }
    }

    fn push_back(&mut self, line: &Line) {
        let packed = Packed::new(line, &mut self.scratch);
        self.back_bytes += packed.bytes();
        self.back.push_back(packed);
    }

    fn forget(&mut self) {
        if let Some(old) = self.back.pop_front() {
            self.back_bytes -= old.bytes();
        }
    }

    /// Empties the scrollback.
    pub fn forget_all(&mut self) {
        self.back = VecDeque::new();
        self.back_bytes = 0;
    }

    /// Moves a blank row in at one end of a part of the screen, and the row at the other end out.
    pub fn shift(&mut self, from: usize, to: usize, up: bool, n: usize, cols: usize, fill: Cell) {
        let to = self.row_at(to);
        if from > to {
            return;
        }
        for _ in 0..n.min(to - from + 1) {
            let (out, into) = if up { (from, to) } else { (to, from) };
            self.rows.remove(out);
            self.rows.insert(into, Line::blank(cols, fill, false));
        }
    }

    /// Makes a line, counted from the start of the scrollback, one of its own.
    pub fn unwrap_line(&mut self, at: usize) {
        match at.checked_sub(self.back.len()) {
            None => self.back[at].unwrap_line(),
            Some(row) => {
                if let Some(row) = self.rows.get_mut(row) {
                    row.wrapped = false;
                }
            }
        }
    }

    fn default_tabs(&mut self, cols: usize) {
        self.tabs.clear();
        self.tabs.resize(cols + 1, false);
        (0..cols).step_by(8).for_each(|at| self.tabs[at] = true);
    }

    /// Sets or clears a tab stop.
    pub fn set_tab(&mut self, at: usize, on: bool) {
        if let Some(tab) = self.tabs.get_mut(at) {
            *tab = on;
        }
    }

    /// Clears all tab stops.
    pub fn clear_tabs(&mut self) {
        self.tabs.fill(false);
    }

    /// Whether there is a tab stop.
    pub fn tab(&self, at: usize) -> bool {
        self.tabs.get(at).copied().unwrap_or_default()
    }

    /// Column of the next tab stop.
    pub fn next_tab(&self, cols: usize) -> usize {
        (self.x + 1..cols).find(|at| self.tab(*at)).unwrap_or(cols - 1)
    }

    /// Column of the tab stop before `x`.
    pub fn previous_tab(&self, x: usize, cols: usize) -> usize {
        (0..x).rev().find(|at| self.tab(*at)).unwrap_or(0).min(cols - 1)
    }

    /// Follows a change of size, as xterm.js does.
    pub fn resize(&mut self, (old_cols, old_rows): (usize, usize), (cols, rows): (usize, usize)) {
        if self.rows.is_empty() {
            self.limit = (self.limit + old_rows).saturating_sub(rows);
        } else {
            if old_cols < cols {
                self.rows.iter_mut().for_each(|row| row.cells.resize(cols, Cell::NULL));
            }
            // Lines that come back must be whole until they flow.
            self.resize_rows(old_rows, rows, cols.max(old_cols));
            self.x = self.x.min(cols - 1);
            self.saved.x = self.saved.x.min(cols - 1);
            self.top = 0;
        }
        self.bottom = rows - 1;
        if self.normal && old_cols != cols && !self.rows.is_empty() {
            reflow::reflow(self, old_cols, (cols, rows), self.limit);
        }
        self.resize_tabs(cols);
    }

    fn resize_rows(&mut self, old: usize, new: usize, cols: usize) {
        let mut pulled = 0;
        for _ in old..new {
            if self.rows.len() >= new {
                break;
            }
            if !self.back.is_empty() && self.rows.len() <= self.y + pulled + 1 {
                if let Some(line) = self.back.pop_back() {
                    self.back_bytes -= line.bytes();
                    self.rows.push_front(line.unpack(cols));
                }
                pulled += 1;
            } else {
                self.rows.push_back(Line::blank(cols, Cell::NULL, false));
            }
        }
        for _ in new..old {
            if self.rows.len() <= new {
                break;
            }
            if self.rows.len() > self.y + 1 {
                self.rows.pop_back();
            } else if let Some(line) = self.rows.pop_front() {
                self.push_back(&line);
            }
        }
        if !self.normal || new < old {
            self.limit = if self.normal { self.limit } else { 0 };
            while self.back.len() > self.limit || self.back_bytes > SCROLLBACK_BYTES {
                self.forget();
                self.saved.y = self.saved.y.saturating_sub(1);
            }
        }
        self.y = self.y.min(new - 1) + pulled;
    }

    fn resize_tabs(&mut self, cols: usize) {
        if self.tabs.len() <= cols {
            self.tabs.resize(cols + 1, false);
        }
        // From the last stop on there is one every eight columns again.
        let from = if self.tab(cols) { cols } else { self.previous_tab(cols, cols) };
        (from..cols).step_by(8).for_each(|at| self.tabs[at] = true);
    }

    /// All lines taken out, oldest first: scrollback, then rows.
    pub fn take(&mut self) -> (Vec<Packed>, Vec<Line>) {
        self.back_bytes = 0;
        (std::mem::take(&mut self.back).into(), std::mem::take(&mut self.rows).into())
    }

    /// Appends a line of the scrollback as it is.
    pub fn put_packed(&mut self, packed: Packed) {
        self.back_bytes += packed.bytes();
        self.back.push_back(packed);
    }

    /// Appends a row to the scrollback, without a look at its limits.
    pub fn put_line(&mut self, line: &Line) {
        self.push_back(line);
    }

    /// Drops lines of the scrollback beyond its limits.
    pub fn trim(&mut self) {
        while self.back.len() > self.limit || self.back_bytes > SCROLLBACK_BYTES {
            self.forget();
        }
    }
}
