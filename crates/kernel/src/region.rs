//! Owns containers: steps that open bodies and go on when those end.
//!
//! One shape serves do, loop, for-each, fork, try and saga: a *region* in a *phase* with open frames.
//! A region that fails or is withdrawn first drains its frames, then compensates (saga) or cleans up
//! (try with finally), and only then leaves; so clean-up happens on every way out.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;

use graph::ir::{Catch, ForEach, Fork, Loop, Losers, Need, Try};
use graph::value::{Str, Value};
use graph::{BodyIndex, Failure, Kind, Node, failure};

use crate::catalog::Definition;
use crate::eval::Scope;
use crate::event::{
    FrameClosed, FrameEnding, FrameOpened, RegionReleased, RegionTurned, RunEvent, StepOnly, StepWithdrawing,
};
use crate::id::{FrameId, StepId, Time};
use crate::limits::{DATA_BYTES_MAX, FRAME_DEPTH_MAX, ITEMS_MAX, TURN_BYTES_MAX, TURN_TRANSITIONS_MAX};
use crate::retry::Attempt;
use crate::state::{Ending, Frame, Nothing, Phase, Region, Run, weight};
use crate::step::Token;
use crate::turn::{Move, RunTurn};

/// What deciding needs to know of a region, cheap to take however much it has collected.
struct Glance {
    phase: Phase,
    opened: u32,
    done: u32,
    failed: u32,
    attempt: u32,
    caught: bool,
    is_idle: bool,
    data: Value,
    result: Option<Value>,
    failure: Option<Failure>,
}

/// A node that stays readable while the run moves.
struct NodeRef {
    definition: Arc<Definition>,
    index: u32,
}

impl Deref for NodeRef {
    type Target = Node;

    fn deref(&self) -> &Node {
        self.definition.node(self.index).expect("a step stands on a node of its definition")
    }
}

/// A body to open.
struct Opening {
    body: BodyIndex,
    index: u32,
    phase: Phase,
    vars: BTreeMap<Str, Value>,
    data: Value,
}

impl Opening {
    fn new(body: BodyIndex, phase: Phase, data: Value) -> Opening {
        Opening { body, index: 0, phase, vars: BTreeMap::new(), data }
    }
}

impl RunTurn<'_, '_> {
    /// The region a container begins with.
    pub(crate) fn region(&mut self, node: &Node, scope: &Scope) -> Result<Region, Failure> {
        if self.state().frame_depth(scope.frame) >= FRAME_DEPTH_MAX {
            return Err(Failure::new("runtime", format!("containers nest deeper than {FRAME_DEPTH_MAX}")));
        }
        let mut region = Region::new(scope.data.clone());
        if let Kind::ForEach(for_each) = &node.kind {
            let items = self.expression(&for_each.items, scope)?;
            let Value::Array(elements) = &items else {
                return Err(Failure::new("expression", format!("for-each needs an array, not {}", items.kind())));
            };
            if elements.len() > ITEMS_MAX {
                return Err(Failure::new("runtime", format!("a for-each takes at most {ITEMS_MAX} elements")));
            }
            region.items = Some(items);
        }
        Ok(region)
    }

    /// Opens the first bodies of a new region.
    pub(crate) fn open_region(&mut self, id: StepId) {
        let Some((region, node)) = self.region_of(id) else { return };
        let data = region.data;
        match &node.kind {
            Kind::Do(body) | Kind::Saga(body) => self.open(id, Opening::new(*body, Phase::Body, data)),
            Kind::Try(tried) => self.open(id, Opening::new(tried.body, Phase::Body, data)),
            Kind::Loop(repeat) => self.next_round(id, repeat, data),
            Kind::ForEach(for_each) => self.next_items(id, for_each, data),
            Kind::Fork(fork) => self.next_branches(id, fork, &data),
            _ => {}
        }
    }

    /// Goes on with a region whose instant has come.
    pub(crate) fn continue_region(&mut self, id: StepId) {
        let Some((region, node)) = self.region_of(id) else { return };
        let Glance { attempt, data, phase, .. } = region;
        self.turn_region(id, |turned| {
            turned.due = None;
            turned.phase = if phase == Phase::Backoff { Phase::Body } else { phase };
            turned.attempt = attempt;
        });
        match &node.kind {
            Kind::Try(tried) if phase == Phase::Backoff => self.open(id, Opening::new(tried.body, Phase::Body, data)),
            Kind::ForEach(for_each) => self.next_items(id, for_each, data),
            Kind::Fork(fork) => self.next_branches(id, fork, &data),
            _ => {}
        }
    }

    /// The small parts of a region, and its node. Lists and outputs stay where they are.
    fn region_of(&self, id: StepId) -> Option<(Glance, NodeRef)> {
        let step = self.state().step(id)?;
        let region = step.region()?;
        let glance = Glance {
            phase: region.phase,
            opened: region.opened,
            done: region.done,
            failed: region.failed,
            attempt: region.attempt,
            caught: region.caught,
            is_idle: region.frames.is_empty(),
            data: region.data.clone(),
            result: region.result.clone(),
            failure: region.failure.clone(),
        };
        Some((glance, NodeRef { definition: self.definition(), index: step.node }))
    }

    /// Opens a body and lets a token in.
    fn open(&mut self, owner: StepId, opening: Opening) {
        self.transitions += 1;
        let frame = FrameId(self.new_id());
        let Opening { body, index, phase, vars, data } = opening;
        self.emit(RunEvent::FrameOpened(FrameOpened { frame, owner, body: body.0, index, phase, vars }));
        let next = self.definition().graph.entrance(body);
        self.push(Move::Advance { frame, next, data });
    }

    /// Changes a region's own state.
    fn turn_region(&mut self, id: StepId, change: impl FnOnce(&mut RegionTurned)) {
        let Some(region) = self.state().step(id).and_then(|step| step.region()) else { return };
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
    pub(crate) fn close_body(&mut self, owner: StepId, frame: FrameId, ending: Option<Ending>, data: Value) {
        let Some((region, node)) = self.region_of(owner) else { return };
        let Some(phase) = self.state().frames.get(&frame).map(|open| open.phase) else { return };
        let collect = match &node.kind {
            Kind::ForEach(for_each) => for_each.collect,
            Kind::Fork(fork) => !fork.first && region.phase != Phase::Leftover,
            _ => false,
        } && phase == Phase::Body;
        let output = ending.is_none().then(|| data.clone());
        self.emit(RunEvent::FrameClosed(FrameClosed { frame, output, collect }));
        if self.state().step(owner).is_some_and(|step| step.withdrawing) {
            return self.drain_region(owner);
        }
        match (ending, phase) {
            (None, Phase::Catch) => self.finish_try(owner, data),
            (None, Phase::Finally) => self.finish_finally(owner, region.result.unwrap_or_default()),
            (None, _) => self.body_done(owner, &node, data),
            (Some(Ending::Failed(failure)), Phase::Body) => self.body_failed(owner, &node, failure),
            (Some(Ending::Failed(failure)), Phase::Finally) => self.fail(owner, failure),
            (Some(Ending::Failed(failure)), _) => self.fail_region(owner, failure),
            (Some(Ending::Withdrawn(_) | Ending::Completed(_)), _) => self.loser_gone(owner),
        }
    }

    fn body_done(&mut self, owner: StepId, node: &Node, data: Value) {
        match &node.kind {
            Kind::Do(_) | Kind::Saga(_) => self.complete(owner, data),
            Kind::Try(_) => self.finish_try(owner, data),
            Kind::Loop(repeat) => self.round_done(owner, repeat, data),
            Kind::ForEach(for_each) => self.item_done(owner, for_each, data),
            Kind::Fork(fork) => self.branch_done(owner, fork, data),
            _ => {}
        }
    }

    fn body_failed(&mut self, owner: StepId, node: &Node, failure: Failure) {
        match &node.kind {
            Kind::Try(tried) => self.try_failed(owner, tried, failure),
            Kind::Fork(fork) => self.branch_failed(owner, fork, failure),
            _ => self.fail_region(owner, failure),
        }
    }

    // Loop

    fn round_done(&mut self, owner: StepId, repeat: &Loop, data: Value) {
        let scope = self.scope_of(owner, data.clone());
        let ended = repeat.repeat_until.as_ref().map_or(Ok(false), |until| self.holds(Some(until), &scope));
        match ended {
            Ok(true) => self.complete(owner, data),
            Ok(false) => self.next_round(owner, repeat, data),
            Err(failure) => self.fail_region(owner, failure),
        }
    }

    fn next_round(&mut self, owner: StepId, repeat: &Loop, data: Value) {
        let Some((region, _)) = self.region_of(owner) else { return };
        let scope = self.scope_of(owner, data.clone());
        match self.holds(repeat.repeat_while.as_ref(), &scope) {
            Ok(true) if region.opened >= repeat.rounds_max => {
                let rounds = repeat.rounds_max;
                self.fail_region(owner, Failure::new("runtime", format!("the loop did not end within {rounds} rounds")));
            }
            Ok(true) => self.open(owner, Opening { index: region.opened, ..Opening::new(repeat.body, Phase::Body, data) }),
            Ok(false) => self.complete(owner, data),
            Err(failure) => self.fail_region(owner, failure),
        }
    }

    // For-each

    fn item_done(&mut self, owner: StepId, for_each: &ForEach, data: Value) {
        let bytes = self.state().step(owner).and_then(|step| step.region()).map_or(0, |region| region.output_bytes);
        if bytes > DATA_BYTES_MAX as u64 {
            let failure = Failure::new("runtime", format!("the outputs of the for-each together exceed {DATA_BYTES_MAX} bytes"));
            return self.fail_region(owner, failure);
        }
        self.next_items(owner, for_each, data);
    }

    /// Opens bodies up to the cap; completes when the list is done.
    fn next_items(&mut self, owner: StepId, for_each: &ForEach, data: Value) {
        loop {
            let Some((opened, open, length, stopped)) = self.progress(owner) else { return };
            if opened >= length || stopped {
                if open == 0 {
                    self.finish_items(owner, for_each, data);
                }
                return;
            }
            if open >= for_each.concurrency.max(1) as usize {
                return;
            }
            if self.transitions > TURN_TRANSITIONS_MAX || self.bytes > TURN_BYTES_MAX {
                let now = self.now();
                return self.turn_region(owner, |turned| turned.due = Some(now));
            }
            let vars = self.item_vars(owner, for_each, opened);
            let start = if for_each.collect { self.region_data(owner) } else { data.clone() };
            if !self.item_wanted(owner, for_each, &vars, &start) {
                return;
            }
            let opening = Opening { index: opened, vars, ..Opening::new(for_each.body, Phase::Body, start) };
            self.open(owner, opening);
        }
    }

    /// Bodies opened, bodies open now, elements in all, and whether a condition stopped the rest.
    fn progress(&self, owner: StepId) -> Option<(u32, usize, u32, bool)> {
        let region = self.state().step(owner)?.region()?;
        let length = match &region.items {
            Some(Value::Array(elements)) => u32::try_from(elements.len()).unwrap_or(u32::MAX),
            _ => 0,
        };
        Some((region.opened, region.frames.len(), length, region.result.is_some()))
    }

    fn region_data(&self, owner: StepId) -> Value {
        self.state().step(owner).and_then(|step| step.region()).map(|region| region.data.clone()).unwrap_or_default()
    }

    fn item_vars(&self, owner: StepId, for_each: &ForEach, index: u32) -> BTreeMap<Str, Value> {
        let region = self.state().step(owner).and_then(|step| step.region());
        let item = match region.and_then(|region| region.items.as_ref()) {
            Some(Value::Array(elements)) => elements.get(index as usize).cloned().unwrap_or_default(),
            _ => Value::Null,
        };
        BTreeMap::from([(for_each.each.clone(), item), (for_each.at.clone(), Value::Int(i64::from(index)))])
    }

    /// Checks the `while` of a for-each for the next element; when it does not hold, no more are opened.
    fn item_wanted(&mut self, owner: StepId, for_each: &ForEach, vars: &BTreeMap<Str, Value>, data: &Value) -> bool {
        let Some(condition) = &for_each.repeat_while else { return true };
        let local = vars.get(&for_each.each).map(|item| (for_each.each.clone(), item.clone()));
        let scope = Scope { local, ..self.scope_of(owner, data.clone()) };
        match self.holds(Some(condition), &scope) {
            Ok(true) => true,
            Ok(false) => {
                let data = data.clone();
                self.turn_region(owner, |turned| turned.result = Some(data.clone()));
                let open = self.state().step(owner).and_then(|step| step.region()).map_or(0, |region| region.frames.len());
                if open == 0 {
                    self.finish_items(owner, for_each, data);
                }
                false
            }
            Err(failure) => {
                self.fail_region(owner, failure);
                false
            }
        }
    }

    fn finish_items(&mut self, owner: StepId, for_each: &ForEach, data: Value) {
        let output = if for_each.collect { self.collected(owner) } else { data };
        self.complete(owner, output);
    }

    /// The outputs by index; null where there is none.
    fn collected(&self, owner: StepId) -> Value {
        let Some(region) = self.state().step(owner).and_then(|step| step.region()) else { return Value::Null };
        let output = |index: u32| region.outputs.get(&index).cloned().unwrap_or_default();
        Value::array((0..region.opened).map(output).collect())
    }

    // Fork

    fn next_branches(&mut self, owner: StepId, fork: &Fork, data: &Value) {
        let opened = self.state().step(owner).and_then(|step| step.region()).map_or(0, |region| region.opened);
        for (index, body) in (0_u32..).zip(&fork.branches).skip(opened as usize) {
            if self.bytes > TURN_BYTES_MAX {
                let now = self.now();
                return self.turn_region(owner, |turned| turned.due = Some(now));
            }
            self.open(owner, Opening { index, ..Opening::new(*body, Phase::Body, data.clone()) });
        }
        if fork.branches.is_empty() {
            self.complete(owner, Value::array(Vec::new()));
        }
    }

    fn needed(fork: &Fork) -> u32 {
        let branches = u32::try_from(fork.branches.len()).unwrap_or(u32::MAX);
        match fork.need {
            Need::All => branches,
            Need::Count(count) => count.clamp(1, branches),
        }
    }

    fn branch_done(&mut self, owner: StepId, fork: &Fork, data: Value) {
        let Some((region, node)) = self.region_of(owner) else { return };
        if region.phase == Phase::Leftover {
            return self.loser_gone(owner);
        }
        if region.done < Self::needed(fork) {
            return;
        }
        let output = if fork.first { data } else { self.collected(owner) };
        if region.is_idle {
            return self.complete(owner, output);
        }
        match fork.losers {
            Losers::Cancel => {
                self.turn_region(owner, |turned| {
                    turned.phase = Phase::Leftover;
                    turned.result = Some(output);
                });
                self.withdraw_frames(owner);
            }
            Losers::Leave => self.release(owner, &node, output),
        }
    }

    /// The token goes on while other branches run on.
    fn release(&mut self, owner: StepId, node: &Node, output: Value) {
        let Some(frame) = self.state().step(owner).map(|step| step.frame) else { return };
        let scope = self.scope_of(owner, output.clone());
        match self.shape_output(node, &scope, output) {
            Ok((output, context)) => {
                let data = output.clone();
                self.emit(RunEvent::RegionReleased(RegionReleased { step: owner, output, context }));
                self.push(Move::Advance { frame, next: node.next, data });
            }
            Err(failure) => self.fail_region(owner, failure),
        }
    }

    fn branch_failed(&mut self, owner: StepId, fork: &Fork, failure: Failure) {
        let Some((region, _)) = self.region_of(owner) else { return };
        if region.phase == Phase::Leftover {
            return self.loser_gone(owner);
        }
        let branches = u32::try_from(fork.branches.len()).unwrap_or(u32::MAX);
        if branches - region.failed < Self::needed(fork) {
            self.fail_region(owner, failure);
        }
    }

    /// A branch that nobody waited for is gone; with the last one the fork is over.
    fn loser_gone(&mut self, owner: StepId) {
        let Some((region, _)) = self.region_of(owner) else { return };
        if region.phase != Phase::Leftover || !region.is_idle {
            return;
        }
        match region.result {
            Some(output) => self.complete(owner, output),
            None => self.leave_released(owner),
        }
    }

    /// The last branch left running has ended: nothing but the bookkeeping is left to do.
    fn leave_released(&mut self, owner: StepId) {
        let Some(frame) = self.state().step(owner).map(|step| step.frame) else { return };
        self.emit(RunEvent::StepCancelled(StepOnly { step: owner }));
        let Some(open) = self.state().frames.get(&frame) else { return };
        if open.steps.is_empty() && !self.is_moving(frame) && !self.is_closing(frame) {
            let data = open.output.clone().unwrap_or_default();
            self.push(Move::Close { frame, data });
        }
    }

    // Try

    fn try_failed(&mut self, owner: StepId, tried: &Try, failure: Failure) {
        let Some(catch) = &tried.catch else { return self.fail_region(owner, failure) };
        match self.is_caught(owner, catch, &failure) {
            Ok(true) => self.caught(owner, catch, failure),
            Ok(false) => self.fail_region(owner, failure),
            Err(failure) => self.fail_region(owner, failure),
        }
    }

    fn is_caught(&mut self, owner: StepId, catch: &Catch, failure: &Failure) -> Result<bool, Failure> {
        let error = failure.to_value();
        for (member, wanted) in &catch.with {
            let actual = error.get(member).cloned().unwrap_or_default();
            let equal = match (&**member, &actual, wanted) {
                ("type", Value::Text(a), Value::Text(b)) => failure::same_type(a, b),
                _ => actual == *wanted,
            };
            if !equal {
                return Ok(false);
            }
        }
        let scope = self.catch_scope(owner, catch, error);
        let when = self.holds(catch.when.as_ref(), &scope)?;
        let except = catch.except_when.is_some() && self.holds(catch.except_when.as_ref(), &scope)?;
        Ok(when && !except)
    }

    fn catch_scope(&self, owner: StepId, catch: &Catch, error: Value) -> Scope {
        let data = self.region_data(owner);
        Scope { local: Some((catch.bind.clone(), error)), ..self.scope_of(owner, data) }
    }

    fn caught(&mut self, owner: StepId, catch: &Catch, failure: Failure) {
        let Some((region, _)) = self.region_of(owner) else { return };
        let entered_at = self.state().step(owner).map_or(Time(0), |step| step.entered_at);
        if let Some(retry) = &catch.retry {
            let scope = self.catch_scope(owner, catch, failure.to_value());
            let attempt = Attempt { number: region.attempt, first_at: entered_at, step: owner };
            match self.next_attempt(retry, attempt, &failure, &scope) {
                Ok(Some(due)) => {
                    return self.turn_region(owner, |turned| {
                        turned.phase = Phase::Backoff;
                        turned.attempt = region.attempt + 1;
                        turned.due = Some(due);
                        turned.failure = Some(failure);
                    });
                }
                Ok(None) if catch.body.is_none() => return self.fail_region(owner, failure),
                Ok(None) => {}
                Err(failure) => return self.fail_region(owner, failure),
            }
        }
        let error = failure.to_value();
        self.turn_region(owner, |turned| {
            turned.phase = Phase::Catch;
            turned.caught = true;
            turned.failure = None;
        });
        match catch.body {
            Some(body) => {
                let vars = BTreeMap::from([(catch.bind.clone(), error)]);
                self.open(owner, Opening { vars, ..Opening::new(body, Phase::Catch, region.data) });
            }
            None => self.finish_try(owner, region.data),
        }
    }

    /// Body or catch ended well: clean up, then go on.
    fn finish_try(&mut self, owner: StepId, output: Value) {
        let Some((_, node)) = self.region_of(owner) else { return };
        let Kind::Try(tried) = &node.kind else { return self.complete(owner, output) };
        match tried.finally {
            Some(body) => {
                let data = output.clone();
                self.turn_region(owner, |turned| {
                    turned.phase = Phase::Finally;
                    turned.result = Some(output);
                });
                self.open(owner, Opening::new(body, Phase::Finally, data));
            }
            None => self.finish_finally(owner, output),
        }
    }

    fn finish_finally(&mut self, owner: StepId, output: Value) {
        let Some((region, node)) = self.region_of(owner) else { return };
        let next = match &node.kind {
            Kind::Try(Try { catch: Some(catch), .. }) if region.caught => catch.next,
            _ => None,
        };
        self.complete_to(owner, output, next);
    }

    // Ways out

    /// The region fails once it has drained and cleaned up.
    pub(crate) fn fail_region(&mut self, owner: StepId, failure: Failure) {
        self.withdraw_region(owner, Some(failure));
    }

    /// Withdraws what goes on in a region; then it fails, or is cancelled if there is no failure.
    pub(crate) fn withdraw_region(&mut self, owner: StepId, failure: Option<Failure>) {
        let Some(step) = self.state().step(owner) else { return };
        if step.withdrawing {
            return;
        }
        self.emit(RunEvent::StepWithdrawing(StepWithdrawing { step: owner, failure }));
        self.withdraw_frames(owner);
        self.drain_region(owner);
    }

    fn withdraw_frames(&mut self, owner: StepId) {
        let region = self.state().step(owner).and_then(|step| step.region());
        let frames: Vec<FrameId> = region.into_iter().flat_map(|region| region.frames.iter().copied()).collect();
        for frame in frames {
            self.end_frame(frame, Ending::Withdrawn(Nothing {}));
        }
    }

    /// Goes on with a region on its way out, once nothing is open: undo, clean up, leave.
    fn drain_region(&mut self, owner: StepId) {
        let Some((region, node)) = self.region_of(owner) else { return };
        if !region.is_idle {
            return;
        }
        let undo = self.state().undo.iter().rev().find(|undo| undo.saga == owner).cloned();
        match (&node.kind, undo) {
            (Kind::Saga(_), Some(undo)) => {
                let body = self.definition().node(undo.node).and_then(|node| node.undo);
                if region.phase != Phase::Undo {
                    self.turn_region(owner, |turned| turned.phase = Phase::Undo);
                }
                if let Some(body) = body {
                    self.open(owner, Opening::new(body, Phase::Undo, undo.output));
                }
            }
            (Kind::Try(Try { finally: Some(body), .. }), _) if region.phase != Phase::Finally => {
                self.turn_region(owner, |turned| turned.phase = Phase::Finally);
                self.open(owner, Opening::new(*body, Phase::Finally, region.data));
            }
            _ => self.leave_region(owner, region.failure),
        }
    }

    fn leave_region(&mut self, owner: StepId, failure: Option<Failure>) {
        let Some(step) = self.state().step(owner) else { return };
        let (frame, node) = (step.frame, step.node);
        match failure {
            Some(failure) => {
                self.fail_token(&Token { frame, node, input: Value::Null, step: Some(owner) }, failure);
            }
            None => {
                self.emit(RunEvent::StepCancelled(StepOnly { step: owner }));
                self.close_if_empty(frame);
            }
        }
    }

    /// How expressions of a container's own node see the run.
    fn scope_of(&self, owner: StepId, data: Value) -> Scope {
        let step = self.state().step(owner);
        let (frame, node) = step.map_or((crate::id::ROOT_FRAME, 0), |step| (step.frame, step.node));
        Scope { input: Some(self.region_data(owner)), ..Scope::of_node(frame, node, data) }
    }
}

impl Run {
    fn region_mut(&mut self, step: StepId) -> Option<&mut Region> {
        match &mut self.steps.get_mut(&step)?.activity {
            crate::state::Activity::Region(region) => Some(region),
            _ => None,
        }
    }

    /// In the undo phase the opened body takes the newest undo of its saga.
    pub(crate) fn apply_frame_opened(&mut self, opened: &FrameOpened) {
        self.last_id = self.last_id.max(opened.frame.0);
        if opened.phase == Phase::Undo
            && let Some(newest) = self.undo.iter().rposition(|undo| undo.saga == opened.owner)
        {
            self.undo.remove(newest);
        }
        if let Some(region) = self.region_mut(opened.owner) {
            region.opened += 1;
            region.frames.insert(opened.frame);
        }
        let frame = Frame {
            owner: Some(opened.owner),
            body: opened.body,
            index: opened.index,
            phase: opened.phase,
            vars: opened.vars.clone(),
            steps: alloc::collections::BTreeSet::new(),
            output: None,
            ending: None,
            joins: BTreeMap::new(),
        };
        self.frames.insert(opened.frame, frame);
    }

    pub(crate) fn apply_frame_ending(&mut self, ending: &FrameEnding) {
        if let Some(frame) = self.frames.get_mut(&ending.frame) {
            frame.ending = Some(ending.ending.clone());
        }
    }

    pub(crate) fn apply_frame_closed(&mut self, closed: &FrameClosed) {
        let Some(frame) = self.frames.remove(&closed.frame) else { return };
        let Some(region) = frame.owner.and_then(|owner| self.region_mut(owner)) else { return };
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
        let Some(region) = self.region_mut(turned.step) else { return };
        region.phase = turned.phase;
        region.attempt = turned.attempt;
        region.due = turned.due;
        region.failure.clone_from(&turned.failure);
        region.result.clone_from(&turned.result);
        region.caught = turned.caught;
    }

    pub(crate) fn apply_region_released(&mut self, released: &RegionReleased) {
        self.apply_context(released.context.as_ref());
        if let Some(region) = self.region_mut(released.step) {
            region.phase = Phase::Leftover;
            region.result = None;
        }
    }
}
