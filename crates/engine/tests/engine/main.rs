//! The engine from outside, noun by noun.

mod full;
mod history;
mod human;
mod life;
mod stage;
mod waiting;
