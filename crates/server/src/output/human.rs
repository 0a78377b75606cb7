//! Owns a human task as JSON, as a row of a table and at length.
//!
//! Invariant: the JSON has the members of the REST interface, in its form.

use sdk::{HumanDecision, HumanTask, HumanWork};
use serde::Serialize;
use serde_json::Value;

use super::description::{fields, section};
use super::paint::{Paint, cut, plain};
use super::run::value;
use super::table::Table;
use super::time;

/// How much of the data and of the form is shown; `-o json` shows all.
const DATA_CHARS_MAX: usize = 2_000;

/// A human task of a list, as JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HumanRecord<'t> {
    id: &'t str,
    run: &'t str,
    workflow: &'t str,
    name: &'t str,
    state: &'t str,
    title: &'t str,
    assignee: Option<&'t str>,
    groups: &'t [String],
    priority: u32,
    created_at: String,
    due_at: Option<String>,
    closed_at: Option<String>,
}

/// A human task in full, as JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HumanDetail<'t> {
    #[serde(flatten)]
    task: HumanRecord<'t>,
    description: Option<&'t str>,
    data: Value,
    form: Value,
    outcomes: &'t [String],
    comments: Vec<CommentRecord<'t>>,
    escalates_at: Option<String>,
    decision: Option<DecisionRecord<'t>>,
}

#[derive(Clone, Debug, Serialize)]
struct CommentRecord<'t> {
    by: &'t str,
    at: String,
    text: &'t str,
}

#[derive(Clone, Debug, Serialize)]
struct DecisionRecord<'t> {
    by: &'t str,
    outcome: Option<&'t str>,
    data: Value,
    comment: Option<&'t str>,
}

impl<'t> From<&'t HumanTask> for HumanRecord<'t> {
    fn from(task: &'t HumanTask) -> Self {
        HumanRecord {
            id: &task.id,
            run: &task.run,
            workflow: &task.workflow,
            name: &task.name,
            state: &task.state,
            title: &task.title,
            assignee: task.assignee.as_deref(),
            groups: &task.groups,
            priority: task.priority,
            created_at: time::instant(task.created_at_ms),
            due_at: task.due_at_ms.map(time::instant),
            closed_at: task.closed_at_ms.map(time::instant),
        }
    }
}

impl<'t> From<&'t HumanWork> for HumanDetail<'t> {
    fn from(work: &'t HumanWork) -> Self {
        let comments = work.comments.iter().map(|comment| CommentRecord {
            by: &comment.by,
            at: time::instant(comment.at_ms),
            text: &comment.text,
        });
        let decided = |decision: &'t HumanDecision| DecisionRecord {
            by: &decision.by,
            outcome: decision.outcome.as_deref(),
            data: value(&decision.data),
            comment: decision.comment.as_deref(),
        };
        HumanDetail {
            task: HumanRecord::from(&work.task),
            description: work.description.as_deref(),
            data: value(&work.data),
            form: value(&work.form),
            outcomes: &work.outcomes,
            comments: comments.collect(),
            escalates_at: work.escalates_at_ms.map(time::instant),
            decision: work.decision.as_ref().map(decided),
        }
    }
}

/// Human tasks as a table.
pub(crate) fn table(tasks: &[HumanTask], now_ms: u64, paint: Paint) -> String {
    let mut table = Table::new([
        "ID", "TITLE", "STATE", "FOR", "PRIORITY", "SINCE", "DUE", "WORKFLOW",
    ]);
    for task in tasks {
        let whose = match &task.assignee {
            Some(name) => name.clone(),
            None => task.groups.join(", "),
        };
        table.row([
            task.id.as_str().into(),
            task.title.as_str().into(),
            task.state.as_str().into(),
            whose.into(),
            task.priority.to_string().into(),
            time::span(now_ms.saturating_sub(task.created_at_ms)).into(),
            task.due_at_ms
                .map(time::instant_short)
                .unwrap_or_default()
                .into(),
            task.workflow.as_str().into(),
        ]);
    }
    table.render(paint)
}

/// A human task at length.
pub(crate) fn describe(work: &HumanWork, paint: Paint) -> String {
    let task = &work.task;
    let data = |json| match value(json) {
        Value::Null => String::new(),
        data => cut(&plain(&data.to_string()), DATA_CHARS_MAX),
    };
    let at = |ms: Option<u64>| ms.map(time::instant).unwrap_or_default();
    let words = |words: &[String]| plain(&words.join(", "));
    let decided = |decision: &HumanDecision| {
        let outcome = decision.outcome.as_deref().unwrap_or("rejected");
        let said = decision.comment.as_ref().map(|said| format!(": {said}"));
        let said = said.unwrap_or_default();
        plain(&format!("{outcome} by {}{said}", decision.by))
    };
    let given = work.decision.as_ref().map(|decision| data(&decision.data));
    let mut text = fields(
        &[
            ("Task", plain(&task.id)),
            ("Title", plain(&task.title)),
            ("State", plain(&task.state)),
            ("Workflow", plain(&task.workflow)),
            ("Step", plain(&task.name)),
            (
                "Assignee",
                plain(task.assignee.as_deref().unwrap_or_default()),
            ),
            ("Groups", words(&task.groups)),
            ("Priority", task.priority.to_string()),
            ("Created", time::instant(task.created_at_ms)),
            ("Due", at(task.due_at_ms)),
            ("Escalates", at(work.escalates_at_ms)),
            ("Closed", at(task.closed_at_ms)),
            ("Outcomes", words(&work.outcomes)),
            ("Data", data(&work.data)),
            ("Form", data(&work.form)),
            (
                "Decision",
                work.decision.as_ref().map(decided).unwrap_or_default(),
            ),
            ("Given", given.unwrap_or_default()),
        ],
        paint,
    );
    if let Some(description) = &work.description {
        let lines = description.lines().map(|line| plain(line) + "\n");
        text += &section("Description", &lines.collect::<String>(), paint);
    }
    if !work.comments.is_empty() {
        let said = work.comments.iter().map(|comment| {
            let at = time::instant_short(comment.at_ms);
            format!("{at}  {}: {}\n", plain(&comment.by), plain(&comment.text))
        });
        text += &section("Comments", &said.collect::<String>(), paint);
    }
    text
}

#[cfg(test)]
mod tests {
    use sdk::{HumanComment, Json};
    use serde_json::json;

    use super::*;

    fn sample() -> HumanWork {
        HumanWork {
            task: HumanTask {
                id: "0192f3c4-5d6e-7f80-91a2-b3c4d5e6f708.3".into(),
                run: "0192f3c4-5d6e-7f80-91a2-b3c4d5e6f708".into(),
                workflow: "order".into(),
                name: "review".into(),
                state: "completed".into(),
                title: "Review order 7".into(),
                assignee: Some("alice".into()),
                groups: vec!["reviewers".into()],
                priority: 5,
                created_at_ms: 1_767_225_600_000,
                due_at_ms: Some(1_767_312_000_000),
                closed_at_ms: Some(1_767_225_690_000),
            },
            description: Some("Look at **it**.\nThen decide.".into()),
            data: Json::encode(&json!({"id": 7})).unwrap(),
            form: Json::default(),
            outcomes: vec!["approve".into(), "refuse".into()],
            comments: vec![HumanComment {
                by: "bob".into(),
                at_ms: 1_767_225_660_000,
                text: "hm".into(),
            }],
            escalates_at_ms: None,
            decision: Some(HumanDecision {
                by: "alice".into(),
                outcome: Some("approve".into()),
                data: Json::encode(&json!({"amount": 5})).unwrap(),
                comment: None,
            }),
        }
    }

    #[test]
    fn as_json_as_a_table_and_at_length() {
        let work = sample();
        let ready = HumanTask {
            state: "ready".into(),
            assignee: None,
            due_at_ms: None,
            ..work.task.clone()
        };
        let tasks = [work.task.clone(), ready];
        insta::assert_snapshot!(table(&tasks, 1_767_225_690_000, Paint::Plain), @r"
        ID                                      TITLE           STATE      FOR        PRIORITY  SINCE   DUE                   WORKFLOW
        0192f3c4-5d6e-7f80-91a2-b3c4d5e6f708.3  Review order 7  completed  alice      5         1m 30s  2026-01-02T00:00:00Z  order
        0192f3c4-5d6e-7f80-91a2-b3c4d5e6f708.3  Review order 7  ready      reviewers  5         1m 30s  -                     order
        ");
        insta::assert_snapshot!(describe(&work, Paint::Plain), @r#"
        Task        0192f3c4-5d6e-7f80-91a2-b3c4d5e6f708.3
        Title       Review order 7
        State       completed
        Workflow    order
        Step        review
        Assignee    alice
        Groups      reviewers
        Priority    5
        Created     2026-01-01T00:00:00.000Z
        Due         2026-01-02T00:00:00.000Z
        Closed      2026-01-01T00:01:30.000Z
        Outcomes    approve, refuse
        Data        {"id":7}
        Decision    approve by alice
        Given       {"amount":5}

        Description
          Look at **it**.
          Then decide.

        Comments
          2026-01-01T00:01:00Z  bob: hm
        "#);
        insta::assert_snapshot!(serde_json::to_string(&HumanDetail::from(&work)).unwrap(), @r#"
        {"id":"0192f3c4-5d6e-7f80-91a2-b3c4d5e6f708.3","run":"0192f3c4-5d6e-7f80-91a2-b3c4d5e6f708","workflow":"order","name":"review","state":"completed","title":"Review order 7","assignee":"alice","groups":["reviewers"],"priority":5,"created_at":"2026-01-01T00:00:00.000Z","due_at":"2026-01-02T00:00:00.000Z","closed_at":"2026-01-01T00:01:30.000Z","description":"Look at **it**.\nThen decide.","data":{"id":7},"form":null,"outcomes":["approve","refuse"],"comments":[{"by":"bob","at":"2026-01-01T00:01:00.000Z","text":"hm"}],"escalates_at":null,"decision":{"by":"alice","outcome":"approve","data":{"amount":5},"comment":null}}
        "#);
    }
}
