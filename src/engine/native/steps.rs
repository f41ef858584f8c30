//! What a sandbox is made of, as data: each step with its undo. A creation makes them in order; a failure and a removal
//! undo them all backwards. An undo removes what is there and does not mind what is not, so that it mends every
//! interruption.

use std::{
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, net::UnixListener},
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result};
use tokio::task::spawn_blocking;
use tracing::Instrument;

use super::{
    Shared,
    cgroup::{self, Cgroups},
    disk, oci,
    record::{Place, Record, remove_file, remove_tree},
    rootfs, runtime,
};
use crate::engine::{IDS_PER_SANDBOX, SandboxSpec, UidRange};

/// A step of a creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its folders and its record.
    Folder,
    /// Its disk: an image, mounted.
    Disk,
    /// The lab image with its owners shifted.
    Lower,
    /// The socket on which the agent will listen.
    Socket,
    /// The root file system: an overlay of the two above.
    Overlay,
    /// The OCI bundle, with the sandbox's own device nodes.
    Bundle,
    /// Namespaces and cgroups, by the OCI runtime.
    Container,
    /// The cgroups, given to the sandbox's root.
    Delegation,
    /// The link to the session's network.
    Network,
    /// The agent, running.
    Start,
}

impl Step {
    /// All steps. Those of one row need nothing of each other and are made at the same time.
    pub const ROWS: &[&[Step]] = &[
        &[Step::Folder],
        &[Step::Disk, Step::Lower, Step::Socket],
        &[Step::Overlay, Step::Bundle],
        &[Step::Container],
        &[Step::Delegation, Step::Network],
        &[Step::Start],
    ];

    /// The order in which they are undone: backwards, but for the network. Taking links away mostly waits for the kernel,
    /// which it may as well do beside the disk.
    pub const UNDONE: &[&[Step]] = &[
        &[Step::Start],
        &[Step::Delegation],
        &[Step::Container],
        &[Step::Bundle, Step::Overlay],
        &[Step::Network, Step::Socket, Step::Lower, Step::Disk],
        &[Step::Folder],
    ];

    /// What it does, for errors and traces.
    pub fn name(self) -> &'static str {
        match self {
            Step::Folder => "folder",
            Step::Disk => "disk",
            Step::Lower => "lab image",
            Step::Socket => "agent socket",
            Step::Overlay => "root file system",
            Step::Bundle => "bundle",
            Step::Container => "container",
            Step::Delegation => "cgroups",
            Step::Network => "network",
            Step::Start => "start",
        }
    }
}

/// One creation under way.
#[derive(Debug)]
pub(super) struct Creation {
    pub shared: Arc<Shared>,
    pub place: Place,
    pub spec: SandboxSpec,
    pub cgroups: Cgroups,
    /// The agent's socket between its step and the container's.
    pub listener: Mutex<Option<OwnedFd>>,
}

impl Creation {
    fn base(&self) -> u32 {
        self.shared.base(self.spec.range)
    }

    fn folders(&self) -> Vec<PathBuf> {
        self.cgroups.folders(&self.place.cgroup)
    }

    /// Makes one step.
    pub async fn make(self: Arc<Self>, step: Step) -> Result<()> {
        if step == Step::Network {
            let yard = self.shared.yard.open(&self.shared.settings).await?;
            let pid = runtime::process(&self.place, None).context("the sandbox's first process is gone")?;
            return yard.attach(&self.place, &self.spec.network, pid).await;
        }
        let this = self.clone();
        spawn_blocking(move || this.make_blocking(step)).in_current_span().await?
    }

    fn make_blocking(&self, step: Step) -> Result<()> {
        let (place, spec, shared) = (&self.place, &self.spec, &self.shared);
        match step {
            Step::Folder => {
                std::fs::create_dir(&place.folder)?;
                Record::new(spec, self.folders()).write(place)?;
                std::fs::create_dir(&place.mounts)?;
                for folder in [&place.mounts, &place.disk(), &place.lower(), &place.merged()] {
                    if folder != &place.mounts {
                        std::fs::create_dir(folder)?;
                    }
                    open_to_pass(folder)?;
                }
                Ok(())
            }
            Step::Disk => disk::make(&shared.paths, place, spec.limits.disk, self.base()),
            Step::Lower => rootfs::mount_shifted(&spec.rootfs, &place.lower(), self.base()),
            Step::Socket => {
                remove_file(&place.socket)?;
                let listener =
                    UnixListener::bind(&place.socket).with_context(|| format!("binding {}", place.socket.display()))?;
                std::fs::set_permissions(&place.socket, PermissionsExt::from_mode(0o600))?;
                *self.listener.lock().unwrap_or_else(|e| e.into_inner()) = Some(listener.into());
                Ok(())
            }
            Step::Overlay => {
                let disk = place.disk();
                rootfs::mount_overlay(&place.lower(), &disk.join("upper"), &disk.join("work"), &place.merged())
            }
            Step::Bundle => {
                oci::make_devices(place, self.base())?;
                oci::write(place, spec, &shared.agent, self.base(), &self.cgroups)
            }
            Step::Container => {
                let listener = self.listener.lock().unwrap_or_else(|e| e.into_inner()).take();
                shared.runtime.create(place, &listener.context("the agent's socket is not open")?)
            }
            Step::Delegation => cgroup::delegate(&self.folders(), self.base()),
            Step::Network => Ok(()),
            Step::Start => shared.runtime.start(place),
        }
    }
}

/// One removal under way.
#[derive(Debug)]
pub(super) struct Removal {
    pub shared: Arc<Shared>,
    pub place: Place,
    pub record: Option<Record>,
    /// Where its cgroups may be: as recorded, and below the group in which this server is.
    pub cgroups: Vec<PathBuf>,
}

impl Removal {
    pub fn new(shared: &Arc<Shared>, place: Place) -> Result<Removal> {
        let record = Record::read(&place);
        let mut cgroups = Cgroups::current()?.folders(&place.cgroup);
        for c in record.iter().flat_map(|r| &r.cgroups) {
            // Only what bears the sandbox's own name is ever removed, whatever the record says.
            if !cgroups.contains(c) && c.file_name().is_some_and(|n| n == place.cgroup.as_str()) {
                cgroups.push(c.clone());
            }
        }
        Ok(Removal { shared: shared.clone(), place, record, cgroups })
    }

    /// Undoes one step, whether it was made whole, in part or not at all.
    pub async fn undo(self: Arc<Self>, step: Step) -> Result<()> {
        if step == Step::Network {
            let Some(yard) = self.shared.yard.existing().await? else { return Ok(()) };
            return yard.detach(&self.place, self.record.as_ref().map(|r| r.network)).await;
        }
        let this = self.clone();
        spawn_blocking(move || this.undo_blocking(step)).in_current_span().await?
    }

    fn undo_blocking(&self, step: Step) -> Result<()> {
        let (place, shared) = (&self.place, &self.shared);
        match step {
            Step::Start => {
                disk::cut_off(place);
                let base = self.record.as_ref().map(|r| shared.base(UidRange(r.range)));
                shared.runtime.kill(place, base.map(|b| b..b + IDS_PER_SANDBOX), &self.cgroups)
            }
            Step::Container => {
                cgroup::remove(&self.cgroups)?;
                shared.runtime.delete(place)
            }
            Step::Overlay => rootfs::unmount_all(&place.merged()),
            Step::Lower => rootfs::unmount_all(&place.lower()),
            Step::Disk => disk::undo(place),
            Step::Socket => remove_file(&place.socket),
            Step::Folder => {
                // While something is still mounted there, this must not delete what is in it.
                for m in [place.merged(), place.lower(), place.disk(), place.mounts.clone()] {
                    remove_empty(&m)?;
                }
                remove_tree(&place.folder)
            }
            // Nothing of their own: they are in the folder or the cgroups.
            Step::Bundle | Step::Delegation | Step::Network => Ok(()),
        }
    }
}

fn remove_empty(folder: &Path) -> Result<()> {
    match std::fs::remove_dir(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Lets others pass through a folder without seeing what is in it: the sandbox's root is nobody to the host.
pub(super) fn open_to_pass(folder: &Path) -> Result<()> {
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o711))
        .with_context(|| format!("opening {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_undone() {
        let sorted = |rows: &[&[Step]]| {
            let mut names: Vec<_> = rows.iter().copied().flatten().map(|s| s.name()).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(sorted(Step::ROWS), sorted(Step::UNDONE));
    }
}
