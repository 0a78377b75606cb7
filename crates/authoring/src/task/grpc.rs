//! Owns `call: grpc`: a task of the queue `grpc`, with all that can be known before its `.proto` file is read.

use graph::Template;
use graph::ir::Kind;
use graph::value::Value;

use super::connector::Members;
use crate::expression::unwrap;
use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

impl<'t> Lowering<'t> {
    pub(super) fn grpc(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(with, &["proto", "service", "method", "arguments"]);
        let proto = self
            .require(with, "proto")
            .and_then(|at| self.resource(at, scope));
        let service = self
            .require(with, "service")
            .and_then(|at| self.grpc_service(at, scope));
        let method = self
            .require(with, "method")
            .and_then(|at| self.grpc_name(at, false, scope));
        let mut members: Members = vec![
            ("proto".into(), proto),
            ("service".into(), service),
            ("method".into(), method),
        ];
        if let Some(arguments) = with.member("arguments") {
            // A list is a stream of messages, and some messages are written as text or numbers.
            members.push(("arguments".into(), self.map_or(arguments, &[], scope)));
        }
        self.connector(with, "grpc", "grpc", members)
    }

    fn grpc_service(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        self.known(at, &["name", "host", "port", "authentication"]);
        let name = self
            .require(at, "name")
            .and_then(|at| self.grpc_name(at, true, scope));
        let host = self
            .require(at, "host")
            .and_then(|at| self.grpc_host(at, scope));
        let mut members = vec![("name".into(), name), ("host".into(), host)];
        if at.member("port").is_some() {
            let port = self.count(at, "port", 1, u32::from(u16::MAX));
            let port = port.map(|port| Template::Literal(Value::Int(port.into())));
            members.push(("port".into(), port));
        }
        if let Some(policy) = at.member("authentication") {
            let template = self.authentication(policy, scope);
            if let Some(Template::Object(kinds)) = &template
                && kinds.iter().any(|(kind, _)| &**kind == "digest")
            {
                let message = "`digest` answers a challenge, which gRPC does not make; use basic, bearer, oauth2 or oidc";
                self.findings.error(policy, "bad-value", message);
            }
            members.push(("authentication".into(), template));
        }
        let members = members
            .into_iter()
            .map(|(key, value)| Some((key, value?)))
            .collect::<Option<_>>()?;
        Some(Template::Object(members))
    }

    /// The name of a service, with its package, or of a method, without.
    fn grpc_name(&mut self, at: At<'t>, has_package: bool, scope: &Scope) -> Option<Template> {
        let text = at.text().filter(|text| unwrap(text).is_none());
        let is_identifier = |part: &str| {
            let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
            part.starts_with(letter) && part.chars().all(|c| letter(c) || c.is_ascii_digit())
        };
        if let Some(text) = text {
            let fits = match has_package {
                true => text.split('.').all(is_identifier),
                false => is_identifier(text),
            };
            if !fits {
                let wanted = match has_package {
                    true => "a service; write it with its package, as in shop.v1.Orders",
                    false => "a method; write its name alone, as in GetOrder",
                };
                let message = format!("{} is not the name of {wanted}", quote(text));
                self.findings.error(at, "bad-value", message);
                return None;
            }
        }
        self.text_template(at, scope)
    }

    fn grpc_host(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        if let Some(text) = at.text().filter(|text| unwrap(text).is_none()) {
            let host = text
                .strip_prefix("https://")
                .or_else(|| text.strip_prefix("http://"))
                .unwrap_or(text);
            let foreign = |c: char| c.is_whitespace() || "/?#@\\{}".contains(c);
            if host.is_empty() || host.contains(foreign) {
                let message = format!(
                    "{} is not a host; write a name or an address, as in api.example or https://api.example, or one expression wrapped in ${{ }}",
                    quote(text)
                );
                self.findings.error(at, "bad-value", message);
                return None;
            }
        }
        self.text_template(at, scope)
    }
}
