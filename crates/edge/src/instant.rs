//! Owns how instants are written.

use jiff::Timestamp;
use kernel::Time;

/// A time as RFC 3339 in UTC with milliseconds, always as many digits.
pub(crate) fn instant(time: Time) -> String {
    let stamp = i64::try_from(time.0)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    stamp.map_or_else(|| kernel::rfc3339(time), |stamp| format!("{stamp:.3}"))
}
