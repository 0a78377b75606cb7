//! Owns tasks that steer: `switch`, `for`, `fork`.
//!
//! Invariant: the default of a switch comes last, wherever it was written, because the kernel takes the
//! first case that holds.

use std::collections::BTreeSet;

use graph::check::BRANCHES_MAX;
use graph::expr::SOURCE_BYTES_MAX;
use graph::ir::{BodyIndex, Case, ForEach, Fork, Kind, Losers, Need};
use graph::value::Str;
use graph::{Expr, Template};

use super::list::Flow;
use crate::expression::to_expression;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// A list gone through from its beginning to its end.
pub(super) fn one_by_one(items: Expr, each: Str, at: Str, body: BodyIndex) -> ForEach {
    ForEach {
        items,
        each,
        at,
        body,
        repeat_while: None,
        concurrency: 1,
        collect: false,
        need: Need::All,
        until: None,
        losers: Losers::Cancel,
        more: None,
    }
}

impl<'t> Lowering<'t> {
    pub(super) fn switch(&mut self, at: At<'t>, scope: &Scope, flow: &Flow<'t>) -> Option<Kind> {
        let elements = self.list(at)?;
        if elements.is_empty() {
            self.findings
                .error(at, "empty-list", "a switch needs at least one case");
        }
        let (mut cases, mut default) = (Vec::new(), None);
        let errors = self.findings.errors();
        for element in elements {
            let Some(case) = self.named(element) else {
                continue;
            };
            self.known(case, &["when", "then"]);
            let Some(then) = self.require(case, "then") else {
                continue;
            };
            let next = self.directive(then, flow);
            match case.member("when") {
                Some(when) => cases.push(Case {
                    when: self.condition(when, scope),
                    next,
                }),
                None if default.is_none() => default = Some(Case { when: None, next }),
                None => {
                    let message = "a second case without `when`: only one can be the default; give this one a condition or remove it";
                    self.findings.error_key(case, "two-defaults", message);
                }
            }
        }
        cases.extend(default);
        if self.findings.errors() > errors {
            self.unclear.jumps.extend(flow.body);
        }
        Some(Kind::Switch(cases))
    }

    pub(super) fn for_each(&mut self, task: At<'t>, at: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(at, &["each", "in", "at"]);
        let items = self
            .require(at, "in")
            .and_then(|items| self.items(items, scope));
        let (each, index, inner) = self.bind_each(at, "each", scope);
        let repeat_while = self.optional_condition(task, "while", &inner);
        let body = self.required_body(task, "do", &inner);
        Some(Kind::ForEach(ForEach {
            repeat_while,
            ..one_by_one(items?, each, index, body?)
        }))
    }

    /// What is gone through: an expression, or a list as it stands.
    pub(super) fn items(&mut self, at: At<'t>, scope: &Scope) -> Option<Expr> {
        if at.is_list() {
            let list = to_expression(&self.template(at, scope)?);
            if list.len() > SOURCE_BYTES_MAX {
                let message = format!(
                    "a list that stands here is one expression, and this one has {} bytes, more than {SOURCE_BYTES_MAX}; put it into the data by a `set` before, or start the run with it",
                    list.len()
                );
                self.findings.error(at, "too-large", message);
                return None;
            }
            return Some(Expr(list.into()));
        }
        self.expression_of(at, &["array"], scope)
    }

    pub(super) fn fork(&mut self, at: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(at, &["branches", "compete"]);
        let compete = self.flag(at, "compete", false);
        let branches = self.branches(at, scope)?;
        let need = if compete { Need::Count(1) } else { Need::All };
        Some(Kind::Fork(Fork {
            branches,
            need,
            losers: Losers::Cancel,
            first: compete,
        }))
    }

    /// The branches of a fork, each a body of one task.
    pub(super) fn branches(&mut self, at: At<'t>, scope: &Scope) -> Option<Vec<BodyIndex>> {
        let list = self.require(at, "branches")?;
        let elements = self.list(list)?;
        if !(1..=BRANCHES_MAX).contains(&elements.len()) {
            let message = format!(
                "there are {} branches; give from 1 to {BRANCHES_MAX}",
                elements.len()
            );
            self.findings.error(list, "bad-value", message);
            return None;
        }
        let (mut bodies, mut names) = (Vec::new(), BTreeSet::new());
        for element in elements {
            if self.is_drawn && (element.is_list() || element.member("nodes").is_some()) {
                bodies.push(self.body(element, scope));
                continue;
            }
            let Some(branch) = self.named(element) else {
                continue;
            };
            if !names.insert(branch.key()) {
                self.check_task_name(branch, true);
            }
            bodies.push(self.body_of(element, &[branch], scope));
        }
        bodies.into_iter().collect()
    }

    /// The value under a key, or a default where there is none; none only if the value is wrong.
    pub(super) fn template_or(
        &mut self,
        at: At<'t>,
        key: &str,
        default: Template,
        scope: &Scope,
    ) -> Option<Template> {
        match at.member(key) {
            Some(member) => self.template(member, scope),
            None => Some(default),
        }
    }
}
