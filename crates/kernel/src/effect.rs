//! Owns the messages to the world, and what is owed to it.
//!
//! Effects are never stored. What a step owes the world is a function of its state
//! ([`Obligations`]); live, an effect is the difference that an event makes to it; after a crash,
//! [`outstanding`] is the difference from nothing. So live and recovered effects agree by construction.

use alloc::vec::Vec;

use graph::ir::Sealed;
use graph::value::{Str, Value};

use crate::command::StartRun;
use crate::human::Notice;
use crate::id::{RunId, SessionId, StepRef, TaskToken, Time, WHOLE_RUN};
use crate::message::Message;
use crate::state::{Activity, Run, State, Step, TaskStage};

/// A message to the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A task may be claimed from this queue.
    OfferTask {
        /// The queue.
        queue: Str,
        /// The task.
        task: StepRef,
        /// How urgent it is, from 0 (last) to 9 (first).
        priority: u8,
    },
    /// A task may no longer be claimed.
    RetractTask {
        /// The queue.
        queue: Str,
        /// The task.
        task: StepRef,
    },
    /// A worker's claim holds: send it the work.
    DeliverTask(Delivery),
    /// A worker's claim is over: if it did not end it itself, tell it to stop.
    EndClaim {
        /// The claim.
        token: TaskToken,
        /// Whose.
        session: SessionId,
    },
    /// A human task is open, or is no longer as it was shown before.
    ShowHuman(Notice),
    /// A human task is no longer open.
    HideHuman(StepRef),
    /// Wake the step at this instant.
    ArmTimer {
        /// The step.
        step: StepRef,
        /// When.
        at: Time,
    },
    /// No need to wake the step then.
    DisarmTimer {
        /// The step.
        step: StepRef,
        /// When it would have been.
        at: Time,
    },
    /// Ask something of another run.
    Send(Message),
    /// Fire the schedule at this instant instead of any other; none for never.
    ArmSchedule {
        /// Its name.
        name: Str,
        /// When.
        at: Option<Time>,
    },
    /// No need to expire the kept event then.
    DisarmExpiry {
        /// Its number.
        number: u64,
        /// When it would have been.
        at: Time,
    },
    /// Expire the kept event at this instant.
    ArmExpiry {
        /// Its number.
        number: u64,
        /// When.
        at: Time,
    },
}

/// Work on its way to a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The claim to report with.
    pub token: TaskToken,
    /// The worker's session.
    pub session: SessionId,
    /// The queue it came from.
    pub queue: Str,
    /// What to do.
    pub name: Str,
    /// With what.
    pub input: Value,
    /// What of the input only the worker gets. The kernel knows of none: the engine adds it from the graph.
    pub sealed: Vec<Sealed>,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The run's workflow.
    pub workflow: Str,
    /// Bound on the silence of the worker, in milliseconds.
    pub heartbeat_timeout_ms: Option<u64>,
    /// Bound on this attempt, in milliseconds.
    pub run_timeout_ms: Option<u64>,
}

/// What one step owes the world now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Obligations {
    timer: Option<Time>,
    offer: Option<(Str, u8)>,
    claim: Option<(TaskToken, SessionId)>,
    child: Option<RunId>,
    notice: Option<Notice>,
}

impl Obligations {
    /// What a step of a run owes.
    #[must_use]
    pub fn of(run: &Run, at: StepRef) -> Obligations {
        if !run.is_live() {
            return Obligations::default();
        }
        if at.step == WHOLE_RUN {
            return Obligations {
                timer: run.due(WHOLE_RUN),
                ..Obligations::default()
            };
        }
        run.step(at.step)
            .map(|step| of_step(run, step, at))
            .unwrap_or_default()
    }

    /// The effects that lead from these obligations to those of `run` as it is now.
    pub fn difference(
        self,
        now: &Obligations,
        run: Option<&Run>,
        at: StepRef,
        effects: &mut Vec<Effect>,
    ) {
        if self.timer != now.timer {
            effects.extend(self.timer.map(|at_time| Effect::DisarmTimer {
                step: at,
                at: at_time,
            }));
            effects.extend(now.timer.map(|at_time| Effect::ArmTimer {
                step: at,
                at: at_time,
            }));
        }
        if self.offer != now.offer {
            effects.extend(
                self.offer
                    .map(|(queue, _)| Effect::RetractTask { queue, task: at }),
            );
            effects.extend(
                now.offer
                    .clone()
                    .map(|(queue, priority)| Effect::OfferTask {
                        queue,
                        task: at,
                        priority,
                    }),
            );
        }
        if self.claim != now.claim {
            effects.extend(
                self.claim
                    .map(|(token, session)| Effect::EndClaim { token, session }),
            );
            let step = run.and_then(|run| run.step(at.step).map(|step| (run, step)));
            if let (Some((token, session)), Some((run, step))) = (now.claim, step) {
                effects.extend(delivery(run, step, token, session).map(Effect::DeliverTask));
            }
        }
        if self.notice != now.notice {
            effects.push(match &now.notice {
                Some(notice) => Effect::ShowHuman(notice.clone()),
                None => Effect::HideHuman(at),
            });
        }
        if self.child != now.child
            && let Some(run) = run
            && let Some(Activity::Child(awaited)) = run.step(at.step).map(|step| &step.activity)
        {
            effects.push(Effect::Send(Message::StartRun(StartRun {
                run: awaited.child,
                workflow: awaited.workflow.clone(),
                version: awaited.version.clone(),
                key: awaited.key.clone(),
                input: awaited.input.clone(),
                labels: alloc::collections::BTreeMap::new(),
                attributes: alloc::collections::BTreeMap::new(),
                parent: Some(at),
                depth: run.depth + 1,
            })));
        }
    }

    /// The child that is waited for.
    #[must_use]
    pub fn child(&self) -> Option<RunId> {
        self.child
    }

    /// The claim that holds.
    #[must_use]
    pub fn claim(&self) -> Option<(TaskToken, SessionId)> {
        self.claim
    }
}

fn of_step(run: &Run, step: &Step, at: StepRef) -> Obligations {
    let mut owed = Obligations {
        timer: run.due(at.step),
        ..Obligations::default()
    };
    match &step.activity {
        Activity::Task(task) => match &task.stage {
            TaskStage::Queued(_) => {
                owed.offer = (!run.suspended).then(|| (task.queue.clone(), task.urgency()));
            }
            TaskStage::Claimed(claim) => {
                let token = TaskToken {
                    run: at.run,
                    step: at.step,
                    claim: task.claims,
                };
                owed.claim = Some((token, claim.session));
            }
            TaskStage::BackedOff(_) | TaskStage::Parked(_) => {}
        },
        Activity::Human(work) => owed.notice = Some(Notice::of(run, step, work, at)),
        Activity::Child(awaited) => owed.child = Some(awaited.child),
        Activity::Timer(_)
        | Activity::Listen(_)
        | Activity::Region(_)
        | Activity::Held(_)
        | Activity::Yielded(_)
        | Activity::Milestone(_)
        | Activity::Kept(_) => {}
    }
    owed
}

fn delivery(run: &Run, step: &Step, token: TaskToken, session: SessionId) -> Option<Delivery> {
    let task = step.task()?;
    Some(Delivery {
        token,
        session,
        queue: task.queue.clone(),
        name: task.name.clone(),
        input: task.input.clone(),
        sealed: Vec::new(),
        attempt: task.attempt,
        workflow: run.workflow.clone(),
        heartbeat_timeout_ms: task.heartbeat_timeout_ms,
        run_timeout_ms: task.run_timeout_ms,
    })
}

/// All that is owed to the world after a crash.
#[must_use]
pub fn outstanding(state: &State) -> Vec<Effect> {
    let mut effects = Vec::new();
    for run in state.runs.values() {
        let steps = core::iter::once(WHOLE_RUN).chain(run.steps.keys().copied());
        for step in steps {
            let at = StepRef { run: run.id, step };
            Obligations::default().difference(
                &Obligations::of(run, at),
                Some(run),
                at,
                &mut effects,
            );
        }
    }
    let free = state.locks.free().cloned();
    effects.extend(free.map(|key| Effect::Send(Message::GrantLock(key))));
    for (name, schedule) in &state.schedules {
        effects.push(Effect::ArmSchedule {
            name: name.clone(),
            at: schedule.due(),
        });
    }
    for kept in state.kept_events.iter() {
        effects.push(Effect::ArmExpiry {
            number: kept.number,
            at: kept.expires_at,
        });
    }
    effects
}
