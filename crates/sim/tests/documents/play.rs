//! Owns [`play`]: a run from its start to its end, whatever it takes.
//!
//! Invariant: the same graph gives the same ending each time; workers decide by the task and the attempt.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::TaskOutcome;
use engine::rehearsal::{Claimed, Rehearsal};
use graph::failure::bare_type;
use graph::{Failure, Graph, Value};
use kernel::state::Activity;
use kernel::{Command, Run, RunId, StartRun, Time};

use crate::document::{EVENTS, SILENT};

/// Instants that one act may take before the next one begins: a run may well go round for ever.
const INSTANTS_MAX: usize = 60;

/// Crashes of one run: each reads its journal again.
const CRASHES_MAX: usize = 40;

/// How often each event is published.
const EVENT_ROUNDS: usize = 2;

/// Types of failures that a workflow can see.
const FAILURES: [&str; 8] = [
    "configuration",
    "validation",
    "expression",
    "timeout",
    "communication",
    "runtime",
    "cancelled",
    "terminated",
];

const CHILD: &str = "document: {dsl: 1.0.3, namespace: default, name: child, version: 1.0.0}
do: [{rest: {wait: PT3S}}, {done: {set: {n: 5}}}]
";

/// What came of a run.
#[derive(Debug, PartialEq)]
pub(crate) struct Ending {
    state: &'static str,
    output: Option<Value>,
    error: Option<Failure>,
}

/// Plays a graph to its end, with a crash at each of its first instants if that is asked for.
pub(crate) fn play(graph: &Graph, source: &str, crashes: bool) -> Result<Ending, String> {
    let mut crashes = if crashes { CRASHES_MAX } else { 0 };
    let crashes = &mut crashes;
    let mut stage = Rehearsal::new(Time(1_767_225_600_000));
    let run = RunId([7; 16]);
    let child = authoring::compile(CHILD).expect("the child is valid").graph;
    for (graph, source) in [(child, CHILD), (graph.clone(), source)] {
        let (graph, source) = (Arc::new(graph), source.into());
        ask(&mut stage, Command::DeployWorkflow { graph, source })?;
    }
    ask(&mut stage, Command::StartRun(start(run, &graph.workflow)))?;
    rest(&mut stage, run, crashes)?;
    events(&mut stage, run, crashes)?;
    let reason = || Some("enough".into());
    // A run that has ended refuses what follows.
    let _ = stage.ask(Command::CancelRun {
        run,
        reason: reason(),
    });
    rest(&mut stage, run, crashes)?;
    events(&mut stage, run, crashes)?;
    let _ = stage.ask(Command::TerminateRun {
        run,
        reason: reason(),
    });
    rest(&mut stage, run, crashes)?;
    let ended = stage.run(run).ok_or("the run is gone")?;
    if ended.is_live() {
        return Err(format!("the run outlives its termination: {ended:?}"));
    }
    if let Some(failure) = &ended.failure {
        let kind = bare_type(&failure.kind);
        if !FAILURES.contains(&kind) && kind != "https://example.com/odd" {
            return Err(format!("a failure of a strange type: {failure:?}"));
        }
    }
    Ok(Ending {
        state: ended.condition(),
        output: ended.output.clone(),
        error: ended.failure.clone(),
    })
}

fn ask(stage: &mut Rehearsal, command: Command) -> Result<(), String> {
    let asked = stage.ask(command);
    asked
        .map(drop)
        .map_err(|rejection| format!("refused: {rejection}"))
}

fn start(run: RunId, workflow: &str) -> StartRun {
    StartRun {
        run,
        workflow: workflow.into(),
        version: None,
        key: None,
        input: Value::from([
            ("n", Value::Int(0)),
            ("items", Value::array(vec![Value::Int(4)])),
        ]),
        labels: BTreeMap::new(),
        attributes: BTreeMap::new(),
        parent: None,
        depth: 0,
    }
}

/// Publishes every event there is, until nobody waits any more or it was often enough.
fn events(stage: &mut Rehearsal, run: RunId, crashes: &mut usize) -> Result<(), String> {
    for _ in 0..EVENT_ROUNDS {
        for kind in EVENTS {
            if !stage.run(run).is_some_and(Run::is_live) {
                return Ok(());
            }
            let event = Value::from([("type", Value::from(kind)), ("data", Value::Null)]);
            let ttl_ms = 1_000;
            ask(stage, Command::PublishEvent { event, ttl_ms })?;
            rest(stage, run, crashes)?;
        }
    }
    Ok(())
}

/// Lets everything happen until nothing does by itself, or it was long enough.
fn rest(stage: &mut Rehearsal, run: RunId, crashes: &mut usize) -> Result<(), String> {
    for _ in 0..INSTANTS_MAX {
        if *crashes > 0 {
            *crashes -= 1;
            stage.crash();
        }
        stage.settle().map_err(|restless| restless.to_string())?;
        let claimed = stage.claim();
        for claimed in claimed
            .iter()
            .filter(|claimed| *claimed.work.name != *SILENT)
        {
            stage.report(claimed.token, outcome(claimed));
        }
        if !claimed.is_empty() {
            continue;
        }
        match stage.next_at().filter(|_| stage.live_count() > 0) {
            Some(next) => stage.skip_to(next),
            None => return stage.run(run).map_or(Ok(()), waits),
        }
    }
    Ok(())
}

/// Of three attempts the second one goes well.
fn outcome(claimed: &Claimed) -> TaskOutcome {
    match (claimed.token.step.0 + claimed.work.attempt) % 3 {
        0 => TaskOutcome::Failed {
            failure: Failure::new("communication", "by chance"),
            retryable: claimed.token.step.0.is_multiple_of(2),
        },
        _ => TaskOutcome::Done(Value::from([(
            "n",
            Value::Int(i64::from(claimed.work.attempt)),
        )])),
    }
}

/// A run at which nothing happens any more has ended, or waits for something that can come.
fn waits(run: &Run) -> Result<(), String> {
    let can_go_on = run.steps.values().any(|step| match &step.activity {
        Activity::Listen(_) | Activity::Child(_) => true,
        Activity::Task(_) => step.is_parked(),
        _ => false,
    });
    match run.is_live() && !can_go_on {
        true => Err(format!("the run is stuck: {run:?}")),
        false => Ok(()),
    }
}
