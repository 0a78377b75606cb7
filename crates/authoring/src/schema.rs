//! Owns the schemas of data: `schema: {format: json, document: …}`.
//!
//! Invariant: a schema that comes out compiles; what is wrong with one is told at its place inside the schema.

use graph::ir::Schemas;
use graph::schema::Schema;
use graph::value::Value;

use crate::lowering::Lowering;
use crate::tree::At;

/// The format that is read, alone or with a version of it behind a colon.
const FORMAT: &str = "json";

impl<'t> Lowering<'t> {
    /// The schemas of the input, output and export of a task or of the workflow.
    pub(crate) fn schemas(&mut self, of: At<'t>) -> Schemas {
        let [input, output, export] = ["input", "output", "export"].map(|word| {
            let at = of.member(word)?.member("schema")?;
            self.schema(at)
        });
        Schemas {
            input,
            output,
            export,
        }
    }

    fn schema(&mut self, at: At<'t>) -> Option<Value> {
        self.known(at, &["format", "document", "resource"]);
        if let Some(format) = at.member("format")
            && let Some(word) = self.literal(format)
            && word.split(':').next() != Some(FORMAT)
        {
            let message = "only schemas of format json are read; write the schema as JSON Schema";
            self.findings.error(format, "bad-value", message);
        }
        if let Some(resource) = at.member("resource") {
            let advice = "put the schema here as `document`, so that a version of a workflow never changes its meaning";
            self.unsupported(resource, "a schema from elsewhere", advice);
            return None;
        }
        let document = self.require(at, "document")?;
        self.schema_document(document)
    }

    /// A JSON Schema as it stands.
    pub(crate) fn schema_document(&mut self, document: At<'t>) -> Option<Value> {
        let value = document.value();
        let flaws = Schema::compile(&value).err().unwrap_or_default();
        for flaw in &flaws {
            if self.findings.is_full() {
                break;
            }
            let place = document.find(&flaw.path);
            self.findings
                .error(place, "bad-schema", flaw.message.clone());
        }
        flaws.is_empty().then_some(value)
    }
}
