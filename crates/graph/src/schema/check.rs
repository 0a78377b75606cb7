//! Owns the check of data against a compiled schema.
//!
//! Invariants: each rule asked and each value compared is charged to one budget; recursion is bounded by
//! [`DEPTH_MAX`]; at most [`MISFITS_MAX`] misfits are told.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::rule::{
    ARRAY, BOOLEAN, Counted, Demand, FRACTION, INTEGER, KIND_WORDS, Kinds, Limit, Members, NULL,
    OBJECT, RuleIndex, STRING, Schema,
};
use crate::expr::{Budget, Stop, equal, sort};
use crate::value::{Object, Str, Value};

/// The most misfits that one check tells.
const MISFITS_MAX: usize = 10;

/// How deep rules may lead to rules while checking: about three for each level of the deepest data. A level
/// costs up to 2.5 KiB of native stack in an unoptimised build; the whole must fit a stack of 1 MiB.
const DEPTH_MAX: u32 = 300;

/// How much of a value a message quotes, in characters.
const QUOTE_CHARS_MAX: usize = 40;

/// How far numbers may be from a multiple, as part of a step: decimal fractions are not exact.
const MULTIPLE_TOLERANCE: f64 = 1e-9;

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where in the data, as a JSON pointer; empty is the whole.
    pub path: String,
    /// Which keyword of the schema, as a JSON pointer.
    pub rule: String,
    /// What is wrong, to be read after the place.
    pub message: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{} ", self.path)?;
        }
        write!(f, "{} (rule {})", self.message, self.rule)
    }
}

/// All that does not fit, up to a bound; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfits(pub Vec<Misfit>);

impl fmt::Display for Misfits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, misfit) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "; " };
            write!(f, "{comma}{misfit}")?;
        }
        if self.0.len() >= MISFITS_MAX {
            f.write_str("; and perhaps more")?;
        }
        Ok(())
    }
}

/// A place in the data.
#[derive(Clone, Copy)]
struct Place<'p> {
    up: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Whole,
    Key(&'p str),
    Index(usize),
}

impl Place<'_> {
    fn path(&self) -> String {
        let step = match self.step {
            Step::Whole => return String::new(),
            Step::Key(key) => key.replace('~', "~0").replace('/', "~1"),
            Step::Index(index) => index.to_string(),
        };
        format!("{}/{step}", self.up.map(Place::path).unwrap_or_default())
    }
}

/// What rules have looked at in one value.
#[derive(Default)]
struct Seen {
    all: bool,
    keys: BTreeSet<Str>,
    indexes: BTreeSet<usize>,
}

impl Seen {
    fn take(&mut self, other: Seen) {
        self.all |= other.all;
        self.keys.extend(other.keys);
        self.indexes.extend(other.indexes);
    }
}

struct Checker<'s> {
    schema: &'s Schema,
    budget: &'s Budget,
    misfits: Vec<Misfit>,
    /// More than zero while an answer alone counts.
    quiet: u32,
    depth: u32,
}

impl Schema {
    /// Holds data against the schema.
    ///
    /// # Errors
    /// What does not fit. Data that would take too long to check does not fit.
    pub fn check(&self, data: &Value) -> Result<(), Misfits> {
        let mut checker = Checker {
            schema: self,
            budget: &Budget::default(),
            misfits: Vec::new(),
            quiet: 0,
            depth: 0,
        };
        let whole = Place {
            up: None,
            step: Step::Whole,
        };
        let too_long = |message: &str| {
            Err(Misfits(Vec::from([Misfit {
                path: String::new(),
                rule: "/".into(),
                message: message.into(),
            }])))
        };
        match checker.rule(0, data, &whole, &mut Seen::default()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Misfits(checker.misfits)),
            Err(_) => {
                too_long("takes too long to check; make the schema simpler or the data smaller")
            }
        }
    }
}

impl<'s> Checker<'s> {
    /// Tells a misfit; the answer is no.
    fn no(&mut self, rule: RuleIndex, keyword: &str, place: &Place<'_>, message: String) -> bool {
        if self.quiet == 0 && self.misfits.len() < MISFITS_MAX {
            let slash = if keyword.is_empty() { "" } else { "/" };
            self.misfits.push(Misfit {
                path: place.path(),
                rule: format!("{}{slash}{keyword}", self.schema.rules[rule].path),
                message,
            });
        }
        false
    }

    /// Whether more answers could still be of use after a no.
    fn goes_on(&self) -> bool {
        self.quiet == 0 && self.misfits.len() < MISFITS_MAX
    }

    /// Whether data meets a rule; notes what was looked at.
    fn rule(
        &mut self,
        rule: RuleIndex,
        data: &Value,
        place: &Place<'_>,
        seen: &mut Seen,
    ) -> Result<bool, Stop> {
        self.budget.work(2)?;
        if self.depth >= DEPTH_MAX {
            return Err(Stop::budget("the schema leads too deep"));
        }
        self.depth += 1;
        let schema = self.schema;
        let mut fits = true;
        for (keyword, demand) in &schema.rules[rule].demands {
            self.budget.work(1)?;
            fits &= match self.simple(demand, data)? {
                Some(None) => true,
                Some(Some(message)) => self.no(rule, keyword, place, message),
                None => self.applied(rule, keyword, demand, data, place, seen)?,
            };
            // What was not looked at means nothing once something does not fit.
            let is_last = |(_, demand): &(_, Demand)| {
                matches!(demand, Demand::OtherItems(_) | Demand::OtherMembers(_))
            };
            if !fits && (!self.goes_on() || schema.rules[rule].demands.iter().any(is_last)) {
                break;
            }
        }
        self.depth -= 1;
        Ok(fits)
    }

    /// Asks a rule about the same data; what it looked at counts only if the data meets it.
    fn beside(
        &mut self,
        rule: RuleIndex,
        data: &Value,
        place: &Place<'_>,
        seen: &mut Seen,
    ) -> Result<bool, Stop> {
        let mut own = Seen::default();
        let fits = self.rule(rule, data, place, &mut own)?;
        if fits {
            seen.take(own);
        }
        Ok(fits)
    }

    /// As [`Checker::beside`], but tells nothing.
    fn quietly(
        &mut self,
        rule: RuleIndex,
        data: &Value,
        place: &Place<'_>,
        seen: &mut Seen,
    ) -> Result<bool, Stop> {
        self.quiet += 1;
        let fits = self.beside(rule, data, place, seen);
        self.quiet -= 1;
        fits
    }

    /// Asks a rule about a part of the data.
    fn part(
        &mut self,
        rule: RuleIndex,
        data: &Value,
        up: &Place<'_>,
        step: Step<'_>,
    ) -> Result<bool, Stop> {
        let place = Place { up: Some(up), step };
        self.rule(rule, data, &place, &mut Seen::default())
    }

    /// What is to be told of a demand that asks no other rule; none if it asks one.
    fn simple(&self, demand: &Demand, data: &Value) -> Result<Option<Option<String>>, Stop> {
        Ok(Some(match (demand, data) {
            (Demand::Never, _) => Some("must not be there".into()),
            (Demand::Kind(kinds), _) => wrong_kind(*kinds, data),
            (Demand::Among(values), _) => self.not_among(values, data)?,
            (Demand::Limit(limit, bound), Value::Int(_) | Value::Float(_)) => {
                beyond(*limit, bound, data)
            }
            (Demand::MultipleOf(step), Value::Int(_) | Value::Float(_)) => no_multiple(step, data),
            (Demand::AtLeast(counted, least), _) => count(*counted, data)
                .filter(|count| count < least)
                .map(|count| format!("has {count} {}, fewer than {least}", word(*counted))),
            (Demand::AtMost(counted, most), _) => count(*counted, data)
                .filter(|count| count > most)
                .map(|count| format!("has {count} {}, more than {most}", word(*counted))),
            (Demand::Pattern(pattern), Value::Text(text)) => (!pattern.is_in(text, self.budget)?)
                .then(|| format!("does not match {:?}", pattern.source())),
            (Demand::Format(format), Value::Text(text)) => {
                self.budget.work(text.len() as u64)?;
                (!format.fits(text)).then(|| format!("is not {}", format.example()))
            }
            (Demand::Unique, Value::Array(elements)) => self.repeated(elements)?,
            (Demand::Required(names), Value::Object(members)) => self.missing(names, members)?,
            (Demand::RequiredWith(pairs), Value::Object(members)) => {
                let mut missing = None;
                for (_, names) in pairs.iter().filter(|(name, _)| members.contains_key(name)) {
                    missing = missing.or(self.missing(names, members)?);
                }
                missing
            }
            _ => return Ok(None),
        }))
    }

    /// Demands that ask other rules.
    fn applied(
        &mut self,
        rule: RuleIndex,
        keyword: &str,
        demand: &'s Demand,
        data: &Value,
        place: &Place<'_>,
        seen: &mut Seen,
    ) -> Result<bool, Stop> {
        match (demand, data) {
            (Demand::Rule(to), _) => self.beside(*to, data, place, seen),
            (Demand::All(rules), _) => self.all(rules.iter().copied(), data, place, seen),
            (Demand::RuleWith(rules), Value::Object(members)) => {
                let meant = rules.iter().filter(|(name, _)| members.contains_key(name));
                self.all(meant.map(|(_, rule)| *rule), data, place, seen)
            }
            (Demand::Any(rules), _) => {
                let fitting = self.fitting(rules, false, data, place, seen)?;
                Ok(fitting > 0 || self.none_fits(rule, keyword, place, rules.len()))
            }
            (Demand::One(rules), _) => match self.fitting(rules, true, data, place, seen)? {
                0 => Ok(self.none_fits(rule, keyword, place, rules.len())),
                1 => Ok(true),
                _ => Ok(self.no(
                    rule,
                    keyword,
                    place,
                    "fits several schemas, but must fit just one".into(),
                )),
            },
            (Demand::Not(to), _) => {
                let fits = self.quietly(*to, data, place, &mut Seen::default())?;
                Ok(!fits || self.no(rule, keyword, place, "fits what it must not".into()))
            }
            (
                Demand::If {
                    rule,
                    then,
                    otherwise,
                },
                _,
            ) => {
                let chosen = match self.quietly(*rule, data, place, seen)? {
                    true => then,
                    false => otherwise,
                };
                chosen.map_or(Ok(true), |to| self.beside(to, data, place, seen))
            }
            (Demand::Members(rules), Value::Object(members)) => {
                self.members(rules, members, place, seen)
            }
            (Demand::Names(to), Value::Object(members)) => self.each(
                *to,
                members.keys(),
                |key| (Value::Text(key.clone()), Step::Key(key)),
                place,
            ),
            (Demand::OtherMembers(to), Value::Object(members)) => {
                if seen.all {
                    return Ok(true);
                }
                let rest = members.iter().filter(|(key, _)| !seen.keys.contains(*key));
                let fits = self.each(
                    *to,
                    rest,
                    |(key, value)| (value.clone(), Step::Key(key)),
                    place,
                )?;
                seen.all = true;
                Ok(fits)
            }
            (_, Value::Array(elements)) => self.array(rule, demand, elements, place, seen),
            _ => Ok(true),
        }
    }

    fn none_fits(&mut self, rule: RuleIndex, keyword: &str, place: &Place<'_>, of: usize) -> bool {
        self.no(
            rule,
            keyword,
            place,
            format!("fits none of the {of} schemas"),
        )
    }

    fn array(
        &mut self,
        rule: RuleIndex,
        demand: &'s Demand,
        elements: &[Value],
        place: &Place<'_>,
        seen: &mut Seen,
    ) -> Result<bool, Stop> {
        match demand {
            Demand::Items { first, rest } => {
                let mut fits = true;
                for (index, element) in elements.iter().enumerate() {
                    let Some(to) = first.get(index).copied().or(*rest) else {
                        break;
                    };
                    fits &= self.part(to, element, place, Step::Index(index))?;
                    if !fits && !self.goes_on() {
                        return Ok(false);
                    }
                    if self.schema.traces && rest.is_none() {
                        seen.indexes.insert(index);
                    }
                }
                seen.all |= rest.is_some();
                Ok(fits)
            }
            Demand::Contains { rule: to, min, max } => {
                let mut found = 0;
                for (index, element) in elements.iter().enumerate() {
                    self.quiet += 1;
                    let fits = self.part(*to, element, place, Step::Index(index));
                    self.quiet -= 1;
                    if fits? {
                        found += 1;
                        if self.schema.traces {
                            seen.indexes.insert(index);
                        }
                    }
                }
                let fits = found >= *min && max.is_none_or(|max| found <= max);
                Ok(fits || self.badly_filled(rule, place, found, *min, *max))
            }
            Demand::OtherItems(to) if !seen.all => {
                let rest = elements.iter().enumerate();
                let rest = rest.filter(|(index, _)| !seen.indexes.contains(index));
                let fits = self.each(
                    *to,
                    rest,
                    |(index, element)| (element.clone(), Step::Index(index)),
                    place,
                )?;
                seen.all = true;
                Ok(fits)
            }
            _ => Ok(true),
        }
    }

    fn badly_filled(
        &mut self,
        rule: RuleIndex,
        place: &Place<'_>,
        found: u64,
        min: u64,
        max: Option<u64>,
    ) -> bool {
        let bounds = match max {
            Some(max) => format!("{min} to {max}"),
            None => format!("at least {min}"),
        };
        let message = format!("has {found} items that fit `contains`, but needs {bounds}");
        self.no(rule, "contains", place, message)
    }

    fn all(
        &mut self,
        rules: impl Iterator<Item = RuleIndex>,
        data: &Value,
        place: &Place<'_>,
        seen: &mut Seen,
    ) -> Result<bool, Stop> {
        let mut fits = true;
        for rule in rules {
            fits &= self.beside(rule, data, place, seen)?;
            if !fits && !self.goes_on() {
                break;
            }
        }
        Ok(fits)
    }

    /// Asks one rule about several parts.
    fn each<'d, T>(
        &mut self,
        rule: RuleIndex,
        parts: impl Iterator<Item = T>,
        part: impl Fn(T) -> (Value, Step<'d>),
        place: &Place<'_>,
    ) -> Result<bool, Stop> {
        let mut fits = true;
        for (value, step) in parts.map(part) {
            fits &= self.part(rule, &value, place, step)?;
            if !fits && !self.goes_on() {
                break;
            }
        }
        Ok(fits)
    }

    /// How many of the rules the data meets, as far as it must be known.
    fn fitting(
        &mut self,
        rules: &[RuleIndex],
        all_count: bool,
        data: &Value,
        place: &Place<'_>,
        seen: &mut Seen,
    ) -> Result<usize, Stop> {
        let mut fitting = 0;
        for rule in rules {
            fitting += usize::from(self.quietly(*rule, data, place, seen)?);
            if fitting > usize::from(all_count) && !self.schema.traces {
                break;
            }
        }
        Ok(fitting)
    }

    fn members(
        &mut self,
        rules: &'s Members,
        members: &Object,
        place: &Place<'_>,
        seen: &mut Seen,
    ) -> Result<bool, Stop> {
        let mut fits = true;
        for (key, value) in members {
            self.budget.work(1 + key.len() as u64 / 32)?;
            // Compiled from an object, so in key order.
            let named = rules.named.binary_search_by(|(name, _)| name.cmp(key));
            let mut meant = named.is_ok();
            if let Ok(index) = named {
                fits &= self.part(rules.named[index].1, value, place, Step::Key(key))?;
            }
            for (pattern, rule) in &rules.patterns {
                if pattern.is_in(key, self.budget)? {
                    meant = true;
                    fits &= self.part(*rule, value, place, Step::Key(key))?;
                }
            }
            if let (false, Some(rule)) = (meant, rules.rest) {
                meant = true;
                fits &= self.part(rule, value, place, Step::Key(key))?;
            }
            if !fits && !self.goes_on() {
                return Ok(false);
            }
            if meant && self.schema.traces {
                seen.keys.insert(key.clone());
            }
        }
        Ok(fits)
    }

    fn not_among(&self, values: &[Value], data: &Value) -> Result<Option<String>, Stop> {
        for value in values {
            if equal(value, data, self.budget)? {
                return Ok(None);
            }
        }
        Ok(Some(match values {
            [one] => format!("must be {}", quote(one)),
            _ => {
                let shown: Vec<String> = values.iter().take(MISFITS_MAX).map(quote).collect();
                let more = if values.len() > shown.len() {
                    ", …"
                } else {
                    ""
                };
                format!("must be one of {}{more}", shown.join(", "))
            }
        }))
    }

    fn repeated(&self, elements: &[Value]) -> Result<Option<String>, Stop> {
        let keyed = elements.iter().map(|item| (item.clone(), Value::Null));
        let sorted = sort(keyed.collect(), self.budget)?;
        for pair in sorted.windows(2) {
            if equal(&pair[0].0, &pair[1].0, self.budget)? {
                return Ok(Some(format!("has {} twice", quote(&pair[0].0))));
            }
        }
        Ok(None)
    }

    fn missing(&self, names: &[Str], members: &Object) -> Result<Option<String>, Stop> {
        self.budget.work(names.len() as u64)?;
        let missing = names.iter().filter(|name| !members.contains_key(*name));
        let missing: Vec<String> = missing
            .take(MISFITS_MAX)
            .map(|name| quote(&Value::Text(name.clone())))
            .collect();
        Ok((!missing.is_empty()).then(|| format!("lacks {}", missing.join(", "))))
    }
}

/// The beginning of a value as JSON.
fn quote(value: &Value) -> String {
    match value {
        Value::Array(_) => return "this list".into(),
        Value::Object(_) => return "this map".into(),
        _ => {}
    }
    let json = value.to_json();
    match json.char_indices().nth(QUOTE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &json[..end]),
        None => json,
    }
}

/// A number as a double.
pub(super) fn double(number: &Value) -> f64 {
    match number {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        _ => 0.0,
    }
}

fn kind_of(data: &Value) -> Kinds {
    match data {
        Value::Null => NULL,
        Value::Bool(_) => BOOLEAN,
        Value::Int(_) => INTEGER,
        Value::Float(number) if libm::trunc(*number) == *number => INTEGER,
        Value::Float(_) => FRACTION,
        Value::Text(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Object(_) => OBJECT,
    }
}

fn wrong_kind(kinds: Kinds, data: &Value) -> Option<String> {
    if kinds & kind_of(data) != 0 {
        return None;
    }
    let words = KIND_WORDS.iter().filter(|(word, kind)| {
        kinds & kind == *kind && !(*word == "integer" && kinds & FRACTION != 0)
    });
    let words: Vec<&str> = words.map(|(word, _)| *word).collect();
    Some(format!(
        "must be {}, not {}",
        words.join(" or "),
        data.kind()
    ))
}

fn beyond(limit: Limit, bound: &Value, data: &Value) -> Option<String> {
    let order = match (data, bound) {
        (Value::Int(data), Value::Int(bound)) => data.cmp(bound),
        _ => double(data).partial_cmp(&double(bound))?,
    };
    let (fits, words) = match limit {
        Limit::Least => (order.is_ge(), "at least"),
        Limit::Most => (order.is_le(), "at most"),
        Limit::Above => (order.is_gt(), "more than"),
        Limit::Below => (order.is_lt(), "less than"),
    };
    (!fits).then(|| format!("must be {words} {bound}, not {data}"))
}

fn no_multiple(step: &Value, data: &Value) -> Option<String> {
    let fits = match (step, data) {
        (Value::Int(step), Value::Int(data)) => {
            data.checked_rem(*step).is_none_or(|rest| rest == 0)
        }
        _ => {
            let steps = double(data) / double(step);
            steps.is_finite() && (steps - libm::round(steps)).abs() < MULTIPLE_TOLERANCE
        }
    };
    (!fits).then(|| format!("must be a multiple of {step}, not {data}"))
}

fn count(counted: Counted, data: &Value) -> Option<u64> {
    match (counted, data) {
        (Counted::Letters, Value::Text(text)) => Some(text.chars().count() as u64),
        (Counted::Items, Value::Array(elements)) => Some(elements.len() as u64),
        (Counted::Members, Value::Object(members)) => Some(members.len() as u64),
        _ => None,
    }
}

fn word(counted: Counted) -> &'static str {
    match counted {
        Counted::Letters => "characters",
        Counted::Items => "items",
        Counted::Members => "members",
    }
}
