//! The engine from outside, noun by noun.

mod history;
mod life;
mod stage;
