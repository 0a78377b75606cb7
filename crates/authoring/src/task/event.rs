//! Owns tasks about events: `listen` and `emit`.
//!
//! Invariants: a filter names one literal type, so that a waiting run can be found by it, or none at all; an
//! expression on `data` is a condition, everything else in a filter must be equal.

use graph::ir::{EachEvent, Filter, Kind, Listen, Need, Until};
use graph::value::Str;
use graph::{Expr, Template};

use crate::event::TEXTS;
use crate::expression::{to_expression, unwrap};
use crate::lowering::{Lowering, Scope};
use crate::tree::{At, Data};

/// What must equal something, and what the first event settles by name.
type Correlation = (Vec<(Expr, Template)>, Vec<(Str, Expr)>);

/// The key of a task's metadata that makes a `listen` deaf to what was kept from before.
const TRANSIENT: &str = "dev.quadrille/transient";

impl<'t> Lowering<'t> {
    pub(super) fn listen(&mut self, task: At<'t>, at: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(at, &["to", "read"]);
        let envelope = self.read(at);
        let each = match task.member("foreach") {
            Some(foreach) => Some(self.each_event(foreach, scope)?),
            None => None,
        };
        let to = self.require(at, "to")?;
        let need = if self.is_drawn { &["need"][..] } else { &[] };
        self.known(to, &[&["one", "any", "all", "until"], need].concat());
        let (filters, need) = self.strategy(to, scope)?;
        let until = match to.member("until") {
            Some(until) if to.member("any").is_none() => {
                let message = "`until` counts with `any` only; `one` and `all` end by themselves, so remove it";
                self.findings.warning(until, "unused", message);
                None
            }
            Some(until) => Some(self.until(until, scope)?),
            None => None,
        };
        Some(Kind::Listen(Listen {
            filters,
            need,
            envelope,
            until,
            each,
        }))
    }

    /// A `listen` as its metadata wants it: perhaps deaf to what was kept from before.
    pub(super) fn heeding_metadata(&mut self, task: At<'t>, mut kind: Kind) -> Kind {
        if let (Some(metadata), Kind::Listen(listen)) = (task.member("metadata"), &mut kind) {
            let transient = self.flag(metadata, TRANSIENT, false);
            let filters = listen.filters.iter_mut();
            filters.for_each(|filter| filter.transient |= transient);
        }
        kind
    }

    /// What of an event is handed on. Events come in as JSON, so raw data is data.
    pub(crate) fn read(&mut self, at: At<'t>) -> bool {
        at.member("read")
            .and_then(|read| self.word(read, &["data", "envelope", "raw"]))
            .is_some_and(|word| word == "envelope")
    }

    /// `one`, `any` or `all`: the filters, and how many of them must meet their event.
    pub(crate) fn strategy(&mut self, to: At<'t>, scope: &Scope) -> Option<(Vec<Filter>, Need)> {
        let chosen: Vec<At<'t>> = ["one", "any", "all"]
            .iter()
            .filter_map(|key| to.member(key))
            .collect();
        let [chosen] = chosen[..] else {
            if to.is_map() {
                let message = format!("`{}` needs exactly one of `one`, `any`, `all`", to.key());
                self.findings.error_key(to, "bad-value", message);
            }
            return None;
        };
        let elements = match chosen.key() {
            "one" => vec![chosen],
            _ => self.list(chosen)?,
        };
        if elements.is_empty() && chosen.key() == "any" {
            let every = Filter {
                event_type: "".into(),
                with: Vec::new(),
                when: None,
                correlate: Vec::new(),
                bind: Vec::new(),
                transient: false,
            };
            return Some((vec![every], Need::Count(1)));
        }
        if elements.is_empty() {
            let message = "`all` needs at least one event; to take every event write `any: []`";
            self.findings.error(chosen, "empty-list", message);
        }
        let filters: Vec<_> = elements
            .into_iter()
            .map(|filter| self.filter(filter, scope))
            .collect();
        let filters: Vec<_> = filters.into_iter().collect::<Option<_>>()?;
        let count = u32::try_from(filters.len()).unwrap_or(u32::MAX);
        let need = match chosen.key() {
            "all" => Need::All,
            _ if self.is_drawn => self.need(to, count).unwrap_or(Need::Count(1)),
            _ => Need::Count(1),
        };
        Some((filters, need))
    }

    fn until(&mut self, at: At<'t>, scope: &Scope) -> Option<Until> {
        match at.data() {
            Data::Bool(false) => Some(Until::Never),
            Data::Map(_) => {
                self.known(at, &["one", "any", "all"]);
                let (filters, need) = self.strategy(at, scope)?;
                Some(Until::Events { filters, need })
            }
            Data::Text(_) => match self.expression_of(at, &["boolean"], scope)? {
                never if &*never.0 == "false" => Some(Until::Never),
                condition => Some(Until::Holds(condition)),
            },
            _ => {
                self.wrong(at, "an expression, events, or false");
                None
            }
        }
    }

    /// `foreach`: its tasks as one task, whose output and export are those of the event.
    fn each_event(&mut self, at: At<'t>, scope: &Scope) -> Option<EachEvent> {
        self.known(at, &["item", "at", "do", "output", "export"]);
        let (each, index, inner) = self.bind_each(at, "item", scope);
        let body = self.add_body(at, &inner)?;
        let node = self.add_node(at, "foreach", body)?;
        self.graph.bodies[body.0 as usize].first = Some(node);
        let inside = Scope {
            depth: inner.depth + 1,
            ..inner
        };
        let output = at.member("output");
        let export = at.member("export");
        let output = output.and_then(|at| self.shaping(at, "as", &inside));
        let export = export.and_then(|at| self.shaping(at, "as", &inside));
        let schemas = self.schemas(at);
        let kind = match at.member("do") {
            Some(list) => Kind::Do(self.body(list, &inside)?),
            None => Kind::Set(Template::identity()),
        };
        let made = self.node(node);
        (made.output, made.export, made.schemas) = (output, export, schemas);
        made.kind = kind;
        Some(EachEvent {
            each,
            at: index,
            body,
        })
    }

    fn filter(&mut self, at: At<'t>, scope: &Scope) -> Option<Filter> {
        let condition = if self.is_drawn {
            &["when", "transient"][..]
        } else {
            &[]
        };
        self.known(at, &[&["with", "correlate"], condition].concat());
        self.filter_of(at, scope)
    }

    /// The filter that stands in a map, perhaps beside other things.
    pub(super) fn filter_of(&mut self, at: At<'t>, scope: &Scope) -> Option<Filter> {
        let correlate = at
            .member("correlate")
            .map_or(Some(Correlation::default()), |correlate| {
                self.correlation(correlate, scope)
            });
        let attributes = self.require(at, "with")?;
        if !attributes.is_map() {
            self.wrong(attributes, "a map");
            return None;
        }
        let says_more = self.is_drawn && (at.member("when").or(at.member("correlate"))).is_some();
        if attributes.children().next().is_none() && !says_more {
            let message = "the filter says nothing of the event; add its `type`, or write `any: []` to take every event";
            self.findings.error(attributes, "missing-key", message);
        }
        let event_type = match attributes.member("type") {
            Some(kind) => self.name(kind),
            None => Some("".into()),
        };
        let (mut with, mut when) = (Vec::new(), None);
        let whole = match self.is_drawn {
            true => self.optional_condition(at, "when", scope),
            false => None,
        };
        for member in attributes
            .children()
            .filter(|member| member.key() != "type")
        {
            if member.key() == "data" && member.text().is_some_and(|text| unwrap(text).is_some()) {
                let condition = self.expression(member, scope).map(Template::Expr);
                if whole.is_some() {
                    let message =
                        "a filter has one condition; add this one to its `when`, as .data | …";
                    self.findings.error(member, "bad-value", message);
                }
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
        let (correlate, bind) = correlate?;
        Some(Filter {
            transient: self.is_drawn && self.flag(at, "transient", false),
            event_type: event_type?,
            with,
            when: whole.or(when),
            correlate,
            bind,
        })
    }

    fn correlation(&mut self, at: At<'t>, scope: &Scope) -> Option<Correlation> {
        if !at.is_map() {
            self.wrong(at, "a map");
            return None;
        }
        let (mut pairs, mut names) = (Vec::new(), Vec::new());
        for key in at.children() {
            self.known(key, &["from", "expect"]);
            let from = self
                .require(key, "from")
                .and_then(|from| self.expression(from, scope));
            match key.member("expect") {
                Some(expect) => pairs.push(from.zip(self.template(expect, scope))),
                None => names.push(from.map(|from| (key.key().into(), from))),
            }
        }
        let pairs = pairs.into_iter().collect::<Option<_>>()?;
        Some((pairs, names.into_iter().collect::<Option<_>>()?))
    }

    pub(super) fn emit(&mut self, at: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(at, &["event"]);
        let event = self.require(at, "event")?;
        self.known(event, &["with"]);
        let with = self.require(event, "with")?;
        if self.is_drawn && !with.is_map() {
            return self.map_template(with, scope).map(Kind::Emit);
        }
        if !with.is_map() {
            self.wrong(with, "a map");
            return None;
        }
        if let Some(kind) = self.require(with, "type") {
            self.text_template(kind, scope);
        }
        for member in TEXTS.iter().filter_map(|key| with.member(key)) {
            self.template_of(member, &["string"], scope);
        }
        self.template(with, scope).map(Kind::Emit)
    }
}
