//! Bytes that were written once are read for ever.
//!
//! `tests/golden/events.hex` holds one example of every kind of event and of every state of a run, a
//! line each: name, colon, bytes. A line never changes and never goes: a journal somewhere holds such
//! bytes. A new kind gets a new line: add its example to `examples`, run this test once with
//! `KERNEL_GOLDEN=add`, and commit the line that it appends.

mod later;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use graph::value::Str;
use graph::{Failure, Value};
use kernel::codec::{Wire, decode, encode};
use kernel::event::{
    EventReceived, FrameClosed, FrameEnding, FrameOpened, ItemAdded, JoinReset, Name, Number,
    OutcomeKept, Reason, RegionReleased, RegionTurned, RunEnded, RunFact, RunStarted, StepBegan,
    StepCompleted, StepEntered, StepFailed, StepOnly, StepPassed, StepWithdrawing, TaskBackedOff,
    TaskClaimed, TaskParked, TaskQueued, TokenExited, TokenJoined, WorkflowDeployed,
};
use kernel::human::{
    Comment, Escalation, HumanAssigned, HumanBy, HumanCommented, HumanDecided, HumanEscalated,
    HumanWork, Whose,
};
use kernel::id::FrameId;
use kernel::lock::{LockKey, LockKind, Locking};
use kernel::message::{ChildEnd, Deferred, Handing, Publishing, ScheduledEnd, Stopping};
use kernel::schedule::{CatchUp, Overlap, Schedule};
use kernel::signal::{KeptEvent, Signal};
use kernel::state::{
    Activity, Arrivals, Awaited, Claim, Due, Ending, Frame, Listening, Nothing, Outcome, Phase,
    Region, Step, Taking, TaskStage, TaskWork, Undo, Wanted,
};
use kernel::{
    Entry, Event, Message, Run, RunEvent, RunId, SessionId, StartRun, Status, StepId, StepRef, Time,
};

use crate::graphs::json;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/events.hex");

const RUN: RunId = RunId([0xa5; 16]);

fn failure() -> Failure {
    Failure {
        title: Some("title".into()),
        instance: Some("/do/0".into()),
        ..Failure::new("timeout", "detail")
    }
}

fn data() -> Value {
    json(r#"{"all":[null,true,false,-5,300,1.5,"täxt",{}]}"#)
}

fn due() -> Due {
    Due {
        at: Time(1_700_000_000_123),
    }
}

fn other_run() -> StepRef {
    StepRef {
        run: RunId([7; 16]),
        step: StepId(300),
    }
}

fn task(stage: TaskStage) -> TaskWork {
    TaskWork {
        queue: "queue".into(),
        name: "name".into(),
        input: data(),
        attempt: 2,
        claims: 3,
        stage,
        queue_timeout_ms: Some(1),
        run_timeout_ms: Some(1_000),
        heartbeat_timeout_ms: Some(0),
        first_at: Time(5),
        priority: None,
    }
}

fn region() -> Region {
    Region {
        phase: Phase::Undo,
        opened: 3,
        frames: [FrameId(4), FrameId(200)].into(),
        done: 1,
        failed: 2,
        items: Some(json("[1,2]")),
        outputs: [(0, data()), (2, Value::Null)].into(),
        output_bytes: 12,
        data: Some(data()),
        attempt: 4,
        due: Some(Time(6)),
        failure: Some(failure()),
        result: Some(Value::Null),
        caught: true,
        undo: vec![Undo {
            node: 3,
            output: data(),
        }],
        listening: None,
        more: None,
        lock: None,
    }
}

fn lock_key() -> LockKey {
    LockKey {
        kind: LockKind::Workflow,
        owner: "w".into(),
        name: "lock".into(),
    }
}

fn locking() -> Box<Locking> {
    Box::new(Locking {
        key: lock_key(),
        place: 300,
        limit: 2,
        held: true,
    })
}

/// A for-each that takes more elements.
fn taking() -> Region {
    let wanted = Wanted {
        event_type: "type".into(),
        with: [].into(),
        expect: vec![data()],
        met: false,
    };
    let more = Taking {
        wanted,
        left: 3,
        bytes: 400,
    };
    Region {
        more: Some(Box::new(more)),
        ..region()
    }
}

fn activities() -> Vec<(&'static str, Activity)> {
    let claim = Claim {
        session: SessionId(u64::MAX),
        at: Time(1),
        heard_at: Time(2),
    };
    let wanted = Wanted {
        event_type: "type".into(),
        with: [("source".into(), data())].into(),
        expect: vec![data()],
        met: true,
    };
    vec![
        ("TaskQueued", Activity::Task(task(TaskStage::Queued(due())))),
        (
            "TaskClaimed",
            Activity::Task(task(TaskStage::Claimed(claim))),
        ),
        (
            "TaskBackedOff",
            Activity::Task(task(TaskStage::BackedOff(due()))),
        ),
        (
            "TaskParked",
            Activity::Task(task(TaskStage::Parked(failure()))),
        ),
        ("Timer", Activity::Timer(due())),
        (
            "Listen",
            Activity::Listen(Listening {
                wanted: vec![wanted],
                need: 1,
                received: vec![data()],
                bound: [].into(),
                seen: [].into(),
                bytes: None,
            }),
        ),
        (
            "Child",
            Activity::Child(Awaited {
                child: RUN,
                workflow: "w".into(),
                version: Some("1.0.0".into()),
                key: Some("key".into()),
                input: data(),
                detach: true,
            }),
        ),
        ("Region", Activity::Region(region())),
        ("Held", Activity::Held(Nothing {})),
        ("Yielded", Activity::Yielded(due())),
        ("Kept", Activity::Kept(outcome())),
        ("Taking", Activity::Region(taking())),
        ("Human", Activity::Human(Box::new(human()))),
        ("Milestone", Activity::Milestone(Nothing {})),
        (
            "Locking",
            Activity::Region(Region {
                lock: Some(locking()),
                ..region()
            }),
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn facts() -> Vec<RunEvent> {
    let (step, frame, node) = (StepId(300), FrameId(2), 4);
    let signal = Signal {
        number: 1,
        event: data(),
        expires_at: Time(9),
    };
    vec![
        RunEvent::Started(RunStarted {
            workflow: "w".into(),
            version: "1.0.0".into(),
            key: Some("key".into()),
            parent: Some(other_run()),
            depth: 1,
            input: data(),
            labels: [("label".into(), "value".into())].into(),
            attributes: [("attribute".into(), Value::Int(5))].into(),
            deadline: Some(Time(10)),
            retention_ms: 11,
            lock: None,
            priority: None,
            context: None,
        }),
        RunEvent::StepPassed(StepPassed {
            frame,
            node,
            output: data(),
            context: Some(data()),
            saga: Some(step),
            skipped: None,
        }),
        RunEvent::StepBegan(StepBegan {
            step,
            activity: Activity::Held(Nothing {}),
            deadline: Some(Time(1)),
            shaped: None,
        }),
        RunEvent::StepCompleted(StepCompleted {
            step,
            output: data(),
            context: Some(data()),
            saga: Some(StepId(1)),
            undoable: true,
            skipped: None,
        }),
        RunEvent::StepFailed(StepFailed {
            step: Some(step),
            node,
            failure: failure(),
        }),
        RunEvent::StepCancelled(StepOnly { step }),
        RunEvent::StepWithdrawing(StepWithdrawing {
            step,
            failure: Some(failure()),
        }),
        RunEvent::FrameOpened(FrameOpened {
            frame,
            owner: step,
            body: 1,
            index: 5,
            phase: Phase::Finally,
            vars: [("item".into(), data())].into(),
        }),
        RunEvent::FrameClosed(FrameClosed {
            frame,
            output: Some(data()),
            collect: true,
        }),
        RunEvent::TokenExited(TokenExited {
            frame,
            data: data(),
        }),
        RunEvent::TokenJoined(TokenJoined {
            frame,
            node,
            data: data(),
            edge: None,
        }),
        RunEvent::JoinReset(JoinReset {
            frame,
            node,
            kept: vec![],
        }),
        RunEvent::RegionTurned(RegionTurned {
            step,
            phase: Phase::Backoff,
            attempt: 2,
            due: Some(Time(3)),
            failure: Some(failure()),
            result: Some(data()),
            caught: true,
        }),
        RunEvent::TaskClaimed(TaskClaimed {
            step,
            claim: 1,
            session: SessionId(9),
        }),
        RunEvent::TaskHeard(StepOnly { step }),
        RunEvent::TaskBackedOff(TaskBackedOff {
            step,
            failure: failure(),
            until: due(),
        }),
        RunEvent::TaskQueued(TaskQueued {
            step,
            attempt: 3,
            reason: "reason".into(),
        }),
        RunEvent::TaskParked(TaskParked {
            step,
            failure: failure(),
        }),
        RunEvent::EventReceived(EventReceived {
            step,
            filter: 1,
            event: data(),
            bound: [].into(),
            identity: None,
            ends: None,
            again: None,
        }),
        RunEvent::ItemAdded(ItemAdded { step, item: data() }),
        RunEvent::HumanClaimed(HumanBy { step, by: by() }),
        RunEvent::HumanReleased(HumanBy { step, by: by() }),
        RunEvent::HumanAssigned(HumanAssigned {
            step,
            by: by(),
            to: whose(),
        }),
        RunEvent::HumanEscalated(HumanEscalated { step, to: whose() }),
        RunEvent::HumanReminded(StepOnly { step }),
        RunEvent::HumanCommented(HumanCommented {
            step,
            by: by(),
            text: "text".into(),
        }),
        RunEvent::HumanDecided(HumanDecided {
            step,
            by: by(),
            outcome: Some("approve".into()),
            data: data(),
            comment: Some("comment".into()),
        }),
        RunEvent::LockGranted(StepOnly { step }),
        RunEvent::SignalKept(signal),
        RunEvent::SignalDropped(Number { number: 128 }),
        RunEvent::Suspended(Nothing {}),
        RunEvent::Resumed(Nothing {}),
        RunEvent::OutcomeKept(OutcomeKept {
            step,
            outcome: outcome(),
        }),
        RunEvent::CancelRequested(Reason {
            reason: Some("reason".into()),
        }),
        RunEvent::RegionReleased(RegionReleased {
            step,
            output: data(),
            context: Some(data()),
        }),
    ]
}

fn by() -> Str {
    "alice".into()
}

fn whose() -> Whose {
    Whose {
        assignee: Some(by()),
        groups: vec!["reviewers".into(), "heads".into()],
    }
}

fn human() -> HumanWork {
    HumanWork {
        title: "title".into(),
        description: Some("description".into()),
        whose: whose(),
        data: data(),
        priority: 9,
        due_at: Some(Time(1)),
        reminders: vec![Time(2), Time(3)],
        escalation: Some(Escalation {
            at: Time(4),
            to: whose(),
        }),
        comments: vec![Comment {
            by: by(),
            at: Time(5),
            text: "text".into(),
        }],
    }
}

fn schedule() -> Schedule {
    Schedule {
        name: "s".into(),
        workflow: "w".into(),
        version: Some("1.0.0".into()),
        input: data(),
        cron: Some("0 8 * * *".into()),
        zone: "Europe/Berlin".into(),
        every_ms: Some(1_000),
        overlap: Overlap::Terminate,
        catch_up: CatchUp::All,
        paused: true,
        next_at: Some(Time(1)),
        last_at: Some(Time(2)),
        started: 3,
        active: vec![RUN],
        waiting: Some(Time(4)),
        after_ms: None,
        trigger: None,
        from: None,
        until: None,
    }
}

fn outcome() -> Outcome {
    Outcome {
        output: Some(data()),
        failure: Some(failure()),
        place: 2,
    }
}

fn messages() -> Vec<Message> {
    let (run, step, reason) = (RUN, other_run(), Str::from("reason"));
    let stopping = Stopping { run, reason };
    vec![
        Message::StartRun(StartRun {
            run,
            workflow: "w".into(),
            version: Some("1.0.0".into()),
            key: Some("key".into()),
            input: data(),
            labels: [("label".into(), "value".into())].into(),
            attributes: [("attribute".into(), Value::Int(5))].into(),
            parent: Some(step),
            depth: 1,
        }),
        Message::CancelRun(stopping.clone()),
        Message::TerminateRun(stopping),
        Message::PublishEvent(Publishing {
            event: data(),
            ttl_ms: 1,
        }),
        Message::HandEvent(Handing {
            step,
            event: data(),
        }),
        Message::LinkChild(step),
        Message::GrantLock(lock_key()),
        Message::EndChild(ChildEnd {
            step,
            output: data(),
            failure: Some(failure()),
        }),
        Message::NoteScheduledEnd(ScheduledEnd {
            name: "s".into(),
            run,
        }),
    ]
}

fn run() -> Run {
    let frame = Frame {
        owner: Some(StepId(1)),
        body: 1,
        index: 2,
        phase: Phase::Leftover,
        vars: [("item".into(), data())].into(),
        steps: [StepId(1)].into(),
        output: Some(data()),
        ending: Some(Ending::Withdrawn(Nothing {})),
        joins: [(
            4,
            Arrivals {
                data: vec![data(), Value::Null],
                edges: vec![],
            },
        )]
        .into(),
    };
    // What steps can do since has lines of its own.
    let steps = (1_u32..=10).zip(activities()).map(|(step, (_, activity))| {
        let (deadline, withdrawing) = (Some(Time(8)), step % 2 == 0);
        let made = Step {
            node: step,
            frame: FrameId(0),
            input: Some(data()),
            entered_at: Time(7),
            deadline,
            withdrawing,
            activity,
            shaped: None,
            edge: None,
        };
        (StepId(step), Box::new(made))
    });
    Run {
        id: RUN,
        workflow: "w".into(),
        version: "1.0.0".into(),
        key: Some("key".into()),
        parent: Some(other_run()),
        depth: 2,
        input: data(),
        context: data(),
        labels: [("label".into(), "value".into())].into(),
        attributes: [("attribute".into(), Value::from("a"))].into(),
        started_at: Time(1),
        status: Status::Terminated,
        output: Some(data()),
        failure: Some(failure()),
        ended_at: Some(Time(2)),
        suspended: true,
        cancelling: true,
        deadline: Some(Time(3)),
        retention_ms: 4,
        last_id: 5,
        entered: 6,
        frames: [(FrameId(0), Box::new(frame))].into(),
        steps: steps.collect(),
        cancel_reason: None,
        lock: None,
        priority: None,
        kept_place: None,
        signals: vec![Signal {
            number: 1,
            event: data(),
            expires_at: Time(9),
        }],
    }
}

/// Every example by name, as bytes.
#[expect(clippy::too_many_lines, reason = "a table")]
fn examples() -> BTreeMap<String, Vec<u8>> {
    let fact = |fact: RunEvent| Event::Run(RunFact { run: RUN, fact });
    let mut events: Vec<(String, Event)> = facts()
        .into_iter()
        .map(|made| (made.name().into(), fact(made)))
        .collect();
    for (name, activity) in activities() {
        let (step, frame, input) = (StepId(1), FrameId(0), Some(data()));
        let entered = StepEntered {
            step,
            frame,
            node: 2,
            input,
            deadline: Some(Time(3)),
            activity,
            shaped: None,
            edge: None,
        };
        events.push((
            format!("StepEntered.{name}"),
            fact(RunEvent::StepEntered(entered)),
        ));
    }
    let shaped = || Some(data());
    events.push((
        "StepEntered.Shaped".into(),
        fact(RunEvent::StepEntered(StepEntered {
            step: StepId(1),
            frame: FrameId(0),
            node: 2,
            input: None,
            deadline: None,
            activity: Activity::Timer(due()),
            shaped: shaped(),
            edge: None,
        })),
    ));
    events.push((
        "StepBegan.Shaped".into(),
        fact(RunEvent::StepBegan(StepBegan {
            step: StepId(1),
            activity: Activity::Timer(due()),
            deadline: None,
            shaped: shaped(),
        })),
    ));
    for ending in [
        Ending::Failed(failure()),
        Ending::Withdrawn(Nothing {}),
        Ending::Completed(data()),
    ] {
        let name = format!("FrameEnding.{}", ending.name());
        events.push((
            name,
            fact(RunEvent::FrameEnding(FrameEnding {
                frame: FrameId(1),
                ending,
            })),
        ));
    }
    for status in Status::ALL {
        let ended = RunEnded {
            status: *status,
            output: Some(data()),
            failure: Some(failure()),
        };
        events.push((
            format!("Ended.{}", status.word()),
            fact(RunEvent::Ended(ended)),
        ));
    }
    let (workflow, version, graph, source) = (
        "w".into(),
        "1.0.0".into(),
        "{}".into(),
        "document: {}".into(),
    );
    let mut others = vec![
        Event::WorkflowDeployed(WorkflowDeployed {
            workflow,
            version,
            graph,
            source,
        }),
        Event::EventKept(KeptEvent {
            number: 1,
            event: data(),
            expires_at: Time(2),
        }),
        Event::EventDropped(Number { number: 1 }),
        Event::ScheduleDropped(Name { name: "s".into() }),
        Event::MessageTaken(Number { number: 300 }),
    ];
    others.push(Event::SchedulePut(schedule()));
    events.extend(others.into_iter().map(|event| (event.name().into(), event)));
    events.extend(messages().into_iter().map(|message| {
        let name = format!("MessageDeferred.{}", message.name());
        let deferred = Deferred { number: 1, message };
        (name, Event::MessageDeferred(deferred))
    }));
    let mut examples: BTreeMap<String, Vec<u8>> = events
        .iter()
        .map(|(name, event)| (name.clone(), encode(event)))
        .collect();
    examples.insert("Run".into(), encode(&run()));
    let cancelled = Run {
        cancel_reason: Some("reason".into()),
        ..run()
    };
    examples.insert("Run.Cancelling".into(), encode(&cancelled));
    let mut entered = run();
    entered
        .steps
        .values_mut()
        .for_each(|step| step.shaped = shaped());
    examples.insert("Run.Shaped".into(), encode(&entered));
    examples.insert("Run.Queued".into(), encode(&later::queued(&entered)));
    for (name, event) in later::later_events() {
        examples.insert(name.into(), encode(&event));
    }
    let events = vec![
        Event::EventDropped(Number { number: 1 }),
        fact(RunEvent::Suspended(Nothing {})),
    ];
    examples.insert(
        "Entry".into(),
        encode(&Entry {
            at: Time(1),
            events,
        }),
    );
    examples
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).unwrap())
        .collect()
}

fn read_again<T: Wire>(name: &str, bytes: &[u8]) -> Vec<u8> {
    let read: T =
        decode(bytes).unwrap_or_else(|damage| panic!("{name} can no longer be read: {damage}"));
    encode(&read)
}

#[test]
fn bytes_written_once_are_read_for_ever() {
    let mut text = fs::read_to_string(FILE).unwrap_or_default();
    let known: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name.into())
        .collect();
    let examples = examples();
    if std::env::var("KERNEL_GOLDEN").is_ok_and(|wish| wish == "add") {
        for (name, bytes) in examples.iter().filter(|(name, _)| !known.contains(*name)) {
            writeln!(text, "{name}: {}", hex(bytes)).unwrap();
        }
        fs::write(FILE, &text).unwrap();
    }
    let lines: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    assert_eq!(
        lines.len(),
        text.lines().count(),
        "each line has its own name"
    );
    for (name, written) in &lines {
        let bytes = unhex(written);
        let again = match name.split('.').next().unwrap_or(name) {
            "Run" => read_again::<Run>(name, &bytes),
            "Entry" => read_again::<Entry>(name, &bytes),
            _ => read_again::<Event>(name, &bytes),
        };
        assert_eq!(hex(&again), **written, "{name} is read as something else");
    }
    for (name, bytes) in &examples {
        let written = lines
            .get(name.as_str())
            .unwrap_or_else(|| panic!("{name} has no line in events.hex; see above"));
        assert_eq!(
            hex(bytes),
            **written,
            "{name} is written in another way than before"
        );
    }
}

#[test]
fn every_kind_of_event_has_an_example() {
    let lines: BTreeSet<String> = examples().into_keys().collect();
    let kinds: BTreeSet<&str> = lines
        .iter()
        .map(|name| name.split('.').next().unwrap_or(name))
        .collect();
    // Kinds of run events and of other events, Run and Entry.
    assert_eq!(kinds.len(), 38 + 8 + 2, "{kinds:?}");
    // A number no release has given is told apart from damage.
    let unknown = decode::<Event>(&[0xf8, 0x06, 0x01]);
    assert_eq!(unknown, Err(kernel::codec::Damage::Unknown("Event", 111)));
}

#[test]
fn fields_of_a_newer_release_are_skipped() {
    let mut bytes = encode(&StepOnly { step: StepId(5) });
    bytes.extend([0xf8, 0x06, 0x01, 0xfa, 0x06, 0x02, 0xff, 0xff]);
    assert_eq!(decode(&bytes), Ok(StepOnly { step: StepId(5) }));
    assert!(
        decode::<StepOnly>(&bytes[2..]).is_err(),
        "a field that every writer gives is missing"
    );
}
