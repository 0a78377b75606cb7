//! Owns the only clock of the engine.
//!
//! Invariant: it never goes back, and a jump of the system's clock while the server runs moves it only
//! slowly: durations are measured by the monotonic clock, and the distance to the system's clock is
//! made up for at one part in a hundred.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kernel::Time;

/// How often the distance to the system's clock is looked at.
const CORRECTION_EVERY: Duration = Duration::from_secs(1);

/// The largest correction each time, in milliseconds.
const CORRECTION_MS_MAX: i64 = 10;

/// Milliseconds since 1970, steadily.
pub(crate) struct Clock {
    started: Instant,
    base_ms: i64,
    checked: Instant,
    last: Time,
}

impl Clock {
    /// A clock that shows the system's time, but no earlier than `last`.
    pub(crate) fn new(last: Time) -> Clock {
        let now = Instant::now();
        Clock {
            started: now,
            base_ms: system_ms().max(i64::try_from(last.0).unwrap_or(i64::MAX)),
            checked: now,
            last,
        }
    }

    pub(crate) fn now(&mut self) -> Time {
        let now = Instant::now();
        if now.duration_since(self.checked) >= CORRECTION_EVERY {
            self.checked = now;
            let distance = system_ms() - self.reading(now);
            self.base_ms += distance.clamp(-CORRECTION_MS_MAX, CORRECTION_MS_MAX);
        }
        self.last = self
            .last
            .max(Time(u64::try_from(self.reading(now)).unwrap_or(0)));
        self.last
    }

    fn reading(&self, now: Instant) -> i64 {
        let elapsed =
            i64::try_from(now.duration_since(self.started).as_millis()).unwrap_or(i64::MAX);
        self.base_ms.saturating_add(elapsed)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that everything else takes its time from"
)]
fn system_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back_behind_what_was_stamped_before() {
        let future = Time(u64::try_from(system_ms()).expect("after 1970") + 3_600_000);
        let mut clock = Clock::new(future);
        assert_eq!(clock.now(), future);
        assert!(clock.now() >= future);
    }

    #[test]
    fn it_goes_on_though_the_system_clock_is_behind_what_was_stamped_before() {
        let future = Time(u64::try_from(system_ms()).expect("after 1970") + 3_600_000);
        let mut clock = Clock::new(future);
        let begun = Instant::now();
        while clock.now() <= future {
            assert!(begun.elapsed() < Duration::from_secs(30), "it stands still");
            std::thread::yield_now();
        }
    }
}
