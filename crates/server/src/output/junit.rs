//! Owns the outcome of test cases as the XML of JUnit, which build servers read.
//!
//! Invariant: whatever a case is called or gave, the document is well-formed.

use std::fmt::Write;

use super::paint::Paint;
use super::trial::details;
use crate::cli::Played;

/// Test files as a document.
pub(crate) fn document(played: &[Played]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for played in played {
        // Writing to a string does not fail.
        let _ = suite(played, &mut xml);
    }
    xml + "</testsuites>\n"
}

fn suite(played: &Played, xml: &mut String) -> std::fmt::Result {
    let file = escaped(&played.file);
    let Some(cases) = &played.cases else {
        return writeln!(
            xml,
            "  <testsuite name=\"{file}\" tests=\"1\" failures=\"0\" errors=\"1\">\n    \
             <testcase classname=\"{file}\" name=\"check\"><error message=\"not sound\"/></testcase>\n  </testsuite>"
        );
    };
    let failures = cases.iter().filter(|report| !report.is_well()).count();
    let tests = cases.len();
    writeln!(
        xml,
        "  <testsuite name=\"{file}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
    )?;
    for report in cases {
        let name = escaped(&report.name);
        let line = report.line;
        write!(
            xml,
            "    <testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\" line=\"{line}\""
        )?;
        if report.is_well() {
            writeln!(xml, "/>")?;
            continue;
        }
        let message = report.differences.first().map_or("", String::as_str);
        let (message, details) = (escaped(message), escaped(&details(report, Paint::Plain)));
        writeln!(
            xml,
            "><failure message=\"{message}\">{details}</failure></testcase>"
        )?;
    }
    writeln!(xml, "  </testsuite>")
}

/// Text as XML can hold it, in an attribute too: what it has no way to write becomes a question mark.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\t' => safe.push_str("&#9;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                safe.push('?');
            }
            letter => safe.push(letter),
        }
    }
    safe
}
