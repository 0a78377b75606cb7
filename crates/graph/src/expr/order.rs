//! Owns the order of values as jq sorts them, equality, containment, and the size of a value.
//!
//! Invariant: every element looked at is charged, because values share parts and a small
//! graph of shared arrays may look like an enormous tree.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::budget::Budget;
use super::error::Stop;
use super::number;
use crate::value::{DEPTH_MAX, Value};

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Int(_) | Value::Float(_) => 3,
        Value::Text(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    }
}

/// Which of two values comes first.
pub(super) fn compare(left: &Value, right: &Value, budget: &Budget) -> Result<Ordering, Stop> {
    budget.work(1)?;
    Ok(match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            let (a, b) = (number::double(left), number::double(right));
            a.partial_cmp(&b).unwrap_or(Ordering::Equal)
        }
        (Value::Text(a), Value::Text(b)) => {
            budget.work(a.len().min(b.len()) as u64 / 32)?;
            a.cmp(b)
        }
        (Value::Array(a), Value::Array(b)) => {
            for (x, y) in a.iter().zip(b.iter()) {
                let order = compare(x, y, budget)?;
                if order.is_ne() {
                    return Ok(order);
                }
            }
            a.len().cmp(&b.len())
        }
        (Value::Object(a), Value::Object(b)) => {
            budget.work(a.len().min(b.len()) as u64)?;
            let keys = a.keys().cmp(b.keys());
            if keys.is_ne() {
                return Ok(keys);
            }
            for (x, y) in a.values().zip(b.values()) {
                let order = compare(x, y, budget)?;
                if order.is_ne() {
                    return Ok(order);
                }
            }
            Ordering::Equal
        }
        _ => rank(left).cmp(&rank(right)),
    })
}

/// Whether two values are the same.
pub(crate) fn equal(left: &Value, right: &Value, budget: &Budget) -> Result<bool, Stop> {
    match (left, right) {
        (Value::Array(a), Value::Array(b)) if a.len() != b.len() => Ok(false),
        (Value::Object(a), Value::Object(b)) if a.len() != b.len() => Ok(false),
        _ => Ok(compare(left, right, budget)?.is_eq()),
    }
}

/// Sorts by key; equal keys stay in place. A merge sort, because comparing may fail.
pub(crate) fn sort(
    items: Vec<(Value, Value)>,
    budget: &Budget,
) -> Result<Vec<(Value, Value)>, Stop> {
    budget.alloc(items.len() * 2 * size_of::<(Value, Value)>())?;
    let mut runs: Vec<Vec<(Value, Value)>> =
        items.into_iter().map(|item| Vec::from([item])).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(first) = pairs.next() {
            merged.push(match pairs.next() {
                Some(second) => merge(first, second, budget)?,
                None => first,
            });
        }
        runs = merged;
    }
    Ok(runs.pop().unwrap_or_default())
}

fn merge(
    first: Vec<(Value, Value)>,
    second: Vec<(Value, Value)>,
    budget: &Budget,
) -> Result<Vec<(Value, Value)>, Stop> {
    let mut merged = Vec::with_capacity(first.len() + second.len());
    let mut second = second.into_iter().peekable();
    for item in first {
        while let Some(other) = second.peek() {
            if compare(&other.0, &item.0, budget)?.is_ge() {
                break;
            }
            merged.extend(second.next());
        }
        merged.push(item);
    }
    merged.extend(second);
    Ok(merged)
}

/// Whether a value contains another, as jq's `contains` has it.
pub(super) fn contains(whole: &Value, part: &Value, budget: &Budget) -> Result<bool, Stop> {
    budget.work(1)?;
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (key, part) in part.iter() {
                let Some(member) = whole.get(key) else {
                    return Ok(false);
                };
                if rank(member) != rank(part) || !contains(member, part, budget)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Array(whole), Value::Array(part)) => {
            for part in part.iter() {
                let mut found = false;
                for element in whole.iter() {
                    if rank(element) == rank(part) && contains(element, part, budget)? {
                        found = true;
                        break;
                    }
                }
                if !found {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Text(whole), Value::Text(part)) => {
            budget.work(whole.len() as u64 / 8)?;
            Ok(whole.contains(&**part))
        }
        _ if rank(whole) == rank(part)
            || (rank(whole).max(rank(part)) <= 2 && whole.kind() == part.kind()) =>
        {
            equal(whole, part, budget)
        }
        _ => Err(Stop::failed(alloc::format!(
            "{} cannot contain {}",
            shown(whole),
            shown(part)
        ))),
    }
}

/// How deep a value nests, charged by its size as a tree. Fails above `limit`.
pub(super) fn depth(value: &Value, limit: usize, budget: &Budget) -> Result<usize, Stop> {
    let children: usize = match value {
        Value::Array(elements) => {
            budget.work(elements.len() as u64 + 1)?;
            let mut deepest = 0;
            for element in elements.iter().filter(|element| rank(element) > 4) {
                below(limit)?;
                deepest = deepest.max(depth(element, limit - 1, budget)?);
            }
            deepest
        }
        Value::Object(members) => {
            budget.work(members.len() as u64 + 1)?;
            let mut deepest = 0;
            for member in members.values().filter(|member| rank(member) > 4) {
                below(limit)?;
                deepest = deepest.max(depth(member, limit - 1, budget)?);
            }
            deepest
        }
        _ => return Ok(0),
    };
    below(limit)?;
    Ok(children + 1)
}

fn below(limit: usize) -> Result<(), Stop> {
    if limit == 0 {
        Err(Stop::failed(alloc::format!(
            "the value nests deeper than {DEPTH_MAX} levels"
        )))
    } else {
        Ok(())
    }
}

/// Charges a value that goes below `levels` new levels, and checks that it may.
pub(super) fn wrap(value: &Value, levels: usize, budget: &Budget) -> Result<(), Stop> {
    if rank(value) > 4 || levels > 1 {
        depth(value, DEPTH_MAX.saturating_sub(levels), budget)?;
    }
    Ok(())
}

/// Charges the bytes a value would take as JSON text, at least.
pub(super) fn charge_text(value: &Value, budget: &Budget) -> Result<(), Stop> {
    match value {
        Value::Text(text) => budget.alloc(text.len() + 2),
        Value::Array(elements) => {
            budget.work(elements.len() as u64 + 1)?;
            budget.alloc(elements.len() + 2)?;
            elements
                .iter()
                .try_for_each(|element| charge_text(element, budget))
        }
        Value::Object(members) => {
            budget.work(members.len() as u64 + 1)?;
            members.iter().try_for_each(|(key, member)| {
                budget.alloc(key.len() + 4)?;
                charge_text(member, budget)
            })
        }
        _ => budget.alloc(8),
    }
}

/// A value in an error message, never long.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) if text.chars().count() > 24 => {
            let start: String = text.chars().take(24).collect();
            alloc::format!("string {}", Value::text(start + "…"))
        }
        Value::Array(elements) => alloc::format!("array of {}", elements.len()),
        Value::Object(members) => alloc::format!("object of {}", members.len()),
        Value::Null => "null".into(),
        scalar => alloc::format!("{} {scalar}", scalar.kind()),
    }
}
