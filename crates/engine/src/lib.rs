//! Runs a partition: batches, timers, dispatch, recovery, the read model.
