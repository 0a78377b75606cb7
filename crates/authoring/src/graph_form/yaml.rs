//! Owns [`Doc`], a text in the making, and its YAML.
//!
//! Invariant: what is written is read as the same data again, whatever it holds: text that could be taken
//! for anything else is quoted, and what does not show is escaped. What fits one line stands on one.

use graph::value::{Str, Value};

/// How wide a line may get before what it holds goes below.
const LINE_CHARS_MAX: usize = 100;

/// Words that are not text where they stand bare, here or for other readers of YAML.
const WORDS: [&str; 11] = [
    "true", "false", "null", "nan", "inf", "yes", "no", "on", "off", "y", "n",
];

/// Data with members in an order of their own.
#[derive(Clone, Debug)]
pub(super) enum Doc {
    /// Null, truth, number or text.
    Scalar(Value),
    List(Vec<Doc>),
    Map(Vec<(Str, Doc)>),
}

impl Doc {
    pub(super) fn text(text: impl Into<Str>) -> Doc {
        Doc::Scalar(Value::Text(text.into()))
    }

    pub(super) fn count(count: u32) -> Doc {
        Doc::Scalar(Value::Int(i64::from(count)))
    }

    /// A map of the members that there are.
    pub(super) fn map<'k>(members: impl IntoIterator<Item = (&'k str, Option<Doc>)>) -> Doc {
        let given = |(key, doc): (&'k str, Option<Doc>)| Some((Str::from(key), doc?));
        Doc::Map(members.into_iter().filter_map(given).collect())
    }

    /// Whether nothing stands below it.
    pub(super) fn is_flat(&self) -> bool {
        match self {
            Doc::Scalar(_) => true,
            Doc::List(elements) => elements.is_empty(),
            Doc::Map(members) => members.is_empty(),
        }
    }

    /// On one line.
    fn line(&self) -> String {
        match self {
            Doc::Scalar(value) => scalar(value),
            Doc::List(elements) => {
                let elements: Vec<String> = elements.iter().map(Doc::line).collect();
                format!("[{}]", elements.join(", "))
            }
            Doc::Map(members) => {
                let member = |(key, doc): &(Str, Doc)| format!("{}: {}", quoted(key), doc.line());
                let members: Vec<String> = members.iter().map(member).collect();
                format!("{{{}}}", members.join(", "))
            }
        }
    }

    /// As a document of its own; members of the first `open` levels of maps stand
    /// below them, however short.
    pub(super) fn to_yaml(&self, open: usize) -> String {
        let mut out = String::new();
        self.write(&mut out, 0, open);
        out
    }

    fn write(&self, out: &mut String, indent: usize, open: usize) {
        match self {
            Doc::List(elements) if !elements.is_empty() => {
                for element in elements {
                    let mut below = String::new();
                    element.write_element(&mut below, indent + 2, open);
                    out.push_str(&format!("{}- {}", " ".repeat(indent), below.trim_start()));
                }
            }
            Doc::Map(members) if !members.is_empty() => {
                for (key, doc) in members {
                    out.push_str(&" ".repeat(indent));
                    out.push_str(&quoted(key));
                    out.push(':');
                    doc.write_value(out, indent, open);
                }
            }
            _ => out.push_str(&(self.line() + "\n")),
        }
    }

    /// What stands behind a dash; the first line is indented too.
    fn write_element(&self, out: &mut String, indent: usize, open: usize) {
        let line = self.line();
        if self.is_flat() || indent + line.chars().count() <= LINE_CHARS_MAX {
            out.push_str(&(line + "\n"));
        } else {
            self.write(out, indent, open.saturating_sub(1));
        }
    }

    /// What stands behind a colon.
    fn write_value(&self, out: &mut String, indent: usize, open: usize) {
        let line = self.line();
        let fits = open == 0 && indent + line.chars().count() <= LINE_CHARS_MAX;
        if fits || self.is_flat() {
            out.push(' ');
            out.push_str(&(line + "\n"));
        } else {
            out.push('\n');
            self.write(out, indent + 2, open.saturating_sub(1));
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        other => other.to_json(),
    }
}

/// Text as it can stand anywhere.
fn quoted(text: &str) -> String {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ');
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    if starts && !is_word && text.chars().all(plain) && !text.ends_with(' ') {
        return text.into();
    }
    let shows = |c: char| c == ' ' || !(c.is_control() || c.is_whitespace() || is_hidden(c));
    if text.chars().all(shows) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if shows(c) => out.push(c),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Whether a reader of YAML may refuse a letter or take it for the end of a line.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{2028}' | '\u{2029}'
    )
}
