//! Owns the reading of schemas: a document into rules, or all that is wrong with it.
//!
//! Invariant: subschemas wait in a list rather than on the call stack, so neither nesting nor chains of
//! references become recursion.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::format::Format;
use super::rule::{Counted, Demand, KIND_WORDS, Limit, Members, Rule, RuleIndex, Schema};
use crate::expr::Pattern;
use crate::value::{Object, Str, Value};

/// The most subschemas of a schema.
pub const RULES_MAX: usize = 10_000;

/// The most flaws that are told.
const FLAWS_MAX: usize = 20;

/// The beginnings of the dialects that are read.
const DIALECTS: [&str; 4] = [
    "json-schema.org/draft/2020-12/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft-06/schema",
];

/// What is wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where, as a JSON pointer into the schema.
    pub path: String,
    /// What is wrong; how to fix it.
    pub message: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// All that is wrong with it, up to a bound.
    pub fn compile(document: &Value) -> Result<Schema, Vec<Flaw>> {
        let mut compiler = Compiler {
            document,
            known: BTreeMap::new(),
            waiting: Vec::new(),
            rules: Vec::new(),
            flaws: Vec::new(),
        };
        compiler.rule(String::new(), document);
        while let Some((index, path, schema)) = compiler.waiting.pop() {
            compiler.read(index, path, schema);
            if compiler.flaws.len() >= FLAWS_MAX {
                break;
            }
        }
        if compiler.flaws.is_empty() {
            compiler.refuse_circles();
        }
        if !compiler.flaws.is_empty() {
            compiler.flaws.sort_by(|a, b| a.path.cmp(&b.path));
            return Err(compiler.flaws);
        }
        let rules: Vec<Rule> = compiler.rules;
        let traces = rules
            .iter()
            .flat_map(|rule| &rule.demands)
            .any(|(_, demand)| matches!(demand, Demand::OtherItems(_) | Demand::OtherMembers(_)));
        Ok(Schema { rules, traces })
    }
}

struct Compiler<'v> {
    document: &'v Value,
    /// Rules by where their schema stands.
    known: BTreeMap<String, RuleIndex>,
    waiting: Vec<(RuleIndex, String, &'v Value)>,
    rules: Vec<Rule>,
    flaws: Vec<Flaw>,
}

/// One schema while it is read.
struct Reading<'v> {
    path: String,
    members: &'v Object,
    demands: Vec<(&'static str, Demand)>,
}

impl<'v> Reading<'v> {
    fn get(&self, keyword: &str) -> Option<&'v Value> {
        self.members.get(keyword)
    }

    fn at(&self, keyword: &str) -> String {
        below(&self.path, keyword)
    }

    fn demand(&mut self, keyword: &'static str, demand: Option<Demand>) {
        self.demands.extend(demand.map(|demand| (keyword, demand)));
    }
}

/// The pointer of a member or element.
fn below(path: &str, step: &str) -> String {
    format!("{path}/{}", step.replace('~', "~0").replace('/', "~1"))
}

impl<'v> Compiler<'v> {
    fn flaw(&mut self, path: String, message: impl Into<String>) {
        self.flaws.push(Flaw {
            path,
            message: message.into(),
        });
    }

    /// The number of the rule for a schema, which is read later.
    fn rule(&mut self, path: String, schema: &'v Value) -> RuleIndex {
        if let Some(index) = self.known.get(&path) {
            return *index;
        }
        let index = self.rules.len();
        if index >= RULES_MAX {
            if index == RULES_MAX {
                self.flaw(path, format!("the schema has more than {RULES_MAX} parts"));
            }
            return 0;
        }
        self.rules.push(Rule {
            path: path.as_str().into(),
            demands: Vec::new(),
        });
        self.known.insert(path.clone(), index);
        self.waiting.push((index, path, schema));
        index
    }

    fn read(&mut self, index: RuleIndex, path: String, schema: &'v Value) {
        let members = match schema {
            Value::Bool(true) => return,
            Value::Bool(false) => {
                self.rules[index].demands = vec![("", Demand::Never)];
                return;
            }
            Value::Object(members) => members,
            other => {
                let kind = other.kind();
                return self.flaw(
                    path,
                    format!("a schema is a map, or true or false, not {kind}"),
                );
            }
        };
        let mut reading = Reading {
            path,
            members,
            demands: Vec::new(),
        };
        self.identity(&reading);
        self.references(&mut reading);
        self.values(&mut reading);
        self.texts(&mut reading);
        self.objects(&mut reading);
        self.arrays(&mut reading);
        self.combinations(&mut reading);
        for (keyword, demand) in [
            (
                "unevaluatedItems",
                Demand::OtherItems as fn(RuleIndex) -> Demand,
            ),
            ("unevaluatedProperties", Demand::OtherMembers),
        ] {
            let rule = self.part(&reading, keyword);
            reading.demand(keyword, rule.map(demand));
        }
        self.rules[index].demands = reading.demands;
    }

    fn identity(&mut self, reading: &Reading<'v>) {
        if let Some(dialect) = self.text(reading, "$schema") {
            let bare = dialect.split_once("://").map_or("", |(_, rest)| rest);
            if !DIALECTS.contains(&bare.trim_end_matches('#')) {
                let message = format!(
                    "the dialect {dialect:?} is not read; write the schema for https://json-schema.org/draft/2020-12/schema"
                );
                self.flaw(reading.at("$schema"), message);
            }
        }
        if !reading.path.is_empty() && reading.get("$id").is_some() {
            let message = "a schema inside another cannot have an `$id`; name it with `$anchor`, or refer to it by its place such as #/$defs/name";
            self.flaw(reading.at("$id"), message);
        }
    }

    fn references(&mut self, reading: &mut Reading<'v>) {
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(reference) = self.text(reading, keyword) else {
                continue;
            };
            match self.target(&reference) {
                Some((path, schema)) => {
                    let rule = self.rule(path, schema);
                    reading.demand(keyword, Some(Demand::Rule(rule)));
                }
                None => {
                    let message = format!(
                        "{reference:?} leads to nothing in this schema; refer to a place such as #/$defs/name, and copy there what stands elsewhere"
                    );
                    self.flaw(reading.at(keyword), message);
                }
            }
        }
    }

    /// What a reference means: a place in this document, or an anchor.
    fn target(&self, reference: &str) -> Option<(String, &'v Value)> {
        let (resource, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let id = self.document.get("$id").and_then(Value::as_text);
        let own = id.is_some_and(|id| id.trim_end_matches('#') == resource);
        if !resource.is_empty() && !own {
            return None;
        }
        let fragment = unescaped(fragment)?;
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return anchored(String::new(), self.document, &fragment);
        }
        let (mut path, mut schema) = (String::new(), self.document);
        for step in fragment.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            schema = match schema {
                Value::Array(elements) => elements.get(step.parse::<usize>().ok()?)?,
                other => other.get(&step)?,
            };
            path = below(&path, &step);
        }
        Some((path, schema))
    }

    fn values(&mut self, reading: &mut Reading<'v>) {
        if let Some(kinds) = reading.get("type") {
            let words = match kinds {
                Value::Array(words) => words.as_slice(),
                one => core::slice::from_ref(one),
            };
            let mut set = 0;
            for word in words {
                let kind = KIND_WORDS
                    .iter()
                    .find(|(known, _)| word.as_text().is_some_and(|word| &**word == *known));
                match kind {
                    Some((_, kind)) => set |= kind,
                    None => {
                        let message = format!(
                            "{word} is not a type; use null, boolean, number, integer, string, array or object"
                        );
                        self.flaw(reading.at("type"), message);
                    }
                }
            }
            reading.demand("type", Some(Demand::Kind(set)));
        }
        if let Some(choice) = reading.get("enum") {
            match choice {
                Value::Array(values) => {
                    reading.demand("enum", Some(Demand::Among(values.to_vec())));
                }
                _ => self.wrong(reading, "enum", "a list of values"),
            }
        }
        let one = reading.get("const").cloned();
        reading.demand("const", one.map(|value| Demand::Among(vec![value])));
        for (keyword, limit) in [
            ("minimum", Limit::Least),
            ("maximum", Limit::Most),
            ("exclusiveMinimum", Limit::Above),
            ("exclusiveMaximum", Limit::Below),
        ] {
            let number = self.number(reading, keyword);
            reading.demand(keyword, number.map(|number| Demand::Limit(limit, number)));
        }
        let number = self.number(reading, "multipleOf").filter(|number| {
            let positive = super::check::double(number) > 0.0;
            if !positive {
                self.wrong(reading, "multipleOf", "a number above 0");
            }
            positive
        });
        reading.demand("multipleOf", number.map(Demand::MultipleOf));
    }

    fn texts(&mut self, reading: &mut Reading<'v>) {
        self.counts(reading, "minLength", "maxLength", Counted::Letters);
        let pattern = self
            .text(reading, "pattern")
            .and_then(|source| self.pattern(reading.at("pattern"), &source));
        reading.demand("pattern", pattern.map(Demand::Pattern));
        let format = self.text(reading, "format");
        let format = format.and_then(|word| Format::of_word(&word));
        reading.demand("format", format.map(Demand::Format));
    }

    fn objects(&mut self, reading: &mut Reading<'v>) {
        self.counts(reading, "minProperties", "maxProperties", Counted::Members);
        if let Some(required) = reading.get("required") {
            let names = self.names(reading.at("required"), required);
            reading.demand("required", Some(Demand::Required(names)));
        }
        let mut members = Members {
            named: self.parts_by_name(reading, "properties"),
            ..Members::default()
        };
        for (source, rule) in self.parts_by_name(reading, "patternProperties") {
            let path = below(&reading.at("patternProperties"), &source);
            let pattern = self.pattern(path, &source);
            members
                .patterns
                .extend(pattern.map(|pattern| (pattern, rule)));
        }
        members.rest = self.part(reading, "additionalProperties");
        if !(members.named.is_empty() && members.patterns.is_empty() && members.rest.is_none()) {
            reading.demand("properties", Some(Demand::Members(Box::new(members))));
        }
        let names = self.part(reading, "propertyNames");
        reading.demand("propertyNames", names.map(Demand::Names));
        self.dependencies(reading);
    }

    fn dependencies(&mut self, reading: &mut Reading<'v>) {
        let (mut names, mut rules) = (Vec::new(), Vec::new());
        for keyword in ["dependentRequired", "dependentSchemas", "dependencies"] {
            let Some(value) = reading.get(keyword) else {
                continue;
            };
            let Value::Object(members) = value else {
                self.wrong(reading, keyword, "a map by member name");
                continue;
            };
            for (member, what) in members.iter() {
                let path = below(&reading.at(keyword), member);
                match what {
                    Value::Array(_) if keyword != "dependentSchemas" => {
                        names.push((member.clone(), self.names(path, what)));
                    }
                    _ if keyword != "dependentRequired" => {
                        rules.push((member.clone(), self.rule(path, what)));
                    }
                    _ => self.flaw(path, "this must be a list of names"),
                }
            }
        }
        let names = (!names.is_empty()).then_some(Demand::RequiredWith(names));
        reading.demand("dependentRequired", names);
        let rules = (!rules.is_empty()).then_some(Demand::RuleWith(rules));
        reading.demand("dependentSchemas", rules);
    }

    fn arrays(&mut self, reading: &mut Reading<'v>) {
        self.counts(reading, "minItems", "maxItems", Counted::Items);
        match reading.get("uniqueItems") {
            Some(Value::Bool(true)) => reading.demand("uniqueItems", Some(Demand::Unique)),
            None | Some(Value::Bool(false)) => {}
            Some(_) => self.wrong(reading, "uniqueItems", "true or false"),
        }
        // Before 2020-12 a list under `items` meant what `prefixItems` means now.
        let is_tuple = matches!(reading.get("items"), Some(Value::Array(_)));
        let (first, rest) = match is_tuple {
            true => ("items", "additionalItems"),
            false => ("prefixItems", "items"),
        };
        let first = self.parts(reading, first);
        let rest = self.part(reading, rest);
        if !first.is_empty() || rest.is_some() {
            reading.demand("items", Some(Demand::Items { first, rest }));
        }
        let min = self.count(reading, "minContains");
        let max = self.count(reading, "maxContains");
        let rule = self.part(reading, "contains");
        let contains = rule.map(|rule| Demand::Contains {
            rule,
            min: min.unwrap_or(1),
            max,
        });
        reading.demand("contains", contains);
    }

    fn combinations(&mut self, reading: &mut Reading<'v>) {
        for (keyword, demand) in [
            ("allOf", Demand::All as fn(Vec<RuleIndex>) -> Demand),
            ("anyOf", Demand::Any),
            ("oneOf", Demand::One),
        ] {
            let rules = self.parts(reading, keyword);
            if !rules.is_empty() {
                reading.demand(keyword, Some(demand(rules)));
            } else if matches!(reading.get(keyword), Some(Value::Array(_))) {
                self.wrong(reading, keyword, "a list of at least one schema");
            }
        }
        let not = self.part(reading, "not");
        reading.demand("not", not.map(Demand::Not));
        let [rule, then, otherwise] =
            ["if", "then", "else"].map(|keyword| self.part(reading, keyword));
        let choice = rule.map(|rule| Demand::If {
            rule,
            then,
            otherwise,
        });
        reading.demand("if", choice);
    }

    // Single keywords

    fn wrong(&mut self, reading: &Reading<'v>, keyword: &str, expected: &str) {
        let message = format!("`{keyword}` must be {expected}");
        self.flaw(reading.at(keyword), message);
    }

    fn text(&mut self, reading: &Reading<'v>, keyword: &str) -> Option<Str> {
        let value = reading.get(keyword)?;
        if value.as_text().is_none() {
            self.wrong(reading, keyword, "text");
        }
        value.as_text().cloned()
    }

    fn number(&mut self, reading: &Reading<'v>, keyword: &str) -> Option<Value> {
        match reading.get(keyword)? {
            number @ (Value::Int(_) | Value::Float(_)) => Some(number.clone()),
            _ => {
                self.wrong(reading, keyword, "a number");
                None
            }
        }
    }

    fn count(&mut self, reading: &Reading<'v>, keyword: &str) -> Option<u64> {
        let count = reading.get(keyword)?.as_int();
        let count = count.and_then(|count| u64::try_from(count).ok());
        if count.is_none() {
            self.wrong(reading, keyword, "a whole number from 0");
        }
        count
    }

    fn counts(
        &mut self,
        reading: &mut Reading<'v>,
        least: &'static str,
        most: &'static str,
        counted: Counted,
    ) {
        let count = self.count(reading, least);
        reading.demand(least, count.map(|count| Demand::AtLeast(counted, count)));
        let count = self.count(reading, most);
        reading.demand(most, count.map(|count| Demand::AtMost(counted, count)));
    }

    fn names(&mut self, path: String, value: &Value) -> Vec<Str> {
        let Value::Array(elements) = value else {
            self.flaw(path, "this must be a list of names");
            return Vec::new();
        };
        let names: Vec<Str> = elements
            .iter()
            .filter_map(Value::as_text)
            .cloned()
            .collect();
        if names.len() < elements.len() {
            self.flaw(path, "a name must be text");
        }
        names
    }

    fn pattern(&mut self, path: String, source: &Str) -> Option<Pattern> {
        Pattern::compile(source)
            .map_err(|why| self.flaw(path, why.replace('\n', "; ")))
            .ok()
    }

    fn part(&mut self, reading: &Reading<'v>, keyword: &str) -> Option<RuleIndex> {
        let schema = reading.get(keyword)?;
        Some(self.rule(reading.at(keyword), schema))
    }

    fn parts(&mut self, reading: &Reading<'v>, keyword: &str) -> Vec<RuleIndex> {
        match reading.get(keyword) {
            None => Vec::new(),
            Some(Value::Array(schemas)) => {
                let path = reading.at(keyword);
                let schemas = schemas.iter().enumerate();
                let rules = schemas
                    .map(|(index, schema)| self.rule(below(&path, &index.to_string()), schema));
                rules.collect()
            }
            Some(_) => {
                self.wrong(reading, keyword, "a list of schemas");
                Vec::new()
            }
        }
    }

    fn parts_by_name(&mut self, reading: &Reading<'v>, keyword: &str) -> Vec<(Str, RuleIndex)> {
        match reading.get(keyword) {
            None => Vec::new(),
            Some(Value::Object(schemas)) => {
                let path = reading.at(keyword);
                let rules = schemas
                    .iter()
                    .map(|(name, schema)| (name.clone(), self.rule(below(&path, name), schema)));
                rules.collect()
            }
            Some(_) => {
                self.wrong(reading, keyword, "a map of schemas by name");
                Vec::new()
            }
        }
    }

    /// A rule that asks itself about the same data would never come to an answer.
    fn refuse_circles(&mut self) {
        let beside: Vec<Vec<RuleIndex>> = self
            .rules
            .iter()
            .map(|rule| {
                rule.demands
                    .iter()
                    .flat_map(|(_, demand)| demand.beside())
                    .collect()
            })
            .collect();
        // 0 not seen, 1 on the way, 2 done.
        let mut seen = vec![0_u8; beside.len()];
        for start in 0..beside.len() {
            let mut way = vec![(start, 0)];
            while let Some((rule, next)) = way.pop() {
                if next == 0 {
                    if seen[rule] != 0 {
                        continue;
                    }
                    seen[rule] = 1;
                }
                let Some(to) = beside[rule].get(next) else {
                    seen[rule] = 2;
                    continue;
                };
                way.push((rule, next + 1));
                if seen[*to] == 1 {
                    let path = self.rules[*to].path.to_string();
                    let message = "the schema leads back to itself without going into the data; put the reference below `properties` or `items`";
                    return self.flaw(path, message);
                }
                way.push((*to, 0));
            }
        }
    }
}

/// The schema with this anchor, and where it stands. Data nests within bounds, so this may recurse.
fn anchored<'v>(path: String, value: &'v Value, name: &str) -> Option<(String, &'v Value)> {
    let is_it = |keyword| {
        value
            .get(keyword)
            .and_then(Value::as_text)
            .is_some_and(|text| &**text == name)
    };
    if is_it("$anchor") || is_it("$dynamicAnchor") {
        return Some((path, value));
    }
    match value {
        Value::Object(members) => members
            .iter()
            .find_map(|(key, member)| anchored(below(&path, key), member, name)),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .find_map(|(index, element)| anchored(below(&path, &index.to_string()), element, name)),
        _ => None,
    }
}

/// A fragment without its percent signs.
fn unescaped(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            let (code, after) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(core::str::from_utf8(code).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}
