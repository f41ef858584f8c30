//! One cell of the grid, and what is shared between cells: clusters of combining marks, links, kinds of underline.

use std::collections::HashMap;

/// Bits of a colour: 24 of value, 2 of kind ([`DEFAULT`], [`P16`], [`P256`], [`RGB`]).
pub const COLOR: u32 = 0x3ff_ffff;
const KIND: u32 = 0x300_0000;
/// A colour of the first sixteen.
pub const P16: u32 = 0x100_0000;
/// A colour of the table of 256.
pub const P256: u32 = 0x200_0000;
/// A colour of its own.
pub const RGB: u32 = 0x300_0000;

/// Flags beside the foreground's colour.
pub const INVERSE: u32 = 1 << 26;
pub const BOLD: u32 = 1 << 27;
pub const UNDERLINE: u32 = 1 << 28;
pub const BLINK: u32 = 1 << 29;
pub const INVISIBLE: u32 = 1 << 30;
pub const STRIKE: u32 = 1 << 31;
/// Flags beside the background's colour.
pub const ITALIC: u32 = 1 << 26;
pub const DIM: u32 = 1 << 27;
/// Only in a pen: whether its rare attributes count.
pub const EXT: u32 = 1 << 28;
pub const PROTECTED: u32 = 1 << 29;
pub const OVERLINE: u32 = 1 << 30;

/// A cluster's number instead of a character.
const CLUSTER: u32 = 1 << 21;
const WIDTH: u32 = 22;

/// The kind of a colour.
pub fn kind(color: u32) -> u32 {
    color & KIND
}

/// A cell: a character (or a cluster) with its width, colours, flags, and the number of its rare attributes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    pub content: u32,
    pub fg: u32,
    pub bg: u32,
    pub ext: u32,
}

impl Cell {
    /// Nothing, in default colours.
    pub const NULL: Cell = Cell { content: 1 << WIDTH, fg: 0, bg: 0, ext: 0 };

    /// A character of this width with another cell's attributes.
    pub fn of(char: u32, width: u32, attr: Cell) -> Cell {
        Cell { content: char | width << WIDTH, ..attr }
    }

    /// Nothing, with another cell's attributes.
    pub fn null(attr: Cell) -> Cell {
        Self::of(0, 1, attr)
    }

    /// Columns: 0 for the second half of a wide character or a mark that stands alone.
    pub fn width(self) -> u32 {
        self.content >> WIDTH
    }

    /// Whether there is a character.
    pub fn has_content(self) -> bool {
        self.content & ((1 << WIDTH) - 1) != 0
    }

    /// The number of its cluster, where it is one.
    pub fn cluster(self) -> Option<u32> {
        (self.content & CLUSTER != 0).then_some(self.content & (CLUSTER - 1))
    }

    /// Its character; 0 for none or a cluster.
    pub fn char(self) -> u32 {
        if self.content & CLUSTER != 0 { 0 } else { self.content & (CLUSTER - 1) }
    }

    /// Whether attributes are the same.
    pub fn same_attr(self, other: Cell) -> bool {
        (self.fg, self.bg, self.ext) == (other.fg, other.bg, other.ext)
    }
}

/// Attributes so rare that cells only hold their number.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Ext {
    /// 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed.
    pub underline: u8,
    /// Colour of the underline.
    pub color: u32,
    /// Parameters and address of the link, as in OSC 8.
    pub link: Option<std::sync::Arc<str>>,
}

/// Most kinds of rare attributes, and most clusters, of one terminal; what comes beyond is drawn without.
const MOST: usize = 8 << 10;
/// Most bytes of one cluster.
const CLUSTER_BYTES: usize = 64;
/// Most bytes of a link.
pub const LINK_BYTES: usize = 2 << 10;
/// Most bytes of all links.
const LINKS_BYTES: usize = 256 << 10;

/// What cells refer to by number. A full reset begins anew.
#[derive(Default)]
pub struct Shared {
    exts: Vec<Ext>,
    ext_numbers: HashMap<Ext, u32>,
    clusters: Vec<Box<str>>,
    cluster_numbers: HashMap<Box<str>, u32>,
    bytes: usize,
}

impl Shared {
    /// The number of these attributes; 0 for none, and where there is no room.
    pub fn ext(&mut self, ext: &Ext) -> u32 {
        if *ext == Ext::default() {
            return 0;
        }
        if let Some(n) = self.ext_numbers.get(ext) {
            return *n;
        }
        let bytes = self.bytes + ext.link.as_ref().map_or(0, |l| l.len());
        if self.exts.len() >= MOST || bytes > LINKS_BYTES {
            return 0;
        }
        self.bytes = bytes;
        self.exts.push(ext.clone());
        let n = self.exts.len() as u32;
        self.ext_numbers.insert(ext.clone(), n);
        n
    }

    /// The attributes of a number.
    pub fn get_ext(&self, n: u32) -> Ext {
        n.checked_sub(1).and_then(|n| self.exts.get(n as usize)).cloned().unwrap_or_default()
    }

    /// A cell with a combining mark added.
    pub fn join(&mut self, cell: Cell, mark: u32) -> Cell {
        let Some(mark) = char::from_u32(mark) else { return cell };
        let mut text = String::with_capacity(8);
        self.text(cell, &mut text);
        if text.is_empty() {
            return Cell::of(mark.into(), 1, cell);
        }
        if text.len() + mark.len_utf8() > CLUSTER_BYTES {
            return cell;
        }
        text.push(mark);
        let n = match self.cluster_numbers.get(text.as_str()) {
            Some(n) => *n,
            None if self.clusters.len() >= MOST => return cell,
            None => {
                let n = self.clusters.len() as u32;
                self.clusters.push(text.as_str().into());
                self.cluster_numbers.insert(text.into(), n);
                n
            }
        };
        Cell { content: CLUSTER | n | cell.width() << WIDTH, ..cell }
    }

    /// Appends a cell's text.
    pub fn text(&self, cell: Cell, into: &mut String) {
        match cell.cluster() {
            Some(n) => into.push_str(self.clusters.get(n as usize).map_or("", |c| c)),
            None => into.extend(char::from_u32(cell.char()).filter(|c| *c != '\0')),
        }
    }
}
