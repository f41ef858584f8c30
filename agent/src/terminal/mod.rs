//! Terminals: what they are without any transport. [`Terminals`] holds them by id; the web module carries frames.

mod pty;
mod ring;
mod screen;
mod session;
mod viewer;

use std::sync::{Arc, Mutex, MutexGuard};

use boatyard_protocol::agent::{OpenTerminal, TerminalInfo};
pub use session::Terminal;

use crate::{events::Hub, reaper::Reaper};

/// Most terminals of a sandbox.
const MOST: usize = 64;

/// The terminals of this sandbox, in order of opening.
pub struct Terminals {
    list: Mutex<(u64, Vec<Arc<Terminal>>)>,
    reaper: Arc<Reaper>,
    events: Hub,
}

/// Why a terminal is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The request is out of bounds.
    #[error("{0}")]
    Bad(&'static str),
    /// There are too many.
    #[error("there are already {MOST} terminals; close one")]
    Full,
    /// The system refused.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

impl Terminals {
    /// No terminals yet.
    pub fn new(reaper: Arc<Reaper>, events: Hub) -> Self {
        Self { list: Default::default(), reaper, events }
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Vec<Arc<Terminal>>)> {
        self.list.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The terminal of this id.
    pub fn get(&self, id: &str) -> Option<Arc<Terminal>> {
        self.lock().1.iter().find(|t| t.id == id).cloned()
    }

    /// All terminals.
    pub fn list(&self) -> Vec<TerminalInfo> {
        self.lock().1.iter().map(|t| t.info()).collect()
    }

    /// Opens a terminal; one of that id that still runs is left as it is, one that has ended gives way.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, id: &str, open: &OpenTerminal) -> Result<Arc<Terminal>, OpenError> {
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            return Err(OpenError::Bad("a terminal's id is 1 to 64 of a-z, A-Z, 0-9, '-', '_' and '.'"));
        }
        if !(2..=1000).contains(&open.cols) || !(1..=1000).contains(&open.rows) {
            return Err(OpenError::Bad("a terminal has 2 to 1000 columns and 1 to 1000 rows"));
        }
        let mut list = self.lock();
        let old = list.1.iter().position(|t| t.id == id);
        if let Some(running) = old.map(|at| &list.1[at]).filter(|t| !t.ended()) {
            return Ok(running.clone());
        }
        if old.is_none() && list.1.len() >= MOST {
            return Err(OpenError::Full);
        }
        let terminal = Terminal::open(id.to_owned(), list.0 + 1, open, &self.reaper, &self.events)?;
        list.0 += 1;
        if let Some(at) = old {
            list.1.remove(at).close();
        }
        list.1.push(terminal.clone());
        drop(list);
        self.events.terminals_changed();
        Ok(terminal)
    }

    /// Hangs a terminal up and forgets it; whether there was one.
    pub fn close(&self, id: &str) -> bool {
        let mut list = self.lock();
        let Some(at) = list.1.iter().position(|t| t.id == id) else { return false };
        list.1.remove(at).close();
        drop(list);
        self.events.terminals_changed();
        true
    }

    /// Hangs all up.
    pub fn close_all(&self) {
        self.lock().1.drain(..).for_each(|t| t.close());
    }
}
