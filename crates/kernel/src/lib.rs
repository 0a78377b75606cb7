//! The rules: which commands are accepted, which events follow, what is true after them, whom to tell.
//!
//! Four functions carry everything durable: [`keys`] (what must be in memory), [`decide`] (what
//! follows), [`State::apply`] (what is true), [`outstanding`] (what is owed to the world). The crate is
//! `no_std`: no clock, disk, thread or logging can get in.
#![no_std]
#![warn(missing_docs)]

extern crate alloc;

pub mod codec;

pub mod command;
pub mod effect;
pub mod event;
pub mod message;
pub mod rejection;

pub mod id;
pub mod limits;
pub mod state;

pub mod catalog;
pub mod human;
pub mod schedule;
pub mod signal;

mod catch;
mod child;
mod emit;
mod eval;
mod fork;
mod hold;
mod join;
mod listen;
pub mod lock;
mod merge;
mod milestone;
mod partial;
mod region;
mod repeat;
mod retry;
pub mod run;
mod split;
mod step;
mod task;
mod timer;
mod turn;
mod withdraw;

pub use command::{Command, Decision, Reply, StartRun, keys};
pub use effect::{Delivery, Effect, outstanding};
pub use eval::rfc3339;
pub use event::{Entry, Event, RunEvent};
pub use human::{HumanAct, Notice};
pub use id::{RunId, SessionId, StepId, StepRef, TaskToken, Time};
pub use message::Message;
pub use rejection::Rejection;
pub use schedule::Calendar;
pub use state::{Run, State, Status};
pub use turn::decide;
