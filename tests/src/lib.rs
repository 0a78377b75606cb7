//! What tests of the real binary need: the binary, a server that can be killed, commands, and patience.
//!
//! Invariant: whatever is started here is gone when its owner is dropped, and nothing waits for ever.

mod binary;
mod command;
mod patience;
mod server;

pub use binary::binary;
pub use command::{Ended, Quadrille};
pub use patience::{PATIENCE, until};
pub use server::Server;
