//! A terminal's state and how text changes it. Control sequences are in the modules beside this one.

use super::{
    buffer::Buffer,
    cell::{Cell, Shared},
    charset::Charset,
    modes::Modes,
    pen::Pen,
    width::width,
};

/// Lines of scrollback: as many as the page has.
pub const SCROLLBACK: usize = 10_000;

/// The state.
pub struct Term {
    pub cols: usize,
    pub rows: usize,
    pub normal: Buffer,
    pub alternate: Buffer,
    /// Whether the alternate grid is shown.
    pub on_alternate: bool,
    pub pen: Pen,
    pub modes: Modes,
    /// Designations of G0 to G3, and which of them is in use.
    pub charsets: [Option<Charset>; 4],
    pub level: usize,
    /// The set in use; after a restored cursor it need not be the level's.
    pub charset: Option<Charset>,
    pub title: String,
    /// Columns of the character just drawn, which a combining mark would join; 0 after anything else.
    pub join: usize,
    pub shared: Shared,
}

impl Term {
    /// An empty terminal.
    pub fn new(cols: u16, rows: u16) -> Self {
        let (cols, rows) = (usize::from(cols).max(2), usize::from(rows).max(1));
        let mut normal = Buffer::new(cols, rows, SCROLLBACK);
        normal.fill(cols, rows, Cell::NULL);
        Self {
            cols,
            rows,
            normal,
            alternate: Buffer::new(cols, rows, 0),
            on_alternate: false,
            pen: Pen::default(),
            modes: Modes::default(),
            charsets: [None; 4],
            level: 0,
            charset: None,
            title: String::new(),
            join: 0,
            shared: Shared::default(),
        }
    }

    /// RIS: what outlives it are the title and two of the modes.
    pub fn reset(&mut self) {
        let mut fresh = Self::new(self.cols as u16, self.rows as u16);
        fresh.title = std::mem::take(&mut self.title);
        fresh.modes = self.modes.after_reset();
        *self = fresh;
    }

    /// Follows a change of size.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let new = (usize::from(cols).max(2), usize::from(rows).max(1));
        let old = (self.cols, self.rows);
        if new == old {
            return;
        }
        self.normal.resize(old, new);
        self.alternate.resize(old, new);
        (self.cols, self.rows) = new;
    }

    /// The grid that is shown.
    pub fn grid(&mut self) -> &mut Buffer {
        if self.on_alternate { &mut self.alternate } else { &mut self.normal }
    }

    /// Keeps the cursor on the screen, or in the region where the origin is there.
    pub fn restrict(&mut self, last_col: usize) {
        let (origin, rows) = (self.modes.origin, self.rows);
        let grid = self.grid();
        grid.x = grid.x.min(last_col);
        grid.y = if origin { grid.y.max(grid.top).min(grid.bottom) } else { grid.y.min(rows - 1) };
    }

    /// Moves the cursor, counted from the origin.
    pub fn place(&mut self, x: usize, y: usize) {
        let origin = self.modes.origin;
        let grid = self.grid();
        grid.x = x;
        grid.y = if origin { grid.top + y } else { y };
        let last = self.cols - 1;
        self.restrict(last);
    }

    /// A line feed without its care for wrapped lines.
    pub fn index(&mut self) {
        let last = self.cols - 1;
        self.restrict(last);
        let (fill, rows) = (self.pen.erased(), self.rows);
        let grid = self.grid();
        if grid.y == grid.bottom {
            grid.scroll(fill, false);
        } else {
            grid.y = (grid.y + 1).min(rows - 1);
        }
        self.restrict(last);
    }

    /// Goes on in the next line, because this one is full.
    fn wrap(&mut self) {
        let (fill, left, cols, rows) = (self.pen.erased(), Cell::null(self.pen.cell()), self.cols, self.rows);
        let grid = self.grid();
        let from = grid.x;
        for at in from..cols {
            grid.row().set(at, left);
        }
        grid.x = 0;
        if grid.y == grid.bottom {
            grid.scroll(fill, true);
        } else {
            grid.y = (grid.y + 1).min(rows - 1);
            grid.row().wrapped = true;
        }
    }

    /// Text begins: half a wide character that it would leave behind is cleared.
    pub fn text_begins(&mut self) {
        let cell = self.pen.cell();
        let grid = self.grid();
        let x = grid.x;
        let row = grid.row();
        if x > 0 && row.width(x - 1) == 2 {
            row.set(x - 1, Cell::null(cell));
        }
    }

    /// Text ends: so is the other half.
    pub fn text_ends(&mut self) {
        let (cell, cols) = (self.pen.cell(), self.cols);
        let grid = self.grid();
        let x = grid.x;
        let row = grid.row();
        if x < cols && row.cells.get(x).is_some_and(|c| c.width() == 0 && !c.has_content()) {
            row.set(x, Cell::null(cell));
        }
    }

    /// Draws printable ASCII.
    pub fn print_ascii(&mut self, text: &[u8]) {
        if self.charset.is_some() || self.modes.insert {
            for byte in text {
                let char = self.charset.map_or((*byte).into(), |set| set.map(*byte));
                self.print(char);
            }
            return;
        }
        let (cols, attr, wraps) = (self.cols, self.pen.cell(), self.modes.wraparound);
        let mut rest = text;
        while !rest.is_empty() {
            if self.grid().x >= cols {
                if wraps {
                    self.wrap();
                } else {
                    self.grid().x = cols - 1;
                }
            }
            let grid = self.grid();
            let x = grid.x;
            let (now, later) = rest.split_at(rest.len().min(cols - x));
            if let Some(cells) = grid.row().cells.get_mut(x..x + now.len()) {
                for (cell, byte) in cells.iter_mut().zip(now) {
                    *cell = Cell::of((*byte).into(), 1, attr);
                }
            }
            grid.x += now.len();
            rest = later;
        }
        self.join = 1;
    }

    /// Draws any character.
    pub fn print(&mut self, char: u32) {
        let (cols, attr) = (self.cols, self.pen.cell());
        let mut wide = width(char) as usize;
        let joins = wide == 0 && self.join > 0;
        if joins {
            wide = self.join;
        }
        self.join = wide;
        if !joins && self.grid().x + wide > cols {
            if self.modes.wraparound {
                self.wrap();
            } else {
                self.grid().x = cols - 1;
                if wide == 2 {
                    return;
                }
            }
        }
        let insert = self.modes.insert;
        let (grid, shared) = match self.on_alternate {
            true => (&mut self.alternate, &mut self.shared),
            false => (&mut self.normal, &mut self.shared),
        };
        let x = grid.x;
        if joins && x > 0 {
            let row = grid.row();
            let back = if row.width(x - 1) > 0 { 1 } else { 2 };
            if let Some(cell) = x.checked_sub(back).and_then(|at| row.cells.get_mut(at)) {
                *cell = shared.join(*cell, char);
            }
            return;
        }
        let row = grid.row();
        if insert {
            row.insert(x, wide, Cell::null(attr));
            if row.width(cols - 1) == 2 {
                row.set(cols - 1, Cell::null(attr));
            }
        }
        row.set(x, Cell::of(char, wide as u32, attr));
        grid.x += 1;
        if wide == 2 {
            grid.row().set(x + 1, Cell::of(0, 0, attr));
            grid.x += 1;
        }
    }
}
