//! Owns `call: asyncapi` and `call: a2a`: read and checked whole, so that a document is right before there is a
//! connector for it, and refused as there is none yet.

use graph::ir::Kind;

use super::connector::OTHERWISE;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// Protocols that the language names.
const PROTOCOLS: [&str; 19] = [
    "amqp",
    "amqp1",
    "anypointmq",
    "googlepubsub",
    "http",
    "ibmmq",
    "jms",
    "kafka",
    "mercure",
    "mqtt",
    "mqtt5",
    "nats",
    "pulsar",
    "redis",
    "sns",
    "solace",
    "sqs",
    "stomp",
    "ws",
];

const A2A_METHODS: [&str; 11] = [
    "message/send",
    "message/stream",
    "tasks/get",
    "tasks/list",
    "tasks/cancel",
    "tasks/resubscribe",
    "tasks/pushNotificationConfig/set",
    "tasks/pushNotificationConfig/get",
    "tasks/pushNotificationConfig/list",
    "tasks/pushNotificationConfig/delete",
    "agent/getAuthenticatedExtendedCard",
];

/// The most messages that a subscription may ask for.
const CONSUMED_MAX: u32 = 1_000_000;

impl<'t> Lowering<'t> {
    pub(super) fn asyncapi(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(
            with,
            &[
                "document",
                "channel",
                "operation",
                "server",
                "protocol",
                "message",
                "subscription",
                "authentication",
            ],
        );
        if let Some(document) = self.require(with, "document") {
            self.resource(document, scope);
        }
        self.one_of(with, ["operation", "channel"]);
        for key in ["operation", "channel"] {
            if let Some(name) = with.member(key) {
                self.text_template(name, scope);
            }
        }
        if let Some(server) = with.member("server") {
            self.known(server, &["name", "variables"]);
            if let Some(name) = self.require(server, "name") {
                self.text_template(name, scope);
            }
            if let Some(variables) = server.member("variables") {
                self.map_template(variables, scope);
            }
        }
        if let Some(protocol) = with.member("protocol") {
            self.word(protocol, &PROTOCOLS);
        }
        self.one_of(with, ["message", "subscription"]);
        if let Some(message) = with.member("message") {
            self.outbound(message, scope);
        }
        if let Some(subscription) = with.member("subscription") {
            self.subscription(subscription, scope);
        }
        if let Some(policy) = with.member("authentication") {
            self.authentication(policy, scope);
        }
        self.unsupported(with, "`call: asyncapi`", OTHERWISE);
        None
    }

    /// A message to send.
    fn outbound(&mut self, at: At<'t>, scope: &Scope) {
        self.known(at, &["payload", "headers"]);
        if let Some(payload) = at.member("payload") {
            self.template(payload, scope);
        }
        if let Some(headers) = at.member("headers") {
            self.map_template(headers, scope);
        }
    }

    /// Messages to wait for.
    fn subscription(&mut self, at: At<'t>, scope: &Scope) {
        self.known(at, &["filter", "consume", "foreach"]);
        if let Some(filter) = at.member("filter") {
            self.expression(filter, scope);
        }
        if let Some(consume) = self.require(at, "consume") {
            self.known(consume, &["for", "amount", "while", "until"]);
            let ways = ["amount", "while", "until"];
            let given = ways.iter().filter(|way| consume.member(way).is_some());
            if consume.is_map() && given.count() != 1 {
                let message = "exactly one of `amount`, `while` and `until` is needed here";
                self.findings.error_key(consume, "bad-value", message);
            }
            if consume.member("amount").is_some() {
                self.count(consume, "amount", 1, CONSUMED_MAX);
            }
            for key in ["while", "until"] {
                if let Some(condition) = consume.member(key) {
                    self.expression(condition, scope);
                }
            }
            if let Some(time) = consume.member("for") {
                self.fixed_ms(time);
            }
        }
        if let Some(iterator) = at.member("foreach") {
            self.known(iterator, &["item", "at", "do", "output", "export"]);
        }
    }

    pub(super) fn a2a(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(with, &["method", "agentCard", "server", "parameters"]);
        if let Some(method) = self.require(with, "method") {
            self.word(method, &A2A_METHODS);
        }
        let (card, server) = (with.member("agentCard"), with.member("server"));
        if let Some(card) = card {
            self.resource(card, scope);
        }
        if let Some(server) = server {
            self.endpoint(server, scope);
        } else if card.is_none() {
            self.require(with, "agentCard");
        }
        if let Some(parameters) = with.member("parameters") {
            self.map_template(parameters, scope);
        }
        self.unsupported(with, "`call: a2a`", OTHERWISE);
        None
    }
}
