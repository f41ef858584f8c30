//! A row of cells and what editing does to it, with the care that halves of wide characters need.

use super::cell::{Cell, PROTECTED};

/// A row of the screen. On the alternate screen it may be longer than the screen is wide, after that was made smaller.
#[derive(Clone, Default)]
pub struct Line {
    pub cells: Vec<Cell>,
    /// Whether it goes on from the row above.
    pub wrapped: bool,
}

impl Line {
    /// An empty row.
    pub fn blank(cols: usize, fill: Cell, wrapped: bool) -> Self {
        Self { cells: vec![fill; cols], wrapped }
    }

    /// Width of a cell; 0 beyond the end.
    pub fn width(&self, at: usize) -> u32 {
        self.cells.get(at).map_or(0, |c| c.width())
    }

    /// Puts a cell; beyond the end nothing happens.
    pub fn set(&mut self, at: usize, cell: Cell) {
        if let Some(c) = self.cells.get_mut(at) {
            *c = cell;
        }
    }

    /// Columns up to the last character.
    pub fn trimmed(&self) -> usize {
        trimmed(&self.cells)
    }

    /// Shifts cells to the right from `at` on, filling the gap.
    pub fn insert(&mut self, at: usize, n: usize, fill: Cell) {
        let len = self.cells.len();
        let Some(at) = at.checked_rem(len) else { return };
        if at > 0 && self.width(at - 1) == 2 {
            self.set(at - 1, Cell::null(fill));
        }
        let n = n.min(len - at);
        self.cells.copy_within(at..len - n, at + n);
        self.cells[at..at + n].fill(fill);
        if self.width(len - 1) == 2 {
            self.set(len - 1, Cell::null(fill));
        }
    }

    /// Takes cells out from `at` on, filling the end.
    pub fn delete(&mut self, at: usize, n: usize, fill: Cell) {
        let len = self.cells.len();
        let Some(at) = at.checked_rem(len) else { return };
        let n = n.min(len - at);
        self.cells.copy_within(at + n..len, at);
        self.cells[len - n..].fill(fill);
        if at > 0 && self.width(at - 1) == 2 {
            self.set(at - 1, Cell::null(fill));
        }
        if self.cells[at].width() == 0 && !self.cells[at].has_content() {
            self.set(at, Cell::null(fill));
        }
    }

    /// Overwrites cells; protected ones stay where `respect` says so.
    pub fn replace(&mut self, start: usize, end: usize, fill: Cell, respect: bool) {
        let keeps = |line: &Self, at: usize| respect && line.cells.get(at).is_some_and(|c| c.bg & PROTECTED != 0);
        if start > 0 && self.width(start - 1) == 2 && !keeps(self, start - 1) {
            self.set(start - 1, Cell::null(fill));
        }
        if end > 0 && end < self.cells.len() && self.width(end - 1) == 2 && !keeps(self, end) {
            self.set(end, Cell::null(fill));
        }
        for at in start..end.min(self.cells.len()) {
            if !keeps(self, at) {
                self.cells[at] = fill;
            }
        }
    }

    /// Overwrites all.
    pub fn fill(&mut self, fill: Cell, respect: bool) {
        for cell in self.cells.iter_mut().filter(|c| !respect || c.bg & PROTECTED == 0) {
            *cell = fill;
        }
    }
}

/// Columns up to the last character.
pub fn trimmed(cells: &[Cell]) -> usize {
    cells.iter().rposition(|c| c.has_content()).map_or(0, |at| at + cells[at].width() as usize)
}
