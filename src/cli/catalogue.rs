//! `boatyard catalogue`.

use clap::Subcommand;

use crate::{catalogue, config::Config, paths::Paths};

#[derive(Debug, Subcommand)]
pub enum Catalogue {
    /// List the images with their tags and sizes.
    #[command(visible_alias = "ls")]
    List,
}

impl Catalogue {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let paths = Paths::new(&config.data);
        match self {
            Catalogue::List => {
                for i in catalogue::list(&paths)? {
                    println!(
                        "{}\t{}\t{} layers\t{}",
                        i.name,
                        bytesize::ByteSize(i.size).display().si(),
                        i.layers,
                        i.tags.join(", ")
                    );
                }
                Ok(())
            }
        }
    }
}
