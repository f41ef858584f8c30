//! Wire types of server, agent and browser: plain data, no I/O.
//!
//! Three wires meet here:
//!
//! - server ⇄ agent: HTTP/1.1 and WebSocket on the agent's Unix socket; bodies in [`agent`], frames of a process in [`process`].
//! - browser ⇄ server ⇄ agent, terminals: binary frames in [`terminal`], carried through the server unchanged.
//! - agent → server announcements: one JSON [`agent::Event`] or [`agent::StreamOffer`] in each WebSocket text message.

pub mod agent;
pub mod process;
pub mod terminal;

/// Version of the server ⇄ agent protocol. The server serves this version and the one before, since an agent outlives
/// the server that started it.
pub const VERSION: u32 = 1;
