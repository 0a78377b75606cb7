//! Owns what stands below a node as text: work, waiting, retries, values, durations.
//!
//! Invariant: a value is written so that the place it stands in reads it as the same again; what a place
//! cannot take as data becomes an expression that gives it.

use graph::ir::{
    Assignment, Backoff, Child, Concurrency, ConcurrencyPolicy, Escalate, Exhausted, Filter, Human,
    Join, JoinBy, Listen, Losers, More, Need, Retry, Sealed, Task, Until,
};
use graph::value::{Str, Value};
use graph::{Delay, Expr, Template};

use super::yaml::Doc;
use crate::compile::{Pace, Schedule};
use crate::expression::{constant, to_expression, unwrap};
use crate::task::failure::BACKOFF_FACTOR;

pub(super) fn worker_task(task: &Task) -> Doc {
    let Task {
        queue,
        name,
        input,
        queue_timeout,
        run_timeout,
        heartbeat_timeout,
        retry,
        exhausted,
        priority,
        sealed,
    } = task;
    let mut input = input.clone();
    for Sealed {
        at,
        secrets: _,
        value,
    } in sealed
    {
        let mut steps = at
            .split('/')
            .skip(1)
            .map(|step| step.replace("~1", "/").replace("~0", "~"));
        put_back(&mut input, &mut steps, value);
    }
    let timeouts = Doc::map([
        ("queue", queue_timeout.as_ref().map(delay_doc)),
        ("run", run_timeout.as_ref().map(delay_doc)),
        ("heartbeat", heartbeat_timeout.as_ref().map(delay_doc)),
    ]);
    let exhausted = match exhausted {
        Exhausted::Fail => None,
        Exhausted::Park => Some(Doc::text("park")),
    };
    Doc::map([
        ("queue", Some(text_or_wrapped(queue))),
        ("name", Some(text_or_wrapped(name))),
        ("input", unless_identity(&input)),
        ("timeouts", filled(timeouts)),
        ("retry", retry.as_ref().map(retry_doc)),
        ("exhausted", exhausted),
        ("priority", priority.as_ref().map(wrapped)),
    ])
}

/// Puts an expression where it was taken out of a task's input, because only a worker may see what it gives.
fn put_back(input: &mut Template, steps: &mut dyn Iterator<Item = String>, value: &Expr) {
    let Some(step) = steps.next() else {
        *input = Template::Expr(value.clone());
        return;
    };
    if let Template::Literal(Value::Object(members)) = input {
        let member =
            |(key, member): (&Str, &Value)| (key.clone(), Template::Literal(member.clone()));
        *input = Template::Object(members.iter().map(member).collect());
    }
    if let Template::Literal(Value::Array(elements)) = input {
        *input = Template::Array(elements.iter().cloned().map(Template::Literal).collect());
    }
    let found = match input {
        Template::Object(members) => members
            .iter_mut()
            .find(|(key, _)| **key == *step)
            .map(|(_, member)| member),
        Template::Array(elements) => step.parse().ok().and_then(|at: usize| elements.get_mut(at)),
        _ => None,
    };
    if let Some(member) = found {
        put_back(member, steps, value);
    }
}

pub(super) fn child_doc(child: &Child) -> Doc {
    let Child {
        workflow,
        version,
        input,
        key,
        detach,
        echo,
    } = child;
    let awaits = detach.then(|| Doc::Scalar(Value::Bool(false)));
    Doc::map([
        ("workflow", Some(text_or_wrapped(workflow))),
        ("version", version.as_ref().map(text_or_wrapped)),
        ("input", unless_identity(input)),
        ("key", key.as_ref().map(text_or_wrapped)),
        ("await", awaits),
        ("echo", echo.then(|| Doc::Scalar(Value::Bool(true)))),
    ])
}

pub(super) fn human_doc(human: &Human) -> Doc {
    let Human {
        title,
        description,
        to,
        data,
        form,
        priority,
        due,
        remind,
        escalate,
        outcomes,
    } = human;
    let [assignee, group] = assignment(to);
    let form = form
        .as_ref()
        .map(|schema| Doc::map([("schema", Some(raw(schema)))]));
    let escalate = escalate.as_ref().map(|Escalate { after, to }| {
        let after = Some(delay_doc(after));
        Doc::map([("after", after), ("to", Some(Doc::map(assignment(to))))])
    });
    let outcomes = outcomes.iter().map(|name| Doc::text(name.clone()));
    Doc::map([
        ("title", Some(text_or_wrapped(title))),
        ("description", description.as_ref().map(text_or_wrapped)),
        assignee,
        group,
        ("data", unless_identity(data)),
        ("form", form),
        ("priority", priority.as_ref().map(template)),
        ("due", due.as_ref().map(delay_doc)),
        (
            "remind",
            filled(Doc::List(remind.iter().map(delay_doc).collect())),
        ),
        ("escalate", escalate),
        ("outcomes", filled(Doc::List(outcomes.collect()))),
    ])
}

fn assignment(to: &Assignment) -> [(&'static str, Option<Doc>); 2] {
    let Assignment { assignee, groups } = to;
    [
        ("assignee", assignee.as_ref().map(text_or_wrapped)),
        ("group", groups.as_ref().map(template)),
    ]
}

pub(super) fn listening(listen: &Listen) -> Doc {
    let Listen {
        filters,
        need,
        envelope,
        until,
        // Beside `listen` in the node.
        each: _,
    } = listen;
    let mut to = strategy(filters, *need, until.is_some());
    let until = until.as_ref().map(|until| match until {
        Until::Never => Doc::Scalar(Value::Bool(false)),
        Until::Holds(condition) => wrapped(condition),
        Until::Events { filters, need } => Doc::map(strategy(filters, *need, false)),
    });
    to.push(("until", until));
    let read = envelope.then(|| Doc::text("envelope"));
    Doc::map([("to", Some(Doc::map(to))), ("read", read)])
}

/// Which events, and how many of them. What goes on until something else ends it takes `any`.
fn strategy(filters: &[Filter], need: Need, goes_on: bool) -> Vec<(&'static str, Option<Doc>)> {
    let list = || Doc::List(filters.iter().map(filter_doc).collect());
    match (need, filters) {
        (Need::All, _) => vec![("all", Some(list()))],
        (Need::Count(1), [every]) if is_every(every) => vec![("any", Some(Doc::List(Vec::new())))],
        (Need::Count(1), [filter]) if !goes_on => vec![("one", Some(filter_doc(filter)))],
        (Need::Count(count), _) => {
            let need = (count > 1).then(|| Doc::count(count));
            vec![("any", Some(list())), ("need", need)]
        }
    }
}

/// Whether a filter lets every event through.
fn is_every(filter: &Filter) -> bool {
    filter.event_type.is_empty()
        && filter.with.is_empty()
        && filter.when.is_none()
        && filter.correlate.is_empty()
        && filter.bind.is_empty()
        && !filter.transient
}

/// When runs start by themselves; the second is what stands in the metadata.
pub(super) fn schedule_docs(schedule: &Schedule, trigger: Option<&Listen>) -> [Doc; 2] {
    let Schedule {
        pace,
        zone,
        from_ms,
        until_ms,
        overlap,
        catch_up,
    } = schedule;
    let pace = match (pace, trigger) {
        (Pace::Cron(cron), _) => vec![("cron", Some(Doc::text(&**cron)))],
        (Pace::Every(ms), _) => vec![("every", Some(duration(*ms)))],
        (Pace::After(ms), _) => vec![("after", Some(duration(*ms)))],
        (Pace::On, Some(trigger)) => {
            let read = (!trigger.envelope).then(|| Doc::text("data"));
            let on = Doc::map(strategy(&trigger.filters, trigger.need, false));
            vec![("on", Some(on)), ("read", read)]
        }
        (Pace::On, None) => Vec::new(),
    };
    let instant = |ms: &Option<u64>| {
        let ms = (*ms).and_then(|ms| i64::try_from(ms).ok())?;
        let at = jiff::Timestamp::from_millisecond(ms).ok()?;
        Some(Doc::text(at.to_string()))
    };
    let hints = [
        ("timezone", zone.as_deref().map(Doc::text)),
        ("from", instant(from_ms)),
        ("until", instant(until_ms)),
        ("overlap", overlap.map(Doc::text)),
        ("catchUp", catch_up.map(Doc::text)),
    ];
    [Doc::map(pace), Doc::map(hints)]
}

fn filter_doc(filter: &Filter) -> Doc {
    Doc::map(filter_members(filter))
}

fn filter_members(filter: &Filter) -> Vec<(&'static str, Option<Doc>)> {
    let Filter {
        event_type,
        with,
        when,
        correlate,
        bind,
        transient,
    } = filter;
    let mut attributes = Vec::new();
    if !event_type.is_empty() {
        attributes.push((Str::from("type"), Doc::text(event_type.clone())));
    }
    let mut pairs = Vec::new();
    for (key, value) in with {
        match value {
            // An expression under `data` would be a condition.
            Template::Expr(_) if **key == *"data" => {
                pairs.push((Expr(".data".into()), value.clone()));
            }
            _ => attributes.push((key.clone(), template(value))),
        }
    }
    pairs.extend(correlate.iter().cloned());
    let pair = |(number, (from, expect)): (u32, (Expr, Template))| {
        let pair = [
            ("from", Some(wrapped(&from))),
            ("expect", Some(template(&expect))),
        ];
        (Str::from(format!("key{number}")), Doc::map(pair))
    };
    let settled = bind.iter().map(|(name, from)| {
        let from = Doc::map([("from", Some(wrapped(from)))]);
        (name.clone(), from)
    });
    vec![
        ("with", Some(Doc::Map(attributes))),
        ("when", when.as_ref().map(wrapped)),
        ("transient", flag(*transient)),
        (
            "correlate",
            filled(Doc::Map(
                (1..).zip(pairs).map(pair).chain(settled).collect(),
            )),
        ),
    ]
}

pub(super) fn more_doc(more: &More) -> Doc {
    let More { filter, max } = more;
    let mut members = filter_members(filter);
    members.push(("max", Some(Doc::count(*max))));
    Doc::map(members)
}

pub(super) fn join_doc(join: Join) -> Doc {
    let Join { need, by } = join;
    let by = match by {
        JoinBy::Tokens => None,
        JoinBy::Edges => Some(Doc::text("edges")),
        JoinBy::Threads => Some(Doc::text("threads")),
    };
    let need = (need != Need::All).then(|| need_doc(need));
    Doc::map([("need", need), ("by", by)])
}

pub(super) fn losers_doc(losers: Losers) -> Option<Doc> {
    match losers {
        Losers::Cancel => None,
        Losers::Leave => Some(Doc::text("leave")),
    }
}

pub(super) fn concurrency(concurrency: &Concurrency) -> Doc {
    let Concurrency { key, limit, policy } = concurrency;
    let policy = match policy {
        ConcurrencyPolicy::Queue => None,
        ConcurrencyPolicy::Drop => Some(Doc::text("drop")),
        ConcurrencyPolicy::Replace => Some(Doc::text("replace")),
    };
    Doc::map([
        ("key", Some(wrapped(key))),
        ("limit", (*limit != 1).then(|| Doc::count(*limit))),
        ("policy", policy),
    ])
}

pub(super) fn retry_doc(retry: &Retry) -> Doc {
    let Retry {
        delay,
        backoff,
        delay_max_ms,
        jitter_ms,
        attempts_max,
        duration_max_ms,
        fatal_types,
        when,
        except_when,
    } = retry;
    let nothing = || Some(Doc::Map(Vec::new()));
    let backoff = match backoff {
        Backoff::Constant => None,
        Backoff::Linear => Some(Doc::map([("linear", nothing())])),
        Backoff::Exponential(factor) => {
            let given = *factor != BACKOFF_FACTOR;
            let factor = given.then(|| Doc::Scalar(Value::float(*factor)));
            Some(Doc::map([(
                "exponential",
                Some(Doc::map([("factor", factor)])),
            )]))
        }
    };
    let jitter = jitter_ms
        .map(|(from, to)| Doc::map([("from", Some(duration(from))), ("to", Some(duration(to)))]));
    let attempt = attempts_max.map(|count| Doc::map([("count", Some(Doc::count(count)))]));
    let limit = Doc::map([
        ("attempt", attempt),
        ("duration", duration_max_ms.map(duration)),
    ]);
    let fatal = fatal_types.iter().map(|kind| Doc::text(kind.clone()));
    Doc::map([
        ("delay", Some(delay_doc(delay))),
        ("backoff", backoff),
        ("maxDelay", delay_max_ms.map(duration)),
        ("jitter", jitter),
        ("limit", filled(limit)),
        ("nonRetryable", filled(Doc::List(fatal.collect()))),
        ("when", when.as_ref().map(wrapped)),
        ("exceptWhen", except_when.as_ref().map(wrapped)),
    ])
}

/// An error as `raise` reads it: a map of the members it knows, or one expression.
pub(super) fn raised(error: &Template) -> Doc {
    let Template::Object(members) = error else {
        return expression_of(error);
    };
    let fits = |(key, value): &(Str, Template)| match (&**key, value) {
        ("status", Template::Literal(value)) => matches!(value, Value::Int(_)),
        ("type" | "title" | "detail" | "instance", Template::Literal(value)) => {
            value.as_text().is_some()
        }
        ("type" | "status" | "title" | "detail" | "instance", Template::Expr(_)) => true,
        _ => false,
    };
    let has = |key: &str| members.iter().any(|(name, _)| **name == *key);
    match members.iter().all(fits) && has("type") && has("status") {
        true => template(error),
        false => expression_of(error),
    }
}

/// The document, unless there is nothing in it.
pub(super) fn filled(doc: Doc) -> Option<Doc> {
    (!doc.is_flat()).then_some(doc)
}

pub(super) fn flag(is: bool) -> Option<Doc> {
    is.then_some(Doc::Scalar(Value::Bool(true)))
}

pub(super) fn named_unless(name: &Str, default: &str) -> Option<Doc> {
    (**name != *default).then(|| Doc::text(name.clone()))
}

pub(super) fn unless_identity(data: &Template) -> Option<Doc> {
    (*data != Template::identity()).then(|| template(data))
}

pub(super) fn need_doc(need: Need) -> Doc {
    match need {
        Need::All => Doc::text("all"),
        Need::Count(count) => Doc::count(count),
    }
}

/// What shapes data, and what they must look like.
pub(super) fn shaping(
    key: &'static str,
    data: &Option<Template>,
    schema: &Option<Value>,
) -> Option<Doc> {
    let schema = schema
        .as_ref()
        .map(|schema| Doc::map([("document", Some(raw(schema)))]));
    let data = data.as_ref().map(map_or_wrapped);
    filled(Doc::map([(key, data), ("schema", schema)]))
}

pub(super) fn after(delay: &Delay) -> Doc {
    Doc::map([("after", Some(delay_doc(delay)))])
}

pub(super) fn delay_doc(delay: &Delay) -> Doc {
    match delay {
        Delay::Ms(ms) => duration(*ms),
        Delay::Computed(computed) => template(computed),
    }
}

pub(super) fn wrapped(expr: &Expr) -> Doc {
    Doc::text(format!("${{ {} }}", expr.0))
}

/// A template as one expression.
fn expression_of(data: &Template) -> Doc {
    match data {
        Template::Expr(expr) => wrapped(expr),
        other => Doc::text(format!("${{ {} }}", to_expression(other))),
    }
}

/// Where a map or one expression is read.
pub(super) fn map_or_wrapped(data: &Template) -> Doc {
    match data {
        Template::Object(_) | Template::Literal(Value::Object(_)) => template(data),
        other => expression_of(other),
    }
}

/// Where text or one expression is read.
pub(super) fn text_or_wrapped(data: &Template) -> Doc {
    match data {
        Template::Literal(Value::Text(_)) => template(data),
        other => expression_of(other),
    }
}

fn template(data: &Template) -> Doc {
    let member = |(key, member): &(Str, Template)| (key.clone(), template(member));
    match data {
        Template::Literal(value) => literal(value),
        Template::Expr(expr) => wrapped(expr),
        Template::Object(members) => {
            let mut members: Vec<(Str, Doc)> = members.iter().map(member).collect();
            // Read again it is plain data, which has an order of its own.
            if data_only(data) {
                members.sort_by(|a, b| a.0.cmp(&b.0));
            }
            Doc::Map(members)
        }
        Template::Array(elements) => Doc::List(elements.iter().map(template).collect()),
    }
}

/// Whether nothing is computed.
fn data_only(data: &Template) -> bool {
    let mut count = 0;
    data.expressions(&mut |_| count += 1);
    count == 0
}

/// Data as it stands, where nothing is computed.
pub(super) fn raw(value: &Value) -> Doc {
    match value {
        Value::Array(elements) => Doc::List(elements.iter().map(raw).collect()),
        Value::Object(members) => {
            let member = |(key, member): (&Str, &Value)| (key.clone(), raw(member));
            Doc::Map(members.iter().map(member).collect())
        }
        scalar => Doc::Scalar(scalar.clone()),
    }
}

/// Data as it stands. Text that would be computed becomes an expression that gives it.
fn literal(value: &Value) -> Doc {
    match value {
        Value::Text(text) if unwrap(text).is_some() => {
            Doc::text(format!("${{ {} }}", constant(value)))
        }
        Value::Array(elements) => Doc::List(elements.iter().map(literal).collect()),
        Value::Object(members) => Doc::Map(
            members
                .iter()
                .map(|(key, member)| (key.clone(), literal(member)))
                .collect(),
        ),
        scalar => Doc::Scalar(scalar.clone()),
    }
}

/// A duration as ISO 8601 writes it.
pub(super) fn duration(ms: u64) -> Doc {
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    let (seconds, rest) = (rest / 1_000 % 60, rest % 1_000);
    let mut text = String::from("P");
    if days > 0 {
        text += &format!("{days}D");
    }
    let mut time = String::new();
    if hours > 0 {
        time += &format!("{hours}H");
    }
    if minutes > 0 {
        time += &format!("{minutes}M");
    }
    if rest > 0 {
        time += &format!("{seconds}.{rest:03}S");
    } else if seconds > 0 {
        time += &format!("{seconds}S");
    }
    if text.len() == 1 && time.is_empty() {
        time = "0S".into();
    }
    if !time.is_empty() {
        text += &format!("T{time}");
    }
    Doc::text(text)
}
