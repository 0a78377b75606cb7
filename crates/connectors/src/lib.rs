//! The workers we ship.
//!
//! A connector is an ordinary worker on the SDK: it speaks the contract like any other and could as well
//! run beside the server as inside of it.

mod authentication;
pub mod http;
pub mod outgoing;
mod reading;
