//! What PID 1 sets up inside its sandbox before and while it serves.

pub mod boot;
pub mod meminfo;
pub mod names;
pub mod redirect;
pub mod ssh;
pub mod tunnels;
