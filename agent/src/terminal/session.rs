//! One terminal from its opening to its end: output kept and modelled, viewers served, input written.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use boatyard_protocol::{
    agent::{Attach, OpenTerminal, TerminalInfo},
    terminal::Frame,
};
use bytes::{Bytes, BytesMut};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    pty::Pty,
    ring::{CAPACITY, Ring},
    screen::{Screen, unfinished},
    viewer::{STALL, Viewer},
};
use crate::{
    events::Hub,
    reaper::{Process, Reaper},
};

/// Most bytes of one output frame.
const OUTPUT: usize = 64 << 10;
/// Most bytes of a repaint, below [`boatyard_protocol::terminal::MAX_FRAME`].
const REPAINT: usize = 768 << 10;
/// Most viewers of one terminal.
const VIEWERS: usize = 64;
/// Most input messages that wait to be written.
const INPUTS: usize = 16;

/// A terminal. Its tasks end with its process, or when it is closed.
pub struct Terminal {
    /// Its id.
    pub id: String,
    /// Its generation.
    pub generation: u64,
    state: Mutex<State>,
    pty: Pty,
    /// Process id of what was started in it.
    shell: i32,
    /// Rung when there is something new for viewers.
    news: Notify,
    /// Rung when reading may go on.
    gate: Notify,
    input: mpsc::Sender<Bytes>,
    closed: CancellationToken,
    next_viewer: AtomicU64,
    events: Hub,
}

struct State {
    ring: Ring,
    screen: Screen,
    size: (u16, u16),
    size_number: u64,
    exit: Option<i32>,
    viewers: BTreeMap<u64, Viewer>,
    typings: u64,
    /// Viewers whose input waits for room: then the terminal is read even if its driver is behind, since the process
    /// may be waiting for its output to be taken before it reads on.
    stuck_inputs: u32,
}

/// Why a viewer is refused.
#[derive(Debug, thiserror::Error)]
#[error("the terminal already has {VIEWERS} viewers; close one")]
pub struct Full;

impl Terminal {
    /// Opens a terminal and starts its tasks.
    ///
    /// # Errors
    /// When there is no pseudo-terminal, or its command does not start.
    pub fn open(
        id: String,
        generation: u64,
        open: &OpenTerminal,
        reaper: &Arc<Reaper>,
        events: &Hub,
    ) -> anyhow::Result<Arc<Terminal>> {
        let (pty, process, notice) = Pty::open(open, reaper)?;
        let (input, inputs) = mpsc::channel(INPUTS);
        let terminal = Arc::new(Terminal {
            id,
            generation,
            state: Mutex::new(State {
                ring: Ring::default(),
                screen: Screen::new(open.cols, open.rows),
                size: (open.cols, open.rows),
                size_number: 1,
                exit: None,
                viewers: BTreeMap::new(),
                typings: 0,
                stuck_inputs: 0,
            }),
            pty,
            shell: process.pid,
            news: Notify::new(),
            gate: Notify::new(),
            input,
            closed: CancellationToken::new(),
            next_viewer: AtomicU64::new(1),
            events: events.clone(),
        });
        if let Some(notice) = notice {
            terminal.absorb(format!("{notice}\r\n").as_bytes());
        }
        tokio::spawn(terminal.clone().run(process, inputs, reaper.clone()));
        Ok(terminal)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// What the terminal says of itself.
    pub fn info(&self) -> TerminalInfo {
        let foreground = self.pty.foreground();
        let cwd = self.pty.working_folder(self.shell);
        let s = self.lock();
        TerminalInfo {
            id: self.id.clone(),
            generation: self.generation,
            cols: s.size.0,
            rows: s.size.1,
            offset: s.ring.end(),
            exit_code: s.exit,
            viewers: s.viewers.len() as u32,
            foreground: foreground.filter(|_| s.exit.is_none()),
            cwd: cwd.filter(|_| s.exit.is_none()),
        }
    }

    /// Whether its process has ended.
    pub fn ended(&self) -> bool {
        self.lock().exit.is_some()
    }

    /// Hangs up: the process group in the foreground and the shell get SIGHUP; viewers are let go.
    pub fn close(&self) {
        self.closed.cancel();
        self.news.notify_waiters();
    }

    async fn run(self: Arc<Self>, mut process: Process, inputs: mpsc::Receiver<Bytes>, reaper: Arc<Reaper>) {
        let writer = tokio::spawn(self.clone().write(inputs));
        let mut buf = vec![0; OUTPUT];
        let code = loop {
            tokio::select! {
                biased;
                code = process.exit() => break code,
                () = self.closed.cancelled() => {
                    self.pty.signal_foreground(libc::SIGHUP);
                    reaper.signal_group(&process, libc::SIGHUP);
                    reaper.signal_group(&process, libc::SIGCONT);
                    if tokio::time::timeout(Duration::from_secs(1), process.exit()).await.is_err() {
                        reaper.signal_group(&process, libc::SIGKILL);
                    }
                    break process.exit().await;
                }
                read = self.read(&mut buf) => match read {
                    Ok(n) if n > 0 => {
                        self.absorb(&buf[..n]);
                        tokio::task::yield_now().await;
                    }
                    // Nobody has the terminal open just now; the process may still live, and open it again.
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                },
            }
        };
        writer.abort();
        // What the process wrote before its end is in the kernel by now: at most a few pages.
        let mut rest = 16;
        while rest > 0
            && let Some(n) = self.pty.try_read(&mut buf)
        {
            self.absorb(&buf[..n]);
            rest -= 1;
        }
        self.lock().exit = Some(code);
        self.news.notify_waiters();
        self.events.terminals_changed();
    }

    async fn read(&self, buf: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let opened = self.gate.notified();
            tokio::pin!(opened);
            opened.as_mut().enable();
            if self.lock().may_read() {
                return self.pty.read(buf).await;
            }
            // A driver that answers no more is noticed by the clock alone.
            let _ = tokio::time::timeout(STALL / 10, opened).await;
        }
    }

    fn absorb(&self, bytes: &[u8]) {
        let mut s = self.lock();
        s.ring.push(bytes);
        s.screen.feed(bytes);
        drop(s);
        self.news.notify_waiters();
        self.events.activity(&self.id);
    }

    async fn write(self: Arc<Self>, mut inputs: mpsc::Receiver<Bytes>) {
        while let Some(mut bytes) = inputs.recv().await {
            while !bytes.is_empty() {
                match self.pty.write(&bytes).await {
                    Ok(n) => drop(bytes.split_to(n.min(bytes.len()))),
                    Err(e) => {
                        tracing::debug!("input of terminal {} lost: {e}", self.id);
                        break;
                    }
                }
            }
        }
    }

    /// Adds a viewer; gives it its number. What it gets first is [`Terminal::hello`].
    ///
    /// # Errors
    /// [`Full`] when there are too many.
    pub fn attach(&self, attach: &Attach) -> Result<u64, Full> {
        let mut s = self.lock();
        if s.viewers.len() >= VIEWERS {
            return Err(Full);
        }
        let end = s.ring.end();
        let known =
            attach.offset.filter(|o| attach.generation == Some(self.generation) && (s.ring.start()..=end).contains(o));
        let size = attach.cols.zip(attach.rows).map(clamp);
        let mut viewer = Viewer::new(size, attach.read_only, known.unwrap_or(end));
        viewer.repaint = known.is_none() && end > 0;
        let number = self.next_viewer.fetch_add(1, Ordering::Relaxed);
        s.viewers.insert(number, viewer);
        self.fit(&mut s);
        Ok(number)
    }

    /// Removes a viewer.
    pub fn detach(&self, viewer: u64) {
        let mut s = self.lock();
        s.viewers.remove(&viewer);
        self.fit(&mut s);
        self.gate.notify_waiters();
    }

    /// The first frame of a viewer.
    pub fn hello(&self, viewer: u64) -> Frame {
        let s = self.lock();
        let offset = s.viewers.get(&viewer).map_or(s.ring.end(), |v| v.sent);
        Frame::Hello { generation: self.generation, offset }
    }

    /// The next frame for a viewer, waiting for it; none after its last.
    pub async fn next(&self, viewer: u64) -> Option<Frame> {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if self.closed.is_cancelled() && !self.ended() {
                // The end of the process is told first.
                tokio::select! { () = news => {} , () = tokio::time::sleep(Duration::from_secs(2)) => return None }
                continue;
            }
            match self.lock().next(viewer) {
                Next::Frame(frame) => return Some(frame),
                Next::Done => return None,
                Next::Wait => {}
            }
            news.await;
        }
    }

    /// Notes that everything before `offset` has been written to a viewer's connection. Where it is a script without a
    /// window, that counts as rendered.
    pub fn written(&self, viewer: u64, offset: u64) {
        let mut s = self.lock();
        if let Some(v) = s.viewers.get_mut(&viewer).filter(|v| v.size.is_none()) {
            v.note_ack(offset);
            drop(s);
            self.gate.notify_waiters();
        }
    }

    /// Notes a viewer's acknowledgement.
    pub fn ack(&self, viewer: u64, offset: u64) {
        let mut s = self.lock();
        if let Some(v) = s.viewers.get_mut(&viewer) {
            v.note_ack(offset);
        }
        drop(s);
        self.gate.notify_waiters();
        self.news.notify_waiters();
    }

    /// Notes the size of a viewer's window.
    pub fn resize(&self, viewer: u64, cols: u16, rows: u16) {
        let mut s = self.lock();
        if let Some(v) = s.viewers.get_mut(&viewer) {
            v.size = Some(clamp((cols, rows)));
        }
        self.fit(&mut s);
    }

    /// Types for a viewer, in order; waits while too much input is not yet taken. Read-only viewers are not heard.
    pub async fn type_in(&self, viewer: u64, bytes: Bytes) {
        {
            let mut s = self.lock();
            s.typings += 1;
            let now = s.typings;
            match s.viewers.get_mut(&viewer).filter(|v| !v.read_only) {
                Some(v) => v.typed = now,
                None => return,
            }
        }
        if let Err(mpsc::error::TrySendError::Full(bytes)) = self.input.try_send(bytes) {
            let _stuck = Stuck::new(self);
            tokio::select! {
                _ = self.input.send(bytes) => {}
                () = self.closed.cancelled() => {}
            }
        }
    }

    /// Gives the terminal the smallest of its writers' sizes.
    fn fit(&self, s: &mut State) {
        let sizes = s.viewers.values().filter(|v| !v.read_only).filter_map(|v| v.size);
        let Some(size) = sizes.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1))) else { return };
        if size != s.size && s.exit.is_none() {
            s.size = size;
            s.size_number += 1;
            s.screen.resize(size.0, size.1);
            self.pty.resize(size.0, size.1);
            self.news.notify_waiters();
        }
    }
}

/// Marks that a viewer's input waits.
struct Stuck<'a>(&'a Terminal);

impl<'a> Stuck<'a> {
    fn new(terminal: &'a Terminal) -> Self {
        terminal.lock().stuck_inputs += 1;
        terminal.gate.notify_waiters();
        Self(terminal)
    }
}

impl Drop for Stuck<'_> {
    fn drop(&mut self) {
        self.0.lock().stuck_inputs -= 1;
    }
}

enum Next {
    Frame(Frame),
    Wait,
    Done,
}

impl State {
    /// Whether the driver has kept up: the writer who typed last, or the first writer where none has.
    fn may_read(&self) -> bool {
        let writers = self.viewers.iter().filter(|(_, v)| !v.read_only);
        let driver = writers.max_by_key(|(n, v)| (v.typed, std::cmp::Reverse(**n)));
        let Some((_, driver)) = driver else { return true };
        let behind = self.ring.end().saturating_sub(driver.acked);
        let unsent = self.ring.end().saturating_sub(driver.sent);
        self.stuck_inputs > 0 || driver.stalled() || (behind < driver.window && unsent < (CAPACITY - OUTPUT) as u64 / 2)
    }

    fn next(&mut self, viewer: u64) -> Next {
        let end = self.ring.end();
        let Some(v) = self.viewers.get_mut(&viewer) else { return Next::Done };
        if v.size_seen != self.size_number {
            v.size_seen = self.size_number;
            let (cols, rows) = self.size;
            return Next::Frame(Frame::Size { cols, rows });
        }
        v.repaint |= v.sent < self.ring.start();
        // Frames end between characters: xterm.js loses one that it is given in two pieces (where the second byte is
        // 0x80, as in dashes and quotation marks).
        let whole = end - self.screen.unfinished() as u64;
        if v.repaint {
            if v.room() == 0 {
                return Next::Wait;
            }
            v.repaint = false;
            v.note_sent(whole);
            return Next::Frame(Frame::Repaint { offset: whole, bytes: self.screen.repaint(REPAINT).into() });
        }
        let until = if self.exit.is_some() { end } else { whole };
        if v.sent < until {
            let n = v.room().min(OUTPUT as u64).min(until - v.sent) as usize;
            if n == 0 {
                return Next::Wait;
            }
            let offset = v.sent;
            let mut bytes = BytesMut::new();
            self.ring.copy(offset, n, &mut bytes);
            if offset + (n as u64) < until {
                let cut = unfinished(&bytes);
                bytes.truncate(if cut < n { n - cut } else { n });
            }
            v.note_sent(offset + bytes.len() as u64);
            return Next::Frame(Frame::Output { offset, bytes: bytes.freeze() });
        }
        match self.exit {
            Some(code) if !v.exit_sent => {
                v.exit_sent = true;
                Next::Frame(Frame::Exit(code))
            }
            Some(_) => Next::Done,
            None => Next::Wait,
        }
    }
}

/// Bounds of a terminal's size.
fn clamp((cols, rows): (u16, u16)) -> (u16, u16) {
    (cols.clamp(2, 1000), rows.clamp(1, 1000))
}
