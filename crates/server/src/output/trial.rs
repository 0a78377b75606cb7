//! Owns the outcome of test cases as people and machines read it.
//!
//! Invariant: a case that did not go as expected shows what differed, what it gave, and what its tasks did.

use engine::rehearsal::Outcome;
use serde::Serialize;
use serde_json::Value;

use super::paint::{Paint, Tone, cut, plain};
use super::time;
use crate::cli::Played;
use crate::trial::Report;

/// How many visits of one case are shown, from the end.
const VISITS_SHOWN_MAX: usize = 50;

/// How many events of one case are shown, from the beginning.
const EVENTS_SHOWN_MAX: usize = 20;

/// How much of an output is shown.
const DATA_CHARS_MAX: usize = 2_000;

/// How much is shown of why a task failed.
const DETAIL_CHARS_MAX: usize = 160;

/// Test files as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct TrialRecord<'p> {
    passed: usize,
    failed: usize,
    files: Vec<FileRecord<'p>>,
}

#[derive(Debug, Serialize)]
struct FileRecord<'p> {
    file: &'p str,
    sound: bool,
    cases: Vec<CaseRecord<'p>>,
}

#[derive(Debug, Serialize)]
struct CaseRecord<'p> {
    name: &'p str,
    line: u32,
    passed: bool,
    differences: &'p [String],
    state: &'p str,
    output: Value,
    error: Value,
    emitted: Value,
    lasted_ms: u64,
    trace: Vec<VisitRecord<'p>>,
}

#[derive(Debug, Serialize)]
struct VisitRecord<'p> {
    task: &'p str,
    path: &'p str,
    outcome: &'p str,
    after_ms: u64,
}

/// Test files as JSON.
pub(crate) fn record(played: &[Played]) -> TrialRecord<'_> {
    let (passed, failed) = counts(played);
    TrialRecord {
        passed,
        failed,
        files: played.iter().map(file).collect(),
    }
}

fn file(played: &Played) -> FileRecord<'_> {
    FileRecord {
        file: &played.file,
        sound: played.cases.is_some(),
        cases: played.cases.iter().flatten().map(case).collect(),
    }
}

fn case(report: &Report) -> CaseRecord<'_> {
    let performance = &report.performance;
    let json = |value: Option<graph::Value>| serde_json::to_value(value).unwrap_or_default();
    CaseRecord {
        name: &report.name,
        line: report.line,
        passed: report.is_well(),
        differences: &report.differences,
        state: performance.state,
        output: json(performance.output.clone()),
        error: json(performance.error.as_ref().map(graph::Failure::to_value)),
        emitted: json(Some(graph::Value::array(performance.emitted.clone()))),
        lasted_ms: performance.lasted_ms,
        trace: performance
            .visits
            .iter()
            .map(|visit| VisitRecord {
                task: &visit.name,
                path: &visit.path,
                outcome: visit.outcome.word(),
                after_ms: visit.ended_at.since(performance.began_at),
            })
            .collect(),
    }
}

/// How many cases went as expected, and how many did not.
fn counts(played: &[Played]) -> (usize, usize) {
    let reports = || {
        played
            .iter()
            .flat_map(|played| played.cases.iter().flatten())
    };
    let passed = reports().filter(|report| report.is_well()).count();
    (passed, reports().count() - passed)
}

/// The cases of one file.
pub(crate) fn text(played: &Played, paint: Paint) -> String {
    let file = plain(&played.file);
    let Some(cases) = &played.cases else {
        return format!("{} {file}\n", paint.tone("unsound", Tone::Bad));
    };
    let mut text = match cases.is_empty() {
        true => String::new(),
        false => format!("{}\n", paint.tone(&file, Tone::Strong)),
    };
    for report in cases {
        let (word, tone) = match report.is_well() {
            true => ("ok  ", Tone::Good),
            false => ("FAIL", Tone::Bad),
        };
        let lasted = time::span(report.performance.lasted_ms);
        let name = plain(&report.name);
        let lasted = paint.tone(&format!("({lasted})"), Tone::Faint);
        text += &format!("  {} {name} {lasted}\n", paint.tone(word, tone));
        if !report.is_well() {
            text += &format!("       {file}:{}\n", report.line);
            text += &details(report, paint);
        }
    }
    text
}

/// What differed in a case, and what happened in it.
pub(crate) fn details(report: &Report, paint: Paint) -> String {
    let mut text = String::new();
    let mut line = |line: &str| text += &format!("       {line}\n");
    for difference in &report.differences {
        difference.lines().for_each(&mut line);
    }
    let performance = &report.performance;
    if let Some(output) = &performance.output {
        line(&format!(
            "output {}",
            cut(&plain(&output.to_json()), DATA_CHARS_MAX)
        ));
    }
    if let Some(error) = &performance.error {
        let error = error.to_value().to_json();
        line(&format!("error {}", cut(&plain(&error), DATA_CHARS_MAX)));
    }
    let emitted = performance.emitted.iter();
    for event in emitted.take(EVENTS_SHOWN_MAX) {
        let event = cut(&plain(&event.to_json()), DETAIL_CHARS_MAX);
        line(&format!("emitted {event}"));
    }
    let hidden = performance.emitted.len().saturating_sub(EVENTS_SHOWN_MAX);
    if hidden > 0 {
        line(&format!("emitted {hidden} more"));
    }
    if performance.visits.is_empty() {
        return text;
    }
    line(&format!("trace, then {}", performance.state));
    let hidden = performance.visits.len().saturating_sub(VISITS_SHOWN_MAX);
    if hidden > 0 {
        line(&format!("  … {hidden} before"));
    }
    for visit in performance.visits.iter().skip(hidden) {
        let after = time::span(visit.ended_at.since(performance.began_at));
        let outcome = cut(&plain(&told(&visit.outcome)), DETAIL_CHARS_MAX);
        let after = paint.tone(&format!("{after:>8}"), Tone::Faint);
        line(&format!("{after}  {:<20} {outcome}", plain(&visit.name)));
    }
    text
}

/// How a visit ended, with the type of its failure.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Failed(failure) => {
            let kind = graph::failure::bare_type(&failure.kind);
            let why = failure.detail.as_deref().or(failure.title.as_deref());
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            format!("failed, {kind} {}{why}", failure.status)
        }
        other => other.word().to_owned(),
    }
}

/// How many cases went how.
pub(crate) fn summary(played: &[Played], paint: Paint) -> String {
    let (passed, failed) = counts(played);
    let unsound = played
        .iter()
        .filter(|played| played.cases.is_none())
        .count();
    let mut text = format!("{passed} passed");
    if failed > 0 {
        text += &paint.tone(&format!(", {failed} failed"), Tone::Bad);
    }
    if unsound > 0 {
        text += &paint.tone(&format!(", {unsound} not sound"), Tone::Bad);
    }
    text + "\n"
}
