//! Numbers of a control sequence.

const MOST: usize = 32;

/// Parameters with their sub-parameters (after colons); what comes beyond 32 of each is left out.
#[derive(Clone)]
pub struct Params {
    values: [i32; MOST],
    len: usize,
    subs: [i32; MOST],
    sub_len: usize,
    /// Where each parameter's sub-parameters begin and end.
    ranges: [(u8, u8); MOST],
    full: bool,
    subs_full: bool,
    in_sub: bool,
}

impl Params {
    /// One parameter, 0.
    pub fn new() -> Self {
        Self {
            values: [0; MOST],
            len: 1,
            subs: [0; MOST],
            sub_len: 0,
            ranges: [(0, 0); MOST],
            full: false,
            subs_full: false,
            in_sub: false,
        }
    }

    /// Starts again.
    pub fn clear(&mut self) {
        (self.len, self.sub_len) = (1, 0);
        (self.values[0], self.ranges[0]) = (0, (0, 0));
        (self.full, self.subs_full, self.in_sub) = (false, false, false);
    }

    /// Reads a digit, ';' or ':'.
    pub fn push(&mut self, byte: u8) {
        match byte {
            b';' => {
                self.in_sub = false;
                if self.len >= MOST {
                    self.full = true;
                    return;
                }
                self.ranges[self.len] = (self.sub_len as u8, self.sub_len as u8);
                self.values[self.len] = 0;
                self.len += 1;
            }
            b':' => {
                self.in_sub = true;
                if self.full || self.sub_len >= MOST {
                    self.subs_full = true;
                    return;
                }
                self.subs[self.sub_len] = -1;
                self.sub_len += 1;
                self.ranges[self.len - 1].1 += 1;
            }
            _ => {
                let digit = i32::from(byte) - i32::from(b'0');
                if self.full || (self.in_sub && (self.subs_full || self.sub_len == 0)) {
                    return;
                }
                let value = if self.in_sub { &mut self.subs[self.sub_len - 1] } else { &mut self.values[self.len - 1] };
                *value = if *value == -1 { digit } else { value.saturating_mul(10).saturating_add(digit) };
            }
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.len
    }

    /// A parameter; 0 where it is absent.
    pub fn get(&self, at: usize) -> i32 {
        if at < self.len { self.values[at] } else { 0 }
    }

    /// A count or position: at least 1, at most what any terminal has room for.
    pub fn count(&self, at: usize) -> usize {
        self.get(at).clamp(1, 1 << 16) as usize
    }

    /// A parameter's sub-parameters; -1 for an empty one.
    pub fn subs(&self, at: usize) -> &[i32] {
        let (from, to) = if at < self.len { self.ranges[at] } else { (0, 0) };
        &self.subs[from.into()..to.into()]
    }
}
