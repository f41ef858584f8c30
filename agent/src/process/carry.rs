//! Carries the frames of one process. Each direction has a window of its own, so neither waits for the other.

use std::{
    future::pending,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use boatyard_protocol::process::{Frame, MAX_PAYLOAD, WINDOW};
use bytes::Bytes;
use tokio::{
    sync::{Notify, mpsc},
    time::sleep,
};

use super::{Input, Output, Started};
use crate::reaper::Reaper;

/// How long a terminal must be silent, once its first process has ended, until what others put out there is nobody's
/// business.
const LINGER: Duration = Duration::from_millis(100);

/// Where frames come from.
pub trait Frames {
    /// The next frame; none when the other side is gone or does not keep to the protocol.
    fn next(&mut self) -> impl Future<Output = Option<Frame>> + Send;
}

/// Where frames go.
pub trait Sink {
    /// Sends a frame; whether the other side is still there.
    fn send(&mut self, frame: Frame) -> impl Future<Output = bool> + Send;
}

/// What the halves tell each other.
#[derive(Default)]
struct Flow {
    /// Bytes of input that were handed over and for which the other side gets no grant yet.
    handed: AtomicU32,
    /// Bytes of output that the other side has granted and that are not counted in yet.
    granted: AtomicU32,
    news: Notify,
}

/// Carries until the process has ended and all is said, or the other side is gone; then what is left is hung up.
pub async fn carry(mut started: Started, reaper: &Reaper, mut from: impl Frames, to: &mut impl Sink) {
    let flow = Flow::default();
    let (queue, queued) = mpsc::unbounded_channel();
    let input = std::mem::replace(&mut started.input, Input::None);
    let (mut output, mut error) = (std::mem::take(&mut started.output), std::mem::take(&mut started.error));
    let mut exit = None;
    let ended = {
        let (process, terminal) = (&mut started.process, started.terminal.as_ref());
        let pid = process.pid;
        let show = async {
            let (mut buf, mut error_buf) = (vec![0; MAX_PAYLOAD], vec![0; MAX_PAYLOAD]);
            let mut left = WINDOW as usize;
            loop {
                if let (Some(code), false, false) = (exit, output.is_open(), error.is_open()) {
                    return to.send(Frame::Exit(code)).await;
                }
                let room = left.min(MAX_PAYLOAD);
                let can = room > 0;
                let frame = tokio::select! {
                    n = output.read(&mut buf[..room]), if can && output.is_open() => {
                        let n = ended(&mut output, n);
                        (n > 0).then(|| Frame::Output(Bytes::copy_from_slice(&buf[..n])))
                    }
                    n = error.read(&mut error_buf[..room]), if can && error.is_open() => {
                        let n = ended(&mut error, n);
                        (n > 0).then(|| Frame::Error(Bytes::copy_from_slice(&error_buf[..n])))
                    }
                    () = flow.news.notified() => {
                        left += flow.granted.swap(0, Ordering::AcqRel) as usize;
                        let handed = flow.handed.swap(0, Ordering::AcqRel);
                        (handed > 0).then_some(Frame::Grant(handed))
                    }
                    code = process.exit(), if exit.is_none() => {
                        exit = Some(code);
                        None
                    }
                    () = sleep(LINGER), if exit.is_some() && terminal.is_some() && can => {
                        output = Output::Closed;
                        None
                    }
                };
                if let Some(Frame::Output(bytes) | Frame::Error(bytes)) = &frame {
                    left -= bytes.len();
                }
                if let Some(frame) = frame
                    && !to.send(frame).await
                {
                    return false;
                }
            }
        };
        let held = AtomicU32::new(0);
        let hear = async {
            while let Some(frame) = from.next().await {
                match frame {
                    Frame::Input(bytes) => {
                        let length = bytes.len() as u32;
                        if held.fetch_add(length, Ordering::AcqRel) + length > WINDOW {
                            return;
                        }
                        let _ = queue.send(Some(bytes));
                    }
                    Frame::End => drop(queue.send(None)),
                    Frame::Grant(more) => {
                        flow.granted.fetch_add(more, Ordering::AcqRel);
                        flow.news.notify_one();
                    }
                    Frame::Resize { cols, rows } => terminal.into_iter().for_each(|t| t.resize(cols, rows)),
                    Frame::Signal(number @ 1..=31) => super::signal(reaper, pid, terminal, number.into()),
                    _ => return,
                }
            }
        };
        let feed = feed(input, queued, &held, &flow);
        tokio::select! {
            said = show => said,
            () = hear => false,
            () = feed => false,
        }
    };
    if !ended && exit.is_none() {
        super::signal(reaper, started.process.pid, started.terminal.as_ref(), libc::SIGHUP);
        reaper.signal_group(&started.process, libc::SIGHUP);
    }
}

/// Closes an output at its end; how many bytes there are else.
fn ended(output: &mut Output, read: std::io::Result<usize>) -> usize {
    let n = read.unwrap_or(0);
    if n == 0 {
        *output = Output::Closed;
    }
    n
}

/// Writes to the process what is queued, and grants as much again. What it does not want to read is dropped, as a pipe does.
async fn feed(mut input: Input, mut queued: mpsc::UnboundedReceiver<Option<Bytes>>, held: &AtomicU32, flow: &Flow) {
    while let Some(piece) = queued.recv().await {
        let Some(bytes) = piece else {
            // A terminal has no end but the one that is typed.
            if matches!(input, Input::Pipe(_)) {
                input = Input::None;
            }
            continue;
        };
        if input.write(&bytes).await.is_err() {
            input = Input::None;
        }
        let length = bytes.len() as u32;
        held.fetch_sub(length, Ordering::AcqRel);
        let due = flow.handed.fetch_add(length, Ordering::AcqRel) + length;
        if due >= WINDOW / 4 || queued.is_empty() {
            flow.news.notify_one();
        }
    }
    pending().await
}
