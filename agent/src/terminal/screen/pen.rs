//! The pen: attributes that characters are drawn with, and the sequences that change it.

use super::{cell::*, params::Params};

/// Colours and flags of a cell that is to come, with its rare attributes spelled out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pen {
    pub fg: u32,
    pub bg: u32,
    pub ext: Ext,
    /// The number of `ext`.
    number: u32,
}

impl Pen {
    /// A cell with these attributes and no character.
    pub fn cell(&self) -> Cell {
        let ext = if self.bg & EXT != 0 { self.number } else { 0 };
        Cell { content: Cell::NULL.content, fg: self.fg, bg: self.bg & !EXT, ext }
    }

    /// What erasing leaves: the background alone.
    pub fn erased(&self) -> Cell {
        Cell { bg: self.bg & COLOR, ..Cell::NULL }
    }

    /// Takes up an address for what is drawn from now on.
    pub fn link(&mut self, link: Option<&str>, shared: &mut Shared) {
        self.ext.link = link.filter(|l| l.len() <= LINK_BYTES).map(Into::into);
        self.count();
        self.number = shared.ext(&self.ext);
    }

    /// Notes whether there are rare attributes. A cursor that is restored brings the note back, not the attributes.
    fn count(&mut self) {
        let any = self.ext.underline != 0 || self.ext.link.is_some();
        self.bg = if any { self.bg | EXT } else { self.bg & !EXT };
    }

    fn underline(&mut self, style: i32) {
        let style = if (0..=5).contains(&style) { style as u8 } else { 1 };
        self.ext.underline = style;
        self.fg = if style == 0 { self.fg & !UNDERLINE } else { self.fg | UNDERLINE };
        self.count();
    }

    fn reset(&mut self) {
        (self.fg, self.bg) = (0, 0);
        (self.ext.underline, self.ext.color) = (0, 0);
        self.count();
    }

    /// SGR.
    pub fn select(&mut self, params: &Params, shared: &mut Shared) {
        let mut at = 0;
        while at < params.len() {
            match params.get(at) {
                0 => self.reset(),
                1 => self.fg |= BOLD,
                2 => self.bg |= DIM,
                3 => self.bg |= ITALIC,
                4 => self.underline(params.subs(at).first().copied().unwrap_or(1)),
                5 => self.fg |= BLINK,
                7 => self.fg |= INVERSE,
                8 => self.fg |= INVISIBLE,
                9 => self.fg |= STRIKE,
                21 => self.underline(2),
                22 => {
                    self.fg &= !BOLD;
                    self.bg &= !DIM;
                }
                23 => self.bg &= !ITALIC,
                24 => self.underline(0),
                25 => self.fg &= !BLINK,
                27 => self.fg &= !INVERSE,
                28 => self.fg &= !INVISIBLE,
                29 => self.fg &= !STRIKE,
                n @ 30..=37 => set(&mut self.fg, P16 | (n - 30) as u32),
                n @ 90..=97 => set(&mut self.fg, P16 | (n - 90) as u32 | 8),
                39 => set(&mut self.fg, 0),
                n @ 40..=47 => set(&mut self.bg, P16 | (n - 40) as u32),
                n @ 100..=107 => set(&mut self.bg, P16 | (n - 100) as u32 | 8),
                49 => set(&mut self.bg, 0),
                38 | 48 | 58 => at += self.color(params, at),
                53 => self.bg |= OVERLINE,
                55 => self.bg &= !OVERLINE,
                59 => {
                    self.ext.color = 0;
                    self.count();
                }
                _ => {}
            }
            at += 1;
        }
        self.number = shared.ext(&self.ext);
    }

    /// A colour beyond the first sixteen, in any of its spellings; how many parameters after the first it took.
    fn color(&mut self, params: &Params, from: usize) -> usize {
        // What, kind, colour space (which `5` and the semicolon form do not have), values.
        let mut parts = [0, 0, -1, 0, 0, 0];
        let mut gap = 0;
        let mut advance = 0;
        loop {
            parts[advance + gap] = params.get(from + advance);
            let subs = params.subs(from + advance);
            if !subs.is_empty() {
                for (i, sub) in subs.iter().enumerate() {
                    if parts[1] == 5 {
                        gap = 1;
                    }
                    let Some(part) = parts.get_mut(advance + i + 1 + gap) else { break };
                    *part = *sub;
                }
                break;
            }
            if (parts[1] == 5 && advance + gap >= 2) || (parts[1] == 2 && advance + gap >= 5) {
                break;
            }
            if parts[1] != 0 {
                gap = 1;
            }
            advance += 1;
            if advance + from >= params.len() || advance + gap >= parts.len() {
                break;
            }
        }
        let byte = |at: usize| if parts[at] == -1 { 0 } else { parts[at] as u32 & 0xff };
        let color = match parts[1] {
            2 => RGB | byte(3) << 16 | byte(4) << 8 | byte(5),
            5 => P256 | byte(3),
            _ => return advance,
        };
        match parts[0] {
            38 => set(&mut self.fg, color),
            48 => set(&mut self.bg, color),
            _ => self.ext.color = color,
        }
        advance
    }
}

fn set(word: &mut u32, color: u32) {
    *word = *word & !COLOR | color;
}

/// Writes what makes a reset pen draw like this cell, after resetting it; links are not touched.
pub fn write(cell: Cell, shared: &Shared, out: &mut Vec<u8>) {
    use std::io::Write;
    let ext = shared.get_ext(cell.ext);
    out.extend_from_slice(b"\x1b[0");
    let flags = [
        (cell.fg & BOLD, "1"),
        (cell.bg & DIM, "2"),
        (cell.bg & ITALIC, "3"),
        (cell.fg & BLINK, "5"),
        (cell.fg & INVERSE, "7"),
        (cell.fg & INVISIBLE, "8"),
        (cell.fg & STRIKE, "9"),
        (cell.bg & OVERLINE, "53"),
    ];
    for (_, code) in flags.iter().filter(|f| f.0 != 0) {
        let _ = write!(out, ";{code}");
    }
    // A style alone underlines too: after a restored cursor the flag may be gone and the style still there.
    let _ = match ext.underline {
        0 | 1 if cell.fg & UNDERLINE != 0 || ext.underline == 1 => write!(out, ";4"),
        0 => Ok(()),
        style => write!(out, ";4:{style}"),
    };
    for (color, base) in [(cell.fg & COLOR, 30), (cell.bg & COLOR, 40), (ext.color, 50)] {
        let (n, kind) = (color & 0xff, kind(color));
        let _ = match kind {
            P16 if base == 50 => Ok(()),
            P16 if n < 8 => write!(out, ";{}", base + n),
            P16 => write!(out, ";{}", base + 52 + n),
            P256 if base == 50 => write!(out, ";58:5:{n}"),
            P256 => write!(out, ";{};5;{n}", base + 8),
            RGB if base == 50 => write!(out, ";58:2::{}:{}:{n}", color >> 16 & 0xff, color >> 8 & 0xff),
            RGB => write!(out, ";{};2;{};{};{n}", base + 8, color >> 16 & 0xff, color >> 8 & 0xff),
            _ => Ok(()),
        };
    }
    out.push(b'm');
    if cell.bg & PROTECTED != 0 {
        out.extend_from_slice(b"\x1b[1\"q");
    }
}
