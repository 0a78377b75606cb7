//! Owns [`Schema`], a compiled schema: a list of rules that refer to each other by number.
//!
//! Invariant: every number leads to a rule, and no chain of rules about the same data comes back to where it
//! began; so checking ends.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::format::Format;
use crate::expr::Pattern;
use crate::value::{Str, Value};

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    /// The first is the whole.
    pub(super) rules: Vec<Rule>,
    /// Whether some rule asks what the others have looked at.
    pub(super) traces: bool,
}

/// Number of a rule.
pub(super) type RuleIndex = usize;

/// One schema or subschema.
#[derive(Debug)]
pub(super) struct Rule {
    /// Where it stands, as a JSON pointer into the schema.
    pub(super) path: Str,
    /// What it demands, each with its keyword; those that ask what others have looked at come last.
    pub(super) demands: Vec<(&'static str, Demand)>,
}

/// A set of kinds of data.
pub(super) type Kinds = u8;

pub(super) const NULL: Kinds = 1;
pub(super) const BOOLEAN: Kinds = 2;
pub(super) const INTEGER: Kinds = 4;
pub(super) const FRACTION: Kinds = 8;
pub(super) const STRING: Kinds = 16;
pub(super) const ARRAY: Kinds = 32;
pub(super) const OBJECT: Kinds = 64;

/// The words for kinds.
pub(super) const KIND_WORDS: [(&str, Kinds); 7] = [
    ("null", NULL),
    ("boolean", BOOLEAN),
    ("number", INTEGER | FRACTION),
    ("integer", INTEGER),
    ("string", STRING),
    ("array", ARRAY),
    ("object", OBJECT),
];

/// What a number is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Least,
    Most,
    Above,
    Below,
}

/// What a count is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    Letters,
    Items,
    Members,
}

/// One thing that a rule demands. Demands on another kind of data than is there are met.
#[derive(Debug)]
pub(super) enum Demand {
    Never,
    Kind(Kinds),
    Among(Vec<Value>),
    Limit(Limit, Value),
    MultipleOf(Value),
    AtLeast(Counted, u64),
    AtMost(Counted, u64),
    Pattern(Pattern),
    Format(Format),
    Unique,
    Required(Vec<Str>),
    /// With the first member the others must be there.
    RequiredWith(Vec<(Str, Vec<Str>)>),
    /// With the member the whole must meet the rule.
    RuleWith(Vec<(Str, RuleIndex)>),
    Members(Box<Members>),
    Names(RuleIndex),
    Items {
        first: Vec<RuleIndex>,
        rest: Option<RuleIndex>,
    },
    Contains {
        rule: RuleIndex,
        min: u64,
        max: Option<u64>,
    },
    All(Vec<RuleIndex>),
    Any(Vec<RuleIndex>),
    One(Vec<RuleIndex>),
    Not(RuleIndex),
    If {
        rule: RuleIndex,
        then: Option<RuleIndex>,
        otherwise: Option<RuleIndex>,
    },
    /// The rule of a reference.
    Rule(RuleIndex),
    /// For the items that no other rule has looked at.
    OtherItems(RuleIndex),
    /// For the members that no other rule has looked at.
    OtherMembers(RuleIndex),
}

/// The rules for members by name.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) named: Vec<(Str, RuleIndex)>,
    pub(super) patterns: Vec<(Pattern, RuleIndex)>,
    /// For all that neither a name nor a pattern means.
    pub(super) rest: Option<RuleIndex>,
}

impl Demand {
    /// The rules that are asked about the same data.
    pub(super) fn beside(&self) -> Vec<RuleIndex> {
        match self {
            Demand::All(rules) | Demand::Any(rules) | Demand::One(rules) => rules.clone(),
            Demand::Not(rule) | Demand::Rule(rule) => Vec::from([*rule]),
            Demand::RuleWith(rules) => rules.iter().map(|(_, rule)| *rule).collect(),
            Demand::If {
                rule,
                then,
                otherwise,
            } => [Some(*rule), *then, *otherwise]
                .into_iter()
                .flatten()
                .collect(),
            _ => Vec::new(),
        }
    }
}
