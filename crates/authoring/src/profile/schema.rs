//! Owns [`schema`]: the profile as a JSON Schema, for editors.
//!
//! Invariant: it refuses keys that the compiler refuses, so what an editor offers compiles.

use serde_json::{Map, Value, json};

use super::shape::{Key, Shape, Standing, Takes};
use super::{call, document, event, own, task};

/// The shapes of the language, in the order of the page.
pub(super) fn shapes() -> impl Iterator<Item = &'static Shape> {
    [
        document::SHAPES,
        task::SHAPES,
        event::SHAPES,
        call::SHAPES,
        own::SHAPES,
    ]
    .into_iter()
    .flatten()
}

/// The JSON Schema (2020-12) of workflow documents that are accepted here.
#[must_use]
pub fn schema() -> Value {
    let accepted = shapes().filter(|shape| !shape.refused);
    let mut definitions: Map<String, Value> = accepted
        .map(|shape| (slug(shape.name), object(shape)))
        .collect();
    let tasks = shapes().filter(|shape| shape.task && !shape.refused && shape.name != "task");
    let tasks: Vec<Value> = tasks.map(|shape| reference(shape.name)).collect();
    definitions.insert("task".into(), json!({ "anyOf": tasks }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Quadrille workflow",
        "description": "The Serverless Workflow DSL 1.0 as this server reads it.",
        "$ref": "#/$defs/workflow",
        "$defs": definitions,
    })
}

/// The name of a shape as a part of an address.
pub(super) fn slug(name: &str) -> String {
    name.replace(": ", "-").replace(' ', "-")
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{}", slug(name)) })
}

/// A map: its keys that are not refused, for a task also those of all tasks.
fn object(shape: &Shape) -> Value {
    let inherited: &[Key] = if shape.task { task::COMMON } else { &[] };
    let further = shape.task.then_some(&task::COMPENSATE);
    let keys = shape.keys.iter().chain(inherited).chain(further);
    let keys: Vec<&Key> = keys
        .filter(|key| key.standing != Standing::Refused)
        .collect();
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| (key.name.into(), property(key)))
        .collect();
    let required = keys.iter().filter(|key| key.required).map(|key| key.name);
    let mut object = json!({
        "type": "object",
        "title": shape.name,
        "properties": properties,
        "required": required.collect::<Vec<_>>(),
    });
    if !shape.says.is_empty() {
        object["description"] = json!(shape.says);
    }
    match shape.open {
        // A key of our own that is not known is a slip; any other is the author's.
        true => {
            let known = properties.keys().collect::<Vec<_>>();
            object["propertyNames"] = json!({ "anyOf": [{ "enum": known }, { "not": { "pattern": "^dev\\.quadrille/" } }] });
        }
        false => object["additionalProperties"] = json!(false),
    }
    let chosen = shape
        .one_of
        .iter()
        .filter(|name| properties.contains_key(**name));
    let chosen: Vec<Value> = chosen.map(|name| json!({ "required": [name] })).collect();
    if !chosen.is_empty() {
        object[if shape.several { "anyOf" } else { "oneOf" }] = json!(chosen);
    }
    object
}

fn property(key: &Key) -> Value {
    let mut property = takes(key.takes);
    if !key.says.is_empty()
        && let Some(members) = property.as_object_mut()
    {
        members.insert("description".into(), json!(key.says));
    }
    property
}

fn takes(kind: Takes) -> Value {
    match kind {
        Takes::Text | Takes::Expression => json!({ "type": "string" }),
        Takes::Value => json!({}),
        Takes::Values => json!({ "type": ["object", "string"] }),
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::Number(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Takes::Words(words) => json!({ "enum": words }),
        Takes::Except(words) => json!({ "type": "string", "not": { "enum": words } }),
        Takes::Shape(name) => reference(name),
        Takes::Task => reference("task"),
        Takes::Named(inner) => {
            json!({ "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": takes(*inner) })
        }
        Takes::List(inner) => json!({ "type": "array", "items": takes(*inner) }),
        Takes::Map(inner) => json!({ "type": "object", "additionalProperties": takes(*inner) }),
        Takes::Empty => json!({ "type": ["object", "null"], "maxProperties": 0 }),
        Takes::Either(kinds) => {
            json!({ "anyOf": kinds.iter().map(|kind| takes(*kind)).collect::<Vec<_>>() })
        }
    }
}
