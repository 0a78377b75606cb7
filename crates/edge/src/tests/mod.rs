//! Tests of the borders from outside: what a client sends and what it gets.

mod contract;
mod fixture;
mod grpc;
mod rest;
mod socket;
