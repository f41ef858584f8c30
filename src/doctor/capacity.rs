//! How many sessions there is room for, and what runs out first.

use std::{collections::BTreeSet, fmt, fs, path::Path};

use serde::Serialize;

use super::Check;
use crate::{
    engine::{IDS_PER_SANDBOX, native::NativeSettings},
    paths::Paths,
};

/// What one session is reckoned to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SessionCost {
    /// Bytes of memory that it really uses, not its limit.
    pub memory: u64,
    /// Bytes of disk that it really fills, not its limit.
    pub disk: u64,
    /// Sandboxes that it has.
    pub nodes: u32,
}

impl Default for SessionCost {
    fn default() -> Self {
        // A session with Docker up takes 45 MB; what a student runs in it comes on top.
        SessionCost { memory: 96 << 20, disk: 512 << 20, nodes: 1 }
    }
}

/// Room for sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Capacity {
    /// How many sessions.
    pub sessions: u64,
    /// What runs out first: `memory`, `disk`, `user ids` or `networks`.
    pub limited_by: &'static str,
    /// Bytes of memory that are available now.
    pub memory: u64,
    /// Bytes that are free now where the data folder is.
    pub disk: u64,
    /// What each session is reckoned to take.
    pub cost: SessionCost,
}

impl Capacity {
    pub(super) fn of_this_host(paths: &Paths, settings: &NativeSettings, cost: &SessionCost) -> Capacity {
        Capacity::from_figures(settings, cost, available_memory(), free_space(paths.data()))
    }

    fn from_figures(settings: &NativeSettings, cost: &SessionCost, memory: u64, disk: u64) -> Capacity {
        let ranges = u64::from(u32::MAX - settings.uid_base) / u64::from(IDS_PER_SANDBOX);
        let room = [
            (memory / cost.memory.max(1), "memory"),
            (disk / cost.disk.max(1), "disk"),
            (ranges / u64::from(cost.nodes.max(1)), "user ids"),
            // The last network is the uplink's.
            (u64::from(settings.subnet.size() / 32).saturating_sub(1), "networks"),
        ];
        let (sessions, limited_by) = room.into_iter().min().unwrap_or_default();
        Capacity { sessions, limited_by, memory, disk, cost: *cost }
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        let room = |id, title, have: u64, each: u64, few: &str| {
            let found = format!("{} available", bytesize::ByteSize(have).display().iec());
            match have / each.max(1) {
                0 => Check::fail(id, title, format!("{found}: not enough for one session"), few),
                1..10 => Check::warn(id, title, format!("{found}: enough for a few sessions only"), few),
                _ => Check::ok(id, title, found),
            }
        };
        vec![
            room("memory", "memory", self.memory, self.cost.memory, "end other programs, or take a larger host"),
            room(
                "disk-space",
                "free space",
                self.disk,
                self.cost.disk,
                "free space, or set the data folder to another disk",
            ),
        ]
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |n| bytesize::ByteSize(n).display().iec();
        writeln!(
            f,
            "Room for about {} sessions, limited by {} (reckoned: {} of memory and {} of disk each).",
            self.sessions,
            self.limited_by,
            size(self.cost.memory),
            size(self.cost.disk)
        )
    }
}

fn available_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// Free bytes where a path is or will be.
fn free_space(path: &Path) -> u64 {
    let there = path.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
    nix::sys::statvfs::statvfs(there).map_or(0, |s| u64::saturating_mul(s.blocks_available(), s.fragment_size()))
}

/// Whether someone else has user ids in the range that sandboxes take.
pub(super) fn user_ids(settings: &NativeSettings) -> Check {
    let (id, title) = ("user-ids", "user-id range");
    let first = u64::from(settings.uid_base);
    let networks = u64::from(settings.subnet.size() / 32);
    let last = (first + networks * u64::from(IDS_PER_SANDBOX)).min(u64::from(u32::MAX)) - 1;
    let read = |p: &str| fs::read_to_string(p).unwrap_or_default();
    let clashes = clashes(
        first..=last,
        &[("/etc/subuid", read("/etc/subuid")), ("/etc/subgid", read("/etc/subgid"))],
        &[("/etc/passwd", read("/etc/passwd")), ("/etc/group", read("/etc/group"))],
    );
    if clashes.is_empty() {
        return Check::ok(id, title, format!("{first} to {last} are nobody's"));
    }
    let mend = "set engine.uid_base to the start of a free range, or take the other's entries out";
    Check::fail(id, title, format!("{first} to {last} clash with {}", join(&clashes)), mend)
}

fn join(set: &BTreeSet<String>) -> String {
    set.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn clashes(
    range: std::ops::RangeInclusive<u64>,
    ranges: &[(&str, String)],
    ids: &[(&str, String)],
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (file, text) in ranges {
        for line in text.lines() {
            let mut fields = line.split(':');
            let (Some(name), Some(Ok(start)), Some(Ok(count))) =
                (fields.next(), fields.next().map(str::parse::<u64>), fields.next().map(|c| c.trim().parse::<u64>()))
            else {
                continue;
            };
            if count > 0 && start <= *range.end() && start.saturating_add(count - 1) >= *range.start() {
                found.insert(format!("{name} in {file}"));
            }
        }
    }
    for (file, text) in ids {
        for line in text.lines() {
            let mut fields = line.split(':');
            if let (Some(name), Some(Ok(id))) = (fields.next(), fields.nth(1).map(str::parse::<u64>))
                && range.contains(&id)
            {
                found.insert(format!("{name} in {file}"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_out_first_is_named() {
        let settings = NativeSettings::default();
        let cost = SessionCost { memory: 100, disk: 1000, nodes: 1 };
        let c = Capacity::from_figures(&settings, &cost, 50_000, 100_000);
        assert_eq!((c.sessions, c.limited_by), (100, "disk"));
        let c = Capacity::from_figures(&settings, &cost, u64::MAX, u64::MAX);
        assert_eq!((c.sessions, c.limited_by), (2047, "networks"));
    }

    #[test]
    fn ranges_and_ids_of_others_clash() {
        let subuid = [("/etc/subuid", "a:100000:65536\nb:268435000:65536\nc:bad\n".to_owned())];
        let passwd = [("/etc/passwd", "root:x:0:0::/:\nx:x:268435500:1::/:\n".to_owned())];
        let found = clashes(1 << 28..=(1 << 28) + 1000, &subuid, &passwd);
        assert_eq!(join(&found), "b in /etc/subuid, x in /etc/passwd");
    }
}
