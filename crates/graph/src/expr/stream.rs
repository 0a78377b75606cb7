//! Owns the evaluation of nodes that give any number of results, each handed to a callback.
//!
//! Invariants: as in `eval.rs`; an error that comes from the callback is not the node's own, and is not
//! caught by a `try` around the node. One code serves values and paths, see `focus.rs`.

use alloc::vec::Vec;

use super::access::{self, ARRAY_BYTES};
use super::error::{Flow, Stop};
use super::eval::Eval;
use super::focus::Focus;
use super::frame::{Closure, Frame};
use super::node::{Node, NodeId, Part, Pattern};
use super::object::count;
use super::{math, order};
use crate::value::{Object, Value};

/// Where results go.
pub(super) type Out<'o, T> = &'o mut dyn FnMut(T) -> Flow;

impl Eval<'_> {
    /// Hands each result of a node to `out`.
    pub(super) fn each<T: Focus>(
        &self,
        id: NodeId,
        frame: &Frame<'_>,
        input: T,
        out: Out<'_, T>,
    ) -> Flow {
        let _level = self.budget.descend()?;
        self.budget.step()?;
        if !T::TRACKS && self.is_single(id) {
            return out(T::computed(self.take(id, frame, input.into_value())?)?);
        }
        self.dispatch(id, frame, input, out)
    }

    fn dispatch<T: Focus>(&self, id: NodeId, frame: &Frame<'_>, input: T, out: Out<'_, T>) -> Flow {
        match self.node(id) {
            Node::Identity => out(input),
            Node::Path { base, parts } => self.each_path(*base, parts, frame, &input, out),
            Node::Pipe(left, right) => self.each(*left, frame, input, &mut |value: T| {
                self.each(*right, frame, value, out)
            }),
            Node::Comma(members) => members
                .iter()
                .try_for_each(|member| self.each(*member, frame, input.clone(), out)),
            Node::If { test, then, or } => self.each_if(*test, [*then, *or], frame, &input, out),
            Node::Alternative(left, right) => {
                self.each_alternative(*left, *right, frame, &input, out)
            }
            Node::Try { body, catch } => self.each_try(*body, *catch, frame, input, out),
            Node::Bind {
                source,
                pattern,
                body,
            } => self.each_bind(*source, pattern, *body, frame, &input, out),
            Node::Reduce { .. } => self.each_reduce(id, frame, &input, out),
            Node::Foreach { .. } => self.each_foreach(id, frame, &input, out),
            Node::Label(body) => self.each_label(*body, frame, input, out),
            Node::Break { hops } => Err(Stop::Break(frame.label(*hops))),
            Node::Call { .. } => self.each_call(id, frame, input, out),
            Node::Parameter { hops, index } => {
                let Closure { node, frame } = frame.parameter(*hops, *index);
                self.each(node, frame, input, out)
            }
            Node::Special(special, arguments) => {
                self.each_special(*special, arguments, frame, input, out)
            }
            _ => self.each_computed(id, frame, input.value(), &mut |value| {
                out(T::computed(value)?)
            }),
        }
    }

    fn each_call<T: Focus>(
        &self,
        id: NodeId,
        frame: &Frame<'_>,
        input: T,
        out: Out<'_, T>,
    ) -> Flow {
        let Node::Call {
            function,
            hops,
            arguments,
        } = self.node(id)
        else {
            unreachable!("only called for calls")
        };
        let body = self.code.functions[*function as usize].body;
        let outer = self.definition(*hops, frame);
        if arguments.is_empty() {
            return self.each(body, outer, input, out);
        }
        let inner = Frame::Parameters(self.closures(arguments, frame), outer);
        self.each(body, &inner, input, out)
    }

    fn each_if<T: Focus>(
        &self,
        test: NodeId,
        [then, or]: [NodeId; 2],
        frame: &Frame<'_>,
        input: &T,
        out: Out<'_, T>,
    ) -> Flow {
        if self.is_single(test) {
            let branch = if self.one(test, frame, input.value())?.is_true() {
                then
            } else {
                or
            };
            return self.each(branch, frame, input.clone(), out);
        }
        self.each(test, frame, input.value().clone(), &mut |value: Value| {
            self.each(
                if value.is_true() { then } else { or },
                frame,
                input.clone(),
                out,
            )
        })
    }

    fn each_alternative<T: Focus>(
        &self,
        left: NodeId,
        right: NodeId,
        frame: &Frame<'_>,
        input: &T,
        out: Out<'_, T>,
    ) -> Flow {
        let (mut found, mut outside) = (false, false);
        let flow = self.each(left, frame, input.clone(), &mut |value: T| {
            if !value.value().is_true() {
                return Ok(());
            }
            found = true;
            out(value).inspect_err(|_| outside = true)
        });
        match flow {
            Err(stop) if outside || !stop.is_catchable() => Err(stop),
            _ if found => Ok(()),
            _ => self.each(right, frame, input.clone(), out),
        }
    }

    fn each_try<T: Focus>(
        &self,
        body: NodeId,
        catch: Option<NodeId>,
        frame: &Frame<'_>,
        input: T,
        out: Out<'_, T>,
    ) -> Flow {
        let mut outside = false;
        let flow = self.each(body, frame, input, &mut |value: T| {
            out(value).inspect_err(|_| outside = true)
        });
        match (flow, catch) {
            (Err(stop), _) if outside || !stop.is_catchable() => Err(stop),
            (Err(Stop::Error(error)), Some(catch)) => {
                self.each(catch, frame, error.value, &mut |value: Value| {
                    out(T::computed(value)?)
                })
            }
            _ => Ok(()),
        }
    }

    fn each_bind<T: Focus>(
        &self,
        source: NodeId,
        pattern: &Pattern,
        body: NodeId,
        frame: &Frame<'_>,
        input: &T,
        out: Out<'_, T>,
    ) -> Flow {
        self.each(source, frame, input.value().clone(), &mut |value: Value| {
            let inner = self.bind(pattern, frame, input.value(), value)?;
            self.each(body, &inner, input.clone(), out)
        })
    }

    fn each_reduce<T: Focus>(
        &self,
        id: NodeId,
        frame: &Frame<'_>,
        input: &T,
        out: Out<'_, T>,
    ) -> Flow {
        let Node::Reduce {
            source,
            pattern,
            start,
            update,
        } = self.node(id)
        else {
            unreachable!("only called for reduce")
        };
        if !T::TRACKS {
            return self.each(*start, frame, input.value().clone(), &mut |start: Value| {
                let end = self.reduce(*source, pattern, start, *update, frame, input.value())?;
                out(T::computed(end)?)
            });
        }
        self.each(*start, frame, input.clone(), &mut |start: T| {
            let mut state = Some(start);
            self.each(
                *source,
                frame,
                input.value().clone(),
                &mut |value: Value| {
                    let inner = self.bind(pattern, frame, input.value(), value)?;
                    let Some(before) = state.take() else {
                        return Ok(());
                    };
                    self.each(*update, &inner, before, &mut |value: T| {
                        state = Some(value);
                        Ok(())
                    })
                },
            )?;
            state.take().map_or(Ok(()), &mut *out)
        })
    }

    fn each_foreach<T: Focus>(
        &self,
        id: NodeId,
        frame: &Frame<'_>,
        input: &T,
        out: Out<'_, T>,
    ) -> Flow {
        let Node::Foreach {
            source,
            pattern,
            start,
            update,
            extract,
        } = self.node(id)
        else {
            unreachable!("only called for foreach")
        };
        self.each(*start, frame, input.clone(), &mut |start: T| {
            let mut state = start;
            self.each(
                *source,
                frame,
                input.value().clone(),
                &mut |value: Value| {
                    let inner = self.bind(pattern, frame, input.value(), value)?;
                    self.each(*update, &inner, state.clone(), &mut |value: T| {
                        state = value.clone();
                        match extract {
                            Some(extract) => self.each(*extract, &inner, value, out),
                            None => out(value),
                        }
                    })
                },
            )
        })
    }

    fn each_label<T: Focus>(
        &self,
        body: NodeId,
        frame: &Frame<'_>,
        input: T,
        out: Out<'_, T>,
    ) -> Flow {
        let label = self.budget.label();
        match self.each(body, &Frame::Label(label, frame), input, out) {
            Err(Stop::Break(to)) if to == label => Ok(()),
            flow => flow,
        }
    }

    fn each_path<T: Focus>(
        &self,
        base: NodeId,
        parts: &[Part],
        frame: &Frame<'_>,
        input: &T,
        out: Out<'_, T>,
    ) -> Flow {
        if let Node::Identity = self.node(base) {
            return self.each_part(parts, frame, input.value(), input.clone(), out);
        }
        self.each(base, frame, input.clone(), &mut |at: T| {
            self.each_part(parts, frame, input.value(), at, out)
        })
    }

    fn each_part<T: Focus>(
        &self,
        parts: &[Part],
        frame: &Frame<'_>,
        origin: &Value,
        mut at: T,
        out: Out<'_, T>,
    ) -> Flow {
        for (index, part) in parts.iter().enumerate() {
            self.budget.work(2)?;
            let rest = &parts[index + 1..];
            match part {
                Part::Key(key) => at = self.part(&at, key)?,
                Part::Index(id) if self.is_single(*id) => {
                    let key = self.one(*id, frame, origin)?;
                    at = self.part(&at, &key)?;
                }
                Part::Each if rest.is_empty() => return self.each_child(&at, out),
                _ => {
                    let _level = self.budget.descend()?;
                    return self.each_key(part, frame, origin, &at, &mut |next: T| {
                        self.each_part(rest, frame, origin, next, out)
                    });
                }
            }
        }
        out(at)
    }

    fn part<T: Focus>(&self, at: &T, key: &Value) -> Result<T, Stop> {
        at.part(&|| key.clone(), access::get(at.value(), key, self.budget)?)
    }

    fn each_key<T: Focus>(
        &self,
        part: &Part,
        frame: &Frame<'_>,
        origin: &Value,
        at: &T,
        out: Out<'_, T>,
    ) -> Flow {
        match part {
            Part::Each => self.each_child(at, out),
            Part::Key(key) => out(self.part(at, key)?),
            Part::Index(id) => self.each(*id, frame, origin.clone(), &mut |key: Value| {
                out(self.part(at, &key)?)
            }),
            Part::Slice(from, to) => self.each_bound(*to, frame, origin, &mut |to| {
                self.each_bound(*from, frame, origin, &mut |from| {
                    out(self.part(at, &access::slice_key(from, to.clone()))?)
                })
            }),
        }
    }

    fn each_bound(
        &self,
        bound: Option<NodeId>,
        frame: &Frame<'_>,
        origin: &Value,
        out: Out<'_, Value>,
    ) -> Flow {
        match bound {
            Some(id) => self.each(id, frame, origin.clone(), out),
            None => out(Value::Null),
        }
    }

    /// Each element or member.
    pub(super) fn each_child<T: Focus>(&self, at: &T, out: Out<'_, T>) -> Flow {
        match at.value() {
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.budget.step()?;
                    out(at.part(&|| count(index), element.clone())?)?;
                }
                Ok(())
            }
            Value::Object(members) => {
                for (key, member) in members.iter() {
                    self.budget.step()?;
                    out(at.part(&|| Value::Text(key.clone()), member.clone())?)?;
                }
                Ok(())
            }
            other => Err(Stop::failed(alloc::format!(
                "cannot iterate over {}",
                order::shown(other)
            ))),
        }
    }

    /// Nodes whose results are computed from values, with operands that give any number.
    fn each_computed(
        &self,
        id: NodeId,
        frame: &Frame<'_>,
        input: &Value,
        out: Out<'_, Value>,
    ) -> Flow {
        if self.is_single(id) {
            return out(self.one(id, frame, input)?);
        }
        match self.node(id) {
            Node::Object(members) => self.each_object(members, frame, input, Object::new(), out),
            Node::Text { format, parts } => {
                self.product(parts, frame, input, Order::LastOuter, &mut |values| {
                    out(self.interpolate(*format, parts, values.iter())?)
                })
            }
            Node::Strict(function, arguments) => {
                self.product(arguments, frame, input, Order::FirstOuter, &mut |values| {
                    out((function.run)(input.clone(), values, self.budget)?)
                })
            }
            Node::Negate(inner) => self.each(*inner, frame, input.clone(), &mut |value: Value| {
                out(math::negate(&value)?)
            }),
            Node::Math(operation, left, right) => {
                self.pairs(*left, *right, frame, input, &mut |left, right| {
                    out(math::apply(*operation, left, right, self.budget)?)
                })
            }
            Node::Compare(comparison, left, right) => {
                self.pairs(*left, *right, frame, input, &mut |left, right| {
                    out(Value::Bool(math::compare(
                        *comparison,
                        &left,
                        right,
                        self.budget,
                    )?))
                })
            }
            Node::And(left, right) => self.each_logic(*left, *right, false, frame, input, out),
            Node::Or(left, right) => self.each_logic(*left, *right, true, frame, input, out),
            _ => self.each_assign(id, frame, input, out),
        }
    }

    fn pairs(
        &self,
        left: NodeId,
        right: NodeId,
        frame: &Frame<'_>,
        input: &Value,
        out: &mut dyn FnMut(Value, &Value) -> Flow,
    ) -> Flow {
        self.each(right, frame, input.clone(), &mut |right: Value| {
            self.each(left, frame, input.clone(), &mut |left: Value| {
                out(left, &right)
            })
        })
    }

    /// `and` and `or`: the right is not asked if the left already tells.
    fn each_logic(
        &self,
        left: NodeId,
        right: NodeId,
        decisive: bool,
        frame: &Frame<'_>,
        input: &Value,
        out: Out<'_, Value>,
    ) -> Flow {
        self.each(left, frame, input.clone(), &mut |left: Value| {
            if left.is_true() == decisive {
                return out(Value::Bool(decisive));
            }
            self.each(right, frame, input.clone(), &mut |right: Value| {
                out(Value::Bool(right.is_true()))
            })
        })
    }

    fn each_object(
        &self,
        members: &[(NodeId, NodeId)],
        frame: &Frame<'_>,
        input: &Value,
        object: Object,
        out: Out<'_, Value>,
    ) -> Flow {
        let Some(((key, value), rest)) = members.split_first() else {
            return out(Value::object(object));
        };
        let _level = self.budget.descend()?;
        self.each(*key, frame, input.clone(), &mut |key: Value| {
            self.each(*value, frame, input.clone(), &mut |value: Value| {
                self.budget.alloc(object.len() * access::MEMBER_BYTES)?;
                let mut object = object.clone();
                self.add_member(&mut object, &key, value)?;
                self.each_object(rest, frame, input, object, out)
            })
        })
    }

    /// Every combination of the results of several nodes.
    fn product(
        &self,
        nodes: &[NodeId],
        frame: &Frame<'_>,
        input: &Value,
        order: Order,
        out: &mut dyn FnMut(&[Value]) -> Flow,
    ) -> Flow {
        let mut lists: Vec<Vec<Value>> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let mut list = Vec::new();
            self.each(*node, frame, input.clone(), &mut |value: Value| {
                self.budget.alloc(ARRAY_BYTES)?;
                list.push(value);
                Ok(())
            })?;
            if list.is_empty() {
                return Ok(());
            }
            lists.push(list);
        }
        let mut turns = alloc::vec![0; lists.len()];
        loop {
            self.budget.step()?;
            self.budget.alloc(lists.len() * ARRAY_BYTES)?;
            let values: Vec<Value> = lists
                .iter()
                .zip(&turns)
                .map(|(list, turn)| list[*turn].clone())
                .collect();
            out(&values)?;
            let mut advance = |place: usize| {
                turns[place] = (turns[place] + 1) % lists[place].len();
                turns[place] != 0
            };
            let more = match order {
                Order::LastOuter => (0..lists.len()).any(&mut advance),
                Order::FirstOuter => (0..lists.len()).rev().any(&mut advance),
            };
            if !more {
                return Ok(());
            }
        }
    }
}

/// Which operand of a product changes slowest.
#[derive(Clone, Copy)]
enum Order {
    FirstOuter,
    LastOuter,
}
