//! What PID 1 sets up inside its sandbox before and while it serves.

pub mod boot;
pub mod containers;
pub mod home;
pub mod names;
pub mod offline;
mod own;
pub mod proc;
pub mod redirect;
pub mod ssh;
pub mod tunnels;
