//! Rewraps lines when the width changes, with xterm.js's choices: lines of the cursor's logical line stay as they are (the
//! program draws them again), the rest of the buffer flows, and the cursor moves with it.

use super::{buffer::Buffer, cell::Cell, line::Line, pack::Packed};

/// A line; those of the scrollback are only unpacked where they change, and packed again at once: ten thousand lines of
/// cells would be a peak of many megabytes.
enum Slot {
    Packed(Packed),
    Live(Line),
}

impl Slot {
    fn wrapped(&self) -> bool {
        match self {
            Slot::Packed(p) => p.wrapped(),
            Slot::Live(l) => l.wrapped,
        }
    }

    fn trimmed(&self) -> usize {
        match self {
            Slot::Packed(p) => p.trimmed(),
            Slot::Live(l) => l.trimmed(),
        }
    }

    fn take(&mut self, cols: usize) -> Line {
        match std::mem::replace(self, Slot::Live(Line::default())) {
            Slot::Packed(p) => p.unpack(cols),
            Slot::Live(l) => l,
        }
    }
}

/// Rewraps a buffer whose rows have already been adjusted to the new number of rows.
pub fn reflow(buffer: &mut Buffer, old: usize, (cols, rows): (usize, usize), limit: usize) {
    let (back, live) = buffer.take();
    let base = back.len();
    let lines: Vec<Slot> = back.into_iter().map(Slot::Packed).chain(live.into_iter().map(Slot::Live)).collect();
    let mut flow = Flow { base, rows, y: buffer.y, saved_y: buffer.saved.y, most: limit + rows, scratch: Vec::new() };
    let lines = if cols > old { flow.wider(lines, old, cols) } else { flow.narrower(lines, old, cols) };
    // However odd the input was, the screen has its rows.
    let base = lines.len().saturating_sub(rows);
    for (at, slot) in lines.into_iter().enumerate() {
        match slot {
            Slot::Packed(packed) if at < base && packed.used() <= cols => buffer.put_packed(packed),
            mut slot => {
                let mut line = slot.take(cols);
                line.cells.resize(cols, Cell::NULL);
                if at < base { buffer.put_line(&line) } else { buffer.rows.push_back(line) }
            }
        }
    }
    while buffer.rows.len() < rows {
        buffer.rows.push_back(Line::blank(cols, Cell::NULL, false));
    }
    buffer.y = flow.y.min(rows - 1);
    buffer.saved.y = flow.saved_y;
    buffer.trim();
}

struct Flow {
    /// Lines in the scrollback.
    base: usize,
    rows: usize,
    y: usize,
    saved_y: usize,
    /// Most lines in all.
    most: usize,
    scratch: Vec<u8>,
}

impl Flow {
    fn put_back(&mut self, slots: &mut [Slot], lines: Vec<Line>) {
        for (slot, line) in slots.iter_mut().zip(lines) {
            *slot = Slot::Packed(Packed::new(&line, &mut self.scratch));
        }
    }

    fn wider(&mut self, mut lines: Vec<Slot>, old: usize, cols: usize) -> Vec<Slot> {
        let cursor = self.base + self.y;
        let mut drop = vec![false; lines.len()];
        let mut removed = 0;
        let mut start = 0;
        while start + 1 < lines.len() {
            let end = group_end(&lines, start);
            if end - start > 1 && !(start..end).contains(&cursor) {
                let group: Vec<Line> = lines[start..end].iter_mut().map(|l| l.take(cols)).collect();
                let (kept, gone) = join(group, old, cols);
                self.put_back(&mut lines[start..], kept);
                drop[end - gone..end].fill(true);
                removed += gone;
            }
            start = end;
        }
        let mut kept = drop.into_iter();
        lines.retain(|_| !kept.next().unwrap_or_default());
        for _ in 0..removed {
            if self.base > 0 {
                self.base -= 1;
                continue;
            }
            self.y = self.y.saturating_sub(1);
            if lines.len() < self.rows {
                lines.push(Slot::Live(Line::blank(cols, Cell::NULL, false)));
            }
        }
        self.saved_y = self.saved_y.saturating_sub(removed);
        lines
    }

    fn narrower(&mut self, mut lines: Vec<Slot>, old: usize, cols: usize) -> Vec<Slot> {
        // Lines to insert, by the index of the old line that they stand before; from the bottom up.
        let mut inserts: Vec<(usize, Vec<Slot>)> = Vec::new();
        let mut inserted = 0;
        // Rows below the cursor make room at the bottom of a screen that is not full.
        let mut len = lines.len();
        let mut end = lines.len();
        while end > 0 {
            let last = end - 1;
            if !lines[last].wrapped() && lines[last].trimmed() <= cols {
                end = last;
                continue;
            }
            let mut start = last;
            while lines[start].wrapped() && start > 0 {
                start -= 1;
            }
            let group = start..end;
            let after = end;
            end = start;
            if group.contains(&(self.base + self.y)) {
                continue;
            }
            let count = group.len();
            let taken: Vec<Line> = lines[group].iter_mut().map(|l| l.take(old)).collect();
            let mut split = split(taken, old, cols);
            let more = split.split_off(count.min(split.len()));
            self.put_back(&mut lines[start..], split);
            let added = more.len();
            let over = if self.base == 0 && self.y + 1 != len {
                (self.y + added).saturating_sub(self.most)
            } else {
                (len + added).saturating_sub(self.most)
            };
            if added > 0 {
                inserted += added;
                let more = more.iter().map(|line| Slot::Packed(Packed::new(line, &mut self.scratch)));
                inserts.push((after, more.collect()));
            }
            for _ in over..added {
                if self.base > 0 {
                    let most = self.most.min(len + inserted).saturating_sub(self.rows);
                    self.base = if self.base < most { self.base + 1 } else { self.base };
                } else if self.y + 1 < self.rows {
                    self.y += 1;
                    len = len.saturating_sub(1);
                } else {
                    self.base += 1;
                }
            }
            self.saved_y = (self.saved_y + added).min(self.base + self.rows - 1);
        }
        let mut all = Vec::with_capacity(len + inserted);
        for (at, line) in lines.into_iter().enumerate() {
            while inserts.last().is_some_and(|i| i.0 == at) {
                all.extend(inserts.pop().into_iter().flat_map(|i| i.1));
            }
            if at < len {
                all.push(line);
            }
        }
        all.extend(inserts.into_iter().rev().flat_map(|i| i.1));
        let over = all.len().saturating_sub(self.most);
        all.drain(..over);
        all
    }
}

fn group_end(lines: &[Slot], start: usize) -> usize {
    (start + 1..lines.len()).find(|at| !lines[*at].wrapped()).unwrap_or(lines.len())
}

/// Columns of a line of a group that count: all, but not one left empty because a wide character did not fit.
fn length(group: &[Line], at: usize, cols: usize) -> usize {
    let Some(next) = group.get(at + 1) else { return group[at].trimmed() };
    let last = group[at].cells.get(cols - 1).copied().unwrap_or(Cell::NULL);
    if !last.has_content() && last.width() == 1 && next.width(0) == 2 { cols - 1 } else { cols }
}

/// A group's cells without its ends.
fn cells(group: &[Line], cols: usize) -> Vec<Cell> {
    let mut all = Vec::with_capacity(group.len() * cols);
    for (at, line) in group.iter().enumerate() {
        let n = length(group, at, cols);
        all.extend(line.cells.iter().copied().chain(std::iter::repeat(Cell::NULL)).take(n));
    }
    all
}

/// Fills wider lines from a group; gives as many as there were, and how many of the last ones have become empty.
fn join(mut group: Vec<Line>, old: usize, cols: usize) -> (Vec<Line>, usize) {
    let all = cells(&group, old);
    let mut rest = all.as_slice();
    let mut used = 0;
    for line in &mut group {
        if rest.is_empty() {
            break;
        }
        let mut n = rest.len().min(cols);
        if n == cols && rest[n - 1].width() == 2 {
            n -= 1;
        }
        line.cells.clear();
        line.cells.extend_from_slice(&rest[..n]);
        line.cells.resize(cols, Cell::NULL);
        rest = &rest[n..];
        used += 1;
    }
    let used = used.max(1);
    let gone = (1..group.len()).rev().take_while(|at| *at >= used || group[*at].trimmed() == 0).count();
    (group, gone)
}

/// Spreads a group over narrower lines: the first of them are its own.
fn split(group: Vec<Line>, old: usize, cols: usize) -> Vec<Line> {
    let all = cells(&group, old);
    let mut rest = all.as_slice();
    let mut lines = Vec::with_capacity(group.len() * old / cols + 1);
    let mut group = group.into_iter();
    while !rest.is_empty() {
        let mut n = rest.len().min(cols);
        if n == cols && rest[n - 1].width() == 2 {
            n -= 1;
        }
        let mut line = group.next().unwrap_or_else(|| Line::blank(cols, Cell::NULL, true));
        line.cells.resize(cols, Cell::NULL);
        line.cells[..n].copy_from_slice(&rest[..n]);
        line.set(n, Cell::NULL);
        lines.push(line);
        rest = &rest[n..];
    }
    // Lines of the group that are left: they stay, as they are.
    lines.extend(group);
    lines
}
