//! Owns tasks about events: `listen` and `emit`.
//!
//! Invariants: a filter names one literal type, so that a waiting run can be found by it; an expression
//! on `data` is a condition, everything else in a filter must be equal.

use graph::ir::{Filter, Kind, Listen, Need};
use graph::value::Str;
use graph::{Expr, Template};

use crate::expression::{to_expression, unwrap};
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// The key of a task's metadata that makes a `listen` deaf to what was kept from before.
const TRANSIENT: &str = "dev.quadrille/transient";

impl<'t> Lowering<'t> {
    pub(super) fn listen(&mut self, task: At<'t>, at: At<'t>, scope: &Scope) -> Option<Kind> {
        self.refuse(
            task,
            &[(
                "foreach",
                "listen inside of a `call: loop` and handle one event each round",
            )],
        );
        self.known(at, &["to", "read"]);
        let envelope = match at
            .member("read")
            .and_then(|read| Some((read, self.word(read, &["data", "envelope", "raw"])?)))
        {
            Some((read, "raw")) => {
                self.unsupported(
                    read,
                    "`read: raw`",
                    "use `envelope` for the whole event or `data` for its data",
                );
                false
            }
            read => read.is_some_and(|(_, word)| word == "envelope"),
        };
        let to = self.require(at, "to")?;
        self.known(to, &["one", "any", "all", "until"]);
        self.refuse(
            to,
            &[(
                "until",
                "listen inside of a `call: loop` with its own `until`",
            )],
        );
        let chosen: Vec<At<'t>> = ["one", "any", "all"]
            .iter()
            .filter_map(|key| to.member(key))
            .collect();
        let [chosen] = chosen[..] else {
            self.findings.error_key(
                to,
                "bad-value",
                "`to` needs exactly one of `one`, `any`, `all`",
            );
            return None;
        };
        let elements = if chosen.key() == "one" {
            vec![chosen]
        } else {
            self.list(chosen)?
        };
        if elements.is_empty() {
            self.unsupported(
                chosen,
                "listening to every event",
                "list the events that are meant, each with its `type`",
            );
        }
        let filters: Vec<_> = elements
            .into_iter()
            .map(|filter| self.filter(filter, scope))
            .collect();
        let filters: Vec<_> = filters.into_iter().collect::<Option<_>>()?;
        let need = if chosen.key() == "all" {
            Need::All
        } else {
            Need::Count(1)
        };
        Some(Kind::Listen(Listen {
            filters,
            need,
            envelope,
        }))
    }

    /// A `listen` as its metadata wants it: perhaps deaf to what was kept from before.
    pub(super) fn heeding_metadata(&mut self, task: At<'t>, mut kind: Kind) -> Kind {
        if let (Some(metadata), Kind::Listen(listen)) = (task.member("metadata"), &mut kind) {
            let transient = self.flag(metadata, TRANSIENT, false);
            let filters = listen.filters.iter_mut();
            filters.for_each(|filter| filter.transient = transient);
        }
        kind
    }

    fn filter(&mut self, at: At<'t>, scope: &Scope) -> Option<Filter> {
        self.known(at, &["with", "correlate"]);
        self.filter_of(at, scope)
    }

    /// The filter that stands in a map, perhaps beside other things.
    pub(super) fn filter_of(&mut self, at: At<'t>, scope: &Scope) -> Option<Filter> {
        let correlate = at
            .member("correlate")
            .map_or(Some(Vec::new()), |correlate| {
                self.correlation(correlate, scope)
            });
        let attributes = self.require(at, "with")?;
        if !attributes.is_map() {
            self.wrong(attributes, "a map");
            return None;
        }
        let event_type = self
            .require(attributes, "type")
            .and_then(|kind| self.name(kind));
        let (mut with, mut when) = (Vec::new(), None);
        for member in attributes
            .children()
            .filter(|member| member.key() != "type")
        {
            if member.key() == "data" && member.text().is_some_and(|text| unwrap(text).is_some()) {
                let condition = self.expression(member, scope).map(Template::Expr);
                when = condition
                    .map(|condition| Expr(format!(".data | {}", to_expression(&condition)).into()));
            } else {
                with.push(
                    self.template(member, scope)
                        .map(|value| (Str::from(member.key()), value)),
                );
            }
        }
        let with = with.into_iter().collect::<Option<_>>()?;
        Some(Filter {
            transient: false,
            event_type: event_type?,
            with,
            when,
            correlate: correlate?,
        })
    }

    fn correlation(&mut self, at: At<'t>, scope: &Scope) -> Option<Vec<(Expr, Template)>> {
        if !at.is_map() {
            self.wrong(at, "a map");
            return None;
        }
        let mut pairs = Vec::new();
        for key in at.children() {
            self.known(key, &["from", "expect"]);
            let from = self
                .require(key, "from")
                .and_then(|from| self.expression(from, scope));
            let expect = match key.member("expect") {
                Some(expect) => self.template(expect, scope),
                None if key.is_map() => {
                    let advice = "say with `expect: ${ … }` what it must equal";
                    self.unsupported(key, "correlation to whatever comes first", advice);
                    None
                }
                None => None,
            };
            pairs.push(from.zip(expect));
        }
        pairs.into_iter().collect()
    }

    pub(super) fn emit(&mut self, at: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(at, &["event"]);
        let event = self.require(at, "event")?;
        self.known(event, &["with"]);
        let with = self.require(event, "with")?;
        if !with.is_map() {
            self.wrong(with, "a map");
            return None;
        }
        if let Some(kind) = self.require(with, "type") {
            self.text_template(kind, scope);
        }
        self.template(with, scope).map(Kind::Emit)
    }
}
