//! Owns `call`: which function is meant, and functions of `use.functions` put in place of their calls.
//!
//! A function of the document becomes a body of its own: first its arguments are set as data, then its
//! task runs on them. A function cannot reach itself, so putting in place always ends.

use graph::ir::{Kind, Next};

use super::list::Flow;
use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// Calls of the language besides `http`.
const CALLS: [&str; 5] = ["openapi", "grpc", "asyncapi", "mcp", "a2a"];

/// The functions that are always there.
pub(crate) const CATALOGUE: [&str; 10] = [
    "task",
    "human-task",
    "map",
    "race",
    "lock",
    "saga",
    "finally",
    "loop",
    "wait-until",
    "child",
];

/// The version that all functions of the catalogue have, and the catalogue's name.
const CATALOGUE_SUFFIX: &str = "1.0.0@default";

impl<'t> Lowering<'t> {
    pub(super) fn call(
        &mut self,
        task: At<'t>,
        at: At<'t>,
        scope: &Scope,
        flow: &Flow<'t>,
    ) -> Option<Kind> {
        let name = self.literal(at)?;
        if &*name == "http" {
            let with = self.require(task, "with")?;
            return self.http(with, scope);
        }
        if CALLS.contains(&&*name) {
            let with = self.require(task, "with")?;
            return self.connector_call(&name, with, scope);
        }
        if self.component("functions", &name).is_some() {
            return self.function(task, at, &name, scope);
        }
        if let Some(function) = self.catalogued(at, &name) {
            let with = self.require(task, "with")?;
            return match function {
                "task" => self.worker_task(with, scope),
                "human-task" => self.human_task(with, scope),
                "map" => self.map(with, scope),
                "race" => self.race(with, scope),
                "lock" => self.lock(with, scope),
                "saga" => self.saga(with, scope),
                "finally" => self.finally(with, scope, flow),
                "loop" => self.repeat(with, scope),
                "wait-until" => self.wait_until(with, scope),
                _ => self.child(with, scope),
            };
        }
        None
    }

    /// The function of the catalogue that is meant, if there is one; a finding else.
    fn catalogued(&mut self, at: At<'t>, name: &str) -> Option<&'static str> {
        if name.contains("://") {
            self.unsupported(
                at,
                "a function from an address",
                "copy its definition into `use.functions`",
            );
            return None;
        }
        let (base, suffix) = name.split_once(':').unwrap_or((name, CATALOGUE_SUFFIX));
        if let Some((_, catalogue)) = suffix.split_once('@')
            && catalogue != "default"
        {
            let message = format!("the catalogue {}", quote(catalogue));
            self.unsupported(
                at,
                &message,
                "copy the function's definition into `use.functions`",
            );
            return None;
        }
        if let Some(function) = CATALOGUE.iter().find(|function| **function == base) {
            if suffix == CATALOGUE_SUFFIX {
                return Some(function);
            }
            let message = format!(
                "the catalogue has no {}; write {function} or {function}:{CATALOGUE_SUFFIX}",
                quote(name)
            );
            self.findings.error(at, "unknown-function", message);
            return None;
        }
        let names = self
            .names("functions")
            .chain(CATALOGUE)
            .chain(["http"])
            .chain(CALLS);
        let otherwise = || {
            format!(
                "; declare it in `use.functions`, or call one of {}",
                ["http"]
                    .into_iter()
                    .chain(CALLS)
                    .chain(CATALOGUE)
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        };
        let hint = self.findings.hint(base, names, otherwise);
        self.findings.error(
            at,
            "unknown-function",
            format!("there is no function {}{hint}", quote(name)),
        );
        None
    }

    /// A function of the document, put in place.
    fn function(&mut self, task: At<'t>, at: At<'t>, name: &str, scope: &Scope) -> Option<Kind> {
        if scope.functions.iter().any(|outer| **outer == *name) {
            let message = format!(
                "the function {} calls itself; use `call: loop`, or a workflow that runs itself with `run.workflow`",
                quote(name)
            );
            self.findings.error(at, "function-cycle", message);
            return None;
        }
        let definition = self.reuse("functions", name, at)?;
        let mut inner = Scope {
            locals: Vec::new(),
            saga: false,
            task_held: false,
            ..scope.clone()
        };
        inner.functions.push(name.into());
        let body = self.body_of(definition, &[definition], &inner)?;
        if let Some(with) = task.member("with") {
            let arguments = self.map_or(with, &[], scope)?;
            let first = self.add_node(with, "with", body)?;
            let entry = self.graph.bodies[body.0 as usize].first;
            self.graph.bodies[body.0 as usize].first = Some(first);
            let node = self.node(first);
            node.kind = Kind::Set(arguments);
            node.next = entry.map_or(Next::Exit, Next::Node);
        }
        Some(Kind::Do(body))
    }
}
