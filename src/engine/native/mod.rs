//! The native engine: sandboxes on this host by an OCI runtime.
//!
//! `steps` is the list of what a sandbox is made of, each with its undo; the other modules are what the steps use, one
//! concern each.

mod cgroup;
mod disk;
mod fuse;
mod network;
mod nft;
mod oci;
mod record;
mod rootfs;
mod runtime;
mod seccomp;
mod settings;
mod steps;
mod sys;
mod usage;
mod userns;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result, anyhow};
use tokio::{net::UnixStream, sync::Semaphore, task::JoinSet};
use tracing::Instrument;

use self::{
    cgroup::Cgroups,
    network::YardKeeper,
    record::Place,
    runtime::Runtime,
    steps::{Creation, Removal},
};
pub use self::{
    settings::{NativeSettings, Subnet},
    steps::Step,
};
use super::{AgentStream, Engine, EngineError, IDS_PER_SANDBOX, SandboxId, SandboxSpec, UidRange, Usage};
use crate::paths::Paths;

pub(crate) use self::runtime::find_program;

/// What doctor tries, one by one, of what the steps do.
pub(crate) mod probe {
    use anyhow::{Context, Result};

    use super::{NativeSettings, nft};
    pub(crate) use super::{
        cgroup::Cgroups,
        disk::{make_fs, mount_image},
        rootfs::{mount_overlay, mount_shifted, unmount_all},
        userns::mapped,
    };

    /// Where this process is in the cgroup hierarchies.
    pub(crate) fn cgroups() -> Result<Cgroups> {
        Cgroups::current()
    }

    /// Applies the yard's rules in a network namespace that is gone afterwards. Ends in it: to be called on a thread
    /// that ends too.
    pub(crate) fn yard_rules(settings: &NativeSettings) -> Result<()> {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).context("making a network namespace")?;
        nft::apply(&nft::yard(settings.subnet, None, &[]))
    }
}

/// Sandboxes on this host. Clones share everything.
#[derive(Debug, Clone)]
pub struct NativeEngine(Arc<Shared>);

/// What all creations and removals share.
#[derive(Debug)]
pub(crate) struct Shared {
    paths: Paths,
    settings: NativeSettings,
    /// The agent's binary, where sandboxes can read it.
    agent: PathBuf,
    runtime: Runtime,
    yard: YardKeeper,
    creations: Semaphore,
    fault: Mutex<Option<Fault>>,
}

/// Something that goes wrong on purpose, for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The step is made and then fails.
    Fail(Step),
    /// The step is made and then nothing goes on, as if the server were about to be killed.
    Stall(Step),
}

impl Shared {
    fn base(&self, range: UidRange) -> u32 {
        self.settings.uid_base + range.0 * IDS_PER_SANDBOX
    }
}

fn step_error(step: &'static str) -> impl Fn(anyhow::Error) -> EngineError {
    move |source| EngineError::Step { step, source }
}

impl NativeEngine {
    /// An engine with its sandboxes in `paths`, starting `agent_binary` (static, any path) in each.
    ///
    /// # Errors
    /// When the OCI runtime or the agent is not there, or the run-time folder cannot be made (root is needed).
    pub fn new(paths: Paths, settings: NativeSettings, agent_binary: PathBuf) -> Result<Self, EngineError> {
        Self::prepare(paths, settings, &agent_binary).map_err(step_error("native engine"))
    }

    fn prepare(paths: Paths, settings: NativeSettings, agent_binary: &Path) -> Result<Self> {
        let runtime = runtime::find_program(&settings.runtime)
            .with_context(|| format!("no {}: apt-get install runc, or set engine.runtime", settings.runtime))?;
        for folder in [paths.sandboxes(), record::mounts_root(&paths)] {
            fs::create_dir_all(&folder).with_context(|| format!("making {} (as root)", folder.display()))?;
        }
        steps::open_to_pass(paths.run())?;
        if let Some(above) = paths.run().parent() {
            steps::open_to_pass(above)?;
        }
        steps::open_to_pass(&record::mounts_root(&paths))?;
        for folder in [record::agents_root(&paths), record::runtime_root(&paths)] {
            fs::create_dir_all(&folder)?;
            fs::set_permissions(&folder, PermissionsExt::from_mode(0o700))?;
        }
        let agent = install_agent(&paths, agent_binary)?;
        let cgroups = Cgroups::current()?;
        cgroups.enter_leaf()?;
        Ok(NativeEngine(Arc::new(Shared {
            runtime: Runtime::new(runtime, record::runtime_root(&paths)),
            yard: YardKeeper::new(&paths),
            creations: Semaphore::new(settings.concurrent_creations.max(1)),
            fault: Mutex::new(None),
            paths,
            settings,
            agent,
        })))
    }

    /// Makes what the first creation would otherwise wait for: the yard and the empty disk of `disk` bytes.
    ///
    /// # Errors
    /// When one cannot be made.
    pub async fn warm_up(&self, disk: u64) -> Result<(), EngineError> {
        let paths = self.0.paths.clone();
        let template = tokio::task::spawn_blocking(move || disk::template(&paths, disk));
        let yard = self.0.yard.open(&self.0.settings).await.map_err(step_error(Step::Network.name()))?;
        yard.sweep().await.map_err(step_error(Step::Network.name()))?;
        let template = template.await.map_err(anyhow::Error::from).and_then(|t| t);
        template.map(drop).map_err(step_error(Step::Disk.name()))
    }

    /// Lets something go wrong in the next creations, for tests.
    #[doc(hidden)]
    pub fn inject(&self, fault: Option<Fault>) {
        *self.0.fault.lock().unwrap_or_else(|e| e.into_inner()) = fault;
    }

    /// Removes the yard and the run-time folder, and the rules in the host's namespace: all that this Boatyard has on
    /// its host outside its data folder. The sandboxes must have been destroyed.
    ///
    /// # Errors
    /// When there are sandboxes, or something could not be removed.
    pub async fn teardown(&self) -> Result<(), EngineError> {
        let all = async {
            let left = self.list().await?;
            anyhow::ensure!(left.is_empty(), "{} sandboxes are still there: destroy them first", left.len());
            self.0.yard.remove().await?;
            record::remove_tree(&self.0.paths.sandboxes().join(".templates"))?;
            record::remove_tree(self.0.paths.run())
        };
        all.await.map_err(step_error("teardown"))
    }

    async fn create_all(creation: Arc<Creation>) -> Result<(), EngineError> {
        for row in Step::ROWS {
            let mut running = JoinSet::new();
            for &step in *row {
                let span = tracing::debug_span!("step", name = step.name());
                let (this, shared) = (creation.clone(), creation.shared.clone());
                let task = async move {
                    let made = this.make(step).await;
                    let fault = *shared.fault.lock().unwrap_or_else(|e| e.into_inner());
                    match fault {
                        Some(Fault::Fail(at)) if at == step && made.is_ok() => {
                            Err(step_error(step.name())(anyhow!("failed on purpose")))
                        }
                        Some(Fault::Stall(at)) if at == step => std::future::pending().await,
                        _ => made.map_err(step_error(step.name())),
                    }
                };
                running.spawn(task.instrument(span));
            }
            // All of a row end before anything is undone: nobody makes while another removes.
            let mut failed = None;
            while let Some(ended) = running.join_next().await {
                let ended = ended.unwrap_or_else(|e| Err(step_error("creation")(e.into())));
                failed = failed.or(ended.err());
            }
            if let Some(e) = failed {
                return Err(e);
            }
        }
        Ok(())
    }

    async fn destroy_all(shared: Arc<Shared>, id: SandboxId) -> Result<(), EngineError> {
        let place = Place::new(&shared.paths, &id);
        let removal = Arc::new(Removal::new(&shared, place).map_err(step_error("removal"))?);
        for row in Step::UNDONE {
            let mut running = JoinSet::new();
            for &step in *row {
                let span = tracing::debug_span!("undo", name = step.name());
                let this = removal.clone();
                let task = async move { this.undo(step).await.map_err(step_error(step.name())) };
                running.spawn(task.instrument(span));
            }
            // The record goes last, and only when all else is gone: so a removal that failed can be tried again.
            while let Some(ended) = running.join_next().await {
                ended.unwrap_or_else(|e| Err(step_error("removal")(e.into())))?;
            }
        }
        Ok(())
    }
}

/// Copies the agent to where sandboxes can read it, whatever folder it comes from, and where an upgrade can replace it
/// while sandboxes run the old one.
fn install_agent(paths: &Paths, from: &Path) -> Result<PathBuf> {
    let binary = fs::read(from).with_context(|| format!("the agent's binary {} (make agent)", from.display()))?;
    let to = paths.run().join("agent");
    if fs::read(&to).is_ok_and(|old| old == binary) {
        return Ok(to);
    }
    let new = paths.run().join("agent.new");
    fs::write(&new, binary)?;
    fs::set_permissions(&new, PermissionsExt::from_mode(0o755))?;
    fs::rename(&new, &to)?;
    Ok(to)
}

#[async_trait::async_trait]
impl Engine for NativeEngine {
    async fn create(&self, spec: &SandboxSpec) -> Result<(), EngineError> {
        let (shared, spec) = (self.0.clone(), spec.clone());
        let span = tracing::info_span!("create", sandbox = %spec.id);
        // On a task of its own: when the caller goes away in the middle, the creation still ends whole or undone.
        let task = async move {
            let _turn = shared.creations.acquire().await.map_err(|e| step_error("creation")(e.into()))?;
            let place = Place::new(&shared.paths, &spec.id);
            let cgroups = Cgroups::current().map_err(step_error(Step::Delegation.name()))?;
            let id = spec.id.clone();
            if place.folder.exists() {
                return Err(step_error(Step::Folder.name())(anyhow!("there is a sandbox {id} already")));
            }
            let creation = Creation { shared: shared.clone(), place, spec, cgroups, listener: Mutex::new(None) };
            let made = Self::create_all(Arc::new(creation)).await;
            if let Err(e) = &made {
                tracing::warn!("a creation failed and is undone: {e}");
                if let Err(e) = Self::destroy_all(shared.clone(), id).await {
                    tracing::error!("a failed creation could not be undone: {e}");
                }
            }
            made
        };
        tokio::spawn(task.instrument(span)).await.map_err(|e| step_error("creation")(e.into()))?
    }

    async fn destroy(&self, id: &SandboxId) -> Result<(), EngineError> {
        let span = tracing::info_span!("destroy", sandbox = %id);
        let task = Self::destroy_all(self.0.clone(), id.clone()).instrument(span);
        tokio::spawn(task).await.map_err(|e| step_error("removal")(e.into()))?
    }

    async fn list(&self) -> Result<Vec<SandboxId>, EngineError> {
        let paths = self.0.paths.clone();
        let found = tokio::task::spawn_blocking(move || on_host(&paths));
        let found = found.await.map_err(anyhow::Error::from).and_then(|f| f);
        let mut found = found.map_err(step_error("listing sandboxes"))?;
        let yard = self.0.yard.existing().await.map_err(step_error("listing sandboxes"))?;
        if let Some(yard) = yard {
            found.extend(yard.sandboxes().await.map_err(step_error("listing sandboxes"))?);
        }
        Ok(found.into_iter().collect())
    }

    async fn usage(&self, id: &SandboxId) -> Result<Usage, EngineError> {
        let place = Place::new(&self.0.paths, id);
        let work = tokio::task::spawn_blocking(move || {
            let record = record::Record::read(&place).context("there is no such sandbox")?;
            usage::read(&place, &record.cgroups)
        });
        work.await.map_err(anyhow::Error::from).and_then(|r| r).map_err(step_error("looking at a sandbox"))
    }

    async fn connect(&self, id: &SandboxId) -> Result<Box<dyn AgentStream>, EngineError> {
        let place = Place::new(&self.0.paths, id);
        match UnixStream::connect(&place.socket).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(_) => Err(EngineError::Gone(id.clone())),
        }
    }
}

/// The sandboxes of which the host's files, mounts, loop devices or cgroups still speak.
fn on_host(paths: &Paths) -> Result<BTreeSet<SandboxId>> {
    let mut found = BTreeSet::new();
    let mut names = Vec::new();
    for folder in
        [paths.sandboxes(), record::mounts_root(paths), record::agents_root(paths), record::runtime_root(paths)]
    {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        names.extend(entries.flatten().filter_map(|e| e.file_name().into_string().ok()));
    }
    found.extend(names.iter().filter_map(|n| SandboxId::parse(n.strip_suffix(".sock").unwrap_or(n))));
    let prefix = record::cgroup_prefix(paths);
    found.extend(Cgroups::current()?.children().iter().filter_map(|n| SandboxId::parse(n.strip_prefix(&prefix)?)));
    // Mounts and loop devices whose folders are gone.
    let mut text = fs::read_to_string("/proc/self/mountinfo").context("reading mounts")?;
    for block in fs::read_dir("/sys/block").into_iter().flatten().flatten() {
        text.push_str(&fs::read_to_string(block.path().join("loop/backing_file")).unwrap_or_default());
    }
    for root in [paths.sandboxes(), record::mounts_root(paths)] {
        let root = format!("{}/", root.display());
        let ids = text.match_indices(&root).filter_map(|(i, _)| text.get(i + root.len()..)?.get(..11));
        found.extend(ids.filter_map(SandboxId::parse));
    }
    Ok(found)
}
