//! Owns regular expressions: a pattern into a small machine, and the machine over a text.
//!
//! Invariants: no backtracking, so time is text times pattern; each state visited is charged; the
//! machine is bounded by [`STATES_MAX`]. Positions count characters.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use super::access::{ARRAY_BYTES, MEMBER_BYTES};
use super::budget::Budget;
use super::error::Stop;
use super::function::Strict;
use super::object::count;
use super::order;
use crate::value::{Str, Value};

/// How long a pattern may be.
const PATTERN_BYTES_MAX: usize = 1024;

/// How many states a pattern may have; repetitions with a count multiply them.
const STATES_MAX: usize = 4096;

/// How deep groups may nest.
const GROUPS_DEPTH_MAX: u32 = 24;

#[derive(Debug)]
enum State {
    /// One character of these ranges.
    Class(Vec<(char, char)>),
    /// Both ways, the first preferred.
    Split(usize, usize),
    /// Remember the position.
    Save(usize),
    Look(Look),
    Found,
}

#[derive(Debug)]
struct Machine {
    states: Vec<State>,
    names: Vec<Option<Str>>,
}

/// Where a group starts and ends, in turn; the first is the whole.
type Slots = Vec<Option<usize>>;

#[derive(Default)]
struct Flags {
    global: bool,
    nonempty: bool,
    ignore_case: bool,
    extended: bool,
    dot_all: bool,
}

fn flags(text: Option<&str>) -> Result<Flags, Stop> {
    let mut flags = Flags::default();
    for flag in text.unwrap_or_default().chars() {
        match flag {
            'g' => flags.global = true,
            'n' => flags.nonempty = true,
            'i' => flags.ignore_case = true,
            'x' => flags.extended = true,
            's' => flags.dot_all = true,
            'p' => (flags.dot_all, flags.nonempty) = (true, true),
            'l' => {}
            _ => {
                return Err(Stop::failed(format!(
                    "{flag:?} is not a flag of a pattern\nthese are: g n i x s p l"
                )));
            }
        }
    }
    Ok(flags)
}

impl Machine {
    fn compile(pattern: &str, flags: &Flags, budget: &Budget) -> Result<Machine, Stop> {
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(Stop::failed(format!(
                "the pattern is longer than {PATTERN_BYTES_MAX} bytes"
            )));
        }
        budget.work(pattern.len() as u64 * 32 + 64)?;
        let hir = regex_syntax::ParserBuilder::new()
            .nest_limit(GROUPS_DEPTH_MAX)
            .case_insensitive(flags.ignore_case)
            .ignore_whitespace(flags.extended)
            .dot_matches_new_line(flags.dot_all)
            .build()
            .parse(pattern)
            .map_err(|error| {
                Stop::failed(format!("{pattern:?} is not a pattern: {}", reason(&error)))
            })?;
        let mut machine = Machine {
            states: Vec::new(),
            names: vec![None],
        };
        machine.push(State::Save(0), budget)?;
        machine.add(&hir, budget)?;
        machine.push(State::Save(1), budget)?;
        machine.push(State::Found, budget)?;
        Ok(machine)
    }

    fn push(&mut self, state: State, budget: &Budget) -> Result<usize, Stop> {
        if self.states.len() >= STATES_MAX {
            return Err(Stop::failed(format!(
                "the pattern needs more than {STATES_MAX} states\nuse smaller counts"
            )));
        }
        budget.work(4)?;
        self.states.push(state);
        Ok(self.states.len() - 1)
    }

    fn class(&mut self, ranges: Vec<(char, char)>, budget: &Budget) -> Result<(), Stop> {
        budget.work(ranges.len() as u64)?;
        budget.alloc(ranges.len() * 8)?;
        self.push(State::Class(ranges), budget).map(drop)
    }

    fn add(&mut self, hir: &Hir, budget: &Budget) -> Result<(), Stop> {
        match hir.kind() {
            HirKind::Empty => Ok(()),
            HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0)
                .chars()
                .try_for_each(|c| self.class(vec![(c, c)], budget)),
            HirKind::Class(Class::Unicode(class)) => self.class(
                class
                    .iter()
                    .map(|range| (range.start(), range.end()))
                    .collect(),
                budget,
            ),
            HirKind::Class(Class::Bytes(class)) => self.class(
                class
                    .iter()
                    .map(|r| (char::from(r.start()), char::from(r.end())))
                    .collect(),
                budget,
            ),
            HirKind::Look(look) => self.push(State::Look(*look), budget).map(drop),
            HirKind::Repetition(repetition) => self.repetition(repetition, budget),
            HirKind::Capture(capture) => {
                let index = capture.index as usize;
                if self.names.len() <= index {
                    self.names.resize(index + 1, None);
                }
                self.names[index] = capture.name.as_deref().map(Str::from);
                self.push(State::Save(2 * index), budget)?;
                self.add(&capture.sub, budget)?;
                self.push(State::Save(2 * index + 1), budget).map(drop)
            }
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.add(part, budget)),
            HirKind::Alternation(parts) => self.alternation(parts, budget),
        }
    }

    fn alternation(&mut self, parts: &[Hir], budget: &Budget) -> Result<(), Stop> {
        let mut exits = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if index + 1 == parts.len() {
                self.add(part, budget)?;
                break;
            }
            let split = self.push(State::Split(0, 0), budget)?;
            self.add(part, budget)?;
            exits.push(self.push(State::Split(0, 0), budget)?);
            self.states[split] = State::Split(split + 1, self.states.len());
        }
        let end = self.states.len();
        for exit in exits {
            self.states[exit] = State::Split(end, end);
        }
        Ok(())
    }

    fn repetition(&mut self, repetition: &Repetition, budget: &Budget) -> Result<(), Stop> {
        let choose = |enter: usize, leave: usize| {
            if repetition.greedy {
                State::Split(enter, leave)
            } else {
                State::Split(leave, enter)
            }
        };
        for _ in 0..repetition.min {
            self.push_empty(budget)?;
            self.add(&repetition.sub, budget)?;
        }
        let Some(max) = repetition.max else {
            let split = self.push(State::Split(0, 0), budget)?;
            self.add(&repetition.sub, budget)?;
            self.push(State::Split(split, split), budget)?;
            self.states[split] = choose(split + 1, self.states.len());
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in repetition.min..max {
            splits.push(self.push(State::Split(0, 0), budget)?);
            self.add(&repetition.sub, budget)?;
        }
        let end = self.states.len();
        for split in splits {
            self.states[split] = choose(split + 1, end);
        }
        Ok(())
    }

    /// A state that does nothing, so that repeating nothing is bounded as well.
    fn push_empty(&mut self, budget: &Budget) -> Result<(), Stop> {
        let next = self.states.len() + 1;
        self.push(State::Split(next, next), budget).map(drop)
    }

    /// The leftmost match from a position on.
    fn find(&self, text: &[char], from: usize, budget: &Budget) -> Result<Option<Slots>, Stop> {
        let mut found = None;
        let mut current: Vec<(usize, Slots)> = Vec::new();
        let mut seen = vec![usize::MAX; self.states.len()];
        let mut waiting = Vec::new();
        for at in from..=text.len() {
            let mut here = Vec::new();
            for (state, slots) in current.drain(..) {
                self.enter(
                    state,
                    slots,
                    text,
                    at,
                    &mut seen,
                    &mut waiting,
                    &mut here,
                    budget,
                )?;
            }
            if found.is_none() {
                self.enter(
                    0,
                    vec![None; self.names.len() * 2],
                    text,
                    at,
                    &mut seen,
                    &mut waiting,
                    &mut here,
                    budget,
                )?;
            }
            for (state, slots) in here {
                match &self.states[state] {
                    State::Class(ranges) if at < text.len() && within(ranges, text[at]) => {
                        current.push((state + 1, slots));
                    }
                    State::Found => {
                        found = Some(slots);
                        break;
                    }
                    _ => {}
                }
            }
            if current.is_empty() && found.is_some() {
                break;
            }
        }
        Ok(found)
    }

    /// Follows the states that take no character.
    #[expect(
        clippy::too_many_arguments,
        reason = "the buffers are reused from position to position"
    )]
    fn enter(
        &self,
        state: usize,
        slots: Slots,
        text: &[char],
        at: usize,
        seen: &mut [usize],
        waiting: &mut Vec<(usize, Slots)>,
        here: &mut Vec<(usize, Slots)>,
        budget: &Budget,
    ) -> Result<(), Stop> {
        waiting.push((state, slots));
        while let Some((state, mut slots)) = waiting.pop() {
            budget.work(2 + slots.len() as u64 / 4)?;
            if core::mem::replace(&mut seen[state], at) == at {
                continue;
            }
            match &self.states[state] {
                State::Split(first, second) if first == second => waiting.push((*first, slots)),
                State::Split(first, second) => {
                    waiting.push((*second, slots.clone()));
                    waiting.push((*first, slots));
                }
                State::Save(slot) => {
                    slots[*slot] = Some(at);
                    waiting.push((state + 1, slots));
                }
                State::Look(look) => {
                    if looks(*look, text, at) {
                        waiting.push((state + 1, slots));
                    }
                }
                State::Class(_) | State::Found => here.push((state, slots)),
            }
        }
        Ok(())
    }

    /// A match as jq describes it.
    fn describe(&self, text: &[char], slots: &Slots, budget: &Budget) -> Result<Value, Stop> {
        let mut groups = Vec::with_capacity(self.names.len());
        for (index, name) in self.names.iter().enumerate() {
            budget.alloc(ARRAY_BYTES + 4 * MEMBER_BYTES)?;
            let (offset, length, string) = match (slots[2 * index], slots[2 * index + 1]) {
                (Some(start), Some(end)) => {
                    budget.alloc(end - start)?;
                    let string: String = text[start..end].iter().collect();
                    (count(start), count(end - start), Value::text(string))
                }
                _ => (Value::Int(-1), Value::Int(0), Value::Null),
            };
            let name = name.clone().map_or(Value::Null, Value::Text);
            groups.push([
                ("offset", offset),
                ("length", length),
                ("string", string),
                ("name", name),
            ]);
        }
        let mut groups = groups.into_iter();
        let [offset, length, string, _] =
            groups.next().expect("the whole match is the first group");
        let captures = Value::array(groups.map(Value::from).collect());
        Ok(Value::from([
            offset,
            length,
            string,
            ("captures", captures),
        ]))
    }
}

/// A pattern that is compiled once and asked often, outside of expressions.
#[derive(Debug)]
pub(crate) struct Pattern {
    source: Str,
    machine: Machine,
}

impl Pattern {
    /// Compiles a pattern; the error says what is wrong with it.
    pub(crate) fn compile(source: &Str) -> Result<Pattern, String> {
        let told = |stop| match stop {
            Stop::Error(error) => error.message,
            Stop::Break(_) => String::new(),
        };
        let machine = Machine::compile(source, &Flags::default(), &Budget::default());
        Ok(Pattern {
            source: source.clone(),
            machine: machine.map_err(told)?,
        })
    }

    /// As it was written.
    pub(crate) fn source(&self) -> &Str {
        &self.source
    }

    /// Whether any part of a text matches.
    pub(crate) fn is_in(&self, text: &str, budget: &Budget) -> Result<bool, Stop> {
        budget.alloc(text.len() * 4)?;
        budget.work(self.machine.states.len() as u64)?;
        let text: Vec<char> = text.chars().collect();
        Ok(self.machine.find(&text, 0, budget)?.is_some())
    }
}

fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => format!("{}", error.kind()),
        regex_syntax::Error::Translate(error) => format!("{}", error.kind()),
        _ => "it is not understood".into(),
    }
}

fn within(ranges: &[(char, char)], c: char) -> bool {
    ranges
        .binary_search_by(|(start, end)| {
            if *end < c {
                core::cmp::Ordering::Less
            } else if *start > c {
                core::cmp::Ordering::Greater
            } else {
                core::cmp::Ordering::Equal
            }
        })
        .is_ok()
}

fn looks(look: Look, text: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|at| text[at]);
    let after = text.get(at).copied();
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match look {
        Look::Start => before.is_none(),
        Look::End => after.is_none(),
        Look::StartLF | Look::StartCRLF => matches!(before, None | Some('\n')),
        Look::EndLF | Look::EndCRLF => matches!(after, None | Some('\n')),
        Look::WordAscii | Look::WordUnicode => word(before) != word(after),
        Look::WordAsciiNegate | Look::WordUnicodeNegate => word(before) == word(after),
        Look::WordStartAscii | Look::WordStartUnicode => !word(before) && word(after),
        Look::WordEndAscii | Look::WordEndUnicode => word(before) && !word(after),
        Look::WordStartHalfAscii | Look::WordStartHalfUnicode => !word(before),
        Look::WordEndHalfAscii | Look::WordEndHalfUnicode => !word(after),
    }
}

/// All matches of a pattern, which may be text or `[pattern, flags]`.
fn matches(value: &Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let text = super::text::text("match", value)?;
    let (pattern, given) = match (&arguments[0], &arguments[1]) {
        (Value::Array(pair), Value::Null) if !pair.is_empty() => {
            (&pair[0], pair.get(1).unwrap_or(&Value::Null))
        }
        (pattern, flags) => (pattern, flags),
    };
    let given = match given {
        Value::Null => None,
        Value::Text(flags) => Some(&**flags),
        other => {
            return Err(Stop::failed(format!(
                "flags are a string, not {}",
                order::shown(other)
            )));
        }
    };
    let flags = flags(given)?;
    let machine = Machine::compile(super::text::text("match", pattern)?, &flags, budget)?;
    budget.alloc(text.len() * 4)?;
    let text: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut from = 0;
    while from <= text.len() {
        budget.work(machine.states.len() as u64)?;
        let Some(slots) = machine.find(&text, from, budget)? else {
            break;
        };
        let (Some(start), Some(end)) = (slots[0], slots[1]) else {
            break;
        };
        if end > start || !flags.nonempty {
            found.push(machine.describe(&text, &slots, budget)?);
        }
        if !flags.global && !found.is_empty() {
            break;
        }
        from = if end > start { end } else { end + 1 };
    }
    Ok(Value::array(found))
}

/// The functions of regular expressions; the rest is in the prelude.
pub(super) const FUNCTIONS: &[Strict] = &[Strict {
    name: "_match",
    arity: 2,
    run: |v, a, b| matches(&v, a, b),
}];
