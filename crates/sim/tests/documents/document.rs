//! Owns [`documents`]: random documents that are valid by construction.
//!
//! Invariants: tasks are named by their place, so names differ; a jump goes forward, or back from a wait and only
//! on a condition, so that no list goes round without time going on, and every task can be reached.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// Types of events that are emitted and waited for.
pub(crate) const EVENTS: [&str; 3] = ["red", "green", "blue"];

/// What a worker is asked that never answers.
pub(crate) const SILENT: &str = "silent";

/// Shapes that suit any data.
const SHAPES: [&str; 8] = [
    ".",
    "{n: 1}",
    "{n: 2, items: [1, 2, 3]}",
    "{n: (if type == \"object\" and (.n | type) == \"number\" then .n + 1 else 0 end)}",
    "{inner: .}",
    "[., 1]",
    "{text: \"is \\(type)\", length: (tostring | length)}",
    "{context: $context, sum: ([1, 2] | add)}",
];

/// Shapes that fail on some data.
const FRAIL: [&str; 3] = [".n + 1", ".items | map(. + 1)", ".inner.inner.n"];

const CONDITIONS: [&str; 6] = [
    "type == \"object\"",
    "type == \"array\" or . == null",
    "(tostring | length) < 40",
    "$context == null",
    "type == \"object\" and (.n // 0) > 1",
    ".n < 2",
];

const LISTS: [&str; 4] = ["[1, 2, 3]", "[]", ".items", "[range(4)]"];

const ERRORS: [&str; 3] = ["timeout", "runtime", "https://example.com/odd"];

/// A document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    tasks: Vec<Task>,
    input: Option<&'static str>,
    output: Option<&'static str>,
    timeout_s: Option<u32>,
}

/// A task.
#[derive(Clone, Debug)]
struct Task {
    does: Does,
    when: Option<&'static str>,
    input: Option<&'static str>,
    output: Option<&'static str>,
    export: Option<&'static str>,
    timeout_s: Option<u32>,
    then: Option<Jump>,
}

/// Where to go on.
#[derive(Clone, Debug)]
enum Jump {
    Continue,
    Exit,
    End,
    To(Index),
}

/// What a task does.
#[derive(Clone, Debug)]
enum Does {
    Set(&'static str),
    Wait(u32),
    WaitUntil,
    Raise(&'static str),
    Emit(&'static str),
    Listen(&'static str, Vec<&'static str>),
    Call {
        name: &'static str,
        retries: Option<u32>,
        parks: bool,
    },
    Http,
    Function,
    Run {
        exists: bool,
        waits: bool,
    },
    Switch(Vec<(&'static str, Jump)>),
    Do(Vec<Task>),
    For(&'static str, Option<&'static str>, Vec<Task>),
    Map(&'static str, u32, Vec<Task>),
    Fork(bool, Vec<Task>),
    Race(u32, bool, Vec<Task>),
    Try {
        body: Vec<Task>,
        error: Option<&'static str>,
        retries: Option<u32>,
        catch: Option<Vec<Task>>,
    },
    Saga(Vec<(Task, Option<Vec<Task>>)>),
    Finally(Vec<Task>, Vec<Task>),
    Loop(bool, &'static str, u32, Vec<Task>),
}

/// Random documents.
pub(crate) fn documents() -> impl Strategy<Value = Document> {
    (
        lists(tasks()),
        maybe(shapes()),
        maybe(shapes()),
        proptest::option::weighted(0.2, 1..200_u32),
    )
        .prop_map(|(tasks, input, output, timeout_s)| Document {
            tasks,
            input,
            output,
            timeout_s,
        })
}

fn shapes() -> impl Strategy<Value = &'static str> {
    prop_oneof![5 => select(&SHAPES[..]), 1 => select(&FRAIL[..])]
}

fn conditions() -> impl Strategy<Value = &'static str> {
    select(&CONDITIONS[..])
}

fn maybe<T: std::fmt::Debug + Clone>(
    of: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<T>> {
    proptest::option::weighted(0.25, of)
}

fn lists(of: impl Strategy<Value = Task>) -> impl Strategy<Value = Vec<Task>> {
    proptest::collection::vec(of, 1..5)
}

fn jumps() -> impl Strategy<Value = Jump> {
    prop_oneof![
        2 => Just(Jump::Continue),
        1 => Just(Jump::Exit),
        1 => Just(Jump::End),
        3 => any::<Index>().prop_map(Jump::To),
    ]
}

fn leaves() -> impl Strategy<Value = Does> {
    let events = || proptest::sample::subsequence(EVENTS.to_vec(), 1..=EVENTS.len());
    let names = select(vec!["work", "pay", SILENT]);
    let cases = proptest::collection::vec((conditions(), jumps()), 1..3);
    prop_oneof![
        4 => shapes().prop_map(Does::Set),
        2 => (0..100_000_u32).prop_map(Does::Wait),
        1 => Just(Does::WaitUntil),
        1 => select(&ERRORS[..]).prop_map(Does::Raise),
        2 => select(&EVENTS[..]).prop_map(Does::Emit),
        2 => (select(vec!["one", "any", "all"]), events())
            .prop_map(|(how, events)| Does::Listen(how, events)),
        3 => (names, maybe(1..4_u32), any::<bool>())
            .prop_map(|(name, retries, parks)| Does::Call { name, retries, parks }),
        1 => Just(Does::Http),
        1 => Just(Does::Function),
        1 => (any::<bool>(), any::<bool>())
            .prop_map(|(exists, waits)| Does::Run { exists, waits }),
        2 => cases.prop_map(Does::Switch),
    ]
}

fn tasks() -> impl Strategy<Value = Task> {
    leaves().prop_flat_map(dressed).prop_recursive(4, 40, 4, |inner| {
        let list = || lists(inner.clone());
        let steps = (inner.clone(), maybe(list()));
        prop_oneof![
            2 => list().prop_map(Does::Do),
            2 => (select(&LISTS[..]), maybe(conditions()), list())
                .prop_map(|(items, goes_on, body)| Does::For(items, goes_on, body)),
            1 => (select(&LISTS[..]), 1..4_u32, list())
                .prop_map(|(items, at_once, body)| Does::Map(items, at_once, body)),
            2 => (any::<bool>(), list()).prop_map(|(compete, of)| Does::Fork(compete, of)),
            1 => (1..3_u32, any::<bool>(), list())
                .prop_map(|(need, leave, of)| Does::Race(need, leave, of)),
            3 => (list(), maybe(select(&ERRORS[..])), maybe(1..3_u32), maybe(list()))
                .prop_map(|(body, error, retries, catch)| Does::Try { body, error, retries, catch }),
            2 => proptest::collection::vec(steps, 1..4).prop_map(Does::Saga),
            1 => (list(), list()).prop_map(|(body, last)| Does::Finally(body, last)),
            1 => (any::<bool>(), conditions(), 1..4_u32, list())
                .prop_map(|(before, when, max, body)| Does::Loop(before, when, max, body)),
        ]
        .prop_flat_map(dressed)
    })
}

/// What all tasks have in common.
fn dressed(does: Does) -> impl Strategy<Value = Task> {
    let timeout_s = proptest::option::weighted(0.15, 1..100_u32);
    (
        maybe(conditions()),
        maybe(shapes()),
        maybe(shapes()),
        maybe(shapes()),
        timeout_s,
        maybe(jumps()),
    )
        .prop_map(move |(when, input, output, export, timeout_s, then)| Task {
            does: does.clone(),
            when,
            input,
            output,
            export,
            timeout_s,
            then,
        })
}

impl Document {
    /// Its text, as JSON.
    pub(crate) fn text(&self) -> String {
        let mut document = json!({
            "document": {"dsl": "1.0.3", "namespace": "default", "name": "random", "version": "1.0.0"},
            "use": {"functions": {"helper": {"set": {"given": "${ . }"}}}},
            "do": list(&self.tasks),
        });
        put(
            &mut document,
            "input",
            self.input.map(|from| json!({"from": from})),
        );
        put(
            &mut document,
            "output",
            self.output.map(|to| json!({"as": to})),
        );
        put(&mut document, "timeout", self.timeout_s.map(after));
        serde_json::to_string_pretty(&document).expect("it is JSON")
    }
}

fn put(at: &mut Value, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        at[key] = value;
    }
}

fn after(seconds: u32) -> Value {
    json!({"after": {"seconds": seconds}})
}

fn wrapped(expression: &str) -> String {
    format!("${{ {expression} }}")
}

fn named(place: usize, task: Value) -> Value {
    Value::Object(Map::from_iter([(format!("t{place}"), task)]))
}

fn list(tasks: &[Task]) -> Value {
    let count = tasks.len();
    let tasks = tasks.iter().enumerate();
    tasks
        .map(|(place, task)| named(place, task.json(place, count)))
        .collect()
}

/// A jump from a place of a list so long: forward, and none from its end.
fn forward(jump: &Jump, place: usize, count: usize) -> String {
    match jump {
        Jump::Exit => "exit".to_owned(),
        Jump::End => "end".to_owned(),
        Jump::To(index) if place + 1 < count => {
            format!("t{}", place + 1 + index.index(count - place - 1))
        }
        Jump::Continue | Jump::To(_) => "continue".to_owned(),
    }
}

impl Task {
    fn json(&self, place: usize, count: usize) -> Value {
        let mut task = self.does.json(place, count);
        let is_last = place + 1 == count;
        // A way that leads off the list must leave one along it, or the rest could not be reached.
        let leads_off = self.then.is_some() || matches!(self.does, Does::Raise(_));
        let needs_condition = leads_off && !is_last;
        let when = self.when.or(needs_condition.then_some(CONDITIONS[0]));
        put(&mut task, "if", when.map(|when| json!(wrapped(when))));
        put(
            &mut task,
            "input",
            self.input.map(|from| json!({"from": from})),
        );
        put(
            &mut task,
            "output",
            self.output.map(|to| json!({"as": wrapped(to)})),
        );
        put(&mut task, "export", self.export.map(|to| json!({"as": to})));
        put(&mut task, "timeout", self.timeout_s.map(after));
        let then = self.then.as_ref().map(|jump| match (jump, &self.does) {
            (Jump::To(index), Does::Wait(ms)) if *ms >= 1_000 && when.is_some() && count > 1 => {
                format!("t{}", index.index(count))
            }
            _ => forward(jump, place, count),
        });
        put(&mut task, "then", then.map(Value::from));
        task
    }
}

impl Does {
    fn json(&self, place: usize, count: usize) -> Value {
        let json = self.alone(place, count).or_else(|| self.around());
        json.expect("a task stands alone or around others")
    }

    /// A task without others in it.
    fn alone(&self, place: usize, count: usize) -> Option<Value> {
        Some(match self {
            Does::Set(to) => json!({"set": {"it": wrapped(to), "fixed": [1, {"a": null}]}}),
            Does::Wait(ms) => json!({"wait": {"milliseconds": ms}}),
            Does::WaitUntil => call("wait-until", json!({"at": "2026-01-01T00:01:00Z"})),
            Does::Raise(kind) => {
                json!({"raise": {"error": {"type": kind, "status": 500, "title": "on purpose"}}})
            }
            Does::Emit(kind) => {
                json!({"emit": {"event": {"with": {"type": kind, "data": "${ {it: .} }"}}}})
            }
            Does::Listen(how, events) => {
                let filter = |kind: &&str| json!({"with": {"type": kind}});
                let to = match *how {
                    "one" => filter(&events[0]),
                    _ => events.iter().map(filter).collect(),
                };
                json!({"listen": {"to": {*how: to}}})
            }
            Does::Call {
                name,
                retries,
                parks,
            } => {
                let mut with = json!({"name": name, "queue": "q", "timeouts": {"run": "PT5S"}});
                put(&mut with, "retry", retries.map(retry));
                put(&mut with, "exhausted", parks.then(|| json!("park")));
                call("task", with)
            }
            Does::Http => call(
                "http",
                json!({"method": "get", "endpoint": "http://example.com/x"}),
            ),
            Does::Function => call("helper", json!({"a": "${ . }"})),
            Does::Run { exists, waits } => {
                let name = if *exists { "child" } else { "nowhere" };
                json!({"run": {"workflow": {"name": name, "version": "1.0.0", "input": {}}, "await": waits}})
            }
            Does::Switch(cases) => {
                let cases = cases.iter().enumerate().map(|(number, (when, jump))| {
                    let then = forward(jump, place, count);
                    named(number, json!({"when": wrapped(when), "then": then}))
                });
                json!({"switch": cases.collect::<Value>()})
            }
            _ => return None,
        })
    }

    /// A task with others in it.
    fn around(&self) -> Option<Value> {
        Some(match self {
            Does::Do(body) => json!({"do": list(body)}),
            Does::For(items, goes_on, body) => {
                let mut task =
                    json!({"for": {"each": "e", "in": wrapped(items)}, "do": list(body)});
                put(&mut task, "while", goes_on.map(|when| json!(wrapped(when))));
                task
            }
            Does::Map(items, at_once, body) => call(
                "map",
                json!({"in": items, "concurrency": at_once, "do": list(body)}),
            ),
            Does::Fork(compete, branches) => {
                json!({"fork": {"compete": compete, "branches": alone(branches)}})
            }
            Does::Race(need, leave, branches) => {
                let need = (*need as usize).min(branches.len());
                let losers = if *leave { "leave" } else { "cancel" };
                call(
                    "race",
                    json!({"branches": alone(branches), "need": need, "losers": losers}),
                )
            }
            Does::Try {
                body,
                error,
                retries,
                catch,
            } => {
                let mut caught = json!({});
                put(
                    &mut caught,
                    "errors",
                    error.map(|kind| json!({"with": {"type": kind}})),
                );
                put(&mut caught, "retry", retries.map(retry));
                put(&mut caught, "do", catch.as_deref().map(list));
                json!({"try": list(body), "catch": caught})
            }
            Does::Saga(steps) => call("saga", json!({"do": saga(steps)})),
            Does::Finally(body, last) => {
                call("finally", json!({"do": list(body), "finally": list(last)}))
            }
            Does::Loop(before, when, max, body) => {
                let key = if *before { "while" } else { "until" };
                call("loop", json!({key: when, "max": max, "do": list(body)}))
            }
            _ => return None,
        })
    }
}

fn call(function: &str, with: impl Into<Value>) -> Value {
    let with: Value = with.into();
    json!({"call": function, "with": with})
}

fn retry(count: u32) -> Value {
    json!({"delay": {"seconds": 1}, "backoff": {"linear": {}}, "limit": {"attempt": {"count": count}}})
}

/// Branches: each task in a list of its own.
fn alone(branches: &[Task]) -> Value {
    let branches = branches.iter().enumerate();
    branches
        .map(|(place, task)| named(place, task.json(0, 1)))
        .collect()
}

fn saga(steps: &[(Task, Option<Vec<Task>>)]) -> Value {
    let count = steps.len();
    let steps = steps.iter().enumerate().map(|(place, (task, undo))| {
        let mut task = task.json(place, count);
        put(&mut task, "compensate", undo.as_deref().map(list));
        named(place, task)
    });
    steps.collect()
}
