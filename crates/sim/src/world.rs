//! Owns the world: one machine with its disk and process, clients, workers and the clock, moved by one seed.
//!
//! Invariant: everything that happens is decided by the seed; every letter that leaves is checked at once,
//! the partition after each batch now and then, the whole after each recovery.

use std::collections::BTreeMap;

use engine::StartFault;
use engine::driver::view::View;
use engine::partition::{Input, Question};
use journal::fault::{Failure, FaultDisk, Operation};
use journal::{Journal, LocalJournal, OpenFault, Options, Position};
use kernel::{RunId, SessionId, Time};

use crate::cellar::Cellar;
use crate::check;
use crate::check::acknowledged::Promise;
use crate::client::deployment;
use crate::disk::SimDisk;
use crate::facts::Facts;
use crate::film::{Film, shoot};
use crate::letter::{Letter, Post};
use crate::node::{Fed, Node, Shortened};
use crate::random::Random;
use crate::sabotage::Sabotage;
use crate::verdict::{Invariant, Violation};
use crate::worker::{WORKERS, Worker};
use crate::workflows::{self, NAMES};

/// Small segments, so that they are rolled and trimmed often.
const OPTIONS: Options = Options {
    first_segment_bytes: 64 << 10,
    segment_bytes: 256 << 10,
    record_bytes_max: 200 << 10,
};

/// When the simulated time begins: 2026-01-01.
const BEGIN_MS: u64 = 1_767_225_600_000;

/// Inputs taken into one batch.
const BATCH_INPUTS_MAX: u64 = 8;

/// Things the read model takes in at once.
const FEED_MAX: u64 = 8;

/// Each process carries out one more message between runs in a batch than the one before it, up to one
/// that has no such bound; so most of them meet batches that have no room for all.
const BOUNDLESS_EVERY: u64 = 4;

/// How far the clock runs ahead when it is made to.
const AHEAD_MS: u64 = 3_000;

/// Everything.
pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) film: Film,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) facts: Facts,
    pub(crate) post: Post,
    pub(crate) node: Option<Node>,
    pub(crate) workers: Vec<Worker>,
    /// Sessions by link.
    pub(crate) sessions: BTreeMap<u64, SessionId>,
    /// Promises by the number of the wish.
    pub(crate) unanswered: BTreeMap<u64, Promise>,
    pub(crate) asked: u64,
    pub(crate) links: u64,
    pub(crate) numbers: i64,
    pub(crate) patches: u64,
    disk: FaultDisk,
    cellar: Cellar,
    /// What the machine's clock shows.
    system: Time,
    /// Records that were given to the journal and may or may not have survived.
    unknown: Vec<Vec<u8>>,
    /// What the server has yet to hear of.
    late: Vec<Input>,
    pub(crate) tally: Tally,
}

/// What happened how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Batches with records.
    pub commits: u64,
    /// Recoveries.
    pub recoveries: u64,
    /// Checkpoints that became durable.
    pub checkpoints: u64,
    /// Appends that failed.
    pub failed_appends: u64,
    /// Finished runs that were forgotten.
    pub purged: u64,
}

/// Where the process is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Nowhere,
    BeforeAppend,
    AfterAppend,
    AfterRelease,
}

impl World {
    pub(crate) fn new(seed: u64, sabotage: Option<Sabotage>, film: Film) -> World {
        let mut random = Random::new(seed);
        let disk = FaultDisk::new(random.next());
        World {
            film,
            sabotage,
            facts: Facts::new(),
            post: Post::default(),
            node: None,
            workers: (0..WORKERS).map(|_| Worker::default()).collect(),
            sessions: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            asked: 0,
            links: 0,
            numbers: 0,
            patches: 0,
            disk,
            cellar: Cellar::new(),
            system: Time(BEGIN_MS),
            unknown: Vec::new(),
            late: Vec::new(),
            tally: Tally::default(),
            random,
        }
    }

    /// Starts the process and deploys the workflows, with nothing going wrong yet.
    pub(crate) fn begin(&mut self) -> Result<(), Violation> {
        self.boot()?;
        for name in NAMES {
            let authored = workflows::author(&mut self.random, name, 0);
            let (command, promise) = deployment(authored);
            self.request(command, promise);
            self.cycle(false)?;
        }
        Ok(())
    }

    /// One step of the time in which things go wrong.
    pub(crate) fn step(&mut self) -> Result<(), Violation> {
        if self.node.is_none() {
            return self.boot();
        }
        match self.random.below(100) {
            0..28 => self.wish(),
            28..50 => self.work(false),
            50..76 => self.cycle(true)?,
            76..86 => self.feed_some()?,
            86..92 => self.wait(),
            92 => self.hurt(),
            93 => self.crash(false),
            94 => self.crash(true),
            95..97 => self.purge(),
            97 => self.hear_late(),
            _ => self.look()?,
        }
        Ok(())
    }

    /// Something for the server, which may be late or never come.
    pub(crate) fn tell(&mut self, input: Input) {
        if matches!(input, Input::Disconnect { .. }) {
            if self.sabotage == Some(Sabotage::ForgetDisconnect) {
                return;
            }
            if self.random.percent(20) {
                self.late.push(input);
                return;
            }
        }
        self.arrive(input);
    }

    fn arrive(&mut self, input: Input) {
        if let Some(node) = &mut self.node {
            node.inbox.push_back(input);
        }
    }

    /// What was late arrives.
    pub(crate) fn hear_late(&mut self) {
        for input in std::mem::take(&mut self.late) {
            self.arrive(input);
        }
    }

    /// What the driver takes for the time.
    fn clock(&mut self) -> Time {
        self.facts.clock = self.facts.clock.max(self.system);
        let Some(node) = &mut self.node else {
            return self.system;
        };
        node.floor = match self.sabotage {
            Some(Sabotage::FrozenClock) => node.floor,
            _ => node.floor.max(self.system),
        };
        // Behind a system's clock that was set back the driver's goes on from where it was.
        self.facts.clock = self.facts.clock.max(node.floor);
        self.facts.present = node.floor;
        match self.sabotage {
            Some(Sabotage::ClockAhead) => node.floor.plus(AHEAD_MS),
            _ => node.floor,
        }
    }

    /// Time goes on, seldom by much.
    fn wait(&mut self) {
        let ms = match self.random.below(10) {
            0 | 1 => self.random.below(100_000),
            2..5 => self.random.below(20_000),
            _ => self.random.below(2_000),
        };
        self.pass(ms);
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.system = self.system.plus(ms);
        shoot!(self.film, "time goes on by {ms} to {}", self.system.0);
    }

    /// When time alone will have something to do.
    pub(crate) fn next_at(&self) -> Option<u64> {
        let at = self.node.as_ref()?.partition.next_at()?;
        Some(at.since(self.system))
    }

    /// Lets a later operation of the disk fail.
    fn hurt(&mut self) {
        let skipped = self.random.below(6);
        if self.random.percent(30) {
            shoot!(self.film, "the power will fail after {skipped} operations");
            return self.disk.cut_power_after(skipped);
        }
        let operation = *self.random.pick(&[
            Operation::Write,
            Operation::Sync,
            Operation::Sync,
            Operation::Create,
            Operation::Rename,
        ]);
        let failure = if self.random.percent(30) {
            Failure::NoSpace
        } else {
            Failure::Io
        };
        shoot!(
            self.film,
            "{operation:?} will fail with {failure:?} after {skipped} others"
        );
        self.disk.fail(operation, skipped, failure);
    }

    /// The process dies, with or without the machine.
    pub(crate) fn crash(&mut self, power: bool) {
        if self.node.take().is_none() && !power {
            return;
        }
        shoot!(
            self.film,
            "{}",
            if power {
                "the power fails"
            } else {
                "the process is killed"
            }
        );
        if power {
            self.disk.crash();
        }
        self.cellar.crash(&mut self.random);
        self.unanswered.clear();
        self.late.clear();
        // Letters that were let out are on their way; frames to workers are not read any more.
        if self.random.percent(30) {
            self.system = Time(self.system.0.saturating_sub(self.random.below(60_000)));
        }
    }

    /// Nothing more goes wrong than what is on its way already.
    pub(crate) fn mend(&mut self) -> Result<(), Violation> {
        if self.random.percent(50) {
            self.crash(true);
        }
        self.revive()
    }

    /// Starts the process again if it died.
    pub(crate) fn revive(&mut self) -> Result<(), Violation> {
        if self.node.is_none() {
            self.boot()
        } else {
            Ok(())
        }
    }

    /// Opens the journal and recovers, if the disk lets it.
    fn boot(&mut self) -> Result<(), Violation> {
        let view = match View::open(self.cellar.store()) {
            Ok(view) => view,
            Err(fault) => {
                return Violation::found(Invariant::AcknowledgedIsKept, fault.to_string());
            }
        };
        self.recover(view)
    }

    fn recover(&mut self, view: View) -> Result<(), Violation> {
        let lies = self.sabotage == Some(Sabotage::LyingDisk);
        let disk = SimDisk::new(self.disk.clone(), lies);
        let journal = match LocalJournal::open(disk, OPTIONS) {
            Ok((journal, _)) => journal,
            Err(OpenFault::Disk(fault)) => {
                shoot!(
                    self.film,
                    "the journal does not open: {fault}: {}",
                    fault.source
                );
                self.crash(true);
                return Ok(());
            }
            Err(fault) => {
                return Violation::found(
                    Invariant::AcknowledgedIsKept,
                    format!("the journal does not open: {fault}"),
                );
            }
        };
        check::acknowledged::journal(&mut self.facts, &journal, &self.unknown)?;
        self.unknown.clear();
        let mut journal: Box<dyn Journal> = Box::new(journal);
        if self.sabotage == Some(Sabotage::DropTail) {
            journal = Box::new(Shortened(journal));
        }
        let opened = match view.recover(journal) {
            Ok(opened) => opened,
            Err(fault @ (StartFault::Apart { .. } | StartFault::Damaged { .. })) => {
                return Violation::found(Invariant::AcknowledgedIsKept, fault.to_string());
            }
            Err(fault) => {
                shoot!(self.film, "recovery failed: {fault}");
                self.crash(true);
                return Ok(());
            }
        };
        self.tally.recoveries += 1;
        self.cellar.applied(&mut self.random);
        let floor = if self.sabotage == Some(Sabotage::ClockBack) {
            self.system
        } else {
            opened.last_now.max(self.system)
        };
        shoot!(
            self.film,
            "recovered to {} at {}",
            opened.journal.end().0,
            floor.0
        );
        let mut partition = opened.partition;
        partition.carry_at_most(self.messages_max());
        self.node = Some(Node {
            partition,
            journal: opened.journal,
            view,
            inbox: Default::default(),
            feed: Default::default(),
            floor,
            checkpointing: false,
        });
        let now = self.clock();
        self.check_recovered()?;
        self.note_restart();
        if self.sabotage != Some(Sabotage::SkipResume)
            && let Some(node) = &mut self.node
        {
            node.partition.resume(now);
        }
        Ok(())
    }

    fn messages_max(&self) -> usize {
        match self.tally.recoveries % BOUNDLESS_EVERY {
            0 => usize::MAX,
            most => most as usize,
        }
    }

    fn check_recovered(&self) -> Result<(), Violation> {
        let Some(node) = &self.node else {
            return Ok(());
        };
        check::replay::partition(&self.facts, &node.partition)?;
        check::replay::read_model(&self.facts, &node.view)
    }

    /// Checks everything there is, with the read model up to date.
    pub(crate) fn check_all(&mut self) -> Result<(), Violation> {
        while self.node.as_ref().is_some_and(|node| !node.feed.is_empty()) {
            self.feed()?;
        }
        self.check_recovered()?;
        let runs: Vec<RunId> = self.facts.runs.keys().copied().collect();
        for run in runs {
            self.ask_history(run);
        }
        // What was asked is answered with the next batch; the process may be stopped by a fault before.
        self.cycle_with(Stop::Nowhere, u64::MAX, false)
    }

    fn ask_history(&mut self, run: RunId) {
        let answer = self.post.answer(move |tail| Letter::History(run, tail));
        self.arrive(Input::Question(Box::new(Question::History {
            run,
            watch: None,
            answer,
        })));
    }

    /// A batch: take what came in, let time work, append, let out, feed.
    pub(crate) fn cycle(&mut self, faulty: bool) -> Result<(), Violation> {
        let stop = match self.random.below(100) {
            0 if faulty => Stop::BeforeAppend,
            1 if faulty => Stop::AfterAppend,
            2 if faulty => Stop::AfterRelease,
            _ => Stop::Nowhere,
        };
        let inputs = if faulty {
            self.random.below(BATCH_INPUTS_MAX)
        } else {
            u64::MAX
        };
        let checkpoint = self.random.percent(15);
        self.cycle_with(stop, inputs, checkpoint)
    }

    fn cycle_with(&mut self, stop: Stop, inputs: u64, checkpoint: bool) -> Result<(), Violation> {
        let now = self.clock();
        self.gather(now, inputs, checkpoint);
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        node.partition.turn(now);
        let batch = node.partition.take_batch();
        let (records, number) = (batch.records.clone(), batch.number);
        if stop == Stop::BeforeAppend {
            self.crash(false);
            return Ok(());
        }
        let mut batch = Some(batch);
        let mut changes = Vec::new();
        if self.sabotage == Some(Sabotage::AnswerEarly)
            && let Some(batch) = batch.take()
        {
            changes = node.partition.release(batch);
            self.deliver()?;
        }
        if !self.append(&records)? {
            return Ok(());
        }
        if stop == Stop::AfterAppend {
            self.crash(self.facts.end.is_multiple_of(2));
            return Ok(());
        }
        if let (Some(node), Some(batch)) = (&mut self.node, batch) {
            changes = node.partition.release(batch);
        }
        self.deliver()?;
        if stop == Stop::AfterRelease {
            self.crash(false);
            return Ok(());
        }
        if let Some(node) = &mut self.node {
            if !changes.is_empty() {
                node.feed.push_back(Fed::Changes(number, changes));
            }
            node.partition.shown_up_to(node.view.shown());
        }
        self.check_now_and_then()
    }

    fn gather(&mut self, now: Time, inputs: u64, checkpoint: bool) {
        let Some(mut node) = self.node.take() else {
            return;
        };
        for _ in 0..inputs {
            match node.inbox.pop_front() {
                None => break,
                Some(Input::Checkpointed { position }) => {
                    node.checkpointing = false;
                    // A journal that cannot trim takes no more records either; the next append tells.
                    let _ = node.journal.trim(Position(position).next());
                }
                Some(input) => {
                    self.note_session(&input);
                    node.partition.take(input, now);
                }
            }
        }
        if checkpoint && !node.checkpointing && node.partition.batch_records() == 0 {
            let end = node.journal.end();
            shoot!(self.film, "a checkpoint of {} begins", end.0);
            node.partition.checkpoint(end.0);
            node.checkpointing = true;
            if self.sabotage == Some(Sabotage::TrimEarly) {
                let _ = node.journal.trim(end.next());
            }
        }
        self.node = Some(node);
    }

    /// Makes records durable; says false if the journal did not take them and the process recovered or died.
    fn append(&mut self, records: &[Vec<u8>]) -> Result<bool, Violation> {
        let Some(node) = &mut self.node else {
            return Ok(false);
        };
        if records.is_empty() {
            return Ok(true);
        }
        let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        if let Err(fault) = node.journal.append(&slices) {
            shoot!(self.film, "the journal failed: {fault}");
            self.tally.failed_appends += 1;
            self.unknown = records.to_vec();
            self.fail_stop()?;
            return Ok(false);
        }
        if self.sabotage == Some(Sabotage::AppendTwice) && self.random.percent(5) {
            let _ = node.journal.append(&slices);
        }
        self.tally.commits += 1;
        for record in records {
            let entry = self.facts.take(record)?;
            entry
                .events
                .iter()
                .for_each(|event| shoot!(self.film, "    {} {event:?}", self.facts.end));
        }
        Ok(true)
    }

    /// The journal failed: the process drops its memory and recovers, as the real driver does.
    fn fail_stop(&mut self) -> Result<(), Violation> {
        while self.node.as_ref().is_some_and(|node| !node.feed.is_empty()) {
            self.feed()?;
        }
        let Some(node) = self.node.take() else {
            return Ok(());
        };
        self.unanswered.clear();
        let Node {
            partition,
            journal,
            view,
            ..
        } = node;
        drop((partition, journal));
        self.recover(view)
    }

    fn feed_some(&mut self) -> Result<(), Violation> {
        for _ in 0..self.random.below(FEED_MAX) {
            self.feed()?;
        }
        Ok(())
    }

    /// The read model takes in the next thing it was given.
    fn feed(&mut self) -> Result<(), Violation> {
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        let fed = match node.feed.pop_front() {
            None => return Ok(()),
            Some(Fed::Purge(now)) => {
                self.tally.purged += node.view.purge(now).map_or(0, |purged| purged.runs as u64);
                Ok(None)
            }
            Some(Fed::Changes(number, mut changes)) => {
                if self.sabotage == Some(Sabotage::DropFinished) && node.checkpointing {
                    changes
                        .retain(|change| !matches!(change, engine::partition::Change::Finished(_)));
                }
                node.view.feed(number, changes, false)
            }
        };
        match fed {
            Ok(Some(position)) => {
                shoot!(self.film, "the checkpoint of {position} is durable");
                self.tally.checkpoints += 1;
                self.cellar.synced();
                node.inbox.push_back(Input::Checkpointed { position });
            }
            Ok(None) => self.cellar.applied(&mut self.random),
            Err(fault) => {
                return Violation::found(
                    Invariant::ReplayEqualsLive,
                    format!("the read model failed: {fault}"),
                );
            }
        }
        Ok(())
    }

    fn purge(&mut self) {
        let now = self.clock();
        if let Some(node) = &mut self.node {
            node.feed.push_back(Fed::Purge(now));
        }
    }

    /// Looks at the history of some run.
    fn look(&mut self) -> Result<(), Violation> {
        let runs: Vec<RunId> = self.facts.runs.keys().copied().collect();
        if !runs.is_empty() {
            let run = *self.random.pick(&runs);
            self.ask_history(run);
        }
        Ok(())
    }

    fn check_now_and_then(&mut self) -> Result<(), Violation> {
        if self.random.percent(10)
            && let Some(node) = &self.node
        {
            check::replay::partition(&self.facts, &node.partition)?;
        }
        if self.random.percent(3) {
            let seed = self.random.next();
            check::durable::probe(&self.facts, &self.disk, seed, OPTIONS)?;
        }
        Ok(())
    }

    /// Reads what was let out.
    fn deliver(&mut self) -> Result<(), Violation> {
        for letter in self.post.take() {
            match letter {
                Letter::Reply(number, reply) => self.reply(number, &reply)?,
                Letter::Ended(run, Some(view)) => check::finished::shown(&self.facts, run, &view)?,
                Letter::Run(run, Ok(view)) if view.summary.ended_at.is_some() => {
                    check::finished::shown(&self.facts, run, &view)?;
                }
                Letter::Ended(_, None) | Letter::Run(..) => {}
                Letter::History(run, tail) => self.check_history(run, tail)?,
                Letter::Watched(run, event) => check::durable::watched(&self.facts, run, &event)?,
                Letter::Welcome(place, link, welcome) => self.welcome(place, link, welcome.session),
                Letter::Closed(link) => self.note_closed(link),
                Letter::Frame(place, link, frame) => {
                    shoot!(self.film, "worker {place} is sent {frame:?}");
                    self.frame(place, link, frame)?;
                }
            }
        }
        Ok(())
    }

    fn check_history(
        &self,
        run: RunId,
        tail: engine::partition::HistoryTail,
    ) -> Result<(), Violation> {
        let forgotten = self
            .facts
            .runs
            .get(&run)
            .is_none_or(|past| past.is_forgotten(self.facts.clock));
        match &self.node {
            Some(node) if !forgotten => check::numbers::history(&self.facts, &node.view, run, tail),
            _ => Ok(()),
        }
    }
}
