//! Owns reading, writing and deleting at a place in a value.
//!
//! Invariant: a place that does not exist reads as null and is made when written; a value owned alone
//! is changed in place; no write nests a value deeper than `value::DEPTH_MAX`.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::budget::Budget;
use super::error::{Flow, Stop};
use super::{number, order};
use crate::value::{DEPTH_MAX, Object, Value};

/// What an element of an array is charged.
pub(super) const ARRAY_BYTES: usize = size_of::<Value>();

/// What a member of an object is charged: key, value and their share of the tree.
pub(super) const MEMBER_BYTES: usize = 2 * size_of::<Value>() + 16;

/// The elements for writing: copied, and charged, if they are shared.
pub(super) fn elements_mut<'a>(
    array: &'a mut Arc<Vec<Value>>,
    more: usize,
    budget: &Budget,
) -> Result<&'a mut Vec<Value>, Stop> {
    let copied = if Arc::get_mut(array).is_some() {
        0
    } else {
        array.len()
    };
    budget.alloc(copied.saturating_add(more).saturating_mul(ARRAY_BYTES))?;
    budget.work((copied.saturating_add(more)) as u64 / 4)?;
    Ok(Arc::make_mut(array))
}

/// The members for writing: copied, and charged, if they are shared.
pub(super) fn members_mut<'a>(
    object: &'a mut Arc<Object>,
    more: usize,
    budget: &Budget,
) -> Result<&'a mut Object, Stop> {
    let copied = if Arc::get_mut(object).is_some() {
        0
    } else {
        object.len()
    };
    budget.alloc((copied + more).saturating_mul(MEMBER_BYTES))?;
    budget.work((copied + more) as u64)?;
    Ok(Arc::make_mut(object))
}

/// `value[key]`
pub(super) fn get(value: &Value, key: &Value, budget: &Budget) -> Result<Value, Stop> {
    match (value, key) {
        (Value::Object(_), Value::Text(name)) => Ok(value.get(name).cloned().unwrap_or_default()),
        (Value::Array(elements), Value::Int(_) | Value::Float(_)) => {
            Ok(position(elements.len(), key)
                .and_then(|index| elements.get(index))
                .cloned()
                .unwrap_or_default())
        }
        (Value::Array(_), Value::Array(_)) => super::array::indices(value, key, budget),
        (
            Value::Null,
            Value::Text(_) | Value::Int(_) | Value::Float(_) | Value::Null | Value::Object(_),
        ) => Ok(Value::Null),
        (Value::Array(_) | Value::Text(_), Value::Object(_)) => slice(value, key, budget),
        _ => Err(no_index(value, key)),
    }
}

fn no_index(value: &Value, key: &Value) -> Stop {
    Stop::failed(format!(
        "cannot index {} with {}",
        value.kind(),
        order::shown(key)
    ))
}

/// The index that a number means; negative from the end.
fn position(length: usize, key: &Value) -> Option<usize> {
    let index = number::whole(key)?;
    let index = if index < 0 {
        index.checked_add(i64::try_from(length).ok()?)?
    } else {
        index
    };
    usize::try_from(index).ok()
}

/// Start and end of a slice `{start, end}` within a length.
fn bounds(length: usize, key: &Value) -> Result<(usize, usize), Stop> {
    let total = i64::try_from(length).unwrap_or(i64::MAX);
    let bound = |name: &str, open: i64| match key.get(name).unwrap_or(&Value::Null) {
        Value::Null => Ok(open),
        Value::Float(float) if name == "end" => {
            Ok(number::whole(&Value::Float(libm::ceil(*float))).unwrap_or(open))
        }
        other => number::whole(other).ok_or_else(|| {
            Stop::failed(format!(
                "a slice goes from number to number, not {}",
                order::shown(other)
            ))
        }),
    };
    let fit = |index: i64| {
        let index = if index < 0 {
            index.saturating_add(total)
        } else {
            index
        };
        usize::try_from(index.clamp(0, total)).unwrap_or(length)
    };
    let (start, end) = (fit(bound("start", 0)?), fit(bound("end", total)?));
    Ok((start, end.max(start)))
}

fn slice(value: &Value, key: &Value, budget: &Budget) -> Result<Value, Stop> {
    match value {
        Value::Array(elements) => {
            let (start, end) = bounds(elements.len(), key)?;
            budget.alloc((end - start) * ARRAY_BYTES)?;
            Ok(Value::array(elements[start..end].to_vec()))
        }
        Value::Text(text) => {
            budget.work(text.len() as u64 / 8)?;
            let length = if text.is_ascii() {
                text.len()
            } else {
                text.chars().count()
            };
            let (start, end) = bounds(length, key)?;
            budget.alloc(end - start)?;
            if text.is_ascii() {
                return Ok(Value::text(&text[start..end]));
            }
            let part: alloc::string::String = text.chars().skip(start).take(end - start).collect();
            Ok(Value::text(part))
        }
        _ => Err(no_index(value, key)),
    }
}

/// A slice as a key.
pub(super) fn slice_key(start: Value, end: Value) -> Value {
    Value::from([("start", start), ("end", end)])
}

/// Replaces what is at the end of a path, made on the way, by what `change` makes of it.
pub(super) fn update(
    value: &mut Value,
    path: &[Value],
    budget: &Budget,
    change: &mut dyn FnMut(&mut Value) -> Flow,
) -> Flow {
    if path.len() > DEPTH_MAX {
        return Err(Stop::failed(format!(
            "the path is longer than {DEPTH_MAX} steps"
        )));
    }
    budget.step()?;
    let _level = budget.descend()?;
    let Some((key, rest)) = path.split_first() else {
        return change(value);
    };
    match (&mut *value, key) {
        (Value::Null, Value::Text(_)) => *value = Value::object(Object::new()),
        (Value::Null, Value::Int(_) | Value::Float(_) | Value::Object(_)) => {
            *value = Value::array(Vec::new());
        }
        _ => {}
    }
    match (value, key) {
        (Value::Object(members), Value::Text(name)) => {
            let more = usize::from(!members.contains_key(name));
            let members = members_mut(members, more, budget)?;
            update(
                members.entry(name.clone()).or_default(),
                rest,
                budget,
                change,
            )
        }
        (Value::Array(elements), Value::Int(_) | Value::Float(_)) => {
            let index = position(elements.len(), key).ok_or_else(|| {
                Stop::failed(format!("index {key} is before the start of the array"))
            })?;
            let more = (index.saturating_add(1)).saturating_sub(elements.len());
            let elements = elements_mut(elements, more, budget)?;
            if more > 0 {
                elements.resize(index + 1, Value::Null);
            }
            update(&mut elements[index], rest, budget, change)
        }
        (Value::Array(elements), Value::Object(_)) => {
            let (start, end) = bounds(elements.len(), key)?;
            let mut part = slice(&Value::Array(elements.clone()), key, budget)?;
            update(&mut part, rest, budget, change)?;
            let Value::Array(part) = part else {
                return Err(Stop::failed(format!(
                    "a slice can only become an array, not {}",
                    order::shown(&part)
                )));
            };
            elements_mut(elements, part.len(), budget)?.splice(start..end, part.iter().cloned());
            Ok(())
        }
        (value, key) => Err(no_index(value, key)),
    }
}

/// Puts a value at the end of a path.
pub(super) fn set(value: &mut Value, path: &[Value], new: Value, budget: &Budget) -> Flow {
    order::wrap(&new, path.len().max(1), budget)?;
    let mut new = Some(new);
    update(value, path, budget, &mut |place| {
        *place = new.take().unwrap_or_default();
        Ok(())
    })
}

/// Removes what is at the end of a path; nothing happens if it is not there.
fn delete(value: &mut Value, path: &[Value], budget: &Budget) -> Flow {
    budget.step()?;
    let Some((key, rest)) = path.split_first() else {
        *value = Value::Null;
        return Ok(());
    };
    match (value, key) {
        (Value::Null, _) => Ok(()),
        (Value::Object(members), Value::Text(name)) => {
            if !members.contains_key(name) {
                return Ok(());
            }
            let members = members_mut(members, 0, budget)?;
            match members.get_mut(name) {
                Some(member) if !rest.is_empty() => delete(member, rest, budget),
                _ => {
                    members.remove(name);
                    Ok(())
                }
            }
        }
        (Value::Array(elements), Value::Int(_) | Value::Float(_)) => {
            let Some(index) = position(elements.len(), key).filter(|index| *index < elements.len())
            else {
                return Ok(());
            };
            let elements = elements_mut(elements, 0, budget)?;
            if rest.is_empty() {
                budget.work((elements.len() - index) as u64 / 8)?;
                elements.remove(index);
                return Ok(());
            }
            delete(&mut elements[index], rest, budget)
        }
        (Value::Array(elements), Value::Object(_)) => {
            let (start, end) = bounds(elements.len(), key)?;
            let mut part = slice(&Value::Array(elements.clone()), key, budget)?;
            let elements = elements_mut(elements, 0, budget)?;
            if rest.is_empty() {
                elements.drain(start..end);
                return Ok(());
            }
            delete(&mut part, rest, budget)?;
            if let Value::Array(part) = part {
                elements.splice(start..end, part.iter().cloned());
            }
            Ok(())
        }
        (value, key) => Err(Stop::failed(format!(
            "cannot delete {} of {}",
            order::shown(key),
            value.kind()
        ))),
    }
}

/// Removes what is at the end of several paths, the last first, so that indexes stay true.
pub(super) fn delete_all(value: &mut Value, paths: Vec<Value>, budget: &Budget) -> Flow {
    let keyed = paths
        .into_iter()
        .map(|path| (absolute(value, path), Value::Null))
        .collect();
    for (path, _) in order::sort(keyed, budget)?.into_iter().rev() {
        let Value::Array(path) = path else {
            return Err(Stop::failed(format!(
                "a path is an array, not {}",
                order::shown(&path)
            )));
        };
        if path.len() > DEPTH_MAX {
            return Err(Stop::failed(format!(
                "the path is longer than {DEPTH_MAX} steps"
            )));
        }
        delete(value, &path, budget)?;
    }
    Ok(())
}

/// The path with a negative last index counted from the start, so that paths sort by place.
fn absolute(value: &Value, path: Value) -> Value {
    let Value::Array(keys) = &path else {
        return path;
    };
    let Some((last @ (Value::Int(_) | Value::Float(_)), above)) = keys.split_last() else {
        return path;
    };
    let mut parent = Some(value);
    for key in above {
        parent = parent.and_then(|parent| match (parent, key) {
            (Value::Object(_), Value::Text(name)) => parent.get(name),
            (Value::Array(elements), Value::Int(_)) => elements.get(position(elements.len(), key)?),
            _ => None,
        });
    }
    match parent {
        Some(Value::Array(elements)) if number::whole(last).is_some_and(|index| index < 0) => {
            let Some(index) = position(elements.len(), last) else {
                return path;
            };
            let mut keys = above.to_vec();
            keys.extend(i64::try_from(index).ok().map(Value::Int));
            Value::array(keys)
        }
        _ => path,
    }
}
