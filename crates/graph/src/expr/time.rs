//! Owns dates: seconds since 1970 to ISO 8601 text and back, always UTC.
//!
//! Invariant: no clock and no time zone database; years 1 to 9999 only.

use alloc::format;

use super::budget::Budget;
use super::error::Stop;
use super::function::Strict;
use super::{number, order};
use crate::value::Value;

pub(super) const DAY_SECONDS: i64 = 86_400;
/// Days from 1 March of year 0 to 1 January 1970.
const EPOCH_DAYS: i64 = 719_468;
/// Days in 400 years.
const ERA_DAYS: i64 = 146_097;
pub(super) const SECONDS_MIN: i64 = -62_135_596_800;
pub(super) const SECONDS_MAX: i64 = 253_402_300_799;

/// Days since 1970 of a date; years start in March so that the leap day is the last.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
        - EPOCH_DAYS
}

/// The date of days since 1970.
pub(super) fn date(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (era, day) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (
        era * 400 + year_of_era + i64::from(month <= 2),
        month,
        day_of_year - (153 * shifted + 2) / 5 + 1,
    )
}

fn to_iso(value: &Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let seconds = number::whole(value)
        .filter(|seconds| (SECONDS_MIN..=SECONDS_MAX).contains(seconds))
        .ok_or_else(|| {
            Stop::failed(format!(
                "{} is not a time in seconds since 1970",
                order::shown(value)
            ))
        })?;
    budget.alloc(32)?;
    let (year, month, day) = date(seconds.div_euclid(DAY_SECONDS));
    let second = seconds.rem_euclid(DAY_SECONDS);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    Ok(Value::text(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    )))
}

fn from_iso(value: &Value, _: &[Value], _: &Budget) -> Result<Value, Stop> {
    let text = super::text::text("fromdateiso8601", value)?;
    parse(text.as_bytes()).map(Value::Int).ok_or_else(|| {
        Stop::failed(format!(
            "{} is not a time like \"2026-01-31T12:00:00Z\"",
            order::shown(value)
        ))
    })
}

/// `2026-01-31T12:00:00`, a fraction that is dropped, then `Z` or `+01:00`.
fn parse(text: &[u8]) -> Option<i64> {
    let number = |from: usize, to: usize| {
        text.get(from..to)?.iter().try_fold(0_i64, |n, b| {
            b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0'))
        })
    };
    let sign = |at: usize, signs: &[u8]| {
        text.get(at)
            .is_some_and(|b| signs.contains(b))
            .then_some(())
    };
    sign(4, b"-")?;
    sign(7, b"-")?;
    sign(10, b"Tt ")?;
    sign(13, b":")?;
    sign(16, b":")?;
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let start = days(year, month, day);
    if year < 1 || date(start) != (year, month, day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut at = 19;
    if text.get(at) == Some(&b'.') {
        at += 1 + text[at + 1..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
    }
    let offset = match text.get(at..)? {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let seconds = number(at + 1, at + 3)? * 3600 + number(at + 4, at + 6)? * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    Some(start * DAY_SECONDS + hour * 3600 + minute * 60 + second - offset)
}

/// The functions of dates.
pub(super) const FUNCTIONS: &[Strict] = &[
    Strict {
        name: "todateiso8601",
        arity: 0,
        run: |v, a, b| to_iso(&v, a, b),
    },
    Strict {
        name: "fromdateiso8601",
        arity: 0,
        run: |v, a, b| from_iso(&v, a, b),
    },
];
