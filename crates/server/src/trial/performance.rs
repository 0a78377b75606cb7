//! Owns [`perform`]: one case from its start until nothing happens any more, on a clock that jumps.
//!
//! Order at one instant: what the rules do, then what others do meanwhile, then what calls are answered. The same
//! case gives the same performance each time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use authoring::suite::{Act, Case, Decision, Deed, Moment, Place};
use engine::TaskOutcome;
use engine::rehearsal::{Claimed, Rehearsal, Visit};
use graph::ir::NAMESPACE_DEFAULT;
use graph::value::{Str, Value};
use graph::{Failure, Graph, Kind, Template};
use kernel::human::HumanAct;
use kernel::limits::SIGNAL_TTL_MS_DEFAULT;
use kernel::{Command, RunId, StartRun, TaskToken, Time};

use super::Script;
use super::answers::{Answers, WORKFLOWS};
use super::difference::shown;
use crate::output::time;
use crate::spelling::nearest;

/// Instants of one case, after which it will not come to rest by itself.
const INSTANTS_MAX: usize = 20_000;

/// Who decides a human task that nobody has, if the case does not say.
const SOMEBODY: &str = "somebody";

/// What became of a case.
#[derive(Debug)]
pub(crate) struct Performance {
    /// The state of the run at the end.
    pub(crate) state: &'static str,
    /// Its output, if it completed.
    pub(crate) output: Option<Value>,
    /// Its error, if it failed.
    pub(crate) error: Option<Failure>,
    /// What its tasks did, in the order in which they ended.
    pub(crate) visits: Vec<Visit>,
    /// The events that it and runs that it started emitted, in their order.
    pub(crate) emitted: Vec<Value>,
    /// When it began.
    pub(crate) began_at: Time,
    /// How long it took by its own clock, in milliseconds.
    pub(crate) lasted_ms: u64,
    /// What kept it from being played as written.
    pub(crate) flaws: Vec<String>,
}

/// A case that is being played.
struct Play<'s> {
    script: &'s Script,
    case: &'s Case,
    stage: Rehearsal,
    run: RunId,
    answers: Answers<'s>,
    /// Answers on their way, in the order of their coming.
    pending: BTreeMap<(Time, usize), (TaskToken, TaskOutcome)>,
    calls: usize,
    acts: Vec<&'s Act>,
    flaws: Vec<String>,
}

/// Plays a case.
pub(crate) fn perform(script: &Script, case: &Case) -> Performance {
    let began_at = Time(case.begin_ms);
    let (graph, _) = script
        .workflows
        .first()
        .expect("a script has the workflow that it tests");
    let run = RunId::of_key(&graph.workflow, &case.name);
    let mut play = Play {
        script,
        case,
        stage: Rehearsal::new(began_at),
        run,
        answers: Answers::new(case.mocks.iter().chain(&script.suite.mocks)),
        pending: BTreeMap::new(),
        calls: 0,
        acts: case.meanwhile.iter().collect(),
        flaws: misnamed(script, case),
    };
    if play.flaws.is_empty() && play.begin(graph) {
        play.go_on();
    }
    play.end(began_at)
}

impl Play<'_> {
    /// Makes the workflows known, and starts the run.
    fn begin(&mut self, graph: &Graph) -> bool {
        let stand_ins = stand_ins(self.script, self.case);
        let others = self.script.workflows.iter().enumerate();
        let others = others.filter(|(place, (other, _))| {
            let mut mocked = stand_ins.iter().map(|(stand_in, _)| &stand_in.workflow);
            *place == 0 || !mocked.any(|mocked| *mocked == other.workflow)
        });
        let mut workflows: Vec<_> = others.map(|(_, other)| other.clone()).collect();
        workflows.extend(stand_ins);
        for (graph, source) in workflows {
            let (name, source) = (graph.workflow.clone(), source.into());
            let deployed = self.stage.ask(Command::DeployWorkflow { graph, source });
            if let Err(rejection) = deployed {
                self.flaws
                    .push(format!("workflow {name} was refused: {rejection}"));
                return false;
            }
        }
        let started = self.stage.ask(Command::StartRun(StartRun {
            run: self.run,
            workflow: graph.workflow.clone(),
            version: Some(graph.version.clone()),
            key: None,
            input: self.case.input.clone(),
            labels: BTreeMap::new(),
            attributes: BTreeMap::new(),
            parent: None,
            depth: 0,
        }));
        if let Err(rejection) = started {
            self.flaws.push(format!("the run was refused: {rejection}"));
        }
        self.flaws.is_empty()
    }

    fn go_on(&mut self) {
        let until = self
            .case
            .until_ms
            .map(|ms| Time(self.case.begin_ms).plus(ms));
        for _ in 0..INSTANTS_MAX {
            if let Err(restless) = self.stage.settle() {
                return self.flaws.push(restless.to_string());
            }
            let called = self.call();
            if !self.flaws.is_empty() {
                return;
            }
            if called || self.act() || self.answer() {
                continue;
            }
            match self
                .next_at()
                .filter(|next| until.is_none_or(|until| *next <= until))
            {
                Some(next) => self.stage.skip_to(next),
                None => {
                    return until
                        .into_iter()
                        .for_each(|until| self.stage.skip_to(until));
                }
            }
        }
        if self.is_live() {
            self.flaws.push(format!(
                "after {INSTANTS_MAX} instants it still goes on, {} after its start\nhint: give the case an `until`, such as until: PT1H",
                time::span(self.stage.now().since(Time(self.case.begin_ms)))
            ));
        }
    }

    fn is_live(&self) -> bool {
        self.stage.run(self.run).is_some_and(kernel::Run::is_live)
    }

    /// Takes the tasks that were offered, and looks for their answers.
    fn call(&mut self) -> bool {
        let claimed = self.stage.claim();
        for claimed in &claimed {
            let pointer = self.stage.path(claimed.token.run, claimed.node);
            let pointer = pointer.unwrap_or_default().to_owned();
            let Some((delay_ms, outcome)) = self.answers.find(claimed, &pointer) else {
                let flaw = self.unanswered(claimed, &pointer);
                self.flaws.push(flaw);
                continue;
            };
            self.calls += 1;
            let at = self.stage.now().plus(delay_ms);
            self.pending
                .insert((at, self.calls), (claimed.token, outcome));
        }
        !claimed.is_empty()
    }

    /// Does the first thing that is due from outside.
    fn act(&mut self) -> bool {
        let due = |act: &Act| match &act.moment {
            Moment::After(ms) => Time(self.case.begin_ms).plus(*ms) <= self.stage.now(),
            Moment::Once(task) => self.visits().any(|visit| task.is_at(&visit.path)),
        };
        let asked = |act: &Act| due(act).then(|| self.command(&act.deed)).flatten();
        let mut acts = self.acts.iter().enumerate();
        let Some((index, command)) = acts.find_map(|(index, act)| Some((index, asked(act)?)))
        else {
            return false;
        };
        let act = self.acts.remove(index);
        if let Err(rejection) = self.stage.ask(command) {
            let moment = time::span(self.stage.now().since(Time(self.case.begin_ms)));
            self.flaws.push(format!(
                "line {}: refused {moment} after the start: {rejection}",
                act.line
            ));
        }
        true
    }

    /// What a deed asks for; none as long as there is nothing to do it to.
    fn command(&self, deed: &Deed) -> Option<Command> {
        let (run, ttl_ms) = (self.run, SIGNAL_TTL_MS_DEFAULT);
        Some(match deed {
            Deed::Signal { name, data } => Command::SignalRun {
                run,
                name: name.clone(),
                data: data.clone(),
                ttl_ms,
            },
            Deed::Publish(event) => Command::PublishEvent {
                event: event.clone(),
                ttl_ms,
            },
            Deed::Human { task, by, decision } => {
                let mut open = self.stage.humans();
                let (at, _, work) = open.find(|(at, node, _)| {
                    let pointer = self.stage.path(at.run, *node);
                    pointer.is_some_and(|pointer| task.is_at(pointer))
                })?;
                let holder = || work.whose.assignee.clone();
                Command::ActOnHuman {
                    task: at,
                    by: by
                        .clone()
                        .or_else(holder)
                        .unwrap_or_else(|| SOMEBODY.into()),
                    act: match decision.clone() {
                        Decision::Complete {
                            outcome,
                            data,
                            comment,
                        } => HumanAct::Complete {
                            outcome,
                            data,
                            comment,
                        },
                        Decision::Reject(reason) => HumanAct::Reject { reason },
                    },
                }
            }
            Deed::Cancel(reason) => Command::CancelRun {
                run,
                reason: Some(reason.clone()),
            },
            Deed::Terminate(reason) => Command::TerminateRun {
                run,
                reason: Some(reason.clone()),
            },
            Deed::Suspend => Command::SuspendRun { run },
            Deed::Resume => Command::ResumeRun { run },
            Deed::Retry => Command::RetryRun { run, step: None },
        })
    }

    /// Gives the answers that are due.
    fn answer(&mut self) -> bool {
        let is_due = |at: Time| at <= self.stage.now();
        let Some(entry) = self
            .pending
            .first_entry()
            .filter(|entry| is_due(entry.key().0))
        else {
            return false;
        };
        let (token, outcome) = entry.remove();
        // One that comes too late is as if it had not come.
        self.stage.report(token, outcome);
        true
    }

    /// When something happens next.
    fn next_at(&self) -> Option<Time> {
        let goes_on = self.stage.live_count() > 0;
        let timer = self.stage.next_at().filter(|_| goes_on);
        let answer = self
            .pending
            .keys()
            .next()
            .map(|(at, _)| *at)
            .filter(|_| goes_on);
        let acts = self.acts.iter().filter_map(|act| match act.moment {
            Moment::After(ms) => Some(Time(self.case.begin_ms).plus(ms)),
            Moment::Once(_) => None,
        });
        // What was due before waits for a human task.
        let acts = acts.filter(|at| *at > self.stage.now());
        timer.into_iter().chain(answer).chain(acts).min()
    }

    fn visits(&self) -> impl Iterator<Item = &Visit> {
        self.stage
            .trace()
            .visits()
            .filter(|visit| visit.run == self.run)
    }

    fn end(mut self, began_at: Time) -> Performance {
        for act in &self.acts {
            let what = match (&act.deed, &act.moment) {
                (Deed::Human { task, .. }, _) => format!("no human task {task} was open then"),
                (_, Moment::After(_)) => "it was over before".to_owned(),
                (_, Moment::Once(task)) => format!("the task {task} was never begun"),
            };
            if self.flaws.is_empty() {
                self.flaws
                    .push(format!("line {}: this never happened: {what}", act.line));
            }
        }
        let visits = self.visits().cloned().collect();
        let run = self.stage.run(self.run);
        let ended_at = run.and_then(|run| run.ended_at).unwrap_or(self.stage.now());
        Performance {
            state: run.map_or("missing", kernel::Run::condition),
            output: run.and_then(|run| run.output.clone()),
            error: run.and_then(|run| run.failure.clone()),
            visits,
            emitted: self.stage.emitted().to_vec(),
            began_at,
            lasted_ms: ended_at.since(began_at),
            flaws: self.flaws,
        }
    }

    fn unanswered(&self, claimed: &Claimed, pointer: &str) -> String {
        let work = &claimed.work;
        let (what, whose) = if *work.queue == *WORKFLOWS {
            let workflow = format!("workflow: {}", work.name);
            let what = format!(
                "the run of workflow {}, and no file under `with` has it",
                work.name
            );
            (what, workflow)
        } else {
            let task = short(&self.script.workflows, pointer);
            let what = format!("the task {task} (call {}, queue {})", work.name, work.queue);
            (what, format!("task: {task}"))
        };
        let used = match self.answers.used(claimed, pointer) {
            0 => "no mock answers".to_owned(),
            used => format!("after {used} answers no mock has another for"),
        };
        format!(
            "{used} {what}\n  with the input {}\nhint: mock it in the case or the file:\n  mocks:\n    - {whose}\n      output: {{}}",
            shown(&work.input)
        )
    }
}

/// The names of tasks around and of a task, the outermost first.
fn names(pointer: &str) -> Vec<&str> {
    let steps: Vec<&str> = pointer.split('/').collect();
    let is_name = |pair: &&[&str]| pair[0].parse::<usize>().is_ok();
    steps
        .windows(2)
        .filter(is_name)
        .map(|pair| pair[1])
        .collect()
}

/// The shortest way to name the task at a pointer.
fn short(workflows: &[(Arc<Graph>, String)], pointer: &str) -> Place {
    let names = names(pointer);
    let nodes = || workflows.iter().flat_map(|(graph, _)| &graph.nodes);
    let is_clear = |place: &Place| {
        let mut others = nodes().filter(|node| &*node.path != pointer);
        !others.any(|node| place.is_at(&node.path))
    };
    let place = |from: usize| Place(names[from..].iter().map(|name| Str::from(*name)).collect());
    (0..names.len())
        .rev()
        .map(place)
        .find(is_clear)
        .unwrap_or_else(|| place(0))
}

/// Says of each task that is named in a case, but is not there, what might have been meant.
fn misnamed(script: &Script, case: &Case) -> Vec<String> {
    let nodes = || script.workflows.iter().flat_map(|(graph, _)| &graph.nodes);
    let mocks = case.mocks.iter().chain(&script.suite.mocks);
    let mocked = mocks.filter_map(|mock| Some((Some(mock.line), mock.task.as_ref()?)));
    let acted = case.meanwhile.iter().flat_map(|act| {
        let once = match &act.moment {
            Moment::Once(task) => Some(task),
            Moment::After(_) => None,
        };
        let decided = match &act.deed {
            Deed::Human { task, .. } => Some(task),
            _ => None,
        };
        let named = once.into_iter().chain(decided);
        named.map(|task| (Some(act.line), task))
    });
    let seen = [&case.expect.trace, &case.expect.trace_includes];
    let seen = seen
        .into_iter()
        .flatten()
        .flatten()
        .map(|sight| (None, &sight.task));
    let missing = mocked
        .chain(acted)
        .chain(seen)
        .filter(|(_, task)| !nodes().any(|node| task.is_at(&node.path)));
    let humans = case.meanwhile.iter().filter_map(|act| match &act.deed {
        Deed::Human { task, .. } => Some((act.line, task)),
        _ => None,
    });
    let machines = humans.filter(|(_, task)| {
        let mut meant = nodes().filter(|node| task.is_at(&node.path)).peekable();
        meant.peek().is_some() && meant.all(|node| !matches!(node.kind, Kind::Human(_)))
    });
    let machines = machines.map(|(line, task)| {
        format!(
            "line {line}: the task {task} is not for people; mock it, or name a `call: human-task`"
        )
    });
    let missing = missing.map(|(line, task)| {
        let name = task.0.last().map_or("", |name| name);
        let meant = nearest(name, nodes().map(|node| &*node.name));
        let hint = meant.map_or_else(String::new, |meant| format!("; did you mean {meant:?}?"));
        let place = line.map_or_else(|| "the trace".to_owned(), |line| format!("line {line}"));
        format!("{place}: no task is named {:?}{hint}", task.to_string())
    });
    missing.chain(machines).collect()
}

/// Workflows of one task each, in the versions that are asked for: in place of those that are mocked, and of
/// those that are missing, so that what misses them is told.
fn stand_ins(script: &Script, case: &Case) -> Vec<(Arc<Graph>, String)> {
    let mocks = case.mocks.iter().chain(&script.suite.mocks);
    let mocked = mocks.filter_map(|mock| Some((mock.workflow.clone()?, Str::from("1.0.0"))));
    let text = |template: &Template| match template {
        Template::Literal(value) => value.as_text().cloned(),
        _ => None,
    };
    let nodes = script.workflows.iter().flat_map(|(graph, _)| &graph.nodes);
    let asked = nodes.filter_map(|node| match &node.kind {
        Kind::Child(child) => {
            let version = child.version.as_ref().and_then(text);
            Some((
                text(&child.workflow)?,
                version.unwrap_or_else(|| "1.0.0".into()),
            ))
        }
        _ => None,
    });
    let mocked: BTreeSet<(Str, Str)> = mocked.collect();
    let is_mocked = |name: &Str| mocked.iter().any(|(mocked, _)| mocked == name);
    let is_there = |name: &Str| {
        script
            .workflows
            .iter()
            .any(|(graph, _)| graph.workflow == *name)
    };
    let asked = asked.filter(|(name, _)| is_mocked(name) || !is_there(name));
    let all: BTreeSet<(Str, Str)> = mocked.iter().cloned().chain(asked).collect();
    all.iter()
        .filter_map(|(name, version)| stand_in(name, version))
        .collect()
}

fn stand_in(workflow: &str, version: &str) -> Option<(Arc<Graph>, String)> {
    let (namespace, name) = workflow
        .split_once('/')
        .unwrap_or((NAMESPACE_DEFAULT, workflow));
    let quoted = |text: &str| Value::from(text).to_json();
    let text = format!(
        "document: {{dsl: '1.0.3', namespace: {}, name: {}, version: {}}}\n\
         do: [{{answer: {{call: task, with: {{queue: {}, name: {}}}}}}}]\n",
        quoted(namespace),
        quoted(name),
        quoted(version),
        quoted(WORKFLOWS),
        quoted(workflow)
    );
    let compiled = authoring::compile(&text).ok()?;
    Some((Arc::new(compiled.graph), text))
}
