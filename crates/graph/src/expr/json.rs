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
use super::{number, order};
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
        Format::Uri => uri(&plain(value, budget)?, budget),
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
        Format::Base64 => {
            let text = plain(value, budget)?;
            budget.alloc(text.len() / 3 * 4 + 4)?;
            Ok(base64(text.as_bytes()).into())
        }
        Format::Base64d => {
            let text = plain(value, budget)?;
            budget.alloc(text.len())?;
            let bytes = unbase64(&text)
                .ok_or_else(|| Stop::failed(format!("{} is not base64", order::shown(value))))?;
            Ok(String::from_utf8_lossy(&bytes).into())
        }
    }
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

fn uri(text: &str, budget: &Budget) -> Result<Str, Stop> {
    budget.alloc(text.len() * 3)?;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(escaped.into())
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

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() / 3 * 4 + 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place <= chunk.len() {
                text.push(char::from(
                    BASE64[(group >> (18 - 6 * place)) as usize & 63],
                ));
            } else {
                text.push('=');
            }
        }
    }
    text
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    for chunk in digits.as_bytes().chunks(4) {
        let mut group = 0_u32;
        for digit in chunk {
            let value = BASE64.iter().position(|known| known == digit)?;
            group = group << 6 | u32::try_from(value).ok()?;
        }
        group <<= 6 * (4 - chunk.len());
        bytes.extend_from_slice(&group.to_be_bytes()[1..chunk.len()]);
    }
    Some(bytes)
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
        name: "tonumber",
        arity: 0,
        run: to_number,
    },
];
