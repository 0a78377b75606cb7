//! Owns [`schema`]: the JSON Schema of `quadrille.yaml`, for editors.
//!
//! Invariant: `contracts/config.schema.json` holds exactly this.

use schemars::generate::SchemaSettings;

use super::model::Config;

/// The JSON Schema as indented text, with a line end.
pub(crate) fn schema() -> String {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<Config>();
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain data");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_contract_is_this_schema() {
        crate::contract::same("contracts/config.schema.json", &super::schema());
    }
}
