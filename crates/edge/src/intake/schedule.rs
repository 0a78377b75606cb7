//! Owns what it means to ask for a schedule.
//!
//! Invariant: words are checked here, calendars by the kernel.

use graph::Value;
use kernel::schedule::{CatchUp, Overlap, Schedule, Trigger};
use kernel::{Command, Time};

use crate::intake::workflow_name;
use crate::refusal::Refusal;

/// The time zone of a schedule that names none.
pub(super) const ZONE_DEFAULT: &str = "UTC";

/// A request for a schedule; empty texts and zeros stand for none.
#[derive(Default)]
pub(crate) struct ScheduleParts {
    /// Its name.
    pub(crate) name: String,
    /// What to start.
    pub(crate) workflow: String,
    /// Which version; empty for the latest at that time.
    pub(crate) version: String,
    /// With what.
    pub(crate) input: Value,
    /// Either a cron expression...
    pub(crate) cron: String,
    /// IANA name, only with a cron expression; empty for UTC.
    pub(crate) time_zone: String,
    /// ...or an interval...
    pub(crate) every_ms: u64,
    /// ...or a pause between the end of a run and the next...
    pub(crate) after_ms: u64,
    /// ...or the events that the workflow names.
    pub(crate) on_events: bool,
    /// No starts before, in milliseconds since 1970.
    pub(crate) from_ms: u64,
    /// No starts after, in milliseconds since 1970.
    pub(crate) until_ms: u64,
    /// A word of [`Overlap`]; empty for `skip`.
    pub(crate) overlap: String,
    /// A word of [`CatchUp`]; empty for `skip`.
    pub(crate) catch_up: String,
    /// Whether it rests.
    pub(crate) paused: bool,
}

/// The wish that a request stands for.
pub(crate) fn schedule(parts: ScheduleParts) -> Result<Command, Refusal> {
    let overlap = word(
        "overlap",
        &parts.overlap,
        Overlap::Skip,
        Overlap::from_word,
        Overlap::ALL,
        Overlap::word,
    )?;
    let catch_up = word(
        "catch_up",
        &parts.catch_up,
        CatchUp::Skip,
        CatchUp::from_word,
        CatchUp::ALL,
        CatchUp::word,
    )?;
    if parts.cron.is_empty() && !parts.time_zone.is_empty() {
        return Err(Refusal::argument(
            "time_zone",
            "only a cron expression has one; leave it out, or give `cron`",
        ));
    }
    let zone = if parts.time_zone.is_empty() {
        ZONE_DEFAULT
    } else {
        &parts.time_zone
    };
    Ok(Command::PutSchedule {
        schedule: Schedule {
            name: parts.name.into(),
            workflow: workflow_name(&parts.workflow).into(),
            version: (!parts.version.is_empty()).then(|| parts.version.into()),
            input: parts.input,
            cron: (!parts.cron.is_empty()).then(|| parts.cron.into()),
            zone: zone.into(),
            every_ms: (parts.every_ms > 0).then_some(parts.every_ms),
            overlap,
            catch_up,
            paused: parts.paused,
            next_at: None,
            last_at: None,
            started: 0,
            active: Vec::new(),
            waiting: None,
            after_ms: (parts.after_ms > 0).then_some(parts.after_ms),
            trigger: parts.on_events.then(Trigger::default),
            from: (parts.from_ms > 0).then_some(Time(parts.from_ms)),
            until: (parts.until_ms > 0).then_some(Time(parts.until_ms)),
        },
    })
}

fn word<T: Copy>(
    field: &str,
    text: &str,
    default: T,
    read: fn(&str) -> Option<T>,
    all: &[T],
    show: fn(T) -> &'static str,
) -> Result<T, Refusal> {
    if text.is_empty() {
        return Ok(default);
    }
    read(text).ok_or_else(|| {
        let words: Vec<_> = all.iter().map(|value| show(*value)).collect();
        Refusal::argument(field, format!("{text:?} is none of {}", words.join(", ")))
    })
}
