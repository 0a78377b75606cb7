//! Owns [`events`], the reading of CloudEvents that somebody wrote down to give them to a workflow.
//!
//! Invariant: what comes out can be published: each has a `type`, and its attributes are what CloudEvents say.

use graph::value::Value;

use crate::finding::{Finding, Findings, Severity};
use crate::lowering::Lowering;
use crate::tree::{At, Mark};
use crate::yaml;

/// The most events of one text.
pub const EVENTS_MAX: usize = 1_000;

/// Attributes of an event that are text, besides its `type`.
pub(crate) const TEXTS: [&str; 7] = [
    "id",
    "source",
    "specversion",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
];

/// Reads an event, or a list of events in their order, written as YAML 1.2 or JSON.
///
/// # Errors
/// The findings, at least one of them an error, each with its place in the text.
pub fn events(text: &str) -> Result<Vec<Value>, Vec<Finding>> {
    let mut findings = Findings::default();
    if text.trim().is_empty() {
        let start = Mark { line: 1, column: 1 };
        let message = "the text is empty; write an event, which is a map with a `type`".into();
        findings.add(start, String::new, Severity::Error, "yaml-syntax", message);
        return Err(findings.into_list());
    }
    let Some(tree) = yaml::parse(text, &mut findings) else {
        return Err(findings.into_list());
    };
    let mut reader = Lowering::new(findings);
    let root = tree.root();
    let all: Vec<At<'_>> = match root.is_list() {
        true => root.children().collect(),
        false => vec![root],
    };
    if all.len() > EVENTS_MAX {
        let count = all.len();
        let message = format!("{count} events are too many; keep at most {EVENTS_MAX} in a file");
        reader.findings.error(root, "too-large", message);
    }
    for at in all.iter().take(EVENTS_MAX) {
        reader.event_given(*at);
    }
    let (_, findings, _) = reader.finish();
    match findings.has_errors() {
        true => Err(findings.into_list()),
        false => Ok(all.into_iter().map(At::value).collect()),
    }
}

impl<'t> Lowering<'t> {
    /// An event as it is published.
    pub(crate) fn event_given(&mut self, at: At<'t>) {
        if !at.is_map() {
            return self.wrong(at, "an event, which is a map with a `type`");
        }
        if let Some(kind) = self.require(at, "type") {
            self.name(kind);
        }
        for member in TEXTS.iter().filter_map(|key| at.member(key)) {
            self.literal(member);
        }
    }
}
