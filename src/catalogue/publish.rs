//! Pushing a finished image into the registry.

use std::{fs, path::PathBuf};

use anyhow::Result;
use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio_util::io::ReaderStream;

use super::{
    CatalogueImage, NAMESPACE,
    image::{Documents, manifest_type},
    layer::Layer,
};
use crate::{
    paths::Paths,
    registry::client::{Body, RegistryClient, full},
};

/// Pushes an image; layers of the image `from` that it is built on are not sent again.
pub async fn push(
    client: &RegistryClient,
    name: &str,
    from: Option<&str>,
    tags: &[String],
    layers: &[Layer],
    archives: &[PathBuf],
    documents: &Documents,
) -> Result<()> {
    let repository = format!("{NAMESPACE}/{name}");
    for (layer, archive) in layers.iter().zip(archives) {
        if let Some(from) = from
            && client.mount_blob(&repository, &layer.digest, &format!("{NAMESPACE}/{from}")).await?
        {
            continue;
        }
        client.push_blob(&repository, &layer.digest, layer.size, file(archive).await?).await?;
    }
    let config = documents.config.clone();
    client.push_blob(&repository, &documents.config_digest, config.len() as u64, full(config)).await?;
    for tag in tags {
        client.put_manifest(&repository, tag, &manifest_type(), documents.manifest.clone()).await?;
    }
    Ok(())
}

/// Whether the registry's storage has the image under each of its tags.
pub fn is_stored(paths: &Paths, image: &CatalogueImage) -> bool {
    let tags = paths
        .registry()
        .join("docker/registry/v2/repositories")
        .join(NAMESPACE)
        .join(&image.name)
        .join("_manifests/tags");
    image.tags.iter().all(|t| fs::read_to_string(tags.join(t).join("current/link")).is_ok_and(|d| d == image.digest))
}

async fn file(path: &PathBuf) -> Result<Body> {
    let stream = ReaderStream::with_capacity(tokio::fs::File::open(path).await?, 1 << 18);
    let frames = stream.map_ok(|bytes: Bytes| Frame::data(bytes)).map_err(|e| e.into());
    Ok(StreamBody::new(frames).boxed_unsync())
}
