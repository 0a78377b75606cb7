//! Owns [`Foresight`]: what the form of an expression tells before it runs.
//!
//! Invariant: what is told is certain: a part that is said to fail does so whenever it is come to, whatever the data
//! is. What can be caught is left open.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::function::Special;
use super::node::{Code, Math, Node, NodeId, Part, Pattern};
use crate::value::Value;

/// What is known of an expression whatever it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Foresight {
    /// What every result is, in jq's words.
    pub kind: Option<&'static str>,
    /// What cannot be meant.
    pub slip: Option<Slip>,
    /// Whether it always does the same: it reads no data and no variable.
    pub is_constant: bool,
    /// Whether it is an assignment as a whole, such as `.a = 1`.
    pub assigns: bool,
}

/// What cannot be meant in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// Whether it fails where it comes there; else it always gives the same.
    pub fails: bool,
    /// What it does, to follow on `it `.
    pub what: String,
}

/// What is known of one node.
#[derive(Clone, Copy, Default)]
struct Known {
    kind: Option<&'static str>,
    /// The first node in it that fails.
    fails: Option<NodeId>,
    /// The first comparison in it that never differs.
    idle: Option<NodeId>,
    /// Whether it reads its input.
    reads: bool,
    /// Whether it depends on anything else, or may fail on purpose.
    depends: bool,
    /// Whether failures in it may be passed over.
    tries: bool,
}

/// Looks through a program once, children before parents.
pub(super) fn foresee(code: &Code) -> Foresight {
    let mut known: Vec<Known> = Vec::with_capacity(code.nodes.len());
    for (id, node) in (0..).zip(&code.nodes) {
        let next = of_node(id, node, &known, code);
        known.push(next);
    }
    let root = known[code.root as usize];
    let kinds = |a: &NodeId, b: &NodeId| {
        let word = |id: &NodeId| known[*id as usize].kind.unwrap_or("something");
        (word(a), word(b))
    };
    let slip = match (root.fails, root.idle) {
        (Some(id), _) => Some(Slip {
            fails: true,
            what: match &code.nodes[id as usize] {
                Node::Math(math, a, b) => cannot(*math, kinds(a, b)),
                Node::Negate(of) => format!("cannot negate {}", kinds(of, of).0),
                _ => "fails".into(),
            },
        }),
        (None, Some(id)) => match &code.nodes[id as usize] {
            Node::Compare(_, a, b) => {
                let (a, b) = kinds(a, b);
                let what = format!("compares {a} with {b}, which always gives the same");
                Some(Slip { fails: false, what })
            }
            _ => None,
        },
        (None, None) => None,
    };
    Foresight {
        kind: root.kind,
        slip,
        is_constant: !root.reads && !root.depends,
        assigns: matches!(
            code.nodes[code.root as usize],
            Node::Assign(..) | Node::Update(..) | Node::Modify(..)
        ),
    }
}

fn cannot(math: Math, (a, b): (&str, &str)) -> String {
    match math {
        Math::Add => format!("cannot add {a} and {b}"),
        Math::Subtract => format!("cannot subtract {b} from {a}"),
        Math::Multiply => format!("cannot multiply {a} and {b}"),
        Math::Divide | Math::Rest => format!("cannot divide {a} by {b}"),
    }
}

fn of_node(id: NodeId, node: &Node, known: &[Known], code: &Code) -> Known {
    let of = |id: NodeId| known[id as usize];
    let mut made = merged(children(node).into_iter().map(of));
    match node {
        Node::Constant(value) => made.kind = Some(value.kind()),
        Node::Array(_) => made.kind = Some("array"),
        Node::Object(_) => made.kind = Some("object"),
        Node::Text { .. } => made.kind = Some("string"),
        Node::Convert(_) => (made.kind, made.reads) = (Some("string"), true),
        Node::And(..) | Node::Or(..) => made.kind = Some("boolean"),
        Node::Compare(_, a, b) => {
            made.kind = Some("boolean");
            if differ(of(*a).kind, of(*b).kind) {
                made.idle = made.idle.or(Some(id));
            }
        }
        Node::Negate(operand) => {
            made.kind = Some("number");
            if differ(of(*operand).kind, made.kind) {
                made.fails = made.fails.or(Some(id));
            }
        }
        Node::Math(math, a, b) => {
            let (a, b) = (of(*a).kind, of(*b).kind);
            made.kind = result(*math, a, b);
            if clash(*math, a, b) {
                made.fails = made.fails.or(Some(id));
            }
        }
        Node::Identity => made.reads = true,
        Node::Pipe(a, b) => (made.kind, made.reads) = (of(*b).kind, of(*a).reads),
        Node::Alternative(a, b) => {
            made.tries = true;
            (made.fails, made.kind) = (of(*b).fails, same(of(*a).kind, of(*b).kind));
        }
        Node::Comma(parts) => {
            let kinds = parts.iter().map(|part| of(*part).kind);
            made.kind = kinds.reduce(same).flatten();
        }
        Node::If { then, or, .. } => made.kind = same(of(*then).kind, of(*or).kind),
        Node::Try { catch, .. } => {
            made.tries = true;
            made.fails = catch.and_then(|catch| of(catch).fails);
        }
        Node::Bind { body, .. } => (made.kind, made.depends) = (of(*body).kind, true),
        Node::Call { function, .. } => {
            // One that calls itself is not known yet.
            let body = known.get(code.functions[*function as usize].body as usize);
            made.kind = body.and_then(|body| body.kind);
            made.depends = true;
            if body.is_none_or(|body| body.tries) {
                made.fails = None;
            }
        }
        Node::Strict(strict, _) => (made.kind, made.reads) = (kind_of(strict.name), true),
        Node::Special(special, arguments) => {
            (made.kind, made.depends) = (kind_of_special(*special, arguments, known), true);
        }
        Node::Assign(path, _) | Node::Modify(_, path, _) => {
            made.depends = true;
            made.kind = is_member(&code.nodes[*path as usize], code).then_some("object");
        }
        Node::Path { .. } => {}
        _ => made.depends = true,
    }
    made
}

/// What is known of a node whose parts are these, as far as it follows from the parts.
fn merged(parts: impl Iterator<Item = Known>) -> Known {
    parts.fold(Known::default(), |made, part| Known {
        kind: None,
        fails: made.fails.or(part.fails),
        idle: made.idle.or(part.idle),
        reads: made.reads | part.reads,
        depends: made.depends | part.depends,
        tries: made.tries | part.tries,
    })
}

fn children(node: &Node) -> Vec<NodeId> {
    let patterned = |pattern: &Pattern| match pattern {
        Pattern::Whole => Vec::new(),
        Pattern::Parts(ways) => ways.iter().flat_map(|way| way.iter().copied()).collect(),
    };
    match node {
        Node::Path { base, parts } => {
            let of_part = |part: &Part| match part {
                Part::Key(_) | Part::Each => [None, None],
                Part::Index(id) => [Some(*id), None],
                Part::Slice(from, to) => [*from, *to],
            };
            let parts = parts.iter().flat_map(of_part).flatten();
            core::iter::once(*base).chain(parts).collect()
        }
        Node::Array(of) => of.iter().copied().collect(),
        Node::Object(members) => members
            .iter()
            .flat_map(|(key, value)| [*key, *value])
            .collect(),
        Node::Text { parts, .. }
        | Node::Comma(parts)
        | Node::Strict(_, parts)
        | Node::Special(_, parts)
        | Node::Call {
            arguments: parts, ..
        } => parts.to_vec(),
        Node::Negate(id) | Node::Label(id) => alloc::vec![*id],
        Node::Math(_, a, b)
        | Node::Compare(_, a, b)
        | Node::And(a, b)
        | Node::Or(a, b)
        | Node::Alternative(a, b)
        | Node::Pipe(a, b)
        | Node::Assign(a, b)
        | Node::Update(a, b)
        | Node::Modify(_, a, b) => alloc::vec![*a, *b],
        Node::If { test, then, or } => alloc::vec![*test, *then, *or],
        Node::Try { body, catch } => core::iter::once(*body).chain(*catch).collect(),
        Node::Bind {
            source,
            pattern,
            body,
        } => [patterned(pattern), alloc::vec![*source, *body]].concat(),
        Node::Reduce {
            source,
            pattern,
            start,
            update,
        } => [patterned(pattern), alloc::vec![*source, *start, *update]].concat(),
        Node::Foreach {
            source,
            pattern,
            start,
            update,
            extract,
        } => {
            let mut all = [patterned(pattern), alloc::vec![*source, *start, *update]].concat();
            all.extend(extract);
            all
        }
        Node::Identity
        | Node::Constant(_)
        | Node::Global(_)
        | Node::Local { .. }
        | Node::Convert(_)
        | Node::Break { .. }
        | Node::Parameter { .. } => Vec::new(),
    }
}

/// Whether this is a member of the data, so that what is put there makes an object.
fn is_member(path: &Node, code: &Code) -> bool {
    let Node::Path { base, parts } = path else {
        return false;
    };
    matches!(code.nodes[*base as usize], Node::Identity)
        && matches!(parts.first(), Some(Part::Key(Value::Text(_))))
}

fn same(a: Option<&'static str>, b: Option<&'static str>) -> Option<&'static str> {
    a.filter(|a| Some(*a) == b)
}

fn differ(a: Option<&str>, b: Option<&str>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a != b)
}

/// The kinds that an operator works on.
fn operands(math: Math) -> &'static [(&'static str, &'static str)] {
    match math {
        Math::Add => &[
            ("number", "number"),
            ("string", "string"),
            ("array", "array"),
            ("object", "object"),
        ],
        Math::Subtract => &[("number", "number"), ("array", "array")],
        Math::Multiply => &[
            ("number", "number"),
            ("string", "number"),
            ("number", "string"),
            ("object", "object"),
        ],
        Math::Divide => &[("number", "number"), ("string", "string")],
        Math::Rest => &[("number", "number")],
    }
}

/// Whether an operator fails on operands of these kinds.
fn clash(math: Math, a: Option<&str>, b: Option<&str>) -> bool {
    // Null added to anything is that, and what is not known may be null.
    if math == Math::Add
        && [a, b]
            .iter()
            .any(|kind| matches!(kind, None | Some("null")))
    {
        return false;
    }
    let may = |kind: Option<&str>, wanted: &str| kind.is_none_or(|kind| kind == wanted);
    !operands(math)
        .iter()
        .any(|(left, right)| may(a, left) && may(b, right))
}

/// What an operator gives.
fn result(math: Math, a: Option<&'static str>, b: Option<&'static str>) -> Option<&'static str> {
    let is = |wanted| a == Some(wanted) || b == Some(wanted);
    match math {
        Math::Add => match (a, b) {
            (Some("null"), other) | (other, Some("null")) => other,
            _ => a.or(b),
        },
        Math::Subtract => ["number", "array"].into_iter().find(|kind| is(kind)),
        Math::Multiply if is("object") => Some("object"),
        Math::Multiply => same(a, b).filter(|kind| *kind == "number"),
        Math::Divide if is("string") => Some("array"),
        Math::Divide => is("number").then_some("number"),
        Math::Rest => Some("number"),
    }
}

fn kind_of_special(
    special: Special,
    arguments: &[NodeId],
    known: &[Known],
) -> Option<&'static str> {
    match special {
        Special::Path => Some("array"),
        Special::Range | Special::RangeBy => Some("number"),
        // The expression comes last, behind a count if there is one.
        Special::First | Special::Last | Special::Limit => {
            arguments.last().and_then(|f| known[*f as usize].kind)
        }
        _ => None,
    }
}

/// What a function of values gives, whatever it is given.
fn kind_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "length" | "utf8bytelength" | "tonumber" | "floor" | "ceil" | "round" | "trunc"
        | "mktime" | "fromdateiso8601" => "number",
        "tostring" | "tojson" | "type" | "join" | "implode" | "ascii_downcase" | "ascii_upcase"
        | "strftime" | "todateiso8601" => "string",
        "keys" | "keys_unsorted" | "to_entries" | "split" | "explode" | "sort" | "_sort_by"
        | "_group_by" | "unique" | "_unique_by" | "flatten" | "transpose" => "array",
        "has" | "contains" | "startswith" | "endswith" | "isinfinite" | "isnan" => "boolean",
        "from_entries" => "object",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Budget, Program};
    use crate::value::Value;

    fn told(source: &str) -> Foresight {
        Program::compile(source, &[]).unwrap().foresee()
    }

    #[test]
    fn kinds_are_those_of_the_results() {
        let inputs = [
            r#"{"a":{"b":{"c":5}},"b":[1,2],"i":"a","k":"key","v":7}"#,
            "[3,1,2]",
            "null",
            "\"text\"",
            "12",
        ];
        let mut known = 0;
        for line in include_str!("table.tsv").lines() {
            let source = line.split('\t').next().unwrap_or_default();
            let Ok(program) = Program::compile(source, &[]) else {
                continue;
            };
            let foresight = program.foresee();
            for input in inputs {
                let input: Value = serde_json::from_str(input).unwrap();
                let result = program.run(&input, &[], &mut Budget::default());
                if let (Some(kind), Ok(result)) = (foresight.kind, &result) {
                    known += 1;
                    let is_none = result.kind() == "null";
                    assert!(is_none || result.kind() == kind, "{source} gave {result}");
                }
                if let (Some(Slip { fails: true, .. }), Ok(result)) = (&foresight.slip, &result) {
                    panic!("{source} gave {result}");
                }
                if foresight.is_constant {
                    let again = program.run(&Value::Null, &[], &mut Budget::default());
                    assert_eq!(result, again, "{source}");
                }
            }
        }
        assert!(known > 500, "{known}");
    }

    #[test]
    fn slips_are_told_where_nothing_passes_them_over() {
        for (source, what) in [
            (
                r#""total: " + (.items | length)"#,
                Some("cannot add string and number"),
            ),
            (
                r#".total - "5""#,
                Some("cannot subtract string from something"),
            ),
            (
                r#"if .a then "b" * [1] else 1 end"#,
                Some("cannot multiply string and array"),
            ),
            (
                r#"{a: (true / .x)}"#,
                Some("cannot divide boolean by something"),
            ),
            ("-(.a | tostring)", Some("cannot negate string")),
            (
                "[.[] | . + 1 - {}]",
                Some("cannot subtract object from number"),
            ),
            (
                "(.items | length) == \"3\"",
                Some("compares number with string, which always gives the same"),
            ),
            (r#"try ("a" - 1) catch 0"#, None),
            (r#"("a" - 1)?"#, None),
            (r#"("a" - 1) // 0"#, None),
            (r#"isvalid("a" - 1)"#, None),
            (r#".a + "b""#, None),
            (r#".a * "b""#, None),
            ("null + 1", None),
            (".a == 1", None),
        ] {
            let slip = told(source).slip;
            assert_eq!(slip.as_ref().map(|slip| &*slip.what), what, "{source}");
        }
    }

    #[test]
    fn what_reads_nothing_is_constant() {
        for (source, constant) in [
            ("1 + 2", true),
            ("[1, 2] | length", true),
            ("{a: 1}.a", true),
            ("\"a\\(1)\"", true),
            (".", false),
            ("length", false),
            ("[1] | map(.)", false),
            ("\"x\" | error", false),
            (".a = 1", false),
        ] {
            assert_eq!(told(source).is_constant, constant, "{source}");
        }
        assert!(told(".a = 1").assigns && told(".a |= 1").assigns);
        assert!(!told(".a == 1").assigns);
        assert_eq!(told(".a = 1").kind, Some("object"));
    }
}
