//! `boatyard image`.

use anyhow::Context;
use clap::Subcommand;
use hyper::Method;

use super::admin;
use crate::{
    config::Config,
    image::{self, Definition, progress::Console},
    paths::Paths,
    web::admin::AdminSession,
};

#[derive(Debug, Subcommand)]
pub enum Image {
    /// Build lab images from Debian packages, where they are missing or their definition has changed.
    Build {
        /// Which: `default` (also where none is named), `alternatives`, `minimal`, or the path of a definition (*.toml).
        images: Vec<String>,
    },
    /// Bring a lab image of your own: a root file system as a tar archive, or an image as OCI or `docker save` archive.
    Import {
        /// The archive; plain, gzip or zstd.
        archive: std::path::PathBuf,
        /// What to call it; the archive's name where absent.
        #[arg(long)]
        name: Option<String>,
    },
    /// List the lab images with what is in them.
    #[command(visible_alias = "ls")]
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a lab image.
    Rm {
        /// Its name.
        name: String,
    },
}

impl Image {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let paths = Paths::new(&config.data);
        match self {
            Image::Build { images } => {
                super::need_root("boatyard image build")?;
                let definitions = if images.is_empty() {
                    vec![Definition::default_image()?]
                } else {
                    images.iter().map(|i| definition(i)).collect::<anyhow::Result<_>>()?
                };
                for definition in definitions {
                    if image::is_current(&paths, &definition)? {
                        continue;
                    }
                    let paths = paths.clone();
                    let work = move || image::build(&paths, &definition, &Console::new());
                    let info = tokio::task::spawn_blocking(work).await??;
                    println!("lab image {} is ready: {}", info.name, info.distribution);
                }
                Ok(())
            }
            Image::Import { archive, name } => {
                super::need_root("boatyard image import")?;
                anyhow::ensure!(archive.exists(), "there is no file {}", archive.display());
                anyhow::ensure!(archive.is_file(), "{} is not a file but a folder or device", archive.display());
                let name = name.unwrap_or_else(|| name_of(&archive));
                let work = move || image::import(&paths, &archive, &name, &Console::new());
                let info = tokio::task::spawn_blocking(work).await??;
                println!(
                    "lab image {} is ready: {}; choose it with `image` in [sessions]",
                    info.name, info.distribution
                );
                Ok(())
            }
            Image::List { json } => list(&paths, json),
            Image::Rm { name } => {
                super::need_root("boatyard image rm")?;
                let in_use = match admin::request(config, Method::GET, "/sessions").await? {
                    Some(answer) => serde_json::from_slice::<Vec<AdminSession>>(&answer)?
                        .into_iter()
                        .flat_map(|s| s.images)
                        .collect(),
                    None => Vec::new(),
                };
                image::remove(&paths, &name, &in_use)?;
                println!("{name} is removed");
                Ok(())
            }
        }
    }
}

/// The definition of that name or in that file.
fn definition(which: &str) -> anyhow::Result<Definition> {
    if !which.ends_with(".toml") {
        return Definition::built_in(which);
    }
    let text = std::fs::read_to_string(which).with_context(|| format!("reading {which}"))?;
    Definition::parse(&text).with_context(|| which.to_owned())
}

/// The name of a file without what tells its format.
fn name_of(archive: &std::path::Path) -> String {
    let file = archive.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    file.split(".tar").next().unwrap_or(&file).trim_end_matches(".tgz").to_owned()
}

fn list(paths: &Paths, json: bool) -> anyhow::Result<()> {
    let images = image::list(paths)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&images)?);
        return Ok(());
    }
    if images.is_empty() {
        println!("There is no lab image; build one with `boatyard image build`.");
        return Ok(());
    }
    for i in images {
        println!("{}\t{}\t{}\t{}", i.name, bytesize::ByteSize(i.size).display().si(), i.built_at, i.distribution);
        if !i.summary.is_empty() {
            println!("\t{}", i.summary);
        }
        let versions: Vec<_> = i.versions.iter().map(|(label, version)| format!("{label} {version}")).collect();
        println!("\t{}", versions.join(", "));
    }
    Ok(())
}
