//! Owns containers: steps that open bodies and go on when those end.
//!
//! One shape serves do, loop, for-each, fork, try and saga: a *region* in a *phase* with open frames.
//! A region that fails or is withdrawn first drains its frames, then compensates (saga) or cleans up
//! (try with finally), and only then leaves; so clean-up happens on every way out.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;

use graph::ir::{Lock, Try, Until};
use graph::value::{Str, Value};
use graph::{BodyIndex, Failure, Kind, Node};

use crate::catalog::Definition;
use crate::eval::{Scope, bounded};
use crate::event::{
    FrameClosed, FrameEnding, FrameOpened, RegionReleased, RegionTurned, RunEvent, StepOnly,
    StepWithdrawing,
};
use crate::id::{FrameId, ROOT_FRAME, StepId};
use crate::limits::{DATA_BYTES_MAX, ITEMS_JUDGED_MAX, ITEMS_MAX};
use crate::state::{
    Activity, Ending, Frame, Nothing, Phase, Region, Run, Step, Taking, Undo, weight,
};
use crate::step::{Token, is_same};
use crate::turn::{Move, RunTurn};

/// What deciding needs to know of a region, cheap to take however much it has collected.
pub(crate) struct Glance {
    pub phase: Phase,
    pub done: u32,
    pub failed: u32,
    pub attempt: u32,
    pub caught: bool,
    pub is_idle: bool,
    pub data: Value,
    pub result: Option<Value>,
    failure: Option<Failure>,
}

/// A node that stays readable while the run moves.
pub(crate) struct NodeRef {
    definition: Arc<Definition>,
    index: u32,
}

impl Deref for NodeRef {
    type Target = Node;

    fn deref(&self) -> &Node {
        self.definition
            .node(self.index)
            .expect("a step stands on a node of its definition")
    }
}

/// A body to open.
pub(crate) struct Opening {
    pub body: BodyIndex,
    pub index: u32,
    pub phase: Phase,
    pub vars: BTreeMap<Str, Value>,
    pub data: Value,
}

impl Opening {
    pub(crate) fn new(body: BodyIndex, phase: Phase, data: Value) -> Opening {
        Opening {
            body,
            index: 0,
            phase,
            vars: BTreeMap::new(),
            data,
        }
    }
}

impl RunTurn<'_, '_> {
    /// The region a container begins with.
    pub(crate) fn region(
        &mut self,
        node: &Node,
        scope: &Scope,
        raw: &Value,
    ) -> Result<Region, Failure> {
        let mut region = Region::new((!is_same(raw, &scope.data)).then(|| scope.data.clone()));
        if let Kind::Lock(lock) = &node.kind {
            region.lock = self.locking(lock, scope)?.map(Box::new);
        }
        if let Kind::ForEach(for_each) = &node.kind {
            let items = bounded(self.expression(&for_each.items, scope)?)?;
            let Value::Array(elements) = &items else {
                return Err(Failure::new(
                    "expression",
                    format!("for-each needs an array, not {}", items.kind()),
                ));
            };
            if elements.len() > ITEMS_MAX {
                return Err(Failure::new(
                    "runtime",
                    format!("a for-each takes at most {ITEMS_MAX} elements"),
                ));
            }
            if for_each.until.is_some() && elements.len() > ITEMS_JUDGED_MAX {
                return Err(Failure::new(
                    "runtime",
                    format!("a for-each with `until` takes at most {ITEMS_JUDGED_MAX} elements"),
                ));
            }
            region.items = Some(items);
            if let Some(more) = &for_each.more {
                region.more = Some(Box::new(Taking {
                    wanted: self.wanted(&more.filter, scope)?,
                    left: more.max,
                    bytes: 0,
                }));
            }
        }
        Ok(region)
    }

    /// Opens the first bodies of a new region, unless it waits for a lock.
    pub(crate) fn open_region(&mut self, id: StepId) {
        let Some((region, node)) = self.region_of(id) else {
            return;
        };
        let waits = |step: &Step| step.locking().is_some_and(|lock| !lock.held);
        if self.state().step(id).is_some_and(waits) {
            return;
        }
        let data = region.data;
        match &node.kind {
            Kind::Do(body) | Kind::Saga(body) | Kind::Lock(Lock { body, .. }) => {
                self.open(id, Opening::new(*body, Phase::Body, data));
            }
            Kind::Try(tried) => self.open(id, Opening::new(tried.body, Phase::Body, data)),
            Kind::Loop(repeat) => self.next_round(id, repeat, data),
            Kind::ForEach(for_each) => self.next_items(id, for_each, data),
            Kind::Fork(fork) => self.next_branches(id, fork, &data),
            _ => {}
        }
    }

    /// Goes on with a region whose instant has come.
    pub(crate) fn continue_region(&mut self, id: StepId) {
        let Some((region, node)) = self.region_of(id) else {
            return;
        };
        self.turn_region(id, |turned| {
            turned.due = None;
            turned.phase = Phase::Body;
        });
        let data = region.result.unwrap_or(region.data);
        match &node.kind {
            Kind::Try(tried) => self.open(id, Opening::new(tried.body, Phase::Body, data)),
            Kind::Loop(repeat) => self.next_round(id, repeat, data),
            Kind::ForEach(for_each) => self.next_items(id, for_each, data),
            Kind::Fork(fork) => self.next_branches(id, fork, &data),
            Kind::Listen(listen) => {
                if let Some(each) = &listen.each {
                    self.next_event(id, listen, each);
                }
            }
            _ => {}
        }
    }

    /// The small parts of a region, and its node. Lists and outputs stay where they are.
    pub(crate) fn region_of(&self, id: StepId) -> Option<(Glance, NodeRef)> {
        let step = self.state().step(id)?;
        let region = step.region()?;
        let glance = Glance {
            phase: region.phase,
            done: region.done,
            failed: region.failed,
            attempt: region.attempt,
            caught: region.caught,
            is_idle: region.frames.is_empty(),
            data: self.state().data_of(step).clone(),
            result: region.result.clone(),
            failure: region.failure.clone(),
        };
        Some((
            glance,
            NodeRef {
                definition: self.definition(),
                index: step.node,
            },
        ))
    }

    /// Opens a body and lets a token in.
    pub(crate) fn open(&mut self, owner: StepId, opening: Opening) {
        self.transitions += 1;
        let frame = FrameId(self.new_id());
        let Opening {
            body,
            index,
            phase,
            vars,
            data,
        } = opening;
        self.emit(RunEvent::FrameOpened(FrameOpened {
            frame,
            owner,
            body: body.0,
            index,
            phase,
            vars,
        }));
        let next = self.definition().graph.entrance(body);
        self.push(Move::Advance {
            frame,
            next,
            data,
            via: None,
        });
    }

    /// Whether the turn is full: then the rest of an opening goes on in the next, with the data in hand.
    pub(crate) fn pauses(&mut self, owner: StepId, in_hand: Option<Value>) -> bool {
        let now = self.now();
        if self.is_full() {
            self.turn_region(owner, |turned| {
                turned.due = Some(now);
                turned.result = in_hand;
            });
        }
        self.is_full()
    }

    /// Changes a region's own state.
    pub(crate) fn turn_region(&mut self, id: StepId, change: impl FnOnce(&mut RegionTurned)) {
        let Some(region) = self.state().step(id).and_then(|step| step.region()) else {
            return;
        };
        let mut turned = RegionTurned {
            step: id,
            phase: region.phase,
            attempt: region.attempt,
            due: region.due,
            failure: region.failure.clone(),
            result: region.result.clone(),
            caught: region.caught,
        };
        change(&mut turned);
        self.emit(RunEvent::RegionTurned(turned));
    }

    /// A body is over: its container goes on.
    pub(crate) fn close_body(
        &mut self,
        owner: StepId,
        frame: FrameId,
        ending: Option<Ending>,
        data: Value,
    ) {
        let Some((region, node)) = self.region_of(owner) else {
            return;
        };
        let Some(phase) = self.state().frames.get(&frame).map(|open| open.phase) else {
            return;
        };
        let gathers = match &node.kind {
            Kind::ForEach(for_each) => for_each.collect,
            // What never ends gives nothing.
            Kind::Listen(listen) => listen.until != Some(Until::Never),
            Kind::Fork(fork) => !fork.first,
            _ => false,
        };
        let is_left_over = region.phase == Phase::Leftover;
        let collect = gathers && phase == Phase::Body && !is_left_over;
        let output = ending.is_none().then(|| data.clone());
        self.emit(RunEvent::FrameClosed(FrameClosed {
            frame,
            output,
            collect,
        }));
        if self
            .state()
            .step(owner)
            .is_some_and(|step| step.withdrawing)
        {
            return self.drain_region(owner);
        }
        if is_left_over {
            return self.loser_gone(owner);
        }
        match (ending, phase) {
            (None, Phase::Catch) => self.finish_try(owner, data),
            (None, Phase::Finally) => self.finish_finally(owner, region.result.unwrap_or_default()),
            (None, _) => self.body_done(owner, &node, data),
            (Some(Ending::Failed(failure)), Phase::Body) => self.body_failed(owner, &node, failure),
            (Some(Ending::Failed(failure)), Phase::Finally) => self.fail(owner, failure),
            (Some(Ending::Failed(failure)), _) => self.fail_region(owner, failure),
            (Some(Ending::Withdrawn(_) | Ending::Completed(_)), _) => {}
        }
    }

    fn body_done(&mut self, owner: StepId, node: &Node, data: Value) {
        match &node.kind {
            Kind::Do(_) | Kind::Saga(_) | Kind::Lock(_) => self.complete(owner, data),
            Kind::Try(_) => self.finish_try(owner, data),
            Kind::Loop(repeat) => self.round_done(owner, repeat, data),
            Kind::ForEach(for_each) => self.item_done(owner, for_each, data),
            Kind::Fork(fork) => self.branch_done(owner, fork, data),
            Kind::Listen(listen) => self.event_done(owner, listen),
            _ => {}
        }
    }

    fn body_failed(&mut self, owner: StepId, node: &Node, failure: Failure) {
        match &node.kind {
            Kind::Try(tried) => self.try_failed(owner, tried, failure),
            Kind::Fork(fork) => self.branch_failed(owner, fork, failure),
            Kind::ForEach(for_each) => self.item_failed(owner, for_each, failure),
            _ => self.fail_region(owner, failure),
        }
    }

    // Ways out

    /// The region fails once it has drained and cleaned up.
    pub(crate) fn fail_region(&mut self, owner: StepId, failure: Failure) {
        self.withdraw_region(owner, Some(failure));
    }

    /// Withdraws what goes on in a region; then it fails, or is cancelled if there is no failure.
    pub(crate) fn withdraw_region(&mut self, owner: StepId, failure: Option<Failure>) {
        let Some(step) = self.state().step(owner).filter(|step| !step.withdrawing) else {
            return;
        };
        let cleans_up = step
            .region()
            .is_some_and(|region| region.phase == Phase::Finally);
        self.emit(RunEvent::StepWithdrawing(StepWithdrawing {
            step: owner,
            failure,
        }));
        if !cleans_up {
            self.withdraw_frames(owner);
        }
        self.drain_region(owner);
    }

    pub(crate) fn withdraw_frames(&mut self, owner: StepId) {
        let region = self.state().step(owner).and_then(|step| step.region());
        let frames: Vec<FrameId> = region
            .into_iter()
            .flat_map(|region| region.frames.iter().copied())
            .collect();
        for frame in frames {
            self.end_frame(frame, Ending::Withdrawn(Nothing {}));
        }
    }

    /// Goes on with a region on its way out, once nothing is open: undo, clean up, leave.
    fn drain_region(&mut self, owner: StepId) {
        let Some((region, node)) = self.region_of(owner) else {
            return;
        };
        if !region.is_idle {
            return;
        }
        match (&node.kind, self.next_undo(owner, region.phase)) {
            (Kind::Saga(_), Some(undo)) => {
                let body = self.definition().node(undo.node).and_then(|node| node.undo);
                if region.phase != Phase::Undo {
                    self.turn_region(owner, |turned| turned.phase = Phase::Undo);
                }
                if let Some(body) = body {
                    self.open(owner, Opening::new(body, Phase::Undo, undo.output));
                }
            }
            (
                Kind::Try(Try {
                    finally: Some(body),
                    ..
                }),
                _,
            ) if region.phase != Phase::Finally => {
                self.turn_region(owner, |turned| turned.phase = Phase::Finally);
                self.open(owner, Opening::new(*body, Phase::Finally, region.data));
            }
            _ => self.leave_region(owner, region.failure),
        }
    }

    /// What a saga has to undo next. A run that ends well on purpose takes nothing back.
    fn next_undo(&self, owner: StepId, phase: Phase) -> Option<Undo> {
        let root = self.state().frames.get(&ROOT_FRAME)?;
        if phase != Phase::Undo && matches!(root.ending, Some(Ending::Completed(_))) {
            return None;
        }
        self.state().step(owner)?.region()?.undo.last().cloned()
    }

    fn leave_region(&mut self, owner: StepId, failure: Option<Failure>) {
        let Some(step) = self.state().step(owner) else {
            return;
        };
        let (frame, node) = (step.frame, step.node);
        match failure {
            Some(failure) => {
                self.fail_token(
                    &Token {
                        frame,
                        node,
                        input: Value::Null,
                        step: Some(owner),
                        edge: None,
                    },
                    failure,
                );
            }
            None => {
                self.emit(RunEvent::StepCancelled(StepOnly { step: owner }));
                self.close_if_over(frame);
            }
        }
    }

    pub(crate) fn region_data(&self, owner: StepId) -> Value {
        self.state()
            .step(owner)
            .map(|step| self.state().data_of(step).clone())
            .unwrap_or_default()
    }

    /// How expressions of a container's own node see the run.
    pub(crate) fn scope_of(&self, owner: StepId, data: Value) -> Scope {
        let step = self.state().step(owner);
        let (frame, node) = step.map_or((ROOT_FRAME, 0), |step| (step.frame, step.node));
        Scope {
            input: Some(self.region_data(owner)),
            step: Some(owner),
            ..Scope::of_node(frame, node, data)
        }
    }
}

impl Run {
    pub(crate) fn region_mut(&mut self, step: StepId) -> Option<&mut Region> {
        match &mut self.steps.get_mut(&step)?.activity {
            Activity::Region(region) => Some(region),
            _ => None,
        }
    }

    /// In the undo phase the opened body takes the newest undo of its saga.
    pub(crate) fn apply_frame_opened(&mut self, opened: &FrameOpened) {
        self.last_id = self.last_id.max(opened.frame.0);
        if let Some(region) = self.region_mut(opened.owner) {
            if opened.phase == Phase::Undo {
                region.undo.pop();
            }
            if let Some(listening) = &mut region.listening {
                listening.take_first();
            }
            region.opened += 1;
            region.frames.insert(opened.frame);
        }
        let frame = Frame {
            owner: Some(opened.owner),
            body: opened.body,
            index: opened.index,
            phase: opened.phase,
            vars: opened.vars.clone(),
            steps: BTreeSet::new(),
            output: None,
            ending: None,
            joins: BTreeMap::new(),
        };
        self.frames.insert(opened.frame, Box::new(frame));
    }

    pub(crate) fn apply_frame_ending(&mut self, ending: &FrameEnding) {
        if let Some(frame) = self.frames.get_mut(&ending.frame) {
            frame.ending = Some(ending.ending.clone());
        }
    }

    pub(crate) fn apply_frame_closed(&mut self, closed: &FrameClosed) {
        let Some(frame) = self.frames.remove(&closed.frame) else {
            return;
        };
        let Some(region) = frame.owner.and_then(|owner| self.region_mut(owner)) else {
            return;
        };
        region.frames.remove(&closed.frame);
        match &closed.output {
            Some(output) => {
                region.done += 1;
                if closed.collect {
                    region.output_bytes += weight(output, DATA_BYTES_MAX) as u64;
                    region.outputs.insert(frame.index, output.clone());
                }
            }
            None => region.failed += 1,
        }
    }

    pub(crate) fn apply_withdrawing(&mut self, withdrawing: &StepWithdrawing) {
        if let Some(step) = self.steps.get_mut(&withdrawing.step) {
            step.withdrawing = true;
        }
        if let Some(region) = self.region_mut(withdrawing.step) {
            region.failure.clone_from(&withdrawing.failure);
            region.due = None;
        }
    }

    pub(crate) fn apply_region_turned(&mut self, turned: &RegionTurned) {
        let Some(region) = self.region_mut(turned.step) else {
            return;
        };
        region.phase = turned.phase;
        region.attempt = turned.attempt;
        region.due = turned.due;
        region.failure.clone_from(&turned.failure);
        region.result.clone_from(&turned.result);
        region.caught = turned.caught;
    }

    pub(crate) fn apply_region_released(&mut self, released: &RegionReleased) {
        self.apply_context(released.context.as_ref());
        if let Some(step) = self.steps.get_mut(&released.step) {
            step.deadline = None;
        }
        if let Some(region) = self.region_mut(released.step) {
            region.phase = Phase::Leftover;
            region.due = None;
            region.result = None;
        }
    }
}
