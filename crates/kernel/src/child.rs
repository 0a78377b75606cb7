//! Owns runs that other runs start: what the parent waits for and what it is told.
//!
//! Invariant: starting a child is idempotent (its id follows from the parent's step, or from its own
//! business key), so after a crash the parent simply asks again and is told the outcome.

use alloc::format;

use graph::value::Value;
use graph::{Failure, ir};

use crate::command::Reply;
use crate::eval::Scope;
use crate::id::{RunId, StepId, StepRef};
use crate::message::{Message, Stopping};
use crate::rejection::Rejection;
use crate::state::{Activity, Awaited, Run, Status};
use crate::turn::{RunTurn, Turn};

/// What a finished run tells whoever waits for it.
pub(crate) fn outcome(run: &Run) -> Result<Value, Failure> {
    match run.status {
        Status::Completed => Ok(run.output.clone().unwrap_or_default()),
        Status::Running | Status::Failed | Status::Cancelled | Status::Terminated => Err(run
            .failure
            .clone()
            .unwrap_or_else(|| Failure::new("runtime", "the child has no outcome"))),
    }
}

/// The child exists: a step that does not wait for its end goes on.
pub(crate) fn decide_link(turn: &mut Turn<'_>, at: StepRef) -> Result<Reply, Rejection> {
    let awaited = awaited(turn, at)?;
    if awaited.detach {
        let mut run = turn.run(at.run)?;
        let output = run
            .echo(at.step)
            .unwrap_or_else(|| Value::from([("id", Value::text(format!("{}", awaited.child)))]));
        run.complete(at.step, output);
        run.settle();
    }
    Ok(Reply::Done)
}

/// The child has ended, or could not start.
pub(crate) fn decide_end(
    turn: &mut Turn<'_>,
    at: StepRef,
    outcome: Result<Value, Failure>,
) -> Result<Reply, Rejection> {
    awaited(turn, at)?;
    let mut run = turn.run(at.run)?;
    match outcome {
        Ok(output) => run.complete(at.step, output),
        Err(failure) => run.fail(
            at.step,
            Failure {
                instance: None,
                ..failure
            },
        ),
    }
    run.settle();
    Ok(Reply::Done)
}

fn awaited(turn: &Turn<'_>, at: StepRef) -> Result<Awaited, Rejection> {
    let run = turn.live_run(at.run).map_err(|_| Rejection::NotDue)?;
    match run.step(at.step).map(|step| &step.activity) {
        Some(Activity::Child(awaited)) => Ok(awaited.clone()),
        _ => Err(Rejection::NotDue),
    }
}

impl RunTurn<'_, '_> {
    /// The input of a step whose result it is as soon as its child has started.
    fn echo(&self, id: StepId) -> Option<Value> {
        let step = self.state().step(id)?;
        let definition = self.definition();
        match &definition.node(step.node)?.kind {
            ir::Kind::Child(child) if child.echo => {
                let raw = || self.state().input_of(step);
                Some(step.shaped.as_ref().unwrap_or_else(raw).clone())
            }
            _ => None,
        }
    }

    /// Withdraws the run that a step waits for.
    pub(crate) fn cancel_child(&mut self, id: StepId) {
        if let Some(Activity::Child(awaited)) = self.state().step(id).map(|step| &step.activity)
            && !awaited.detach
        {
            let cancel = Message::CancelRun(Stopping {
                run: awaited.child,
                reason: "its parent waits for it no more".into(),
            });
            self.turn_mut().send(cancel);
        }
    }

    /// The child a node starts.
    pub(crate) fn awaited(&mut self, child: &ir::Child, scope: &Scope) -> Result<Awaited, Failure> {
        self.room_for_message()?;
        let workflow = self.text("the workflow of a child", &child.workflow, scope)?;
        let version = child
            .version
            .as_ref()
            .map(|version| self.text("the version of a child", version, scope))
            .transpose()?;
        let key = child
            .key
            .as_ref()
            .map(|key| self.text("the business key of a child", key, scope))
            .transpose()?;
        let input = self.template(&child.input, scope)?;
        let id = match &key {
            Some(key) => RunId::of_key(&workflow, key),
            None => RunId::of_key(
                &format!("child of {}", self.id()),
                &format!("{}", scope.step.map_or(self.new_id(), |step| step.0)),
            ),
        };
        Ok(Awaited {
            child: id,
            workflow,
            version,
            key,
            input,
            detach: child.detach,
        })
    }
}
