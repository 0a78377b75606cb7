//! Owns the long views of one thing: a run, a workflow, a schedule.
//!
//! Invariants: what is empty is left out; data is cut to what a screen can hold; no outside text is
//! printed as it came.

use sdk::{HistoryEvent, Run, RunCount, RunState, Schedule, Workflow};
use serde_json::Value;

use super::paint::{Paint, Tone, cut, plain};
use super::run::{tone, value};
use super::table::Table;
use super::{event, problem, schedule, time};

/// How much of an input or output is shown; `get -o json` shows all.
const DATA_CHARS_MAX: usize = 400;

/// A run: what it is, what it does now, what went wrong, and its last events.
pub(crate) fn run(run: &Run, events: &[HistoryEvent], now_ms: u64, paint: Paint) -> String {
    let mut text = fields(&run_fields(run, now_ms, paint), paint);
    if !run.steps.is_empty() {
        text += &section("Steps going on", &steps(run, now_ms, paint), paint);
    }
    if !run.children.is_empty() {
        let children: String = run
            .children
            .iter()
            .map(|id| format!("{}\n", plain(id)))
            .collect();
        text += &section("Children", &children, paint);
    }
    let events: String = events
        .iter()
        .map(|event| event::line(event, paint))
        .collect();
    if !events.is_empty() {
        text += &section("Last events", &events, paint);
    }
    if run.state == RunState::Incident {
        text += &format!(
            "\nhint: mend the cause, then go on with: quadrille retry {}\n",
            run.id
        );
    }
    text
}

fn run_fields(run: &Run, now_ms: u64, paint: Paint) -> Vec<(&'static str, String)> {
    let ago = |ms: u64| {
        format!(
            "{} ({} ago)",
            time::instant(ms),
            time::span(now_ms.saturating_sub(ms))
        )
    };
    let data = |json| match value(json) {
        Value::Null => String::new(),
        data => cut(&plain(&data.to_string()), DATA_CHARS_MAX),
    };
    let pairs = |pairs: Vec<String>| plain(&pairs.join(", "));
    let error = value(&run.error);
    let error = if error.is_null() {
        String::new()
    } else {
        paint.tone(&plain(&problem::line(&error)), Tone::Bad)
    };
    vec![
        ("Run", plain(&run.id)),
        (
            "Workflow",
            plain(&format!("{} {}", run.workflow, run.version)),
        ),
        ("Key", plain(run.key.as_deref().unwrap_or_default())),
        ("State", paint.tone(run.state.name(), tone(run.state))),
        ("Started", ago(run.started_at_ms)),
        ("Ended", run.ended_at_ms.map(ago).unwrap_or_default()),
        (
            "Labels",
            pairs(
                run.labels
                    .iter()
                    .map(|(name, label)| format!("{name}={label}"))
                    .collect(),
            ),
        ),
        (
            "Attributes",
            pairs(
                run.attributes
                    .iter()
                    .map(|(name, json)| format!("{name}={}", value(json)))
                    .collect(),
            ),
        ),
        ("Parent", plain(run.parent.as_deref().unwrap_or_default())),
        ("Input", data(&run.input)),
        ("Output", data(&run.output)),
        ("Error", error),
    ]
}

fn steps(run: &Run, now_ms: u64, paint: Paint) -> String {
    let mut table = Table::new([
        "STEP", "NAME", "KIND", "ATTEMPT", "SINCE", "DETAIL", "ERROR",
    ]);
    for step in &run.steps {
        let error = value(&step.error);
        table.row([
            step.id.to_string().into(),
            step.name.as_str().into(),
            step.kind.as_str().into(),
            if step.attempt == 0 {
                String::new()
            } else {
                step.attempt.to_string()
            }
            .into(),
            time::span(now_ms.saturating_sub(step.entered_at_ms)).into(),
            step.detail.as_str().into(),
            if error.is_null() {
                String::new()
            } else {
                problem::line(&error)
            }
            .into(),
        ]);
    }
    table.render(paint)
}

/// A workflow: its versions, how its runs stand, and the text of one version.
pub(crate) fn workflow(
    shown: &Workflow,
    versions: &[Workflow],
    runs: &RunCount,
    paint: Paint,
) -> String {
    let versions: Vec<_> = versions
        .iter()
        .map(|version| {
            format!(
                "{}{}",
                version.version,
                if version.latest { " (latest)" } else { "" }
            )
        })
        .collect();
    let states: Vec<_> = runs
        .states
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let runs = match states.is_empty() {
        true => "none".to_owned(),
        false => format!("{} ({})", runs.count, states.join(", ")),
    };
    let head = [
        ("Workflow", plain(&shown.workflow)),
        ("Versions", plain(&versions.join(", "))),
        ("Runs", runs),
    ];
    let source: String = shown
        .source
        .lines()
        .map(|line| format!("{}\n", plain(line)))
        .collect();
    fields(&head, paint)
        + &section(
            &format!("Source of {}", plain(&shown.version)),
            &source,
            paint,
        )
}

/// A schedule.
pub(crate) fn schedule(schedule: &Schedule, paint: Paint) -> String {
    let input = value(&schedule.input);
    let lines = [
        ("Schedule", plain(&schedule.name)),
        (
            "Workflow",
            plain(&format!(
                "{} {}",
                schedule.workflow,
                schedule.version.as_deref().unwrap_or("(latest)")
            )),
        ),
        ("When", plain(&schedule::timing(&schedule.timing))),
        (
            "Overlap",
            schedule::word(&schedule::OVERLAPS, schedule.overlap).to_owned(),
        ),
        (
            "Catch-up",
            schedule::word(&schedule::CATCH_UPS, schedule.catch_up).to_owned(),
        ),
        (
            "Paused",
            if schedule.paused { "yes" } else { "no" }.to_owned(),
        ),
        (
            "Next",
            schedule.next_at_ms.map(time::instant).unwrap_or_default(),
        ),
        (
            "Last",
            schedule.last_at_ms.map(time::instant).unwrap_or_default(),
        ),
        ("Started", format!("{} runs", schedule.started)),
        (
            "Input",
            if input.is_null() {
                String::new()
            } else {
                cut(&plain(&input.to_string()), DATA_CHARS_MAX)
            },
        ),
    ];
    fields(&lines, paint)
}

/// Names and values below each other; what is empty is left out.
pub(super) fn fields(fields: &[(&str, String)], paint: Paint) -> String {
    let shown = fields.iter().filter(|(_, value)| !value.is_empty());
    shown
        .map(|(name, value)| {
            format!(
                "{}{value}\n",
                paint.tone(&format!("{name:<12}"), Tone::Strong)
            )
        })
        .collect()
}

/// Lines under a heading.
pub(super) fn section(heading: &str, lines: &str, paint: Paint) -> String {
    let lines: String = lines.lines().map(|line| format!("  {line}\n")).collect();
    format!("\n{}\n{lines}", paint.tone(heading, Tone::Strong))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use sdk::Json;

    use super::super::run::tests::{NOW_MS, sample};
    use super::*;

    #[test]
    fn of_a_run() {
        let event = HistoryEvent {
            number: 7,
            at_ms: 1_767_225_601_000,
            kind: "TaskParked".into(),
            data: Json::encode(&serde_json::json!({"step": 4})).unwrap(),
            step_name: Some("charge".into()),
        };
        assert_snapshot!(run(&sample(), &[event], NOW_MS, Paint::Plain), @r#"
        Run         run-1
        Workflow    order 1.0.0
        Key         order-17
        State       incident
        Started     2026-01-01T00:00:00.042Z (1m 39s ago)
        Labels      region=eu
        Attributes  customer="acme"
        Input       {"amount":12}

        Steps going on
          STEP  NAME    KIND  ATTEMPT  SINCE   DETAIL                    ERROR
          4     charge  task  3        1m 39s  parked on queue payments  card declined [declined, 402]

        Children
          run-2

        Last events
              7  2026-01-01T00:00:01.000Z  TaskParked          charge            {"step":4}

        hint: mend the cause, then go on with: quadrille retry run-1
        "#);
    }

    #[test]
    fn of_a_failed_run() {
        let failed = Run {
            state: RunState::Failed,
            error: Json::encode(&serde_json::json!({"title": "no stock", "status": 500})).unwrap(),
            ended_at_ms: Some(NOW_MS),
            steps: Vec::new(),
            children: Vec::new(),
            ..sample()
        };
        assert_snapshot!(run(&failed, &[], NOW_MS, Paint::Plain), @r#"
        Run         run-1
        Workflow    order 1.0.0
        Key         order-17
        State       failed
        Started     2026-01-01T00:00:00.042Z (1m 39s ago)
        Ended       2026-01-01T00:01:40.000Z (0ms ago)
        Labels      region=eu
        Attributes  customer="acme"
        Input       {"amount":12}
        Error       no stock [500]
        "#);
    }

    #[test]
    fn of_a_workflow() {
        let version = |version: &str, latest| Workflow {
            workflow: "order".into(),
            version: version.into(),
            latest,
            source: "document:\n  name: order\n".into(),
            graph: Json::default(),
        };
        let states = BTreeMap::from([(RunState::Running, 2), (RunState::Completed, 5)]);
        let runs = RunCount { count: 7, states };
        let versions = [version("1.0.0", false), version("1.1.0", true)];
        assert_snapshot!(workflow(&versions[1], &versions, &runs, Paint::Plain), @r"
        Workflow    order
        Versions    1.0.0, 1.1.0 (latest)
        Runs        7 (2 running, 5 completed)

        Source of 1.1.0
          document:
            name: order
        ");
    }

    #[test]
    fn of_a_schedule() {
        assert_snapshot!(schedule(&schedule::tests::sample(), Paint::Plain), @r"
        Schedule    nightly
        Workflow    report (latest)
        When        0 2 * * * (Europe/Berlin)
        Overlap     skip
        Catch-up    skip
        Paused      no
        Next        2026-01-01T00:00:00.000Z
        Last        2025-12-31T00:00:00.000Z
        Started     3 runs
        ");
    }
}
