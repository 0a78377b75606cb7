//! Owns a run as JSON and as a row of a table.
//!
//! Invariant: the JSON has every key always, with null for what is not there.

use std::collections::BTreeMap;

use sdk::{Json, Run, RunState, Step};
use serde::Serialize;
use serde_json::Value;

use super::paint::{Paint, Tone};
use super::table::{Cell, Table};
use super::time;

/// A run as JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunRecord<'r> {
    id: &'r str,
    workflow: &'r str,
    version: &'r str,
    key: Option<&'r str>,
    state: &'static str,
    input: Value,
    output: Value,
    error: Value,
    started_at: String,
    ended_at: Option<String>,
    labels: &'r BTreeMap<String, String>,
    attributes: BTreeMap<&'r str, Value>,
    parent: Option<&'r str>,
}

/// A run as JSON with what it does now.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunDetail<'r> {
    #[serde(flatten)]
    run: RunRecord<'r>,
    steps: Vec<StepRecord<'r>>,
    children: &'r [String],
}

#[derive(Clone, Debug, Serialize)]
struct StepRecord<'r> {
    id: u32,
    name: &'r str,
    path: &'r str,
    kind: &'r str,
    detail: &'r str,
    entered_at: String,
    attempt: u32,
    error: Value,
}

impl<'r> From<&'r Run> for RunRecord<'r> {
    fn from(run: &'r Run) -> Self {
        RunRecord {
            id: &run.id,
            workflow: &run.workflow,
            version: &run.version,
            key: run.key.as_deref(),
            state: run.state.name(),
            input: value(&run.input),
            output: value(&run.output),
            error: value(&run.error),
            started_at: time::instant(run.started_at_ms),
            ended_at: run.ended_at_ms.map(time::instant),
            labels: &run.labels,
            attributes: run
                .attributes
                .iter()
                .map(|(name, json)| (name.as_str(), value(json)))
                .collect(),
            parent: run.parent.as_deref(),
        }
    }
}

impl<'r> From<&'r Run> for RunDetail<'r> {
    fn from(run: &'r Run) -> Self {
        RunDetail {
            run: run.into(),
            steps: run.steps.iter().map(StepRecord::from).collect(),
            children: &run.children,
        }
    }
}

impl<'r> From<&'r Step> for StepRecord<'r> {
    fn from(step: &'r Step) -> Self {
        StepRecord {
            id: step.id,
            name: &step.name,
            path: &step.path,
            kind: &step.kind,
            detail: &step.detail,
            entered_at: time::instant(step.entered_at_ms),
            attempt: step.attempt,
            error: value(&step.error),
        }
    }
}

/// Data of the server as a value; text if it is not JSON, which the contract rules out.
pub(crate) fn value(json: &Json) -> Value {
    json.decode()
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(json.as_bytes())))
}

/// What a state says by its colour.
pub(crate) fn tone(state: RunState) -> Tone {
    match state {
        RunState::Completed => Tone::Good,
        RunState::Failed | RunState::Terminated => Tone::Bad,
        RunState::Incident | RunState::Suspended | RunState::Cancelled => Tone::Warning,
        _ => Tone::Plain,
    }
}

/// Runs as a table.
pub(crate) fn table(runs: &[Run], now_ms: u64, paint: Paint) -> String {
    let mut table = Table::new([
        "ID", "WORKFLOW", "VERSION", "KEY", "STATE", "STARTED", "DURATION",
    ]);
    for run in runs {
        table.row([
            run.id.as_str().into(),
            run.workflow.as_str().into(),
            run.version.as_str().into(),
            run.key.as_deref().unwrap_or_default().into(),
            Cell::from(run.state.name()).tone(tone(run.state)),
            time::instant_short(run.started_at_ms).into(),
            duration(run, now_ms).into(),
        ]);
    }
    table.render(paint)
}

/// How long a run took, or has been going on.
fn duration(run: &Run, now_ms: u64) -> String {
    time::span(
        run.ended_at_ms
            .unwrap_or(now_ms)
            .saturating_sub(run.started_at_ms),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const NOW_MS: u64 = 1_767_225_700_000;

    /// A run in the middle of its life.
    pub(crate) fn sample() -> Run {
        Run {
            id: "run-1".into(),
            workflow: "order".into(),
            version: "1.0.0".into(),
            key: Some("order-17".into()),
            state: RunState::Incident,
            input: Json::encode(&serde_json::json!({"amount": 12})).unwrap(),
            output: Json::default(),
            error: Json::default(),
            started_at_ms: 1_767_225_600_042,
            ended_at_ms: None,
            labels: [("region".to_owned(), "eu".to_owned())].into(),
            attributes: [("customer".to_owned(), Json::encode("acme").unwrap())].into(),
            parent: None,
            steps: vec![Step {
                id: 4,
                name: "charge".into(),
                path: "/do/1/charge".into(),
                kind: "task".into(),
                detail: "parked on queue payments".into(),
                entered_at_ms: 1_767_225_601_000,
                attempt: 3,
                error: Json::encode(&serde_json::json!({"type": "declined", "title": "card declined", "status": 402}))
                    .unwrap(),
            }],
            children: vec!["run-2".into()],
        }
    }

    /// The same after it ended well.
    fn ended() -> Run {
        Run {
            state: RunState::Completed,
            key: None,
            output: Json::encode(&[1, 2]).unwrap(),
            ended_at_ms: Some(1_767_225_601_542),
            ..sample()
        }
    }

    #[test]
    fn as_json_every_key_is_there() {
        let runs = [sample(), ended()];
        let records: Vec<_> = runs.iter().map(RunRecord::from).collect();
        insta::assert_snapshot!(serde_json::to_string_pretty(&records).unwrap(), @r#"
        [
          {
            "id": "run-1",
            "workflow": "order",
            "version": "1.0.0",
            "key": "order-17",
            "state": "incident",
            "input": {
              "amount": 12
            },
            "output": null,
            "error": null,
            "started_at": "2026-01-01T00:00:00.042Z",
            "ended_at": null,
            "labels": {
              "region": "eu"
            },
            "attributes": {
              "customer": "acme"
            },
            "parent": null
          },
          {
            "id": "run-1",
            "workflow": "order",
            "version": "1.0.0",
            "key": null,
            "state": "completed",
            "input": {
              "amount": 12
            },
            "output": [
              1,
              2
            ],
            "error": null,
            "started_at": "2026-01-01T00:00:00.042Z",
            "ended_at": "2026-01-01T00:00:01.542Z",
            "labels": {
              "region": "eu"
            },
            "attributes": {
              "customer": "acme"
            },
            "parent": null
          }
        ]
        "#);
    }

    #[test]
    fn details_add_steps_and_children() {
        let run = sample();
        let detail = serde_json::to_value(RunDetail::from(&run)).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&detail["steps"]).unwrap(), @r#"
        [
          {
            "attempt": 3,
            "detail": "parked on queue payments",
            "entered_at": "2026-01-01T00:00:01.000Z",
            "error": {
              "status": 402,
              "title": "card declined",
              "type": "declined"
            },
            "id": 4,
            "kind": "task",
            "name": "charge",
            "path": "/do/1/charge"
          }
        ]
        "#);
        assert_eq!(detail["children"], serde_json::json!(["run-2"]));
        assert_eq!(detail["id"], "run-1");
    }

    #[test]
    fn as_a_table() {
        insta::assert_snapshot!(table(&[sample(), ended()], NOW_MS, Paint::Plain), @r"
        ID     WORKFLOW  VERSION  KEY       STATE      STARTED               DURATION
        run-1  order     1.0.0    order-17  incident   2026-01-01T00:00:00Z  1m 39s
        run-1  order     1.0.0    -         completed  2026-01-01T00:00:00Z  1.5s
        ");
    }
}
