//! Owns the functions of objects, and those that any value has: keys, length, type, membership.
//!
//! Invariant: keys come in order, because objects are ordered.

use alloc::format;

use super::access::{ARRAY_BYTES, MEMBER_BYTES};
use super::budget::Budget;
use super::error::Stop;
use super::function::Strict;
use super::{math, number, order};
use crate::value::{Object, Value};

/// A count as a value.
pub(super) fn count(length: usize) -> Value {
    Value::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

fn length(value: Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    match &value {
        Value::Null => Ok(Value::Int(0)),
        Value::Bool(_) => Err(Stop::failed(format!(
            "{} has no length",
            order::shown(&value)
        ))),
        Value::Int(whole) if *whole < 0 => math::negate(&value),
        Value::Float(float) => Ok(Value::Float(libm::fabs(*float))),
        Value::Int(_) => Ok(value),
        Value::Text(text) => {
            budget.work(text.len() as u64 / 16)?;
            Ok(count(text.chars().count()))
        }
        Value::Array(elements) => Ok(count(elements.len())),
        Value::Object(members) => Ok(count(members.len())),
    }
}

fn keys(value: &Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    match value {
        Value::Object(members) => {
            budget.alloc(members.len() * ARRAY_BYTES)?;
            Ok(Value::array(
                members.keys().cloned().map(Value::Text).collect(),
            ))
        }
        Value::Array(elements) => {
            budget.alloc(elements.len() * ARRAY_BYTES)?;
            Ok(Value::array((0..elements.len()).map(count).collect()))
        }
        _ => Err(Stop::failed(format!("{} has no keys", order::shown(value)))),
    }
}

fn has(value: &Value, arguments: &[Value], _: &Budget) -> Result<Value, Stop> {
    match (value, &arguments[0]) {
        (Value::Object(members), Value::Text(name)) => Ok(Value::Bool(members.contains_key(name))),
        (Value::Array(elements), index @ (Value::Int(_) | Value::Float(_))) => {
            let index = number::whole(index).and_then(|index| usize::try_from(index).ok());
            Ok(Value::Bool(
                index.is_some_and(|index| index < elements.len()),
            ))
        }
        (Value::Null, _) => Ok(Value::Bool(false)),
        (_, key) => Err(Stop::failed(format!(
            "{} cannot have the key {}",
            value.kind(),
            order::shown(key)
        ))),
    }
}

fn to_entries(value: &Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    order::wrap(value, 1, budget)?;
    let entry = |key: Value, value: &Value| Value::from([("key", key), ("value", value.clone())]);
    let entries = match value {
        Value::Object(members) => {
            budget.alloc(members.len() * (ARRAY_BYTES + 2 * MEMBER_BYTES))?;
            members
                .iter()
                .map(|(key, value)| entry(Value::Text(key.clone()), value))
                .collect()
        }
        Value::Array(elements) => {
            budget.alloc(elements.len() * (ARRAY_BYTES + 2 * MEMBER_BYTES))?;
            elements
                .iter()
                .enumerate()
                .map(|(index, value)| entry(count(index), value))
                .collect()
        }
        _ => {
            return Err(Stop::failed(format!(
                "{} has no entries",
                order::shown(value)
            )));
        }
    };
    Ok(Value::array(entries))
}

fn from_entries(value: &Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let entries = super::array::elements("from_entries", value)?;
    let mut members = Object::new();
    for entry in entries {
        budget.alloc(MEMBER_BYTES)?;
        budget.work(4)?;
        let first = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| entry.get(name).filter(|v| !v.is_null()))
        };
        let key = match first(&["key", "k", "name", "Name", "Key", "K"]) {
            Some(Value::Text(key)) => key.clone(),
            Some(other @ (Value::Int(_) | Value::Float(_) | Value::Bool(_))) => {
                other.to_json().into()
            }
            None if matches!(entry, Value::Object(_)) => "null".into(),
            _ => {
                return Err(Stop::failed(format!(
                    "from_entries needs objects with a key, not {}",
                    order::shown(entry)
                )));
            }
        };
        let value = ["value", "v", "Value", "V"]
            .iter()
            .find_map(|name| entry.get(name));
        members.insert(key, value.cloned().unwrap_or_default());
    }
    Ok(Value::object(members))
}

fn contains(value: &Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    order::contains(value, &arguments[0], budget).map(Value::Bool)
}

/// What matched, by the names of the groups.
fn named(value: &Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let captures = value.get("captures").cloned().unwrap_or_default();
    let mut members = Object::new();
    for capture in super::array::elements("capture", &captures)? {
        if let Some(Value::Text(name)) = capture.get("name") {
            budget.alloc(MEMBER_BYTES)?;
            members.insert(
                name.clone(),
                capture.get("string").cloned().unwrap_or_default(),
            );
        }
    }
    Ok(Value::object(members))
}

/// The functions of objects and of any value.
pub(super) const FUNCTIONS: &[Strict] = &[
    Strict {
        name: "length",
        arity: 0,
        run: length,
    },
    Strict {
        name: "keys",
        arity: 0,
        run: |v, a, b| keys(&v, a, b),
    },
    Strict {
        name: "keys_unsorted",
        arity: 0,
        run: |v, a, b| keys(&v, a, b),
    },
    Strict {
        name: "has",
        arity: 1,
        run: |v, a, b| has(&v, a, b),
    },
    Strict {
        name: "contains",
        arity: 1,
        run: |v, a, b| contains(&v, a, b),
    },
    Strict {
        name: "to_entries",
        arity: 0,
        run: |v, a, b| to_entries(&v, a, b),
    },
    Strict {
        name: "from_entries",
        arity: 0,
        run: |v, a, b| from_entries(&v, a, b),
    },
    Strict {
        name: "_named",
        arity: 0,
        run: |v, a, b| named(&v, a, b),
    },
    Strict {
        name: "type",
        arity: 0,
        run: |v, _, _| Ok(v.kind().into()),
    },
    Strict {
        name: "isinfinite",
        arity: 0,
        run: |_, _, _| Ok(Value::Bool(false)),
    },
    Strict {
        name: "isnan",
        arity: 0,
        run: |_, _, _| Ok(Value::Bool(false)),
    },
];
