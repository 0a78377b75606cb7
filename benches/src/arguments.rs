//! Owns [`Arguments`]: `--name value` pairs, with defaults given where they are used.

use std::collections::HashMap;

use anyhow::{Context as _, bail};

/// The arguments after the subcommand.
#[derive(Debug)]
pub(crate) struct Arguments(HashMap<String, String>);

impl Arguments {
    /// Reads pairs.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> anyhow::Result<Arguments> {
        let mut pairs = HashMap::new();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else {
                bail!("expected an option like --url, got {word:?}");
            };
            let value = words
                .next()
                .with_context(|| format!("--{name} needs a value"))?;
            pairs.insert(name.to_owned(), value);
        }
        Ok(Arguments(pairs))
    }

    /// A text that must be given.
    pub(crate) fn required(&self, name: &str) -> anyhow::Result<&str> {
        let value = self
            .0
            .get(name)
            .with_context(|| format!("--{name} is missing"))?;
        Ok(value)
    }

    /// A text.
    pub(crate) fn text<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.0.get(name).map_or(default, String::as_str)
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str, default: u64) -> anyhow::Result<u64> {
        let Some(value) = self.0.get(name) else {
            return Ok(default);
        };
        value
            .parse()
            .with_context(|| format!("--{name} must be a whole number, got {value:?}"))
    }
}
