//! Owns the verdicts: what a seed showed, and the exit code that says so.
//!
//! Invariant: a broken promise always carries the name of the invariant it breaks.

use std::fmt;

/// What the system promises, each checked in one file of `check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// What was acknowledged is there after any crash.
    AcknowledgedIsKept,
    /// Nothing leaves before the events it follows from are durable.
    NothingLeavesEarly,
    /// A task has at most one live claim, and only the current one counts.
    OneLiveClaim,
    /// A finished run never changes.
    FinishedStaysFinished,
    /// Nothing happens before its instant, and time does not go back.
    TimersNeverEarly,
    /// What recovery makes true is what was true, and the read model shows it.
    ReplayEqualsLive,
    /// A history counts from 0 without gaps.
    NumbersWithoutGaps,
    /// A step is entered once and left once.
    StepsOnce,
    /// A lock has no more holders than it may.
    LocksWithinLimit,
    /// Once faults stop, every run comes to its end.
    EveryRunEnds,
}

impl Invariant {
    /// As reports name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Invariant::AcknowledgedIsKept => "acknowledged is kept",
            Invariant::NothingLeavesEarly => "nothing leaves before it is durable",
            Invariant::OneLiveClaim => "one live claim per task",
            Invariant::FinishedStaysFinished => "finished stays finished",
            Invariant::TimersNeverEarly => "timers are never early",
            Invariant::ReplayEqualsLive => "replay equals live",
            Invariant::NumbersWithoutGaps => "history numbers have no gaps",
            Invariant::StepsOnce => "no step is recorded twice",
            Invariant::LocksWithinLimit => "a lock has no more holders than it may",
            Invariant::EveryRunEnds => "every run ends",
        }
    }
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// How.
    pub detail: String,
}

impl Violation {
    /// A broken promise, as the result of a check.
    ///
    /// # Errors
    /// Always.
    pub fn found<T>(invariant: Invariant, detail: impl Into<String>) -> Result<T, Violation> {
        Err(Violation {
            invariant,
            detail: detail.into(),
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken: {}: {}", self.invariant.name(), self.detail)
    }
}

/// What a seed showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every promise was kept.
    Kept,
    /// One was broken.
    Broken(Violation),
    /// The code under test panicked.
    Crashed(String),
}

impl Verdict {
    /// 0 kept, 10 a safety promise is broken, 11 the liveness promise is broken, 12 a panic.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Verdict::Kept => 0,
            Verdict::Broken(violation) if violation.invariant == Invariant::EveryRunEnds => 11,
            Verdict::Broken(_) => 10,
            Verdict::Crashed(_) => 12,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Kept => f.write_str("kept"),
            Verdict::Broken(violation) => violation.fmt(f),
            Verdict::Crashed(message) => write!(f, "crashed: {message}"),
        }
    }
}
