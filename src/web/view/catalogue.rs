use askama::Template;

use super::{Nonce, Page};

/// `/catalogue`: the images that can be pulled without the internet.
#[derive(Debug, Template)]
#[template(path = "catalogue.html")]
pub struct CataloguePage {
    /// For the page's own script.
    pub nonce: Nonce,
    /// All images, by name.
    pub images: Vec<CatalogueImage>,
    /// The lab images, by name.
    pub labs: Vec<LabImage>,
    /// Where names that the catalogue lacks come from; none while the server is offline.
    pub mirror: Option<String>,
}

/// An image of the catalogue.
#[derive(Debug, Clone)]
pub struct CatalogueImage {
    /// Its name, such as `python`.
    pub name: String,
    /// Its tags, `latest` first.
    pub tags: Vec<String>,
    /// What it holds, in a few words.
    pub summary: String,
    /// Its size to pull, in words (`41 MB`).
    pub size: String,
    /// Number of layers.
    pub layers: usize,
}

/// A lab image: what sessions start from.
#[derive(Debug, Clone)]
pub struct LabImage {
    /// Its name, such as `default`.
    pub name: String,
    /// Its distribution, such as `Debian GNU/Linux 13 (trixie)`.
    pub distribution: String,
    /// Programs in it with their versions.
    pub versions: Vec<(String, String)>,
    /// Its size on the server's disk, in words.
    pub size: String,
}

impl Page for CataloguePage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}
