//! Owns the environment variables: one for each key, `QUADRILLE_` and the path in capitals, joined by `_`.
//!
//! Invariant: the variables are made from the default configuration, so that there is one for every key
//! and none for anything else.

use serde_json::Value;

use super::fault::ConfigFault;
use crate::secrets;

/// What all variables begin with.
pub(crate) const PREFIX: &str = "QUADRILLE_";

/// A variable that is for clients, not for the configuration.
pub(crate) const SERVER_URL: &str = "QUADRILLE_URL";

/// A key that holds a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf {
    /// The keys from the root down to it.
    pub(crate) keys: Vec<String>,
    /// Its default; of the type that every value has.
    pub(crate) default: Value,
}

impl Leaf {
    /// The variable that overrides it.
    pub(crate) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.keys.join("_").to_uppercase())
    }

    /// The key with all keys above it.
    pub(crate) fn path(&self) -> String {
        self.keys.join(".")
    }

    /// The text of a variable as a value of this key's type.
    fn read(&self, text: &str) -> Result<Value, ConfigFault> {
        let invalid = |why: String| ConfigFault::Invalid {
            place: self.variable(),
            key: self.path(),
            why,
        };
        Ok(match &self.default {
            Value::Bool(_) => match text {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => return Err(invalid(format!("{text:?} is neither true nor false"))),
            },
            Value::Number(_) => {
                let number: u64 = text
                    .parse()
                    .map_err(|_| invalid(format!("{text:?} is not a whole number")))?;
                number.into()
            }
            Value::Array(_) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(Value::from)
                .collect(),
            Value::Object(_) => text
                .split(',')
                .map(str::trim)
                .filter(|pair| !pair.is_empty())
                .map(|pair| match pair.split_once('=') {
                    Some((key, value)) => Ok((key.trim().to_owned(), Value::from(value.trim()))),
                    None => Err(invalid(format!("{pair:?} is no NAME=VALUE"))),
                })
                .collect::<Result<_, _>>()?,
            _ => text.into(),
        })
    }
}

/// Every key of a tree that holds a value, in order. A map of free names is empty by default.
pub(crate) fn leaves(tree: &Value) -> Vec<Leaf> {
    let object = match tree {
        Value::Object(object) if !object.is_empty() => object,
        _ => {
            return vec![Leaf {
                keys: Vec::new(),
                default: tree.clone(),
            }];
        }
    };
    let below = |(key, value): (&String, &Value)| {
        leaves(value)
            .into_iter()
            .map({
                let key = key.clone();
                move |mut leaf| {
                    leaf.keys.insert(0, key.clone());
                    leaf
                }
            })
            .collect::<Vec<_>>()
    };
    object.iter().flat_map(below).collect()
}

/// What the environment adds to a configuration.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// Keys that variables set.
    pub(crate) values: Vec<(Leaf, Value)>,
    /// What is to be said about variables that set nothing.
    pub(crate) warnings: Vec<String>,
}

/// Reads the variables that begin with [`PREFIX`]. An empty variable counts as not set.
///
/// Unknown variables are warned about and not refused: platforms set some for every service by its name.
///
/// # Errors
/// A value that is not of its key's type.
pub(crate) fn overlay(
    leaves: &[Leaf],
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Overlay, ConfigFault> {
    let mut overlay = Overlay::default();
    let mut variables: Vec<_> = variables
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    variables.sort();
    for (name, text) in variables {
        if name == SERVER_URL || name.starts_with(secrets::PREFIX) || text.is_empty() {
            continue;
        }
        match leaves.iter().find(|leaf| leaf.variable() == name) {
            Some(leaf) => overlay.values.push((leaf.clone(), leaf.read(&text)?)),
            None => {
                let names: Vec<_> = leaves.iter().map(Leaf::variable).collect();
                let meant = crate::spelling::nearest(&name, names.iter().map(String::as_str));
                let hint = meant
                    .map(|meant| format!("; did you mean {meant}?"))
                    .unwrap_or_default();
                overlay.warnings.push(format!(
                    "the environment variable {name} sets nothing{hint}"
                ));
            }
        }
    }
    Ok(overlay)
}

/// The variables of this process that could concern the configuration.
pub(crate) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name
            .into_string()
            .ok()
            .filter(|name| name.starts_with(PREFIX))?;
        Some((name, value.to_string_lossy().into_owned()))
    })
}
