//! `boatyard lab`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::{course, stack::Stacks};

#[derive(Debug, Subcommand)]
pub enum Lab {
    /// Check a folder with courses, without running anything.
    Check {
        /// The folder that holds the courses' folders.
        #[arg(default_value = "courses")]
        folder: PathBuf,
    },
}

impl Lab {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Lab::Check { folder } = self;
        anyhow::ensure!(folder.is_dir(), "there is no folder {}", folder.display());
        let problems = course::validate(&folder);
        for p in &problems {
            println!("{p}");
        }
        let (_, broken) = Stacks::load(&folder, None);
        for p in &broken {
            println!("{p}");
        }
        let errors = problems.iter().filter(|p| p.severity == course::Severity::Error).count() + broken.len();
        anyhow::ensure!(errors == 0, "{errors} errors in {}; see docs/lesson-format.md", folder.display());
        println!("{} is in order ({} warnings)", folder.display(), problems.len());
        Ok(())
    }
}
