//! Owns the reading of YAML 1.2 and JSON into a [`Tree`].
//!
//! Invariants: nesting, size and count of nodes are bounded before anything is allocated for them.
//! Anchors, aliases and tags are refused: a definition says what it means, and nothing in it can multiply.

use std::collections::HashSet;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span};
use graph::value::Str;

use crate::finding::{Findings, Severity, quote};
use crate::tree::{Data, Mark, Node, Step, Tree};

/// The largest text, in bytes.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// How deep lists and maps may nest.
pub const NESTING_MAX: usize = 64;

/// The most scalars, lists and maps in a text.
pub const TREE_NODES_MAX: usize = 100_000;

/// Reads one document. None when it has no readable structure; the findings then say why.
pub(crate) fn parse(text: &str, findings: &mut Findings) -> Option<Tree> {
    let mut builder = Builder {
        text,
        tree: Tree::default(),
        open: Vec::new(),
        findings,
    };
    if text.len() > TEXT_BYTES_MAX {
        let message = format!(
            "the text has {} bytes, more than {TEXT_BYTES_MAX}; split the workflow",
            text.len()
        );
        builder.refuse(START, "too-large", message);
        return None;
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = NESTING_MAX + 2;
    options.block_nesting_limit = NESTING_MAX + 2;
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => builder.event(event, span)?,
            Err(error) => {
                builder.unreadable(&error);
                return None;
            }
        }
    }
    if builder.tree.nodes.is_empty() {
        builder.refuse(
            START,
            "yaml-syntax",
            "the text is empty; a workflow has at least `document` and `do`",
        );
        return None;
    }
    Some(builder.tree)
}

const START: Mark = Mark { line: 1, column: 1 };

fn mark(marker: &granit_parser::Marker) -> Mark {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Mark {
        line: count(marker.line().max(1)),
        column: count(marker.col() + 1),
    }
}

/// Makes a tree of events.
struct Builder<'t, 'f> {
    text: &'t str,
    tree: Tree,
    open: Vec<Open>,
    findings: &'f mut Findings,
}

/// A list or map whose end has not come yet.
struct Open {
    id: usize,
    key: Option<(Str, Mark)>,
    seen: HashSet<Str>,
}

impl Builder<'_, '_> {
    /// Takes one event; none when reading on makes no sense.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let start = mark(&span.start);
        if event.anchor_id().is_some() || event.is_alias() {
            self.refuse(
                start,
                "yaml-feature",
                "anchors and aliases are not read; write the value out where it is needed",
            );
        }
        if event.tag().is_some() {
            self.refuse(
                start,
                "yaml-feature",
                "tags such as `!!str` are not read; quote a value to make it text",
            );
        }
        if self.wants_key() && event.is_node() && event.scalar().is_none() {
            self.refuse(
                start,
                "yaml-feature",
                "a key must be text; if this is a value that starts with { or [, quote it",
            );
            return None;
        }
        match event {
            Event::Scalar(text, style, ..) if self.wants_key() => self.key(&text, style, start),
            Event::Scalar(text, style, ..) => {
                let data = match style {
                    ScalarStyle::Plain => self.plain(&text, start),
                    _ => Data::Text(text.as_ref().into()),
                };
                let verbatim = verbatim(span.slice(self.text), &text, start);
                self.node(start, data, verbatim).map(drop)
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.node(start, Data::Null, None).map(drop)
            }
            Event::SequenceStart(..) => self.open(start, Data::List(Vec::new())),
            Event::MappingStart(..) => self.open(start, Data::Map(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => self.open.pop().map(drop),
            Event::DocumentStart(..) if !self.tree.nodes.is_empty() => {
                self.refuse(
                    start,
                    "yaml-feature",
                    "a second document starts here; keep one workflow in a text",
                );
                None
            }
            _ => Some(()),
        }
    }

    /// An error at a place inside of the innermost open list or map.
    fn refuse(&mut self, mark: Mark, code: &'static str, message: impl Into<String>) {
        let path = || {
            self.open
                .last()
                .map_or(String::new(), |open| self.tree.at(open.id).path())
        };
        self.findings
            .add(mark, path, Severity::Error, code, message.into());
    }

    fn open(&mut self, start: Mark, data: Data) -> Option<()> {
        let id = self.node(start, data, None)?;
        self.open.push(Open {
            id,
            key: None,
            seen: HashSet::new(),
        });
        if self.open.len() > NESTING_MAX {
            self.too_deep(start);
            return None;
        }
        Some(())
    }

    fn unreadable(&mut self, error: &ScanError) {
        let mark = mark(error.marker());
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            return self.too_deep(mark);
        }
        let info = error.info();
        let line = self.text.lines().nth(mark.line as usize - 1).unwrap_or("");
        let fix = match () {
            () if info.contains("tab") => "; indent with spaces",
            () if line.contains("${") => "; quote the expression: '${ … }'",
            () => "",
        };
        self.refuse(
            mark,
            "yaml-syntax",
            format!("not readable as YAML or JSON: {info}{fix}"),
        );
    }

    fn too_deep(&mut self, mark: Mark) {
        let message = format!(
            "lists and maps nest deeper than {NESTING_MAX}; take inner tasks out into `use.functions` or a workflow of their own"
        );
        self.refuse(mark, "too-deep", message);
    }

    fn wants_key(&self) -> bool {
        let Some(open) = self.open.last() else {
            return false;
        };
        open.key.is_none() && matches!(self.tree.nodes[open.id].data, Data::Map(_))
    }

    fn key(&mut self, text: &str, style: ScalarStyle, start: Mark) -> Option<()> {
        if style == ScalarStyle::Plain && text == "<<" {
            self.refuse(
                start,
                "yaml-feature",
                "merge keys (<<) are not read; write the members out",
            );
        }
        let open = self.open.last_mut()?;
        open.key = Some((text.into(), start));
        if !open.seen.insert(text.into()) {
            self.refuse(
                start,
                "duplicate-key",
                format!(
                    "the key {} stands twice in this map; keep one of them",
                    quote(text)
                ),
            );
        }
        Some(())
    }

    fn plain(&mut self, text: &str, start: Mark) -> Data {
        let data = plain(text);
        if let Data::Float(number) = data
            && !number.is_finite()
        {
            self.refuse(
                start,
                "bad-value",
                format!(
                    "the number {} is out of range; quote it if text is meant",
                    quote(text)
                ),
            );
            return Data::Null;
        }
        data
    }

    fn node(&mut self, mark: Mark, data: Data, verbatim: Option<Mark>) -> Option<usize> {
        let id = self.tree.nodes.len();
        if id == TREE_NODES_MAX {
            self.refuse(mark,
                "too-large",
                format!(
                    "the text has more than {TREE_NODES_MAX} values; pass large data as input instead"
                ),
            );
            return None;
        }
        let (up, step) = match self.open.last_mut() {
            None => (0, Step::Element(0)),
            Some(open) => {
                let key = open.key.take();
                let (Data::List(children) | Data::Map(children)) =
                    &mut self.tree.nodes[open.id].data
                else {
                    return None;
                };
                let step = key.map_or(Step::Element(children.len()), |(key, mark)| {
                    Step::Key(key, mark)
                });
                children.push(id);
                (open.id, step)
            }
        };
        self.tree.nodes.push(Node {
            mark,
            up,
            step,
            data,
            verbatim,
        });
        Some(id)
    }
}

/// Where a scalar's first character stands, if its source is its text, plain or in quotation marks.
fn verbatim(source: Option<&str>, text: &str, start: Mark) -> Option<Mark> {
    let source = source?;
    if text.contains('\n') {
        return None;
    }
    let quoted = source.len() == text.len() + 2
        && source.starts_with(['"', '\''])
        && source.get(1..=text.len()) == Some(text);
    match quoted {
        true => Some(Mark {
            column: start.column + 1,
            ..start
        }),
        false => (source == text).then_some(start),
    }
}

/// A plain scalar by the core schema of YAML 1.2.
fn plain(text: &str) -> Data {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Data::Null,
        "true" | "True" | "TRUE" => return Data::Bool(true),
        "false" | "False" | "FALSE" => return Data::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Data::Float(f64::NAN),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Data::Float(f64::INFINITY);
    }
    let radix = |prefix, radix| {
        unsigned
            .strip_prefix(prefix)
            .filter(|digits| !digits.starts_with(['+', '-']))
            .and_then(|digits| i64::from_str_radix(digits, radix).ok())
    };
    if unsigned.len() == text.len()
        && let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8))
    {
        return Data::Int(number);
    }
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !text.chars().all(numeric)
    {
        return Data::Text(text.into());
    }
    match (text.parse(), text.parse()) {
        (Ok(number), _) => Data::Int(number),
        (_, Ok(number)) => Data::Float(number),
        _ => Data::Text(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_core_schema() {
        for (text, expected) in [
            ("0x1F", "Int(31)"),
            ("0o17", "Int(15)"),
            ("+7", "Int(7)"),
            ("-0.5e1", "Float(-5.0)"),
            ("1.", "Float(1.0)"),
            ("0x-5", "Text(\"0x-5\")"),
            ("0o+5", "Text(\"0o+5\")"),
            ("-0x5", "Text(\"-0x5\")"),
            ("1_000", "Text(\"1_000\")"),
            ("2024-01-01", "Text(\"2024-01-01\")"),
        ] {
            assert_eq!(format!("{:?}", plain(text)), expected, "{text}");
        }
    }
}
