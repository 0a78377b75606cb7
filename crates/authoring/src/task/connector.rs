//! Owns what calls of connectors have in common, and `openapi` as a task of the queue of that name.
//!
//! What is said in `with` becomes the input, member by member, with resources as `{endpoint, authentication}`.

use graph::Template;
use graph::ir::{Exhausted, Kind, Task};
use graph::value::{Str, Value};

use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// What to do where there is no connector.
pub(super) const OTHERWISE: &str = "there is no connector for it; use `call: http` if the other side speaks HTTP, or `call: task` with a worker of yours";

/// Members of a task's input, some of which may be wrong.
pub(super) type Members = Vec<(Str, Option<Template>)>;

impl<'t> Lowering<'t> {
    /// A task of a connector; none if a member of its input is wrong.
    pub(super) fn connector(
        &mut self,
        at: At<'t>,
        queue: &str,
        name: &str,
        members: Members,
    ) -> Option<Kind> {
        let members: Vec<_> = members
            .into_iter()
            .map(|(key, value)| Some((key, value?)))
            .collect::<Option<_>>()?;
        let mut input = Template::Object(members);
        let sealed = self.seal(at, &mut input);
        Some(Kind::Task(Task {
            queue: Template::Literal(Value::from(queue)),
            name: Template::Literal(Value::from(name)),
            input,
            sealed,
            queue_timeout: None,
            run_timeout: None,
            heartbeat_timeout: None,
            retry: None,
            exhausted: Exhausted::Fail,
            priority: None,
        }))
    }

    /// The calls of this name that are connectors.
    pub(super) fn connector_call(
        &mut self,
        name: &str,
        with: At<'t>,
        scope: &Scope,
    ) -> Option<Kind> {
        let scope = &scope.with_secrets();
        match name {
            "openapi" => self.openapi(with, scope),
            "grpc" => self.grpc(with, scope),
            "mcp" => self.mcp(with, scope),
            "asyncapi" => self.asyncapi(with, scope),
            _ => self.a2a(with, scope),
        }
    }

    fn openapi(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(
            with,
            &[
                "document",
                "operationId",
                "parameters",
                "authentication",
                "output",
                "redirect",
            ],
        );
        let document = self
            .require(with, "document")
            .and_then(|at| self.resource(at, scope));
        let operation = self
            .require(with, "operationId")
            .and_then(|at| self.text_template(at, scope));
        let mut members: Members = vec![
            ("document".into(), document),
            ("operationId".into(), operation),
        ];
        if let Some(parameters) = with.member("parameters") {
            members.push(("parameters".into(), self.map_template(parameters, scope)));
        }
        if let Some(policy) = with.member("authentication") {
            members.push(("authentication".into(), self.authentication(policy, scope)));
        }
        self.response_members(with, &mut members);
        self.connector(with, "openapi", "openapi", members)
    }

    /// What calls over HTTP say about the response.
    pub(super) fn response_members(&mut self, with: At<'t>, members: &mut Members) {
        let output = match with.member("output") {
            Some(output) => self.word(output, &["raw", "content", "response"]),
            None => Some("content"),
        };
        let literal = |value: Value| Template::Literal(value);
        members.push(("output".into(), output.map(|output| literal(output.into()))));
        if with.member("redirect").is_some() {
            let redirect = Value::Bool(self.flag(with, "redirect", false));
            members.push(("redirect".into(), Some(literal(redirect))));
        }
    }

    pub(super) fn one_of(&mut self, at: At<'t>, keys: [&str; 2]) {
        let count = keys.iter().filter(|key| at.member(key).is_some()).count();
        if at.is_map() && count != 1 {
            let message = format!(
                "exactly one of `{}` and `{}` is needed here",
                keys[0], keys[1]
            );
            self.findings.error_key(at, "bad-value", message);
        }
    }
}
