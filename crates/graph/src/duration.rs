//! Owns [`Delay`] and the reading of durations: ISO 8601 text or an object of whole units.
//!
//! Invariant: a duration is a whole number of milliseconds. Years and months are refused, because
//! they mean nothing without a calendar.

use alloc::format;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::template::Template;
use crate::value::Value;

/// The longest duration that is accepted: a hundred years.
pub const DURATION_MS_MAX: u64 = 100 * 366 * 86_400_000;

/// A length of time, fixed or computed while the run goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delay {
    /// Milliseconds.
    Ms(u64),
    /// Computed: see [`read`] for what it may give.
    Computed(Template),
}

const UNITS: [(&str, u64); 6] = [
    ("weeks", 604_800_000),
    ("days", 86_400_000),
    ("hours", 3_600_000),
    ("minutes", 60_000),
    ("seconds", 1_000),
    ("milliseconds", 1),
];

/// Milliseconds meant by a value: ISO 8601 text (`PT1H30M`), an object (`{"minutes": 5}`), or a whole
/// number of milliseconds.
///
/// # Errors
/// Anything else, with what was expected.
pub fn read(value: &Value) -> Result<u64, String> {
    let ms = match value {
        Value::Text(text) => parse_iso(text)?,
        Value::Object(members) => {
            let mut total = 0_u64;
            for (unit, amount) in members.iter() {
                let (_, factor) = UNITS.iter().find(|(name, _)| **name == **unit).ok_or_else(|| {
                    format!("unknown unit of time {unit:?}; use days, hours, minutes, seconds or milliseconds")
                })?;
                let amount = amount
                    .as_int()
                    .and_then(|n| u64::try_from(n).ok())
                    .ok_or_else(|| format!("{unit} must be a whole number that is not negative, not {amount}"))?;
                total = total.saturating_add(amount.saturating_mul(*factor));
            }
            total
        }
        Value::Int(_) | Value::Float(_) => value
            .as_int()
            .and_then(|n| u64::try_from(n).ok())
            .ok_or_else(|| format!("a duration must be a whole number of milliseconds that is not negative, not {value}"))?,
        other => return Err(format!("a duration is ISO 8601 text such as \"PT5M\" or an object such as {{\"minutes\": 5}}, not {}", other.kind())),
    };
    if ms > DURATION_MS_MAX {
        Err("a duration may not be longer than 100 years".to_string())
    } else {
        Ok(ms)
    }
}

/// Milliseconds of an ISO 8601 duration such as `P1DT2H`, `PT1.5S` or `P2W`.
///
/// # Errors
/// Text that is none, with what is wrong; years and months.
pub fn parse_iso(text: &str) -> Result<u64, String> {
    let wrong = || {
        format!("{text:?} is not an ISO 8601 duration; write for example PT30S, PT5M or P1DT12H")
    };
    let (date, time) = match text.strip_prefix('P').ok_or_else(wrong)?.split_once('T') {
        Some((_, "")) => return Err(wrong()),
        Some((date, time)) => (date, time),
        None => (text.get(1..).unwrap_or(""), ""),
    };
    if date.is_empty() && time.is_empty() {
        return Err(wrong());
    }
    let years = |unit: char| matches!(unit, 'Y' | 'M');
    if date.chars().any(years) {
        return Err(format!(
            "{text:?} counts years or months, whose length depends on the calendar; use days"
        ));
    }
    let date_ms = parse_parts(date, &[('W', 604_800_000), ('D', 86_400_000)]).ok_or_else(wrong)?;
    let time_ms =
        parse_parts(time, &[('H', 3_600_000), ('M', 60_000), ('S', 1_000)]).ok_or_else(wrong)?;
    Ok(date_ms.saturating_add(time_ms))
}

/// Sums `12D3…` for the given designators in their order, each at most once.
fn parse_parts(mut text: &str, designators: &[(char, u64)]) -> Option<u64> {
    let mut total = 0_u64;
    for (designator, factor) in designators {
        let Some((number, rest)) = text.split_once(*designator) else {
            continue;
        };
        total = total.saturating_add(parse_amount(number, *factor)?);
        text = rest;
    }
    text.is_empty().then_some(total)
}

/// A decimal number times a factor, rounded down to whole milliseconds.
fn parse_amount(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| {
        !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(whole) || (number.contains('.') && !digits(fraction)) {
        return None;
    }
    let mut ms = whole.parse::<u64>().ok()?.saturating_mul(factor);
    let mut unit = factor;
    for digit in fraction.bytes() {
        unit /= 10;
        ms = ms.saturating_add(u64::from(digit - b'0') * unit);
    }
    Some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_durations() {
        for (text, ms) in [
            ("PT30S", Some(30_000)),
            ("P1DT2H3M4.5S", Some(93_784_500)),
            ("P2W", Some(1_209_600_000)),
            ("PT1.5H", Some(5_400_000)),
            ("PT0S", Some(0)),
            ("P", None),
            ("PT", None),
            ("P1M", None),
            ("PT-1S", None),
            ("PT1S1M", None),
            ("1S", None),
            ("PT999999999999999999999S", None),
        ] {
            assert_eq!(parse_iso(text).ok(), ms, "{text}");
        }
    }

    #[test]
    fn objects_and_numbers() {
        assert_eq!(
            read(&Value::from([
                ("minutes", Value::Int(2)),
                ("seconds", Value::Int(5))
            ])),
            Ok(125_000)
        );
        assert_eq!(read(&Value::Int(250)), Ok(250));
        assert!(
            read(&Value::from([("fortnights", Value::Int(1))]))
                .unwrap_err()
                .contains("unknown unit")
        );
        assert!(read(&Value::Int(-1)).is_err());
        assert!(read(&Value::Int(i64::MAX)).is_err());
    }
}
