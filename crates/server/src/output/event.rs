//! Owns an event of a run's history as JSON and as a line.

use sdk::HistoryEvent;
use serde::Serialize;
use serde_json::Value;

use super::paint::{Paint, Tone, cut, plain};
use super::run::value;
use super::time;

/// How much of an event's data a line shows.
const DATA_CHARS_MAX: usize = 160;

/// An event as JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EventRecord<'e> {
    number: u64,
    at: String,
    kind: &'e str,
    step_name: Option<&'e str>,
    data: Value,
}

impl<'e> From<&'e HistoryEvent> for EventRecord<'e> {
    fn from(event: &'e HistoryEvent) -> Self {
        EventRecord {
            number: event.number,
            at: time::instant(event.at_ms),
            kind: &event.kind,
            step_name: event.step_name.as_deref(),
            data: value(&event.data),
        }
    }
}

/// An event as a line. The widths are fixed, so that lines which come one by one still align.
pub(crate) fn line(event: &HistoryEvent, paint: Paint) -> String {
    let data = match value(&event.data) {
        Value::Null => String::new(),
        Value::Object(object) if object.is_empty() => String::new(),
        data => plain(&data.to_string()),
    };
    let number = paint.tone(&format!("{:>5}", event.number), Tone::Faint);
    let (kind, step) = (
        plain(&event.kind),
        plain(event.step_name.as_deref().unwrap_or("-")),
    );
    let line = format!(
        "{number}  {}  {kind:<18}  {step:<16}  ",
        time::instant(event.at_ms)
    );
    format!(
        "{}\n",
        (line + &paint.tone(&cut(&data, DATA_CHARS_MAX), Tone::Faint)).trim_end()
    )
}

#[cfg(test)]
mod tests {
    use sdk::Json;
    use serde_json::json;

    use super::*;

    #[test]
    fn as_json_and_as_lines() {
        let event = |number, kind: &str, data: Value, step: Option<&str>| HistoryEvent {
            number,
            at_ms: 1_767_225_600_042 + number,
            kind: kind.into(),
            data: Json::encode(&data).unwrap(),
            step_name: step.map(Into::into),
        };
        let events = [
            event(0, "RunStarted", json!({"workflow": "order"}), None),
            event(1, "StepEntered", json!({}), Some("reserve")),
            event(
                2,
                "TaskSucceeded",
                json!({"output": "x".repeat(200)}),
                Some("reserve"),
            ),
        ];
        let lines: String = events
            .iter()
            .map(|event| line(event, Paint::Plain))
            .collect();
        insta::assert_snapshot!(lines, @r#"
        0  2026-01-01T00:00:00.042Z  RunStarted          -                 {"workflow":"order"}
        1  2026-01-01T00:00:00.043Z  StepEntered         reserve
        2  2026-01-01T00:00:00.044Z  TaskSucceeded       reserve           {"output":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        "#);
        insta::assert_snapshot!(serde_json::to_string(&EventRecord::from(&events[0])).unwrap(), @r#"{"number":0,"at":"2026-01-01T00:00:00.042Z","kind":"RunStarted","step_name":null,"data":{"workflow":"order"}}"#);
    }
}
