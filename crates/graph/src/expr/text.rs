//! Owns the functions of texts, positions counted in characters.
//!
//! Invariant: a text is charged by its bytes before it is made.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::access::ARRAY_BYTES;
use super::budget::Budget;
use super::error::Stop;
use super::function::Strict;
use super::object::count;
use super::{json, number, order};
use crate::value::{Str, Value};

/// The text, or an error that names the function.
pub(super) fn text<'v>(name: &str, value: &'v Value) -> Result<&'v Str, Stop> {
    value.as_text().ok_or_else(|| {
        Stop::failed(format!(
            "{name} needs a string, not {}",
            order::shown(value)
        ))
    })
}

/// A text cut at each separator.
pub(super) fn split(text: &str, separator: &str, budget: &Budget) -> Result<Value, Stop> {
    budget.work(text.len() as u64 / 4)?;
    let mut parts = Vec::new();
    let mut add = |part: &str| {
        budget.alloc(ARRAY_BYTES + 16 + part.len())?;
        parts.push(Value::from(part));
        Ok(())
    };
    if text.is_empty() {
    } else if separator.is_empty() {
        text.chars()
            .try_for_each(|c| add(c.encode_utf8(&mut [0; 4])))?;
    } else {
        text.split(separator).try_for_each(&mut add)?;
    }
    Ok(Value::array(parts))
}

/// Texts one after the other; null is empty, numbers and truths are as in JSON.
pub(super) fn concatenate(
    parts: &[Value],
    separator: &str,
    budget: &Budget,
) -> Result<Value, Stop> {
    let mut whole = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            budget.alloc(separator.len())?;
            whole.push_str(separator);
        }
        budget.work(1)?;
        match part {
            Value::Null => {}
            Value::Text(text) => {
                budget.alloc(text.len())?;
                whole.push_str(text);
            }
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                whole.push_str(&json::encode(part, budget)?);
            }
            _ => return Err(Stop::failed(format!("cannot join {}", order::shown(part)))),
        }
    }
    budget.alloc(whole.len())?;
    Ok(Value::text(whole))
}

/// Where a part occurs, overlaps included.
pub(super) fn indices(text: &str, part: &str, budget: &Budget) -> Result<Value, Stop> {
    budget.work(text.len() as u64 * (1 + part.len() as u64 / 8))?;
    if part.is_empty() {
        return Ok(Value::Null);
    }
    let mut found = Vec::new();
    for (index, (at, _)) in text.char_indices().enumerate() {
        if text[at..].starts_with(part) {
            budget.alloc(ARRAY_BYTES)?;
            found.push(count(index));
        }
    }
    Ok(Value::array(found))
}

fn map(
    name: &str,
    value: &Value,
    budget: &Budget,
    change: fn(&str) -> String,
) -> Result<Value, Stop> {
    let text = text(name, value)?;
    budget.alloc(text.len())?;
    Ok(Value::text(change(text)))
}

/// Cuts without copying if nothing is cut.
fn cut(
    name: &str,
    value: Value,
    budget: &Budget,
    cut: impl FnOnce(&str) -> &str,
) -> Result<Value, Stop> {
    let whole = text(name, &value)?;
    let part = cut(whole);
    if part.len() == whole.len() {
        return Ok(value);
    }
    budget.alloc(part.len())?;
    Ok(Value::from(part))
}

fn trim_prefix(value: Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    match (&value, &arguments[0]) {
        (Value::Text(_), Value::Text(prefix)) => {
            let prefix = prefix.clone();
            cut("ltrimstr", value, budget, |text| {
                text.strip_prefix(&*prefix).unwrap_or(text)
            })
        }
        _ => Ok(value),
    }
}

fn trim_suffix(value: Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    match (&value, &arguments[0]) {
        (Value::Text(_), Value::Text(suffix)) => {
            let suffix = suffix.clone();
            cut("rtrimstr", value, budget, |text| {
                text.strip_suffix(&*suffix).unwrap_or(text)
            })
        }
        _ => Ok(value),
    }
}

fn explode(value: &Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let text = text("explode", value)?;
    budget.alloc(text.len() * ARRAY_BYTES)?;
    Ok(Value::array(
        text.chars()
            .map(|c| Value::Int(i64::from(u32::from(c))))
            .collect(),
    ))
}

fn implode(value: &Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let codes = super::array::elements("implode", value)?;
    budget.alloc(codes.len() * 4)?;
    let character = |code: &Value| {
        let code = number::whole(code).ok_or_else(|| {
            Stop::failed(format!(
                "implode needs code points, not {}",
                order::shown(code)
            ))
        })?;
        Ok(u32::try_from(code)
            .ok()
            .and_then(char::from_u32)
            .unwrap_or(char::REPLACEMENT_CHARACTER))
    };
    let text: String = codes.iter().map(character).collect::<Result<_, Stop>>()?;
    Ok(Value::text(text))
}

fn join(value: &Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let parts = super::array::members("join", value)?;
    if parts.is_empty() {
        return Ok("".into());
    }
    concatenate(&parts, text("join", &arguments[0])?, budget)
}

fn starts(value: &Value, arguments: &[Value]) -> Result<Value, Stop> {
    Ok(Value::Bool(
        text("startswith", value)?.starts_with(&**text("startswith", &arguments[0])?),
    ))
}

fn ends(value: &Value, arguments: &[Value]) -> Result<Value, Stop> {
    Ok(Value::Bool(
        text("endswith", value)?.ends_with(&**text("endswith", &arguments[0])?),
    ))
}

/// The functions of texts.
pub(super) const FUNCTIONS: &[Strict] = &[
    Strict {
        name: "split",
        arity: 1,
        run: |v, a, b| split(text("split", &v)?, text("split", &a[0])?, b),
    },
    Strict {
        name: "join",
        arity: 1,
        run: |v, a, b| join(&v, a, b),
    },
    Strict {
        name: "ascii_downcase",
        arity: 0,
        run: |v, _, b| map("ascii_downcase", &v, b, str::to_ascii_lowercase),
    },
    Strict {
        name: "ascii_upcase",
        arity: 0,
        run: |v, _, b| map("ascii_upcase", &v, b, str::to_ascii_uppercase),
    },
    Strict {
        name: "ltrimstr",
        arity: 1,
        run: trim_prefix,
    },
    Strict {
        name: "rtrimstr",
        arity: 1,
        run: trim_suffix,
    },
    Strict {
        name: "trim",
        arity: 0,
        run: |v, _, b| cut("trim", v, b, str::trim),
    },
    Strict {
        name: "ltrim",
        arity: 0,
        run: |v, _, b| cut("ltrim", v, b, str::trim_start),
    },
    Strict {
        name: "rtrim",
        arity: 0,
        run: |v, _, b| cut("rtrim", v, b, str::trim_end),
    },
    Strict {
        name: "startswith",
        arity: 1,
        run: |v, a, _| starts(&v, a),
    },
    Strict {
        name: "endswith",
        arity: 1,
        run: |v, a, _| ends(&v, a),
    },
    Strict {
        name: "explode",
        arity: 0,
        run: |v, a, b| explode(&v, a, b),
    },
    Strict {
        name: "implode",
        arity: 0,
        run: |v, a, b| implode(&v, a, b),
    },
    Strict {
        name: "utf8bytelength",
        arity: 0,
        run: |v, _, _| Ok(count(text("utf8bytelength", &v)?.len())),
    },
];
