//! Owns the reading of cron expressions in time zones.
//!
//! Invariant: a pure function of its arguments and of the time zone tables this release ships.
//! Around changes of the clocks: an instant that does not exist moves forward with the clock, one that
//! exists twice counts once.

use std::str::FromStr;

use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::{Calendar, Time};

/// How many candidate minutes are asked of the cron library before giving up.
const CANDIDATES_MAX: usize = 8;

/// Reads cron expressions with five or six fields, in IANA time zones.
#[derive(Debug, Default)]
pub struct ZonedCalendar;

impl Calendar for ZonedCalendar {
    fn next_after(&self, cron: &str, zone: &str, after: Time) -> Result<Option<Time>, String> {
        let pattern = Cron::from_str(cron).map_err(|error| {
            format!("{cron:?} is no cron expression ({error}); write for example \"0 2 * * *\" for two o'clock each night")
        })?;
        let zone = TimeZone::get(zone).map_err(|_| {
            format!("{zone:?} is no time zone; use an IANA name such as Europe/Berlin or UTC")
        })?;
        let ms = i64::try_from(after.0).map_err(|_| "the instant is out of range".to_string())?;
        let start = Timestamp::from_millisecond(ms).map_err(|error| error.to_string())?;
        // The cron library is asked in local wall-clock time dressed as UTC; zones are jiff's business.
        let mut wall = start.to_zoned(zone.clone()).datetime();
        for _ in 0..CANDIDATES_MAX {
            let Some(next) = next_wall(&pattern, wall) else {
                return Ok(None);
            };
            let instant = zone
                .to_ambiguous_timestamp(next)
                .compatible()
                .map_err(|error| error.to_string())?;
            if instant > start {
                return Ok(Some(Time(
                    u64::try_from(instant.as_millisecond()).unwrap_or(0),
                )));
            }
            wall = next;
        }
        Ok(None)
    }
}

/// The next wall-clock time that a pattern means after another.
fn next_wall(pattern: &Cron, after: jiff::civil::DateTime) -> Option<jiff::civil::DateTime> {
    let seconds = after.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    let dressed = chrono::DateTime::from_timestamp(seconds, 0)?;
    let next = pattern.find_next_occurrence(&dressed, false).ok()?;
    let stamp = Timestamp::from_second(next.timestamp()).ok()?;
    Some(stamp.to_zoned(TimeZone::UTC).datetime())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cron: &str, zone: &str, after: &str) -> String {
        let after: Timestamp = after.parse().expect("a test instant");
        let after = Time(u64::try_from(after.as_millisecond()).expect("after 1970"));
        match ZonedCalendar.next_after(cron, zone, after) {
            Ok(Some(at)) => kernel::rfc3339(at),
            Ok(None) => "never".into(),
            Err(error) => error,
        }
    }

    #[test]
    fn instants_follow_the_wall_clock_of_the_zone() {
        assert_eq!(
            next("0 2 * * *", "UTC", "2026-01-01T00:00:00Z"),
            "2026-01-01T02:00:00Z"
        );
        assert_eq!(
            next("0 2 * * *", "UTC", "2026-01-01T02:00:00Z"),
            "2026-01-02T02:00:00Z"
        );
        assert_eq!(
            next("0 2 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z"),
            "2026-01-01T01:00:00Z"
        );
        assert_eq!(
            next("*/15 * * * * *", "UTC", "2026-01-01T00:00:01Z"),
            "2026-01-01T00:00:15Z"
        );
    }

    #[test]
    fn the_hour_that_does_not_exist_moves_and_the_one_that_exists_twice_counts_once() {
        // Clocks in Berlin go from 02:00 to 03:00 on 29 March 2026 and from 03:00 to 02:00 on 25 October.
        assert_eq!(
            next("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z"),
            "2026-03-29T01:30:00Z"
        );
        assert_eq!(
            next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z"),
            "2026-10-25T00:30:00Z"
        );
        assert_eq!(
            next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z"),
            "2026-10-26T01:30:00Z"
        );
    }

    #[test]
    fn what_cannot_be_read_is_explained() {
        assert!(next("every day", "UTC", "2026-01-01T00:00:00Z").contains("is no cron expression"));
        assert!(next("0 2 * * *", "Berlin", "2026-01-01T00:00:00Z").contains("is no time zone"));
        assert_eq!(next("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z"), "never");
    }
}
