//! Boatyard: a self-hosted, browser-based container playground.
//!
//! ARCHITECTURE.md is the map. `session` is the heart and knows no HTTP; `web` translates.

pub mod doctor;
pub mod engine;
pub mod paths;
