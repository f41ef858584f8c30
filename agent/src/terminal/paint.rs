//! Draws one grid of the screen model (the normal or the alternate screen) as terminal output.

use vt100::{Cell, Color, Parser, Screen};

/// Draws the current grid: its scrollback (where it has one), its rows, scroll region and cursor. The newest lines are
/// drawn first in mind: those that do not fit into `budget` bytes are left empty or out.
pub fn screen(probe: &mut Parser, budget: usize, out: &mut Vec<u8>) {
    let (rows, cols) = {
        let (r, c) = probe.screen().size();
        (r.get(), c.get())
    };
    let back = if probe.screen().alternate_screen() { 0 } else { probe.screen().scrollback_len() };
    let mut lines: Vec<(Vec<u8>, bool)> = Vec::new();
    let mut spent = 0;
    for n in 0..back + usize::from(rows) {
        // From the bottom up. Line 0 is the last row of the screen; beyond the rows the view is moved into the scrollback.
        let (view, row) = match n.checked_sub(usize::from(rows)) {
            None => (0, rows - 1 - n as u16),
            Some(up) => (up + 1, 0),
        };
        if spent > budget {
            if view > 0 {
                break;
            }
            lines.push(Default::default());
            continue;
        }
        probe.screen_mut().set_scrollback(view);
        let line = line(probe.screen(), row, cols);
        spent += line.len() + 2;
        lines.push((line, probe.screen().row_wrapped(row)));
    }
    probe.screen_mut().set_scrollback(0);

    let mut upcoming = lines.iter().rev().peekable();
    while let Some((line, wrapped)) = upcoming.next() {
        out.extend_from_slice(line);
        // A wrapped line goes on in the next: there the terminal itself turns over, if something follows.
        match upcoming.peek() {
            Some((next, _)) if *wrapped && !next.is_empty() => {}
            Some(_) => out.extend_from_slice(b"\x1b[m\r\n"),
            None => {}
        }
    }
    out.extend_from_slice(b"\x1b[m");
    region_and_cursor(probe, rows, cols, out);
}

/// One row without its empty end, starting from default attributes.
fn line(screen: &Screen, row: u16, cols: u16) -> Vec<u8> {
    let cell = |col| screen.cell(row, col);
    let full = screen.row_wrapped(row);
    let used = if full {
        cols
    } else {
        (0..cols)
            .rev()
            .find(|c| {
                cell(*c).is_some_and(|cell| {
                    cell.has_contents() || cell.is_wide_continuation() || Pen::of(cell) != Pen::default()
                })
            })
            .map_or(0, |c| c + 1)
    };
    let mut out = Vec::with_capacity(usize::from(used) + 8);
    let mut pen = Pen::default();
    if used > 0 {
        out.extend_from_slice(b"\x1b[m");
    }
    for col in 0..used {
        let Some(cell) = cell(col) else { break };
        if cell.is_wide_continuation() {
            continue;
        }
        let want = Pen::of(cell);
        if want != pen {
            want.write(&mut out);
            pen = want;
        }
        out.extend_from_slice(if cell.has_contents() { cell.contents().as_bytes() } else { b" " });
    }
    if pen != Pen::default() {
        out.extend_from_slice(b"\x1b[m");
    }
    out
}

fn region_and_cursor(probe: &mut Parser, rows: u16, cols: u16, out: &mut Vec<u8>) {
    let (row, col) = probe.screen().cursor_position();
    // The model does not tell its scroll region: with origin mode on, the cursor stops at the region's edges. Whatever
    // the probing moves is put back from a copy of the cursor's state (DECSC would overwrite the program's own copy).
    probe.process(b"\x1b[1;1H");
    let top_without = probe.screen().cursor_position().0;
    probe.process(b"\x1b[9999;1H");
    let bottom_without = probe.screen().cursor_position().0;
    probe.process(b"\x1b[?6h\x1b[1;1H");
    let top = probe.screen().cursor_position().0;
    probe.process(b"\x1b[9999;1H");
    let bottom = probe.screen().cursor_position().0;
    let region = (top, bottom) != (0, rows - 1);
    let origin = region && (top_without, bottom_without) == (top, bottom);
    if !origin {
        probe.process(b"\x1b[?6l");
    }
    let (r, c) = if origin { (row.saturating_sub(top) + 1, col) } else { (row + 1, col) };
    if region {
        out.extend_from_slice(format!("\x1b[{};{}r", top + 1, bottom + 1).as_bytes());
    }
    if origin {
        out.extend_from_slice(b"\x1b[?6h");
    }

    // A cursor behind the last column waits to wrap: only writing that column again brings it there.
    let last = col.min(cols - 1);
    let wide_last = col >= cols && probe.screen().cell(row, last).is_some_and(Cell::is_wide_continuation);
    let (at, redraw) = if col < cols { (c, None) } else { (if wide_last { cols - 2 } else { cols - 1 }, Some(())) };
    out.extend_from_slice(format!("\x1b[{r};{}H", at + 1).as_bytes());
    if redraw.is_some()
        && let Some(cell) = probe.screen().cell(row, at)
    {
        Pen::of(cell).write(out);
        out.extend_from_slice(if cell.has_contents() { cell.contents().as_bytes() } else { b" " });
    }
    probe.process(format!("\x1b[{r};{}H", last + 1).as_bytes());
    if redraw.is_some() {
        // Put the model's own cursor back where it was, behind the last column.
        let text = probe.screen().cell(row, at).map(|c| (c.contents().to_owned(), Pen::of(c)));
        let pen = Pen::of_screen(probe.screen());
        if let Some((text, cell_pen)) = text {
            let mut back = format!("\x1b[{r};{}H", at + 1).into_bytes();
            cell_pen.write(&mut back);
            back.extend_from_slice(if text.is_empty() { b" " } else { text.as_bytes() });
            pen.write(&mut back);
            probe.process(&back);
        }
    }
    Pen::of_screen(probe.screen()).write(out);
    if probe.screen().hide_cursor() {
        out.extend_from_slice(b"\x1b[?25l");
    }
}

/// The attributes that characters are drawn with.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Pen {
    fg: Color,
    bg: Color,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    inverse: bool,
}

impl Pen {
    fn of(c: &Cell) -> Self {
        Self {
            fg: c.fgcolor(),
            bg: c.bgcolor(),
            bold: c.bold(),
            dim: c.dim(),
            italic: c.italic(),
            underline: c.underline(),
            inverse: c.inverse(),
        }
    }

    fn of_screen(s: &Screen) -> Self {
        Self {
            fg: s.fgcolor(),
            bg: s.bgcolor(),
            bold: s.bold(),
            dim: s.dim(),
            italic: s.italic(),
            underline: s.underline(),
            inverse: s.inverse(),
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        use std::io::Write;
        out.extend_from_slice(b"\x1b[0");
        let flags = [(self.bold, 1), (self.dim, 2), (self.italic, 3), (self.underline, 4), (self.inverse, 7)];
        for (_, n) in flags.into_iter().filter(|f| f.0) {
            let _ = write!(out, ";{n}");
        }
        for (color, base) in [(self.fg, 30u16), (self.bg, 40)] {
            let _ = match color {
                Color::Default => Ok(()),
                Color::Idx(i @ 0..8) => write!(out, ";{}", base + u16::from(i)),
                Color::Idx(i @ 8..16) => write!(out, ";{}", base + 52 + u16::from(i)),
                Color::Idx(i) => write!(out, ";{};5;{i}", base + 8),
                Color::Rgb(r, g, b) => write!(out, ";{};2;{r};{g};{b}", base + 8),
            };
        }
        out.push(b'm');
    }
}
