//! Channels: each is a process or a stream of a node's agent. What goes to the client waits for the channel's window; what
//! comes from it is counted until it is where it belongs.

mod forward;
mod login;
mod queue;

pub use forward::{Destination, forward};
pub use login::login;
