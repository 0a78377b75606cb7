//! Owns when runs start by themselves: `schedule`, and its hints in the document's metadata.
//!
//! Invariant: a schedule that comes out says when in exactly one way, and has an instant or an event to wait for.

use std::str::FromStr;

use graph::ir::Listen;

use crate::compile::{Pace, Schedule};
use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// The metadata that says more of a schedule than the language can.
const HINTS: &str = "dev.quadrille/schedule";

/// The shortest time from one start to the next.
const PAUSE_MS_MIN: u64 = 1_000;

impl<'t> Lowering<'t> {
    /// When runs of a document start by themselves.
    pub(crate) fn schedule(&mut self, root: At<'t>) -> Option<Schedule> {
        let metadata = root.member("document").and_then(|at| at.member("metadata"));
        let hints = metadata.and_then(|metadata| metadata.member(HINTS));
        let Some(at) = root.member("schedule") else {
            if let Some(hints) = hints {
                let message = format!(
                    "there is no `schedule` that `{HINTS}` could be about; add one or remove this"
                );
                self.findings.warning(hints, "unused", message);
            }
            return None;
        };
        let pace = self.pace(at);
        let mut schedule = Schedule {
            pace: pace?,
            zone: None,
            from_ms: None,
            until_ms: None,
            overlap: None,
            catch_up: None,
        };
        if let Some(hints) = hints {
            self.hints(hints, &mut schedule);
        }
        Some(schedule)
    }

    fn pace(&mut self, at: At<'t>) -> Option<Pace> {
        if !self.known(at, &["every", "cron", "after", "on", "read"]) {
            return None;
        }
        let words = ["every", "cron", "after", "on"];
        let ways: Vec<At<'t>> = words.iter().filter_map(|key| at.member(key)).collect();
        let [way] = ways[..] else {
            let message = "a schedule needs exactly one of `every`, `cron`, `after`, `on`";
            self.findings.error_key(at, "bad-value", message);
            return None;
        };
        match way.key() {
            "cron" => self.cron(way),
            "on" => self.trigger(at, way),
            word => match self.fixed_ms(way)? {
                ..PAUSE_MS_MIN => {
                    let message = format!("`{word}` must be a second at least");
                    self.findings.error(way, "bad-duration", message);
                    None
                }
                ms if word == "after" => Some(Pace::After(ms)),
                ms => Some(Pace::Every(ms)),
            },
        }
    }

    fn cron(&mut self, at: At<'t>) -> Option<Pace> {
        let text = self.literal(at)?;
        if let Some(why) = flaw_of_cron(&text) {
            let message = format!(
                "{} {why}; write for example '0 6 * * MON-FRI'",
                quote(&text)
            );
            self.findings.error(at, "bad-cron", message);
        }
        Some(Pace::Cron(text.to_string()))
    }

    /// Events that start runs. There is no run yet that their expressions could see.
    fn trigger(&mut self, schedule: At<'t>, at: At<'t>) -> Option<Pace> {
        self.known(at, &["one", "any", "all"]);
        let (filters, need) = self.strategy(at, &Scope::default())?;
        let envelope = schedule.member("read").is_none() || self.read(schedule);
        self.graph.trigger = Some(Listen {
            filters,
            need,
            envelope,
            until: None,
            each: None,
        });
        Some(Pace::On)
    }

    fn hints(&mut self, at: At<'t>, schedule: &mut Schedule) {
        self.known(at, &["timezone", "from", "until", "overlap", "catchUp"]);
        if let Some(zone) = at.member("timezone")
            && let Some(name) = self.literal(zone)
        {
            if !matches!(schedule.pace, Pace::Cron(_)) {
                let message = "only a cron expression has a time zone; remove this";
                self.findings.error_key(zone, "bad-value", message);
            } else if jiff::tz::TimeZone::get(&name).is_err() {
                let message = format!(
                    "{} is no time zone; use an IANA name such as Europe/Berlin or UTC",
                    quote(&name)
                );
                self.findings.error(zone, "bad-value", message);
            }
            schedule.zone = Some(name.to_string());
        }
        schedule.from_ms = at.member("from").and_then(|from| self.instant(from));
        schedule.until_ms = at.member("until").and_then(|until| self.instant(until));
        if let (Some(from), Some(until), Some(place)) =
            (schedule.from_ms, schedule.until_ms, at.member("until"))
            && until <= from
        {
            let message = "the schedule ends before it begins; let `until` come after `from`";
            self.findings.error(place, "bad-value", message);
        }
        let overlaps = ["skip", "queue", "allow", "cancel", "terminate"];
        if let Some(overlap) = at.member("overlap") {
            schedule.overlap = self.word(overlap, &overlaps);
            if schedule.overlap == Some("queue") && schedule.pace == Pace::On {
                let message = "a start by events cannot wait for the run before; use allow, skip, cancel or terminate";
                self.findings.error(overlap, "bad-value", message);
            }
        }
        if let Some(catch_up) = at.member("catchUp") {
            schedule.catch_up = self.word(catch_up, &["skip", "one", "all"]);
        }
    }
}

/// What is wrong with a cron expression.
fn flaw_of_cron(text: &str) -> Option<String> {
    match croner::Cron::from_str(text) {
        Ok(cron) => cron
            .find_next_occurrence(&chrono::DateTime::UNIX_EPOCH, false)
            .is_err()
            .then(|| "never comes: no date fits all of its fields".to_owned()),
        Err(error) => {
            let error = error.to_string();
            let error = error.trim_end_matches('.');
            let why = error.to_string();
            let why = why.trim_start_matches("Component error: ");
            Some(format!("is not a cron expression: {why}"))
        }
    }
}
