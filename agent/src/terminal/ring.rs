//! The last bytes that a terminal put out, addressed by their offset since it was opened.

use bytes::BytesMut;

/// Most bytes kept of one terminal.
pub const CAPACITY: usize = 1 << 20;

/// A buffer that keeps the last [`CAPACITY`] bytes. Its memory grows with what it holds.
#[derive(Default)]
pub struct Ring {
    // The byte of offset `o` lies at `o % CAPACITY`, from the first byte on: so nothing moves when the ring gets full.
    bytes: Vec<u8>,
    end: u64,
}

impl Ring {
    /// Offset after the last byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Offset of the oldest byte still there.
    pub fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    /// Appends; what no longer fits is forgotten from the start.
    pub fn push(&mut self, mut new: &[u8]) {
        if new.len() > CAPACITY {
            let skip = new.len() - CAPACITY;
            self.write(&new[..skip.min(CAPACITY)]);
            self.end += (skip - skip.min(CAPACITY)) as u64;
            new = &new[skip..];
        }
        self.write(new);
    }

    fn write(&mut self, new: &[u8]) {
        let room = CAPACITY - self.bytes.len();
        let (grow, wrap) = new.split_at(new.len().min(room));
        self.bytes.extend_from_slice(grow);
        self.end += grow.len() as u64;
        let mut rest = wrap;
        while !rest.is_empty() {
            let at = (self.end % CAPACITY as u64) as usize;
            let n = rest.len().min(CAPACITY - at);
            self.bytes[at..at + n].copy_from_slice(&rest[..n]);
            self.end += n as u64;
            rest = &rest[n..];
        }
    }

    /// Copies up to `max` bytes from `offset` on; an offset that is not in the ring copies nothing.
    pub fn copy(&self, offset: u64, max: usize, into: &mut BytesMut) -> usize {
        if offset < self.start() || offset >= self.end {
            return 0;
        }
        let n = ((self.end - offset) as usize).min(max);
        let at = (offset % CAPACITY as u64) as usize;
        let first = n.min(self.bytes.len() - at);
        into.extend_from_slice(&self.bytes[at..at + first]);
        into.extend_from_slice(&self.bytes[..n - first]);
        n
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn it_holds_the_last_bytes(lens in prop::collection::vec(0usize..300_000, 1..20)) {
            let mut ring = Ring::default();
            let mut all = Vec::new();
            for (i, len) in lens.into_iter().enumerate() {
                let chunk: Vec<u8> = (0..len).map(|b| (b * 31 + i) as u8).collect();
                ring.push(&chunk);
                all.extend_from_slice(&chunk);
            }
            prop_assert_eq!(ring.end(), all.len() as u64);
            prop_assert_eq!(ring.start(), all.len().saturating_sub(CAPACITY) as u64);
            let mut out = BytesMut::new();
            ring.copy(ring.start(), usize::MAX, &mut out);
            prop_assert_eq!(&out[..], &all[ring.start() as usize..]);
        }
    }

    #[test]
    fn a_chunk_longer_than_the_ring_keeps_its_tail() {
        let mut ring = Ring::default();
        ring.push(b"x");
        let long: Vec<u8> = (0..3 * CAPACITY + 5).map(|b| (b % 251) as u8).collect();
        ring.push(&long);
        assert_eq!(ring.end(), 1 + long.len() as u64);
        let mut out = BytesMut::new();
        assert_eq!(ring.copy(ring.start(), usize::MAX, &mut out), CAPACITY);
        assert_eq!(&out[..], &long[long.len() - CAPACITY..]);
    }
}
