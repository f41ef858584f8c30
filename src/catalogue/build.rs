//! Building the catalogue: what is missing or has changed.

use std::{
    collections::BTreeMap,
    fs::{self, File},
};

use anyhow::{Context, Result};
use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, fcntl};

use super::{
    CatalogueImage,
    definition::{self, Planned},
    discard::discard,
    image::{self, Documents},
    layer::{self, Layer},
    layers, list, publish, record, records,
};
use crate::{image::Packages, image::progress::Progress, paths::Paths, registry::client::RegistryClient};

/// Whether every image is built from its present definition and in the registry's storage.
///
/// # Errors
/// When a record cannot be read.
pub fn is_current(paths: &Paths) -> Result<bool> {
    let built = list(paths)?;
    Ok(definition::all()?
        .iter()
        .all(|p| built.iter().any(|b| b.name == p.definition.name && b.key == p.key && publish::is_stored(paths, b))))
}

/// The right to build: one build runs at a time. The registry that it pushes to is chosen when this is held, since an
/// earlier build's goes away with it.
pub struct Turn {
    paths: Paths,
    _lock: Flock<File>,
}

impl Turn {
    /// Waits until no other build runs.
    ///
    /// # Errors
    /// When the catalogue's folder cannot be made.
    pub fn wait(paths: &Paths, progress: &dyn Progress) -> Result<Turn> {
        fs::create_dir_all(layers(paths))?;
        fs::create_dir_all(records(paths))?;
        let lock = tokio::task::block_in_place(|| lock(paths, progress))?;
        Ok(Turn { paths: paths.clone(), _lock: lock })
    }

    /// Builds the images that are missing or changed and pushes them into the registry behind `client`; where `only` is
    /// given, of these and of those that they are built on.
    ///
    /// # Errors
    /// When a layer cannot be built, or the registry does not take it; what was finished stays.
    pub async fn build(
        &self,
        only: Option<&[String]>,
        client: &RegistryClient,
        progress: &dyn Progress,
    ) -> Result<Vec<CatalogueImage>> {
        let (paths, all) = (&self.paths, definition::all()?);
        sweep(paths, &all)?;
        let mut done = Vec::new();
        for planned in &all {
            let name = &planned.definition.name;
            let before = list(paths)?.into_iter().find(|b| b.name == *name && b.key == planned.key);
            if !wanted(planned, &all, only) || before.is_some_and(|b| publish::is_stored(paths, &b)) {
                continue;
            }
            let task = progress.task(&format!("image {name}"));
            let image =
                build_one(paths, planned, client, &|what| task.step(what)).await.with_context(|| name.clone())?;
            record(paths, &image)?;
            task.done(&format!("{} in {} layers", bytesize::ByteSize(image.size).display().si(), image.layers));
            done.push(image);
        }
        Ok(done)
    }
}

/// Whether the catalogue has all of these.
///
/// # Errors
/// When it lacks one; the message tells what it has.
pub fn known(names: &[String]) -> Result<()> {
    let all = definition::all()?;
    if let Some(unknown) = names.iter().find(|n| all.iter().all(|p| p.definition.name != **n)) {
        let names: Vec<_> = all.iter().map(|p| p.definition.name.as_str()).collect();
        anyhow::bail!("the catalogue has no {unknown}; it has {}", names.join(", "));
    }
    Ok(())
}

async fn build_one(
    paths: &Paths,
    planned: &Planned,
    client: &RegistryClient,
    step: &(dyn Fn(&str) + Sync),
) -> Result<CatalogueImage> {
    let definition = &planned.definition;
    let below = planned.keys.len() - definition.layers.len();
    let mut built = Vec::new();
    for (i, key) in planned.keys.iter().enumerate() {
        built.push(match Layer::read(paths, key) {
            Some(layer) => layer,
            None => {
                let own = i.checked_sub(below).and_then(|n| definition.layers.get(n));
                let own = own.context("a layer of the image below is missing; run `boatyard catalogue build`")?;
                // Takes many seconds and waits for other programs: the runtime's other threads go on.
                tokio::task::block_in_place(|| layer::build(paths, key, &planned.keys[..i], own, step))?
            }
        });
    }
    // The topmost layer that has dpkg's state has all of it.
    let status =
        planned.keys.iter().rev().map(|k| layer::files(paths, k)).find(|f| f.join("var/lib/dpkg/status").is_file());
    let packages = status.map(|root| Packages::read(&root));
    let upstream = |package: &String| packages.as_ref().and_then(|p| p.upstream(package));
    let versions: BTreeMap<String, String> =
        definition.versions.iter().filter_map(|(label, package)| Some((label.clone(), upstream(package)?))).collect();
    let version = match &definition.version_of {
        Some(package) => upstream(package).with_context(|| format!("{package} is not in the image"))?,
        None => versions.values().next().cloned().unwrap_or_else(|| "1".into()),
    };
    let documents = image::documents(definition, &version, &built)?;
    let tags = definition.tags(&version);
    step("pushing it into the registry");
    let archives: Vec<_> = planned.keys.iter().map(|k| layer::archive(paths, k)).collect();
    publish::push(client, &definition.name, definition.from.as_deref(), &tags, &built, &archives, &documents).await?;
    let Documents { manifest_digest, .. } = documents;
    Ok(CatalogueImage {
        name: definition.name.clone(),
        tags,
        summary: definition.summary.clone(),
        size: built.iter().map(|l| l.size).sum(),
        layers: built.len(),
        versions,
        digest: manifest_digest,
        key: planned.key.clone(),
    })
}

/// Whether an image is among `only`, or below one that is.
fn wanted(image: &Planned, all: &[Planned], only: Option<&[String]>) -> bool {
    only.is_none_or(|names| all.iter().any(|p| names.contains(&p.definition.name) && p.keys.starts_with(&image.keys)))
}

/// Keeps other builds away, to whom our unfinished layers look like an interrupted build's. The programs that a build
/// starts hold the lock too: when it is killed they go on for a while, and the next one waits until they have ended.
fn lock(paths: &Paths, progress: &dyn Progress) -> Result<Flock<File>> {
    let path = paths.catalogue().join(".lock");
    let file = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).with_context(|| format!("opening {}", path.display()))?;
    let file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => return Ok(lock),
        Err((file, _)) => file,
    };
    let task = progress.task("catalogue");
    task.step("waiting for another build to end");
    let lock = Flock::lock(file, FlockArg::LockExclusive)
        .map_err(|(_, e)| anyhow::Error::new(e).context(format!("locking {}", path.display())))?;
    task.done("the other build has ended");
    Ok(lock)
}

/// Removes layers that no definition asks for any more, and what an interrupted build left.
fn sweep(paths: &Paths, all: &[Planned]) -> Result<()> {
    for entry in fs::read_dir(layers(paths))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !all.iter().any(|p| p.keys.contains(&name)) {
            discard(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_image_is_built_on_is_built_with_it() {
        let all = definition::all().unwrap();
        let of = |only: &[&str]| -> Vec<String> {
            let only: Vec<String> = only.iter().map(|n| (*n).to_owned()).collect();
            let names = all.iter().filter(|p| wanted(p, &all, Some(&only))).map(|p| p.definition.name.clone());
            names.collect()
        };
        assert_eq!(of(&["python"]), ["debian", "python"]);
        assert_eq!(of(&["busybox"]), ["busybox"]);
        assert_eq!(of(&[]), [""; 0]);
        assert!(all.iter().all(|p| wanted(p, &all, None)));
    }
}
