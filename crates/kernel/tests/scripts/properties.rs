//! What holds for every graph and every order of commands.
//!
//! A case is a list of bytes, thrown like dice: first they make a graph, then they choose commands,
//! stale and senseless ones among them. The seed is fixed; `KERNEL_CASES` asks for more cases than
//! the default, and a failing case is printed so that it can become a script.

use std::cell::RefCell;
use std::collections::BTreeMap;

use graph::ir::{
    Assignment, Concurrency, ConcurrencyPolicy, Escalate, JoinBy, LockScope, Losers, Need, Retry,
};
use graph::{Delay, Value};
use kernel::codec::{decode, encode};
use kernel::event::RunEnded;
use kernel::id::WHOLE_RUN;
use kernel::schedule::{CatchUp, Overlap, Schedule};
use kernel::{
    Command, Entry, Event, HumanAct, Run, RunEvent, RunId, SessionId, State, StepId, StepRef,
    TaskToken,
};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::graphs::{
    N, attempt, block, child, cut_short, emit, expr, fold, fork, graph, hear, human, join, join_by,
    json, lock, map, merge, milestone, raise, repeat, retry, saga, set, split, switch, task,
    threads, wait, withdraw,
};
use crate::world::{World, flop};

/// Cases when nobody asks for more.
const CASES_DEFAULT: u32 = 1_000;

/// Kinds of events: of runs, and the seven others; no graph is long enough for a step to be held back.
const EVENTS: usize = 38 + 8 - 1;

/// Rounds in which everything that can be done is done, before a run counts as stuck.
const ROUNDS_MAX: usize = 2_000;

/// Choices, taken from bytes; without end, because the last ones are made of the first.
struct Dice<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Dice<'_> {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        let length = self.bytes.len().max(1);
        let byte = self.bytes.get(self.at % length).copied().unwrap_or(0);
        let lap = self.at / length;
        self.at += 1;
        (usize::from(byte) + lap * 7) % sides
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == sides - 1
    }

    fn pick<'t, T>(&mut self, items: &'t [T]) -> Option<&'t T> {
        if items.is_empty() {
            None
        } else {
            Some(&items[self.roll(items.len())])
        }
    }

    fn data(&mut self) -> String {
        ["null", "0", "1", "\"text\"", "[1,2,3]", "{\"x\":1}", "[]"][self.roll(7)].into()
    }
}

/// Makes names that are unique in the graph.
struct Garden<'d, 'b> {
    dice: &'d mut Dice<'b>,
    names: usize,
}

impl Garden<'_, '_> {
    fn name(&mut self) -> String {
        self.names += 1;
        format!("n{}", self.names)
    }

    fn body(&mut self, depth: usize) -> Vec<N> {
        let pieces = if depth == 0 {
            2 + self.dice.roll(4)
        } else {
            [0, 1, 1, 2, 2, 3][self.dice.roll(6)]
        };
        (0..pieces).flat_map(|_| self.piece(depth)).collect()
    }

    fn piece(&mut self, depth: usize) -> Vec<N> {
        match self.dice.roll(10) {
            4 if self.dice.one_in(2) => self.withdrawal(depth),
            3 if self.dice.one_in(3) => self.milestone(),
            5 if self.dice.one_in(2) => self.threads(depth),
            6 => self.cycle(),
            7 => self.split_and_join(depth),
            _ => {
                let node = self.node(depth);
                vec![self.dress(node)]
            }
        }
    }

    /// A task whose output decides whether it is done again, or the run ends.
    fn cycle(&mut self) -> Vec<N> {
        let (work, choice) = (self.name(), self.name());
        let target = if self.dice.one_in(4) { "end" } else { &work };
        vec![task(&work), switch(&choice, &[(". == 0", target)])]
    }

    fn split_and_join(&mut self, depth: usize) -> Vec<N> {
        let [s, a, b, j] = [(); 4].map(|()| self.name());
        let need = if self.dice.one_in(2) {
            Need::All
        } else {
            Need::Count(1)
        };
        let condition = ["", "", ". == 1"][self.dice.roll(3)];
        let second = if depth < 2 && self.dice.one_in(2) {
            block(&b, self.body(depth + 1))
        } else {
            set(&b, ".")
        };
        vec![
            split(&s, &[("", &a), (condition, &b)]),
            task(&a).to(&j),
            second.to(&j),
            match self.dice.roll(5) {
                0 | 1 => merge(&j),
                2 => join_by(&j, JoinBy::Edges, need),
                3 => join_by(
                    &j,
                    JoinBy::Threads,
                    Need::Count(1 + self.dice.roll(2) as u32),
                ),
                _ => join(&j, need),
            },
        ]
    }

    /// Something is withdrawn or cut short after a while, by a token beside it.
    fn withdrawal(&mut self, depth: usize) -> Vec<N> {
        let [s, a, t, w, j] = [(); 5].map(|()| self.name());
        let mut work = self.node(depth);
        work.rename(&a);
        let end = if self.dice.one_in(2) {
            withdraw(&w, &[&a])
        } else {
            cut_short(&w, &[&a])
        };
        vec![
            split(&s, &[("", &a), ("", &t)]),
            work.to(&j),
            wait(&t, 10),
            end,
            merge(&j),
        ]
    }

    /// A token waits beside another one until that has come to a task.
    fn milestone(&mut self) -> Vec<N> {
        let [s, x, b, m, j] = [(); 5].map(|()| self.name());
        let mut gate = milestone(&m, &b).to(&j);
        if self.dice.one_in(3) {
            gate = gate.otherwise("exit");
        }
        vec![
            split(&s, &[("", &x), ("", &m)]),
            wait(&x, 10),
            task(&b).to(&j),
            gate,
            merge(&j),
        ]
    }

    /// One token becomes several, and several become one.
    fn threads(&mut self, depth: usize) -> Vec<N> {
        let [t, a, j] = [(); 3].map(|()| self.name());
        let count = 1 + self.dice.roll(3);
        let work = if depth < 2 && self.dice.one_in(2) {
            block(&a, self.body(depth + 1))
        } else {
            task(&a)
        };
        let need = Need::Count(count as u32);
        vec![
            threads(&t, &count.to_string()),
            work,
            join_by(&j, JoinBy::Threads, need),
        ]
    }

    fn node(&mut self, depth: usize) -> N {
        let name = &self.name();
        match self.dice.roll(if depth < 3 { 18 } else { 8 }) {
            0 if self.dice.one_in(3) => self.human(name),
            0 | 1 => self.task(name),
            2 => set(name, ["{x: .}", "1", "[.]"][self.dice.roll(3)]),
            3 => wait(name, [0, 10, 1_000][self.dice.roll(3)]),
            4 => hear(name, ["e0", "e1"][self.dice.roll(2)]),
            5 => emit(
                name,
                ["{type: \"e0\"}", "{type: \"e1\", data: .}"][self.dice.roll(2)],
            ),
            6 => child(name, "c").with_child(|made| made.detach = self.dice.one_in(3)),
            7 if self.dice.one_in(2) => raise(name, "raised"),
            7 => set(name, "."),
            8 => block(name, self.body(depth + 1)),
            9 => repeat(
                name,
                "",
                ["", ". == 1"][self.dice.roll(2)],
                1 + self.dice.roll(4) as u32,
                self.body(depth + 1),
            ),
            10 => self.map(name, depth),
            17 => self.lock(name, depth),
            11 => fold(name, "[1,2,3]", self.body(depth + 1)).while_("$item < 3"),
            12 | 16 => self.fork(name, depth),
            13 | 14 => self.attempt(name, depth),
            _ => saga(name, self.body(depth + 1)),
        }
    }

    fn task(&mut self, name: &str) -> N {
        let attempts_max = [None, Some(1), Some(3)][self.dice.roll(3)];
        let mut made = task(name).with_task(|task| {
            task.queue_timeout = self.dice.one_in(8).then_some(Delay::Ms(500));
            task.run_timeout = self.dice.one_in(4).then_some(Delay::Ms(200));
            task.heartbeat_timeout = self.dice.one_in(4).then_some(Delay::Ms(50));
        });
        if self.dice.one_in(2) {
            made = made.retry(Retry {
                attempts_max,
                jitter_ms: Some((0, 9)),
                ..retry(10)
            });
        }
        if self.dice.one_in(4) {
            made.park()
        } else {
            made
        }
    }

    fn human(&mut self, name: &str) -> N {
        let to = |name: &str| Assignment {
            assignee: None,
            groups: Some(expr(name)),
        };
        human(name).with_human(|human| {
            human.to = to("[\"g\"]");
            human.remind = vec![Delay::Ms(10), Delay::Ms(100)];
            human.escalate = self.dice.one_in(2).then(|| Escalate {
                after: Delay::Ms(100),
                to: to("\"heads\""),
            });
        })
    }

    fn fork(&mut self, name: &str, depth: usize) -> N {
        let branches: Vec<Vec<N>> = (0..=self.dice.roll(3))
            .map(|_| self.body(depth + 1))
            .collect();
        let count = 1 + self.dice.roll(branches.len()) as u32;
        let need = if self.dice.one_in(2) {
            Need::All
        } else {
            Need::Count(count)
        };
        let (leave, first) = (self.dice.one_in(2), self.dice.one_in(2));
        fork(name, need, branches).with_fork(|fork| {
            fork.losers = if leave { Losers::Leave } else { Losers::Cancel };
            fork.first = first;
        })
    }

    fn map(&mut self, name: &str, depth: usize) -> N {
        let concurrency = 1 + self.dice.roll(3) as u32;
        let mut made = map(name, "[1,2,3]", concurrency, self.body(depth + 1));
        if self.dice.one_in(3) {
            made = made.more(["e0", "e1"][self.dice.roll(2)], 2);
        }
        let count = 1 + self.dice.roll(4) as u32;
        let (counts, judges, leave) = (
            self.dice.one_in(3),
            self.dice.one_in(4),
            self.dice.one_in(2),
        );
        made.with_each(|each| {
            each.need = if counts {
                Need::Count(count)
            } else {
                Need::All
            };
            each.until = judges.then(|| "length > 1".into());
            if leave && (counts || judges) {
                each.losers = Losers::Leave;
            }
        })
    }

    /// Locks are taken in the order of their depth, so that no two wait for each other.
    fn lock(&mut self, name: &str, depth: usize) -> N {
        let scope = [LockScope::Run, LockScope::Workflow, LockScope::Server][self.dice.roll(3)];
        let (limit, body) = (1 + self.dice.roll(2) as u32, self.body(depth + 1));
        lock(name, &format!("{scope:?}{depth}"), scope, body).with_lock(|lock| lock.limit = limit)
    }

    fn attempt(&mut self, name: &str, depth: usize) -> N {
        let mut made = attempt(name, self.body(depth + 1));
        let body = self.dice.one_in(2).then(|| self.body(depth + 1));
        let again = self.dice.one_in(2).then(|| Retry {
            attempts_max: Some(3),
            ..retry(10)
        });
        if self.dice.roll(3) > 0 {
            made = made.catch_with(body, |catch| {
                catch.retry = again;
                catch.with = if self.dice.one_in(4) {
                    vec![("type".into(), json("\"raised\""))]
                } else {
                    vec![]
                };
            });
        }
        if self.dice.one_in(2) {
            made.finally(self.body(depth + 1))
        } else {
            made
        }
    }

    /// What any node may wear.
    fn dress(&mut self, mut node: N) -> N {
        if self.dice.one_in(6) {
            node = node.timeout(100);
        }
        if self.dice.one_in(8) {
            node = node.when(". != 1");
        }
        if self.dice.one_in(6) {
            node = node.undo(self.body(2));
        }
        if self.dice.one_in(8) {
            node.export("[.] | length")
        } else {
            node
        }
    }
}

fn world_of(dice: &mut Dice<'_>) -> World {
    let mut world = World::default();
    world.quiet = true;
    world.defers = dice.one_in(4);
    let nodes = Garden { dice, names: 0 }.body(0);
    let mut made = graph("w", nodes);
    made.concurrency = dice.one_in(4).then(|| Concurrency {
        key: "if type == \"number\" then 1 else null end".into(),
        limit: 1 + dice.roll(2) as u32,
        policy: [ConcurrencyPolicy::Queue, ConcurrencyPolicy::Replace][dice.roll(2)],
    });
    world.deploy(made);
    let nodes = [
        vec![task("c1")],
        vec![set("c2", ".")],
        vec![raise("c3", "raised")],
        vec![wait("c4", 20)],
    ];
    world.deploy(graph("c", nodes[dice.roll(4)].clone()));
    for _ in 0..=dice.roll(2) {
        let input = dice.data();
        world.start("w", &input);
    }
    world
}

/// Every run's bytes, and the rest of the state as text.
fn snapshot(state: &State) -> (BTreeMap<RunId, Vec<u8>>, String) {
    let runs = state
        .runs
        .iter()
        .map(|(id, run)| (*id, State::encode_run(run)))
        .collect();
    (
        runs,
        format!(
            "{:?}{:?}{:?}{:?}{:?}",
            state.schedules, state.kept_events, state.listeners, state.messages, state.locks
        ),
    )
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn command(world: &World, dice: &mut Dice<'_>) -> Command {
    let offers: Vec<StepRef> = world.offers.iter().map(|(_, task)| *task).collect();
    let claims: Vec<TaskToken> = world.claims.keys().copied().collect();
    let runs: Vec<RunId> = world.state.runs.keys().copied().collect();
    let run = dice.pick(&runs).copied().unwrap_or(RunId([0; 16]));
    let any_step = StepRef {
        run,
        step: StepId(dice.roll(20) as u32),
    };
    let stray = TaskToken {
        run,
        step: any_step.step,
        claim: dice.roll(3) as u32,
    };
    let token = match dice.pick(&claims) {
        Some(token) if !dice.one_in(8) => *token,
        _ => stray,
    };
    let data = json(&dice.data());
    let name = ["e0", "e1"][dice.roll(2)];
    let people: Vec<StepRef> = world.shown.keys().copied().collect();
    if !people.is_empty() && dice.one_in(3) {
        let task = dice.pick(&people).copied().unwrap_or(any_step);
        return about_human(task, dice);
    }
    match dice.roll(24) {
        0..=4 => Command::ClaimTask {
            task: dice.pick(&offers).copied().unwrap_or(any_step),
            session: SessionId(1),
        },
        5..=8 => Command::CompleteTask {
            token,
            output: data,
        },
        9 | 10 => Command::FailTask {
            token,
            failure: flop("raised"),
            retryable: !dice.one_in(3),
        },
        11 => Command::HeartbeatTask { token },
        12 => Command::ReleaseTask {
            token,
            reason: "gone".into(),
        },
        13 => Command::SignalRun {
            run,
            name: name.into(),
            data,
            ttl_ms: [0, 100][dice.roll(2)],
        },
        14 => Command::PublishEvent {
            event: Value::from([("type", Value::from(name)), ("data", data)]),
            ttl_ms: 100,
        },
        15 => Command::SuspendRun { run: token.run },
        16 => Command::ResumeRun { run },
        17 => Command::RetryRun {
            run,
            step: dice.one_in(2).then_some(any_step.step),
        },
        18 if dice.one_in(2) => Command::CancelRun { run, reason: None },
        18 if dice.one_in(3) => Command::TerminateRun { run, reason: None },
        18 => Command::FireTimer {
            step: StepRef {
                run,
                step: WHOLE_RUN,
            },
        },
        19 => Command::FireTimer { step: any_step },
        20 => [
            Command::LinkChild { step: any_step },
            Command::EndChild {
                step: any_step,
                outcome: Ok(data),
            },
        ][dice.roll(2)]
        .clone(),
        21 => Command::PutSchedule {
            schedule: schedule(dice),
        },
        22 => Command::FireSchedule { name: "s".into() },
        _ => match dice.roll(5) {
            0 => Command::DeleteSchedule { name: "s".into() },
            1 => Command::PauseSchedule {
                name: "s".into(),
                paused: dice.one_in(2),
            },
            2 => Command::NoteScheduledEnd {
                name: "s".into(),
                run,
            },
            3 => Command::ExpireEvent {
                number: dice.roll(3) as u64,
            },
            _ => Command::StartRun(kernel::StartRun {
                run,
                workflow: "w".into(),
                version: None,
                key: None,
                input: data,
                labels: BTreeMap::new(),
                attributes: BTreeMap::new(),
                parent: dice.one_in(2).then_some(any_step),
                depth: 0,
            }),
        },
    }
}

fn about_human(task: StepRef, dice: &mut Dice<'_>) -> Command {
    let by = ["ann", "bob"][dice.roll(2)].into();
    let act = match dice.roll(7) {
        0 | 1 => HumanAct::Claim,
        2 => HumanAct::Release,
        3 => HumanAct::Assign {
            assignee: dice.one_in(2).then(|| "ann".into()),
            groups: dice.one_in(2).then(|| vec!["g".into(), "h".into()]),
        },
        4 => HumanAct::Comment {
            text: ["", "well"][dice.roll(2)].into(),
        },
        5 => HumanAct::Complete {
            outcome: None,
            data: json(&dice.data()),
            comment: None,
        },
        _ => HumanAct::Reject { reason: None },
    };
    Command::ActOnHuman { task, by, act }
}

fn schedule(dice: &mut Dice<'_>) -> Schedule {
    let cron = dice.one_in(2).then(|| "every 3000".into());
    Schedule {
        name: "s".into(),
        workflow: ["w", "c"][dice.roll(2)].into(),
        version: None,
        input: Value::Null,
        every_ms: cron.is_none().then_some(2_500),
        cron,
        zone: "UTC".into(),
        overlap: Overlap::ALL[dice.roll(Overlap::ALL.len())],
        catch_up: CatchUp::ALL[dice.roll(CatchUp::ALL.len())],
        paused: dice.one_in(8),
        next_at: None,
        last_at: None,
        started: 0,
        active: vec![],
        waiting: None,
        after_ms: None,
        trigger: None,
        from: None,
        until: None,
    }
}

/// Puts every run back from its bytes, as after a restart from a checkpoint.
fn restart(world: &mut World) {
    let runs = std::mem::take(&mut world.state.runs);
    world.state.listeners.clear();
    let locks = std::mem::take(&mut world.state.locks);
    for run in runs.values() {
        let restored = world.state.restore_run(&State::encode_run(run));
        assert_eq!(restored, Ok(run.id));
    }
    assert_eq!(world.state.runs, runs);
    assert_eq!(world.state.locks, locks);
}

/// Asks for one thing or lets time pass; a refusal must have changed nothing.
fn disturb(world: &mut World, dice: &mut Dice<'_>, finished: &mut BTreeMap<RunId, Vec<u8>>) {
    if dice.one_in(16) {
        restart(world);
    }
    if dice.one_in(4) {
        world.tick([1, 10, 100, 3_000][dice.roll(4)]);
    } else {
        let command = command(world, dice);
        let before = snapshot(&world.state);
        let entries = world.journal.len();
        if let Err(rejection) = world.ask(command.clone()) {
            assert_eq!(
                before,
                snapshot(&world.state),
                "{command:?} was refused ({rejection}) and changed something"
            );
            assert_eq!(entries, world.journal.len());
        }
    }
    for (id, run) in world.state.runs.iter().filter(|(_, run)| !run.is_live()) {
        let bytes = State::encode_run(run);
        assert_eq!(
            finished.entry(*id).or_insert_with(|| bytes.clone()),
            &bytes,
            "a finished run changed"
        );
    }
}

/// Does all that can be done until every run has ended.
fn serve(world: &mut World, dice: &mut Dice<'_>) {
    let _ = world.ask(Command::DeleteSchedule { name: "s".into() });
    for _ in 0..ROUNDS_MAX {
        let live: Vec<RunId> = world
            .state
            .runs
            .values()
            .filter(|run| run.is_live())
            .map(|run| run.id)
            .collect();
        if live.is_empty() {
            return;
        }
        for run in live {
            let _ = world.ask(Command::ResumeRun { run });
            let _ = world.ask(Command::RetryRun { run, step: None });
            for name in ["e0", "e1"] {
                let _ = world.ask(Command::SignalRun {
                    run,
                    name: name.into(),
                    data: Value::Null,
                    ttl_ms: 0,
                });
            }
        }
        for (_, task) in world.offers.clone() {
            let _ = world.ask(Command::ClaimTask {
                task,
                session: SessionId(1),
            });
        }
        for token in world.claims.keys().copied().collect::<Vec<_>>() {
            let output = Value::Int(dice.roll(5) as i64);
            let _ = world.ask(Command::CompleteTask { token, output });
        }
        for (task, notice) in world.shown.clone() {
            let by = notice.whose.assignee.unwrap_or_else(|| "ann".into());
            let act = HumanAct::Complete {
                outcome: None,
                data: Value::Int(dice.roll(5) as i64),
                comment: Some("done".into()),
            };
            let _ = world.ask(Command::ActOnHuman { task, by, act });
        }
        world.tick(50);
    }
    panic!(
        "runs do not end: {:#?}",
        world.state.runs.values().find(|run| run.is_live())
    );
}

/// Bytes that were changed on the way are refused or read as something else, but never a panic.
fn damage(world: &World, dice: &mut Dice<'_>) {
    let entry = dice.pick(&world.journal).map(encode).unwrap_or_default();
    let run = world
        .state
        .runs
        .values()
        .next()
        .map(|run| State::encode_run(run))
        .unwrap_or_default();
    for mut bytes in [entry, run] {
        for _ in 0..4 {
            let place = (dice.roll(256) * 256 + dice.roll(256)) % bytes.len().max(1);
            match dice.roll(3) {
                0 => bytes.truncate(place),
                1 => bytes.insert(place.min(bytes.len()), dice.roll(256) as u8),
                _ => bytes
                    .iter_mut()
                    .skip(place)
                    .take(1)
                    .for_each(|byte| *byte ^= 1 << (place % 8)),
            }
            if let Ok(entry) = decode::<Entry>(&bytes) {
                assert_eq!(decode(&encode(&entry)).as_ref(), Ok(&entry));
                entry
                    .events
                    .iter()
                    .for_each(|event| State::default().apply(event, entry.at));
            }
            if let Ok(run) = decode::<Run>(&bytes) {
                assert_eq!(decode(&encode(&run)).as_ref(), Ok(&run));
            }
        }
    }
}

/// No lock has more holders than all its limits allow, and no run waits while it could go on.
fn check_locks(state: &State) {
    for (key, holders, _) in state.locks.iter() {
        let limit = |at: &StepRef| {
            let run = &state.runs[&at.run];
            let locking = if at.step == WHOLE_RUN {
                run.lock.as_deref()
            } else {
                run.step(at.step).and_then(|step| step.locking())
            };
            locking.map_or(0, |locking| locking.limit as usize)
        };
        let most = holders.iter().map(limit).max().unwrap_or(0);
        assert!(holders.len() <= most, "{key:?} is held by {holders:?}");
    }
}

fn check(bytes: &[u8]) -> World {
    let dice = &mut Dice { bytes, at: 0 };
    let mut world = world_of(dice);
    let mut finished = BTreeMap::new();
    for _ in 0..30 + dice.roll(60) {
        disturb(&mut world, dice, &mut finished);
        world.verify_effects();
        check_locks(&world.state);
    }
    world.verify();
    for run in world.state.runs.values() {
        let bytes = State::encode_run(run);
        assert_eq!(
            decode::<Run>(&bytes).as_ref(),
            Ok(&**run),
            "a run is read as it was written"
        );
    }
    damage(&world, dice);
    serve(&mut world, dice);
    world.verify();
    world
}

/// What the kernel says about a failure of its own names its type and has a title.
fn check_failure(event: &Event) {
    let Event::Run(run) = event else { return };
    let failure = match &run.fact {
        RunEvent::StepFailed(failed) => &failed.failure,
        RunEvent::Ended(RunEnded {
            failure: Some(failure),
            ..
        }) => failure,
        _ => return,
    };
    let is_ours = failure.kind.starts_with("https://") && failure.title.is_some();
    assert!(&*failure.kind == "raised" || is_ours, "{failure:?}");
}

#[test]
fn whatever_happens_the_rules_hold() {
    let asked = std::env::var("KERNEL_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: asked.unwrap_or(CASES_DEFAULT),
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let seen = RefCell::new(BTreeMap::<&str, usize>::new());
    let outcome = runner.run(&vec(any::<u8>(), 100..600), |bytes| {
        let world = check(&bytes);
        for event in world.journal.iter().flat_map(|entry| &entry.events) {
            let name = if let Event::Run(run) = event {
                run.fact.name()
            } else {
                event.name()
            };
            *seen.borrow_mut().entry(name).or_default() += 1;
            check_failure(event);
        }
        Ok::<(), TestCaseError>(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    let seen = seen.into_inner();
    if asked.is_some() {
        println!("{seen:#?}");
    }
    assert_eq!(
        seen.len(),
        EVENTS,
        "some kinds of events never happened: {seen:#?}"
    );
}

#[test]
fn noise_is_never_read_as_a_panic() {
    let config = Config {
        cases: 20_000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&vec(any::<u8>(), 0..60), |bytes| {
        let _ = decode::<Entry>(&bytes);
        let _ = decode::<Run>(&bytes);
        let _ = decode::<Value>(&bytes);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
