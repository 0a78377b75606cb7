//! Owns the reading of single members: which keys a map may have, and literals of a given type.
//!
//! Invariant: a reader that gives none has left a finding, so callers go on to find more.

use graph::check::NAME_BYTES_MAX;
use graph::duration;
use graph::ir::{BodyIndex, Need};
use graph::value::Str;
use graph::{Delay, Template};

use crate::expression::{truth_of_old, unwrap};
use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::tree::{At, Data};

/// What a count must be.
const WHOLE_NUMBER: &str = "a whole number";

impl<'t> Lowering<'t> {
    /// Whether this is a map; its keys are held against the known ones.
    pub(crate) fn known(&mut self, at: At<'t>, keys: &[&str]) -> bool {
        if !at.is_map() {
            self.wrong(at, "a map");
            return false;
        }
        for member in at.children().filter(|member| !keys.contains(&member.key())) {
            if self.findings.is_full() {
                break;
            }
            let listed = || match keys {
                [] => "; this map must be empty".into(),
                _ => format!("; allowed here: {}", keys.join(", ")),
            };
            let hint = self
                .findings
                .hint(member.key(), keys.iter().copied(), listed);
            self.findings.error_key(
                member,
                "unknown-key",
                format!("unknown key {}{hint}", quote(member.key())),
            );
        }
        true
    }

    /// Says of each of these members that it is part of the language but not supported, and what to do.
    pub(crate) fn refuse(&mut self, at: At<'t>, keys: &[(&str, &str)]) {
        for (key, advice) in keys {
            if let Some(member) = at.member(key) {
                self.unsupported(member, &format!("`{key}`"), advice);
            }
        }
    }

    /// Says that something is part of the language but not supported, and what to do instead.
    pub(crate) fn unsupported(&mut self, at: At<'t>, what: &str, advice: &str) {
        self.findings.error_key(
            at,
            "unsupported",
            format!("{what} is not supported yet; {advice}"),
        );
    }

    /// The member under a key that must be there.
    pub(crate) fn require(&mut self, at: At<'t>, key: &str) -> Option<At<'t>> {
        let member = at.member(key);
        if member.is_none() && at.is_map() {
            self.findings.error_key(
                at,
                "missing-key",
                format!("`{key}` is missing; add it here"),
            );
        }
        member
    }

    /// Says that a value has the wrong type.
    pub(crate) fn wrong(&mut self, at: At<'t>, expected: &str) {
        let name = match at.key() {
            "" if at.path().is_empty() => "the text".into(),
            "" => "this".into(),
            key => format!("`{key}`"),
        };
        let unquoted = matches!(at.data(), Data::Bool(_) | Data::Int(_) | Data::Float(_))
            && expected.starts_with("text");
        let fix = if unquoted { "; quote the value" } else { "" };
        let given = match at.data() {
            Data::Float(number) if expected.starts_with(WHOLE_NUMBER) => format!("{number:?}"),
            _ => at.kind().into(),
        };
        self.findings.error(
            at,
            "bad-type",
            format!("{name} must be {expected}, not {given}{fix}"),
        );
    }

    /// The elements of a list.
    pub(crate) fn list(&mut self, at: At<'t>) -> Option<Vec<At<'t>>> {
        if !at.is_list() {
            self.wrong(at, "a list");
            return None;
        }
        Some(at.children().collect())
    }

    /// Text that is no expression.
    pub(crate) fn literal(&mut self, at: At<'t>) -> Option<Str> {
        let Some(text) = at.text() else {
            self.wrong(at, "text");
            return None;
        };
        if unwrap(text).is_some() {
            let message = format!(
                "`{}` must be plain text, because it is read before a run exists; write it without ${{ }}",
                at.key()
            );
            self.findings.error(at, "not-literal", message);
            return None;
        }
        Some(text.clone())
    }

    /// Text that may serve as a name.
    pub(crate) fn name(&mut self, at: At<'t>) -> Option<Str> {
        let name = self.literal(at)?;
        self.fits_name(at, &name).then_some(name)
    }

    /// Whether text is neither empty nor too long for a name.
    pub(crate) fn fits_name(&mut self, at: At<'t>, name: &str) -> bool {
        if name.is_empty() {
            self.findings
                .error(at, "bad-name", "a name must not be empty");
        } else if name.len() > NAME_BYTES_MAX {
            let message = format!(
                "the name {} has {} bytes; use at most {NAME_BYTES_MAX}",
                quote(name),
                name.len()
            );
            self.findings.error(at, "bad-name", message);
        }
        (1..=NAME_BYTES_MAX).contains(&name.len())
    }

    /// One of some words.
    pub(crate) fn word(&mut self, at: At<'t>, words: &[&'static str]) -> Option<&'static str> {
        let text = self.literal(at)?;
        let found = words.iter().copied().find(|word| *word == &*text);
        if found.is_none() {
            let hint = self.findings.hint(&text, words.iter().copied(), || {
                format!("; use one of {}", words.join(", "))
            });
            self.findings.error(
                at,
                "bad-value",
                format!(
                    "{} is not a word that `{}` knows{hint}",
                    quote(&text),
                    at.key()
                ),
            );
        }
        found
    }

    /// True or false under a key, or the default.
    pub(crate) fn flag(&mut self, at: At<'t>, key: &str, default: bool) -> bool {
        match at.member(key).map(|member| (member, member.data())) {
            None => default,
            Some((_, Data::Bool(truth))) => *truth,
            Some((member, _)) => {
                match member.text().and_then(|text| truth_of_old(text)) {
                    Some(truth) => {
                        let message = format!(
                            "`{key}` must be true or false, and this is text as of YAML 1.2; write {truth}"
                        );
                        self.findings.error(member, "bad-type", message);
                    }
                    None => self.wrong(member, "true or false"),
                }
                default
            }
        }
    }

    /// A whole number under a key, or the default.
    pub(crate) fn count(&mut self, at: At<'t>, key: &str, min: u32, max: u32) -> Option<u32> {
        let member = at.member(key)?;
        let Data::Int(number) = member.data() else {
            self.wrong(member, WHOLE_NUMBER);
            return None;
        };
        let fits = u32::try_from(*number)
            .ok()
            .filter(|number| (min..=max).contains(number));
        if fits.is_none() {
            self.findings.error(
                member,
                "bad-value",
                format!("`{key}` must be from {min} to {max}, not {number}"),
            );
        }
        fits
    }

    /// How many of several are needed: a number under `need`, or `all`.
    pub(crate) fn need(&mut self, at: At<'t>, max: u32) -> Option<Need> {
        let need = at.member("need")?;
        if need.text().is_some_and(|text| &**text == "all") {
            return Some(Need::All);
        }
        self.count(at, "need", 1, max).map(Need::Count)
    }

    /// An empty map, or nothing at all.
    pub(crate) fn nothing(&mut self, at: At<'t>) {
        if !matches!(at.data(), Data::Null) {
            self.known(at, &[]);
        }
    }

    /// A length of time, perhaps computed.
    pub(crate) fn delay(&mut self, at: At<'t>, scope: &Scope) -> Option<Delay> {
        if at.is_map() && at.children().next().is_none() {
            self.findings.error(
                at,
                "bad-duration",
                "the duration is empty; write for example {minutes: 5}",
            );
            return None;
        }
        for member in at.children().filter(|member| member.text().is_some()) {
            self.template_of(member, &["number"], scope)?;
        }
        if let Some(value) = self.foreseen(at, scope)
            && matches!(value.kind(), "string" | "number" | "object")
            && let Err(message) = duration::read(&value)
        {
            self.findings.error(at, "bad-duration", message);
            return None;
        }
        match self.template_of(at, &["string", "number", "object"], scope)? {
            Template::Literal(value) => match duration::read(&value) {
                Ok(ms) => Some(Delay::Ms(ms)),
                Err(message) => {
                    self.findings.error(at, "bad-duration", message);
                    None
                }
            },
            computed => Some(Delay::Computed(computed)),
        }
    }

    /// A length of time that is known beforehand, in milliseconds.
    pub(crate) fn fixed_ms(&mut self, at: At<'t>) -> Option<u64> {
        match self.delay(at, &Scope::default())? {
            Delay::Ms(ms) => Some(ms),
            Delay::Computed(_) => {
                let message = format!(
                    "`{}` must be a fixed duration; write it without ${{ }}",
                    at.key()
                );
                self.findings.error(at, "not-literal", message);
                None
            }
        }
    }

    /// An instant that is known beforehand, in milliseconds since 1970.
    pub(crate) fn instant(&mut self, at: At<'t>) -> Option<u64> {
        let text = self.literal(at)?;
        let instant = text.parse::<jiff::Timestamp>().ok();
        let ms = instant.and_then(|instant| u64::try_from(instant.as_millisecond()).ok());
        if ms.is_none() {
            let message = format!(
                "{} is not an instant since 1970; write for example 2030-01-31T09:00:00Z",
                quote(&text)
            );
            self.findings.error(at, "bad-instant", message);
        }
        ms
    }

    /// A timeout: `{after: …}`, or the name of one in `use.timeouts`.
    pub(crate) fn timeout(&mut self, at: At<'t>, scope: &Scope) -> Option<Delay> {
        let definition = match at.text() {
            Some(name) => self.reuse("timeouts", name, at)?,
            None => at,
        };
        self.known(definition, &["after"]);
        let after = self.require(definition, "after")?;
        self.delay(after, scope)
    }

    /// The list of tasks under a key that must be there, as a body.
    pub(crate) fn required_body(
        &mut self,
        at: At<'t>,
        key: &str,
        scope: &Scope,
    ) -> Option<BodyIndex> {
        let list = self.require(at, key)?;
        self.body(list, scope)
    }
}
