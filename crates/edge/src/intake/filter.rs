//! Owns the words and tokens that lists of runs are asked for with.
//!
//! Invariant: a page token names a place, not a number of runs to skip, so pages neither repeat nor miss
//! what was there all along.

use engine::query::Cursor;
use graph::value::Str;
use kernel::Time;

use crate::refusal::Refusal;

/// Every state a run can be in.
pub(crate) const STATES: [&str; 8] = [
    "running",
    "waiting",
    "suspended",
    "incident",
    "completed",
    "failed",
    "cancelled",
    "terminated",
];

/// A state that exists.
pub(crate) fn state(word: &str) -> Result<Str, Refusal> {
    if STATES.contains(&word) {
        return Ok(word.into());
    }
    Err(Refusal::argument(
        "state",
        format!("{word:?} is no state; states are {}", STATES.join(", ")),
    ))
}

/// The token of a place in the list.
pub(crate) fn cursor_token(cursor: Cursor) -> String {
    format!("{:x}.{}", cursor.started_at.0, cursor.run)
}

/// The place that a token names; none for the beginning.
pub(crate) fn cursor(token: &str) -> Result<Option<Cursor>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (started_at, run) = token.split_once('.')?;
        let started_at = Time(u64::from_str_radix(started_at, 16).ok()?);
        Some(Cursor {
            started_at,
            run: run.parse().ok()?,
        })
    };
    match read() {
        Some(cursor) => Ok(Some(cursor)),
        None => Err(Refusal::argument(
            "page_token",
            "is none that this server gave; leave it out for the first page",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_lead_back() {
        let place = Cursor {
            started_at: Time(1_700_000_000_000),
            run: kernel::RunId([7; 16]),
        };
        assert_eq!(cursor(&cursor_token(place)).unwrap(), Some(place));
        assert_eq!(cursor("").unwrap(), None);
        for token in ["x", "zz.00000000-0000-0000-0000-000000000000", "1.2", "."] {
            assert_eq!(
                cursor(token).unwrap_err().code(),
                "invalid-argument",
                "{token}"
            );
        }
    }
}
