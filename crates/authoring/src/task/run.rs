//! Owns `run`, and the tasks that start other runs: `run.workflow`, and `child` of the catalogue.

use graph::Template;
use graph::ir::{Child, Kind, NAMESPACE_DEFAULT};
use graph::value::Value;

use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// The version that stands for none in particular.
const LATEST: &str = "latest";

impl<'t> Lowering<'t> {
    pub(super) fn run(&mut self, at: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(
            at,
            &[
                "workflow",
                "await",
                "container",
                "script",
                "shell",
                "return",
            ],
        );
        let kinds = ["container", "script", "shell", "workflow"];
        let given: Vec<At<'t>> = kinds.iter().filter_map(|key| at.member(key)).collect();
        let [what] = given[..] else {
            if at.is_map() {
                let message = format!("`run` needs exactly one of {}", kinds.join(", "));
                self.findings.error_key(at, "bad-value", message);
            }
            return None;
        };
        if what.key() != "workflow" {
            return self.process(at, what, scope);
        }
        self.refuse(
            at,
            &[("return", "leave it out: the result is the child's output")],
        );
        let await_child = self.flag(at, "await", true);
        let workflow = what;
        self.known(workflow, &["namespace", "name", "version", "input"]);
        let namespace = match workflow.member("namespace") {
            Some(namespace) => self.name(namespace)?.to_string(),
            None => self.namespace.clone(),
        };
        let name = self
            .require(workflow, "name")
            .and_then(|name| self.name(name))?;
        let name = if namespace == NAMESPACE_DEFAULT {
            name.to_string()
        } else {
            format!("{namespace}/{name}")
        };
        let version = self.version(workflow, scope);
        let input = self.template_or(workflow, "input", Template::identity(), scope)?;
        let workflow = Template::Literal(Value::text(name));
        Some(Kind::Child(Child {
            workflow,
            version,
            input,
            key: None,
            detach: !await_child,
            echo: !await_child,
        }))
    }

    pub(super) fn child(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(
            with,
            &["workflow", "version", "input", "key", "await", "echo"],
        );
        let workflow = self
            .require(with, "workflow")
            .and_then(|at| self.text_template(at, scope));
        let version = self.version(with, scope);
        let input = self.template_or(with, "input", Template::identity(), scope);
        let key = with
            .member("key")
            .and_then(|key| self.text_template(key, scope));
        let detach = !self.flag(with, "await", true);
        let echo = self.flag(with, "echo", false);
        Some(Kind::Child(Child {
            workflow: workflow?,
            version,
            input: input?,
            key,
            detach,
            echo,
        }))
    }

    fn version(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        let version = at.member("version")?;
        if version.text().is_some_and(|text| &**text == LATEST) {
            return None;
        }
        self.text_template(version, scope)
    }
}
