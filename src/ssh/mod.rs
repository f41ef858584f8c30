//! The ssh server: how students reach their nodes from machines of their own. Off unless the operator gives it a port.
//!
//! It ends at the server: what a login does, a node's agent does. A user name says which node
//! ([`login`]); a key or a one-time password of the session opens it ([`handler`]); each channel is a process or a stream of the
//! agent ([`channel`]). What a student may take of the server is counted in [`limits`] and [`outside`].

mod channel;
mod connection;
mod handler;
mod host_key;
mod key;
mod limits;
mod login;
mod outside;
pub mod secret;
mod server;
mod settings;

pub use key::{BadKey, PublicKey};
pub use login::Login;
pub use outside::{Outside, Place, Reached};
pub use server::{SshServer, serve};
pub use settings::SshSettings;
