//! Configuration and manifest of an image (OCI Image Specification 1.1).

use std::collections::HashMap;

use anyhow::Result;
use bytes::Bytes;
use oci_spec::image::{
    Arch, ConfigBuilder, DescriptorBuilder, HistoryBuilder, ImageConfigurationBuilder, ImageManifestBuilder, MediaType,
    Os, RootFsBuilder,
};
use sha2::{Digest, Sha256};

use super::{definition::Definition, layer::Layer};

/// The label by which a stand-in is known.
const LABEL: &str = "org.boatyard.stand-in-for";
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The documents of an image.
pub struct Documents {
    pub config: Bytes,
    pub config_digest: String,
    pub manifest: Bytes,
    pub manifest_digest: String,
}

/// Media type of the manifest.
pub fn manifest_type() -> String {
    MediaType::ImageManifest.to_string()
}

/// Makes the documents of an image with these layers.
pub fn documents(definition: &Definition, version: &str, layers: &[Layer]) -> Result<Documents> {
    let c = &definition.config;
    let path = c.path.as_ref().map_or(PATH.to_owned(), |first| format!("{PATH}:{first}"));
    let labels = HashMap::from([
        ("org.opencontainers.image.title".to_owned(), definition.name.clone()),
        ("org.opencontainers.image.description".to_owned(), definition.summary.clone()),
        ("org.opencontainers.image.version".to_owned(), version.to_owned()),
        ("org.opencontainers.image.vendor".to_owned(), "Boatyard".to_owned()),
        (LABEL.to_owned(), format!("docker.io/library/{}", definition.name)),
    ]);
    let mut config = ConfigBuilder::default()
        .env(std::iter::once(format!("PATH={path}")).chain(c.env.iter().cloned()).collect::<Vec<_>>())
        .labels(labels);
    if !c.entrypoint.is_empty() {
        config = config.entrypoint(c.entrypoint.clone());
    }
    if !c.cmd.is_empty() {
        config = config.cmd(c.cmd.clone());
    }
    if !c.expose.is_empty() {
        config = config.exposed_ports(c.expose.clone());
    }
    if !c.volumes.is_empty() {
        config = config.volumes(c.volumes.clone());
    }
    if let Some(folder) = &c.workdir {
        config = config.working_dir(folder.clone());
    }
    if let Some(signal) = &c.stop_signal {
        config = config.stop_signal(signal.clone());
    }
    const CREATED: &str = "2026-01-01T00:00:00Z";
    let step = |by: String, empty| HistoryBuilder::default().created(CREATED).created_by(by).empty_layer(empty).build();
    let mut history = layers.iter().map(|l| step(l.created_by.clone(), false)).collect::<Result<Vec<_>, _>>()?;
    let json = |words: &[String]| serde_json::to_string(words);
    for (word, values) in [("ENTRYPOINT", &c.entrypoint), ("CMD", &c.cmd)] {
        if !values.is_empty() {
            history.push(step(format!("{word} {}", json(values)?), true)?);
        }
    }
    for (word, values) in [("EXPOSE", &c.expose), ("VOLUME", &c.volumes), ("ENV", &c.env)] {
        for value in values {
            history.push(step(format!("{word} {value}"), true)?);
        }
    }
    let config = ImageConfigurationBuilder::default()
        .created(CREATED)
        .architecture(Arch::default())
        .os(Os::Linux)
        .config(config.build()?)
        .rootfs(
            RootFsBuilder::default()
                .typ("layers")
                .diff_ids(layers.iter().map(|l| l.diff_id.clone()).collect::<Vec<_>>())
                .build()?,
        )
        .history(history)
        .build()?;
    // By way of a value, whose keys are in order: labels are a hash map, and the same image must have the same digest.
    let config = Bytes::from(serde_json::to_vec(&serde_json::to_value(&config)?)?);
    let config_digest = digest(&config);
    let descriptor = |kind: MediaType, digest: &str, size: u64| -> Result<_> {
        let digest: oci_spec::image::Digest = digest.parse()?;
        Ok(DescriptorBuilder::default().media_type(kind).digest(digest).size(size).build()?)
    };
    let layers =
        layers.iter().map(|l| descriptor(MediaType::ImageLayerGzip, &l.digest, l.size)).collect::<Result<Vec<_>>>()?;
    let manifest = ImageManifestBuilder::default()
        .schema_version(2u32)
        .media_type(MediaType::ImageManifest)
        .config(descriptor(MediaType::ImageConfig, &config_digest, config.len() as u64)?)
        .layers(layers)
        .build()?;
    let manifest = Bytes::from(serde_json::to_vec(&manifest)?);
    Ok(Documents { config_digest, config, manifest_digest: digest(&manifest), manifest })
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_image_has_the_same_digest() {
        let planned = super::super::definition::all().unwrap();
        let definition = &planned.iter().find(|p| p.definition.name == "postgres").unwrap().definition;
        let layer = Layer {
            digest: digest(b"compressed"),
            diff_id: digest(b"plain"),
            size: 10,
            created_by: "RUN something".into(),
        };
        let make = || documents(definition, "17.1", std::slice::from_ref(&layer)).unwrap();
        let first = make();
        // Each hash map has an order of its own.
        assert!((0..20).all(|_| make().manifest_digest == first.manifest_digest));
        let config: serde_json::Value = serde_json::from_slice(&first.config).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"], serde_json::json!([layer.diff_id]));
        assert_eq!(config["config"]["Labels"][LABEL], "docker.io/library/postgres");
        let filled = config["history"].as_array().unwrap().iter().filter(|h| h["empty_layer"] != true).count();
        assert_eq!(filled, 1, "as many as layers");
    }
}
