//! `/proc/meminfo` with the sandbox's own limits, so that `free` and programs that size themselves by it see what they
//! may use.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Memory of a cgroup, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Memory {
    limit: u64,
    used: u64,
    cache: u64,
    inactive_file: u64,
    active_file: u64,
    inactive_anon: u64,
    active_anon: u64,
    shmem: u64,
    slab_reclaimable: u64,
}

/// Where the sandbox's own memory cgroup is.
pub(super) struct Cgroup {
    folder: PathBuf,
    v2: bool,
}

impl Cgroup {
    /// The root of the cgroup namespace is the sandbox's own group.
    pub(super) fn find() -> Option<Cgroup> {
        let mut candidates = [("/sys/fs/cgroup/memory", false), ("/sys/fs/cgroup", true)].into_iter();
        let (folder, v2) = candidates.find(|(folder, v2)| {
            Path::new(folder).join(if *v2 { "memory.current" } else { "memory.limit_in_bytes" }).exists()
        })?;
        Some(Cgroup { folder: folder.into(), v2 })
    }

    fn number(&self, file: &str) -> Option<u64> {
        fs::read_to_string(self.folder.join(file)).ok()?.trim().parse().ok()
    }

    fn read(&self) -> Memory {
        let names =
            if self.v2 { ("memory.max", "memory.current") } else { ("memory.limit_in_bytes", "memory.usage_in_bytes") };
        let stat = fs::read_to_string(self.folder.join("memory.stat")).unwrap_or_default();
        let get = |v1: &str, v2: &str| {
            let want = if self.v2 { v2 } else { v1 };
            let mut lines = stat.lines().filter_map(|l| l.split_once(' '));
            lines.find(|(k, _)| *k == want).and_then(|(_, v)| v.trim().parse().ok()).unwrap_or(0)
        };
        Memory {
            limit: self.number(names.0).unwrap_or(u64::MAX),
            used: self.number(names.1).unwrap_or(0),
            cache: get("total_cache", "file"),
            inactive_file: get("total_inactive_file", "inactive_file"),
            active_file: get("total_active_file", "active_file"),
            inactive_anon: get("total_inactive_anon", "inactive_anon"),
            active_anon: get("total_active_anon", "active_anon"),
            shmem: get("total_shmem", "shmem"),
            slab_reclaimable: get("", "slab_reclaimable"),
        }
    }
}

impl Cgroup {
    /// The host's text with the sandbox's figures in it.
    pub(super) fn mend(&self, host: &str) -> String {
        mended(host, self.read())
    }
}

/// The host's text with the sandbox's figures in it. Lines of things that a sandbox does not have are 0.
fn mended(host: &str, m: Memory) -> String {
    let total_of_host = field(host, "MemTotal").saturating_mul(1024);
    let total = m.limit.min(total_of_host);
    if total == total_of_host {
        // No limit: the host's figures are the truth.
        return host.to_owned();
    }
    let used = m.used.min(total);
    let free = total - used;
    let reclaimable = m.inactive_file + m.active_file + m.slab_reclaimable;
    let available = (free + reclaimable).min(total);
    let mut out = String::with_capacity(host.len());
    for line in host.lines() {
        let Some((name, _)) = line.split_once(':') else { continue };
        let bytes = match name {
            "MemTotal" => total,
            "MemFree" => free,
            "MemAvailable" => available,
            "Cached" => m.cache,
            "Active" => m.active_anon + m.active_file,
            "Inactive" => m.inactive_anon + m.inactive_file,
            "Active(anon)" => m.active_anon,
            "Inactive(anon)" => m.inactive_anon,
            "Active(file)" => m.active_file,
            "Inactive(file)" => m.inactive_file,
            "AnonPages" => m.active_anon + m.inactive_anon,
            "Shmem" => m.shmem,
            "KReclaimable" | "SReclaimable" | "Slab" => m.slab_reclaimable,
            // Of the machine, not of a sandbox.
            "VmallocTotal" | "VmallocChunk" | "Hugepagesize" | "HugePages_Total" | "HugePages_Free"
            | "HugePages_Rsvd" | "HugePages_Surp" => {
                out.push_str(line);
                out.push('\n');
                continue;
            }
            _ => 0,
        };
        out.push_str(&format!("{:<16}{:>8} kB\n", format!("{name}:"), bytes / 1024));
    }
    out
}

/// A figure of /proc/meminfo, in kB.
fn field(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|l| l.split_once(':'));
    let value = lines.find(|(n, _)| *n == name).and_then(|(_, v)| v.split_ascii_whitespace().next());
    value.and_then(|v| v.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "MemTotal:       24683520 kB\nMemFree:        20000000 kB\nMemAvailable:   21000000 kB\n\
        Buffers:            1000 kB\nCached:          3000000 kB\nSwapTotal:       1000000 kB\nHugePages_Total:       0\n";

    #[test]
    fn limits_stand_for_the_hosts_figures() {
        let m = Memory {
            limit: 768 << 20,
            used: 100 << 20,
            cache: 60 << 20,
            inactive_file: 50 << 20,
            ..Default::default()
        };
        let text = mended(HOST, m);
        assert_eq!(field(&text, "MemTotal"), 768 << 10);
        assert_eq!(field(&text, "MemFree"), 668 << 10);
        assert_eq!(field(&text, "MemAvailable"), 718 << 10);
        assert_eq!(field(&text, "Cached"), 60 << 10);
        assert_eq!(field(&text, "SwapTotal"), 0);
        assert!(text.contains("HugePages_Total:       0\n"));
    }

    #[test]
    fn without_a_limit_the_host_is_shown() {
        assert_eq!(mended(HOST, Memory { limit: u64::MAX, ..Default::default() }), HOST);
    }
}
