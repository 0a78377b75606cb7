//! Owns instants and spans as people and machines read them. All are UTC.

use std::time::Duration;

use jiff::{SpanRelativeTo, Timestamp};

/// Milliseconds since 1970 as RFC 3339 with milliseconds.
pub(crate) fn instant(ms: u64) -> String {
    at(ms).map_or_else(|| format!("{ms} ms after 1970"), |at| format!("{at:.3}"))
}

/// The same to the second.
pub(crate) fn instant_short(ms: u64) -> String {
    at(ms).map_or_else(|| format!("{ms} ms after 1970"), |at| format!("{at:.0}"))
}

fn at(ms: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()
}

/// Milliseconds since 1970, now.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// How long something lasts, in at most two units.
pub(crate) fn span(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match () {
        () if seconds < 1 => format!("{ms}ms"),
        () if minutes < 1 && ms % 1_000 < 100 => format!("{seconds}s"),
        () if minutes < 1 => format!("{seconds}.{}s", ms % 1_000 / 100),
        () if hours < 1 => format!("{minutes}m {}s", seconds % 60),
        () if days < 1 => format!("{hours}h {}m", minutes % 60),
        () => format!("{days}d {}h", hours % 24),
    }
}

/// A span such as `90s`, `1h30m` or `2d`; days have 24 hours.
pub(crate) fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a span of time; write it like 90s, 1h30m or 2d");
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let span = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| wrong())?;
    Duration::try_from(span).map_err(|_| wrong())
}

/// An instant such as `2026-01-31T12:00:00Z`, or a span before now; as milliseconds since 1970.
pub(crate) fn parse_since(text: &str) -> Result<u64, String> {
    since(text, now_ms())
}

fn since(text: &str, now_ms: u64) -> Result<u64, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return u64::try_from(at.as_millisecond()).map_err(|_| format!("{text} is before 1970"));
    }
    let span = parse_span(text).map_err(|_| {
        format!(
            "{text:?} is neither an instant like 2026-01-31T12:00:00Z nor a span like 90s or 2d"
        )
    })?;
    Ok(now_ms.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_utc() {
        assert_eq!(instant(1_767_225_600_042), "2026-01-01T00:00:00.042Z");
        assert_eq!(instant_short(1_767_225_600_042), "2026-01-01T00:00:00Z");
        assert_eq!(instant(u64::MAX), "18446744073709551615 ms after 1970");
    }

    #[test]
    fn spans_have_at_most_two_units() {
        let cases = [
            (0, "0ms"),
            (999, "999ms"),
            (3_000, "3s"),
            (1_950, "1.9s"),
            (61_000, "1m 1s"),
            (3_660_000, "1h 1m"),
        ];
        for (ms, text) in cases {
            assert_eq!(span(ms), text);
        }
        assert_eq!(span(90_000_000), "1d 1h");
    }

    #[test]
    fn spans_and_instants_are_read() {
        assert_eq!(parse_span("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse_span("2d"), Ok(Duration::from_secs(172_800)));
        assert_eq!(parse_span("500ms"), Ok(Duration::from_millis(500)));
        assert!(parse_span("-5s").is_err());
        assert!(parse_span("5").is_err());
        assert_eq!(since("2026-01-01T00:00:00Z", 0), Ok(1_767_225_600_000));
        assert_eq!(since("1m", 100_000), Ok(40_000));
        assert!(since("yesterday", 0).is_err());
    }
}
