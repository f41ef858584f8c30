//! What a sandbox uses, as the host counts it: nothing inside is asked, so nothing inside can lie about it or is slowed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use nix::sys::statvfs::statvfs;

use super::record::Place;
use crate::engine::Usage;

/// Reads it from the sandbox's cgroups (`folders`, one for each hierarchy) and its disk.
///
/// # Errors
/// When the disk is not there.
pub(super) fn read(place: &Place, folders: &[PathBuf]) -> Result<Usage> {
    let find = |file: &str| folders.iter().map(|f| f.join(file)).find(|p| p.exists());
    let number = |file: &str| find(file).and_then(|p| fs::read_to_string(p).ok()?.trim().parse::<u64>().ok());
    let mut usage = Usage::default();
    if let Some(stat) = find("cpu.stat").and_then(|p| field(&p, "usage_usec")) {
        usage.cpu_us = stat;
    } else if let Some(ns) = number("cpuacct.usage") {
        usage.cpu_us = ns / 1000;
    }
    // Pages of files that can be dropped at any time are not what fills a machine.
    let droppable =
        find("memory.stat").and_then(|p| field(&p, "total_inactive_file").or_else(|| field(&p, "inactive_file")));
    let held = number("memory.current").or_else(|| number("memory.usage_in_bytes")).unwrap_or_default();
    usage.memory = held.saturating_sub(droppable.unwrap_or_default());
    // On v1 a group counts its own processes only, not those of the containers inside; their engine tells of them.
    let killed = find("memory.events").or_else(|| find("memory.oom_control"));
    usage.killed = killed.and_then(|p| field(&p, "oom_kill")).unwrap_or_default();
    usage.pids = number("pids.current").unwrap_or_default() as u32;
    usage.pids_hits = find("pids.events").and_then(|p| field(&p, "max")).unwrap_or_default();
    let disk = statvfs(&place.disk()).context("the sandbox's disk")?;
    let block = disk.fragment_size();
    usage.disk = (disk.blocks() - disk.blocks_free()) * block;
    usage.disk_size = disk.blocks() * block;
    usage.inodes = disk.files() - disk.files_free();
    usage.inodes_most = disk.files();
    Ok(usage)
}

/// A value of a file whose lines are names and numbers.
fn field(path: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}
