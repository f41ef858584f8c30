//! Boatyard: a self-hosted, browser-based container playground.
//!
//! ARCHITECTURE.md is the map. `session` is the heart and knows no HTTP; `web` translates.

pub mod agent;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod course;
mod docker;
pub mod doctor;
pub mod engine;
pub mod image;
pub mod paths;
pub mod ports;
pub mod registry;
pub mod sdk;
pub mod server;
pub mod session;
pub mod ssh;
pub mod stack;
pub mod store;
pub mod template;
pub mod web;
pub mod xray;
