//! The workers we ship: http.
//!
//! A connector is an ordinary worker on the SDK: it speaks the contract like any other and could as well
//! run beside the server as inside of it.

pub mod http;
