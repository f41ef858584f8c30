//! placeholder
pub struct CatalogueImage {
    pub name: String,
    pub tags: Vec<String>,
    pub summary: String,
    pub size: u64,
    pub layers: usize,
}
pub fn list(_: &crate::paths::Paths) -> anyhow::Result<Vec<CatalogueImage>> {
    Ok(Vec::new())
}
