//! Owns [`suite`], the reading of test cases.
//!
//! Invariant: every key is read here, so that what nobody reads is reported as unknown.

use graph::Failure;
use graph::value::{Str, Value};

use super::{
    Act, Answer, BEGIN_MS, CASES_MAX, Case, Decision, Deed, Expectation, Mock, Moment, Place,
    Sight, Suite,
};
use crate::finding::{Finding, Findings};
use crate::lowering::{Lowering, Scope};
use crate::tree::{At, Data};
use crate::yaml;

/// The states that a run can be expected in.
const STATES: [&str; 8] = [
    "completed",
    "failed",
    "cancelled",
    "terminated",
    "waiting",
    "running",
    "suspended",
    "incident",
];

/// How a visit to a task can be expected to have ended.
const OUTCOMES: [&str; 5] = ["completed", "failed", "cancelled", "skipped", "goes-on"];

/// Types of errors that have a URI of the language, and may be written without it.
const WELL_KNOWN: [&str; 8] = [
    "configuration",
    "validation",
    "expression",
    "authentication",
    "authorization",
    "timeout",
    "communication",
    "runtime",
];

/// The ways in which something can be done to a run.
const DEEDS: [&str; 8] = [
    "signal",
    "publish",
    "human",
    "cancel",
    "terminate",
    "suspend",
    "resume",
    "retry",
];

/// Reads the test cases of a file, written as YAML 1.2 or JSON.
///
/// # Errors
/// The findings, at least one of them an error, each with its place in the text.
pub fn suite(text: &str) -> Result<Suite, Vec<Finding>> {
    let mut findings = Findings::default();
    let Some(tree) = yaml::parse(text, &mut findings) else {
        return Err(findings.into_list());
    };
    let mut reader = Lowering::new(findings);
    let suite = reader.suite(tree.root());
    let (_, findings, _) = reader.finish();
    match findings.has_errors() {
        true => Err(findings.into_list()),
        false => Ok(suite),
    }
}

impl<'t> Lowering<'t> {
    fn suite(&mut self, root: At<'t>) -> Suite {
        self.known(root, &["workflow", "with", "mocks", "cases"]);
        let workflow = root.member("workflow").and_then(|at| self.literal(at));
        let with = self.each(root.member("with"), |reader, at| reader.literal(at));
        let mocks = self.each(root.member("mocks"), Self::mock);
        let mut cases = Vec::new();
        if let Some(at) = self.require(root, "cases") {
            let count = at.children().count();
            if !at.is_map() || count == 0 {
                self.wrong(at, "a map of cases, each under what it shows");
            } else if count > CASES_MAX {
                let message =
                    format!("{count} cases are too many; keep at most {CASES_MAX} in a file");
                self.findings.error(at, "too-large", message);
            } else {
                cases = at.children().filter_map(|case| self.case(case)).collect();
            }
        }
        Suite {
            workflow,
            with,
            mocks,
            cases,
        }
    }

    fn case(&mut self, at: At<'t>) -> Option<Case> {
        let keys = ["input", "mocks", "meanwhile", "at", "until", "expect"];
        if !self.known(at, &keys) {
            return None;
        }
        let begin = at.member("at").map(|begin| self.instant(begin));
        let until_ms = at.member("until").and_then(|until| self.fixed_ms(until));
        let expect = self.require(at, "expect").map(|expect| self.expect(expect));
        Some(Case {
            name: at.key().into(),
            line: at.key_mark().line,
            input: at
                .member("input")
                .map_or_else(|| Value::from([]), At::value),
            mocks: self.each(at.member("mocks"), Self::mock),
            meanwhile: self.each(at.member("meanwhile"), Self::act),
            begin_ms: begin.flatten().unwrap_or(BEGIN_MS),
            until_ms,
            expect: expect?,
        })
    }

    fn mock(&mut self, at: At<'t>) -> Option<Mock> {
        let matching = ["task", "call", "queue", "workflow"];
        let keys = ["input", "output", "error", "delay", "answers"];
        if !self.known(at, &[&matching[..], &keys].concat()) {
            return None;
        }
        if matching.iter().all(|key| at.member(key).is_none()) {
            let message =
                "a mock needs to say whose calls it answers: `task`, `call`, `queue` or `workflow`";
            self.findings.error(at, "missing-key", message);
            return None;
        }
        if let Some(workflow) = at.member("workflow")
            && matching[..3].iter().any(|key| at.member(key).is_some())
        {
            let message = "`workflow` answers whole runs; make another mock for calls";
            self.findings.error_key(workflow, "bad-value", message);
        }
        let answers = match at.member("answers") {
            None => self.answer(at).into_iter().collect(),
            Some(answers) => {
                for key in ["output", "error", "delay"] {
                    if let Some(member) = at.member(key) {
                        let message = format!("`{key}` belongs into each of the `answers`");
                        self.findings.error_key(member, "unknown-key", message);
                    }
                }
                if answers.is_list() && answers.children().next().is_none() {
                    self.findings
                        .error(answers, "empty-list", "there is no answer");
                }
                self.each(Some(answers), |reader, answer| {
                    reader.known(answer, &["output", "error", "delay"]);
                    reader.answer(answer)
                })
            }
        };
        Some(Mock {
            line: at.mark().line,
            task: at.member("task").and_then(|task| self.place(task)),
            call: at.member("call").and_then(|call| self.name(call)),
            queue: at.member("queue").and_then(|queue| self.name(queue)),
            workflow: at.member("workflow").and_then(|name| self.name(name)),
            input: at.member("input").map(At::value),
            answers,
        })
    }

    fn answer(&mut self, at: At<'t>) -> Option<Answer> {
        let delay_ms = at.member("delay").and_then(|delay| self.fixed_ms(delay));
        let (outcome, retryable) = match (at.member("output"), at.member("error")) {
            (Some(output), None) => (Ok(self.template(output, &Scope::default())?), false),
            (None, Some(error)) => {
                let keys = ["type", "status", "title", "detail", "retryable"];
                if !self.known(error, &keys) {
                    return None;
                }
                let retryable = self.flag(error, "retryable", true);
                (Err(self.failure(error)?), retryable)
            }
            _ => {
                let message = "an answer has either an `output` or an `error`";
                self.findings.error(at, "missing-key", message);
                return None;
            }
        };
        Some(Answer {
            delay_ms: delay_ms.unwrap_or(0),
            outcome,
            retryable,
        })
    }

    /// An error; a bare type is a well-known one where there is one of this name.
    fn failure(&mut self, at: At<'t>) -> Option<Failure> {
        let kind = self.require(at, "type").and_then(|kind| self.name(kind))?;
        let status = self.count(at, "status", 100, 599);
        let mut failure = Failure::new(&kind, "");
        failure.detail = None;
        if !WELL_KNOWN.contains(&&*kind) {
            failure.kind = kind;
            failure.title = None;
        }
        if let Some(status) = status.and_then(|status| u16::try_from(status).ok()) {
            failure.status = status;
        }
        for (key, place) in [
            ("title", &mut failure.title),
            ("detail", &mut failure.detail),
        ] {
            if let Some(text) = at.member(key).and_then(|text| self.literal(text)) {
                *place = Some(text);
            }
        }
        Some(failure)
    }

    fn act(&mut self, at: At<'t>) -> Option<Act> {
        if !self.known(at, &[&["after", "once"][..], &DEEDS].concat()) {
            return None;
        }
        let moment = match (at.member("after"), at.member("once")) {
            (Some(after), None) => Moment::After(self.fixed_ms(after)?),
            (None, Some(once)) => Moment::Once(self.place(once)?),
            (None, None) => Moment::After(0),
            (Some(_), Some(once)) => {
                let message = "say either how long `after` the start, or `once` a task was begun";
                self.findings.error_key(once, "bad-value", message);
                return None;
            }
        };
        let mut deeds = DEEDS.iter().filter_map(|deed| at.member(deed));
        let (Some(deed), None) = (deeds.next(), deeds.next()) else {
            let message = format!("what happens is one of {}", DEEDS.join(", "));
            self.findings.error(at, "bad-value", message);
            return None;
        };
        Some(Act {
            line: at.mark().line,
            moment,
            deed: self.deed(deed)?,
        })
    }

    fn deed(&mut self, at: At<'t>) -> Option<Deed> {
        Some(match at.key() {
            "signal" => match at.text() {
                Some(_) => Deed::Signal {
                    name: self.name(at)?,
                    data: Value::Null,
                },
                None => {
                    self.known(at, &["name", "data"]);
                    Deed::Signal {
                        name: self.require(at, "name").and_then(|name| self.name(name))?,
                        data: at.member("data").map_or(Value::Null, At::value),
                    }
                }
            },
            "publish" => {
                self.event_given(at);
                Deed::Publish(at.value())
            }
            "human" => self.human_deed(at)?,
            "cancel" => Deed::Cancel(self.literal(at)?),
            "terminate" => Deed::Terminate(self.literal(at)?),
            key => {
                if !matches!(at.data(), Data::Bool(true)) {
                    self.wrong(at, "true");
                    return None;
                }
                match key {
                    "suspend" => Deed::Suspend,
                    "resume" => Deed::Resume,
                    _ => Deed::Retry,
                }
            }
        })
    }

    /// Who decides which human task, and how.
    fn human_deed(&mut self, at: At<'t>) -> Option<Deed> {
        let keys = ["task", "by", "complete", "outcome", "comment", "reject"];
        if !self.known(at, &keys) {
            return None;
        }
        let task = self.require(at, "task").and_then(|task| self.place(task));
        let mut name = |key| at.member(key).and_then(|name| self.name(name));
        let (by, outcome) = (name("by"), name("outcome"));
        let comment = at.member("comment").and_then(|text| self.literal(text));
        let decision = match (at.member("complete"), at.member("reject")) {
            (Some(data), None) => Decision::Complete {
                outcome,
                data: data.value(),
                comment,
            },
            (None, Some(reject)) => {
                for member in ["outcome", "comment"]
                    .iter()
                    .filter_map(|key| at.member(key))
                {
                    let message = format!(
                        "`{}` belongs to `complete`; say why with `reject: reason`",
                        member.key()
                    );
                    self.findings.error_key(member, "unknown-key", message);
                }
                match reject.data() {
                    Data::Bool(true) => Decision::Reject(None),
                    _ => Decision::Reject(Some(self.literal(reject)?)),
                }
            }
            _ => {
                let message =
                    "a person does one of `complete: data` and `reject: reason`; give one";
                self.findings.error(at, "missing-key", message);
                return None;
            }
        };
        Some(Deed::Human {
            task: task?,
            by,
            decision,
        })
    }

    fn expect(&mut self, at: At<'t>) -> Expectation {
        let keys = [
            "state",
            "output",
            "outputIncludes",
            "error",
            "trace",
            "traceIncludes",
            "emitted",
            "emittedIncludes",
        ];
        if !self.known(at, &keys) {
            return Expectation::default();
        }
        let state = at
            .member("state")
            .and_then(|state| self.word(state, &STATES));
        let is_bare = keys.iter().all(|key| at.member(key).is_none());
        if is_bare {
            let message = format!(
                "nothing is expected; give at least one of {}",
                keys.join(", ")
            );
            self.findings.error(at, "missing-key", message);
        }
        let error = at.member("error").map(|error| {
            self.known(error, &["type", "status", "title", "detail", "instance"]);
            error.value()
        });
        let mut sights = |key| {
            let list = at.member(key)?;
            Some(self.each(Some(list), Self::sight))
        };
        let (trace, trace_includes) = (sights("trace"), sights("traceIncludes"));
        let mut events = |key| {
            let list = at.member(key)?;
            Some(self.each(Some(list), Self::event_expected))
        };
        Expectation {
            emitted: events("emitted"),
            emitted_includes: events("emittedIncludes"),
            trace,
            trace_includes,
            state,
            output: at.member("output").map(At::value),
            output_includes: at.member("outputIncludes").map(At::value),
            error,
        }
    }

    /// What an event includes, or its type alone.
    fn event_expected(&mut self, at: At<'t>) -> Option<Value> {
        if at.text().is_some() {
            let kind = self.name(at)?;
            return Some(Value::from([("type", Value::Text(kind))]));
        }
        if !at.is_map() {
            self.wrong(at, "the type of an event, or a map of what it includes");
            return None;
        }
        Some(at.value())
    }

    /// `name`, or `name: outcome`.
    fn sight(&mut self, at: At<'t>) -> Option<Sight> {
        if at.text().is_some() {
            let task = self.place(at)?;
            return Some(Sight {
                task,
                outcome: None,
            });
        }
        let mut members = at.children();
        let (true, Some(member), None) = (at.is_map(), members.next(), members.next()) else {
            self.wrong(at, "the name of a task, or `name: outcome`");
            return None;
        };
        let outcome = self.word(member, &OUTCOMES)?;
        Some(Sight {
            task: Place::new(member.key()),
            outcome: Some(outcome),
        })
    }

    fn place(&mut self, at: At<'t>) -> Option<Place> {
        let text: Str = self.name(at)?;
        Some(Place::new(&text))
    }

    /// The elements of a list, if there is one.
    fn each<T>(
        &mut self,
        list: Option<At<'t>>,
        mut read: impl FnMut(&mut Self, At<'t>) -> Option<T>,
    ) -> Vec<T> {
        let elements = list.and_then(|list| self.list(list)).unwrap_or_default();
        elements
            .into_iter()
            .filter_map(|element| read(self, element))
            .collect()
    }
}
