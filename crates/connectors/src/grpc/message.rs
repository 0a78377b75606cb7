//! Owns the way of data into messages and back, by the JSON form of Protocol Buffers.
//!
//! What comes back is complete: fields that say nothing of their own presence are there even if they are empty or
//! zero, so that an expression need not ask.
//!
//! Invariants: what an answer becomes is bounded in size and depth, whatever the file and the server say;
//! messages name no value of the arguments.

use std::io::{self, Write};

use bytes::Bytes;
use prost_reflect::prost::Message as _;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    ReflectMessage as _, SerializeOptions, Value as Field,
};
use sdk::TaskError;
use serde_json::{Serializer, Value};

use super::proto::{listed, wrong};
use crate::http::{Place, RESPONSE_BYTES_MAX, communication, shown, too_large};
use crate::reading::without_values;

/// How deep an answer nests, with what is packed into a `google.protobuf.Any`.
const DEPTH_MAX: usize = 100;

const COMPLETE: SerializeOptions = SerializeOptions::new().skip_default_fields(false);

/// Types of these have a form in JSON of their own.
const WELL_KNOWN: &str = "google.protobuf.";
const ANY: &str = "google.protobuf.Any";

/// The messages of a call: each element of a list where the method takes a stream, else one.
pub(super) fn requests(
    method: &MethodDescriptor,
    arguments: &Value,
) -> Result<Vec<Vec<u8>>, TaskError> {
    let input = method.input();
    match arguments {
        Value::Array(messages) if method.is_client_streaming() => messages
            .iter()
            .enumerate()
            .map(|(index, message)| request(&input, message, &format!("arguments[{index}]")))
            .collect(),
        message => Ok(vec![request(&input, message, "arguments")?]),
    }
}

fn request(kind: &MessageDescriptor, value: &Value, place: &str) -> Result<Vec<u8>, TaskError> {
    check(kind, value, place)?;
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
    match DynamicMessage::deserialize(kind.clone(), tracked) {
        Ok(message) => Ok(message.encode_to_vec()),
        Err(error) => {
            let why = without_values(&error.to_string());
            let path = track.path().to_string();
            let path = if path == "." {
                String::new()
            } else {
                format!(".{path}")
            };
            Err(wrong(&format!("{place}{path}: {}", shown(&why))))
        }
    }
}

/// Holds the names in a message against those that the file knows.
fn check(kind: &MessageDescriptor, value: &Value, place: &str) -> Result<(), TaskError> {
    let Value::Object(members) = value else {
        return Ok(());
    };
    if kind.full_name().starts_with(WELL_KNOWN) {
        return Ok(());
    }
    for (name, member) in members {
        let known = kind.get_field_by_json_name(name);
        let Some(field) = known.or_else(|| kind.get_field_by_name(name)) else {
            let known = kind.fields().map(|field| field.json_name().to_owned());
            return Err(wrong(&format!(
                "{place}: the message {:?} has no field {:?}; it has {}",
                shown(kind.full_name()),
                shown(name),
                listed(known)
            )));
        };
        let place = format!("{place}.{}", shown(name));
        match member {
            Value::Array(elements) if field.is_list() => {
                for (index, element) in elements.iter().enumerate() {
                    check_kind(&field.kind(), element, &format!("{place}[{index}]"))?;
                }
            }
            Value::Object(entries) if field.is_map() => check_map(&field, entries, &place)?,
            member => check_kind(&field.kind(), member, &place)?,
        }
    }
    Ok(())
}

fn check_map(
    field: &FieldDescriptor,
    entries: &serde_json::Map<String, Value>,
    place: &str,
) -> Result<(), TaskError> {
    let Kind::Message(entry) = field.kind() else {
        return Ok(());
    };
    let kind = entry.map_entry_value_field().kind();
    entries
        .iter()
        .try_for_each(|(key, entry)| check_kind(&kind, entry, &format!("{place}.{}", shown(key))))
}

fn check_kind(kind: &Kind, value: &Value, place: &str) -> Result<(), TaskError> {
    match (kind, value) {
        (Kind::Message(kind), value) => check(kind, value, place),
        (Kind::Enum(kind), Value::String(name))
            if !kind.full_name().starts_with(WELL_KNOWN)
                && kind.get_value_by_name(name).is_none() =>
        {
            let known = kind.values().map(|value| value.name().to_owned());
            Err(wrong(&format!(
                "{place}: this is no value of the enum {:?}; it has {}",
                shown(kind.full_name()),
                listed(known)
            )))
        }
        _ => Ok(()),
    }
}

/// The output of a call: a list where the method answers with a stream, else its one answer.
pub(super) fn answer(
    method: &MethodDescriptor,
    answers: Vec<Bytes>,
    place: &Place,
) -> Result<Value, TaskError> {
    let mut text = Bounded::default();
    let is_list = method.is_server_streaming();
    if !is_list && answers.len() != 1 {
        let count = answers.len();
        return Err(unreadable(&format!(
            "it has {count} messages instead of one"
        )));
    }
    if is_list {
        let _ = text.write(b"[");
    }
    for (index, answer) in answers.into_iter().enumerate() {
        if index > 0 {
            let _ = text.write(b",");
        }
        let kind = method.output();
        let message = DynamicMessage::decode(kind.clone(), answer).map_err(|_| {
            let name = shown(kind.full_name());
            unreadable(&format!("it is no message {name:?} of the .proto file"))
        })?;
        check_depth(&message, 0)?;
        let told = message.serialize_with_options(&mut Serializer::new(&mut text), &COMPLETE);
        if text.is_full {
            return Err(too_large(place, RESPONSE_BYTES_MAX));
        }
        told.map_err(|error| unreadable(shown(&error.to_string())))?;
    }
    if is_list {
        let _ = text.write(b"]");
    }
    serde_json::from_slice(&text.bytes).map_err(|error| unreadable(&error.to_string()))
}

/// The failure of a call whose answer means nothing.
pub(super) fn unreadable(why: &str) -> TaskError {
    communication(
        format!("the answer cannot be read: {why}"),
        "The answer cannot be read",
    )
}

/// What is packed is unpacked where it is told, and could nest as deep as it is long.
fn check_depth(message: &DynamicMessage, depth: usize) -> Result<(), TaskError> {
    if depth > DEPTH_MAX {
        return Err(unreadable(&format!("it nests deeper than {DEPTH_MAX}")));
    }
    if message.descriptor().full_name() == ANY
        && let Some(packed) = unpacked(message)
    {
        check_depth(&packed, depth + 1)?;
    }
    message
        .fields()
        .try_for_each(|(_, field)| check_depth_of(field, depth))
}

fn check_depth_of(field: &Field, depth: usize) -> Result<(), TaskError> {
    match field {
        Field::Message(message) => check_depth(message, depth + 1),
        Field::List(elements) => elements
            .iter()
            .try_for_each(|element| check_depth_of(element, depth)),
        Field::Map(entries) => entries
            .values()
            .try_for_each(|entry| check_depth_of(entry, depth)),
        _ => Ok(()),
    }
}

/// What an `Any` holds, if its type is known and it fits.
fn unpacked(any: &DynamicMessage) -> Option<DynamicMessage> {
    let url = any.get_field_by_name("type_url")?;
    let (_, name) = url.as_str()?.rsplit_once('/')?;
    let kind = any.descriptor().parent_pool().get_message_by_name(name)?;
    let value = any.get_field_by_name("value")?;
    DynamicMessage::decode(kind, value.as_bytes()?.clone()).ok()
}

/// Text that does not get longer than an answer may be.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > RESPONSE_BYTES_MAX {
            self.is_full = true;
            return Err(io::Error::other("the answer is too large"));
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
