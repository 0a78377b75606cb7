//! Rust client and worker.
