//! Owns containers that open the same body again and again: loop and for-each.
//!
//! Invariants: a loop ends within its rounds; a for-each has no more bodies open than its cap, and one
//! that gathers outputs gives them in the order of its list. A long opening goes on in the next turn.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;

use graph::Failure;
use graph::ir::{ForEach, Loop, Need};
use graph::value::{Str, Value};

use crate::eval::Scope;
use crate::event::{ItemAdded, RunEvent};
use crate::id::StepId;
use crate::limits::DATA_BYTES_MAX;
use crate::region::Opening;
use crate::state::{Phase, Region, Run, weight};
use crate::turn::RunTurn;

impl RunTurn<'_, '_> {
    pub(crate) fn round_done(&mut self, owner: StepId, repeat: &Loop, data: Value) {
        let scope = self.scope_of(owner, data.clone());
        let ended = repeat
            .repeat_until
            .as_ref()
            .map_or(Ok(false), |until| self.holds(Some(until), &scope));
        match ended {
            Ok(true) => self.complete(owner, data),
            Ok(false) => self.next_round(owner, repeat, data),
            Err(failure) => self.fail_region(owner, failure),
        }
    }

    pub(crate) fn next_round(&mut self, owner: StepId, repeat: &Loop, data: Value) {
        let Some(opened) = self
            .state()
            .step(owner)
            .and_then(|step| step.region())
            .map(|region| region.opened)
        else {
            return;
        };
        let scope = self.scope_of(owner, data.clone());
        match self.holds(repeat.repeat_while.as_ref(), &scope) {
            Ok(true) if opened >= repeat.rounds_max => {
                let rounds = repeat.rounds_max;
                self.fail_region(
                    owner,
                    Failure::new(
                        "runtime",
                        format!("the loop did not end within {rounds} rounds"),
                    ),
                );
            }
            Ok(true) if self.pauses(owner, Some(data.clone())) => {}
            Ok(true) => self.open(
                owner,
                Opening {
                    index: opened,
                    ..Opening::new(repeat.body, Phase::Body, data)
                },
            ),
            Ok(false) => self.complete(owner, data),
            Err(failure) => self.fail_region(owner, failure),
        }
    }

    // For-each

    pub(crate) fn item_done(&mut self, owner: StepId, for_each: &ForEach, data: Value) {
        let bytes = self
            .state()
            .step(owner)
            .and_then(|step| step.region())
            .map_or(0, |region| region.output_bytes);
        if bytes > DATA_BYTES_MAX as u64 {
            let failure = Failure::new(
                "runtime",
                format!("the outputs of the for-each together exceed {DATA_BYTES_MAX} bytes"),
            );
            return self.fail_region(owner, failure);
        }
        match self.has_enough(owner, for_each) {
            Ok(true) => {
                let output = self.collected(owner);
                self.conclude(owner, for_each.losers, output);
            }
            Ok(false) => self.next_items(owner, for_each, data),
            Err(failure) => self.fail_region(owner, failure),
        }
    }

    /// Whether the outputs so far are all that is wanted.
    fn has_enough(&self, owner: StepId, for_each: &ForEach) -> Result<bool, Failure> {
        let Some(region) = self.state().step(owner).and_then(|step| step.region()) else {
            return Ok(false);
        };
        if matches!(for_each.need, Need::Count(count) if region.done >= count) {
            return Ok(true);
        }
        let Some(until) = &for_each.until else {
            return Ok(false);
        };
        let outputs = Value::array(region.outputs.values().cloned().collect());
        self.holds(Some(until), &self.scope_of(owner, outputs))
    }

    /// A body failed: so does the for-each, unless enough others are left or may still come.
    pub(crate) fn item_failed(&mut self, owner: StepId, for_each: &ForEach, failure: Failure) {
        let Some(region) = self.state().step(owner).and_then(|step| step.region()) else {
            return;
        };
        let length = length(region);
        let left =
            (length - region.failed.min(length)) + region.more.as_ref().map_or(0, |more| more.left);
        let needed = match for_each.need {
            Need::All => u32::MAX,
            Need::Count(count) if region.more.is_none() => count.min(length),
            Need::Count(count) => count,
        };
        if left < needed {
            return self.fail_region(owner, failure);
        }
        let data = self.region_data(owner);
        self.next_items(owner, for_each, data);
    }

    /// A for-each takes in one more element.
    pub(crate) fn add_item(&mut self, owner: StepId, for_each: &ForEach, item: Value) {
        self.emit(RunEvent::ItemAdded(ItemAdded { step: owner, item }));
        if self.state().suspended {
            let now = self.now();
            return self.turn_region(owner, |turned| turned.due = Some(now));
        }
        let data = self.region_data(owner);
        self.next_items(owner, for_each, data);
    }

    /// Opens bodies up to the cap; completes when the list is done.
    pub(crate) fn next_items(&mut self, owner: StepId, for_each: &ForEach, data: Value) {
        loop {
            let Some((opened, open, length, stopped)) = self.progress(owner, for_each) else {
                return;
            };
            if opened >= length || stopped {
                if open == 0 && (stopped || !self.awaits_more(owner, for_each)) {
                    self.finish_items(owner, for_each, data);
                }
                return;
            }
            if open >= for_each.concurrency.max(1) as usize {
                return;
            }
            if self.pauses(owner, (!for_each.collect).then(|| data.clone())) {
                return;
            }
            let vars = self.item_vars(owner, for_each, opened);
            let start = if for_each.collect {
                self.region_data(owner)
            } else {
                data.clone()
            };
            if !self.item_wanted(owner, for_each, &vars, &start) {
                return;
            }
            let opening = Opening {
                index: opened,
                vars,
                ..Opening::new(for_each.body, Phase::Body, start)
            };
            self.open(owner, opening);
        }
    }

    /// Bodies opened, bodies open now, elements in all, and whether a condition stopped the rest.
    fn progress(&self, owner: StepId, for_each: &ForEach) -> Option<(u32, usize, u32, bool)> {
        let region = self.state().step(owner)?.region()?;
        let length = length(region);
        // What a for-each that does not gather has in hand is the data of the next element.
        let stopped = for_each.collect && region.result.is_some();
        Some((region.opened, region.frames.len(), length, stopped))
    }

    /// Whether a for-each with nothing to do stays open: it was told what is enough, and more may come.
    fn awaits_more(&self, owner: StepId, for_each: &ForEach) -> bool {
        let step = self.state().step(owner);
        let is_taking = step.is_some_and(|step| !step.wanted().is_empty());
        is_taking && (for_each.need != Need::All || for_each.until.is_some())
    }

    fn item_vars(&self, owner: StepId, for_each: &ForEach, index: u32) -> BTreeMap<Str, Value> {
        let region = self.state().step(owner).and_then(|step| step.region());
        let item = match region.and_then(|region| region.items.as_ref()) {
            Some(Value::Array(elements)) => {
                elements.get(index as usize).cloned().unwrap_or_default()
            }
            _ => Value::Null,
        };
        BTreeMap::from([
            (for_each.each.clone(), item),
            (for_each.at.clone(), Value::Int(i64::from(index))),
        ])
    }

    /// Checks the `while` of a for-each for the next element; when it does not hold, no more are opened.
    fn item_wanted(
        &mut self,
        owner: StepId,
        for_each: &ForEach,
        vars: &BTreeMap<Str, Value>,
        data: &Value,
    ) -> bool {
        let Some(condition) = &for_each.repeat_while else {
            return true;
        };
        let scope = Scope {
            locals: vars.clone(),
            ..self.scope_of(owner, data.clone())
        };
        match self.holds(Some(condition), &scope) {
            Ok(true) => true,
            Ok(false) => {
                let data = data.clone();
                self.turn_region(owner, |turned| turned.result = Some(data.clone()));
                let open = self
                    .state()
                    .step(owner)
                    .and_then(|step| step.region())
                    .map_or(0, |region| region.frames.len());
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
        let output = if for_each.collect {
            self.collected(owner)
        } else {
            data
        };
        self.complete(owner, output);
    }

    /// The outputs by index; null where there is none.
    pub(crate) fn collected(&self, owner: StepId) -> Value {
        let Some(region) = self.state().step(owner).and_then(|step| step.region()) else {
            return Value::Null;
        };
        let output = |index: u32| region.outputs.get(&index).cloned().unwrap_or_default();
        Value::array((0..region.opened).map(output).collect())
    }
}

/// How many elements there are.
fn length(region: &Region) -> u32 {
    match &region.items {
        Some(Value::Array(elements)) => u32::try_from(elements.len()).unwrap_or(u32::MAX),
        _ => 0,
    }
}

impl Run {
    pub(crate) fn apply_item_added(&mut self, added: &ItemAdded) {
        let Some(region) = self.region_mut(added.step) else {
            return;
        };
        if let Some(more) = &mut region.more {
            more.left = more.left.saturating_sub(1);
            more.bytes += weight(&added.item, DATA_BYTES_MAX) as u64;
        }
        if let Some(Value::Array(elements)) = &mut region.items {
            Arc::make_mut(elements).push(added.item.clone());
        }
    }
}
