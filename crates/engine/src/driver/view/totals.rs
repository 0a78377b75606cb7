//! Owns the counts of finished runs.
//!
//! Invariant: they are stored in the batch that stores what they count.

use graph::value::{Str, Value};
use kernel::codec::{decode, encode};
use kernel::{Run, Status};

use crate::query::{Counts, Filter, Tally, uncount};

/// Finished runs by workflow and state.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals(Tally);

impl Totals {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let rows = self.0.iter().map(|((workflow, state), count)| {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            Value::array(vec![
                Value::Text(workflow.clone()),
                Value::from(*state),
                Value::Int(count),
            ])
        });
        encode(&Value::array(rows.collect()))
    }

    pub(super) fn read(bytes: &[u8]) -> Totals {
        let mut totals = Totals::default();
        let Ok(Value::Array(rows)) = decode::<Value>(bytes) else {
            return totals;
        };
        for row in rows.iter() {
            let Value::Array(cells) = row else { continue };
            if let [Value::Text(workflow), Value::Text(state), Value::Int(count)] = &cells[..]
                && let Some(status) = Status::from_word(state)
                && let Ok(count @ 1..) = u64::try_from(*count)
            {
                totals.0.insert((workflow.clone(), status.word()), count);
            }
        }
        totals
    }

    pub(super) fn add(&mut self, run: &Run) {
        *self.0.entry(of(run)).or_default() += 1;
    }

    pub(super) fn remove(&mut self, run: &Run) {
        uncount(&mut self.0, of(run));
    }

    /// Adds what a filter means that asks for nothing but workflow and states.
    pub(super) fn count(&self, filter: &Filter, counts: &mut Counts) {
        counts.add(&self.0, filter);
    }
}

/// What a run counts as.
fn of(run: &Run) -> (Str, &'static str) {
    (run.workflow.clone(), run.status.word())
}
