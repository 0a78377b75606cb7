//! Owns tasks that wait for a time: `wait`, and `wait-until` of the catalogue.

use graph::Template;
use graph::ir::{Kind, Wait};

use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

impl<'t> Lowering<'t> {
    pub(super) fn wait(&mut self, at: At<'t>, scope: &Scope) -> Option<Kind> {
        self.delay(at, scope)
            .map(|delay| Kind::Wait(Wait::For(delay)))
    }

    pub(super) fn wait_until(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(with, &["at"]);
        let at = self.require(with, "at")?;
        if at.text().is_none() {
            self.wrong(at, "text");
            return None;
        }
        let instant = self.template_of(at, &["string", "number"], scope)?;
        let known = match &instant {
            Template::Literal(_) => at.text().cloned(),
            _ => self
                .foreseen(at, scope)
                .and_then(|value| value.as_text().cloned()),
        };
        if let Some(text) = &known
            && !is_instant(text)
        {
            let message = format!(
                "{} is not an instant; write for example 2030-01-31T09:00:00Z, or an expression wrapped in ${{ }}",
                quote(text)
            );
            self.findings.error(at, "bad-instant", message);
            return None;
        }
        Some(Kind::Wait(Wait::Until(instant)))
    }
}

/// Whether text is an instant as RFC 3339 writes it.
fn is_instant(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b':' | b'.' | b'T' | b'Z');
    text.bytes().all(plain)
        && text.as_bytes().get(10) == Some(&b'T')
        && text.parse::<jiff::Timestamp>().is_ok()
}
