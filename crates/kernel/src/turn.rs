//! Owns one decision: a command comes in, events go out, applied as they are made.
//!
//! Invariant: the only way to change state here is [`Turn::emit`], which applies the event exactly as
//! replay will; so what is live equals what is replayed. What moves next inside a run waits in an
//! agenda rather than on the call stack, so depth of nesting never becomes depth of recursion.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use graph::value::Value;
use graph::{Failure, Next};

use crate::catalog::{self, Definition};
use crate::command::{Command, Decision, Reply};
use crate::effect::{Effect, Obligations};
use crate::event::{Event, RunEvent, RunFact};
use crate::id::{FrameId, ROOT_FRAME, RunId, StepId, StepRef, Time, WHOLE_RUN};
use crate::limits::{DATA_BYTES_MAX, TURN_BYTES_MAX, TURN_TRANSITIONS_MAX};
use crate::message::Message;
use crate::rejection::Rejection;
use crate::schedule::{self, Calendar};
use crate::state::{Run, State, weight};
use crate::{child, human, lock, message, run, signal, task, timer};

/// Judges a command against the state, and applies what follows from it.
///
/// # Errors
/// A command that is refused; the state is then as it was.
pub fn decide(
    state: &mut State,
    command: Command,
    now: Time,
    calendar: &dyn Calendar,
) -> Result<(Reply, Decision), Rejection> {
    let mut turn = Turn {
        state,
        now,
        calendar,
        decision: Decision::default(),
    };
    let reply = turn.judge(command);
    assert!(
        reply.is_ok() || turn.decision.events.is_empty(),
        "a rejected command has changed nothing"
    );
    reply.map(|reply| (reply, turn.decision))
}

/// One command's decision in the making.
pub(crate) struct Turn<'a> {
    state: &'a mut State,
    /// The instant of the decision.
    pub now: Time,
    /// Reads cron expressions.
    pub calendar: &'a dyn Calendar,
    decision: Decision,
}

impl<'a> Turn<'a> {
    fn judge(&mut self, command: Command) -> Result<Reply, Rejection> {
        match command {
            Command::DeployWorkflow { graph, source } => {
                catalog::decide_deploy(self, &graph, &source)
            }
            Command::StartRun(start) => run::decide_start(self, start),
            Command::CancelRun { run, reason } => run::decide_cancel(self, run, reason),
            Command::TerminateRun { run, reason } => run::decide_terminate(self, run, reason),
            Command::SuspendRun { run } => run::decide_suspend(self, run),
            Command::ResumeRun { run } => run::decide_resume(self, run),
            Command::RetryRun { run, step } => task::decide_retry(self, run, step),
            Command::SignalRun {
                run,
                name,
                data,
                ttl_ms,
            } => signal::decide_signal(self, run, &name, &data, ttl_ms),
            Command::PublishEvent { event, ttl_ms } => {
                message::check_room(self.state)?;
                signal::decide_publish(self, &event, ttl_ms)
            }
            Command::OfferEvent { event, ttl_ms } => signal::decide_publish(self, &event, ttl_ms),
            Command::ClaimTask { task, session } => task::decide_claim(self, task, session),
            Command::CompleteTask { token, output } => task::decide_complete(self, token, output),
            Command::FailTask {
                token,
                failure,
                retryable,
            } => task::decide_fail(self, token, failure, retryable),
            Command::HeartbeatTask { token } => task::decide_heartbeat(self, token),
            Command::ReleaseTask { token, reason } => task::decide_release(self, token, reason),
            Command::ActOnHuman { task, by, act } => human::decide_act(self, task, by, act),
            Command::FireTimer { step } => timer::decide_fire(self, step),
            Command::LinkChild { step } => child::decide_link(self, step),
            Command::EndChild { step, outcome } => child::decide_end(self, step, outcome),
            Command::PutSchedule { schedule } => schedule::decide_put(self, schedule),
            Command::DeleteSchedule { name } => schedule::decide_delete(self, name),
            Command::PauseSchedule { name, paused } => schedule::decide_pause(self, &name, paused),
            Command::FireSchedule { name } => schedule::decide_fire(self, &name),
            Command::NoteScheduledEnd { name, run } => schedule::decide_ended(self, &name, run),
            Command::ExpireEvent { number } => signal::decide_expire(self, number),
            Command::HandEvent { step, event } => signal::decide_hand(self, step, &event),
            Command::DeferMessage { message } => Ok(message::decide_defer(self, message)),
            Command::GrantLock { key } => lock::decide_grant(self, &key),
            Command::TakeMessage { number } => message::decide_take(self, number),
        }
    }

    /// The state as it is now.
    pub(crate) fn state(&self) -> &State {
        self.state
    }

    /// Makes an event true and remembers it, with the effects that follow from it.
    pub(crate) fn emit(&mut self, event: Event) {
        match &event {
            Event::Run(RunFact { run, fact }) => self.emit_fact(*run, fact),
            Event::SchedulePut(schedule) => {
                self.decision.effects.push(Effect::ArmSchedule {
                    name: schedule.name.clone(),
                    at: schedule.due(),
                });
            }
            Event::ScheduleMoved(moved) => {
                let known = self.state.schedules.get(&moved.name);
                let rests = known.is_none_or(|schedule| schedule.paused);
                self.decision.effects.push(Effect::ArmSchedule {
                    name: moved.name.clone(),
                    at: moved.next_at.filter(|_| !rests),
                });
            }
            Event::ScheduleDropped(name) => {
                self.decision.effects.push(Effect::ArmSchedule {
                    name: name.name.clone(),
                    at: None,
                });
            }
            Event::EventKept(kept) => {
                self.decision.effects.push(Effect::ArmExpiry {
                    number: kept.number,
                    at: kept.expires_at,
                });
            }
            Event::EventDropped(dropped) => {
                let kept = self.state.kept_events.get(dropped.number);
                let effect = kept.map(|kept| Effect::DisarmExpiry {
                    number: kept.number,
                    at: kept.expires_at,
                });
                self.decision.effects.extend(effect);
            }
            Event::WorkflowDeployed(_) | Event::MessageDeferred(_) | Event::MessageTaken(_) => {}
        }
        if !matches!(event, Event::Run(_)) {
            self.state.apply(&event, self.now);
        }
        self.decision.events.push(event);
    }

    /// Applies a fact of a run; its effects are the difference it makes to what is owed.
    fn emit_fact(&mut self, id: RunId, fact: &RunEvent) {
        let touched = self.state.touched(id, fact);
        let owed = |state: &State, step: StepId| {
            state
                .runs
                .get(&id)
                .map(|run| Obligations::of(run, StepRef { run: id, step }))
                .unwrap_or_default()
        };
        let mut locks = self.state.locks_at(id, &touched);
        let before: Vec<(StepId, Obligations)> = touched
            .iter()
            .map(|step| (*step, owed(self.state, *step)))
            .collect();
        self.state.apply_fact(id, fact, self.now);
        locks.extend(self.state.locks_at(id, &touched));
        // Each once: the end of a run may let go of one lock at many steps.
        locks.sort_unstable();
        locks.dedup();
        locks.retain(|key| self.state.locks.next(key).is_some());
        let grants = locks
            .into_iter()
            .map(|key| Effect::Send(Message::GrantLock(key)));
        self.decision.effects.extend(grants);
        let run = self.state.runs.get(&id).map(|run| &**run);
        for (step, before) in before {
            let after = owed(self.state, step);
            before.difference(
                &after,
                run,
                StepRef { run: id, step },
                &mut self.decision.effects,
            );
        }
    }

    /// Asks something of another run.
    pub(crate) fn send(&mut self, message: Message) {
        self.decision.effects.push(Effect::Send(message));
    }

    /// A run that goes on.
    pub(crate) fn live_run(&self, id: RunId) -> Result<&Run, Rejection> {
        let run = self.state.runs.get(&id).ok_or(Rejection::RunMissing(id))?;
        if run.is_live() {
            Ok(run)
        } else {
            Err(Rejection::RunEnded(id))
        }
    }

    /// Opens a run that goes on, to move it.
    pub(crate) fn run(&mut self, id: RunId) -> Result<RunTurn<'_, 'a>, Rejection> {
        let run = self.live_run(id)?;
        let definition = self
            .state
            .catalog
            .find(&run.workflow, Some(&run.version))
            .cloned()
            .ok_or_else(|| Rejection::WorkflowMissing(run.workflow.clone()))?;
        Ok(RunTurn {
            turn: self,
            run: id,
            definition,
            agenda: VecDeque::new(),
            moving: BTreeMap::new(),
            stirred: BTreeSet::new(),
            milestone_reached: false,
            transitions: 0,
            bytes: 0,
        })
    }
}

/// What moves next inside a run.
#[derive(Debug)]
pub(crate) enum Move {
    /// A token goes on with its data.
    Advance {
        /// The frame it is in.
        frame: FrameId,
        /// Where to.
        next: Next,
        /// Its data.
        data: Value,
        /// What it comes from; none if it has just come into its body.
        via: Option<Via>,
    },
    /// A frame has nothing left that goes on.
    Close {
        /// The frame.
        frame: FrameId,
        /// The data of the token that left last.
        data: Value,
    },
}

/// The beginning of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Via {
    /// The node that the token left.
    pub node: u32,
    /// Which of the ways that it can send tokens along at once; 0 where it sends one.
    pub way: u32,
}

/// A run being moved.
pub(crate) struct RunTurn<'t, 'a> {
    turn: &'t mut Turn<'a>,
    run: RunId,
    definition: Arc<Definition>,
    agenda: VecDeque<Move>,
    /// Tokens in the agenda, by frame.
    moving: BTreeMap<FrameId, u32>,
    /// Frames in which something has moved since their merges were looked at.
    pub stirred: BTreeSet<FrameId>,
    /// Whether a token has come to a node that a milestone names since those were looked at.
    pub milestone_reached: bool,
    /// Nodes entered and bodies opened in this turn.
    pub transitions: u32,
    /// Data journaled in this turn.
    pub bytes: usize,
}

impl<'a> RunTurn<'_, 'a> {
    /// The run as it is now.
    pub(crate) fn state(&self) -> &Run {
        self.turn
            .state
            .runs
            .get(&self.run)
            .expect("a run being moved stays in memory")
    }

    /// The version the run is on.
    pub(crate) fn definition(&self) -> Arc<Definition> {
        self.definition.clone()
    }

    /// The instant of the decision.
    pub(crate) fn now(&self) -> Time {
        self.turn.now
    }

    /// The turn.
    pub(crate) fn turn(&self) -> &Turn<'a> {
        self.turn
    }

    /// The turn, to reach beyond the run.
    pub(crate) fn turn_mut(&mut self) -> &mut Turn<'a> {
        self.turn
    }

    /// The run's id.
    pub(crate) fn id(&self) -> RunId {
        self.run
    }

    /// Makes a fact of this run true.
    pub(crate) fn emit(&mut self, fact: RunEvent) {
        self.bytes += fact.own_bytes();
        self.stir(&fact);
        self.turn.emit(Event::Run(RunFact {
            run: self.run,
            fact,
        }));
    }

    /// Remembers where a fact may let a merge or milestone go on.
    fn stir(&mut self, fact: &RunEvent) {
        let frame_of = |step: &StepId| self.state().step(*step).map(|step| step.frame);
        let (frame, node) = match fact {
            RunEvent::StepEntered(fact) => (Some(fact.frame), Some(fact.node)),
            RunEvent::TokenJoined(fact) => (Some(fact.frame), Some(fact.node)),
            RunEvent::StepPassed(fact) => (Some(fact.frame), None),
            RunEvent::JoinReset(fact) => (Some(fact.frame), None),
            RunEvent::StepCompleted(fact) => (frame_of(&fact.step), None),
            RunEvent::StepCancelled(fact) => (frame_of(&fact.step), None),
            RunEvent::RegionReleased(fact) => (frame_of(&fact.step), None),
            RunEvent::Resumed(_) => {
                // What was to be seen before it was suspended may not have been.
                self.milestone_reached = true;
                let frames = self.state().frames.iter();
                let holding = frames.filter(|(_, open)| !open.joins.is_empty());
                self.stirred = holding.map(|(id, _)| *id).collect();
                return;
            }
            _ => return,
        };
        self.milestone_reached |= node.is_some_and(|node| self.definition.is_watched(node));
        if self.definition.has_merges() {
            self.stirred.extend(frame);
        }
    }

    /// The number for a new step or frame.
    pub(crate) fn new_id(&self) -> u32 {
        self.state().last_id + 1
    }

    /// Lets a move wait for its turn.
    pub(crate) fn push(&mut self, next: Move) {
        if let Move::Advance { frame, data, .. } = &next {
            self.bytes += weight(data, DATA_BYTES_MAX);
            *self.moving.entry(*frame).or_default() += 1;
        }
        self.agenda.push_back(next);
    }

    /// Whether a token is on its way inside the frame.
    pub(crate) fn is_moving(&self, frame: FrameId) -> bool {
        self.moving.contains_key(&frame)
    }

    /// Whether this turn has done enough: tokens go on in the next.
    pub(crate) fn is_spent(&self) -> bool {
        self.transitions > TURN_TRANSITIONS_MAX || self.bytes > TURN_BYTES_MAX
    }

    /// Whether the tokens that are under way will spend this turn: no more bodies are opened.
    pub(crate) fn is_full(&self) -> bool {
        self.is_spent()
            || self.transitions as usize + self.agenda.len() > TURN_TRANSITIONS_MAX as usize
    }

    /// Moves everything until all wait for something outside. Nothing moves in a run that has ended, nor in a
    /// suspended one: what leaves a step there goes nowhere, for its run is about to be cancelled.
    pub(crate) fn settle(&mut self) {
        loop {
            if !self.state().is_live() || self.state().suspended {
                self.agenda.clear();
                return;
            }
            let Some(next) = self.agenda.pop_front() else {
                if self.milestones_at_rest() || self.merge_at_rest() {
                    continue;
                }
                return;
            };
            match next {
                Move::Advance {
                    frame,
                    next,
                    data,
                    via,
                } => {
                    if let Some(tokens) = self.moving.get_mut(&frame).filter(|tokens| **tokens > 1)
                    {
                        *tokens -= 1;
                    } else {
                        self.moving.remove(&frame);
                    }
                    self.advance(frame, next, data, via);
                }
                Move::Close { frame, data } => self.close(frame, data),
            }
        }
    }

    /// Ends the run as failed, whatever it was doing: a bound of the kernel was passed.
    pub(crate) fn stop(&mut self, failure: Failure) {
        self.end(crate::state::Status::Failed, None, Some(failure));
    }
}

impl State {
    /// Makes an event true. The event's own instant is `now`.
    pub fn apply(&mut self, event: &Event, now: Time) {
        match event {
            Event::Run(RunFact { run, fact }) => self.apply_fact(*run, fact, now),
            Event::WorkflowDeployed(deployed) => self.catalog.apply_deployed(deployed),
            Event::EventKept(kept) => self.kept_events.insert(kept.clone()),
            Event::EventDropped(dropped) => self.kept_events.remove(dropped.number),
            Event::SchedulePut(schedule) => {
                self.schedules
                    .insert(schedule.name.clone(), schedule.clone());
            }
            Event::ScheduleMoved(moved) => {
                if let Some(schedule) = self.schedules.get_mut(&moved.name) {
                    schedule.apply_moved(moved);
                }
            }
            Event::ScheduleDropped(name) => {
                self.schedules.remove(&name.name);
            }
            Event::MessageDeferred(deferred) => {
                self.messages
                    .insert(deferred.number, deferred.message.clone());
            }
            Event::MessageTaken(taken) => {
                self.messages.remove(&taken.number);
            }
        }
    }

    /// The steps whose obligations a fact may change.
    fn touched(&self, run: RunId, fact: &RunEvent) -> Vec<StepId> {
        let one = |step: StepId| alloc::vec![step];
        match fact {
            RunEvent::Started(_) => one(WHOLE_RUN),
            RunEvent::StepEntered(fact) => one(fact.step),
            RunEvent::StepBegan(fact) => one(fact.step),
            RunEvent::StepCompleted(fact) => one(fact.step),
            RunEvent::StepFailed(fact) => fact.step.map(one).unwrap_or_default(),
            RunEvent::StepCancelled(fact) | RunEvent::TaskHeard(fact) => one(fact.step),
            RunEvent::StepWithdrawing(fact) => one(fact.step),
            RunEvent::RegionTurned(fact) => one(fact.step),
            RunEvent::RegionReleased(fact) => one(fact.step),
            RunEvent::TaskClaimed(fact) => one(fact.step),
            RunEvent::TaskBackedOff(fact) => one(fact.step),
            RunEvent::TaskQueued(fact) => one(fact.step),
            RunEvent::TaskParked(fact) => one(fact.step),
            RunEvent::EventReceived(fact) => one(fact.step),
            RunEvent::ItemAdded(fact) => one(fact.step),
            RunEvent::LockGranted(fact) => one(fact.step),
            RunEvent::OutcomeKept(fact) => one(fact.step),
            RunEvent::HumanClaimed(fact) | RunEvent::HumanReleased(fact) => one(fact.step),
            RunEvent::HumanAssigned(fact) => one(fact.step),
            RunEvent::HumanEscalated(fact) => one(fact.step),
            RunEvent::HumanReminded(fact) => one(fact.step),
            RunEvent::FrameEnding(fact) if fact.frame == ROOT_FRAME => one(WHOLE_RUN),
            RunEvent::Suspended(_)
            | RunEvent::Resumed(_)
            | RunEvent::CancelRequested(_)
            | RunEvent::Ended(_) => {
                let steps = self
                    .runs
                    .get(&run)
                    .into_iter()
                    .flat_map(|run| run.steps.keys().copied());
                core::iter::once(WHOLE_RUN).chain(steps).collect()
            }
            RunEvent::StepPassed(_)
            | RunEvent::FrameOpened(_)
            | RunEvent::FrameEnding(_)
            | RunEvent::FrameClosed(_)
            | RunEvent::TokenExited(_)
            | RunEvent::TokenJoined(_)
            | RunEvent::JoinReset(_)
            | RunEvent::HumanCommented(_)
            | RunEvent::HumanDecided(_)
            | RunEvent::SignalKept(_)
            | RunEvent::SignalDropped(_) => Vec::new(),
        }
    }

    /// Makes a fact of a run true, and keeps the tables of who listens and who holds locks up with it.
    fn apply_fact(&mut self, id: RunId, fact: &RunEvent, now: Time) {
        if let RunEvent::Started(started) = fact {
            self.runs
                .insert(id, Box::new(Run::started(id, started, now)));
            return self.index(id, WHOLE_RUN, true);
        }
        let changes_tables = matches!(
            fact,
            RunEvent::StepEntered(_)
                | RunEvent::StepBegan(_)
                | RunEvent::StepCompleted(_)
                | RunEvent::StepFailed(_)
                | RunEvent::StepCancelled(_)
                | RunEvent::StepWithdrawing(_)
                | RunEvent::EventReceived(_)
                | RunEvent::ItemAdded(_)
                | RunEvent::RegionTurned(_)
                | RunEvent::RegionReleased(_)
                | RunEvent::LockGranted(_)
                | RunEvent::Suspended(_)
                | RunEvent::Resumed(_)
                | RunEvent::OutcomeKept(_)
                | RunEvent::Ended(_)
        );
        let touched = if changes_tables {
            self.touched(id, fact)
        } else {
            Vec::new()
        };
        touched.iter().for_each(|step| self.index(id, *step, false));
        if let Some(run) = self.runs.get_mut(&id) {
            run.apply(fact, now);
        }
        touched.iter().for_each(|step| self.index(id, *step, true));
    }

    pub(crate) fn index(&mut self, run: RunId, step: StepId, present: bool) {
        self.index_lock(run, step, present);
        let Some(waiting) = self.runs.get(&run).and_then(|run| run.step(step)) else {
            return;
        };
        for event_type in waiting.listens() {
            let at = StepRef { run, step };
            if present {
                self.listeners
                    .entry(event_type.clone())
                    .or_default()
                    .insert(at);
            } else if let Some(steps) = self.listeners.get_mut(event_type) {
                steps.remove(&at);
                if steps.is_empty() {
                    self.listeners.remove(event_type);
                }
            }
        }
    }
}
