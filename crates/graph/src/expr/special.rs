//! Owns the built-in functions that take expressions or give any number of results.
//!
//! Invariant: nothing here recurses per result: `recurse`, `range` and `limit` loop, and charge each turn.

use alloc::vec::Vec;

use super::access::{self, ARRAY_BYTES};
use super::error::{Flow, Stop};
use super::eval::Eval;
use super::focus::{Focus, Tracked};
use super::frame::Frame;
use super::function::Special;
use super::node::NodeId;
use super::stream::Out;
use super::{array, number, order};
use crate::value::{Object, Value};

impl Eval<'_> {
    pub(super) fn each_special<T: Focus>(
        &self,
        special: Special,
        arguments: &[NodeId],
        frame: &Frame<'_>,
        input: T,
        out: Out<'_, T>,
    ) -> Flow {
        match special {
            Special::Empty => Ok(()),
            Special::RaiseThis => Err(raise(input.into_value())),
            Special::Raise => self.each(
                arguments[0],
                frame,
                input.into_value(),
                &mut |value: Value| Err(raise(value)),
            ),
            Special::GetPath => self.each(
                arguments[0],
                frame,
                input.value().clone(),
                &mut |path: Value| {
                    let at = array::elements("getpath", &path)?.iter().try_fold(
                        input.clone(),
                        |at: T, key| {
                            at.part(&|| key.clone(), access::get(at.value(), key, self.budget)?)
                        },
                    )?;
                    out(at)
                },
            ),
            Special::Limit => self.limit(arguments, frame, &input, out),
            Special::First => self.until(frame, arguments[0], input, 1, out),
            Special::Last => {
                let mut last = None;
                self.each(arguments[0], frame, input, &mut |value: T| {
                    last = Some(value);
                    Ok(())
                })?;
                last.map_or(Ok(()), out)
            }
            Special::Recurse => self.recurse(arguments[0], frame, input, out),
            Special::Path => self.each(
                arguments[0],
                frame,
                Tracked::root(input.into_value()),
                &mut |at: Tracked| {
                    self.budget.alloc((at.length() + 2) * ARRAY_BYTES)?;
                    out(T::computed(Value::array(at.path()))?)
                },
            ),
            Special::Range | Special::RangeBy => {
                self.range(arguments, frame, input.value(), &mut |value| {
                    out(T::computed(value)?)
                })
            }
            Special::Walk => self.walk(arguments[0], frame, input.into_value(), &mut |value| {
                out(T::computed(value)?)
            }),
        }
    }

    /// A special function that gives one result.
    pub(super) fn special_one(
        &self,
        special: Special,
        arguments: &[NodeId],
        frame: &Frame<'_>,
        input: &Value,
    ) -> Result<Value, Stop> {
        let mut one = Value::Null;
        self.each_special(
            special,
            arguments,
            frame,
            input.clone(),
            &mut |value: Value| {
                one = value;
                Ok(())
            },
        )?;
        Ok(one)
    }

    fn limit<T: Focus>(
        &self,
        arguments: &[NodeId],
        frame: &Frame<'_>,
        input: &T,
        out: Out<'_, T>,
    ) -> Flow {
        self.each(
            arguments[0],
            frame,
            input.value().clone(),
            &mut |count: Value| {
                let count = number::whole(&count).ok_or_else(|| {
                    Stop::failed(alloc::format!(
                        "limit needs a number, not {}",
                        order::shown(&count)
                    ))
                })?;
                match u64::try_from(count) {
                    Ok(0) => Ok(()),
                    Ok(count) => self.until(frame, arguments[1], input.clone(), count, out),
                    Err(_) => self.each(arguments[1], frame, input.clone(), out),
                }
            },
        )
    }

    /// The first results, at least one.
    fn until<T: Focus>(
        &self,
        frame: &Frame<'_>,
        id: NodeId,
        input: T,
        count: u64,
        out: Out<'_, T>,
    ) -> Flow {
        let label = self.budget.label();
        let mut left = count;
        let flow = self.each(id, frame, input, &mut |value: T| {
            left -= 1;
            out(value)?;
            if left == 0 {
                Err(Stop::Break(label))
            } else {
                Ok(())
            }
        });
        match flow {
            Err(Stop::Break(to)) if to == label => Ok(()),
            flow => flow,
        }
    }

    fn recurse<T: Focus>(&self, id: NodeId, frame: &Frame<'_>, input: T, out: Out<'_, T>) -> Flow {
        let mut waiting = Vec::from([input]);
        let mut next = Vec::new();
        while let Some(at) = waiting.pop() {
            self.budget.step()?;
            out(at.clone())?;
            self.each(id, frame, at, &mut |value: T| {
                self.budget.alloc(ARRAY_BYTES)?;
                next.push(value);
                Ok(())
            })?;
            waiting.extend(next.drain(..).rev());
        }
        Ok(())
    }

    fn range(
        &self,
        arguments: &[NodeId],
        frame: &Frame<'_>,
        input: &Value,
        out: Out<'_, Value>,
    ) -> Flow {
        self.each(arguments[0], frame, input.clone(), &mut |from: Value| {
            self.each(
                arguments[1],
                frame,
                input.clone(),
                &mut |to: Value| match arguments.get(2) {
                    None => self.count(&from, &to, &Value::Int(1), out),
                    Some(by) => self.each(*by, frame, input.clone(), &mut |by: Value| {
                        self.count(&from, &to, &by, out)
                    }),
                },
            )
        })
    }

    fn count(&self, from: &Value, to: &Value, by: &Value, out: Out<'_, Value>) -> Flow {
        if let (Value::Int(from), Value::Int(to), Value::Int(by)) = (from, to, by) {
            let mut at = *from;
            while (*by >= 0 && at < *to) || (*by < 0 && at > *to) {
                self.budget.step()?;
                out(Value::Int(at))?;
                let Some(next) = at.checked_add(*by) else {
                    break;
                };
                at = next;
            }
            return Ok(());
        }
        let (Some(mut at), Some(to), Some(by)) =
            (number::double(from), number::double(to), number::double(by))
        else {
            return Err(Stop::failed("range needs numbers"));
        };
        while (by >= 0.0 && at < to) || (by < 0.0 && at > to) {
            self.budget.step()?;
            out(number::value(at))?;
            at += by;
        }
        Ok(())
    }

    /// Applies a function to each part, innermost first.
    fn walk(&self, id: NodeId, frame: &Frame<'_>, value: Value, out: Out<'_, Value>) -> Flow {
        let _level = self.budget.descend()?;
        self.budget.step()?;
        let value = match value {
            Value::Array(elements) => Value::array(self.walk_array(id, frame, &elements)?),
            Value::Object(members) => Value::object(self.walk_object(id, frame, &members)?),
            scalar => scalar,
        };
        self.each(id, frame, value, out)
    }

    fn walk_array(
        &self,
        id: NodeId,
        frame: &Frame<'_>,
        elements: &[Value],
    ) -> Result<Vec<Value>, Stop> {
        let mut walked = Vec::new();
        for element in elements {
            self.walk(id, frame, element.clone(), &mut |value| {
                order::wrap(&value, 1, self.budget)?;
                self.budget.alloc(ARRAY_BYTES)?;
                walked.push(value);
                Ok(())
            })?;
        }
        Ok(walked)
    }

    fn walk_object(&self, id: NodeId, frame: &Frame<'_>, members: &Object) -> Result<Object, Stop> {
        let mut walked = Object::new();
        for (key, member) in members {
            let mut first = None;
            self.walk(id, frame, member.clone(), &mut |value| {
                first.get_or_insert(value);
                Ok(())
            })?;
            if let Some(value) = first {
                self.add_member(&mut walked, &Value::Text(key.clone()), value)?;
            }
        }
        Ok(walked)
    }
}

/// The error that an expression raises itself.
fn raise(value: Value) -> Stop {
    let message = match &value {
        Value::Text(text) => text.as_ref().into(),
        Value::Object(members) => match members.get("message") {
            Some(Value::Text(text)) => text.as_ref().into(),
            _ => alloc::format!("the expression failed with {}", order::shown(&value)),
        },
        _ => alloc::format!("the expression failed with {}", order::shown(&value)),
    };
    Stop::raised(message, value)
}
