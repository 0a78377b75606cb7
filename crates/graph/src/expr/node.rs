//! Owns the compiled form of an expression: nodes in one list, children before parents.
//!
//! Invariant: nodes refer to each other by index, never by pointer, so that dropping, copying or
//! scanning a program never recurses. Variables are resolved to slots, functions to numbers.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::function::{Special, Strict};
use crate::value::{Str, Value};

/// Index of a node in its program.
pub(super) type NodeId = u32;

/// One operation.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// `.`
    Identity,
    /// A literal.
    Constant(Value),
    /// A variable of the program, by its index.
    Global(u32),
    /// A variable of an enclosing `as`, `reduce` or `foreach`: frames up, then index within.
    Local {
        hops: u32,
        index: u32,
    },
    /// `base.a[b][]`
    Path {
        base: NodeId,
        parts: Box<[Part]>,
    },
    /// `[f]`
    Array(Option<NodeId>),
    /// `{k: v}`
    Object(Box<[(NodeId, NodeId)]>),
    /// `"a\(f)b"`: texts are constants, other parts go through the format.
    Text {
        format: Format,
        parts: Box<[NodeId]>,
    },
    /// `@base64` and the like without a string.
    Convert(Format),
    /// `-f`
    Negate(NodeId),
    Math(Math, NodeId, NodeId),
    Compare(Compare, NodeId, NodeId),
    And(NodeId, NodeId),
    Or(NodeId, NodeId),
    /// `f // g`
    Alternative(NodeId, NodeId),
    Pipe(NodeId, NodeId),
    Comma(Box<[NodeId]>),
    If {
        test: NodeId,
        then: NodeId,
        or: NodeId,
    },
    Try {
        body: NodeId,
        catch: Option<NodeId>,
    },
    /// `source as pattern | body`
    Bind {
        source: NodeId,
        pattern: Pattern,
        body: NodeId,
    },
    Reduce {
        source: NodeId,
        pattern: Pattern,
        start: NodeId,
        update: NodeId,
    },
    Foreach {
        source: NodeId,
        pattern: Pattern,
        start: NodeId,
        update: NodeId,
        extract: Option<NodeId>,
    },
    Label(NodeId),
    Break {
        hops: u32,
    },
    /// A function written in jq; `hops` leads to the frames where it was defined, `None` to the outermost.
    Call {
        function: u32,
        hops: Option<u32>,
        arguments: Box<[NodeId]>,
    },
    /// A parameter of the function around: frames up, then index.
    Parameter {
        hops: u32,
        index: u32,
    },
    /// A built-in function of values.
    Strict(&'static Strict, Box<[NodeId]>),
    /// A built-in function of expressions.
    Special(Special, Box<[NodeId]>),
    /// `path = f`
    Assign(NodeId, NodeId),
    /// `path |= f`
    Update(NodeId, NodeId),
    /// `path += f` and the like; without an operator `path //= f`
    Modify(Option<Math>, NodeId, NodeId),
}

/// One step of a path.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// `.name` or `[literal]`
    Key(Value),
    /// `[f]`
    Index(NodeId),
    /// `[f:g]`
    Slice(Option<NodeId>, Option<NodeId>),
    /// `[]`
    Each,
}

/// Arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Math {
    Add,
    Subtract,
    Multiply,
    Divide,
    Rest,
}

/// Comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// How values become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
    Csv,
    Tsv,
    Html,
    Uri,
    Sh,
    Urid,
    Base32,
    Base32d,
    Base64,
    Base64d,
}

impl Format {
    /// All, by name.
    pub(super) const ALL: [(&'static str, Format); 12] = [
        ("text", Format::Text),
        ("json", Format::Json),
        ("csv", Format::Csv),
        ("tsv", Format::Tsv),
        ("html", Format::Html),
        ("uri", Format::Uri),
        ("urid", Format::Urid),
        ("sh", Format::Sh),
        ("base32", Format::Base32),
        ("base32d", Format::Base32d),
        ("base64", Format::Base64),
        ("base64d", Format::Base64d),
    ];

    /// The format of a name.
    pub(super) fn of(name: &str) -> Option<Format> {
        let mut all = Format::ALL.into_iter();
        all.find(|(known, _)| *known == name)
            .map(|(_, format)| format)
    }
}

/// What `as` binds: one frame with a value for each variable.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    /// `$name`
    Whole,
    /// For each variable, the way from the value to it.
    Parts(Box<[Box<[NodeId]>]>),
}

/// A function written in jq.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    pub(super) body: NodeId,
}

/// A compiled program.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) source: Str,
    pub(super) nodes: Vec<Node>,
    pub(super) functions: Vec<Function>,
    pub(super) root: NodeId,
    /// For each node, how many results it gives.
    pub(super) counts: Vec<Count>,
    /// Which variables are used.
    pub(super) uses: Vec<bool>,
    /// Whether it can build values that are larger than its inputs.
    pub(super) builds: bool,
}

/// How many results a node gives, if it does not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Count {
    /// Any number.
    Any,
    /// One, if each parameter of the function around gives one.
    OneIfParameters,
    /// Always one.
    One,
}
