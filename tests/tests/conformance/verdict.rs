//! What scenarios demand of a run: how it ended, what it gave, and which tasks ran in which order.
//!
//! Invariant: everything is read from the run and its history; a demand that cannot be judged fails.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::words::Said;
use crate::world::World;
use crate::yaml::{at, has, same};

/// Events by which a run comes to a task, in this order of its life.
const VISITS: [&str; 2] = ["StepPassed", "StepEntered"];

/// Events by which a task ends well.
const COMPLETIONS: [&str; 2] = ["StepPassed", "StepCompleted"];

/// The run has ended like this.
pub(crate) async fn ended(world: &mut World, state: &str) -> Result<Value> {
    let run = world.end().await?;
    ensure!(run["state"] == state, "the run is not {state}: {run}");
    Ok(run)
}

/// It completed with this output.
pub(crate) async fn output(world: &mut World, expected: &Value) -> Result<()> {
    let run = ended(world, "completed").await?;
    equal("the output", &run["output"], expected)
}

/// It failed with an error that has this.
pub(crate) async fn error(world: &mut World, expected: &Value) -> Result<()> {
    let run = ended(world, "failed").await?;
    contains("the error", &run["error"], expected)
}

/// The output has these properties.
pub(crate) async fn properties(world: &mut World, said: &Said, wanted: bool) -> Result<()> {
    let run = ended(world, "completed").await?;
    let names = said.names(0);
    ensure!(!names.is_empty(), "no property is named");
    for name in names {
        let has = at(&run["output"], &name).is_some();
        ensure!(
            has == wanted,
            "property {name}: {has}; the output is {}",
            run["output"]
        );
    }
    Ok(())
}

/// A property of the output is this.
pub(crate) async fn property(world: &mut World, said: &Said) -> Result<()> {
    let run = ended(world, "completed").await?;
    let path = said.word(0);
    let value = at(&run["output"], path)
        .with_context(|| format!("no property {path} in {}", run["output"]))?;
    equal(path, value, &said.value()?)
}

/// A property of the output has so many items.
pub(crate) async fn items(world: &mut World, said: &Said) -> Result<()> {
    let run = ended(world, "completed").await?;
    let count = at(&run["output"], said.word(0))
        .and_then(Value::as_array)
        .map(Vec::len);
    let expected = usize::try_from(said.number(1)?)?;
    ensure!(
        count == Some(expected),
        "{count:?} items in {}",
        run["output"]
    );
    Ok(())
}

/// It took so long, in milliseconds.
pub(crate) async fn took(world: &mut World, is: impl Fn(i128) -> bool) -> Result<()> {
    let run = world.end().await?;
    let instant = |key: &str| -> Result<jiff::Timestamp> {
        Ok(run[key].as_str().unwrap_or_default().parse()?)
    };
    let took = instant("ended_at")?.as_millisecond() - instant("started_at")?.as_millisecond();
    ensure!(is(took.into()), "it took {took} ms");
    Ok(())
}

/// The run carries a value.
pub(crate) async fn carries(world: &mut World, what: &str, said: &Said) -> Result<()> {
    let run = world.get("").await?;
    let name = said.word(0);
    equal(name, &run[what][name], &said.value()?)
}

/// A task is among all others here in the order of visits.
pub(crate) async fn ran(
    world: &mut World,
    task: &str,
    place: fn(&[String]) -> Option<&String>,
) -> Result<()> {
    let visits = visits(world).await?;
    ensure!(
        place(&visits).is_some_and(|name| name == task),
        "{task} is elsewhere in {visits:?}"
    );
    Ok(())
}

/// One task ran before another.
pub(crate) async fn before(world: &mut World, first: &str, then: &str) -> Result<()> {
    let visits = visits(world).await?;
    let place = |task: &str| visits.iter().position(|name| name == task);
    let both = place(first).zip(place(then));
    ensure!(both.is_some_and(|(a, b)| a < b), "the order is {visits:?}");
    Ok(())
}

/// These tasks ran in this order, whatever ran between them.
pub(crate) async fn order(world: &mut World, tasks: &[String]) -> Result<()> {
    let mut visits = visits(world).await?;
    visits.retain(|name| tasks.contains(name));
    ensure!(visits == tasks, "the order is {visits:?}");
    Ok(())
}

/// A task ran so often.
pub(crate) async fn times(world: &mut World, task: &str, times: u64) -> Result<()> {
    let visits = visits(world).await?;
    let count = visits.iter().filter(|name| *name == task).count();
    ensure!(count as u64 == times, "{count} times in {visits:?}");
    Ok(())
}

/// A task ended well; the outputs of all its visits.
pub(crate) async fn completed(world: &mut World, task: &str) -> Result<Value> {
    let events = events(world).await?;
    let last = events
        .iter()
        .rev()
        .find(|event| is(event, task, &COMPLETIONS));
    let event = last.with_context(|| format!("{task} has not completed"))?;
    Ok(event["data"]["output"].clone())
}

/// A task failed.
pub(crate) async fn faulted(world: &mut World, task: &str) -> Result<Value> {
    let events = events(world).await?;
    let last = events
        .iter()
        .rev()
        .find(|event| is(event, task, &["StepFailed"]));
    let event = last.with_context(|| format!("{task} has not failed"))?;
    Ok(event["data"]["failure"].clone())
}

/// A task was cancelled.
pub(crate) async fn cancelled(world: &mut World, task: &str) -> Result<()> {
    let events = events(world).await?;
    let found = events
        .iter()
        .any(|event| is(event, task, &["StepCancelled"]));
    ensure!(found, "{task} was not cancelled");
    Ok(())
}

/// The check found something of this kind in a line.
pub(crate) fn found(world: &World, code: &str, line: u64, severity: &str) -> Result<()> {
    let findings = world.findings.as_ref().context("nothing was checked")?;
    let is = |finding: &Value| {
        finding["code"] == code && finding["line"] == line && finding["severity"] == severity
    };
    ensure!(findings.iter().any(is), "found {findings:?}");
    Ok(())
}

/// Two values are the same.
pub(crate) fn equal(what: &str, value: &Value, expected: &Value) -> Result<()> {
    ensure!(
        same(value, expected),
        "{what} is {value}, expected {expected}"
    );
    Ok(())
}

/// A value has at least this.
pub(crate) fn contains(what: &str, value: &Value, part: &Value) -> Result<()> {
    ensure!(
        has(value, part),
        "{what} is {value}, expected at least {part}"
    );
    Ok(())
}

fn is(event: &Value, task: &str, kinds: &[&str]) -> bool {
    event["step_name"] == task && kinds.iter().any(|kind| event["kind"] == *kind)
}

/// The names of all tasks that the run came to, in this order. A task that failed at once was not entered.
async fn visits(world: &mut World) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for event in events(world).await? {
        let failed_at_once = event["kind"] == "StepFailed" && event["data"]["step"].is_null();
        if failed_at_once || VISITS.iter().any(|kind| event["kind"] == *kind) {
            names.extend(event["step_name"].as_str().map(ToOwned::to_owned));
        }
    }
    Ok(names)
}

async fn events(world: &mut World) -> Result<Vec<Value>> {
    let (mut events, mut from) = (Vec::new(), Value::from(0));
    loop {
        let page = world.get(&format!("/history?from={from}")).await?;
        events.extend(page["events"].as_array().cloned().unwrap_or_default());
        match page.get("next") {
            Some(next) => from = next.clone(),
            None => return Ok(events),
        }
    }
}
