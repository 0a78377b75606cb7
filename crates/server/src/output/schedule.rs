//! Owns a schedule as JSON and as a row of a table, and the words for what it does when late.

use std::time::Duration;

use sdk::{CatchUp, Overlap, Schedule, Timing};
use serde::Serialize;
use serde_json::Value;

use super::paint::Paint;
use super::run::value;
use super::table::Table;
use super::time;

/// What happens if a run is due while the one before has not ended.
pub(crate) const OVERLAPS: [(&str, Overlap); 5] = [
    ("skip", Overlap::Skip),
    ("queue", Overlap::Queue),
    ("allow", Overlap::Allow),
    ("cancel", Overlap::Cancel),
    ("terminate", Overlap::Terminate),
];

/// What happens about starts that were missed.
pub(crate) const CATCH_UPS: [(&str, CatchUp); 3] = [
    ("skip", CatchUp::Skip),
    ("one", CatchUp::One),
    ("all", CatchUp::All),
];

/// A schedule as JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ScheduleRecord<'s> {
    name: &'s str,
    workflow: &'s str,
    version: Option<&'s str>,
    input: Value,
    cron: Option<&'s str>,
    time_zone: Option<&'s str>,
    every_ms: Option<u64>,
    after_ms: Option<u64>,
    on_events: bool,
    from: Option<String>,
    until: Option<String>,
    overlap: &'static str,
    catch_up: &'static str,
    paused: bool,
    next_at: Option<String>,
    last_at: Option<String>,
    started: u64,
}

impl<'s> From<&'s Schedule> for ScheduleRecord<'s> {
    fn from(schedule: &'s Schedule) -> Self {
        let (cron, time_zone) = match &schedule.timing {
            Timing::Cron {
                expression,
                time_zone,
            } => (Some(expression.as_str()), time_zone.as_deref()),
            _ => (None, None),
        };
        let (every_ms, after_ms) = match &schedule.timing {
            Timing::Every(span) => (u64::try_from(span.as_millis()).ok(), None),
            Timing::After(span) => (None, u64::try_from(span.as_millis()).ok()),
            _ => (None, None),
        };
        ScheduleRecord {
            name: &schedule.name,
            workflow: &schedule.workflow,
            version: schedule.version.as_deref(),
            input: value(&schedule.input),
            cron,
            time_zone,
            every_ms,
            after_ms,
            on_events: schedule.timing == Timing::OnEvents,
            from: schedule.from_ms.map(time::instant),
            until: schedule.until_ms.map(time::instant),
            overlap: word(&OVERLAPS, schedule.overlap),
            catch_up: word(&CATCH_UPS, schedule.catch_up),
            paused: schedule.paused,
            next_at: schedule.next_at_ms.map(time::instant),
            last_at: schedule.last_at_ms.map(time::instant),
            started: schedule.started,
        }
    }
}

/// The word of a choice.
pub(crate) fn word<T: PartialEq + Copy>(words: &[(&'static str, T)], choice: T) -> &'static str {
    words
        .iter()
        .find(|(_, listed)| *listed == choice)
        .map_or("unknown", |(word, _)| word)
}

fn words(span: Duration) -> String {
    time::span(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

/// When a schedule starts runs, in words.
pub(crate) fn timing(timing: &Timing) -> String {
    match timing {
        Timing::Cron {
            expression,
            time_zone: Some(zone),
        } => format!("{expression} ({zone})"),
        Timing::Cron {
            expression,
            time_zone: None,
        } => expression.clone(),
        Timing::Every(span) => format!("every {}", words(*span)),
        Timing::After(span) => format!("{} after the last", words(*span)),
        Timing::OnEvents => "on events".into(),
    }
}

/// Schedules as a table.
pub(crate) fn table(schedules: &[Schedule], paint: Paint) -> String {
    let mut table = Table::new([
        "NAME", "WORKFLOW", "WHEN", "PAUSED", "NEXT", "LAST", "STARTED",
    ]);
    for schedule in schedules {
        table.row([
            schedule.name.as_str().into(),
            schedule.workflow.as_str().into(),
            timing(&schedule.timing).into(),
            if schedule.paused { "yes" } else { "" }.into(),
            schedule
                .next_at_ms
                .map(time::instant_short)
                .unwrap_or_default()
                .into(),
            schedule
                .last_at_ms
                .map(time::instant_short)
                .unwrap_or_default()
                .into(),
            schedule.started.to_string().into(),
        ]);
    }
    table.render(paint)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A schedule that has run.
    pub(crate) fn sample() -> Schedule {
        let timing = Timing::Cron {
            expression: "0 2 * * *".into(),
            time_zone: Some("Europe/Berlin".into()),
        };
        Schedule {
            next_at_ms: Some(1_767_225_600_000),
            last_at_ms: Some(1_767_139_200_000),
            started: 3,
            ..Schedule::new("nightly", "report", timing)
        }
    }

    #[test]
    fn as_json_and_as_a_table() {
        let often = Schedule {
            paused: true,
            ..Schedule::new("often", "poll", Timing::Every(Duration::from_secs(90)))
        };
        insta::assert_snapshot!(table(&[sample(), often], Paint::Plain), @r"
        NAME     WORKFLOW  WHEN                       PAUSED  NEXT                  LAST                  STARTED
        nightly  report    0 2 * * * (Europe/Berlin)  -       2026-01-01T00:00:00Z  2025-12-31T00:00:00Z  3
        often    poll      every 1m 30s               yes     -                     -                     0
        ");
        insta::assert_snapshot!(serde_json::to_string(&ScheduleRecord::from(&sample())).unwrap(), @r#"{"name":"nightly","workflow":"report","version":null,"input":null,"cron":"0 2 * * *","time_zone":"Europe/Berlin","every_ms":null,"after_ms":null,"on_events":false,"from":null,"until":null,"overlap":"skip","catch_up":"skip","paused":false,"next_at":"2026-01-01T00:00:00.000Z","last_at":"2025-12-31T00:00:00.000Z","started":3}"#);
    }
}
