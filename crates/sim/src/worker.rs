//! Owns the workers: what each of them holds, and how they misbehave.
//!
//! Invariant: a worker knows only what it was told. An honest one reports each task once and sends a
//! result again until it is receipted; the others crash, fall silent, repeat themselves and report late.

use std::collections::{BTreeMap, BTreeSet};

use engine::partition::{Input, Question, SESSION_GRACE_MS};
use engine::{FromWorker, TaskOutcome, ToWorker, WorkerHello};
use graph::{Failure, Value};
use kernel::{Delivery, SessionId, TaskToken};

use crate::check;
use crate::film::shoot;
use crate::letter::{Letter, Link};
use crate::sabotage::Sabotage;
use crate::verdict::Violation;
use crate::world::World;

/// Tasks a worker takes at once.
const CREDITS: u32 = 3;

/// Workers of the simulation.
pub(crate) const WORKERS: usize = 3;

/// One worker.
#[derive(Default)]
pub(crate) struct Worker {
    pub(crate) link: Option<Link>,
    /// The session of the newest connection, once it was welcomed.
    session: Option<SessionId>,
    /// Whether the newest connection was welcomed.
    welcomed: bool,
    /// Read when the worker gets to it.
    frames: Vec<ToWorker>,
    holding: BTreeMap<TaskToken, Delivery>,
    /// Reported and not yet receipted.
    results: BTreeMap<TaskToken, TaskOutcome>,
    /// Handed back: the receipt for that is not one for a result.
    returned: BTreeSet<TaskToken>,
    /// Claims that are over, which it may yet report.
    over: Vec<TaskToken>,
}

impl World {
    /// One worker does something, honestly or not.
    pub(crate) fn work(&mut self, honest: bool) {
        let place = self.random.place(WORKERS);
        let open = self.workers[place].link.as_ref().is_some_and(Link::is_open);
        if !open {
            self.hang_up(place);
            self.connect(place);
            return;
        }
        if !self.workers[place].welcomed {
            return;
        }
        self.read_frames(place);
        if honest {
            self.report(place, true);
            return;
        }
        match self.random.below(20) {
            0 => self.hang_up(place),
            1 => {
                shoot!(self.film, "worker {place} crashes");
                self.hang_up(place);
                let known = self.workers[place]
                    .session
                    .filter(|_| self.random.percent(50));
                self.workers[place] = Worker {
                    session: known,
                    ..Worker::default()
                };
            }
            2 | 3 => self.give_back(place),
            4 | 5 => self.beat(place),
            6 | 7 => self.report_late(place),
            8 | 9 => {}
            _ => self.report(place, false),
        }
    }

    /// Forgets all it knows.
    pub(crate) fn renew(&mut self, place: usize) {
        self.hang_up(place);
        self.workers[place] = Worker::default();
    }

    /// The worker loses its connection; the server may notice at once, later, or only when it is used.
    fn hang_up(&mut self, place: usize) {
        let worker = &mut self.workers[place];
        worker.welcomed = false;
        worker.frames.clear();
        let (Some(link), session) = (worker.link.take(), worker.session) else {
            return;
        };
        link.hang_up();
        shoot!(
            self.film,
            "worker {place} loses its connection {}",
            link.number
        );
        if let Some(session) = session {
            self.tell(Input::Disconnect { session });
        }
    }

    fn connect(&mut self, place: usize) {
        self.links += 1;
        let link = Link::new(self.links);
        let worker = &mut self.workers[place];
        let holding: Vec<TaskToken> = worker
            .holding
            .keys()
            .chain(worker.results.keys())
            .copied()
            .collect();
        let queues = if place == 0 {
            vec!["a".into()]
        } else {
            vec!["b".into(), "a".into()]
        };
        let hello = WorkerHello {
            name: format!("worker {place}"),
            queues,
            session: worker.session,
            holding,
            in_process: false,
        };
        shoot!(
            self.film,
            "worker {place} connects over {} with {hello:?}",
            link.number
        );
        let frames = self.post.frames(place, &link);
        let number = link.number;
        worker.link = Some(link);
        let answer = self
            .post
            .answer(move |welcome| Letter::Welcome(place, number, welcome));
        self.tell(Input::Question(Box::new(Question::Connect {
            hello,
            frames,
            answer,
        })));
    }

    /// The server says that a worker is connected.
    pub(crate) fn welcome(&mut self, place: usize, link: u64, session: SessionId) {
        self.sessions.insert(link, session);
        let worker = &mut self.workers[place];
        if worker
            .link
            .as_ref()
            .is_none_or(|current| current.number != link)
        {
            return;
        }
        if worker.session != Some(session) {
            // The server knows nothing of the session before: what it held is lost.
            worker.holding.clear();
        }
        worker.session = Some(session);
        worker.welcomed = true;
        let results: Vec<(TaskToken, TaskOutcome)> = worker
            .results
            .iter()
            .map(|(token, outcome)| (*token, outcome.clone()))
            .collect();
        self.say(
            place,
            FromWorker {
                credits: CREDITS,
                results,
                ..FromWorker::default()
            },
        );
    }

    /// The server sent a frame.
    pub(crate) fn frame(
        &mut self,
        place: usize,
        link: u64,
        frame: ToWorker,
    ) -> Result<(), Violation> {
        for delivery in &frame.tasks {
            check::claims::delivered(&mut self.facts, delivery.token)?;
        }
        let worker = &mut self.workers[place];
        for (token, accepted) in &frame.receipts {
            if let (true, Some(outcome)) = (*accepted, worker.results.get(token)) {
                let output = match outcome {
                    TaskOutcome::Done(output) => Some(output),
                    TaskOutcome::Failed { .. } => None,
                };
                check::claims::accepted(&self.facts, *token, output)?;
            }
        }
        if worker
            .link
            .as_ref()
            .is_some_and(|current| current.number == link)
        {
            worker.frames.push(frame);
        }
        Ok(())
    }

    fn read_frames(&mut self, place: usize) {
        let worker = &mut self.workers[place];
        for frame in std::mem::take(&mut worker.frames) {
            for delivery in frame.tasks {
                worker.holding.insert(delivery.token, delivery);
            }
            for token in frame.cancels {
                worker.holding.remove(&token);
                worker.over.push(token);
            }
            for (token, _) in frame.receipts {
                worker.results.remove(&token);
                worker.over.push(token);
            }
        }
    }

    fn outcome(&mut self, token: TaskToken, honest: bool) -> TaskOutcome {
        if !honest && self.random.percent(30) {
            let retryable = self.random.percent(70);
            return TaskOutcome::Failed {
                failure: Failure::new("runtime", "by chance"),
                retryable,
            };
        }
        let output = [
            ("claim", Value::Int(i64::from(token.claim))),
            ("by", Value::Int(self.number())),
        ];
        TaskOutcome::Done(Value::from(output))
    }

    fn report(&mut self, place: usize, honest: bool) {
        let tokens: Vec<TaskToken> = self.workers[place].holding.keys().copied().collect();
        let mut said = FromWorker {
            credits: 1,
            ..FromWorker::default()
        };
        for token in tokens {
            if !honest && self.random.percent(40) {
                continue;
            }
            let outcome = self.outcome(token, honest);
            self.workers[place].holding.remove(&token);
            self.workers[place].results.insert(token, outcome.clone());
            said.credits += 1;
            said.results.push((token, outcome.clone()));
            if !honest && self.random.percent(20) {
                said.results.push((token, outcome));
            }
        }
        if !said.results.is_empty() || self.random.percent(10) {
            self.say(place, said);
        }
    }

    /// Results that nobody waits for any more.
    fn report_late(&mut self, place: usize) {
        let Some(mut token) = self.workers[place].over.pop() else {
            return;
        };
        if self.workers[place].returned.contains(&token) {
            return;
        }
        let outcome = self.outcome(token, false);
        if self.sabotage == Some(Sabotage::ForgeClaim)
            && let Some(task) = self
                .facts
                .state
                .runs
                .get(&token.run)
                .and_then(|run| run.step(token.step)?.task())
        {
            token.claim = task.claims;
        }
        shoot!(self.film, "worker {place} reports late on {token:?}");
        self.workers[place].results.insert(token, outcome.clone());
        self.say(
            place,
            FromWorker {
                results: vec![(token, outcome)],
                ..FromWorker::default()
            },
        );
    }

    fn give_back(&mut self, place: usize) {
        let Some(token) = self.workers[place]
            .holding
            .pop_first()
            .map(|(token, _)| token)
        else {
            return;
        };
        self.workers[place].returned.insert(token);
        self.say(
            place,
            FromWorker {
                credits: 1,
                returned: vec![token],
                ..FromWorker::default()
            },
        );
    }

    fn beat(&mut self, place: usize) {
        let heartbeats: Vec<TaskToken> = self.workers[place].holding.keys().copied().collect();
        self.say(
            place,
            FromWorker {
                heartbeats,
                ..FromWorker::default()
            },
        );
    }

    fn say(&mut self, place: usize, said: FromWorker) {
        let Some(session) = self.workers[place].session else {
            return;
        };
        shoot!(self.film, "worker {place} says {said:?}");
        self.tell(Input::Worker { session, said });
    }

    /// Notes when the server hears that a connection is lost or there again.
    pub(crate) fn note_session(&mut self, input: &Input) {
        let now = self.facts.present;
        match input {
            Input::Disconnect { session } => {
                self.facts.lost.entry(*session).or_insert(now);
            }
            Input::Question(question) => {
                if let Question::Connect { hello, .. } = &**question
                    && let Some(session) = hello.session
                {
                    self.facts.lost.remove(&session);
                }
            }
            _ => {}
        }
    }

    /// The server found a link closed: to it the connection is lost from now on.
    pub(crate) fn note_closed(&mut self, link: u64) {
        let now = self.facts.present;
        if let Some(session) = self.sessions.get(&link) {
            self.facts.lost.entry(*session).or_insert(now);
        }
    }

    /// After a restart every session has its grace once more.
    pub(crate) fn note_restart(&mut self) {
        let now = self.facts.present;
        self.facts.lost.clear();
        let claimed = self
            .facts
            .state
            .runs
            .values()
            .flat_map(|run| run.steps.values());
        let sessions = claimed.filter_map(|step| match &step.task()?.stage {
            kernel::state::TaskStage::Claimed(claim) => Some(claim.session),
            _ => None,
        });
        self.facts
            .lost
            .extend(sessions.map(|session| (session, now)));
    }
}

/// How long the heal phase must wait at least for lost workers.
pub(crate) const GRACE_MS: u64 = SESSION_GRACE_MS;
