//! Owns [`Finding`]: one thing to say about a text, and [`Findings`], the list of them while it grows.
//!
//! Invariants: the list holds no finding twice and at most [`FINDINGS_MAX`]; quoted user text is cut
//! short, so that a message is never longer than a screen, and shows what it holds, whatever letters are in it.

use std::fmt;

use serde::Serialize;

use crate::tree::{At, Mark};

/// The most findings that one text gets; the rest would only repeat them.
pub const FINDINGS_MAX: usize = 100;

/// Longest name that is compared in search of the one that was meant.
const HINT_BYTES_MAX: usize = 64;

/// Most names that are compared in search of the one that was meant.
const HINT_CANDIDATES_MAX: usize = 200;

/// Longest piece of the author's text that a message quotes, in characters.
const QUOTE_CHARS_MAX: usize = 60;

/// Longest message, in characters.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The text does not compile.
    Error,
    /// The text compiles, but probably does not mean what its author thinks.
    Warning,
}

/// What is to be said about one place of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The place as a JSON pointer.
    pub path: String,
    /// How bad it is.
    pub severity: Severity,
    /// What kind of finding, in kebab case; it never changes its meaning:
    ///
    /// * the text: `yaml-syntax` `yaml-feature` `duplicate-key` `too-large` `too-deep`
    /// * keys and values: `unknown-key` `missing-key` `bad-type` `bad-value` `bad-name` `not-literal`
    ///   `empty-list` `bad-dsl` `bad-version` `bad-duration` `bad-instant` `bad-cron` `bad-endpoint`
    ///   `bad-schema`
    /// * tasks: `bad-item` `unknown-task` `duplicate-name` `unknown-jump` `two-defaults` `unknown-name`
    ///   `unknown-function` `function-cycle` `compensate-outside-saga` `bad-expression` `misplaced-secret`
    ///   `bad-edge` `unsound` `endless` (a warning where it may be meant)
    /// * `unsupported`: part of the language, but not of this server
    /// * warnings: `unused` `text-not-expression` `text-not-bool` `constant`
    pub code: &'static str,
    /// What is wrong; how to fix it.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(
            f,
            "{}:{}: {severity}: {} [{}]",
            self.line, self.column, self.message, self.code
        )
    }
}

/// The findings so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    errors: usize,
}

impl Findings {
    /// An error about a value.
    pub(crate) fn error(&mut self, at: At<'_>, code: &'static str, message: impl Into<String>) {
        self.add(
            at.mark(),
            || at.path(),
            Severity::Error,
            code,
            message.into(),
        );
    }

    /// An error about the key that a value stands under.
    pub(crate) fn error_key(&mut self, at: At<'_>, code: &'static str, message: impl Into<String>) {
        self.add(
            at.key_mark(),
            || at.path(),
            Severity::Error,
            code,
            message.into(),
        );
    }

    /// A warning about a value.
    pub(crate) fn warning(&mut self, at: At<'_>, code: &'static str, message: impl Into<String>) {
        self.add(
            at.mark(),
            || at.path(),
            Severity::Warning,
            code,
            message.into(),
        );
    }

    /// A warning about the key that a value stands under.
    pub(crate) fn warning_key(
        &mut self,
        at: At<'_>,
        code: &'static str,
        message: impl Into<String>,
    ) {
        self.add(
            at.key_mark(),
            || at.path(),
            Severity::Warning,
            code,
            message.into(),
        );
    }

    /// Any finding. Past [`FINDINGS_MAX`] only the fact of an error is kept.
    pub(crate) fn add(
        &mut self,
        mark: Mark,
        path: impl FnOnce() -> String,
        severity: Severity,
        code: &'static str,
        message: String,
    ) {
        self.errors += usize::from(severity == Severity::Error);
        if self.is_full() {
            return;
        }
        let finding = Finding {
            line: mark.line,
            column: mark.column,
            path: path(),
            severity,
            code,
            message: plain(message),
        };
        if !self.list.contains(&finding) {
            self.list.push(finding);
        }
    }

    /// Whether any error was found.
    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many errors were found so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Whether more findings would be dropped.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= FINDINGS_MAX
    }

    /// All findings in the order of the text.
    pub(crate) fn into_list(mut self) -> Vec<Finding> {
        self.list.sort_by(|a, b| {
            (a.severity, a.line, a.column, a.code).cmp(&(b.severity, b.line, b.column, b.code))
        });
        self.list
    }

    /// `; did you mean "…"?` when a candidate is close to the name, else what `otherwise` says.
    pub(crate) fn hint<'c>(
        &self,
        name: &str,
        candidates: impl IntoIterator<Item = &'c str>,
        otherwise: impl FnOnce() -> String,
    ) -> String {
        if self.is_full() {
            return String::new();
        }
        match nearest(name, candidates) {
            Some(candidate) => format!("; did you mean {}?", quote(candidate)),
            None => otherwise(),
        }
    }
}

/// A message without letters that nobody sees or that turn others around, cut where it gets long.
fn plain(message: String) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if !message.chars().any(hidden) && message.len() <= MESSAGE_CHARS_MAX {
        return message;
    }
    let mut plain = String::new();
    for (count, letter) in message.chars().enumerate() {
        if count == MESSAGE_CHARS_MAX {
            plain.push('…');
            break;
        }
        match hidden(letter) {
            true => plain.extend(letter.escape_unicode()),
            false => plain.push(letter),
        }
    }
    plain
}

/// The author's text in quotation marks, cut where it gets long.
pub(crate) fn quote(text: &str) -> String {
    match text.char_indices().nth(QUOTE_CHARS_MAX) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// The candidate that was most probably meant, if one is close enough to be a slip.
fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if name.len() > HINT_BYTES_MAX {
        return None;
    }
    let slips_max = (name.chars().count() / 3).min(3);
    candidates
        .into_iter()
        .take(HINT_CANDIDATES_MAX)
        .filter(|candidate| candidate.len() <= HINT_BYTES_MAX)
        .map(|candidate| {
            (
                slips(&name.to_lowercase(), &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(count, _)| *count <= slips_max)
        .min_by_key(|(count, _)| *count)
        .map(|(_, candidate)| candidate)
}

/// How many letters are too many, missing, wrong or swapped with their neighbour.
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let mut least = (above[j] + usize::from(a[i] != b[j]))
                .min(above[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_forgives_slips_and_nothing_more() {
        let names = ["when", "then", "input", "output", "exceptWhen"];
        for (name, meant) in [
            ("whne", Some("when")),
            ("thn", Some("then")),
            ("Input", Some("input")),
            ("exceptwhen", Some("exceptWhen")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(nearest(name, names), meant, "{name}");
        }
    }

    #[test]
    fn quotes_are_cut() {
        assert_eq!(quote("a\"b"), r#""a\"b""#);
        assert_eq!(quote(&"ä".repeat(100)).chars().count(), QUOTE_CHARS_MAX + 3);
    }
}
