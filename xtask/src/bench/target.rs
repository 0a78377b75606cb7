//! Owns [`TARGETS`]: what the server is to reach, as data, and what the strongest peer reaches.
//!
//! The peer is Restate 1.7, measured on two cores with the same work and syncs on; in brackets tuned to two
//! partitions, where that differs.

/// The bound that a figure should keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// What a figure is to reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// Name of the figure.
    pub(super) figure: &'static str,
    /// In words.
    pub(super) what: &'static str,
    pub(super) bound: Bound,
    /// What the peer reaches, in the unit of the figure.
    pub(super) peer: &'static str,
}

const fn at_most(
    figure: &'static str,
    what: &'static str,
    bound: f64,
    peer: &'static str,
) -> Target {
    Target {
        figure,
        what,
        bound: Bound::AtMost(bound),
        peer,
    }
}

const fn at_least(
    figure: &'static str,
    what: &'static str,
    bound: f64,
    peer: &'static str,
) -> Target {
    Target {
        figure,
        what,
        bound: Bound::AtLeast(bound),
        peer,
    }
}

/// All targets.
pub(super) const TARGETS: [Target; 15] = [
    at_most("one-step/1/p50", "one step, alone, p50", 1.0, "3.66"),
    at_most("three-step/1/p50", "three steps, alone, p50", 1.6, "4.91"),
    at_least(
        "one-step/64/throughput",
        "one-step runs at 64",
        15_000.0,
        "2,258 (4,581)",
    ),
    at_least(
        "one-step-stream/64/throughput",
        "the same, started over streams",
        15_000.0,
        "",
    ),
    at_most("one-step/64/p99", "one step at 64, p99", 25.0, "52.9"),
    at_least(
        "three-step/64/steps",
        "steps at 64",
        40_000.0,
        "3,525 (8,574)",
    ),
    at_least(
        "three-step-stream/64/steps",
        "the same, started over streams",
        40_000.0,
        "",
    ),
    at_most("three-step/64/p99", "three steps at 64, p99", 25.0, "120"),
    at_most(
        "one-step/64/server-cpu",
        "server CPU of a one-step run",
        60.0,
        "690 (330)",
    ),
    at_most("memory/idle", "memory, idle", 60.0, "263"),
    at_most(
        "memory/after-100k",
        "memory after 100,000 runs",
        250.0,
        "670",
    ),
    at_most("binary/size", "binary", 40.0, "225.6"),
    at_most("ready/empty", "ready on empty data", 100.0, "360"),
    at_most(
        "recovery/100k/accepting",
        "accepting after kill -9, 100,000 runs",
        1_000.0,
        "2,350 to 3,460",
    ),
    at_most(
        "recovery/1000k/accepting",
        "accepting after kill -9, 1,000,000 runs",
        1_000.0,
        "",
    ),
];

impl Target {
    /// The target of a figure.
    pub(super) fn of(figure: &str) -> Option<&'static Target> {
        TARGETS.iter().find(|target| target.figure == figure)
    }

    /// The number to reach.
    pub(super) fn number(&self) -> f64 {
        match self.bound {
            Bound::AtMost(bound) | Bound::AtLeast(bound) => bound,
        }
    }

    /// Whether a value reaches it.
    pub(super) fn is_met(&self, value: f64) -> bool {
        match self.bound {
            Bound::AtMost(bound) => value <= bound,
            Bound::AtLeast(bound) => value >= bound,
        }
    }
}
