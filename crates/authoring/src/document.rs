//! Owns the root of a document: who the workflow is, what it shares, when it starts, its data and tasks.
//!
//! Invariant: every key of the root is read here, so that what nobody reads is reported as unknown.

use graph::Expr;
use graph::check::{LABELS_MAX, THREADS_MAX};
use graph::ir::{Attribute, AttributeKind, Concurrency, ConcurrencyPolicy, NAMESPACE_DEFAULT};
use graph::schema::Schema;
use graph::value::Str;

use crate::compile::Schedule;
use crate::finding::quote;
use crate::graph_form::{FORM_VERSION, KEYS_BODY};
use crate::lowering::{Lowering, SECTIONS, Scope};
use crate::tree::{At, Data};

/// The versions of the language that are read.
const DSL_PREFIX: &str = "1.0.";

/// The longest label of a workflow's name, as in the domain name system.
const LABEL_BYTES_MAX: usize = 63;

/// What keys of metadata begin with that mean something here.
const OWN_PREFIX: &str = "dev.quadrille/";

/// Those keys, without the prefix.
const KEYS_OWN: [&str; 7] = [
    "attributes",
    "concurrency",
    "labels",
    "priority",
    "retention",
    "schedule",
    "variables",
];

impl<'t> Lowering<'t> {
    /// The whole document; gives when it starts by itself.
    pub(crate) fn document(&mut self, root: At<'t>) -> Option<Schedule> {
        let scope = Scope::default();
        self.is_drawn = root.member("graph").is_some();
        let tasks: &[&str] = match self.is_drawn {
            true => &KEYS_BODY,
            false => &["do"],
        };
        let before: &[&str] = &["document", "input", "use"];
        let after: &[&str] = &["timeout", "output", "schedule", "evaluate"];
        let form: &[&str] = if self.is_drawn { &["graph"] } else { &[] };
        if !self.known(root, &[before, tasks, after, form].concat()) {
            return None;
        }
        if let Some(version) = root.member("graph") {
            self.word(version, &[FORM_VERSION]);
        }
        if let Some(document) = self.require(root, "document") {
            self.identity(document);
        }
        if let Some(components) = root.member("use") {
            self.components(components);
        }
        if let Some(evaluate) = root.member("evaluate") {
            self.evaluate(evaluate);
        }
        self.graph.input = root
            .member("input")
            .and_then(|at| self.shaping(at, "from", &scope));
        self.graph.output = root
            .member("output")
            .and_then(|at| self.shaping(at, "as", &scope));
        let context = self.graph.schemas.export.take();
        self.graph.schemas = self.schemas(root);
        self.graph.schemas.export = context;
        self.graph.timeout = root
            .member("timeout")
            .and_then(|at| self.timeout(at, &scope));
        let schedule = self.schedule(root);
        if self.is_drawn {
            self.drawing(root, &scope);
        } else {
            self.required_body(root, "do", &scope);
        }
        self.warn_unused();
        self.warn_idle_extensions();
        schedule
    }

    fn identity(&mut self, at: At<'t>) {
        let dsl: &[&str] = if self.is_drawn { &[] } else { &["dsl"] };
        let keys = [
            "namespace",
            "name",
            "version",
            "title",
            "summary",
            "tags",
            "metadata",
        ];
        self.known(at, &[dsl, &keys].concat());
        if !self.is_drawn
            && let Some(dsl) = self.require(at, "dsl")
            && let Some(version) = self.literal(dsl)
            && !(version.starts_with(DSL_PREFIX) && is_semantic(&version))
        {
            let message = format!(
                "the DSL version {} is not read here; write the document for 1.0.x, for example dsl: '1.0.3'",
                quote(&version)
            );
            self.findings.error(dsl, "bad-dsl", message);
        }
        let namespace = self
            .require(at, "namespace")
            .and_then(|namespace| self.label(namespace));
        let name = self.require(at, "name").and_then(|name| self.label(name));
        if let Some(version) = self.require(at, "version")
            && let Some(text) = self.literal(version)
        {
            if !is_semantic(&text) {
                let message = format!(
                    "{} is not a semantic version; write three numbers such as '1.0.0'",
                    quote(&text)
                );
                self.findings.error(version, "bad-version", message);
            }
            self.graph.version = text;
        }
        for text in ["title", "summary"].iter().filter_map(|key| at.member(key)) {
            self.literal(text);
        }
        if let (Some(namespace), Some(name)) = (namespace, name) {
            self.graph.workflow = if &*namespace == NAMESPACE_DEFAULT {
                name
            } else {
                format!("{namespace}/{name}").into()
            };
            self.namespace = namespace.to_string();
        }
        if let Some(tags) = at.member("tags") {
            self.tags(tags);
        }
        if let Some(metadata) = at.member("metadata") {
            self.metadata(metadata);
        }
    }

    /// `$context`: the schema that it keeps to, and what it is at first.
    fn variables(&mut self, at: At<'t>) {
        self.known(at, &["schema", "initial"]);
        let schema = at.member("schema");
        self.graph.schemas.export = schema.and_then(|schema| self.schema_document(schema));
        self.graph.context = at.member("initial").map(At::value);
        if let (Some(initial), Some(schema)) = (at.member("initial"), &self.graph.schemas.export)
            && let Ok(schema) = Schema::compile(schema)
            && let Err(misfits) = schema.check(&initial.value())
        {
            let message = format!("what `$context` is at first does not fit its schema: {misfits}");
            self.findings.error(initial, "bad-value", message);
        }
    }

    fn label(&mut self, at: At<'t>) -> Option<Str> {
        let text = self.literal(at)?;
        let letter = |c: char| c.is_ascii_alphanumeric();
        let fits = (1..=LABEL_BYTES_MAX).contains(&text.len())
            && text.starts_with(letter)
            && text.ends_with(letter)
            && text.chars().all(|c| letter(c) || c == '-');
        if !fits {
            let message = format!(
                "{} cannot be a `{}`; use 1 to {LABEL_BYTES_MAX} letters, digits and -, with no - at either end",
                quote(&text),
                at.key()
            );
            self.findings.error(at, "bad-name", message);
        }
        fits.then_some(text)
    }

    fn tags(&mut self, at: At<'t>) {
        if !at.is_map() {
            return self.wrong(at, "a map of text");
        }
        for tag in at.children() {
            let value: Str = match tag.data() {
                Data::Text(text) => text.clone(),
                Data::Bool(_) | Data::Int(_) | Data::Float(_) => tag.value().to_json().into(),
                _ => {
                    self.wrong(tag, "text");
                    continue;
                }
            };
            let names = self.graph.labels.iter().take(LABELS_MAX);
            let is_taken = names.map(|(name, _)| name).any(|name| **name == *tag.key());
            self.check_new(tag, is_taken);
            if self.fits_name(tag, tag.key()) && self.fits_name(tag, &value) {
                self.graph.labels.push((tag.key().into(), value));
            }
        }
    }

    /// Labels stand in `tags` and in the metadata, attributes there under either of two names.
    fn check_new(&mut self, at: At<'t>, is_taken: bool) {
        if is_taken {
            let message = format!(
                "{} stands in another place of the document already; keep one of them",
                quote(at.key())
            );
            self.findings.error_key(at, "duplicate-name", message);
        }
    }

    /// Metadata is free, but for the members that mean something here.
    fn metadata(&mut self, at: At<'t>) {
        if !at.is_map() {
            return self.wrong(at, "a map");
        }
        for member in at.children() {
            let own = member.key().strip_prefix(OWN_PREFIX);
            match own.unwrap_or(member.key()) {
                "attributes" => self.attributes(member),
                "retention" => self.graph.retention_ms = self.fixed_ms(member),
                "variables" if own.is_some() => self.variables(member),
                "labels" if own.is_some() => self.tags(member),
                "concurrency" if own.is_some() => self.concurrency(member),
                "priority" if own.is_some() => {
                    self.graph.priority = self.urgency(member, &Scope::default());
                }
                // Read with the schedule that it is about.
                "schedule" if own.is_some() => {}
                _ if own.is_some() => self.unknown_own(member),
                _ => {}
            }
        }
    }

    /// A key with our prefix that means nothing is a slip, not the author's own.
    fn unknown_own(&mut self, at: At<'t>) {
        let names = KEYS_OWN.map(|key| format!("{OWN_PREFIX}{key}"));
        let listed = || format!("; there are {}", names.join(", "));
        let known = names.iter().map(String::as_str);
        let hint = self.findings.hint(at.key(), known, listed);
        let message = format!("unknown key {}{hint}", quote(at.key()));
        self.findings.error_key(at, "unknown-key", message);
    }

    /// How many runs go on at once.
    fn concurrency(&mut self, at: At<'t>) {
        self.known(at, &["key", "limit", "policy"]);
        let scope = Scope::default();
        let key = match at.member("key") {
            Some(key) => self.expression(key, &scope),
            // All runs of the workflow count together.
            None => Some(Expr("true".into())),
        };
        let limit = self.count(at, "limit", 1, THREADS_MAX).unwrap_or(1);
        let policy = at
            .member("policy")
            .and_then(|at| self.word(at, &["queue", "drop", "replace"]));
        self.graph.concurrency = key.map(|key| Concurrency {
            key,
            limit,
            policy: match policy {
                Some("drop") => ConcurrencyPolicy::Drop,
                Some("replace") => ConcurrencyPolicy::Replace,
                _ => ConcurrencyPolicy::Queue,
            },
        });
    }

    fn attributes(&mut self, at: At<'t>) {
        if !at.is_map() {
            return self.wrong(at, "a map");
        }
        for attribute in at.children() {
            self.known(attribute, &["type", "from"]);
            let kind = self
                .require(attribute, "type")
                .and_then(|kind| self.word(kind, &["text", "number", "bool", "time"]));
            let kinds: &[&str] = match kind {
                Some("number") => &["number", "null"],
                Some("bool") => &["boolean", "null"],
                Some("time") => &["string", "number", "null"],
                Some(_) => &["string", "null"],
                None => &[],
            };
            let from = self
                .require(attribute, "from")
                .and_then(|from| self.expression_of(from, kinds, &Scope::default()));
            let known = self.graph.attributes.iter().take(LABELS_MAX);
            let is_taken = known
                .map(|known| &known.name)
                .any(|name| **name == *attribute.key());
            self.check_new(attribute, is_taken);
            let fits = self.fits_name(attribute, attribute.key());
            let (Some(kind), Some(from), true) = (kind, from, fits) else {
                continue;
            };
            let kind = match kind {
                "number" => AttributeKind::Number,
                "bool" => AttributeKind::Bool,
                "time" => AttributeKind::Time,
                _ => AttributeKind::Text,
            };
            self.graph.attributes.push(Attribute {
                name: attribute.key().into(),
                kind,
                from,
            });
        }
    }

    fn components(&mut self, at: At<'t>) {
        self.known(
            at,
            &[&SECTIONS[..], &["catalogs", "extensions", "secrets"]].concat(),
        );
        let advice = [(
            "catalogs",
            "copy the functions that you need into `use.functions`",
        )];
        self.refuse(at, &advice);
        if let Some(secrets) = at.member("secrets") {
            self.secrets(secrets);
        }
        if let Some(extensions) = at.member("extensions") {
            self.extensions(extensions);
        }
        for section in SECTIONS {
            let Some(members) = at.member(section) else {
                continue;
            };
            if members.is_map() {
                self.register(section, members);
            } else {
                self.wrong(members, "a map");
            }
        }
    }

    fn evaluate(&mut self, at: At<'t>) {
        self.known(at, &["language", "mode"]);
        for (key, only) in [("language", "jq"), ("mode", "strict")] {
            if let Some(member) = at.member(key)
                && member.text().is_none_or(|text| &**text != only)
            {
                self.unsupported(
                    member,
                    &format!("another `{key}` than {only}"),
                    &format!("write {key}: {only} or leave it out"),
                );
            }
        }
    }
}

/// Whether text is a semantic version: three numbers, and perhaps a pre-release and a build.
fn is_semantic(text: &str) -> bool {
    let (text, build) = text
        .split_once('+')
        .map_or((text, None), |(text, build)| (text, Some(build)));
    let (core, release) = text
        .split_once('-')
        .map_or((text, None), |(core, release)| (core, Some(release)));
    let number = |part: &str| {
        part.bytes().all(|b| b.is_ascii_digit())
            && !part.is_empty()
            && (part == "0" || !part.starts_with('0'))
    };
    let word = |part: &str| {
        part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !part.is_empty()
    };
    let counted =
        |part: &str| word(part) && (number(part) || part.bytes().any(|b| !b.is_ascii_digit()));
    core.split('.').count() == 3
        && core.split('.').all(number)
        && release.is_none_or(|release| release.split('.').all(counted))
        && build.is_none_or(|build| build.split('.').all(word))
        && text.len() < graph::check::NAME_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semantic_versions() {
        for good in [
            "0.1.0",
            "1.0.3",
            "1.0.0-alpha.1",
            "1.0.0-0a+build.01",
            "10.20.30",
        ] {
            assert!(is_semantic(good), "{good}");
        }
        for bad in [
            "", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "v1.0.0", "1.0.x", "1.0.0+",
        ] {
            assert!(!is_semantic(bad), "{bad}");
        }
    }
}
