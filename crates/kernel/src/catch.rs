//! Owns the try: which failures are caught, tried again or passed on, and the clean-up at the end.
//!
//! Invariant: the clean-up runs once on every way out, and runs to its end.

use alloc::collections::BTreeMap;

use graph::ir::{Catch, Try};
use graph::value::Value;
use graph::{Failure, Kind, failure};

use crate::eval::Scope;
use crate::id::{StepId, Time};
use crate::region::Opening;
use crate::retry::Attempt;
use crate::state::Phase;
use crate::turn::RunTurn;

impl RunTurn<'_, '_> {
    pub(crate) fn try_failed(&mut self, owner: StepId, tried: &Try, failure: Failure) {
        let Some(catch) = &tried.catch else {
            return self.fail_region(owner, failure);
        };
        match self.is_caught(owner, catch, &failure) {
            Ok(true) => self.caught(owner, catch, failure),
            Ok(false) => self.fail_region(owner, failure),
            Err(failure) => self.fail_region(owner, failure),
        }
    }

    fn is_caught(
        &mut self,
        owner: StepId,
        catch: &Catch,
        failure: &Failure,
    ) -> Result<bool, Failure> {
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
        let except =
            catch.except_when.is_some() && self.holds(catch.except_when.as_ref(), &scope)?;
        Ok(when && !except)
    }

    fn catch_scope(&self, owner: StepId, catch: &Catch, error: Value) -> Scope {
        let data = self.region_data(owner);
        Scope {
            locals: BTreeMap::from([(catch.bind.clone(), error)]),
            ..self.scope_of(owner, data)
        }
    }

    fn caught(&mut self, owner: StepId, catch: &Catch, failure: Failure) {
        let Some((region, _)) = self.region_of(owner) else {
            return;
        };
        let entered_at = self
            .state()
            .step(owner)
            .map_or(Time(0), |step| step.entered_at);
        if let Some(retry) = &catch.retry {
            let scope = self.catch_scope(owner, catch, failure.to_value());
            let attempt = Attempt {
                number: region.attempt,
                first_at: entered_at,
                step: owner,
            };
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
                self.open(
                    owner,
                    Opening {
                        vars,
                        ..Opening::new(body, Phase::Catch, region.data)
                    },
                );
            }
            None => self.finish_try(owner, region.data),
        }
    }

    /// Body or catch ended well: clean up, then go on. Any other container just goes on.
    pub(crate) fn finish_try(&mut self, owner: StepId, output: Value) {
        let Some((_, node)) = self.region_of(owner) else {
            return;
        };
        let Kind::Try(tried) = &node.kind else {
            return self.complete(owner, output);
        };
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

    pub(crate) fn finish_finally(&mut self, owner: StepId, output: Value) {
        let Some((region, node)) = self.region_of(owner) else {
            return;
        };
        let next = match &node.kind {
            Kind::Try(Try {
                catch: Some(catch), ..
            }) if region.caught => catch.next,
            _ => None,
        };
        self.complete_to(owner, output, next);
    }
}
