//! Owns the evaluation of nodes that give exactly one result, and of everything computed from values.
//!
//! Invariants: each node charges a step; each nesting charges a level before it recurses, so that the
//! native stack is bounded; a value that is owned is passed on, so that growing it is in place.
//! Nodes with any number of results are in `stream.rs`.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::access::{self, ARRAY_BYTES, MEMBER_BYTES};
use super::budget::Budget;
use super::error::{Flow, Stop};
use super::frame::{Closure, Frame};
use super::node::{Code, Count, Format, Math, Node, NodeId, Part, Pattern};
use super::{json, math, order};
use crate::value::{Object, Value};

/// One evaluation.
pub(super) struct Eval<'p> {
    pub(super) code: &'p Code,
    pub(super) globals: &'p [Value],
    pub(super) budget: &'p Budget,
    pub(super) outermost: Frame<'static>,
}

impl<'p> Eval<'p> {
    pub(super) fn node(&self, id: NodeId) -> &'p Node {
        &self.code.nodes[id as usize]
    }

    pub(super) fn is_single(&self, id: NodeId) -> bool {
        self.code.counts[id as usize] == Count::One
    }

    /// The value of a node where it stands, if it need not be computed.
    fn borrow<'v>(
        &self,
        id: NodeId,
        frame: &'v Frame<'v>,
        input: &'v Value,
    ) -> Result<Option<&'v Value>, Stop>
    where
        'p: 'v,
    {
        Ok(match self.node(id) {
            Node::Identity => Some(input),
            Node::Constant(value) => Some(value),
            Node::Global(index) => Some(&self.globals[*index as usize]),
            Node::Local { hops, index } => Some(frame.variable(*hops, *index)),
            Node::Path { base, parts } => {
                let Some(mut at) = self.borrow(*base, frame, input)? else {
                    return Ok(None);
                };
                for part in parts {
                    self.budget.work(2)?;
                    at = match (at, part) {
                        (Value::Object(members), Part::Key(Value::Text(name))) => {
                            members.get(name).unwrap_or(&Value::Null)
                        }
                        (Value::Null, Part::Key(Value::Text(_))) => at,
                        _ => return Ok(None),
                    };
                }
                Some(at)
            }
            _ => None,
        })
    }

    /// The value of a node that gives one, borrowed if it can be.
    fn look<'v>(
        &self,
        id: NodeId,
        frame: &'v Frame<'v>,
        input: &'v Value,
    ) -> Result<Cow<'v, Value>, Stop>
    where
        'p: 'v,
    {
        match self.borrow(id, frame, input)? {
            Some(value) => Ok(Cow::Borrowed(value)),
            None => self.one(id, frame, input).map(Cow::Owned),
        }
    }

    /// The one result of a node that gives one.
    pub(super) fn one(&self, id: NodeId, frame: &Frame<'_>, input: &Value) -> Result<Value, Stop> {
        self.budget.step()?;
        if let Some(value) = self.borrow(id, frame, input)? {
            return Ok(value.clone());
        }
        let _level = self.budget.descend()?;
        self.compute(id, frame, input)
    }

    fn compute(&self, id: NodeId, frame: &Frame<'_>, input: &Value) -> Result<Value, Stop> {
        match self.node(id) {
            Node::Path { base, parts } => self.follow(*base, parts, frame, input),
            Node::Array(inner) => self.array(*inner, frame, input),
            Node::Object(members) => self.object(members, frame, input),
            Node::Text { format, parts } => self.text(*format, parts, frame, input),
            Node::Convert(format) => json::convert(*format, input, self.budget).map(Value::Text),
            Node::Negate(inner) => math::negate(&self.one(*inner, frame, input)?),
            Node::Math(operation, left, right) => {
                self.math(*operation, *left, *right, frame, input)
            }
            Node::Compare(comparison, left, right) => {
                let right = self.look(*right, frame, input)?;
                let left = self.look(*left, frame, input)?;
                math::compare(*comparison, &left, &right, self.budget).map(Value::Bool)
            }
            Node::And(left, right) => Ok(Value::Bool(
                self.is_true(*left, frame, input)? && self.is_true(*right, frame, input)?,
            )),
            Node::Or(left, right) => Ok(Value::Bool(
                self.is_true(*left, frame, input)? || self.is_true(*right, frame, input)?,
            )),
            Node::Alternative(left, right) => match self.one(*left, frame, input) {
                Ok(value) if value.is_true() => Ok(value),
                Err(stop) if !stop.is_catchable() => Err(stop),
                _ => self.one(*right, frame, input),
            },
            Node::If { test, then, or } => {
                let branch = if self.is_true(*test, frame, input)? {
                    *then
                } else {
                    *or
                };
                self.one(branch, frame, input)
            }
            Node::Pipe(left, right) => {
                let value = self.one(*left, frame, input)?;
                self.take(*right, frame, value)
            }
            Node::Strict(function, arguments) => {
                self.strict(function.run, arguments, frame, input.clone())
            }
            Node::Parameter { hops, index } => {
                let Closure { node, frame } = frame.parameter(*hops, *index);
                self.one(node, frame, input)
            }
            _ => self.take(id, frame, input.clone()),
        }
    }

    fn is_true(&self, id: NodeId, frame: &Frame<'_>, input: &Value) -> Result<bool, Stop> {
        match self.borrow(id, frame, input)? {
            Some(value) => Ok(value.is_true()),
            None => Ok(self.one(id, frame, input)?.is_true()),
        }
    }

    /// As [`Eval::one`], where the input may be used up. The last call of a function loops.
    pub(super) fn take(&self, id: NodeId, frame: &Frame<'_>, input: Value) -> Result<Value, Stop> {
        let _level = self.budget.descend()?;
        let (mut id, mut frame, mut input) = (id, frame, input);
        loop {
            self.budget.step()?;
            match self.node(id) {
                Node::Identity => return Ok(input),
                Node::Pipe(left, right) => {
                    input = self.take(*left, frame, input)?;
                    id = *right;
                }
                Node::If { test, then, or } => {
                    id = if self.is_true(*test, frame, &input)? {
                        *then
                    } else {
                        *or
                    };
                }
                Node::Call {
                    function,
                    hops,
                    arguments,
                } if arguments.is_empty() => {
                    frame = self.definition(*hops, frame);
                    id = self.code.functions[*function as usize].body;
                }
                Node::Call { .. } => return self.call_one(id, frame, input),
                Node::Math(operation, left, right) => {
                    let right = self.look(*right, frame, &input)?.into_owned();
                    let left = self.take(*left, frame, input)?;
                    return math::apply(*operation, left, &right, self.budget);
                }
                Node::Strict(function, arguments) => {
                    return self.strict(function.run, arguments, frame, input);
                }
                Node::Assign(..) | Node::Update(..) | Node::Modify(..) => {
                    return self.assign_one(id, frame, input);
                }
                Node::Bind {
                    source,
                    pattern,
                    body,
                } => {
                    let value = self.one(*source, frame, &input)?;
                    let inner = self.bind(pattern, frame, &input, value)?;
                    return self.take(*body, &inner, input);
                }
                Node::Reduce {
                    source,
                    pattern,
                    start,
                    update,
                } => {
                    let start = self.one(*start, frame, &input)?;
                    return self.reduce(*source, pattern, start, *update, frame, &input);
                }
                Node::Special(special, arguments) => {
                    return self.special_one(*special, arguments, frame, &input);
                }
                _ => return self.one(id, frame, &input),
            }
        }
    }

    fn call_one(&self, id: NodeId, frame: &Frame<'_>, input: Value) -> Result<Value, Stop> {
        let Node::Call {
            function,
            hops,
            arguments,
        } = self.node(id)
        else {
            unreachable!("only called for calls")
        };
        let inner = Frame::Parameters(
            self.closures(arguments, frame),
            self.definition(*hops, frame),
        );
        self.take(self.code.functions[*function as usize].body, &inner, input)
    }

    /// The frames in which a function was defined.
    pub(super) fn definition<'f>(
        &'f self,
        hops: Option<u32>,
        frame: &'f Frame<'f>,
    ) -> &'f Frame<'f> {
        hops.map_or(&self.outermost, |hops| frame.up(hops))
    }

    /// The arguments of a call. One that only passes a parameter on is that parameter.
    pub(super) fn closures<'f>(
        &self,
        arguments: &[NodeId],
        frame: &'f Frame<'f>,
    ) -> Vec<Closure<'f>> {
        arguments
            .iter()
            .map(|argument| match self.node(*argument) {
                Node::Parameter { hops, index } => frame.parameter(*hops, *index),
                _ => Closure {
                    node: *argument,
                    frame,
                },
            })
            .collect()
    }

    /// The frame that binds the variables of a pattern.
    pub(super) fn bind<'f>(
        &self,
        pattern: &Pattern,
        frame: &'f Frame<'f>,
        input: &Value,
        value: Value,
    ) -> Result<Frame<'f>, Stop> {
        let ways = match pattern {
            Pattern::Whole => return Ok(Frame::Variable(value, frame)),
            Pattern::Parts(ways) => ways,
        };
        self.budget.alloc(ways.len() * ARRAY_BYTES)?;
        let mut values = Vec::with_capacity(ways.len());
        for way in ways {
            let mut at = value.clone();
            for key in way {
                let key = self.only(*key, frame, input)?;
                at = access::get(&at, &key, self.budget)?;
            }
            values.push(at);
        }
        Ok(Frame::Variables(values, frame))
    }

    /// The only result of a node that may give any number.
    pub(super) fn only(&self, id: NodeId, frame: &Frame<'_>, input: &Value) -> Result<Value, Stop> {
        if self.is_single(id) {
            return self.one(id, frame, input);
        }
        let mut only = None;
        self.each(
            id,
            frame,
            input.clone(),
            &mut |value: Value| match only.replace(value) {
                None => Ok(()),
                Some(_) => Err(Stop::failed("a key in a pattern must give one result")),
            },
        )?;
        only.ok_or_else(|| Stop::failed("a key in a pattern must give one result"))
    }

    pub(super) fn reduce(
        &self,
        source: NodeId,
        pattern: &Pattern,
        start: Value,
        update: NodeId,
        frame: &Frame<'_>,
        input: &Value,
    ) -> Result<Value, Stop> {
        let mut state = start;
        self.each(source, frame, input.clone(), &mut |value: Value| {
            let inner = self.bind(pattern, frame, input, value)?;
            let before = core::mem::take(&mut state);
            if self.is_single(update) {
                state = self.take(update, &inner, before)?;
                return Ok(());
            }
            self.each(update, &inner, before, &mut |value: Value| {
                state = value;
                Ok(())
            })
        })?;
        Ok(state)
    }

    fn follow(
        &self,
        base: NodeId,
        parts: &[Part],
        frame: &Frame<'_>,
        input: &Value,
    ) -> Result<Value, Stop> {
        let mut at = self.one(base, frame, input)?;
        for part in parts {
            let computed;
            let key = match part {
                Part::Key(key) => key,
                Part::Index(id) => {
                    computed = self.one(*id, frame, input)?;
                    &computed
                }
                Part::Slice(from, to) => {
                    let bound = |id: &Option<NodeId>| match id {
                        Some(id) => self.one(*id, frame, input),
                        None => Ok(Value::Null),
                    };
                    computed = access::slice_key(bound(from)?, bound(to)?);
                    &computed
                }
                Part::Each => unreachable!("a path with `[]` is not single"),
            };
            self.budget.work(2)?;
            at = access::get(&at, key, self.budget)?;
        }
        Ok(at)
    }

    pub(super) fn array(
        &self,
        inner: Option<NodeId>,
        frame: &Frame<'_>,
        input: &Value,
    ) -> Result<Value, Stop> {
        let mut elements = Vec::new();
        if let Some(inner) = inner {
            self.each(inner, frame, input.clone(), &mut |value: Value| {
                order::wrap(&value, 1, self.budget)?;
                self.budget.alloc(ARRAY_BYTES)?;
                elements.push(value);
                Ok(())
            })?;
        }
        self.budget.alloc(ARRAY_BYTES * 2)?;
        Ok(Value::array(elements))
    }

    fn object(
        &self,
        members: &[(NodeId, NodeId)],
        frame: &Frame<'_>,
        input: &Value,
    ) -> Result<Value, Stop> {
        let mut object = Object::new();
        for (key, value) in members {
            let key = self.look(*key, frame, input)?;
            let value = self.one(*value, frame, input)?;
            self.add_member(&mut object, &key, value)?;
        }
        Ok(Value::object(object))
    }

    pub(super) fn add_member(&self, object: &mut Object, key: &Value, value: Value) -> Flow {
        let Value::Text(name) = key else {
            return Err(Stop::failed(alloc::format!(
                "an object key must be a string, not {}",
                order::shown(key)
            )));
        };
        order::wrap(&value, 1, self.budget)?;
        self.budget.alloc(MEMBER_BYTES)?;
        object.insert(name.clone(), value);
        Ok(())
    }

    fn text(
        &self,
        format: Format,
        parts: &[NodeId],
        frame: &Frame<'_>,
        input: &Value,
    ) -> Result<Value, Stop> {
        let mut values = Vec::with_capacity(parts.len());
        for part in parts {
            values.push(self.look(*part, frame, input)?);
        }
        self.interpolate(format, parts, values.iter().map(AsRef::as_ref))
    }

    /// Joins the parts of a string; those that are not literal go through the format.
    pub(super) fn interpolate<'v>(
        &self,
        format: Format,
        parts: &[NodeId],
        values: impl Iterator<Item = &'v Value>,
    ) -> Result<Value, Stop> {
        let mut text = alloc::string::String::new();
        for (index, (_, value)) in parts.iter().zip(values).enumerate() {
            // literal text and expressions take turns, text first
            let format = if index % 2 == 0 { Format::Text } else { format };
            let part = json::convert(format, value, self.budget)?;
            self.budget.alloc(part.len())?;
            text.push_str(&part);
        }
        self.budget.alloc(text.len())?;
        Ok(Value::text(text))
    }

    fn math(
        &self,
        operation: Math,
        left: NodeId,
        right: NodeId,
        frame: &Frame<'_>,
        input: &Value,
    ) -> Result<Value, Stop> {
        let right = self.look(right, frame, input)?;
        let left = self.look(left, frame, input)?.into_owned();
        math::apply(operation, left, &right, self.budget)
    }

    fn strict(
        &self,
        run: super::function::Run,
        arguments: &[NodeId],
        frame: &Frame<'_>,
        input: Value,
    ) -> Result<Value, Stop> {
        let mut values = [Value::Null, Value::Null];
        for (value, argument) in values.iter_mut().zip(arguments) {
            *value = self.one(*argument, frame, &input)?;
        }
        run(input, &values[..arguments.len()], self.budget)
    }
}
