//! `boatyard catalogue`.

use clap::Subcommand;

use tokio_util::sync::CancellationToken;

use crate::{
    catalogue,
    config::Config,
    image::progress::Console,
    paths::Paths,
    registry::{Registry, client::RegistryClient},
};

#[derive(Debug, Subcommand)]
pub enum Catalogue {
    /// Build the images that are missing or whose definition has changed, from Debian packages.
    Build {
        /// Only these; all where none is named.
        names: Vec<String>,
    },
    /// List the images with their tags and sizes.
    #[command(visible_alias = "ls")]
    List,
}

impl Catalogue {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let paths = Paths::new(&config.data);
        match self {
            Catalogue::Build { names } => {
                super::need_root("boatyard catalogue build")?;
                if names.is_empty() && catalogue::is_current(&paths)? {
                    return Ok(());
                }
                catalogue::known(&names)?;
                let console = Console::new();
                let turn = catalogue::Turn::wait(&paths, &console)?;
                let only = (!names.is_empty()).then_some(names.as_slice());
                // The running server's registry takes them; where none runs, one is started for it.
                let client = RegistryClient::new(paths.registry_socket());
                let stop = CancellationToken::new();
                let own = if client.ready().await {
                    None
                } else {
                    Some(Registry::start(&paths, &Default::default(), stop.clone()).await?)
                };
                let built = turn.build(only, &client, &console).await;
                stop.cancel();
                if let Some(own) = own {
                    own.finished().await;
                }
                println!("the catalogue is ready: {} images were built", built?.len());
                Ok(())
            }
            Catalogue::List => {
                for i in catalogue::list(&paths)? {
                    println!(
                        "{}\t{}\t{}\t{}",
                        i.name,
                        bytesize::ByteSize(i.size).display().si(),
                        if i.layers == 1 { "1 layer".to_owned() } else { format!("{} layers", i.layers) },
                        i.tags.join(", ")
                    );
                }
                Ok(())
            }
        }
    }
}
