//! Owns [`Tree`]: a text as data in which every node knows its place, and [`At`], a node as a handle.
//!
//! Invariant: keys of a map are text and differ, and a tree is no deeper than
//! [`NESTING_MAX`](crate::yaml::NESTING_MAX), so walking it down needs no further care.

use graph::value::{Object, Str, Value};

/// A place in the text, counted from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A text as data; the first node is the root.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

/// One scalar, list or map.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    /// The list or map that it is in; the root is in itself.
    pub(crate) up: usize,
    pub(crate) step: Step,
    pub(crate) data: Data,
    /// Where the first character of a text stands, when the text reads as it is written, on one line.
    pub(crate) verbatim: Option<Mark>,
}

/// How a node is reached from the one above.
#[derive(Debug)]
pub(crate) enum Step {
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
        self.at(0)
    }

    pub(crate) fn at(&self, id: usize) -> At<'_> {
        At { tree: self, id }
    }

    /// As [`At::find`], from the root.
    pub(crate) fn find(&self, path: &str) -> At<'_> {
        self.root().find(path)
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

    /// Whether this is text that stands without quotation marks.
    pub(crate) fn is_plain(self) -> bool {
        self.text().is_some() && self.verbatim() == Some(self.mark())
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

    /// The node at a JSON pointer from here, or the deepest one on the way to it.
    pub(crate) fn find(self, path: &str) -> At<'t> {
        let mut at = self;
        for step in path.split('/').skip(1) {
            let child = match at.data() {
                Data::List(_) => step.parse().ok().and_then(|index| at.children().nth(index)),
                _ => at.member(&step.replace("~1", "/").replace("~0", "~")),
            };
            match child {
                Some(child) => at = child,
                None => break,
            }
        }
        at
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
