//! Owns the list of functions that exist: built into the evaluator, written in jq, or refused.
//!
//! Invariant: every name has one meaning; nothing here reaches outside the data it is given.

use crate::value::Value;

use super::budget::Budget;
use super::error::Stop;
use super::{array, calendar, json, math, object, pattern, text, time};

/// A function of values: its input and arguments, each evaluated.
pub(super) struct Strict {
    pub(super) name: &'static str,
    pub(super) arity: usize,
    pub(super) run: Run,
}

/// What a [`Strict`] function does.
pub(super) type Run = fn(Value, &[Value], &Budget) -> Result<Value, Stop>;

impl core::fmt::Debug for Strict {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/{}", self.name, self.arity)
    }
}

/// A function that takes expressions, or gives any number of results, or gives paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    Empty,
    Raise,
    RaiseThis,
    Path,
    GetPath,
    Range,
    RangeBy,
    Limit,
    First,
    Last,
    Recurse,
    Walk,
}

const SPECIALS: [(&str, usize, Special); 12] = [
    ("empty", 0, Special::Empty),
    ("error", 0, Special::RaiseThis),
    ("error", 1, Special::Raise),
    ("path", 1, Special::Path),
    ("getpath", 1, Special::GetPath),
    ("range", 2, Special::Range),
    ("range", 3, Special::RangeBy),
    ("limit", 2, Special::Limit),
    ("first", 1, Special::First),
    ("last", 1, Special::Last),
    ("recurse", 1, Special::Recurse),
    ("walk", 1, Special::Walk),
];

/// What is written in jq itself: one definition a line, compiled only where it is called.
const PRELUDE: &str = include_str!("prelude.jq");

/// Functions of jq that are refused, and why.
const REFUSED: [(&[&str], &str); 11] = [
    (
        &["now", "localtime", "strflocaltime"],
        "time is an input here: the result must not depend on when and where it is computed",
    ),
    (
        &["env", "input_filename", "input_line_number", "$ENV"],
        "an expression sees only its input and its variables, not the machine it runs on",
    ),
    (
        &["input", "inputs"],
        "an expression has one input, which is `.`",
    ),
    (
        &["halt", "halt_error"],
        "an expression cannot stop the program it runs in; use `error`",
    ),
    (
        &["debug", "stderr"],
        "an expression cannot write anywhere; make it part of the result",
    ),
    (
        &["import", "include", "modulemeta", "get_search_list"],
        "there are no modules here; use `def`",
    ),
    (
        &["builtins", "have_decnum", "have_literal_numbers"],
        "the functions are the same everywhere; docs/guide/expressions.md lists them",
    ),
    (
        &["tostream", "fromstream", "truncate_stream"],
        "the whole input is there at once; use `paths` and `getpath`",
    ),
    (
        &["nan"],
        "there is no such number here; what would be one is null",
    ),
    (
        &[
            "drem",
            "frexp",
            "gamma",
            "j0",
            "j1",
            "ldexp",
            "lgamma",
            "lgamma_r",
            "logb",
            "modf",
            "nearbyint",
            "nextafter",
            "nexttoward",
            "pow10",
            "scalb",
            "scalbln",
            "significand",
            "tgamma",
            "y0",
            "y1",
            "fma",
        ],
        "it belongs to numerical mathematics; use arithmetic, `floor`, `round`, `pow` or `log2`",
    ),
    (&["recurse_down"], "use `recurse`"),
];

/// The strict function of this name and arity.
pub(super) fn strict(name: &str, arity: usize) -> Option<&'static Strict> {
    all_strict().find(|function| function.name == name && function.arity == arity)
}

/// Every strict function.
pub(super) fn all_strict() -> impl Iterator<Item = &'static Strict> {
    [
        array::FUNCTIONS,
        object::FUNCTIONS,
        text::FUNCTIONS,
        math::FUNCTIONS,
        math::OF_ONE,
        math::OF_TWO,
        json::FUNCTIONS,
        pattern::FUNCTIONS,
        time::FUNCTIONS,
        calendar::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

/// The special function of this name and arity.
pub(super) fn special(name: &str, arity: usize) -> Option<Special> {
    SPECIALS
        .iter()
        .find(|(n, a, _)| *n == name && *a == arity)
        .map(|(_, _, special)| *special)
}

/// The definition in jq of this name and arity, as source.
pub(super) fn definition(name: &str, arity: usize) -> Option<&'static str> {
    PRELUDE.lines().find(|line| {
        let Some(rest) = line
            .strip_prefix("def ")
            .and_then(|rest| rest.strip_prefix(name))
        else {
            return false;
        };
        match rest.as_bytes().first() {
            Some(b':') => arity == 0,
            Some(b'(') => rest
                .split(')')
                .next()
                .is_some_and(|list| list.split(';').count() == arity),
            _ => false,
        }
    })
}

/// Why a function of jq does not exist here.
pub(super) fn refusal(name: &str) -> Option<&'static str> {
    REFUSED
        .iter()
        .find(|(names, _)| names.contains(&name))
        .map(|(_, reason)| *reason)
}

/// Whether the name exists with another number of arguments.
pub(super) fn arities(name: &str) -> impl Iterator<Item = usize> {
    (0..=4).filter(move |arity| {
        strict(name, *arity).is_some()
            || special(name, *arity).is_some()
            || definition(name, *arity).is_some()
    })
}

/// Every function that a program may name: its name, and behind a slash its number of arguments if it has any.
#[cfg(test)]
pub(super) fn public() -> impl Iterator<Item = alloc::string::String> {
    let named = |name: &str, arity: usize| match arity {
        0 => name.into(),
        _ => alloc::format!("{name}/{arity}"),
    };
    let strict = all_strict().map(move |function| named(function.name, function.arity));
    let special = SPECIALS
        .iter()
        .map(move |(name, arity, _)| named(name, *arity));
    let prelude = PRELUDE.lines().map(move |line| {
        let head = line.strip_prefix("def ").unwrap_or(line);
        let head = &head[..head.find(": ").unwrap_or(head.len())];
        match head.split_once('(') {
            Some((name, parameters)) => named(name, parameters.split(';').count()),
            None => named(head, 0),
        }
    });
    strict
        .chain(special)
        .chain(prelude)
        .filter(|name| !name.starts_with('_'))
}
