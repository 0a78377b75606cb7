//! Owns [`Suite`]: the cases that an author wrote to test a workflow, and [`suite`], which reads them.
//!
//! Invariant: a suite that comes out says only what the text says: unknown keys, values of the wrong type and
//! expressions that do not compile are findings with their place, as in a workflow.

mod reading;

use graph::value::{Str, Value};
use graph::{Failure, Template};

pub use reading::suite;

/// The most cases of one file.
pub const CASES_MAX: usize = 1_000;

/// Where the clock of a case begins, unless it says otherwise: 2026-01-01T00:00:00Z.
pub const BEGIN_MS: u64 = 1_767_225_600_000;

/// The cases of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suite {
    /// The file of the workflow, relative to this one; none for the one of the same name beside it.
    pub workflow: Option<Str>,
    /// Files of workflows that it starts.
    pub with: Vec<Str>,
    /// Answers in every case, after those of the case.
    pub mocks: Vec<Mock>,
    /// The cases, in the order of the text.
    pub cases: Vec<Case>,
}

/// One run of the workflow, what happens around it, and what is to come of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it shows, in the author's words.
    pub name: Str,
    /// Where it stands.
    pub line: u32,
    /// What the run is started with.
    pub input: Value,
    /// Answers to its calls; the first that fits is taken.
    pub mocks: Vec<Mock>,
    /// What others do meanwhile.
    pub meanwhile: Vec<Act>,
    /// Where the clock begins, in milliseconds since 1970.
    pub begin_ms: u64,
    /// How long it is looked at, in milliseconds of its own clock; none until nothing happens any more.
    pub until_ms: Option<u64>,
    /// What is to come of it.
    pub expect: Expectation,
}

/// Answers to calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Mock {
    /// Where it stands.
    pub line: u32,
    /// To calls of this task.
    pub task: Option<Place>,
    /// To calls of this function: what a worker is asked to do, or `http`.
    pub call: Option<Str>,
    /// To calls on this queue.
    pub queue: Option<Str>,
    /// To runs of this workflow, which then needs no file.
    pub workflow: Option<Str>,
    /// To calls with an input that includes this.
    pub input: Option<Value>,
    /// The answers; one after the other if there are several, else again and again.
    pub answers: Vec<Answer>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How long it takes, in milliseconds.
    pub delay_ms: u64,
    /// The output, computed from the call's input; or why there is none.
    pub outcome: Result<Template, Failure>,
    /// Whether trying again could help.
    pub retryable: bool,
}

/// Names a task: by its own name, with those of tasks around it before as far as that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(pub Vec<Str>);

/// Something that happens to the run from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// Where it stands.
    pub line: u32,
    /// When.
    pub moment: Moment,
    /// What.
    pub deed: Deed,
}

/// When something happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So many milliseconds after the start.
    After(u64),
    /// As soon as this task was begun.
    Once(Place),
}

/// What can be done to a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Send it a signal.
    Signal {
        /// Its name.
        name: Str,
        /// What it carries.
        data: Value,
    },
    /// Publish an event.
    Publish(Value),
    /// Decide a human task, of the run or of one that it started, as soon as it is open.
    Human {
        /// The task.
        task: Place,
        /// Who does; none for whoever has it.
        by: Option<Str>,
        /// What they do.
        decision: Decision,
    },
    /// Cancel it, for this reason.
    Cancel(Str),
    /// End it at once, for this reason.
    Terminate(Str),
    /// Suspend it.
    Suspend,
    /// Let it go on.
    Resume,
    /// Offer its parked tasks again.
    Retry,
}

/// What a person does about a human task.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Completes it.
    Complete {
        /// Which of its outcomes.
        outcome: Option<Str>,
        /// What the person gives.
        data: Value,
        /// What they say about it.
        comment: Option<Str>,
    },
    /// Rejects it, perhaps for a reason.
    Reject(Option<Str>),
}

/// What is to come of a case: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation {
    /// The state of the run: `completed` unless an error is expected.
    pub state: Option<&'static str>,
    /// Its output, exactly.
    pub output: Option<Value>,
    /// What its output includes: members of objects are looked at only where they are given.
    pub output_includes: Option<Value>,
    /// What its error includes.
    pub error: Option<Value>,
    /// All visits to tasks, in the order in which they ended.
    pub trace: Option<Vec<Sight>>,
    /// Some of them, in that order.
    pub trace_includes: Option<Vec<Sight>>,
    /// What all events include that were emitted, in their order.
    pub emitted: Option<Vec<Value>>,
    /// What some of them include, in that order.
    pub emitted_includes: Option<Vec<Value>>,
}

/// A visit that is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The task.
    pub task: Place,
    /// How it ended; none for any way.
    pub outcome: Option<&'static str>,
}

impl Place {
    /// Reads `name` or `outer/name`.
    #[must_use]
    pub fn new(text: &str) -> Place {
        Place(text.split('/').map(Str::from).collect())
    }

    /// Whether a task at this JSON pointer is meant.
    #[must_use]
    pub fn is_at(&self, pointer: &str) -> bool {
        let mut steps = pointer.rsplit('/');
        let mut names = self.0.iter().rev();
        let own = names.next();
        own.is_some_and(|own| steps.next().is_some_and(|step| is_step(step, own)))
            && names.all(|name| steps.any(|step| is_step(step, name)))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// Whether a step of a JSON pointer is a name.
fn is_step(step: &str, name: &str) -> bool {
    step == name || (step.contains('~') && step.replace("~1", "/").replace("~0", "~") == *name)
}
