//! `boatyard image`.

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
    /// Build the lab image from Debian packages, if it is missing or its definition has changed.
    Build,
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
            Image::Build => {
                super::need_root("boatyard image build")?;
                let definition = Definition::default_image()?;
                if image::is_current(&paths, &definition)? {
                    return Ok(());
                }
                let info =
                    tokio::task::spawn_blocking(move || image::build(&paths, &definition, &Console::new())).await??;
                println!("lab image {} is ready: {}", info.name, info.distribution);
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
        let versions: Vec<_> = i.versions.iter().map(|(label, version)| format!("{label} {version}")).collect();
        println!("\t{}", versions.join(", "));
    }
    Ok(())
}
