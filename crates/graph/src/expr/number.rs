//! Owns arithmetic on numbers: whole numbers stay exact, everything else is a double.
//!
//! Invariant: a result is never infinite or not-a-number: what is too large becomes the largest
//! double, what is no number becomes null, just as jq prints them.

use crate::value::Value;

/// 2^63: the first double that is too large for a whole number.
const WHOLE_END: f64 = 9_223_372_036_854_775_808.0;

/// The value of a double: whole if it has no fraction and fits.
pub(super) fn value(number: f64) -> Value {
    if number.is_nan() {
        Value::Null
    } else if (-WHOLE_END..WHOLE_END).contains(&number) && libm::trunc(number) == number {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and in range, checked just above"
        )]
        Value::Int(number as i64)
    } else {
        Value::Float(number.clamp(f64::MIN, f64::MAX))
    }
}

/// Reads a JSON number.
pub(super) fn parse(text: &str) -> Option<Value> {
    let body = text.strip_prefix('-').unwrap_or(text);
    if !body.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    match text.parse::<i64>() {
        Ok(whole) => Some(Value::Int(whole)),
        Err(_) => text.parse::<f64>().ok().map(value),
    }
}

/// The double that is nearest to a number.
pub(super) fn double(number: &Value) -> Option<f64> {
    match number {
        Value::Int(whole) => Some(*whole as f64),
        Value::Float(float) => Some(*float),
        _ => None,
    }
}

/// The whole number below a number, clamped to 64 bits.
pub(super) fn whole(number: &Value) -> Option<i64> {
    match number {
        Value::Int(whole) => Some(*whole),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "`as` saturates, which is what is wanted"
        )]
        Value::Float(float) => Some(libm::floor(*float) as i64),
        _ => None,
    }
}

/// Whole arithmetic where it fits, else that of doubles. `None` if one is not a number.
pub(super) fn apply(
    left: &Value,
    right: &Value,
    exact: fn(i64, i64) -> Option<i64>,
    nearest: fn(f64, f64) -> f64,
) -> Option<Value> {
    if let (Value::Int(a), Value::Int(b)) = (left, right)
        && let Some(whole) = exact(*a, *b)
    {
        return Some(Value::Int(whole));
    }
    Some(value(nearest(double(left)?, double(right)?)))
}

/// Division of whole numbers if it leaves no rest.
pub(super) fn divide_exact(left: i64, right: i64) -> Option<i64> {
    (left.checked_rem(right)? == 0)
        .then(|| left.checked_div(right))
        .flatten()
}

/// The rest of a division of truncated numbers, with the sign of the first. `None` for division by zero.
pub(super) fn rest(left: &Value, right: &Value) -> Option<Value> {
    let truncate = |number: &Value| match number {
        Value::Float(float) => whole(&Value::Float(libm::trunc(*float))),
        other => whole(other),
    };
    match truncate(right)? {
        0 => None,
        divisor => Some(Value::Int(truncate(left)?.wrapping_rem(divisor))),
    }
}
