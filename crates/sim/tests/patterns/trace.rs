//! Owns [`Trace`]: a history in the words that rules are written in.
//!
//! `+a` is a token that comes to node `a`, `-a` one that leaves it well, `!a` a failure there, `xa` its
//! withdrawal, `>a` a token that is held there. Runs end as `.completed`, `.failed`, `.cancelled`.

use std::collections::BTreeMap;
use std::fmt;

use graph::{Graph, Value};
use kernel::event::RunFact;
use kernel::{Entry, Event, RunEvent, RunId, StepId};

#[derive(Debug, Default)]
pub(crate) struct Trace {
    facts: Vec<String>,
    /// How the runs ended and with what, in the order of their ids.
    pub(crate) ends: BTreeMap<RunId, (String, Option<Value>)>,
}

impl Trace {
    pub(crate) fn of(graph: &Graph, entries: impl Iterator<Item = Entry>) -> Trace {
        let name = |node: u32| &*graph.nodes[node as usize].name;
        let mut trace = Trace::default();
        let mut steps: BTreeMap<(RunId, StepId), u32> = BTreeMap::new();
        for event in entries.flat_map(|entry| entry.events) {
            let Event::Run(RunFact { run, fact }) = event else {
                continue;
            };
            let at = |step: StepId| steps.get(&(run, step)).map_or("?", |node| name(*node));
            let fact = match fact {
                RunEvent::StepEntered(entered) => {
                    steps.insert((run, entered.step), entered.node);
                    format!("+{}", name(entered.node))
                }
                RunEvent::StepPassed(passed) => {
                    trace.facts.push(format!("+{}", name(passed.node)));
                    format!("-{}", name(passed.node))
                }
                RunEvent::StepCompleted(completed) => format!("-{}", at(completed.step)),
                RunEvent::StepFailed(failed) => format!("!{}", name(failed.node)),
                RunEvent::StepCancelled(cancelled) => format!("x{}", at(cancelled.step)),
                RunEvent::TokenJoined(joined) => format!(">{}", name(joined.node)),
                RunEvent::Ended(ended) => {
                    let status = format!("{:?}", ended.status).to_lowercase();
                    trace.ends.insert(run, (status.clone(), ended.output));
                    format!(".{status}")
                }
                _ => continue,
            };
            trace.facts.push(fact);
        }
        trace
    }

    /// How often this happened.
    pub(crate) fn count(&self, fact: &str) -> usize {
        self.facts.iter().filter(|known| *known == fact).count()
    }

    pub(crate) fn never(&self, fact: &str) -> bool {
        self.count(fact) == 0
    }

    /// Whether these happened, each first after the one before it had happened first.
    pub(crate) fn order(&self, facts: &[&str]) -> bool {
        let places: Option<Vec<usize>> = facts.iter().map(|fact| self.place(fact, 0)).collect();
        places.is_some_and(|places| places.is_sorted())
    }

    /// Where this happened for the time after the first so many.
    pub(crate) fn place(&self, fact: &str, times: usize) -> Option<usize> {
        let mut places = self
            .facts
            .iter()
            .enumerate()
            .filter(|(_, known)| *known == fact);
        places.nth(times).map(|(place, _)| place)
    }

    /// How many of these were at work at once, at most.
    pub(crate) fn at_once(&self, nodes: &[&str]) -> usize {
        let (mut now, mut most) = (0_usize, 0);
        for fact in &self.facts {
            let (sign, node) = fact.split_at(1);
            if !nodes.contains(&node) {
                continue;
            }
            match sign {
                "+" => now += 1,
                "-" | "x" | "!" => now -= 1,
                _ => {}
            }
            most = most.max(now);
        }
        most
    }

    /// Whether so many runs, and no more, completed.
    pub(crate) fn completed(&self, runs: usize) -> bool {
        self.ends.len() == runs && self.ends.values().all(|(status, _)| status == "completed")
    }

    /// The output of the run that ended first in the order of ids.
    pub(crate) fn output(&self) -> String {
        let first = self.ends.values().next();
        first
            .and_then(|(_, output)| output.as_ref())
            .map_or_else(String::new, Value::to_json)
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.facts.join(" "))?;
        for (run, (status, output)) in &self.ends {
            let output = output.as_ref().map(Value::to_json);
            writeln!(f, "{run} {status} {output:?}")?;
        }
        Ok(())
    }
}
