//! Owns `call: mcp`: a task of the queue `mcp` over HTTP; of `process`, by the name `mcp`, where a process is started.
//!
//! What is said of the transport becomes the member `transport`, everything else a member of its own.

use graph::Template;
use graph::ir::Kind;
use graph::value::Value;

use super::connector::Members;
use super::process::PROCESS;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// Queue of calls over HTTP, and name of all tasks.
const MCP: &str = "mcp";

const METHODS: [&str; 7] = [
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/read",
    "resources/templates/list",
];

/// The versions that the connector speaks.
const VERSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The longest that a call may be given.
const TIMEOUT_MS_MAX: u64 = 15 * 60_000;

impl<'t> Lowering<'t> {
    pub(super) fn mcp(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
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
        let literal = |word: &str| Template::Literal(word.into());
        let method = self.require(with, "method");
        let method = method.and_then(|method| self.word(method, &METHODS));
        let mut members: Members = vec![("method".into(), method.map(literal))];
        if let Some(parameters) = self.mcp_parameters(with, method) {
            members.push(("parameters".into(), self.map_template(parameters, scope)));
        }
        if let Some(version) = with.member("protocolVersion") {
            let version = self.word(version, &VERSIONS).map(literal);
            members.push(("protocolVersion".into(), version));
        }
        if let Some(timeout) = with.member("timeout") {
            members.push(("timeoutMs".into(), self.mcp_timeout(timeout)));
        }
        if let Some(client) = with.member("client") {
            members.push(("client".into(), self.mcp_client(client, scope)));
        }
        let transport = self.require(with, "transport")?;
        self.known(transport, &["http", "stdio", "options"]);
        self.one_of(transport, ["http", "stdio"]);
        if let Some(options) = transport.member("options") {
            let advice = "none is known; leave `options` out";
            self.unsupported(options, "an option of a transport", advice);
        }
        let (queue, transport) = match (transport.member("http"), transport.member("stdio")) {
            (Some(http), None) => (MCP, self.mcp_http(http, scope)),
            (None, Some(stdio)) => (PROCESS, self.mcp_stdio(stdio, scope)),
            _ => return None,
        };
        members.push(("transport".into(), transport));
        self.connector(with, queue, MCP, members)
    }

    /// The parameters; what a method cannot do without is asked for.
    fn mcp_parameters(&mut self, with: At<'t>, method: Option<&str>) -> Option<At<'t>> {
        let needed = match method {
            Some("tools/call" | "prompts/get") => "name",
            Some("resources/read") => "uri",
            _ => return with.member("parameters"),
        };
        let parameters = self.require(with, "parameters")?;
        self.require(parameters, needed);
        Some(parameters)
    }

    fn mcp_timeout(&mut self, at: At<'t>) -> Option<Template> {
        let ms = self.fixed_ms(at)?;
        if !(1..=TIMEOUT_MS_MAX).contains(&ms) {
            let minutes = TIMEOUT_MS_MAX / 60_000;
            let message = format!("`timeout` must be from 1 ms to {minutes} minutes, not {ms} ms");
            self.findings.error(at, "bad-value", message);
            return None;
        }
        let ms = i64::try_from(ms).ok()?;
        Some(Template::Literal(Value::Int(ms)))
    }

    fn mcp_client(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        self.known(at, &["name", "version", "description"]);
        let required = [self.require(at, "name"), self.require(at, "version")];
        let texts = required
            .into_iter()
            .flatten()
            .chain(at.member("description"));
        let members = texts
            .map(|at| (at.key().into(), self.text_template(at, scope)))
            .collect();
        together(members)
    }

    fn mcp_http(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        self.known(at, &["endpoint", "headers"]);
        let mut members = Members::new();
        if let Some(headers) = at.member("headers") {
            members.push(("headers".into(), self.pairs(headers, false, scope)));
        }
        let endpoint = self.require(at, "endpoint")?;
        let (endpoint, policy) = self.endpoint(endpoint, scope)?;
        members.push(("endpoint".into(), Some(endpoint)));
        members.extend(policy.map(|policy| ("authentication".into(), Some(policy))));
        together(members)
    }

    fn mcp_stdio(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        self.known(at, &["command", "arguments", "environment"]);
        let command = self.require(at, "command");
        let command = command.and_then(|command| self.text_template(command, scope));
        let mut members: Members = vec![("command".into(), command)];
        if let Some(arguments) = at.member("arguments") {
            members.push(("arguments".into(), self.arguments(arguments, scope)));
        }
        if let Some(environment) = at.member("environment") {
            let environment = self.map_template(environment, scope);
            members.push(("environment".into(), environment));
        }
        together(members)
    }
}

/// Members as one object; none if one of them is wrong.
fn together(members: Members) -> Option<Template> {
    let members = members
        .into_iter()
        .map(|(key, value)| Some((key, value?)))
        .collect::<Option<_>>()?;
    Some(Template::Object(members))
}
