//! The web side: translates between HTTP and the rest, and nothing more.

pub mod assets;
pub mod view;
