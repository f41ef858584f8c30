//! Building the catalogue: what is missing or has changed.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};

use super::{
    CatalogueImage,
    definition::{self, Planned},
    image::{self, Documents},
    layer::{self, Layer},
    layers, list, publish, records,
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

/// Builds the images that are missing or changed (of `only` these, where it is given) and pushes them into the registry behind `client`.
///
/// # Errors
/// When a layer cannot be built, or the registry does not take it; what was finished stays.
pub async fn build(
    paths: &Paths,
    only: Option<&[String]>,
    client: &RegistryClient,
    progress: &dyn Progress,
) -> Result<Vec<CatalogueImage>> {
    let all = definition::all()?;
    if let Some(unknown) = only.into_iter().flatten().find(|n| all.iter().all(|p| p.definition.name != **n)) {
        let names: Vec<_> = all.iter().map(|p| p.definition.name.as_str()).collect();
        anyhow::bail!("the catalogue has no {unknown}; it has {}", names.join(", "));
    }
    fs::create_dir_all(layers(paths))?;
    fs::create_dir_all(records(paths))?;
    sweep(paths, &all)?;
    let mut done = Vec::new();
    for planned in &all {
        let name = &planned.definition.name;
        let record = records(paths).join(format!("{name}.json"));
        let before = list(paths)?.into_iter().find(|b| b.name == *name && b.key == planned.key);
        if only.is_some_and(|o| !o.contains(name)) || before.is_some_and(|b| publish::is_stored(paths, &b)) {
            continue;
        }
        let task = progress.task(&format!("image {name}"));
        let image = build_one(paths, planned, client, &|what| task.step(what)).await.with_context(|| name.clone())?;
        fs::write(&record, serde_json::to_vec_pretty(&image)?)?;
        task.done(&format!("{} in {} layers", bytesize::ByteSize(image.size).display().si(), image.layers));
        done.push(image);
    }
    Ok(done)
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

/// Removes layers that no definition asks for any more, and what an interrupted build left.
fn sweep(paths: &Paths, all: &[Planned]) -> Result<()> {
    for entry in fs::read_dir(layers(paths))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !all.iter().any(|p| p.keys.contains(&name)) {
            crate::image::remove_tree(&entry.path())?;
        }
    }
    Ok(())
}
