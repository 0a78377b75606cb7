//! Owns what calls of connectors have in common, `openapi` as a task of the queue of that name, and `mcp`, which is read
//! and checked but has no connector.
//!
//! What is said in `with` becomes the input, member by member, with resources as `{endpoint, authentication}`.

use graph::Template;
use graph::ir::{Exhausted, Kind, Task};
use graph::value::{Str, Value};

use crate::lowering::{Lowering, Scope};
use crate::tree::At;

const MCP_METHODS: [&str; 7] = [
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/read",
    "resources/templates/list",
];

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

    fn mcp(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(
            with,
            &[
                "protocolVersion",
                "method",
                "parameters",
                "timeout",
                "transport",
                "client",
            ],
        );
        if let Some(method) = self.require(with, "method") {
            self.word(method, &MCP_METHODS);
        }
        if let Some(transport) = self.require(with, "transport") {
            self.mcp_transport(transport, scope);
        }
        if let Some(parameters) = with.member("parameters") {
            self.map_template(parameters, scope);
        }
        if let Some(client) = with.member("client") {
            self.known(client, &["name", "version"]);
            self.require(client, "name");
            self.require(client, "version");
        }
        if let Some(timeout) = with.member("timeout") {
            self.fixed_ms(timeout);
        }
        self.unsupported(with, "`call: mcp`", OTHERWISE);
        None
    }

    fn mcp_transport(&mut self, at: At<'t>, scope: &Scope) {
        self.known(at, &["http", "stdio", "options"]);
        self.one_of(at, ["http", "stdio"]);
        if let Some(http) = at.member("http") {
            self.known(http, &["endpoint", "headers"]);
            if let Some(endpoint) = self.require(http, "endpoint") {
                self.endpoint(endpoint, scope);
            }
            if let Some(headers) = http.member("headers") {
                self.map_template(headers, scope);
            }
        }
        if let Some(stdio) = at.member("stdio") {
            self.known(stdio, &["command", "arguments", "environment"]);
            self.require(stdio, "command");
            self.template(stdio, scope);
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
