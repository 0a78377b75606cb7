//! Owns the life of a run: start, cancel, terminate, suspend, resume, end.
//!
//! Invariants: the same business key means the same run while it is kept; a finished run stays as it
//! is; a suspended run takes in what comes of its work, and otherwise stays where it is.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use graph::ir::AttributeKind;
use graph::value::{Str, Value};
use graph::{Delay, Expr, Failure, Graph, duration, ir};

use crate::catalog::Definition;
use crate::command::{Reply, StartRun};
use crate::eval::{Scope, fill};
use crate::event::{Event, FrameEnding, Reason, RunEnded, RunEvent, RunFact, RunStarted};
use crate::id::{ROOT_FRAME, RunId, StepId, Time};
use crate::limits::{CHILD_DEPTH_MAX, LABELS_MAX, RETENTION_MS_DEFAULT};
use crate::message::{Message, ScheduledEnd, Stopping, check_room};
use crate::rejection::Rejection;
use crate::signal::{check_name, check_reason, check_weight};
use crate::state::{Activity, Ending, Frame, Nothing, Phase, Run, Status, empty_object};
use crate::step::Token;
use crate::turn::{Move, RunTurn, Turn};
use crate::{child, lock, task};

/// The label that names the schedule a run was started by.
pub const SCHEDULE_LABEL: &str = "quadrille.schedule";

/// Begins a run, or finds that it exists.
pub(crate) fn decide_start(turn: &mut Turn<'_>, start: StartRun) -> Result<Reply, Rejection> {
    if let Some(existing) = turn.state().runs.get(&start.run) {
        let is_over = !existing.is_live();
        if let Some(step) = start.parent {
            let outcome = match existing.parent == Some(step) {
                true => (!existing.is_live()).then(|| child::outcome(existing)),
                false => Some(Err(taken(start.run))),
            };
            if existing.parent == Some(step) {
                turn.send(Message::LinkChild(step));
            }
            if let Some(outcome) = outcome {
                turn.send(Message::end_of_child(step, outcome));
            }
        }
        if let Some(name) = start.labels.get(SCHEDULE_LABEL)
            && is_over
        {
            // What its schedule takes for a new run has ended long ago.
            let (name, run) = (name.clone(), start.run);
            turn.send(Message::NoteScheduledEnd(ScheduledEnd { name, run }));
        }
        return Ok(Reply::Started {
            run: start.run,
            created: false,
        });
    }
    if start.parent.is_none() && !start.labels.contains_key(SCHEDULE_LABEL) {
        check_room(turn.state())?;
    }
    let parent = start.parent;
    let scheduled = start.labels.get(SCHEDULE_LABEL).cloned();
    let run = start.run;
    match begin(turn, start) {
        Ok(run) => Ok(Reply::Started { run, created: true }),
        Err(rejection) => match parent {
            // The step that asked must not wait for ever.
            Some(step) => {
                let failure = Failure::new("configuration", rejection.to_string());
                turn.send(Message::end_of_child(step, Err(failure)));
                Ok(Reply::Done)
            }
            // Nor must its schedule take it for a run that goes on.
            None => match scheduled {
                Some(name) => {
                    turn.send(Message::NoteScheduledEnd(ScheduledEnd { name, run }));
                    Ok(Reply::Done)
                }
                None => Err(rejection),
            },
        },
    }
}

fn taken(run: RunId) -> Failure {
    Failure::new(
        "configuration",
        format!("the business key belongs to run {run}, which another step started"),
    )
}

fn begin(turn: &mut Turn<'_>, start: StartRun) -> Result<RunId, Rejection> {
    let catalog = &turn.state().catalog;
    let definition = catalog
        .find(&start.workflow, start.version.as_deref())
        .cloned()
        .ok_or_else(|| missing(&start.workflow, start.version.as_ref()))?;
    let fact = started(turn, &definition, &start)?;
    let (run, lock) = (start.run, fact.lock.clone());
    let fact = RunEvent::Started(fact);
    turn.emit(Event::Run(RunFact { run, fact }));
    if let Some(step) = start.parent {
        // Before anything the run does: a step that goes on at once must not take its end for an answer.
        turn.send(Message::LinkChild(step));
    }
    if let Some(lock) = lock {
        // Its turn comes by a message, at once if it is the only one.
        lock::replace_oldest(turn, &definition.graph, &lock);
        return Ok(run);
    }
    let mut moved = turn
        .run(run)
        .expect("the run was started just now on a version that exists");
    moved.enter_root(start.input);
    moved.settle();
    Ok(run)
}

/// What is true of a run when it begins.
fn started(
    turn: &Turn<'_>,
    definition: &Definition,
    start: &StartRun,
) -> Result<RunStarted, Rejection> {
    let key = start.key.as_ref();
    key.map_or(Ok(()), |key| check_name("business key", key))?;
    check_weight("input", &start.input)?;
    if start.depth > CHILD_DEPTH_MAX {
        let most = u64::from(CHILD_DEPTH_MAX);
        return Err(Rejection::LimitReached("children of children", most));
    }
    let graph = &definition.graph;
    let seen = |name: &str| variable(name, graph, start);
    let evaluate = |expr: &Expr| {
        let value = definition.evaluate(expr, &start.input, &seen);
        value.map_err(unusable)
    };
    let timeout_ms = match &graph.timeout {
        None => None,
        Some(Delay::Ms(ms)) => Some(*ms),
        Some(Delay::Computed(template)) => {
            let value = fill(template, &evaluate)?;
            Some(duration::read(&value).map_err(Rejection::Invalid)?)
        }
    };
    Ok(RunStarted {
        workflow: graph.workflow.clone(),
        version: graph.version.clone(),
        key: start.key.clone(),
        parent: start.parent,
        depth: start.depth,
        input: start.input.clone(),
        labels: labels(graph, start)?,
        attributes: attributes(graph, start, &evaluate)?,
        context: graph.context.clone(),
        deadline: timeout_ms.map(|ms| turn.now.plus(ms)),
        retention_ms: graph.retention_ms.unwrap_or(RETENTION_MS_DEFAULT),
        lock: lock::of_run(turn.state(), graph, &evaluate)?.map(Box::new),
        priority: match &graph.priority {
            None => None,
            Some(expr) => Some(task::read_priority(&evaluate(expr)?).map_err(Rejection::Invalid)?),
        },
    })
}

/// The workflow's labels, and those of this run before them.
fn labels(graph: &Graph, start: &StartRun) -> Result<BTreeMap<Str, Str>, Rejection> {
    let mut labels: BTreeMap<Str, Str> = graph.labels.iter().cloned().collect();
    labels.extend(start.labels.clone());
    for (name, value) in &labels {
        check_name("label", name)?;
        check_name("label value", value)?;
    }
    check_count("labels of one run", labels.len())?;
    Ok(labels)
}

fn check_count(what: &'static str, count: usize) -> Result<(), Rejection> {
    if count > LABELS_MAX {
        return Err(Rejection::LimitReached(what, LABELS_MAX as u64));
    }
    Ok(())
}

fn missing(workflow: &Str, version: Option<&Str>) -> Rejection {
    Rejection::WorkflowMissing(version.map_or_else(
        || workflow.clone(),
        |version| format!("{workflow} {version}").into(),
    ))
}

/// What expressions see that are computed before the run exists.
fn variable(name: &str, graph: &Graph, start: &StartRun) -> Value {
    match name {
        "input" => start.input.clone(),
        "workflow" => Value::from([
            ("id", Value::text(start.run.to_string())),
            ("name", Value::Text(graph.workflow.clone())),
            ("version", Value::Text(graph.version.clone())),
            ("key", start.key.clone().map_or(Value::Null, Value::Text)),
            ("input", start.input.clone()),
        ]),
        _ => Value::Null,
    }
}

fn unusable(failure: Failure) -> Rejection {
    Rejection::Invalid(
        failure
            .detail
            .map(|detail| detail.to_string())
            .unwrap_or_default(),
    )
}

/// The given attributes, and those that the workflow computes, of the types that it declares.
fn attributes(
    graph: &Graph,
    start: &StartRun,
    evaluate: &dyn Fn(&Expr) -> Result<Value, Rejection>,
) -> Result<BTreeMap<Str, Value>, Rejection> {
    let mut attributes = start.attributes.clone();
    for declared in &graph.attributes {
        let value = evaluate(&declared.from)?;
        if !value.is_null() {
            attributes.entry(declared.name.clone()).or_insert(value);
        }
    }
    for (name, value) in &attributes {
        check_name("search attribute", name)?;
        let declared = graph
            .attributes
            .iter()
            .find(|declared| declared.name == *name);
        let scalar = !matches!(value, Value::Array(_) | Value::Object(_));
        if !scalar || declared.is_some_and(|declared| !fits(declared.kind, value)) {
            let kind = value.kind();
            return Err(Rejection::Invalid(format!(
                "search attribute {name} cannot be {kind}"
            )));
        }
        check_weight("search attribute", value)?;
    }
    check_count("search attributes of one run", attributes.len())?;
    Ok(attributes)
}

fn fits(kind: AttributeKind, value: &Value) -> bool {
    match kind {
        AttributeKind::Text => matches!(value, Value::Text(_)),
        AttributeKind::Number => matches!(value, Value::Int(_) | Value::Float(_)),
        AttributeKind::Bool => matches!(value, Value::Bool(_)),
        AttributeKind::Time => crate::eval::read_instant(value).is_ok(),
    }
}

/// Ends a run after it has cleaned up.
pub(crate) fn decide_cancel(
    turn: &mut Turn<'_>,
    id: RunId,
    reason: Option<Str>,
) -> Result<Reply, Rejection> {
    check_reason(reason.as_ref())?;
    let state = turn.live_run(id)?;
    if state.cancelling {
        return Ok(Reply::Done);
    }
    let is_suspended = state.suspended;
    let mut run = turn.run(id)?;
    run.emit(RunEvent::CancelRequested(Reason { reason }));
    match is_suspended {
        true => run.cancel_held(None),
        false => run.end_frame(ROOT_FRAME, Ending::Withdrawn(Nothing {})),
    }
    run.settle();
    Ok(Reply::Done)
}

/// Ends a run at once.
pub(crate) fn decide_terminate(
    turn: &mut Turn<'_>,
    id: RunId,
    reason: Option<Str>,
) -> Result<Reply, Rejection> {
    check_reason(reason.as_ref())?;
    turn.live_run(id)?;
    let mut run = turn.run(id)?;
    let detail = reason.unwrap_or_else(|| "terminated on request".into());
    let failure = Failure::new("terminated", detail);
    run.end(Status::Terminated, None, Some(failure));
    Ok(Reply::Done)
}

/// Lets nothing start, go on or end.
pub(crate) fn decide_suspend(turn: &mut Turn<'_>, id: RunId) -> Result<Reply, Rejection> {
    if !turn.live_run(id)?.suspended {
        turn.run(id)?.emit(RunEvent::Suspended(Nothing {}));
    }
    Ok(Reply::Done)
}

/// Lets a suspended run go on.
pub(crate) fn decide_resume(turn: &mut Turn<'_>, id: RunId) -> Result<Reply, Rejection> {
    let state = turn.live_run(id)?;
    if !state.suspended || state.is_to_be_cancelled() {
        return Ok(Reply::Done);
    }
    let mut run = turn.run(id)?;
    run.emit(RunEvent::Resumed(Nothing {}));
    run.release_held(None);
    run.settle();
    Ok(Reply::Done)
}

impl RunTurn<'_, '_> {
    /// Shapes the input and lets the first token in.
    pub(crate) fn enter_root(&mut self, input: Value) {
        let definition = self.definition();
        let scope = Scope::of_run(input);
        let fits = definition.fits(None, "input", &scope.data);
        match fits.and_then(|()| self.shape(definition.graph.input.as_ref(), &scope)) {
            Ok(data) => self.push(Move::Advance {
                frame: ROOT_FRAME,
                next: definition.graph.entrance(ir::ROOT),
                data,
                via: None,
            }),
            Err(failure) => self.end(Status::Failed, None, Some(failure)),
        }
    }

    /// Ends the run. Whoever waits for it is told; runs that it still waits for end with it.
    pub(crate) fn end(&mut self, status: Status, output: Option<Value>, failure: Option<Failure>) {
        let children = self
            .state()
            .steps
            .values()
            .filter_map(|step| match &step.activity {
                Activity::Child(awaited) if !awaited.detach => Some(awaited.child),
                _ => None,
            });
        let children: Vec<RunId> = children.collect();
        for run in children {
            self.turn_mut().send(Message::TerminateRun(Stopping {
                run,
                reason: "its parent has ended".into(),
            }));
        }
        self.emit(RunEvent::Ended(RunEnded {
            status,
            output,
            failure,
        }));
        let run = self.state();
        let (id, parent) = (run.id, run.parent);
        let schedule = run.labels.get(SCHEDULE_LABEL).cloned();
        let outcome = child::outcome(run);
        if let Some(step) = parent {
            self.turn_mut().send(Message::end_of_child(step, outcome));
        }
        if let Some(name) = schedule {
            self.turn_mut()
                .send(Message::NoteScheduledEnd(ScheduledEnd { name, run: id }));
        }
    }

    /// The root body is over: so is the run.
    pub(crate) fn end_root(&mut self, ending: Option<Ending>, data: Value) {
        let output = match ending {
            None => data,
            Some(Ending::Completed(output)) => output,
            Some(Ending::Failed(failure)) => return self.end(Status::Failed, None, Some(failure)),
            Some(Ending::Withdrawn(_)) => {
                let reason = self.state().cancel_reason.clone();
                let detail = reason.unwrap_or_else(|| "cancelled on request".into());
                let failure = Failure::new("cancelled", detail);
                return self.end(Status::Cancelled, None, Some(failure));
            }
        };
        let definition = self.definition();
        let scope = Scope {
            output: Some(output.clone()),
            ..Scope::of_run(output)
        };
        let shaped = self.shape(definition.graph.output.as_ref(), &scope);
        let fitting = shaped.and_then(|output| {
            definition.fits(None, "output", &output)?;
            Ok(output)
        });
        match fitting {
            Ok(output) => self.end(Status::Completed, Some(output), None),
            Err(failure) => self.end(Status::Failed, None, Some(failure)),
        }
    }

    /// Begins to end a frame early, withdrawing what goes on in it.
    pub(crate) fn end_frame(&mut self, frame: crate::id::FrameId, ending: Ending) {
        let Some(open) = self.state().frames.get(&frame) else {
            return;
        };
        if open.ending.is_some() {
            return;
        }
        self.emit(RunEvent::FrameEnding(FrameEnding { frame, ending }));
        let steps: Vec<StepId> = self
            .state()
            .frames
            .get(&frame)
            .into_iter()
            .flat_map(|open| open.steps.iter().copied())
            .collect();
        for step in steps {
            self.withdraw(step);
        }
        self.close_if_empty(frame);
    }
}

impl Run {
    pub(crate) fn started(id: RunId, started: &RunStarted, now: Time) -> Run {
        let root = Frame {
            owner: None,
            body: ir::ROOT.0,
            index: 0,
            phase: Phase::Body,
            vars: BTreeMap::new(),
            steps: BTreeSet::new(),
            output: None,
            ending: None,
            joins: BTreeMap::new(),
        };
        Run {
            id,
            workflow: started.workflow.clone(),
            version: started.version.clone(),
            key: started.key.clone(),
            parent: started.parent,
            depth: started.depth,
            input: started.input.clone(),
            context: started.context.clone().unwrap_or_else(empty_object),
            labels: started.labels.clone(),
            attributes: started.attributes.clone(),
            started_at: now,
            status: Status::Running,
            output: None,
            failure: None,
            ended_at: None,
            suspended: false,
            cancelling: false,
            deadline: started.deadline,
            retention_ms: started.retention_ms,
            last_id: 0,
            entered: 0,
            frames: BTreeMap::from([(ROOT_FRAME, Box::new(root))]),
            steps: BTreeMap::new(),
            signals: Vec::new(),
            cancel_reason: None,
            lock: started.lock.clone(),
            priority: started.priority,
            kept_place: None,
        }
    }

    /// Makes a fact of this run true.
    pub(crate) fn apply(&mut self, fact: &RunEvent, now: Time) {
        match fact {
            RunEvent::Started(_) => {}
            RunEvent::StepEntered(fact) => self.apply_entered(fact, now),
            RunEvent::StepPassed(fact) => self.apply_passed(fact),
            RunEvent::StepBegan(fact) => self.apply_began(fact),
            RunEvent::OutcomeKept(fact) => self.apply_outcome_kept(fact),
            RunEvent::StepCompleted(fact) => self.apply_completed(fact),
            RunEvent::StepFailed(fact) => self.apply_left(fact.step),
            RunEvent::StepCancelled(fact) => self.apply_left(Some(fact.step)),
            RunEvent::StepWithdrawing(fact) => self.apply_withdrawing(fact),
            RunEvent::FrameOpened(fact) => self.apply_frame_opened(fact),
            RunEvent::FrameEnding(fact) => self.apply_frame_ending(fact),
            RunEvent::FrameClosed(fact) => self.apply_frame_closed(fact),
            RunEvent::TokenExited(fact) => self.apply_token_exited(fact),
            RunEvent::TokenJoined(fact) => self.apply_token_joined(fact),
            RunEvent::JoinReset(fact) => self.apply_join_reset(fact),
            RunEvent::RegionTurned(fact) => self.apply_region_turned(fact),
            RunEvent::RegionReleased(fact) => self.apply_region_released(fact),
            RunEvent::TaskClaimed(fact) => self.apply_claimed(fact, now),
            RunEvent::TaskHeard(fact) => self.apply_heard(fact.step, now),
            RunEvent::TaskBackedOff(fact) => self.apply_backed_off(fact),
            RunEvent::TaskQueued(fact) => self.apply_queued(fact, now),
            RunEvent::TaskParked(fact) => self.apply_parked(fact),
            RunEvent::HumanClaimed(_)
            | RunEvent::HumanReleased(_)
            | RunEvent::HumanAssigned(_)
            | RunEvent::HumanEscalated(_)
            | RunEvent::HumanReminded(_)
            | RunEvent::HumanCommented(_)
            | RunEvent::HumanDecided(_) => self.apply_human(fact, now),
            RunEvent::EventReceived(fact) => self.apply_event_received(fact),
            RunEvent::LockGranted(fact) => self.apply_lock_granted(fact.step),
            RunEvent::ItemAdded(fact) => self.apply_item_added(fact),
            RunEvent::SignalKept(signal) => self.signals.push(signal.clone()),
            RunEvent::SignalDropped(fact) => self.apply_signal_dropped(fact.number),
            RunEvent::Suspended(_) => self.suspended = true,
            RunEvent::Resumed(_) => self.suspended = false,
            RunEvent::CancelRequested(asked) => {
                self.cancelling = true;
                self.cancel_reason.clone_from(&asked.reason);
            }
            RunEvent::Ended(fact) => self.apply_ended(fact, now),
        }
    }

    fn apply_ended(&mut self, ended: &RunEnded, now: Time) {
        self.status = ended.status;
        self.output.clone_from(&ended.output);
        self.failure.clone_from(&ended.failure);
        self.ended_at = Some(now);
        self.suspended = false;
        self.frames.clear();
        self.steps.clear();
        self.signals.clear();
    }
}

impl Token {
    /// A token at the door of a frame.
    pub(crate) fn at(frame: crate::id::FrameId, node: u32, input: Value) -> Token {
        Token {
            frame,
            node,
            input,
            step: None,
            edge: None,
        }
    }
}
