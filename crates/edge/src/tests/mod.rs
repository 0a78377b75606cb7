//! Tests of the borders from outside: what a client sends and what it gets.
//!
//! Invariant: they see the crate as a client does, but for the error tables.

mod contract;
mod fixture;
mod grpc;
mod human;
mod lifecycle;
mod rest;
mod socket;
mod starts;
