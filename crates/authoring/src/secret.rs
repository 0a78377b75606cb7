//! Owns secrets: where expressions may name `$secrets`, and how such members leave the input of a task.
//!
//! Invariants: an expression that names `$secrets` uses nothing else of the run, and each secret by its name,
//! so that what it needs is known beforehand; in the input that the run keeps, null stands in its place.

use std::collections::BTreeSet;
use std::sync::Arc;

use graph::Template;
use graph::check::{NAME_BYTES_MAX, SEALED_MAX};
use graph::ir::Sealed;
use graph::value::{Str, Value};

use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

/// How expressions name secrets.
pub(crate) const SECRETS: &str = "$secrets";

/// Whether an expression names secrets.
pub(crate) fn names_secrets(source: &str) -> bool {
    secrets_of(source) != Ok(Vec::new())
}

/// The names of the secrets in an expression; else the place that names none.
fn secrets_of(source: &str) -> Result<Vec<Str>, usize> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut names, mut known) = (Vec::new(), BTreeSet::new());
    for (place, _) in source.match_indices(SECRETS) {
        let after = &source[place + SECRETS.len()..];
        if after.starts_with(word) {
            // A variable of a longer name.
            continue;
        }
        let name = match after.strip_prefix('.') {
            Some(rest) if rest.starts_with(|c: char| word(c) && !c.is_ascii_digit()) => {
                rest.split(|c| !word(c)).next()
            }
            rest => rest
                .unwrap_or(after)
                .strip_prefix("[\"")
                .and_then(|rest| rest.split_once("\"]"))
                .map(|(name, _)| name),
        };
        let name = name.filter(|name| is_name(name)).ok_or(place)?;
        if known.insert(name) {
            names.push(name.into());
        }
    }
    Ok(names)
}

/// Letters, digits, `_`, `-` and `.`, the first a letter or digit: good for a variable and for a file.
fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

impl<'t> Lowering<'t> {
    /// Reads `use.secrets`.
    pub(crate) fn secrets(&mut self, at: At<'t>) {
        for secret in self.list(at).unwrap_or_default() {
            let Some(name) = self.literal(secret) else {
                continue;
            };
            if !is_name(&name) {
                let message = format!(
                    "{} cannot name a secret; use letters, digits, _, - and ., the first a letter or digit",
                    quote(&name)
                );
                self.findings.error(secret, "bad-name", message);
                continue;
            }
            self.secrets.insert(name);
        }
    }

    /// Whether an expression that names secrets may do so here, and names those that the document declares.
    pub(crate) fn check_secrets(&mut self, at: At<'t>, source: &str, scope: &Scope) -> bool {
        if !scope.secrets {
            let message = "$secrets may be named only in the `with` of calls, and in `environment` and `arguments` of what `run` starts; everywhere else it would be kept with the run";
            self.findings.error(at, "misplaced-secret", message);
            return false;
        }
        let Ok(names) = secrets_of(source) else {
            let message = "write the name of a secret after $secrets, as in $secrets.token or $secrets[\"api-token\"]";
            self.findings.error(at, "misplaced-secret", message);
            return false;
        };
        names.iter().all(|name| self.is_declared(at, name))
    }

    fn is_declared(&mut self, at: At<'t>, name: &str) -> bool {
        if self.secrets.contains(name) {
            return true;
        }
        let known = self.secrets.iter().map(|name| &**name);
        let hint = self
            .findings
            .hint(name, known, || "; declare it there".into());
        let message = format!("`use.secrets` has no {}{hint}", quote(name));
        self.findings.error(at, "unknown-name", message);
        false
    }

    /// The whole of a secret as a value, where a policy takes one by its name.
    pub(crate) fn secret(&mut self, at: At<'t>, turned: &str) -> Option<Template> {
        let name = self.literal(at)?;
        if !self.is_declared(at, &name) {
            return None;
        }
        let name = Value::Text(name).to_json();
        let source = format!("{SECRETS}[{name}]{turned}");
        Some(Template::Expr(source.as_str().into()))
    }

    /// Takes out of a task's input what names secrets. `at` is where the task says what it wants.
    pub(crate) fn seal(&mut self, at: At<'t>, input: &mut Template) -> Vec<Sealed> {
        let mut sealed = Vec::new();
        take_out(input, &mut String::new(), &mut sealed);
        if sealed.len() > SEALED_MAX {
            let message = format!(
                "{} values name secrets, more than {SEALED_MAX}; put what belongs together into one secret",
                sealed.len()
            );
            self.findings.error(at, "too-large", message);
        }
        sealed
    }
}

fn take_out(template: &mut Template, path: &mut String, sealed: &mut Vec<Sealed>) {
    let mut below = |step: &str, member: &mut Template| {
        let length = path.len();
        path.push('/');
        path.push_str(&step.replace('~', "~0").replace('/', "~1"));
        take_out(member, path, sealed);
        path.truncate(length);
    };
    match template {
        Template::Literal(_) => {}
        Template::Object(members) => {
            for (key, member) in members {
                below(key, member);
            }
        }
        Template::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                below(&index.to_string(), element);
            }
        }
        Template::Expr(expr) => {
            if let Ok(secrets) = secrets_of(&expr.0)
                && !secrets.is_empty()
            {
                sealed.push(Sealed {
                    at: Arc::from(path.as_str()),
                    secrets,
                    value: expr.clone(),
                });
                *template = Template::Literal(Value::Null);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_by_their_names() {
        let names = |source| secrets_of(source).map(|names| names.join(","));
        for (source, expected) in [
            (".a", Ok("")),
            ("$secrets.a", Ok("a")),
            (r#""Bearer \($secrets.a.b)""#, Ok("a")),
            (
                r#"$secrets["a-b"].c + $secrets.["d.e"] + $secrets.a"#,
                Ok("a-b,d.e,a"),
            ),
            ("$secretsOfMine", Ok("")),
            ("1 + $secrets", Err(4)),
            ("$secrets[.x]", Err(0)),
            ("$secrets | .a", Err(0)),
            (r#"$secrets["../x"]"#, Err(0)),
        ] {
            assert_eq!(names(source), expected.map(str::to_owned), "{source}");
        }
    }
}
