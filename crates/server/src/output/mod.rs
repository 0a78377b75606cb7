//! How things look: as text for people and as JSON for machines. Pure functions; printing is elsewhere.

pub(crate) mod description;
pub(crate) mod event;
pub(crate) mod finding;
pub(crate) mod human;
pub(crate) mod junit;
pub(crate) mod paint;
pub(crate) mod problem;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod trial;
pub(crate) mod workflow;
