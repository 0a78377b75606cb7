//! Owns the second half of a seed: faults stop, workers are honest, clients send what is waited for.
//!
//! Invariant checked here: within a bounded number of rounds no run is left.

use graph::Value;
use kernel::state::{Activity, Run, Step};
use kernel::{Command, RunId};

use crate::check::acknowledged::Promise;
use crate::film::shoot;
use crate::verdict::{Invariant, Violation};
use crate::worker::{GRACE_MS, WORKERS};
use crate::world::World;

/// Rounds within which everything must come to its end.
const ROUNDS_MAX: u32 = 1_500;

/// How often clients send what runs wait for, in rounds.
const PROMPT_EVERY: u32 = 10;

impl World {
    /// Faults stop; then every run must end.
    pub(crate) fn heal(&mut self) -> Result<(), Violation> {
        self.mend()?;
        shoot!(self.film, "all faults stop");
        for place in 0..WORKERS {
            self.renew(place);
        }
        self.hear_late();
        self.check_all()?;
        for round in 0..ROUNDS_MAX {
            self.film.step(u64::from(round));
            if round % PROMPT_EVERY == 0 {
                self.prompt();
            }
            for _ in 0..WORKERS {
                self.work(true);
            }
            self.revive()?;
            self.hear_late();
            let before = self.facts.end;
            self.cycle(false)?;
            let state = &self.facts.state;
            if state.runs.is_empty() && state.schedules.is_empty() && state.messages.is_empty() {
                return self.check_all();
            }
            if self.facts.end == before {
                let ms = self.next_at().unwrap_or(GRACE_MS).clamp(1, 60_000);
                self.pass(ms);
            }
        }
        let left: Vec<String> = self
            .facts
            .state
            .runs
            .values()
            .map(|run| describe(run))
            .collect();
        let schedules = self.facts.state.schedules.len();
        Violation::found(
            Invariant::EveryRunEnds,
            format!("after {ROUNDS_MAX} rounds there are {schedules} schedules and {left:?}"),
        )
    }

    /// Whatever a person could do to let runs go on.
    fn prompt(&mut self) {
        let schedules: Vec<_> = self.facts.state.schedules.keys().cloned().collect();
        for name in schedules {
            self.request(Command::DeleteSchedule { name }, Promise::Nothing);
        }
        let wishes: Vec<Command> = self
            .facts
            .state
            .runs
            .values()
            .flat_map(|run| wishes(run))
            .collect();
        for command in wishes {
            self.request(command, Promise::Nothing);
        }
    }
}

/// What lets a run go on.
fn wishes(run: &Run) -> Vec<Command> {
    let mut wishes = Vec::new();
    if run.suspended {
        wishes.push(Command::ResumeRun { run: run.id });
    }
    for step in run.steps.values() {
        if step.is_parked() {
            wishes.push(Command::RetryRun {
                run: run.id,
                step: None,
            });
        }
        wishes.extend(signals(run.id, step));
    }
    wishes
}

fn signals(run: RunId, step: &Step) -> Vec<Command> {
    let Activity::Listen(listening) = &step.activity else {
        return Vec::new();
    };
    let unmet = listening.wanted.iter().filter(|wanted| !wanted.met);
    let signal = unmet.map(|wanted| {
        let number = wanted.expect.first().cloned().unwrap_or_default();
        let data = Value::from([("mark", Value::from("heal")), ("number", number)]);
        Command::SignalRun {
            run,
            name: wanted.event_type.clone(),
            data,
            ttl_ms: 1_000,
        }
    });
    signal.collect()
}

fn describe(run: &Run) -> String {
    let steps: Vec<String> = run
        .steps
        .iter()
        .map(|(id, step)| format!("{}: {:?}", id.0, step.activity))
        .collect();
    format!(
        "{} {} {} with {steps:?}",
        run.workflow,
        run.id,
        run.condition()
    )
}
