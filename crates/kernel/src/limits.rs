//! Owns the named bounds of the rules: how much one run, one command and one server may hold.
//!
//! Invariant: every bound has a rejection or a failure behind it that names it; none is met by a
//! panic, a hang or silence.

/// The heaviest data one value may hold: input, output, context, signal. About its JSON size.
pub const DATA_BYTES_MAX: usize = 1 << 20;

/// Transitions one command may cause before the run goes on in a later batch, so that no run holds up the others.
pub const TURN_TRANSITIONS_MAX: u32 = 500;

/// Data that one command may add to the journal before the run goes on in a later batch.
pub const TURN_BYTES_MAX: usize = 4 << 20;

/// Nodes that one run may visit in its life, and steps and bodies that it may number.
pub const RUN_STEPS_MAX: u64 = 1_000_000;

/// Steps that one run may have at once.
pub const RUN_STEPS_LIVE_MAX: usize = 20_000;

/// How deep runs may start children of children.
pub const CHILD_DEPTH_MAX: u32 = 32;

/// Elements one for-each may run over.
pub const ITEMS_MAX: usize = 100_000;

/// Elements one for-each may run over whose condition sees all outputs so far after each of them.
pub const ITEMS_JUDGED_MAX: usize = 10_000;

/// Tokens that may wait at one join or merge.
pub const JOIN_TOKENS_MAX: usize = 10_000;

/// Steps or runs that may wait for one lock.
pub const LOCK_WAITERS_MAX: usize = 100_000;

/// Messages between runs that may wait for a later batch. Past it nobody begins what sends more: no run starts and
/// no event is published from outside, no step emits an event or starts a child.
pub const MESSAGES_MAX: usize = 100_000;

/// Early signals kept for one run.
pub const SIGNALS_MAX: usize = 1_000;

/// Events that one wait may take in.
pub const LISTEN_EVENTS_MAX: usize = 10_000;

/// Early correlated events kept by the partition.
pub const EVENTS_KEPT_MAX: usize = 100_000;

/// Runs that one published event may reach.
pub const EVENT_LISTENERS_MAX: usize = 10_000;

/// Bytes that one published event may hand out to all its listeners together: one command's events are
/// one record of the journal.
pub const PUBLISHED_BYTES_MAX: usize = 4 << 20;

/// Bytes of a name: workflow, queue, signal, key, label.
pub const NAME_BYTES_MAX: usize = 256;

/// Bytes of the reason that someone gives.
pub const REASON_BYTES_MAX: usize = 4_096;

/// Bytes of the title of a human task.
pub const TITLE_BYTES_MAX: usize = 1_024;

/// Bytes of the description of a human task.
pub const DESCRIPTION_BYTES_MAX: usize = 64 << 10;

/// Groups that one human task may be given to.
pub const GROUPS_MAX: usize = 64;

/// The most urgent priority of a human task; 0 is the least.
pub const PRIORITY_MAX: u32 = 9;

/// Comments kept at one human task.
pub const COMMENTS_MAX: usize = 100;

/// Labels and search attributes of one run, each.
pub const LABELS_MAX: usize = 64;

/// Runs of one schedule that may go on at once; past it, starts are left out.
pub const SCHEDULE_RUNS_MAX: usize = 1_000;

/// Schedules of the server.
pub const SCHEDULES_MAX: usize = 10_000;

/// Incomplete sets of events that a schedule holds for runs that need several.
pub const TRIGGER_SETS_MAX: usize = 100;

/// About how many bytes these sets may hold together; past it the oldest are dropped.
pub const TRIGGER_BYTES_MAX: usize = 256 << 10;

/// Events whose run has begun that a schedule knows again.
pub const TRIGGER_PAST_MAX: usize = 1_000;

/// Starts that a schedule makes up for at once after a pause.
pub const CATCH_UP_MAX: u32 = 100;

/// How long an early signal or event is kept when its sender does not say: a day.
pub const SIGNAL_TTL_MS_DEFAULT: u64 = 86_400_000;

/// How long a finished run is kept when its workflow does not say: seven days.
pub const RETENTION_MS_DEFAULT: u64 = 7 * 86_400_000;
