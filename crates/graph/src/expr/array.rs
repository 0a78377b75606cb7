//! Owns the functions of arrays: sorting, grouping, flattening, searching.
//!
//! Invariant: results are charged before they are built, and comparing charges itself.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use super::access::{ARRAY_BYTES, delete_all};
use super::budget::Budget;
use super::error::Stop;
use super::function::Strict;
use super::math;
use super::node::Math;
use super::{number, order, text};
use crate::value::{DEPTH_MAX, Value};

/// The elements, or an error that names the function.
pub(super) fn elements<'v>(name: &str, value: &'v Value) -> Result<&'v [Value], Stop> {
    match value {
        Value::Array(elements) => Ok(elements),
        _ => Err(Stop::failed(format!(
            "{name} needs an array, not {}",
            order::shown(value)
        ))),
    }
}

/// The elements of an array or the values of an object.
pub(super) fn members<'v>(name: &str, value: &'v Value) -> Result<Cow<'v, [Value]>, Stop> {
    match value {
        Value::Object(members) => Ok(members.values().cloned().collect()),
        _ => elements(name, value).map(Cow::Borrowed),
    }
}

fn keyed(
    name: &str,
    value: &Value,
    keys: &Value,
    budget: &Budget,
) -> Result<Vec<(Value, Value)>, Stop> {
    let elements = elements(name, value)?;
    budget.alloc(elements.len() * 2 * ARRAY_BYTES)?;
    Ok(self::elements(name, keys)?
        .iter()
        .cloned()
        .zip(elements.iter().cloned())
        .collect())
}

fn sort_by(value: &Value, keys: &Value, budget: &Budget) -> Result<Value, Stop> {
    let sorted = order::sort(keyed("sort", value, keys, budget)?, budget)?;
    Ok(Value::array(
        sorted.into_iter().map(|(_, element)| element).collect(),
    ))
}

fn groups(value: &Value, keys: &Value, budget: &Budget) -> Result<Vec<Vec<Value>>, Stop> {
    let mut groups: Vec<Vec<Value>> = Vec::new();
    let mut last: Option<Value> = None;
    for (key, element) in order::sort(keyed("group", value, keys, budget)?, budget)? {
        budget.alloc(ARRAY_BYTES * 3)?;
        let same = match &last {
            Some(last) => order::equal(last, &key, budget)?,
            None => false,
        };
        match groups.last_mut() {
            Some(group) if same => group.push(element),
            _ => groups.push(Vec::from([element])),
        }
        last = Some(key);
    }
    Ok(groups)
}

fn group_by(value: &Value, keys: &Value, budget: &Budget) -> Result<Value, Stop> {
    order::wrap(value, 1, budget)?;
    Ok(Value::array(
        groups(value, keys, budget)?
            .into_iter()
            .map(Value::array)
            .collect(),
    ))
}

fn unique_by(value: &Value, keys: &Value, budget: &Budget) -> Result<Value, Stop> {
    let firsts = groups(value, keys, budget)?
        .into_iter()
        .filter_map(|group| group.into_iter().next());
    Ok(Value::array(firsts.collect()))
}

fn extreme(value: &Value, keys: &Value, largest: bool, budget: &Budget) -> Result<Value, Stop> {
    let mut best: Option<(Value, Value)> = None;
    for (key, element) in keyed("min and max", value, keys, budget)? {
        let better = match &best {
            None => true,
            Some((other, _)) => {
                let order = order::compare(&key, other, budget)?;
                if largest {
                    order.is_ge()
                } else {
                    order.is_lt()
                }
            }
        };
        if better {
            best = Some((key, element));
        }
    }
    Ok(best.map(|(_, element)| element).unwrap_or_default())
}

fn flatten(value: &Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let levels = arguments.first().map_or(Some(i64::MAX), number::whole);
    let Some(levels @ 0..) = levels else {
        return Err(Stop::failed("flatten needs a depth that is not negative"));
    };
    let mut flat = Vec::new();
    flatten_into(&members("flatten", value)?, levels, &mut flat, budget)?;
    Ok(Value::array(flat))
}

fn flatten_into(
    elements: &[Value],
    levels: i64,
    flat: &mut Vec<Value>,
    budget: &Budget,
) -> Result<(), Stop> {
    budget.work(elements.len() as u64 + 1)?;
    for element in elements {
        match element {
            Value::Array(inner) if levels > 0 => flatten_into(inner, levels - 1, flat, budget)?,
            _ => {
                budget.alloc(ARRAY_BYTES)?;
                flat.push(element.clone());
            }
        }
    }
    Ok(())
}

fn sum(value: &Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let parts = &*members("add", value)?;
    if let Some(Value::Text(_)) = parts.first()
        && parts
            .iter()
            .all(|part| matches!(part, Value::Text(_) | Value::Null))
    {
        return text::concatenate(parts, "", budget);
    }
    parts.iter().try_fold(Value::Null, |total, part| {
        budget.work(1)?;
        math::apply(Math::Add, total, part, budget)
    })
}

fn reverse(value: Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    match value {
        Value::Null => Ok(Value::array(Vec::new())),
        Value::Text(text) => {
            budget.alloc(text.len())?;
            let reversed: alloc::string::String = text.chars().rev().collect();
            Ok(Value::text(reversed))
        }
        _ => {
            let elements = elements("reverse", &value)?;
            budget.alloc(elements.len() * ARRAY_BYTES)?;
            Ok(Value::array(elements.iter().rev().cloned().collect()))
        }
    }
}

/// Where a part occurs in an array or a text.
pub(super) fn indices(value: &Value, part: &Value, budget: &Budget) -> Result<Value, Stop> {
    let mut found = Vec::new();
    match (value, part) {
        (Value::Null, _) => return Ok(Value::Null),
        (Value::Text(text), Value::Text(part)) => return text::indices(text, part, budget),
        (Value::Array(whole), Value::Array(part)) if !part.is_empty() => {
            'windows: for (index, window) in whole.windows(part.len()).enumerate() {
                for (a, b) in window.iter().zip(part.iter()) {
                    if !order::equal(a, b, budget)? {
                        continue 'windows;
                    }
                }
                found.push(index);
            }
        }
        (Value::Array(_), Value::Array(_)) => return Ok(Value::Null),
        (Value::Array(whole), _) => {
            for (index, element) in whole.iter().enumerate() {
                if order::equal(element, part, budget)? {
                    found.push(index);
                }
            }
        }
        _ => {
            return Err(Stop::failed(format!(
                "cannot look for {} in {}",
                order::shown(part),
                order::shown(value)
            )));
        }
    }
    budget.alloc(found.len() * ARRAY_BYTES)?;
    Ok(Value::array(
        found
            .into_iter()
            .filter_map(|index| i64::try_from(index).ok().map(Value::Int))
            .collect(),
    ))
}

fn index(value: &Value, part: &Value, last: bool, budget: &Budget) -> Result<Value, Stop> {
    Ok(match indices(value, part, budget)? {
        Value::Array(found) => if last { found.last() } else { found.first() }
            .cloned()
            .unwrap_or_default(),
        _ => Value::Null,
    })
}

fn transpose(value: &Value, _: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let rows = elements("transpose", value)?;
    let mut width = 0;
    for row in rows {
        width = width.max(elements("transpose", row)?.len());
    }
    budget.alloc(
        rows.len()
            .saturating_mul(width)
            .saturating_add(width)
            .saturating_mul(ARRAY_BYTES),
    )?;
    budget.work((rows.len() * width) as u64)?;
    let cell = |row: &Value, column: usize| match row {
        Value::Array(cells) => cells.get(column).cloned().unwrap_or_default(),
        _ => Value::Null,
    };
    let column = |column| Value::array(rows.iter().map(|row| cell(row, column)).collect());
    Ok(Value::array((0..width).map(column).collect()))
}

fn search(value: &Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let elements = elements("bsearch", value)?;
    let (mut low, mut high) = (0, elements.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        match order::compare(&elements[middle], &arguments[0], budget)? {
            core::cmp::Ordering::Equal => {
                return Ok(Value::Int(i64::try_from(middle).unwrap_or(i64::MAX)));
            }
            core::cmp::Ordering::Less => low = middle + 1,
            core::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(Value::Int(-1 - i64::try_from(low).unwrap_or(i64::MAX - 1)))
}

fn delete(mut value: Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    delete_all(
        &mut value,
        elements("delpaths", &arguments[0])?.to_vec(),
        budget,
    )?;
    Ok(value)
}

fn set(mut value: Value, arguments: &[Value], budget: &Budget) -> Result<Value, Stop> {
    let path = elements("setpath", &arguments[0])?;
    super::access::set(&mut value, path, arguments[1].clone(), budget)?;
    Ok(value)
}

/// The functions of arrays.
pub(super) const FUNCTIONS: &[Strict] = &[
    Strict {
        name: "sort",
        arity: 0,
        run: |v, _, b| sort_by(&v, &v, b),
    },
    Strict {
        name: "_sort_by",
        arity: 1,
        run: |v, a, b| sort_by(&v, &a[0], b),
    },
    Strict {
        name: "_group_by",
        arity: 1,
        run: |v, a, b| group_by(&v, &a[0], b),
    },
    Strict {
        name: "unique",
        arity: 0,
        run: |v, _, b| unique_by(&v, &v, b),
    },
    Strict {
        name: "_unique_by",
        arity: 1,
        run: |v, a, b| unique_by(&v, &a[0], b),
    },
    Strict {
        name: "min",
        arity: 0,
        run: |v, _, b| extreme(&v, &v, false, b),
    },
    Strict {
        name: "max",
        arity: 0,
        run: |v, _, b| extreme(&v, &v, true, b),
    },
    Strict {
        name: "_min_by",
        arity: 1,
        run: |v, a, b| extreme(&v, &a[0], false, b),
    },
    Strict {
        name: "_max_by",
        arity: 1,
        run: |v, a, b| extreme(&v, &a[0], true, b),
    },
    Strict {
        name: "flatten",
        arity: 0,
        run: |v, a, b| flatten(&v, a, b),
    },
    Strict {
        name: "flatten",
        arity: 1,
        run: |v, a, b| flatten(&v, a, b),
    },
    Strict {
        name: "add",
        arity: 0,
        run: |v, a, b| sum(&v, a, b),
    },
    Strict {
        name: "reverse",
        arity: 0,
        run: reverse,
    },
    Strict {
        name: "indices",
        arity: 1,
        run: |v, a, b| indices(&v, &a[0], b),
    },
    Strict {
        name: "index",
        arity: 1,
        run: |v, a, b| index(&v, &a[0], false, b),
    },
    Strict {
        name: "rindex",
        arity: 1,
        run: |v, a, b| index(&v, &a[0], true, b),
    },
    Strict {
        name: "transpose",
        arity: 0,
        run: |v, a, b| transpose(&v, a, b),
    },
    Strict {
        name: "bsearch",
        arity: 1,
        run: |v, a, b| search(&v, a, b),
    },
    Strict {
        name: "delpaths",
        arity: 1,
        run: delete,
    },
    Strict {
        name: "setpath",
        arity: 2,
        run: set,
    },
];

const _: () = assert!(
    DEPTH_MAX <= 128,
    "flattening and comparing recurse once a level"
);
