//! When runs start by themselves: what a document says of it, and what it is told if it says it badly.

use graph::ir::Need;
use insta::assert_snapshot;
use quadrille_authoring::{Compiled, Finding, Pace, Schedule, compile};

/// A document with this schedule and these hints.
fn compiled(schedule: &str, hints: &str) -> Result<Compiled, Vec<Finding>> {
    let head = "dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'";
    compile(&format!(
        "document:\n  {{{head}, metadata: {{dev.quadrille/schedule: {hints}}}}}\ndo: [a: {{wait: PT1S}}]\n{schedule}"
    ))
}

#[test]
fn events_and_hints() {
    let compiled = compiled(
        "schedule: {on: {all: [{with: {type: paid}, correlate: {order: {from: .data.order}}}, {with: {type: sent}}]}, read: data}",
        "{from: '2030-01-01T00:00:00Z', until: '2031-01-01T00:00:00+01:00', overlap: skip, catchUp: one}",
    )
    .expect("it compiles");
    let schedule = Schedule {
        pace: Pace::On,
        zone: None,
        from_ms: Some(1_893_456_000_000),
        until_ms: Some(1_924_988_400_000),
        overlap: Some("skip"),
        catch_up: Some("one"),
    };
    assert_eq!(compiled.schedule, Some(schedule));
    let trigger = compiled.graph.trigger.expect("it waits for events");
    assert_eq!((trigger.need, trigger.envelope), (Need::All, false));
    assert_eq!(&*trigger.filters[0].bind[0].0, "order");
}

#[test]
fn a_pause_and_a_zone() {
    let pace = |schedule, hints| {
        let schedule = compiled(schedule, hints).expect("it compiles").schedule;
        schedule.map(|schedule| (schedule.pace, schedule.zone))
    };
    assert_eq!(
        pace("schedule: {after: PT15M}", "{}"),
        Some((Pace::After(900_000), None))
    );
    assert_eq!(
        pace("schedule: {cron: '0 6 * * *'}", "{timezone: Europe/Berlin}"),
        Some((Pace::Cron("0 6 * * *".into()), Some("Europe/Berlin".into())))
    );
}

#[test]
fn what_is_wrong_is_told() {
    let hinted = |schedule, hints| {
        let findings =
            compiled(schedule, hints).map_or_else(|errors| errors, |found| found.warnings);
        let lines = findings.iter().map(|finding| format!("{finding}\n"));
        lines.collect::<String>()
    };
    assert_snapshot!(hinted("schedule: {after: PT5M}", "{timezone: UTC, from: '2030-01-02T00:00:00Z', until: '2030-01-01T00:00:00Z', overlap: never, catchup: all}"), @r#"
    2:104: error: only a cron expression has a time zone; remove this [bad-value]
    2:156: error: the schedule ends before it begins; let `until` come after `from` [bad-value]
    2:189: error: "never" is not a word that `overlap` knows; use one of skip, queue, allow, cancel, terminate [bad-value]
    2:196: error: unknown key "catchup"; did you mean "catchUp"? [unknown-key]
    "#);
    assert_snapshot!(hinted("schedule: {on: {all: []}}", "{overlap: queue, from: tomorrow}"), @r#"
    2:113: error: a start by events cannot wait for the run before; use allow, skip, cancel or terminate [bad-value]
    2:126: error: "tomorrow" is not an instant since 1970; write for example 2030-01-31T09:00:00Z [bad-instant]
    4:22: error: `all` needs at least one event; to take every event write `any: []` [empty-list]
    "#);
    assert_snapshot!(hinted("schedule: {cron: '0 6 * * *', read: data}", "{timezone: Mars/Base}"), @r#"
    2:114: error: "Mars/Base" is no time zone; use an IANA name such as Europe/Berlin or UTC [bad-value]
    "#);
    assert_snapshot!(hinted("", "{overlap: skip}"), @"2:103: warning: there is no `schedule` that `dev.quadrille/schedule` could be about; add one or remove this [unused]");
}
