//! Owns the reference of all keys in `docs/guide/configuration.md`, made from the schema.
//!
//! Invariant: the guide names every key, its default and its variable, and no other.

use serde_json::Value;

use super::environment::{Leaf, leaves};
use super::model::Config;

/// A Markdown table of all keys.
fn table() -> String {
    let schema: Value = serde_json::from_str(&super::schema()).expect("the schema is JSON");
    let defaults =
        serde_json::to_value(Config::default()).expect("the configuration is plain data");
    let rows = leaves(&defaults)
        .into_iter()
        .map(|leaf| row(&schema, &leaf));
    let head = "| Key | Default | Variable | Meaning |\n|---|---|---|---|\n".to_owned();
    std::iter::once(head).chain(rows).collect()
}

fn row(schema: &Value, leaf: &Leaf) -> String {
    let at = leaf
        .keys
        .iter()
        .fold(schema, |at, key| &at["properties"][key]);
    let meaning = at["description"]
        .as_str()
        .expect("every key is described")
        .replace('\n', " ");
    format!(
        "| `{}` | `{}` | `{}` | {meaning} |\n",
        leaf.path(),
        leaf.default,
        leaf.variable()
    )
}

#[test]
fn the_guide_lists_every_key() {
    crate::contract::same_below_mark("docs/guide/configuration.md", &table());
}
