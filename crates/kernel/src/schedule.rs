//! Owns schedules: starting runs by the calendar, at intervals, after each other, or when events come (`trigger`).
//!
//! Invariants: a start belongs to one instant of the schedule and its business key says which, so it
//! happens once however often the schedule fires; what was missed is made up for only as the catch-up
//! policy says; runs overlap only as the overlap policy says.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use graph::value::{Str, Value};

use crate::codec::{record, words};
use crate::command::{Reply, StartRun};
use crate::eval::rfc3339;
use crate::event::{Event, Name, ScheduleMoved};
use crate::id::{RunId, Time};
use crate::limits::{
    CATCH_UP_MAX, DATA_BYTES_MAX, NAME_BYTES_MAX, SCHEDULE_RUNS_MAX, SCHEDULES_MAX, TURN_BYTES_MAX,
};
use crate::message::{Message, Stopping};
use crate::rejection::Rejection;
use crate::run::SCHEDULE_LABEL;
use crate::signal::{check_name, check_weight};
use crate::state::weight;
use crate::turn::Turn;

pub(crate) mod trigger;

/// A start counts as missed when its instant is longer ago than this.
const MISSED_MS: u64 = 60_000;

/// Bytes of a schedule's name: with an instant behind it, it is the business key of a run.
const SCHEDULE_NAME_BYTES_MAX: usize = NAME_BYTES_MAX - 40;

/// The shortest interval.
const INTERVAL_MS_MIN: u64 = 1_000;

/// Reads cron expressions: an input to decisions, because calendars need tables of time zones.
pub trait Calendar {
    /// The first instant after `after` that a cron expression means in a time zone; none if there is no more.
    ///
    /// # Errors
    /// An expression or zone that cannot be read, with what is wrong.
    fn next_after(&self, cron: &str, zone: &str, after: Time) -> Result<Option<Time>, String>;
}

words! {
    /// What to do when the run before has not ended.
    pub enum Overlap {
        /// Leave this start out.
        1 Skip = "skip",
        /// Start once the run before has ended; one start waits at most.
        2 Queue = "queue",
        /// Start side by side.
        3 Allow = "allow",
        /// Cancel the run before and start.
        4 Cancel = "cancel",
        /// Terminate the run before and start.
        5 Terminate = "terminate",
    }
}

words! {
    /// What to do about starts that were missed while the server was down or the schedule paused.
    pub enum CatchUp {
        /// Leave them out.
        1 Skip = "skip",
        /// Make up for the newest one.
        2 One = "one",
        /// Make up for all, oldest first, up to a bound.
        3 All = "all",
    }
}

record! {
    /// When to start runs of what.
    pub struct Schedule {
        /// Its name.
        1 name: Str,
        /// What to start.
        2 workflow: Str,
        /// Which version; none is the latest at that time.
        3 version: Option<Str>,
        /// With what.
        4 input: Value,
        /// A cron expression; else `every_ms`.
        5 cron: Option<Str>,
        /// IANA name of the time zone of the cron expression.
        6 zone: Str,
        /// An interval in milliseconds.
        7 every_ms: Option<u64>,
        /// What to do when the run before has not ended.
        8 overlap: Overlap,
        /// What to do about missed starts.
        9 catch_up: CatchUp,
        /// Whether it rests.
        10 paused: bool,
        /// The next instant; none when there is no more.
        11 next_at: Option<Time>,
        /// The instant of the last start.
        12 last_at: Option<Time>,
        /// How many runs it has started.
        13 started: u64,
        /// Runs of it that go on.
        14 active: Vec<RunId>,
        /// A start that waits for the run before: its instant.
        15 waiting: Option<Time>,
        /// A pause in milliseconds between the end of a run and the next start.
        50 after_ms: Option<u64>,
        /// Events that start runs, as the workflow says.
        51 trigger: Option<Trigger>,
        /// No starts before.
        52 from: Option<Time>,
        /// No starts after.
        53 until: Option<Time>,
    }
}

record! {
    /// What a schedule by events holds.
    #[derive(Default)]
    pub struct Trigger {
        /// Sets of events of which some have yet to come, oldest first.
        1 sets: Vec<EventSet>,
        /// Which events the newest complete sets had, of those that said so, oldest first.
        2 past: Vec<u64>,
    }
}

record! {
    /// Events for one run.
    #[derive(Default)]
    pub struct EventSet {
        /// Which filters have met theirs.
        1 met: Vec<u32>,
        /// The events, in order of arrival.
        2 events: Vec<Value>,
        /// What they settle for those to come, by name.
        3 bound: BTreeMap<Str, Value>,
        /// Which they are, of those that said so.
        4 seen: Vec<u64>,
    }
}

record! {
    /// What became of an event that a schedule took in.
    pub struct EventTaken {
        /// The place of its set; a new one is behind the others.
        1 set: u32,
        /// Which filter it met.
        2 filter: u32,
        /// It, unless its set is complete: then its run has it.
        3 event: Option<Value>,
        /// What it settles for those to come, by name.
        4 bound: BTreeMap<Str, Value>,
        /// Which it is, if it said so.
        5 identity: Option<u64>,
        /// How many of the oldest sets had to go.
        6 dropped: u32,
    }
}

impl Schedule {
    /// When it wants to be fired.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.next_at.filter(|_| !self.paused)
    }
}

/// Creates or replaces a schedule. Counters and running runs of a replaced one are kept, and the events that wait
/// for others, while they are for the same workflow.
pub(crate) fn decide_put(turn: &mut Turn<'_>, schedule: Schedule) -> Result<Reply, Rejection> {
    check_name("schedule name", &schedule.name)?;
    if schedule.name.len() > SCHEDULE_NAME_BYTES_MAX {
        return Err(Rejection::LimitReached(
            "bytes of a schedule's name",
            SCHEDULE_NAME_BYTES_MAX as u64,
        ));
    }
    check_weight("schedule input", &schedule.input)?;
    if turn
        .state()
        .catalog
        .find(&schedule.workflow, schedule.version.as_deref())
        .is_none()
    {
        return Err(Rejection::WorkflowMissing(schedule.workflow));
    }
    let before = turn.state().schedules.get(&schedule.name).cloned();
    if before.is_none() && turn.state().schedules.len() >= SCHEDULES_MAX {
        return Err(Rejection::LimitReached("schedules", SCHEDULES_MAX as u64));
    }
    let kept = before.as_ref();
    let is_going = kept.is_some_and(|kept| !kept.active.is_empty());
    let next_at = match schedule.after_ms {
        // The end of the run that goes on will tell.
        Some(_) if is_going => check_pace(turn, &schedule).map(|()| None)?,
        _ => first_after(turn, &schedule, turn.now)?,
    };
    turn.emit(Event::SchedulePut(Schedule {
        next_at,
        last_at: kept.and_then(|kept| kept.last_at),
        started: kept.map_or(0, |kept| kept.started),
        active: kept.map(|kept| kept.active.clone()).unwrap_or_default(),
        waiting: None,
        trigger: schedule.trigger.as_ref().map(|_| {
            let same = kept.filter(|kept| kept.workflow == schedule.workflow);
            same.and_then(|kept| kept.trigger.clone())
                .unwrap_or_default()
        }),
        ..schedule
    }));
    Ok(Reply::Done)
}

/// Makes true how a schedule has moved on: of one run that has ended, and others that begin behind those that go on.
fn move_on(
    turn: &mut Turn<'_>,
    schedule: Schedule,
    ended: Option<RunId>,
    taken: Option<EventTaken>,
) {
    let before = turn.state().schedules.get(&schedule.name);
    let active = before.into_iter().flat_map(|before| &before.active);
    let go_on = active.filter(|run| Some(**run) != ended).count();
    turn.emit(Event::ScheduleMoved(ScheduleMoved {
        begun: schedule.active.into_iter().skip(go_on).collect(),
        name: schedule.name,
        next_at: schedule.next_at,
        last_at: schedule.last_at,
        started: schedule.started,
        waiting: schedule.waiting,
        ended,
        taken,
    }));
}

/// Refuses a schedule that does not say when, or says so in two ways.
fn check_pace(turn: &Turn<'_>, schedule: &Schedule) -> Result<(), Rejection> {
    let invalid = |why: &str| Err(Rejection::Invalid(why.into()));
    let ways = [
        schedule.cron.is_some(),
        schedule.every_ms.is_some(),
        schedule.after_ms.is_some(),
        schedule.trigger.is_some(),
    ];
    if ways.into_iter().filter(|way| *way).count() != 1 {
        return invalid(
            "a schedule needs just one of a cron expression, an interval, a pause and events",
        );
    }
    let spans = [schedule.every_ms, schedule.after_ms];
    if spans.into_iter().flatten().any(|ms| ms < INTERVAL_MS_MIN) {
        return Err(Rejection::Invalid(format!(
            "the interval must be at least {INTERVAL_MS_MIN} ms"
        )));
    }
    if schedule
        .until
        .is_some_and(|until| schedule.from.unwrap_or(Time(0)) >= until)
    {
        return invalid("the schedule ends before it begins; let until come after from");
    }
    if schedule.trigger.is_some() {
        trigger::check(turn, schedule)?;
    }
    Ok(())
}

/// The first instant of a schedule that is new or goes on after a pause; it must have one if it goes by time.
fn first_after(
    turn: &Turn<'_>,
    schedule: &Schedule,
    after: Time,
) -> Result<Option<Time>, Rejection> {
    check_pace(turn, schedule)?;
    if let Some(after_ms) = schedule.after_ms {
        return Ok(within(schedule, after.plus(after_ms)));
    }
    let next_at = next_after(turn, schedule, after)?;
    if next_at.is_none() && schedule.trigger.is_none() {
        let cron = schedule.cron.as_deref().unwrap_or("the interval");
        return Err(Rejection::Invalid(format!(
            "{cron:?} never comes: no date fits all of its fields, or none lies between from and until"
        )));
    }
    Ok(next_at)
}

/// The instant, moved to the beginning of the window; none past its end.
fn within(schedule: &Schedule, at: Time) -> Option<Time> {
    let at = schedule.from.map_or(at, |from| from.max(at));
    schedule.until.is_none_or(|until| at <= until).then_some(at)
}

/// The next instant by calendar or interval; other ways have none.
fn next_after(
    turn: &Turn<'_>,
    schedule: &Schedule,
    after: Time,
) -> Result<Option<Time>, Rejection> {
    let next = if let Some(cron) = &schedule.cron {
        let opening = schedule
            .from
            .map_or(after, |from| Time(from.0.saturating_sub(1)));
        turn.calendar
            .next_after(cron, &schedule.zone, after.max(opening))
            .map_err(Rejection::Invalid)?
    } else {
        schedule.every_ms.map(|every_ms| after.plus(every_ms))
    };
    Ok(next.and_then(|next| within(schedule, next)))
}

/// Forgets a schedule. Its runs go on.
pub(crate) fn decide_delete(turn: &mut Turn<'_>, name: Str) -> Result<Reply, Rejection> {
    find(turn, &name)?;
    turn.emit(Event::ScheduleDropped(Name { name }));
    Ok(Reply::Done)
}

/// Pauses a schedule or lets it go on; then missed starts are dealt with as the policy says.
pub(crate) fn decide_pause(
    turn: &mut Turn<'_>,
    name: &Str,
    paused: bool,
) -> Result<Reply, Rejection> {
    let schedule = find(turn, name)?;
    if schedule.paused != paused {
        // What fell into the pause was missed, however short it was.
        let next_at = match schedule.catch_up {
            CatchUp::Skip if !paused && schedule.after_ms.is_none() => {
                next_after(turn, &schedule, turn.now)?
            }
            CatchUp::Skip | CatchUp::One | CatchUp::All => schedule.next_at,
        };
        turn.emit(Event::SchedulePut(Schedule {
            paused,
            next_at,
            ..schedule
        }));
    }
    Ok(Reply::Done)
}

fn find(turn: &Turn<'_>, name: &Str) -> Result<Schedule, Rejection> {
    turn.state()
        .schedules
        .get(name)
        .cloned()
        .ok_or_else(|| Rejection::ScheduleMissing(name.clone()))
}

/// Starts what is due.
pub(crate) fn decide_fire(turn: &mut Turn<'_>, name: &Str) -> Result<Reply, Rejection> {
    let mut schedule = find(turn, name).map_err(|_| Rejection::NotDue)?;
    if schedule.due().is_none_or(|due| due > turn.now) {
        return Err(Rejection::NotDue);
    }
    let (instants, next_at) = due_instants(turn, &schedule)?;
    schedule.next_at = next_at;
    for at in instants {
        start_or_hold(turn, &mut schedule, at);
    }
    move_on(turn, schedule, None, None);
    Ok(Reply::Done)
}

/// The instants to start at now, oldest first, and the next one in the future. Past the bound it
/// jumps to the newest one that has come, because only that can still matter.
fn due_instants(
    turn: &Turn<'_>,
    schedule: &Schedule,
) -> Result<(Vec<Time>, Option<Time>), Rejection> {
    let (now, mut at) = (turn.now, schedule.next_at);
    let mut due = Vec::new();
    while let Some(instant) = at.filter(|instant| *instant <= now) {
        if due.len() == CATCH_UP_MAX as usize {
            let newest = newest(turn, schedule, instant)?;
            at = next_after(turn, schedule, newest)?;
            if schedule.catch_up != CatchUp::All {
                due.push(newest);
            }
            break;
        }
        due.push(instant);
        at = next_after(turn, schedule, instant)?;
    }
    let fresh = |instant: &Time| now.since(*instant) <= MISSED_MS;
    let due = match schedule.catch_up {
        CatchUp::All => {
            // Each start carries the input: what is too heavy for one turn is due again at once.
            let turnful = TURN_BYTES_MAX / weight(&schedule.input, DATA_BYTES_MAX).max(1);
            at = due.get(turnful).copied().or(at);
            due.truncate(turnful);
            due
        }
        CatchUp::One => due.split_off(due.len().saturating_sub(1)),
        CatchUp::Skip => due.pop().into_iter().filter(fresh).collect(),
    };
    Ok((due, at))
}

/// The newest instant that has come, given one that has. A calendar is bisected, so that a schedule
/// that is years behind costs a few questions and not one for each instant.
fn newest(turn: &Turn<'_>, schedule: &Schedule, known: Time) -> Result<Time, Rejection> {
    if let Some(every_ms) = schedule.every_ms {
        return Ok(known.plus(turn.now.since(known) / every_ms * every_ms));
    }
    let (mut newest, mut bound) = (known, turn.now);
    while newest < bound {
        let middle = newest.plus(bound.since(newest) / 2);
        match next_after(turn, schedule, middle)?
            .filter(|instant| *instant <= turn.now && *instant > middle)
        {
            Some(instant) => newest = instant,
            None => bound = middle,
        }
    }
    Ok(newest)
}

fn start_or_hold(turn: &mut Turn<'_>, schedule: &mut Schedule, at: Time) {
    if schedule.active.len() >= SCHEDULE_RUNS_MAX {
        return;
    }
    if !schedule.active.is_empty() {
        match schedule.overlap {
            Overlap::Skip => return,
            Overlap::Queue => {
                schedule.waiting = Some(at);
                return;
            }
            Overlap::Allow => {}
            Overlap::Cancel => end_active(turn, schedule, Message::CancelRun),
            Overlap::Terminate => end_active(turn, schedule, Message::TerminateRun),
        }
    }
    start(turn, schedule, at);
}

fn end_active(turn: &mut Turn<'_>, schedule: &Schedule, message: impl Fn(Stopping) -> Message) {
    for run in &schedule.active {
        turn.send(message(Stopping {
            run: *run,
            reason: "the next run of its schedule is due".into(),
        }));
    }
}

fn start(turn: &mut Turn<'_>, schedule: &mut Schedule, at: Time) {
    let key: Str = format!("{}@{}", schedule.name, rfc3339(at)).into();
    let input = schedule.input.clone();
    start_with(turn, schedule, at, key, input);
}

/// Starts the run of this key, which happens once however often it is asked for.
fn start_with(turn: &mut Turn<'_>, schedule: &mut Schedule, at: Time, key: Str, input: Value) {
    let run = RunId::of_key(&schedule.workflow, &key);
    schedule.last_at = Some(at);
    schedule.started += 1;
    schedule.active.push(run);
    turn.send(Message::StartRun(StartRun {
        run,
        workflow: schedule.workflow.clone(),
        version: schedule.version.clone(),
        key: Some(key),
        input,
        labels: [(SCHEDULE_LABEL.into(), schedule.name.clone())].into(),
        attributes: BTreeMap::new(),
        parent: None,
        depth: 0,
    }));
}

/// A run of the schedule has ended: the start that waited for it begins.
pub(crate) fn decide_ended(
    turn: &mut Turn<'_>,
    name: &Str,
    run: RunId,
) -> Result<Reply, Rejection> {
    let mut schedule = find(turn, name).map_err(|_| Rejection::NotDue)?;
    if !schedule.active.contains(&run) {
        return Err(Rejection::NotDue);
    }
    schedule.active.retain(|active| *active != run);
    if schedule.active.is_empty()
        && let Some(at) = schedule.waiting.take()
    {
        start(turn, &mut schedule, at);
    }
    if let Some(after_ms) = schedule.after_ms.filter(|_| schedule.active.is_empty()) {
        schedule.next_at = within(&schedule, turn.now.plus(after_ms));
    }
    move_on(turn, schedule, Some(run), None);
    Ok(Reply::Done)
}

impl Schedule {
    pub(crate) fn apply_moved(&mut self, moved: &ScheduleMoved) {
        self.next_at = moved.next_at;
        self.last_at = moved.last_at;
        self.started = moved.started;
        self.waiting = moved.waiting;
        if let Some(ended) = moved.ended {
            self.active.retain(|active| *active != ended);
        }
        self.active.extend(&moved.begun);
        if let (Some(trigger), Some(taken)) = (&mut self.trigger, &moved.taken) {
            trigger.apply_taken(taken);
        }
    }
}
