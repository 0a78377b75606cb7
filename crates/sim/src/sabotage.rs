//! Owns the sabotages: faults built in on purpose, which the checks must catch.
//!
//! Invariant: none of them touches the code under test; each lies in the simulated driver or disk.

/// One way to do it wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Replies go out before the batch is appended.
    AnswerEarly,
    /// The disk says that it has synced, and has not.
    LyingDisk,
    /// The driver looks at the clock once and never again, so that no timer fires.
    FrozenClock,
    /// The driver's clock runs ahead.
    ClockAhead,
    /// After a restart the driver takes the system's clock though it shows an earlier time.
    ClockBack,
    /// A batch is appended twice.
    AppendTwice,
    /// A checkpoint makes the read model lose the runs that finished with it.
    DropFinished,
    /// The journal is trimmed when a checkpoint begins, not when it is durable.
    TrimEarly,
    /// Lost connections are not reported.
    ForgetDisconnect,
    /// A late result is passed off as one of the current claim.
    ForgeClaim,
    /// After recovery nobody takes up what is owed to the world.
    SkipResume,
    /// Recovery leaves out the newest record of the journal.
    DropTail,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Sabotage; 12] = [
        Sabotage::AnswerEarly,
        Sabotage::LyingDisk,
        Sabotage::FrozenClock,
        Sabotage::ClockAhead,
        Sabotage::ClockBack,
        Sabotage::AppendTwice,
        Sabotage::DropFinished,
        Sabotage::TrimEarly,
        Sabotage::ForgetDisconnect,
        Sabotage::ForgeClaim,
        Sabotage::SkipResume,
        Sabotage::DropTail,
    ];

    /// As the command line names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Sabotage::AnswerEarly => "answer-early",
            Sabotage::LyingDisk => "lying-disk",
            Sabotage::FrozenClock => "frozen-clock",
            Sabotage::ClockAhead => "clock-ahead",
            Sabotage::ClockBack => "clock-back",
            Sabotage::AppendTwice => "append-twice",
            Sabotage::DropFinished => "drop-finished",
            Sabotage::TrimEarly => "trim-early",
            Sabotage::ForgetDisconnect => "forget-disconnect",
            Sabotage::ForgeClaim => "forge-claim",
            Sabotage::SkipResume => "skip-resume",
            Sabotage::DropTail => "drop-tail",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Sabotage> {
        Sabotage::ALL
            .into_iter()
            .find(|sabotage| sabotage.name() == name)
    }
}
