//! Owns [`Case`]: a workload, and how often it has to go to the disk and over the wire at least.

/// Runs started in a closed loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Case {
    /// What is measured.
    pub(super) name: &'static str,
    /// The workflow that is run.
    pub(super) workflow: &'static str,
    /// Tasks of a run, one after the other.
    pub(super) steps: u32,
    /// Starts under way at the same time.
    pub(super) concurrency: u32,
    /// Whether the end of the run is waited for, or only the start.
    pub(super) waits: bool,
    /// Whether each connection starts its runs over one stream rather than by a call each.
    pub(super) streams: bool,
}

const fn to_the_end(workflow: &'static str, steps: u32, concurrency: u32) -> Case {
    Case {
        name: workflow,
        workflow,
        steps,
        concurrency,
        waits: true,
        streams: false,
    }
}

const fn over_streams(name: &'static str, workflow: &'static str, steps: u32) -> Case {
    Case {
        name,
        streams: true,
        ..to_the_end(workflow, steps, 64)
    }
}

/// What is measured, in this order.
pub(super) const CASES: [Case; 11] = [
    to_the_end("one-step", 1, 1),
    to_the_end("one-step", 1, 16),
    to_the_end("one-step", 1, 64),
    to_the_end("one-step", 1, 256),
    to_the_end("three-step", 3, 1),
    to_the_end("three-step", 3, 16),
    to_the_end("three-step", 3, 64),
    to_the_end("three-step", 3, 256),
    Case {
        name: "start",
        workflow: "one-step",
        steps: 1,
        concurrency: 64,
        waits: false,
        streams: false,
    },
    over_streams("one-step-stream", "one-step", 1),
    over_streams("three-step-stream", "three-step", 3),
];

impl Case {
    /// Its name among the figures.
    pub(super) fn title(self) -> String {
        format!("{}/{}", self.name, self.concurrency)
    }

    /// Round trips in a row, each over the wire and to the disk: the start, and every step's result.
    pub(super) fn rounds(self) -> u32 {
        if self.waits { 1 + self.steps } else { 1 }
    }
}
