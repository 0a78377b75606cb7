//! Owns the arithmetic operators on all kinds of values, and the functions of numbers.
//!
//! Invariant: a value that is owned alone is changed in place, so that collecting in `reduce` is
//! linear; whatever grows is charged first.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::access::{ARRAY_BYTES, MEMBER_BYTES};
use super::budget::Budget;
use super::error::Stop;
use super::function::Strict;
use super::node::{Compare, Math};
use super::{number, order};
use crate::value::{DEPTH_MAX, Object, Value};

/// `left operator right`
pub(super) fn apply(
    operation: Math,
    left: Value,
    right: &Value,
    budget: &Budget,
) -> Result<Value, Stop> {
    let result = match operation {
        Math::Add => return add(left, right, budget),
        Math::Subtract => match (&left, right) {
            (Value::Array(a), Value::Array(b)) => return without(a, b, budget),
            _ => number::apply(&left, right, i64::checked_sub, |a, b| a - b),
        },
        Math::Multiply => match (&left, right) {
            (Value::Text(text), Value::Int(_) | Value::Float(_)) => {
                return repeat(text, right, budget);
            }
            (Value::Int(_) | Value::Float(_), Value::Text(text)) => {
                return repeat(text, &left, budget);
            }
            (Value::Object(a), Value::Object(b)) => return merge(a, b, DEPTH_MAX, budget),
            _ => number::apply(&left, right, i64::checked_mul, |a, b| a * b),
        },
        Math::Divide => match (&left, right) {
            (Value::Text(text), Value::Text(separator)) => {
                return super::text::split(text, separator, budget);
            }
            _ if number::double(right) == Some(0.0) && number::double(&left).is_some() => None,
            _ => number::apply(&left, right, number::divide_exact, |a, b| a / b),
        },
        Math::Rest => number::rest(&left, right),
    };
    result.ok_or_else(|| {
        let (verb, link) = match operation {
            Math::Add => ("add", "and"),
            Math::Subtract => ("subtract", "minus"),
            Math::Multiply => ("multiply", "and"),
            Math::Divide | Math::Rest => ("divide", "by"),
        };
        Stop::failed(format!(
            "cannot {verb} {} {link} {}",
            order::shown(&left),
            order::shown(right)
        ))
    })
}

fn add(left: Value, right: &Value, budget: &Budget) -> Result<Value, Stop> {
    match (left, right) {
        (Value::Null, other) => Ok(other.clone()),
        (other, Value::Null) => Ok(other),
        (Value::Text(a), Value::Text(b)) => {
            budget.alloc(a.len() + b.len())?;
            let mut text = String::with_capacity(a.len() + b.len());
            text.push_str(&a);
            text.push_str(b);
            Ok(Value::text(text))
        }
        (Value::Array(mut a), Value::Array(b)) => {
            let elements = super::access::elements_mut(&mut a, b.len(), budget)?;
            elements.extend(b.iter().cloned());
            Ok(Value::Array(a))
        }
        (Value::Object(mut a), Value::Object(b)) => {
            let members = super::access::members_mut(&mut a, b.len(), budget)?;
            members.extend(b.iter().map(|(key, value)| (key.clone(), value.clone())));
            Ok(Value::Object(a))
        }
        (left, right) => {
            number::apply(&left, right, i64::checked_add, |a, b| a + b).ok_or_else(|| {
                Stop::failed(format!(
                    "cannot add {} and {}",
                    order::shown(&left),
                    order::shown(right)
                ))
            })
        }
    }
}

fn without(elements: &[Value], unwanted: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let mut kept = Vec::new();
    'elements: for element in elements {
        for other in unwanted {
            if order::equal(element, other, budget)? {
                continue 'elements;
            }
        }
        budget.alloc(ARRAY_BYTES)?;
        kept.push(element.clone());
    }
    Ok(Value::array(kept))
}

fn repeat(text: &str, times: &Value, budget: &Budget) -> Result<Value, Stop> {
    let times = number::double(times).unwrap_or_default();
    if times <= 0.0 {
        return Ok(Value::Null);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and `as` saturates"
    )]
    let times = (times as usize).max(1);
    budget.alloc(text.len().saturating_mul(times))?;
    Ok(Value::text(text.repeat(times)))
}

fn merge(
    left: &Arc<Object>,
    right: &Object,
    levels: usize,
    budget: &Budget,
) -> Result<Value, Stop> {
    budget.alloc((left.len() + right.len()) * MEMBER_BYTES)?;
    let mut merged = Object::clone(left);
    for (key, theirs) in right {
        let value = match (merged.get(key), theirs) {
            (Some(Value::Object(a)), Value::Object(b)) if levels > 0 => {
                merge(a, b, levels - 1, budget)?
            }
            _ => theirs.clone(),
        };
        merged.insert(key.clone(), value);
    }
    Ok(Value::object(merged))
}

/// `left comparison right`
pub(super) fn compare(
    comparison: Compare,
    left: &Value,
    right: &Value,
    budget: &Budget,
) -> Result<bool, Stop> {
    Ok(match comparison {
        Compare::Equal => order::equal(left, right, budget)?,
        Compare::Unequal => !order::equal(left, right, budget)?,
        Compare::Less => order::compare(left, right, budget)?.is_lt(),
        Compare::LessOrEqual => order::compare(left, right, budget)?.is_le(),
        Compare::Greater => order::compare(left, right, budget)?.is_gt(),
        Compare::GreaterOrEqual => order::compare(left, right, budget)?.is_ge(),
    })
}

/// `-value`
pub(super) fn negate(value: &Value) -> Result<Value, Stop> {
    match value {
        Value::Int(whole) => Ok(whole
            .checked_neg()
            .map_or_else(|| number::value(-(*whole as f64)), Value::Int)),
        Value::Float(float) => Ok(number::value(-float)),
        _ => Err(Stop::failed(format!(
            "cannot negate {}",
            order::shown(value)
        ))),
    }
}

fn of_double(name: &str, value: &Value, function: fn(f64) -> f64) -> Result<Value, Stop> {
    number::double(value)
        .map(|double| number::value(function(double)))
        .ok_or_else(|| {
            Stop::failed(format!(
                "{name} needs a number, not {}",
                order::shown(value)
            ))
        })
}

fn rounded(name: &str, value: Value, function: fn(f64) -> f64) -> Result<Value, Stop> {
    if let Value::Int(_) = value {
        Ok(value)
    } else {
        of_double(name, &value, function)
    }
}

fn absolute(value: Value, _: &[Value], _: &Budget) -> Result<Value, Stop> {
    match value {
        Value::Int(whole) if whole < 0 => negate(&value),
        Value::Float(float) => Ok(Value::Float(libm::fabs(float))),
        Value::Int(_) => Ok(value),
        _ => Err(Stop::failed(format!(
            "abs needs a number, not {}",
            order::shown(&value)
        ))),
    }
}

/// Declares functions of doubles that are the same in the library of mathematics, for one number or two.
macro_rules! doubles {
    ($list:ident: $($name:ident)*) => {
        /// Functions of one number.
        pub(super) const $list: &[Strict] = &[$(Strict {
            name: stringify!($name),
            arity: 0,
            run: |v, _, _| of_double(stringify!($name), &v, libm::$name),
        }),*];
    };
    ($list:ident, 2: $($name:ident)*) => {
        /// Functions of two numbers.
        pub(super) const $list: &[Strict] = &[$(Strict {
            name: stringify!($name),
            arity: 2,
            run: |_, a, _| of_doubles(stringify!($name), a, libm::$name),
        }),*];
    };
}

fn of_doubles(
    name: &str,
    arguments: &[Value],
    function: fn(f64, f64) -> f64,
) -> Result<Value, Stop> {
    match (number::double(&arguments[0]), number::double(&arguments[1])) {
        (Some(a), Some(b)) => Ok(number::value(function(a, b))),
        _ => Err(Stop::failed(format!("{name} needs two numbers"))),
    }
}

doubles! { OF_ONE: acos acosh asin asinh atan atanh cbrt cos cosh exp exp10 exp2 expm1 log log10 log1p log2 rint sin
sinh sqrt tan tanh }
doubles! { OF_TWO, 2: atan2 copysign fdim fmax fmin fmod hypot pow }

/// The functions of numbers that are not those of doubles.
pub(super) const FUNCTIONS: &[Strict] = &[
    Strict {
        name: "floor",
        arity: 0,
        run: |v, _, _| rounded("floor", v, libm::floor),
    },
    Strict {
        name: "ceil",
        arity: 0,
        run: |v, _, _| rounded("ceil", v, libm::ceil),
    },
    Strict {
        name: "round",
        arity: 0,
        run: |v, _, _| rounded("round", v, libm::round),
    },
    Strict {
        name: "trunc",
        arity: 0,
        run: |v, _, _| rounded("trunc", v, libm::trunc),
    },
    Strict {
        name: "abs",
        arity: 0,
        run: absolute,
    },
    Strict {
        name: "fabs",
        arity: 0,
        run: absolute,
    },
];
