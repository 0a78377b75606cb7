//! Lists, counts and forgetting, against looking at every run.

use std::collections::BTreeMap;
use std::sync::Arc;

use graph::value::{Str, Value};
use journal::MemoryJournal;
use kernel::{Rejection, Run, RunId, Status, StepId, StepRef, Time};
use store::{Direction, Store, TableId};
use tokio::sync::watch;

use super::{PURGE_RUNS_MAX, TABLES, Totals, View};
use crate::driver::handle::AskError;
use crate::partition::chronicle::Tail;
use crate::partition::{Change, Finished};
use crate::query::{Counts, Filter};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (self.0 >> 33) % bound
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        let place = self.below(all.len() as u64);
        all[usize::try_from(place).expect("few")].clone()
    }

    /// With one chance in so many.
    fn once_in<T>(&mut self, chances: u64, make: impl FnOnce(&mut Dice) -> T) -> Option<T> {
        (self.below(chances) == 0).then(|| make(self))
    }
}

const STATES: [Status; 4] = [
    Status::Completed,
    Status::Failed,
    Status::Cancelled,
    Status::Terminated,
];

fn id(number: u64) -> RunId {
    RunId::of_key("any", &number.to_string())
}

fn text(number: u64) -> Str {
    format!("v{number}").into()
}

fn value(dice: &mut Dice) -> Value {
    let number = i64::try_from(dice.below(3)).expect("small");
    let all = [
        Value::Int(number),
        Value::Float(number as f64),
        Value::Float(-0.0),
        Value::Int((1 << 53) + number),
        Value::Bool(number == 0),
        Value::text(format!("t{number}")),
    ];
    dice.of(&all)
}

fn finished(dice: &mut Dice, number: u64) -> Run {
    let started = Time(1_000 + dice.below(40));
    let labels = dice.below(3);
    let labels = (0..labels).map(|_| (dice.of(&["a", "b"]).into(), text(dice.below(3))));
    let labels: BTreeMap<Str, Str> = labels.collect();
    let attributes = dice.once_in(2, |dice| (dice.of(&["x", "y"]).into(), value(dice)));
    let parent = dice.once_in(4, |dice| StepRef {
        run: id(dice.below(3)),
        step: StepId(1),
    });
    Run {
        id: id(number),
        workflow: dice.of(&["one", "two", "three"]).into(),
        version: "1".into(),
        key: None,
        parent,
        depth: 0,
        input: Value::Null,
        context: Value::Null,
        labels,
        attributes: attributes.into_iter().collect(),
        started_at: started,
        status: dice.of(&STATES),
        output: None,
        failure: None,
        ended_at: Some(started.plus(dice.below(50))),
        suspended: false,
        cancelling: false,
        deadline: None,
        retention_ms: 1_000 + dice.below(100),
        last_id: 0,
        entered: 0,
        frames: BTreeMap::new(),
        steps: BTreeMap::new(),
        signals: Vec::new(),
        cancel_reason: None,
        lock: None,
        priority: None,
        kept_place: None,
    }
}

fn filter(dice: &mut Dice) -> Filter {
    let words: Vec<Str> = ["running", "completed", "failed", "cancelled", "terminated"]
        .map(Str::from)
        .to_vec();
    let states = dice.below(3);
    let labels = dice.below(3);
    Filter {
        workflow: dice.once_in(3, |dice| dice.of(&["one", "two", "none"]).into()),
        states: (0..states).map(|_| dice.of(&words)).collect(),
        started_after: dice.once_in(4, |dice| Time(995 + dice.below(50))),
        started_before: dice.once_in(4, |dice| Time(995 + dice.below(50))),
        labels: (0..labels)
            .filter_map(|_| {
                dice.once_in(2, |dice| (dice.of(&["a", "b"]).into(), text(dice.below(4))))
            })
            .collect(),
        attributes: dice
            .once_in(3, |dice| (dice.of(&["x", "y"]).into(), value(dice)))
            .into_iter()
            .collect(),
        parent: dice.once_in(5, |dice| id(dice.below(4))),
    }
}

fn feed(view: &View, runs: &[Run]) {
    let change = |run: &Run| {
        Change::Finished(Finished {
            run: Arc::new(run.clone()),
            tail: Tail {
                from: 0,
                count: 1,
                bytes: vec![0],
            },
        })
    };
    let changes = runs.iter().map(change).collect();
    view.feed(1, changes, true).expect("is fed");
}

/// All pages of the list and the counts are what looking at every run says.
fn agrees(view: &View, runs: &[Run], filter: &Filter, limit: usize, rows_max: usize) {
    let mut meant: Vec<&Run> = runs.iter().filter(|run| filter.matches(run)).collect();
    meant.sort_by_key(|run| std::cmp::Reverse((run.started_at, run.id)));
    let mut counts = Counts::default();
    for run in &meant {
        *counts.states.entry(run.status.word()).or_default() += 1;
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = view.finished_page(filter, after, limit, rows_max);
        let (page, next) = page.expect("a page");
        assert!(page.len() <= limit, "{filter:?}");
        let is_short = page.len() < limit && next.is_some();
        assert!(!is_short || rows_max < usize::MAX, "{filter:?}");
        assert!(next.is_none() || next != after, "{filter:?}");
        listed.extend(page.into_iter().map(|run| run.id));
        if next.is_none() {
            break;
        }
        after = next;
    }
    let meant: Vec<RunId> = meant.into_iter().map(|run| run.id).collect();
    assert_eq!(listed, meant, "{filter:?}");
    let found = view.count_found(Counts::default(), filter);
    assert_eq!(found.expect("counts"), counts, "{filter:?}");
    if filter.is_by_total() {
        let mut totals = Counts::default();
        view.totals().count(filter, &mut totals);
        assert_eq!(totals, counts, "{filter:?}");
    }
}

fn rows(store: &Store) -> usize {
    let mut rows = 0;
    for table in 0..TABLES.len() {
        let mut each = |key: &[u8], _: &[u8]| {
            rows += usize::from(key != super::COUNTS_KEY);
            std::ops::ControlFlow::Continue(())
        };
        let all = std::ops::Bound::Unbounded;
        store
            .range(TableId(table), all, all, Direction::Forward, &mut each)
            .expect("readable");
    }
    rows
}

#[test]
fn any_filter_finds_what_looking_at_every_run_finds() {
    let mut dice = Dice(7);
    for round in 0..20 {
        let store = Store::memory(&TABLES);
        let view = View::open(store.clone()).expect("a view");
        let mut runs: Vec<Run> = (0..60).map(|number| finished(&mut dice, number)).collect();
        feed(&view, &runs);
        // As after a crash.
        feed(&view, &runs[..20]);
        for _ in 0..40 {
            let (filter, limit) = (filter(&mut dice), dice.of(&[1, 2, 7, 100]));
            agrees(&view, &runs, &filter, limit, usize::MAX);
            agrees(&view, &runs, &filter, limit, 1);
        }
        let now = Time(2_040 + round * 10);
        let purged = view.purge(now).expect("is purged");
        let kept = |run: &Run| {
            run.ended_at
                .is_some_and(|at| at.plus(run.retention_ms) > now)
        };
        let before = runs.len();
        runs.retain(kept);
        assert_eq!(purged.runs, before - runs.len());
        assert!(purged.is_all && purged.runs > 0);
        for _ in 0..40 {
            let filter = filter(&mut dice);
            agrees(&view, &runs, &filter, 3, 20);
        }
        view.purge(Time(1 << 40)).expect("is purged");
        assert_eq!(rows(&store), 0, "nothing is left of what is forgotten");
        assert_eq!(view.totals().bytes(), Totals::default().bytes());
    }
}

#[test]
fn forgetting_goes_on_piece_by_piece_until_nothing_is_due() {
    let mut dice = Dice(1);
    let store = Store::memory(&TABLES);
    let view = View::open(store.clone()).expect("a view");
    let count = PURGE_RUNS_MAX * 2 + 1;
    let runs: Vec<Run> = (0..count as u64)
        .map(|number| finished(&mut dice, number))
        .collect();
    feed(&view, &runs);
    // One history has more parts than are forgotten at a time.
    let part = |from| Change::History {
        run: runs[0].id,
        tail: Tail {
            from,
            count: 1,
            bytes: vec![0],
        },
    };
    let parts = (1..=super::PURGE_PARTS_MAX as u64 * 2).map(part).collect();
    view.feed(2, parts, false).expect("is fed");
    assert_eq!(view.purge(Time(1_000)).expect("is purged").runs, 0);
    let (mut gone, mut looks) = (0, 0);
    loop {
        let purged = view.purge(Time(1 << 40)).expect("is purged");
        assert!(purged.runs <= PURGE_RUNS_MAX);
        gone += purged.runs;
        looks += 1;
        if purged.is_all {
            break;
        }
    }
    assert_eq!(gone, count);
    assert!((4..10).contains(&looks), "{looks}");
    assert_eq!(rows(&store), 0);
}

#[tokio::test]
async fn a_reader_waits_for_its_batch_and_no_longer_than_batches_come() {
    let (life, lifeline) = watch::channel(());
    let view = View::open(Store::memory(&TABLES)).expect("a view");
    let reader = view.while_open(lifeline);
    let missing = reader.finished(id(1), 7);
    tokio::pin!(missing);
    assert!(at_once(missing.as_mut()).await.is_none(), "it waits");
    view.feed(7, Vec::new(), false).expect("is fed");
    let rejected = AskError::Rejected(Rejection::RunMissing(id(1)));
    let said = missing.await.expect_err("no such run");
    assert_eq!(said.to_string(), rejected.to_string());
    // A recovered partition goes on where the one before ended, so its numbers mean the same to all.
    let opened = view.recover(Box::new(MemoryJournal::new()));
    let mut partition = opened.expect("recovers").partition;
    assert_eq!(view.shown(), 7);
    assert!(partition.take_batch().number > 7);
    let unfed = reader.finished(id(1), 9);
    tokio::pin!(unfed);
    assert!(at_once(unfed.as_mut()).await.is_none(), "it waits");
    drop(life);
    let said = unfed.await.expect_err("never comes");
    assert_eq!(said.to_string(), AskError::Stopped.to_string());
}

/// What a future gives without waiting.
async fn at_once<F: Future>(future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        now = future => Some(now),
        () = std::future::ready(()) => None,
    }
}
