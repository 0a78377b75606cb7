//! Owns [`Said`]: what a step says in the places that its pattern leaves open.
//!
//! Invariant: a pattern is fixed text with places like `{task}` in it; the fixed text has to be there literally.

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The open places of a step, and the text below it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    words: Vec<String>,
    text: Option<String>,
}

impl Said {
    /// What `says` puts into the places of `pattern`; none if it is no such step. A pattern that ends in a colon
    /// has a text below it, others have none.
    pub(crate) fn by(pattern: &str, says: &str, text: Option<&str>) -> Option<Said> {
        if pattern.ends_with(':') != text.is_some() {
            return None;
        }
        let mut parts = pattern.split(['{', '}']).step_by(2);
        let mut rest = says.strip_prefix(parts.next()?)?;
        let mut words = Vec::new();
        let mut parts = parts.peekable();
        while let Some(part) = parts.next() {
            let (word, after) = match parts.peek() {
                Some(_) => rest.split_once(part)?,
                None => (rest.strip_suffix(part)?, ""),
            };
            words.push(word.to_owned());
            rest = after;
        }
        let text = text.map(ToOwned::to_owned);
        rest.is_empty().then_some(Said { words, text })
    }

    /// One of the places, from 0.
    pub(crate) fn word(&self, place: usize) -> &str {
        &self.words[place]
    }

    /// One of the places as a number.
    pub(crate) fn number(&self, place: usize) -> Result<u64> {
        let word = self.word(place);
        word.parse()
            .with_context(|| format!("{word:?} is not a whole number"))
    }

    /// One of the places as the names in it: `'a', 'b'`.
    pub(crate) fn names(&self, place: usize) -> Vec<String> {
        let names = self.word(place).split('\'').skip(1).step_by(2);
        names.map(ToOwned::to_owned).collect()
    }

    /// The text below the step.
    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// The text below the step, read as YAML.
    pub(crate) fn value(&self) -> Result<Value> {
        crate::yaml::read(self.text())
    }
}
