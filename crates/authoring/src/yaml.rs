//! Owns [`Tree`]: a YAML or JSON text as data in which every node knows its place.
//!
//! Invariants: keys of a map are text and differ; nesting, size and count of nodes are bounded before
//! anything is allocated for them. Anchors, aliases and tags are refused: a definition says what it
//! means, and nothing in it can multiply.

use std::collections::HashSet;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span};
use graph::value::{Object, Str, Value};

use crate::finding::{Findings, Severity, quote};

/// The largest text, in bytes.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// How deep lists and maps may nest.
pub const NESTING_MAX: usize = 64;

/// The most scalars, lists and maps in a text.
pub const TREE_NODES_MAX: usize = 100_000;

/// A place in the text, counted from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A text as data; the first node is the root.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    mark: Mark,
    up: usize,
    step: Step,
    data: Data,
    /// Where the first character of a text stands, when the text reads as it is written, on one line.
    verbatim: Option<Mark>,
}

/// How a node is reached from the one above.
#[derive(Debug)]
enum Step {
    Key(Str, Mark),
    Element(usize),
}

/// What a node holds.
#[derive(Debug)]
pub(crate) enum Data {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Str),
    List(Vec<usize>),
    Map(Vec<usize>),
}

/// A node of a tree, as a handle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'t> {
    tree: &'t Tree,
    id: usize,
}

impl Tree {
    pub(crate) fn root(&self) -> At<'_> {
        At { tree: self, id: 0 }
    }

    /// The node at a JSON pointer, or the deepest one on the way to it.
    pub(crate) fn find(&self, path: &str) -> At<'_> {
        let mut at = self.root();
        for step in path.split('/').skip(1) {
            match at.children().find(|child| child.step() == step) {
                Some(child) => at = child,
                None => break,
            }
        }
        at
    }
}

impl<'t> At<'t> {
    fn node(self) -> &'t Node {
        &self.tree.nodes[self.id]
    }

    pub(crate) fn data(self) -> &'t Data {
        &self.node().data
    }

    pub(crate) fn mark(self) -> Mark {
        self.node().mark
    }

    /// Where the key stands that this is the value of; else where this stands.
    pub(crate) fn key_mark(self) -> Mark {
        match &self.node().step {
            Step::Key(_, mark) => *mark,
            Step::Element(_) => self.mark(),
        }
    }

    /// The key that this is the value of; empty for elements and the root.
    pub(crate) fn key(self) -> &'t str {
        match &self.node().step {
            Step::Key(key, _) => key,
            Step::Element(_) => "",
        }
    }

    /// Where the first character of this text stands, if the text reads as it is written.
    pub(crate) fn verbatim(self) -> Option<Mark> {
        self.node().verbatim
    }

    fn step(self) -> String {
        match &self.node().step {
            Step::Key(key, _) => key.replace('~', "~0").replace('/', "~1"),
            Step::Element(index) => index.to_string(),
        }
    }

    /// The JSON pointer of this node.
    pub(crate) fn path(self) -> String {
        let mut steps = Vec::new();
        let mut at = self;
        while at.id != 0 {
            steps.push(at.step());
            at.id = at.node().up;
        }
        steps
            .iter()
            .rev()
            .fold(String::new(), |path, step| path + "/" + step)
    }

    /// The elements of a list or values of a map, in the order of the text.
    pub(crate) fn children(self) -> impl DoubleEndedIterator<Item = At<'t>> + Clone {
        let ids: &[usize] = match self.data() {
            Data::List(ids) | Data::Map(ids) => ids,
            _ => &[],
        };
        ids.iter().map(move |id| At {
            tree: self.tree,
            id: *id,
        })
    }

    /// The value under a key, if this is a map that has it.
    pub(crate) fn member(self, key: &str) -> Option<At<'t>> {
        self.is_map()
            .then(|| self.children().find(|child| child.key() == key))
            .flatten()
    }

    pub(crate) fn is_map(self) -> bool {
        matches!(self.data(), Data::Map(_))
    }

    pub(crate) fn is_list(self) -> bool {
        matches!(self.data(), Data::List(_))
    }

    pub(crate) fn text(self) -> Option<&'t Str> {
        match self.data() {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What this is, in an author's words.
    pub(crate) fn kind(self) -> &'static str {
        match self.data() {
            Data::Null => "nothing",
            Data::Bool(_) => "true or false",
            Data::Int(_) | Data::Float(_) => "a number",
            Data::Text(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// The data as it stands, expressions unread.
    pub(crate) fn value(self) -> Value {
        match self.data() {
            Data::Null => Value::Null,
            Data::Bool(truth) => Value::Bool(*truth),
            Data::Int(number) => Value::Int(*number),
            Data::Float(number) => Value::float(*number),
            Data::Text(text) => Value::Text(text.clone()),
            Data::List(_) => Value::array(self.children().map(At::value).collect()),
            Data::Map(_) => Value::object(
                self.children()
                    .map(|child| (child.key().into(), child.value()))
                    .collect::<Object>(),
            ),
        }
    }

    /// Bytes of text below, and some for each node.
    pub(crate) fn weight(self) -> usize {
        let own = self.text().map_or(0, |text| text.len()) + self.key().len() + 16;
        own + self.children().map(At::weight).sum::<usize>()
    }
}

/// Reads one document. None when it has no readable structure; the findings then say why.
pub(crate) fn parse(text: &str, findings: &mut Findings) -> Option<Tree> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!(
            "the text has {} bytes, more than {TEXT_BYTES_MAX}; split the workflow",
            text.len()
        );
        refuse(findings, START, "too-large", message);
        return None;
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = NESTING_MAX + 2;
    options.block_nesting_limit = NESTING_MAX + 2;
    let mut builder = Builder {
        text,
        tree: Tree::default(),
        open: Vec::new(),
        findings,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let stop = match event {
            Ok((event, span)) => builder.event(event, span).is_none(),
            Err(error) => {
                builder.unreadable(&error);
                true
            }
        };
        if stop {
            return None;
        }
    }
    if builder.tree.nodes.is_empty() {
        refuse(
            builder.findings,
            START,
            "yaml-syntax",
            "the text is empty; a workflow has at least `document` and `do`".into(),
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

fn refuse(findings: &mut Findings, mark: Mark, code: &'static str, message: String) {
    findings.add(mark, String::new, Severity::Error, code, message);
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
            refuse(
                self.findings,
                start,
                "yaml-feature",
                "anchors and aliases are not read; write the value out where it is needed".into(),
            );
        }
        if event.tag().is_some() {
            refuse(
                self.findings,
                start,
                "yaml-feature",
                "tags such as `!!str` are not read; quote a value to make it text".into(),
            );
        }
        match event {
            Event::Scalar(text, style, ..) if self.wants_key() => self.key(&text, style, start),
            Event::Scalar(text, style, ..) => {
                let data = if style == ScalarStyle::Plain {
                    self.plain(&text, start)
                } else {
                    Data::Text(text.as_ref().into())
                };
                let verbatim = verbatim(span.slice(self.text), &text, start);
                self.node(start, data, verbatim).map(|_| ())
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) if !self.wants_key() => {
                self.node(start, Data::Null, None).map(|_| ())
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if !self.wants_key() => {
                let is_map = matches!(event, Event::MappingStart(..));
                let id = self.node(
                    start,
                    if is_map {
                        Data::Map(Vec::new())
                    } else {
                        Data::List(Vec::new())
                    },
                    None,
                )?;
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
            Event::SequenceStart(..)
            | Event::MappingStart(..)
            | Event::Alias(_)
            | Event::UnresolvedAlias(_) => {
                refuse(
                    self.findings,
                    start,
                    "yaml-feature",
                    "a key must be text; if this is a value that starts with { or [, quote it"
                        .into(),
                );
                None
            }
            Event::SequenceEnd | Event::MappingEnd => self.open.pop().map(|_| ()),
            Event::DocumentStart(..) if !self.tree.nodes.is_empty() => {
                refuse(
                    self.findings,
                    start,
                    "yaml-feature",
                    "a second document starts here; keep one workflow in a text".into(),
                );
                None
            }
            _ => Some(()),
        }
    }

    fn unreadable(&mut self, error: &ScanError) {
        let mark = mark(error.marker());
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            return self.too_deep(mark);
        }
        let info = error.info();
        let fix = if info.contains("tab") {
            "; indent with spaces"
        } else {
            ""
        };
        refuse(
            self.findings,
            mark,
            "yaml-syntax",
            format!("not readable as YAML or JSON: {info}{fix}"),
        );
    }

    fn too_deep(&mut self, mark: Mark) {
        let message = format!(
            "lists and maps nest deeper than {NESTING_MAX}; take inner tasks out into `use.functions` or a workflow of their own"
        );
        refuse(self.findings, mark, "too-deep", message);
    }

    fn wants_key(&self) -> bool {
        let Some(open) = self.open.last() else {
            return false;
        };
        open.key.is_none() && matches!(self.tree.nodes[open.id].data, Data::Map(_))
    }

    fn key(&mut self, text: &str, style: ScalarStyle, start: Mark) -> Option<()> {
        if style == ScalarStyle::Plain && text == "<<" {
            refuse(
                self.findings,
                start,
                "yaml-feature",
                "merge keys (<<) are not read; write the members out".into(),
            );
        }
        let open = self.open.last_mut()?;
        open.key = Some((text.into(), start));
        if !open.seen.insert(text.into()) {
            refuse(
                self.findings,
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
            refuse(
                self.findings,
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
            refuse(
                self.findings,
                mark,
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
        && &source[1..=text.len()] == text;
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
