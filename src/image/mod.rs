//! Lab images: the root file systems that sandboxes start from.
//!
//! An image is a folder `images/<name>/` below the data folder with the root file system in `rootfs/`, owned by the
//! host's root, and what is known of it in `image.json`. A folder appears there only when it is whole: building and
//! importing happen beside it, under a name that begins with a dot, and end with a rename. An image that is replaced
//! or removed while sandboxes still have it mounted is set aside under a dot name as well, until the last is gone.

pub mod apt;
mod archive;
mod build;
mod definition;
mod dpkg;
mod import;
mod info;
mod layer;
pub mod progress;
mod root;
mod store;

pub use self::{
    build::{build, is_current, rebuild},
    definition::{Definition, FileEntry},
    dpkg::Packages,
    import::import,
    info::{ImageInfo, Origin, list, read},
    store::{remove, sweep},
};

pub(crate) use self::{
    build::{debootstrap, finish},
    definition::check_name,
    store::remove_tree,
};

/// Name of the lab image that sessions get unless they ask for another.
pub const DEFAULT: &str = "default";
