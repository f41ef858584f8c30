//! The X-ray: a live picture of what a session's Docker Engines and its registry hold, and in words what each command
//! changed.
//!
//! It is made while someone looks, once for all who look at a session. Nothing is polled for changes: the engine's
//! events, what the agent sees in Docker's storage, and the registry's pushes say that something changed, and only that
//! is read again, over the engine's API. What the engine tells by no event is asked again and again only while it
//! lasts: the gauges of running containers, and a swarm's tasks.

mod buildkit;
mod deeds;
mod follow;
mod gauges;
mod incoming;
mod layers;
mod model;
mod read;
mod shared;
mod swarm;

pub use model::*;
pub use shared::{Look, Xray};
