//! Owns findings about a text as people read them: with the line they are about.

use authoring::{Finding, Severity};

use super::paint::{Paint, Tone, cut, is_steering, plain};

/// How much of a line is shown.
const LINE_CHARS_MAX: usize = 160;

/// The findings about a text, each with its line and a caret below its column.
pub(crate) fn text(file: &str, source: &str, findings: &[Finding], paint: Paint) -> String {
    let shown = |finding| one(file, source, finding, paint);
    findings.iter().map(shown).collect::<Vec<_>>().join("\n")
}

fn one(file: &str, source: &str, finding: &Finding, paint: Paint) -> String {
    let (severity, tone) = match finding.severity {
        Severity::Error => ("error", Tone::Bad),
        Severity::Warning => ("warning", Tone::Warning),
    };
    let head = paint.tone(&format!("{severity}[{}]", finding.code), tone);
    let place = format!("{}:{}:{}", plain(file), finding.line, finding.column);
    let mut text = format!("{head}: {}\n", plain(&finding.message));
    let line = (finding.line as usize)
        .checked_sub(1)
        .and_then(|index| source.lines().nth(index));
    let Some(line) = line else {
        return text + &format!("  --> {place}\n");
    };
    let number = finding.line.to_string();
    let margin = " ".repeat(number.len());
    // One letter of the text must stay one column, or the caret would point elsewhere.
    let line: String = line
        .chars()
        .map(|letter| if is_steering(letter) { ' ' } else { letter })
        .collect();
    let column = (finding.column as usize).saturating_sub(1);
    text += &format!(
        "{margin} --> {place}\n{number} | {}\n",
        cut(line.trim_end(), LINE_CHARS_MAX)
    );
    if column < LINE_CHARS_MAX {
        text += &format!(
            "{margin} | {}{}\n",
            " ".repeat(column),
            paint.tone("^", tone)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_shown_with_a_caret() {
        let source = "document:\n  dsl: 1.0.0\n\tnme: order\n";
        let finding = |line, column, severity, code| Finding {
            line,
            column,
            path: "/document".into(),
            severity,
            code,
            message: "unknown key \"nme\"; did you mean \"name\"?".into(),
        };
        let findings = [
            finding(3, 2, Severity::Error, "unknown-key"),
            finding(9, 1, Severity::Warning, "beyond-the-end"),
        ];
        insta::assert_snapshot!(text("order.yaml", source, &findings, Paint::Plain), @r#"
        error[unknown-key]: unknown key "nme"; did you mean "name"?
          --> order.yaml:3:2
        3 |  nme: order
          |  ^

        warning[beyond-the-end]: unknown key "nme"; did you mean "name"?
          --> order.yaml:9:1
        "#);
    }
}
