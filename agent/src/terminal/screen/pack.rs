//! Rows of the scrollback, packed: about a byte per character instead of a cell's sixteen.

use super::{
    cell::Cell,
    line::{Line, trimmed},
    width::width,
};

/// Codes below the printable characters, which a row never holds.
const ATTR: u8 = 1;
const NULLS: u8 = 2;
const RAW: u8 = 3;
const HEADER: usize = 5;

/// A packed row: whether it is wrapped, columns up to its last character, columns that are stored, then its cells.
pub struct Packed(Box<[u8]>);

impl Packed {
    /// Packs a row. `scratch` is room to work in.
    pub fn new(line: &Line, scratch: &mut Vec<u8>) -> Self {
        scratch.clear();
        scratch.push(line.wrapped.into());
        scratch.extend_from_slice(&[0; HEADER - 1]);
        let cells = &line.cells;
        let used = cells.iter().rposition(|c| *c != Cell::NULL).map_or(0, |at| at + 1);
        let mut attr = Cell::NULL;
        let mut at = 0;
        while at < used {
            let cell = cells[at];
            if !cell.same_attr(attr) {
                attr = cell;
                scratch.push(ATTR);
                for n in [cell.fg, cell.bg, cell.ext] {
                    scratch.extend_from_slice(&n.to_le_bytes());
                }
            }
            let char = cell.char();
            if (0x20..0x7f).contains(&char) && cell.width() == 1 {
                scratch.push(char as u8);
            } else if cell.content == Cell::NULL.content {
                let same = cells[at..used].iter().take_while(|c| **c == cell).count().min(0xffff);
                scratch.push(NULLS);
                scratch.extend_from_slice(&(same as u16).to_le_bytes());
                at += same;
                continue;
            } else if let Some(c) = char::from_u32(char).filter(|c| u32::from(*c) > 0x7f && width(char) == cell.width())
            {
                let second = Cell { content: 0, ..cell };
                match cell.width() {
                    2 if cells.get(at + 1) == Some(&second) => at += 1,
                    1 => {}
                    _ => {
                        raw(cell, scratch);
                        at += 1;
                        continue;
                    }
                }
                scratch.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                raw(cell, scratch);
            }
            at += 1;
        }
        // Used cells hold all characters, so their trimmed length is the row's.
        let length = trimmed(&cells[..used]).min(0xffff) as u16;
        scratch[1..3].copy_from_slice(&length.to_le_bytes());
        scratch[3..HEADER].copy_from_slice(&(used.min(0xffff) as u16).to_le_bytes());
        Self(scratch.as_slice().into())
    }

    /// Whether it goes on from the row above.
    pub fn wrapped(&self) -> bool {
        self.0[0] != 0
    }

    /// Makes it a row of its own.
    pub fn unwrap_line(&mut self) {
        self.0[0] = 0;
    }

    /// Columns up to the last character.
    pub fn trimmed(&self) -> usize {
        u16::from_le_bytes([self.0[1], self.0[2]]).into()
    }

    /// Columns up to the last that is not empty in default colours.
    pub fn used(&self) -> usize {
        u16::from_le_bytes([self.0[3], self.0[4]]).into()
    }

    /// Memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.len() + 32
    }

    /// The row, of this many columns.
    pub fn unpack(&self, cols: usize) -> Line {
        let mut cells = Vec::with_capacity(cols);
        let mut rest = &self.0[HEADER..];
        let mut attr = Cell::NULL;
        let word = |b: &[u8], at: usize| u32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]]);
        while let Some((&first, after)) = rest.split_first() {
            rest = match first {
                ATTR => {
                    attr = Cell { content: 0, fg: word(after, 0), bg: word(after, 4), ext: word(after, 8) };
                    &after[12..]
                }
                NULLS => {
                    let n = usize::from(u16::from_le_bytes([after[0], after[1]]));
                    cells.resize(cells.len() + n, Cell::null(attr));
                    &after[2..]
                }
                RAW => {
                    cells.push(Cell { content: word(after, 0), ..attr });
                    &after[4..]
                }
                0x20..0x80 => {
                    cells.push(Cell::of(first.into(), 1, attr));
                    after
                }
                _ => {
                    let len = if first >= 0xf0 {
                        4
                    } else if first >= 0xe0 {
                        3
                    } else {
                        2
                    };
                    let (char, after) = rest.split_at(len.min(rest.len()));
                    let char = std::str::from_utf8(char).ok().and_then(|s| s.chars().next()).map_or(0, u32::from);
                    let width = width(char);
                    cells.push(Cell::of(char, width, attr));
                    if width == 2 {
                        cells.push(Cell { content: 0, ..attr });
                    }
                    after
                }
            };
        }
        cells.resize(cols, Cell::NULL);
        Line { cells, wrapped: self.wrapped() }
    }
}

fn raw(cell: Cell, scratch: &mut Vec<u8>) {
    scratch.push(RAW);
    scratch.extend_from_slice(&cell.content.to_le_bytes());
}
