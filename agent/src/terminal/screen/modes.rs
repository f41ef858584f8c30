//! Modes that programs set and reset.

/// What reports the mouse makes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Mouse {
    /// 9, 1000, 1002, 1003, or 0 for none.
    pub protocol: u16,
    /// 1006, 1016, or 0 for the first encoding.
    pub encoding: u16,
}

/// All modes beside those of the grids.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    pub insert: bool,
    pub new_line: bool,
    pub cursor_keys: bool,
    pub keypad: bool,
    pub origin: bool,
    pub wraparound: bool,
    pub reverse_wraparound: bool,
    pub focus: bool,
    pub paste: bool,
    pub synchronized: bool,
    pub hidden: bool,
    /// Whether a program chose if the cursor blinks, and how.
    pub blink: Option<bool>,
    /// 1 to 6 of DECSCUSR, 0 for the usual one.
    pub shape: u8,
    pub mouse: Mouse,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            insert: false,
            new_line: false,
            cursor_keys: false,
            keypad: false,
            origin: false,
            wraparound: true,
            reverse_wraparound: false,
            focus: false,
            paste: false,
            synchronized: false,
            hidden: false,
            blink: None,
            shape: 0,
            mouse: Mouse::default(),
        }
    }
}

impl Modes {
    /// What a full reset leaves.
    pub fn after_reset(self) -> Self {
        Self { new_line: self.new_line, blink: self.blink, hidden: self.hidden, ..Self::default() }
    }

    /// What a soft reset leaves.
    pub fn after_soft_reset(self) -> Self {
        Self { hidden: false, mouse: self.mouse, ..self.after_reset() }
    }

    /// Sets or resets a private mode that concerns nothing else; whether there is one.
    pub fn private(&mut self, mode: i32, on: bool) -> bool {
        let numbered = |n: u16| if on { n } else { 0 };
        match mode {
            1 => self.cursor_keys = on,
            7 => self.wraparound = on,
            12 => self.blink = Some(on),
            25 => self.hidden = !on,
            45 => self.reverse_wraparound = on,
            66 => self.keypad = on,
            9 | 1000 | 1002 | 1003 => self.mouse.protocol = numbered(mode as u16),
            1004 => self.focus = on,
            1006 | 1016 => self.mouse.encoding = numbered(mode as u16),
            2004 => self.paste = on,
            2026 => self.synchronized = on,
            _ => return false,
        }
        true
    }

    /// Writes what sets them on a terminal that was reset, but for those that would change what is still to be drawn
    /// (insert, origin, wraparound).
    pub fn write(&self, out: &mut Vec<u8>) {
        use std::io::Write;
        let plain = Self::default();
        let modes = [
            (1, self.cursor_keys, plain.cursor_keys),
            (45, self.reverse_wraparound, plain.reverse_wraparound),
            (25, !self.hidden, !plain.hidden),
            (1004, self.focus, plain.focus),
            (2004, self.paste, plain.paste),
            (2026, self.synchronized, plain.synchronized),
        ];
        for (mode, now, _) in modes.iter().filter(|m| m.1 != m.2) {
            let _ = write!(out, "\x1b[?{mode}{}", if *now { 'h' } else { 'l' });
        }
        if let Some(blink) = self.blink {
            let _ = write!(out, "\x1b[?12{}", if blink { 'h' } else { 'l' });
        }
        if self.keypad {
            out.extend_from_slice(b"\x1b=");
        }
        for mode in [self.mouse.protocol, self.mouse.encoding].iter().filter(|m| **m != 0) {
            let _ = write!(out, "\x1b[?{mode}h");
        }
        if self.shape != 0 {
            let _ = write!(out, "\x1b[{} q", self.shape);
        }
        if self.new_line {
            out.extend_from_slice(b"\x1b[20h");
        }
    }
}
