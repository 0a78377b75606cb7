//! Owns [`judge`]: what of a performance is otherwise than its case expects.

use authoring::suite::{Case, Expectation, Sight};
use engine::rehearsal::Visit;
use graph::failure::same_type;
use graph::value::{Object, Value};

use super::difference::{Match, differences, includes, shown};
use super::performance::Performance;

/// What became of a case.
#[derive(Debug)]
pub(crate) struct Report {
    /// Its name.
    pub(crate) name: String,
    /// Where it stands in its file.
    pub(crate) line: u32,
    /// What was otherwise than expected; nothing if all was well.
    pub(crate) differences: Vec<String>,
    /// What happened.
    pub(crate) performance: Performance,
}

impl Report {
    /// Whether all was as expected.
    pub(crate) fn is_well(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Holds a performance against what its case expects.
pub(crate) fn judge(case: &Case, performance: Performance) -> Report {
    let differences = match performance.flaws.is_empty() {
        true => unmet(&case.expect, &performance),
        false => performance.flaws.clone(),
    };
    Report {
        name: case.name.to_string(),
        line: case.line,
        differences,
        performance,
    }
}

fn unmet(expect: &Expectation, performance: &Performance) -> Vec<String> {
    let mut lines = Vec::new();
    let state = expect.state.unwrap_or(match expect.error {
        Some(_) => "failed",
        None => "completed",
    });
    if state != performance.state {
        lines.push(format!(
            "state: expected {state}, got {}",
            performance.state
        ));
    }
    let output = performance.output.clone().unwrap_or_default();
    if performance.output.is_some() || lines.is_empty() {
        let whole = expect.output.as_ref().map(|value| (value, Match::Exact));
        let part = expect
            .output_includes
            .as_ref()
            .map(|value| (value, Match::Includes));
        for (value, how) in whole.into_iter().chain(part) {
            lines.extend(differences("output", value, &output, how));
        }
    }
    if let (Some(expected), Some(error)) = (&expect.error, &performance.error) {
        let error = error.to_value();
        lines.extend(differences(
            "error",
            &alike(expected, &error),
            &error,
            Match::Includes,
        ));
    }
    if let Some(sights) = &expect.trace {
        lines.extend(trace(sights, &performance.visits));
    }
    if let Some(sights) = &expect.trace_includes {
        lines.extend(trace_includes(sights, &performance.visits));
    }
    if let Some(events) = &expect.emitted {
        lines.extend(emitted(events, &performance.emitted));
    }
    if let Some(events) = &expect.emitted_includes {
        lines.extend(emitted_includes(events, &performance.emitted));
    }
    lines
}

/// Where the emitted events are not those expected.
fn emitted(expected: &[Value], events: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, (expected, event)) in expected.iter().zip(events).enumerate() {
        let place = format!("emitted/{index}");
        lines.extend(differences(&place, expected, event, Match::Includes));
    }
    let both = expected.len().min(events.len());
    let missing = expected[both..].first();
    lines.extend(missing.map(|event| {
        let number = both + 1;
        format!(
            "emitted: expected {} as number {number}, got nothing",
            shown(event)
        )
    }));
    let more = events[both..].first();
    lines.extend(more.map(|event| {
        let number = both + 1;
        format!("emitted: number {number} is not expected: {}", shown(event))
    }));
    lines
}

/// The first expected event that does not follow those expected before it.
fn emitted_includes(expected: &[Value], events: &[Value]) -> Option<String> {
    let mut events = events.iter();
    let missing = expected
        .iter()
        .position(|expected| !events.any(|event| includes(expected, event)))?;
    let after = match missing.checked_sub(1) {
        Some(before) => format!(" after {}", shown(&expected[before])),
        None => String::new(),
    };
    Some(format!(
        "emitted: expected {}{after}, got no such",
        shown(&expected[missing])
    ))
}

/// What is expected of an error, with its type as the error spells it if both mean the same.
fn alike(expected: &Value, error: &Value) -> Value {
    let (Some(expected_type), Some(kind), Value::Object(members)) = (
        expected.get("type").and_then(Value::as_text),
        error.get("type").and_then(Value::as_text),
        expected,
    ) else {
        return expected.clone();
    };
    let mut members: Object = (**members).clone();
    if same_type(expected_type, kind) {
        members.insert("type".into(), Value::Text(kind.clone()));
    }
    Value::object(members)
}

fn meets(sight: &Sight, visit: &Visit) -> bool {
    let outcome = sight.outcome;
    sight.task.is_at(&visit.path) && outcome.is_none_or(|outcome| outcome == visit.outcome.word())
}

fn said(sight: &Sight) -> String {
    let outcome = sight
        .outcome
        .map_or_else(String::new, |outcome| format!(" {outcome}"));
    format!("{}{outcome}", sight.task)
}

/// The first place at which the visits are not those expected.
fn trace(sights: &[Sight], visits: &[Visit]) -> Option<String> {
    let length = sights.len().max(visits.len());
    (0..length).find_map(|place| {
        let number = place + 1;
        let seen = |visit: &Visit| format!("{} {}", visit.name, visit.outcome.word());
        match (sights.get(place), visits.get(place)) {
            (Some(sight), Some(visit)) if meets(sight, visit) => None,
            (Some(sight), Some(visit)) => Some(format!(
                "trace: expected {} as number {number}, got {}",
                said(sight),
                seen(visit)
            )),
            (Some(sight), None) => Some(format!(
                "trace: expected {} as number {number}, got nothing",
                said(sight)
            )),
            (None, Some(visit)) => Some(format!(
                "trace: number {number} is not expected: {}",
                seen(visit)
            )),
            (None, None) => None,
        }
    })
}

/// The first expected visit that does not follow those expected before it.
fn trace_includes(sights: &[Sight], visits: &[Visit]) -> Option<String> {
    let mut visits = visits.iter();
    let missing = sights
        .iter()
        .position(|sight| !visits.any(|visit| meets(sight, visit)))?;
    let after = match missing.checked_sub(1) {
        Some(before) => format!(" after {}", said(&sights[before])),
        None => String::new(),
    };
    Some(format!(
        "trace: expected {}{after}, got no such",
        said(&sights[missing])
    ))
}
