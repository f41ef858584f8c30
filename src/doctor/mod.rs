//! What this host can do for Boatyard, what it cannot, and how to mend that. Everything that can be tried is really
//! tried, in folders and namespaces that are gone afterwards.

mod capacity;
mod limits;
mod outside;
mod probes;
mod programs;

use std::fmt;

use serde::Serialize;

pub use self::{
    capacity::{Capacity, SessionCost},
    outside::ssh,
};
use crate::{config::Config, engine::native::NativeSettings, paths::Paths};

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Boatyard runs, but something will be missing or tight.
    Warn,
    /// Boatyard cannot run.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Short name for scripts, such as `runtime`.
    pub id: &'static str,
    /// What it is about, for people.
    pub title: &'static str,
    /// How it went.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do about it; none where nothing needs to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Check {
    fn ok(id: &'static str, title: &'static str, found: impl Into<String>) -> Check {
        Check { id, title, status: Status::Ok, found: found.into(), mend: None }
    }

    fn warn(id: &'static str, title: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Check {
        Check { id, title, status: Status::Warn, found: found.into(), mend: Some(mend.into()) }
    }

    fn fail(id: &'static str, title: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Check {
        Check { id, title, status: Status::Fail, found: found.into(), mend: Some(mend.into()) }
    }
}

/// All checks, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
    /// How many sessions there is room for.
    pub capacity: Capacity,
}

impl Report {
    /// The worst status of all checks.
    pub fn status(&self) -> Status {
        self.checks.iter().map(|c| c.status).max().unwrap_or(Status::Ok)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.checks.iter().map(|c| c.title.len()).max().unwrap_or_default();
        for c in &self.checks {
            let mark = match c.status {
                Status::Ok => "ok  ",
                Status::Warn => "warn",
                Status::Fail => "FAIL",
            };
            writeln!(f, "{mark}  {:width$}  {}", c.title, c.found)?;
            if let Some(mend) = &c.mend {
                writeln!(f, "      {:width$}  -> {mend}", "")?;
            }
        }
        write!(f, "\n{}", self.capacity)
    }
}

/// Looks at this host. `cost` is what a session is reckoned to take. Takes well under a second; blocks meanwhile.
pub fn run(paths: &Paths, settings: &NativeSettings, cost: &SessionCost) -> Report {
    let capacity = Capacity::of_this_host(paths, settings, cost);
    let root = nix::unistd::geteuid().is_root();
    // Side by side: most of them wait for the kernel or for a program.
    let groups = std::thread::scope(|s| {
        let running = [
            s.spawn(move || vec![probes::root(root)]),
            s.spawn(|| vec![programs::runtime(settings)]),
            s.spawn(programs::others),
            s.spawn(|| vec![capacity::user_ids(settings), probes::cgroups()]),
            s.spawn(move || if root { probes::mounts(paths, settings) } else { Vec::new() }),
            s.spawn(move || if root { vec![probes::nftables(settings)] } else { Vec::new() }),
            s.spawn(|| vec![probes::fuse(), probes::tun(), probes::ip_vs()]),
            s.spawn(|| limits::all(capacity.sessions)),
        ];
        running.map(|r| r.join().unwrap_or_default())
    });
    let mut checks: Vec<Check> = groups.into_iter().flatten().collect();
    checks.extend(capacity.checks());
    Report { checks, capacity }
}

/// Whether students on machines of their own reach published ports, as far as the configuration shows.
pub fn names(config: &Config) -> Check {
    const TITLE: &str = "names of ports";
    match config.reach_problem() {
        Some((found, mend)) => Check::warn("domain", TITLE, found, mend),
        None => Check::ok("domain", TITLE, format!("below {}", config.domain)),
    }
}

/// Whether the kernel has IP_VS, on which Swarm's routing mesh and virtual addresses rest; loads it where it can.
pub fn has_ip_vs() -> bool {
    use std::process::{Command, Stdio};
    let there = || std::path::Path::new("/proc/net/ip_vs").exists();
    let load = || Command::new("modprobe").args(["-q", "ip_vs"]).stdin(Stdio::null()).stderr(Stdio::null()).status();
    there() || (load().is_ok_and(|s| s.success()) && there())
}
