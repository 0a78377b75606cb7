//! Owns what `run` starts outside: containers, scripts and shell commands, as tasks of queue `process`.
//!
//! The task's name says which; its input holds what the text says, with `return` and, where the process is
//! not waited for, `await: false` and the data that goes on.

use graph::Template;
use graph::ir::Kind;
use graph::value::Value;

use super::connector::Members;
use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// The connector's queue.
pub(super) const PROCESS: &str = "process";

/// The languages of scripts, and what each is called in a task.
const LANGUAGES: [(&str, &str); 3] = [("js", "js"), ("javascript", "js"), ("python", "python")];

impl<'t> Lowering<'t> {
    pub(super) fn process(&mut self, at: At<'t>, what: At<'t>, scope: &Scope) -> Option<Kind> {
        let mut members = match what.key() {
            "container" => self.container(what, scope),
            "script" => self.script(what, scope),
            _ => self.shell(what, scope),
        };
        let secrets = &scope.with_secrets();
        for key in ["arguments", "environment"] {
            let Some(member) = what.member(key) else {
                continue;
            };
            let value = match key {
                "environment" => self.map_template(member, secrets),
                _ => self.arguments(member, secrets),
            };
            members.push((key.into(), value));
        }
        if let Some(stdin) = what.member("stdin") {
            members.push(("stdin".into(), self.template(stdin, scope)));
        }
        let words = ["stdout", "stderr", "code", "all", "none"];
        let returned = match at.member("return") {
            Some(member) => self.word(member, &words),
            None => Some("stdout"),
        };
        members.push((
            "return".into(),
            returned.map(|word| Template::Literal(word.into())),
        ));
        if !self.flag(at, "await", true) {
            members.push(("await".into(), Some(Template::Literal(Value::Bool(false)))));
            members.push(("data".into(), Some(Template::identity())));
        }
        self.connector(what, PROCESS, what.key(), members)
    }

    fn shell(&mut self, at: At<'t>, scope: &Scope) -> Members {
        self.known(at, &["command", "stdin", "arguments", "environment"]);
        let command = self.require(at, "command");
        let command = command.and_then(|command| self.text_template(command, scope));
        vec![("command".into(), command)]
    }

    fn script(&mut self, at: At<'t>, scope: &Scope) -> Members {
        self.known(
            at,
            &[
                "language",
                "code",
                "source",
                "stdin",
                "arguments",
                "environment",
            ],
        );
        let language = self.require(at, "language");
        let language = language.and_then(|language| self.language(language));
        let mut members: Members = vec![("language".into(), language)];
        match (at.member("code"), at.member("source")) {
            (Some(code), None) => members.push(("code".into(), self.text_template(code, scope))),
            (None, Some(source)) => members.push(("source".into(), self.resource(source, scope))),
            _ if at.is_map() => {
                let message = "a script needs exactly one of `code` and `source`";
                self.findings.error_key(at, "bad-value", message);
                members.push(("code".into(), None));
            }
            _ => {}
        }
        members
    }

    fn language(&mut self, at: At<'t>) -> Option<Template> {
        let text = self.literal(at)?;
        if let Some((_, language)) = LANGUAGES.iter().find(|(name, _)| **name == *text) {
            return Some(Template::Literal((*language).into()));
        }
        let message = format!(
            "scripts are written in js or python, not in {}; run others as a container",
            quote(&text)
        );
        self.findings.error(at, "bad-value", message);
        None
    }

    fn container(&mut self, at: At<'t>, scope: &Scope) -> Members {
        self.known(
            at,
            &[
                "image",
                "name",
                "command",
                "ports",
                "volumes",
                "environment",
                "stdin",
                "arguments",
                "lifetime",
                "pullPolicy",
            ],
        );
        let image = self.require(at, "image");
        let image = image.and_then(|image| self.text_template(image, scope));
        let mut members: Members = vec![("image".into(), image)];
        for key in ["name", "command"] {
            if let Some(text) = at.member(key) {
                members.push((key.into(), self.text_template(text, scope)));
            }
        }
        for key in ["ports", "volumes"] {
            if let Some(map) = at.member(key) {
                members.push((key.into(), self.map_template(map, scope)));
            }
        }
        if let Some(policy) = at.member("pullPolicy") {
            let policy = self.word(policy, &["ifNotPresent", "always", "never"]);
            members.push((
                "pullPolicy".into(),
                policy.map(|word| Template::Literal(word.into())),
            ));
        }
        if let Some(lifetime) = at.member("lifetime") {
            members.push(("cleanup".into(), self.cleanup(lifetime)));
        }
        members
    }

    /// `never`, `always`, or how many milliseconds after its end a container is removed.
    fn cleanup(&mut self, at: At<'t>) -> Option<Template> {
        self.known(at, &["cleanup", "after"]);
        let cleanup = self.require(at, "cleanup")?;
        let word = self.word(cleanup, &["always", "never", "eventually"])?;
        if word != "eventually" {
            return Some(Template::Literal(word.into()));
        }
        let after = self.require(at, "after")?;
        let ms = i64::try_from(self.fixed_ms(after)?).ok()?;
        Some(Template::Literal(Value::Int(ms)))
    }

    /// A list of texts, or one expression that gives it.
    pub(super) fn arguments(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        if at.is_map()
            || at
                .text()
                .is_some_and(|text| crate::expression::unwrap(text).is_none())
        {
            self.wrong(at, "a list, or one expression wrapped in ${ }");
            return None;
        }
        self.template(at, scope)
    }
}
