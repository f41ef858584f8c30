//! How long-running builds tell a person where they are.

use std::{
    io::{IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Receives the progress of a build. One build may have several tasks at the same time.
pub trait Progress: Send + Sync {
    /// Begins a task called `name`, such as `image default`.
    fn task(&self, name: &str) -> Box<dyn Task>;
}

/// One line of progress.
pub trait Task: Send + Sync {
    /// Says what is being done now.
    fn step(&self, what: &str);
    /// Ends the task; `outcome` says how, with what it took.
    fn done(&self, outcome: &str);
}

/// Discards all progress.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn task(&self, _name: &str) -> Box<dyn Task> {
        Box::new(Silent)
    }
}

impl Task for Silent {
    fn step(&self, _what: &str) {}
    fn done(&self, _outcome: &str) {}
}

/// Progress on standard error: moving lines on a terminal, plain lines elsewhere.
#[derive(Clone)]
pub struct Console {
    bars: Option<MultiProgress>,
}

impl Console {
    /// Chooses moving or plain lines by what standard error is.
    pub fn new() -> Console {
        Console { bars: std::io::stderr().is_terminal().then(MultiProgress::new) }
    }
}

impl Default for Console {
    fn default() -> Self {
        Console::new()
    }
}

impl Progress for Console {
    fn task(&self, name: &str) -> Box<dyn Task> {
        match &self.bars {
            Some(bars) => {
                let bar = bars.add(ProgressBar::new_spinner());
                if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:<22} {wide_msg} {elapsed}") {
                    bar.set_style(style);
                }
                bar.set_prefix(name.to_owned());
                bar.enable_steady_tick(Duration::from_millis(120));
                Box::new(Bar(bar))
            }
            None => Box::new(Lines::start(name)),
        }
    }
}

struct Bar(ProgressBar);

impl Task for Bar {
    fn step(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    fn done(&self, outcome: &str) {
        self.0.finish_with_message(outcome.to_owned());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if !self.0.is_finished() {
            self.0.abandon();
        }
    }
}

/// A log that nobody watches wants few lines, but one that stands still looks hung.
const AT_LEAST_EVERY: Duration = Duration::from_secs(3);

struct Lines {
    name: String,
    began: Instant,
    now: Arc<Mutex<(Instant, String)>>,
    stop: std::sync::mpsc::Sender<()>,
}

impl Lines {
    fn start(name: &str) -> Lines {
        let now = Arc::new(Mutex::new((Instant::now(), String::new())));
        let (stop, stopped) = std::sync::mpsc::channel();
        let (shared, label, began) = (now.clone(), name.to_owned(), Instant::now());
        std::thread::spawn(move || {
            while let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(AT_LEAST_EVERY) {
                let mut now = shared.lock().unwrap_or_else(PoisonError::into_inner);
                if now.0.elapsed() >= AT_LEAST_EVERY {
                    line(&label, &format!("{} ({} s)", now.1, began.elapsed().as_secs()));
                    now.0 = Instant::now();
                }
            }
        });
        Lines { name: name.to_owned(), began, now, stop }
    }
}

impl Task for Lines {
    fn step(&self, what: &str) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let due = now.1.is_empty() || now.0.elapsed() >= Duration::from_secs(1);
        now.1 = what.to_owned();
        if due {
            line(&self.name, what);
            now.0 = Instant::now();
        }
    }

    fn done(&self, outcome: &str) {
        line(&self.name, &format!("{outcome} ({:.1} s)", self.began.elapsed().as_secs_f64()));
        let _ = self.stop.send(());
    }
}

fn line(name: &str, text: &str) {
    // Progress that cannot be written must not end a build.
    let _ = writeln!(std::io::stderr(), "{name}: {text}");
}
