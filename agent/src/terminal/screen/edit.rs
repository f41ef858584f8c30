//! Sequences that erase, insert and delete.

use super::{params::Params, term::Term};

impl Term {
    /// ED (`display`) and EL; protected cells stay where `respect` says so.
    pub fn erase(&mut self, what: i32, display: bool, respect: bool) {
        let (cols, rows, fill) = (self.cols, self.rows, self.pen.erased());
        self.restrict(cols);
        let grid = self.grid();
        let (x, y) = (grid.x, grid.y);
        let (above, below) = match (what, display) {
            (0, _) => {
                let row = grid.row();
                row.replace(x, cols, fill, respect);
                row.wrapped &= x > 0;
                (0..0, y + 1..rows)
            }
            (1, true) => {
                let row = grid.row();
                row.replace(0, x + 1, fill, respect);
                row.wrapped = false;
                if x + 1 >= cols {
                    // Counted from the start of the scrollback, where the row below the cursor was meant: xterm.js has
                    // it so, and what wraps must be the same on both sides.
                    grid.unwrap_line(y + 1);
                }
                (0..y, 0..0)
            }
            (1, false) => {
                grid.row().replace(0, x + 1, fill, respect);
                (0..0, 0..0)
            }
            (2, true) => (0..rows, 0..0),
            (2, false) => {
                let row = grid.row();
                row.replace(0, cols, fill, respect);
                row.wrapped = false;
                (0..0, 0..0)
            }
            (3, true) => {
                grid.forget_all();
                (0..0, 0..0)
            }
            _ => (0..0, 0..0),
        };
        if display {
            for at in above.chain(below) {
                if let Some(row) = self.grid().rows.get_mut(at) {
                    row.fill(fill, respect);
                    row.wrapped = false;
                }
            }
        }
    }

    /// Everything else that edits.
    pub fn edit(&mut self, collect: u32, params: &Params, last: u8) {
        let (cols, n) = (self.cols, params.count(0));
        let fill = self.pen.erased();
        if matches!((collect, last), (0, b'@' | b'L' | b'M' | b'P' | b'X')) {
            self.restrict(cols - 1);
        }
        let grid = self.grid();
        let (x, y, top, bottom) = (grid.x, grid.y, grid.top, grid.bottom);
        let inside = (top..=bottom).contains(&y);
        match (collect, last) {
            (0, b'@') => grid.row().insert(x, n, fill),
            (0, b'P') => grid.row().delete(x, n, fill),
            (0, b'X') => grid.row().replace(x, x + n, fill, false),
            (0, b'L' | b'M') if inside => {
                grid.shift(y, bottom, last == b'M', n, cols, fill);
                grid.x = 0;
            }
            (0, b'S') => grid.shift(top, bottom, true, n, cols, fill),
            (0, b'T') => grid.shift(top, bottom, false, n, cols, super::cell::Cell::NULL),
            (0x20, b'@' | b'A') | (0x27, b'}' | b'~') if inside => {
                let at = if collect == 0x20 { 0 } else { x };
                let deletes = matches!((collect, last), (0x20, b'@') | (0x27, b'~'));
                for row in grid.rows.iter_mut().take(bottom + 1).skip(top) {
                    if deletes {
                        row.delete(at, n, fill)
                    } else {
                        row.insert(at, n, fill)
                    }
                    row.wrapped = false;
                }
            }
            _ => {}
        }
    }
}
