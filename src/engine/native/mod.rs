//! The native engine: sandboxes on this host by an OCI runtime.
