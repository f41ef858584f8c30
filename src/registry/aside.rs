//! Blobs that a garbage collection must leave although no manifest refers to them: those of pushes under way.

use std::{fs, io::ErrorKind, path::PathBuf};

use anyhow::Context;

use super::storage::{Storage, names_in};

impl Storage {
    /// Gives the blobs of these repositories a second name each, so that they can be put back.
    ///
    /// # Errors
    /// When there is no room for names.
    pub fn keep_aside(&self, repositories: &[PathBuf]) -> anyhow::Result<Aside> {
        let folder = self.root.join("aside");
        // What a server that was killed left here has become garbage, or is still in its place.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let aside = Aside { storage: self.clone(), folder };
        for hex in repositories.iter().flat_map(|r| names_in(&r.join("_layers/sha256"))) {
            match fs::hard_link(self.blob(&hex), aside.folder.join(&hex)) {
                Err(e) if !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => {
                    return Err(e).with_context(|| format!("the blob {hex} cannot be kept"));
                }
                _ => {}
            }
        }
        Ok(aside)
    }
}

/// Blobs that a garbage collection must leave, by second names that go when this is dropped.
pub struct Aside {
    storage: Storage,
    folder: PathBuf,
}

impl Aside {
    /// Puts back the blobs that are gone from their place; whether there was one.
    ///
    /// # Errors
    /// When one cannot be put back: the push that it belongs to fails, and sends it again.
    pub fn put_back(self) -> anyhow::Result<bool> {
        let mut any = false;
        for hex in names_in(&self.folder) {
            let place = self.storage.blob(&hex);
            if place.is_file() {
                continue;
            }
            any = true;
            place
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::rename(self.folder.join(&hex), &place))
                .with_context(|| format!("the blob {hex} was not put back"))?;
        }
        Ok(any)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // The next collection removes what stays.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
