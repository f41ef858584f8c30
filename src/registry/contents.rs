//! What a session has pushed, for its page: repositories, their tags, and which layers they share.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Registry,
    manifest::{ImageConfig, Manifest},
    names::Name,
    storage::Storage,
};
use crate::session::PublicName;

/// Most repositories, tags and layers that are told of: beyond this nobody reads, and a browser has to hold it all.
const MAX_REPOSITORIES: usize = 100;
const MAX_TAGS: usize = 200;
const MAX_LAYERS: usize = 2000;
/// Most names that are told of a layer.
const MAX_SHARED: usize = 5;
/// Most bytes of manifests and configurations that are read for one answer.
const MAX_READ: usize = 16 << 20;

/// What a session has pushed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RegistryContents)]
pub struct Contents {
    /// Its repositories, by name.
    repositories: Vec<PushedRepository>,
    /// How many repositories and tags are left off, because there are too many to tell.
    left_off: usize,
    /// Bytes that it takes: each layer once, and those of the catalogue not at all.
    stored: u64,
    /// Bytes that it may take.
    quota: u64,
}

/// A repository.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PushedRepository {
    /// Its name, such as `me/app`.
    name: String,
    /// Its tags, the last pushed first.
    tags: Vec<PushedTag>,
}

/// A tag, and the image that it names.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PushedTag {
    /// The tag, such as `1.0`.
    name: String,
    /// When it was pushed (RFC 3339).
    pushed_at: String,
    /// The image. Tags with the same digest name the same one.
    #[serde(flatten)]
    image: PushedImage,
}

/// An image.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct PushedImage {
    /// Digest of its manifest or index.
    digest: String,
    /// Media type of that.
    media_type: String,
    /// When it was made, if it says so (RFC 3339).
    created: Option<String>,
    /// Bytes to pull: configuration and layers, compressed.
    size: u64,
    /// The platforms of an index, such as `linux/amd64`; empty where it is a single image.
    platforms: Vec<String>,
    /// TCP ports that it says it listens on.
    ports: Vec<u16>,
    /// Its layers, lowest first; of an index, those of all its images.
    layers: Vec<PushedLayer>,
}

/// A layer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PushedLayer {
    /// Its digest.
    digest: String,
    /// Its bytes, compressed.
    size: u64,
    /// The instruction of the Dockerfile that made it, if that is known.
    created_by: Option<String>,
    /// Other tags of this session that have it, such as `me/app:1.0`; the first few.
    shared_with: Vec<String>,
    /// Images of the catalogue that have it, the one with the fewest layers first; the first few.
    catalogue: Vec<String>,
}

impl Registry {
    /// What a session has pushed.
    pub async fn contents(&self, session: &PublicName) -> Contents {
        let used = self.quota.of(session);
        let _turn = used.reading.lock().await;
        let _place = self.readings.acquire().await;
        let (session, quota) = (session.clone(), self.quota.bytes());
        self.storage.blocking(move |storage| Reader::new(storage).contents(&session, quota)).await
    }

    /// Removes a tag, and its image where no other tag names it; `false` if there is none. Layers that nothing else
    /// uses go with the next garbage collection.
    ///
    /// # Errors
    /// When something stays.
    pub async fn remove_tag(&self, session: &PublicName, repository: &str, tag: &str) -> anyhow::Result<bool> {
        let tag = tag.to_owned();
        self.removing(session, repository, move |s, repository| s.remove_tag(repository, &tag)).await
    }

    /// Removes a repository with all its tags; `false` if there is none. Repositories whose names go on from its own stay.
    ///
    /// # Errors
    /// When something stays.
    pub async fn remove_repository(&self, session: &PublicName, repository: &str) -> anyhow::Result<bool> {
        self.removing(session, repository, |s, repository| s.remove_repository(repository)).await
    }

    async fn removing(
        &self,
        session: &PublicName,
        repository: &str,
        remove: impl FnOnce(&Storage, &str) -> anyhow::Result<bool> + Send + 'static,
    ) -> anyhow::Result<bool> {
        let Some(name) = Name::parse(repository) else { return Ok(false) };
        // What is removed depends on what stays, so all of that is read.
        let used = self.quota.of(session);
        let _turn = used.reading.lock().await;
        let _place = self.readings.acquire().await;
        let (_within, _) = self.gate.enter().await;
        let repository = name.of_session(session);
        let removed = self.storage.blocking(move |s| remove(s, &repository)).await;
        if !matches!(removed, Ok(false)) {
            self.quota.forget(session);
            self.say_removed();
            // Nobody listening is fine.
            let _ = self.pushes.send(session.clone());
        }
        removed
    }
}

/// Reads what is needed for one answer, and no more than that may cost.
struct Reader<'a> {
    storage: &'a Storage,
    /// Bytes that may still be read, and layers that may still be told.
    bytes: usize,
    layers: usize,
}

impl Reader<'_> {
    fn new(storage: &Storage) -> Reader<'_> {
        Reader { storage, bytes: MAX_READ, layers: MAX_LAYERS }
    }

    fn contents(mut self, session: &PublicName, quota: u64) -> Contents {
        let names = self.storage.of_session(session);
        let mut left_off = names.len().saturating_sub(MAX_REPOSITORIES);
        let mut places = MAX_TAGS;
        let mut repositories = Vec::new();
        for name in names.into_iter().take(MAX_REPOSITORIES) {
            let Some(stored) = Name::parse(&name).map(|n| n.of_session(session)) else { continue };
            let mut found = self.storage.pushed(&stored);
            left_off += found.len().saturating_sub(places);
            found.truncate(places);
            places -= found.len();
            let mut images: HashMap<String, Arc<PushedImage>> = HashMap::new();
            let mut tags = Vec::new();
            for (tag, digest, pushed) in found {
                let image = images.entry(digest).or_insert_with_key(|d| Arc::new(self.image(&stored, d)));
                let room = self.layers.checked_sub(image.layers.len());
                let Some(room) = room else {
                    left_off += 1;
                    continue;
                };
                self.layers = room;
                tags.push(PushedTag { name: tag, pushed_at: pushed.to_string(), image: (**image).clone() });
            }
            repositories.push(PushedRepository { name, tags });
        }
        share(&mut repositories, &self.storage.catalogue_layers());
        Contents { repositories, left_off, stored: self.storage.stored(session).bytes, quota }
    }

    fn image(&mut self, repository: &str, digest: &str) -> PushedImage {
        let manifest = self.document(self.storage.manifest_file(repository, digest)).map(|m| Manifest::read(&m));
        let manifest = manifest.unwrap_or_default();
        let mut image = PushedImage { digest: digest.into(), media_type: manifest.media_type(), ..Default::default() };
        self.add(repository, &manifest, &mut image);
        for child in manifest.manifests() {
            image.platforms.extend(child.platform());
            if let Some(bytes) = self.document(self.storage.manifest_file(repository, &child.digest)) {
                // What a build attests is no layer of the image.
                let of_an_image = child.platform().is_some();
                if of_an_image {
                    self.add(repository, &Manifest::read(&bytes), &mut image);
                }
            }
        }
        image
    }

    fn add(&mut self, repository: &str, manifest: &Manifest, image: &mut PushedImage) {
        let config = manifest.config().and_then(|c| {
            image.size = image.size.saturating_add(c.size);
            self.document(self.storage.blob_file(repository, &c.digest))
        });
        let config = config.map(|c| ImageConfig::read(&c)).unwrap_or_default();
        let mut instructions = config.instructions().into_iter();
        for layer in manifest.layers() {
            let created_by = instructions.next().flatten();
            if image.layers.iter().any(|l| l.digest == layer.digest) {
                continue;
            }
            image.size = image.size.saturating_add(layer.size);
            image.layers.push(PushedLayer {
                digest: layer.digest.chars().take(71).collect(),
                size: layer.size,
                created_by,
                shared_with: Vec::new(),
                catalogue: Vec::new(),
            });
        }
        image.created = image.created.take().or(config.created());
        if image.ports.is_empty() {
            image.ports = config.ports();
        }
    }

    fn document(&mut self, file: Option<std::path::PathBuf>) -> Option<Vec<u8>> {
        let bytes = Storage::document(&file?)?;
        self.bytes = self.bytes.checked_sub(bytes.len())?;
        Some(bytes)
    }
}

/// Tells of each layer who else has it.
fn share(repositories: &mut [PushedRepository], catalogue: &HashMap<String, Vec<String>>) {
    let mut holders: HashMap<String, BTreeSet<String>> = HashMap::new();
    for repository in &*repositories {
        for tag in &repository.tags {
            for layer in &tag.image.layers {
                let holder = format!("{}:{}", repository.name, tag.name);
                holders.entry(layer.digest.clone()).or_default().insert(holder);
            }
        }
    }
    for repository in repositories {
        for tag in &mut repository.tags {
            let own = format!("{}:{}", repository.name, tag.name);
            for layer in &mut tag.image.layers {
                let others = holders.get(&layer.digest).into_iter().flatten().filter(|h| **h != own);
                layer.shared_with = others.take(MAX_SHARED).cloned().collect();
                let images = catalogue.get(&layer.digest).into_iter().flatten();
                layer.catalogue = images.take(MAX_SHARED).cloned().collect();
            }
        }
    }
}
