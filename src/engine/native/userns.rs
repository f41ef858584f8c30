//! User namespaces for idmapped mounts.

use std::{fs::File, os::fd::OwnedFd};

use anyhow::{Context, Result};

use super::sys::UsernsHolder;
use crate::engine::IDS_PER_SANDBOX;

/// A user namespace in which 0 and the ids after it are `base` and the ids after it on the host. The descriptor alone
/// keeps it alive.
pub(crate) fn mapped(base: u32) -> Result<OwnedFd> {
    let holder = UsernsHolder::start()
        .context("making a user namespace (is user.max_user_namespaces above 0? see sysctl(8))")?;
    let proc = format!("/proc/{}", holder.pid);
    for map in ["uid_map", "gid_map"] {
        std::fs::write(format!("{proc}/{map}"), format!("0 {base} {IDS_PER_SANDBOX}\n"))
            .with_context(|| format!("mapping user ids {base} to {}", base + (IDS_PER_SANDBOX - 1)))?;
    }
    Ok(File::open(format!("{proc}/ns/user")).context("opening the user namespace")?.into())
}
