//! Owns the counts of live runs by workflow and state.
//!
//! Invariant: a run is counted as what it was when last looked at, and every run that has changed since is
//! known, so that counting costs what has changed and not what there is.

use std::collections::{BTreeMap, BTreeSet};

use graph::value::Str;
use kernel::{Run, RunId};
use rustc_hash::FxHashMap;

use crate::query::{Counts, Filter, Tally, uncount};

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Census {
    counts: Tally,
    /// What each run is counted as.
    counted: FxHashMap<RunId, (Str, &'static str)>,
    changed: BTreeSet<RunId>,
}

impl Census {
    /// The run began or changed.
    pub(crate) fn changed(&mut self, run: RunId) {
        self.changed.insert(run);
    }

    /// The run has ended.
    pub(crate) fn ended(&mut self, run: RunId) {
        self.changed.remove(&run);
        let was = self.counted.remove(&run);
        self.leave(was);
    }

    /// How many live runs a filter means that asks for nothing but workflow and states.
    pub(crate) fn count(&mut self, runs: &BTreeMap<RunId, Box<Run>>, filter: &Filter) -> Counts {
        for id in std::mem::take(&mut self.changed) {
            if let Some(run) = runs.get(&id) {
                let is = (run.workflow.clone(), run.condition());
                *self.counts.entry(is.clone()).or_default() += 1;
                let was = self.counted.insert(id, is);
                self.leave(was);
            }
        }
        let mut counts = Counts::default();
        counts.add(&self.counts, filter);
        counts
    }

    fn leave(&mut self, was: Option<(Str, &'static str)>) {
        if let Some(was) = was {
            uncount(&mut self.counts, was);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Census;
    use kernel::RunId;

    #[test]
    fn a_workflow_without_runs_leaves_nothing_behind() {
        let mut census = Census::default();
        let is = ("w".into(), "running");
        census.counts.insert(is.clone(), 2);
        for run in [RunId([1; 16]), RunId([2; 16])] {
            census.counted.insert(run, is.clone());
            assert_eq!(census.counts.len(), 1);
            census.ended(run);
        }
        assert!(census.counts.is_empty() && census.counted.is_empty());
    }
}
