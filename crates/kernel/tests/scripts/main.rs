//! Scripts: a graph, what happens to it, and the events that follow; and properties of all of them.
//!
//! Reading a log: `+1 a task` step 1 came to node a · `. b` a token passed b · `=1` completed ·
//! `!1` failed · `x1` was withdrawn · `[2 1#0` step 1 opened frame 2 as its element 0 · `]2` it closed.

#![expect(
    clippy::unwrap_used,
    reason = "what surrounds the kernel here is part of a test"
)]

extern crate quadrille_kernel as kernel;

mod child;
mod flow;
mod golden;
mod graphs;
mod human;
mod join;
mod life;
mod limits;
mod listen;
mod lock;
mod milestone;
mod partial;
mod properties;
mod region;
mod schedule;
mod schema;
mod signal;
mod task;
mod tries;
mod withdraw;
mod world;
