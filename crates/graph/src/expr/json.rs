//! Owns turning values into text and back: JSON, plain text, and the `@` formats.
//!
//! Invariant: the text is charged before it is written; text that is read may not nest deeper than a
//! value may.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::budget::Budget;
use super::error::Stop;
use super::function::Strict;
use super::node::Format;
use super::{number, order, radix};
use crate::value::{DEPTH_MAX, Str, Value};

/// A value as JSON text.
pub(super) fn encode(value: &Value, budget: &Budget) -> Result<String, Stop> {
    order::charge_text(value, budget)?;
    Ok(value.to_json())
}

/// A value as text: a text as it is, all else as JSON.
pub(super) fn plain(value: &Value, budget: &Budget) -> Result<Str, Stop> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        _ => Ok(encode(value, budget)?.into()),
    }
}

fn decode(value: &Value, budget: &Budget) -> Result<Value, Stop> {
    let text = super::text::text("fromjson", value)?;
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(Stop::failed(format!(
                "the text nests deeper than {DEPTH_MAX} levels"
            )));
        }
    }
    budget.work(text.len() as u64 / 2)?;
    budget.alloc(text.len().saturating_mul(16))?;
    Value::from_json(text.as_bytes())
        .map_err(|error| Stop::failed(format!("{} is not JSON: {error}", order::shown(value))))
}

fn to_number(value: Value, _: &[Value], _: &Budget) -> Result<Value, Stop> {
    match &value {
        Value::Int(_) | Value::Float(_) => Ok(value),
        Value::Text(text) => number::parse(text)
            .ok_or_else(|| Stop::failed(format!("{} is not a number", order::shown(&value)))),
        _ => Err(Stop::failed(format!(
            "{} is not a number",
            order::shown(&value)
        ))),
    }
}

/// A value in a format.
pub(super) fn convert(format: Format, value: &Value, budget: &Budget) -> Result<Str, Stop> {
    match format {
        Format::Text => plain(value, budget),
        Format::Json => Ok(encode(value, budget)?.into()),
        Format::Csv => row(value, ",", budget, |text| {
            format!("\"{}\"", text.replace('"', "\"\""))
        }),
        Format::Tsv => row(value, "\t", budget, |text| {
            text.replace('\\', "\\\\")
                .replace('\t', "\\t")
                .replace('\n', "\\n")
                .replace('\r', "\\r")
        }),
        Format::Html => escape(value, budget, |c| match c {
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '&' => Some("&amp;"),
            '\'' => Some("&#39;"),
            '"' => Some("&quot;"),
            _ => None,
        }),
        Format::Sh => match value {
            Value::Array(words) => {
                let words: Vec<String> = words
                    .iter()
                    .map(|word| shell(word, budget))
                    .collect::<Result<_, _>>()?;
                Ok(words.join(" ").into())
            }
            _ => Ok(shell(value, budget)?.into()),
        },
        Format::Base64 => encoded(value, budget, |text| radix::BASE64.encode(text.as_bytes())),
        Format::Base32 => encoded(value, budget, |text| radix::BASE32.encode(text.as_bytes())),
        Format::Uri => encoded(value, budget, radix::percent),
        Format::Base64d => decoded(value, budget, "base64", |text| radix::BASE64.decode(text)),
        Format::Base32d => decoded(value, budget, "base32", |text| radix::BASE32.decode(text)),
        Format::Urid => decoded(value, budget, "percent-encoded", radix::unpercent),
    }
}

/// The most bytes that one byte becomes in any of the encodings, with padding.
const ENCODED_BYTES_MAX: usize = 3;

fn encoded(value: &Value, budget: &Budget, encode: fn(&str) -> String) -> Result<Str, Stop> {
    let text = plain(value, budget)?;
    budget.alloc(text.len() * ENCODED_BYTES_MAX + 8)?;
    Ok(encode(&text).into())
}

fn decoded(
    value: &Value,
    budget: &Budget,
    what: &str,
    decode: fn(&str) -> Option<Vec<u8>>,
) -> Result<Str, Stop> {
    let text = plain(value, budget)?;
    budget.alloc(text.len() * 2)?;
    let bytes = decode(&text)
        .ok_or_else(|| Stop::failed(format!("{} is not {what}", order::shown(value))))?;
    Ok(String::from_utf8_lossy(&bytes).into())
}

fn formatted(value: &Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let name = super::text::text("format", &arguments[0])?;
    let format = Format::of(name).ok_or_else(|| {
        Stop::failed(format!(
            "there is no format {}",
            order::shown(&arguments[0])
        ))
    })?;
    Ok(Value::Text(convert(format, value, budget)?))
}

fn escape(
    value: &Value,
    budget: &Budget,
    replacement: fn(char) -> Option<&'static str>,
) -> Result<Str, Stop> {
    let text = plain(value, budget)?;
    budget.alloc(text.len() * 6)?;
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match replacement(c) {
            Some(other) => escaped.push_str(other),
            None => escaped.push(c),
        }
    }
    Ok(escaped.into())
}

fn row(
    value: &Value,
    separator: &str,
    budget: &Budget,
    quote: fn(&str) -> String,
) -> Result<Str, Stop> {
    let cells = super::array::elements("a row", value)?;
    let mut row = String::new();
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            row.push_str(separator);
        }
        match cell {
            Value::Null => {}
            Value::Text(text) => {
                budget.alloc(text.len() * 2 + 2)?;
                row.push_str(&quote(text));
            }
            Value::Array(_) | Value::Object(_) => {
                return Err(Stop::failed(format!(
                    "a cell cannot be {}",
                    order::shown(cell)
                )));
            }
            scalar => row.push_str(&encode(scalar, budget)?),
        }
    }
    budget.alloc(row.len())?;
    Ok(row.into())
}

fn shell(value: &Value, budget: &Budget) -> Result<String, Stop> {
    match value {
        Value::Text(text) => {
            budget.alloc(text.len() * 4 + 2)?;
            Ok(format!("'{}'", text.replace('\'', "'\\''")))
        }
        Value::Array(_) | Value::Object(_) => Err(Stop::failed(format!(
            "{} cannot be a word for a shell",
            order::shown(value)
        ))),
        scalar => encode(scalar, budget),
    }
}

/// The functions that turn values into text and back.
pub(super) const FUNCTIONS: &[Strict] = &[
    Strict {
        name: "tojson",
        arity: 0,
        run: |v, _, b| Ok(Value::text(encode(&v, b)?)),
    },
    Strict {
        name: "fromjson",
        arity: 0,
        run: |v, _, b| decode(&v, b),
    },
    Strict {
        name: "tostring",
        arity: 0,
        run: |v, _, b| Ok(Value::Text(plain(&v, b)?)),
    },
    Strict {
        name: "format",
        arity: 1,
        run: |v, a, b| formatted(&v, a, b),
    },
    Strict {
        name: "tonumber",
        arity: 0,
        run: to_number,
    },
];
