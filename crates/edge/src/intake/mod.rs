//! What requests mean, whatever protocol they come by: commands and questions from checked parts.
//!
//! Invariant: nothing here knows a protocol, so that all protocols mean the same.

mod argument;
mod deploy;
mod filter;
mod human;
mod schedule;
mod start;

pub(crate) use argument::{
    REQUEST_BYTES_MAX, empty_object, json, run_id, run_wait, ttl, workflow_name,
};
pub(crate) use deploy::{Deployed, FOLLOWED, check, deploy};
pub(crate) use filter::{STATES, cursor, cursor_token, state};
pub(crate) use human::{
    about_human, human_state, human_states, human_task, names, place, place_token,
};
pub(crate) use schedule::{ScheduleParts, schedule};
pub(crate) use start::{StartParts, begin, start};
