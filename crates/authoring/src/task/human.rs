//! Owns `human-task` of the catalogue: work for a person.
//!
//! Invariant: whoever a task goes to is named: by assignee, by groups, or by nobody on purpose, never by an
//! escalation that leads to nobody in particular.

use graph::Template;
use graph::check::{OUTCOMES_MAX, REMINDERS_MAX};
use graph::ir::{Assignment, Escalate, Human, Kind, PRIORITY_MAX};
use graph::value::{Str, Value};

use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::tree::{At, Data};

impl<'t> Lowering<'t> {
    pub(super) fn human_task(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(
            with,
            &[
                "title",
                "description",
                "assignee",
                "group",
                "data",
                "form",
                "priority",
                "due",
                "remind",
                "escalate",
                "outcomes",
            ],
        );
        let title = self
            .require(with, "title")
            .and_then(|title| self.text_template(title, scope));
        let description = with
            .member("description")
            .and_then(|text| self.text_template(text, scope));
        let to = self.assignment(with, scope);
        let data = self.template_or(with, "data", Template::identity(), scope);
        let form = with.member("form").and_then(|form| self.form(form));
        let priority = with
            .member("priority")
            .and_then(|priority| self.priority(priority, scope));
        let due = with.member("due").and_then(|due| self.delay(due, scope));
        let remind = with.member("remind").map(|remind| {
            let instants = self.bounded_list(remind, REMINDERS_MAX);
            let delays = instants.into_iter().map(|at| self.delay(at, scope));
            delays.collect::<Vec<_>>().into_iter().flatten().collect()
        });
        let escalate = with
            .member("escalate")
            .and_then(|escalate| self.escalation(escalate, due.clone(), scope));
        let outcomes = with
            .member("outcomes")
            .map(|outcomes| self.outcomes(outcomes));
        Some(Kind::Human(Human {
            title: title?,
            description,
            to,
            data: data?,
            form,
            priority,
            due,
            remind: remind.unwrap_or_default(),
            escalate,
            outcomes: outcomes.unwrap_or_default(),
        }))
    }

    /// Whose it is: `assignee`, and `group`, which is one name or a list of names.
    fn assignment(&mut self, at: At<'t>, scope: &Scope) -> Assignment {
        let assignee = at
            .member("assignee")
            .and_then(|name| self.text_template(name, scope));
        let groups = at.member("group").and_then(|group| match group.data() {
            Data::Text(_) => self.template_of(group, &["string", "array", "null"], scope),
            Data::List(_) => {
                for name in group.children().filter(|name| name.text().is_none()) {
                    self.wrong(name, "text with the name of a group");
                }
                self.template(group, scope)
            }
            _ => {
                self.wrong(group, "the name of a group or a list of names");
                None
            }
        });
        Assignment { assignee, groups }
    }

    fn form(&mut self, form: At<'t>) -> Option<Value> {
        self.known(form, &["schema"]);
        let schema = self.require(form, "schema")?;
        self.schema_document(schema)
    }

    /// A whole number, or an expression that gives one.
    fn priority(&mut self, priority: At<'t>, scope: &Scope) -> Option<Template> {
        match self.template_of(priority, &["number"], scope)? {
            Template::Literal(Value::Int(number))
                if (0..=i64::from(PRIORITY_MAX)).contains(&number) =>
            {
                Some(Template::Literal(Value::Int(number)))
            }
            Template::Literal(value) => {
                let message = format!(
                    "`priority` must be a whole number from 0 to {PRIORITY_MAX}, the most urgent, not {value}"
                );
                self.findings.error(priority, "bad-value", message);
                None
            }
            computed => Some(computed),
        }
    }

    /// To whom the work goes, and when: after so long, or when it is due.
    fn escalation(
        &mut self,
        at: At<'t>,
        due: Option<graph::Delay>,
        scope: &Scope,
    ) -> Option<Escalate> {
        self.known(at, &["after", "to"]);
        let after = match (at.member("after"), due) {
            (Some(after), _) => self.delay(after, scope),
            (None, Some(due)) => Some(due),
            (None, None) => {
                let message = "`escalate` needs `after`, or the task a time at which it is `due`";
                self.findings.error_key(at, "missing-key", message);
                None
            }
        };
        let to = self.require(at, "to")?;
        self.known(to, &["assignee", "group"]);
        let whose = self.assignment(to, scope);
        if to.is_map() && to.member("assignee").is_none() && to.member("group").is_none() {
            let message = "`to` needs an `assignee` or a `group`";
            self.findings.error_key(to, "missing-key", message);
        }
        Some(Escalate {
            after: after?,
            to: whose,
        })
    }

    fn outcomes(&mut self, list: At<'t>) -> Vec<Str> {
        let mut outcomes: Vec<Str> = Vec::new();
        for at in self.bounded_list(list, OUTCOMES_MAX) {
            let Some(name) = self.name(at) else {
                continue;
            };
            if outcomes.contains(&name) {
                let message = format!("the outcome {} is there already", quote(&name));
                self.findings.error(at, "duplicate-name", message);
            }
            outcomes.push(name);
        }
        outcomes
    }

    /// The elements of a list that has at most so many; what is too much is not looked into.
    fn bounded_list(&mut self, list: At<'t>, max: usize) -> Vec<At<'t>> {
        let mut elements = self.list(list).unwrap_or_default();
        if elements.len() > max {
            let message = format!(
                "`{}` has {} elements; use at most {max}",
                list.key(),
                elements.len()
            );
            self.findings.error(list, "bad-value", message);
            elements.truncate(max);
        }
        elements
    }
}
