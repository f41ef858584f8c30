//! What a terminal knows of one of its viewers: its place in the output, and how much it may be sent.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Window that a viewer starts with, in bytes.
const START: u64 = 256 << 10;
const SMALLEST: u64 = 64 << 10;
const LARGEST: u64 = 4 << 20;
/// An ack that comes so much later than the fastest one shows that output waits somewhere: longer than [`LATE`], and
/// the window shrinks; shorter than [`QUICK`], and it may grow. So Ctrl-C never waits behind more than about that.
const QUICK: Duration = Duration::from_millis(50);
const LATE: Duration = Duration::from_millis(200);
/// A viewer that owes an ack for so long no longer holds the terminal up.
pub const STALL: Duration = Duration::from_secs(10);

/// One viewer of a terminal.
pub struct Viewer {
    /// Its window, where it has one.
    pub size: Option<(u16, u16)>,
    /// Whether its input and size count for nothing.
    pub read_only: bool,
    /// Offset after the last byte sent.
    pub sent: u64,
    /// Offset after the last byte rendered, as far as is known.
    pub acked: u64,
    /// Most bytes that it may have unacknowledged.
    pub window: u64,
    /// When it last typed, as a count over all viewers; 0 for never.
    pub typed: u64,
    /// Number of the size that it was last told.
    pub size_seen: u64,
    /// Whether its next output is a picture.
    pub repaint: bool,
    /// Whether it has been told of the exit.
    pub exit_sent: bool,
    last_ack: Instant,
    marks: VecDeque<(u64, Instant)>,
    fastest: Option<Duration>,
}

impl Viewer {
    /// A viewer that has everything before `offset`.
    pub fn new(size: Option<(u16, u16)>, read_only: bool, offset: u64) -> Self {
        Self {
            size,
            read_only,
            sent: offset,
            acked: offset,
            window: START,
            typed: 0,
            size_seen: 0,
            repaint: false,
            exit_sent: false,
            last_ack: Instant::now(),
            marks: VecDeque::new(),
            fastest: None,
        }
    }

    /// Bytes sent and not acknowledged.
    pub fn in_flight(&self) -> u64 {
        self.sent.saturating_sub(self.acked)
    }

    /// Bytes that may be sent now.
    pub fn room(&self) -> u64 {
        self.window.saturating_sub(self.in_flight())
    }

    /// Notes that everything before `offset` has been handed to the connection.
    pub fn note_sent(&mut self, offset: u64) {
        let now = Instant::now();
        if self.in_flight() == 0 {
            self.last_ack = now;
        }
        self.sent = offset;
        if self.marks.len() < 256 {
            self.marks.push_back((offset, now));
        }
    }

    /// Notes an acknowledgement, and lets the window follow its delay.
    pub fn note_ack(&mut self, offset: u64) {
        let offset = offset.min(self.sent);
        if offset < self.acked {
            return;
        }
        let now = Instant::now();
        let used = self.in_flight() * 2 >= self.window;
        self.acked = offset;
        self.last_ack = now;
        let mut delay = None;
        while let Some((_, at)) = self.marks.front().filter(|(o, _)| *o <= offset) {
            delay = Some(now - *at);
            self.marks.pop_front();
        }
        let Some(delay) = delay else { return };
        let fastest = *self.fastest.insert(self.fastest.map_or(delay, |f| f.min(delay)));
        let waited = delay - fastest;
        if waited > LATE {
            self.window = (self.window / 2).max(SMALLEST);
            // The way itself may have become longer: an old best must not keep the window small for ever.
            self.fastest = Some(fastest + (delay - fastest) / 8);
        } else if used && waited < QUICK {
            self.window = (self.window + self.window / 4).min(LARGEST);
        }
    }

    /// Whether it has owed an ack for too long.
    pub fn stalled(&self) -> bool {
        self.in_flight() > 0 && self.last_ack.elapsed() >= STALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_window_follows_the_delay() {
        let mut v = Viewer::new(Some((80, 24)), false, 0);
        for _ in 0..100 {
            v.note_sent(v.sent + v.room());
            tokio::time::advance(Duration::from_millis(20)).await;
            v.note_ack(v.sent);
        }
        assert_eq!(v.window, LARGEST);
        for _ in 0..100 {
            v.note_sent(v.sent + v.room());
            tokio::time::advance(Duration::from_millis(900)).await;
            v.note_ack(v.sent);
            if v.window == SMALLEST {
                return;
            }
        }
        panic!("the window stayed at {}", v.window);
    }

    #[tokio::test(start_paused = true)]
    async fn who_owes_an_ack_stalls() {
        let mut v = Viewer::new(None, false, 7);
        tokio::time::advance(STALL * 2).await;
        assert!(!v.stalled());
        v.note_sent(8);
        assert!(!v.stalled());
        tokio::time::advance(STALL).await;
        assert!(v.stalled());
        v.note_ack(8);
        assert!(!v.stalled());
    }
}
