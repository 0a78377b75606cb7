//! Owns the way inward: the JSON bodies that clients send.
//!
//! Invariant: a member that is not known is refused with its name.

use std::collections::BTreeMap;

use graph::Value;
use kernel::{Command, StartRun};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::intake::{self, ScheduleParts, StartParts};
use crate::refusal::Refusal;
use crate::rest::words::{CatchUpPolicy, OverlapPolicy};

/// A run to start.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StartRunRequest {
    /// The workflow.
    workflow: String,
    /// Its version; the latest if left out.
    #[serde(default)]
    version: String,
    /// Business key: the same key finds the same run.
    #[serde(default)]
    key: String,
    /// The input; `{}` if left out.
    #[serde(default = "intake::empty_object")]
    #[schema(value_type = Value)]
    input: Value,
    /// What it is found by.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// What it is searched by: JSON values.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Value>)]
    attributes: BTreeMap<String, Value>,
}

impl StartRunRequest {
    pub(super) fn into_start(self) -> Result<StartRun, Refusal> {
        intake::start(StartParts {
            workflow: self.workflow,
            version: self.version,
            key: self.key,
            input: self.input,
            labels: self
                .labels
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            attributes: self
                .attributes
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        })
    }
}

/// Why a run is to end.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndRunRequest {
    /// In your words.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// What to offer again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryRunRequest {
    /// Only this step; all if left out.
    #[serde(default)]
    pub(super) step: Option<u32>,
}

/// A signal for one run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalRunRequest {
    /// Its name.
    pub(super) name: String,
    /// What it carries; null if left out.
    #[serde(default)]
    #[schema(value_type = Value)]
    pub(super) data: Value,
    /// How long it is kept if it comes early, in milliseconds; a day if left out.
    #[serde(default)]
    pub(super) ttl_ms: u64,
}

/// When to start runs of what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PutScheduleRequest {
    /// What to start.
    workflow: String,
    /// Which version; the latest at that time if left out.
    #[serde(default)]
    version: String,
    /// The input; `{}` if left out.
    #[serde(default = "intake::empty_object")]
    #[schema(value_type = Value)]
    input: Value,
    /// A cron expression; either this...
    #[serde(default)]
    cron: String,
    /// IANA name of the time zone of `cron`; UTC if left out.
    #[serde(default)]
    time_zone: String,
    /// ...or an interval in milliseconds...
    #[serde(default)]
    every_ms: u64,
    /// ...or milliseconds between the end of a run and the next start...
    #[serde(default)]
    after_ms: u64,
    /// ...or the events that the workflow names under `schedule.on`.
    #[serde(default)]
    on_events: bool,
    /// No starts before, in milliseconds since 1970; at once if left out.
    #[serde(default)]
    from_ms: u64,
    /// No starts after, in milliseconds since 1970; for ever if left out.
    #[serde(default)]
    until_ms: u64,
    /// What to do when the run before has not ended; skip if left out.
    #[serde(default)]
    #[schema(value_type = OverlapPolicy)]
    overlap: String,
    /// What to do about starts that were missed; skip if left out.
    #[serde(default)]
    #[schema(value_type = CatchUpPolicy)]
    catch_up: String,
    /// Whether it rests.
    #[serde(default)]
    paused: bool,
}

impl PutScheduleRequest {
    pub(super) fn into_command(self, name: String) -> Result<Command, Refusal> {
        intake::schedule(ScheduleParts {
            name,
            workflow: self.workflow,
            version: self.version,
            input: self.input,
            cron: self.cron,
            time_zone: self.time_zone,
            every_ms: self.every_ms,
            after_ms: self.after_ms,
            on_events: self.on_events,
            from_ms: self.from_ms,
            until_ms: self.until_ms,
            overlap: self.overlap,
            catch_up: self.catch_up,
            paused: self.paused,
        })
    }
}
