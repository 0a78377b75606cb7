//! Owns `call: http`: a request as the input of a task that the HTTP connector does.
//!
//! The input is an object with `method`, `endpoint`, `output`, and where they are given `headers`,
//! `query`, `body`, `redirect`, `authentication`. Names in braces inside of an endpoint become one
//! expression that puts the data in, escaped for an address: a name is a member of the data to the letter.

use graph::expr::SOURCE_BYTES_MAX;
use graph::ir::Kind;
use graph::template::{Expr, Template};
use graph::value::Value;

use crate::expression::unwrap;
use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::secret::names_secrets;
use crate::tree::{At, Data};

use super::connector::Members;

/// Queue and name of the connector's tasks.
const HTTP: &str = "http";

const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

impl<'t> Lowering<'t> {
    pub(super) fn http(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        let scope = &scope.with_secrets();
        self.known(
            with,
            &[
                "method", "endpoint", "headers", "query", "body", "output", "redirect",
            ],
        );
        let method = self
            .require(with, "method")
            .and_then(|method| self.method(method, scope));
        let endpoint = self
            .require(with, "endpoint")
            .and_then(|endpoint| self.endpoint(endpoint, scope));
        let mut members: Members = vec![("method".into(), method)];
        self.response_members(with, &mut members);
        for key in ["headers", "query"] {
            if let Some(at) = with.member(key) {
                members.push((key.into(), self.pairs(at, key == "query", scope)));
            }
        }
        if let Some(body) = with.member("body") {
            members.push(("body".into(), self.template(body, scope)));
        }
        let (endpoint, authentication) = endpoint?;
        members.push(("endpoint".into(), Some(endpoint)));
        members.extend(authentication.map(|policy| ("authentication".into(), Some(policy))));
        self.connector(with, HTTP, HTTP, members)
    }

    fn method(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        let text = at.text().filter(|text| unwrap(text).is_none());
        let Some(text) = text else {
            return self.text_template(at, scope);
        };
        let method = text.to_lowercase();
        if !METHODS.contains(&&*method) {
            let hint = self.findings.hint(&method, METHODS, || {
                format!("; use one of {}", METHODS.join(", "))
            });
            self.findings.error(
                at,
                "bad-value",
                format!("{} is not an HTTP method{hint}", quote(text)),
            );
            return None;
        }
        Some(Template::Literal(Value::text(method)))
    }

    /// Names with values that are no maps, nor lists unless they may be, or one expression that gives them.
    pub(super) fn pairs(&mut self, at: At<'t>, lists: bool, scope: &Scope) -> Option<Template> {
        let wanted = match lists {
            true => "text, a number, true, false or a list of these",
            false => "text or a number",
        };
        for member in at.children() {
            let is_list = lists && member.is_list();
            let is_nothing = matches!(member.data(), Data::Null) && !lists;
            if is_nothing || member.is_map() || (member.is_list() && !is_list) {
                self.wrong(member, wanted);
            }
            for element in member.children().filter(|_| is_list) {
                if element.is_map() || element.is_list() || matches!(element.data(), Data::Null) {
                    self.wrong(element, "text, a number, true or false");
                }
            }
        }
        let kinds = ["string", "number", "boolean", "null", "array"];
        let kinds = if lists { &kinds[..] } else { &kinds[..3] };
        for member in at.children().filter(|member| member.text().is_some()) {
            self.template_of(member, kinds, scope)?;
        }
        self.map_template(at, scope)
    }

    pub(super) fn address(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        let Some(text) = at.text().filter(|text| unwrap(text).is_none()) else {
            return self.text_template(at, scope);
        };
        if !text.starts_with("http://") && !text.starts_with("https://") {
            let message = format!(
                "the endpoint {} must start with http:// or https://, or be one expression wrapped in ${{ }}",
                quote(text)
            );
            self.findings.error(at, "bad-endpoint", message);
            return None;
        }
        let host = text.split(['/', '?', '#']).nth(2).unwrap_or_default();
        if host.contains('@') {
            let message = "credentials in an address are not sent; give `endpoint` as {uri: …, authentication: {basic: …}}";
            self.findings.error(at, "bad-endpoint", message);
            return None;
        }
        if names_secrets(text) {
            let message = "this is plain text, in which $secrets means nothing; write one expression such as ${ \"https://…?key=\\($secrets.key)\" }";
            self.findings.error(at, "misplaced-secret", message);
            return None;
        }
        match expand(text) {
            Ok(template) => Some(template),
            Err(message) => {
                self.findings.error(at, "bad-endpoint", message);
                None
            }
        }
    }
}

/// How a member of the data becomes a part of an address: nothing for null; a list or map is an error.
const PART: &str = r#"if .==null then "" elif type=="array" or type=="object" then error(type+" in an address") else @uri end"#;

/// The same before the `?`, where a path of dots would lead out of the folder that the author wrote it below.
const PATH_PART: &str = r#"if .==null then "" elif type=="array" or type=="object" then error(type+" in an address") elif .=="." or .==".." then error(.+" in the path of an address") else @uri end"#;

/// An address with `{name}` in it as one expression.
fn expand(text: &str) -> Result<Template, String> {
    if !text.contains(['{', '}']) {
        return Ok(Template::Literal(Value::from(text)));
    }
    let quoted = |literal: &str| {
        let json = Value::from(literal).to_json();
        json[1..json.len() - 1].to_string()
    };
    let (mut source, mut rest) = (String::from("\""), text);
    let mut in_path = true;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| format!("a {{ in {} has no }}; close it", quote(text)))?;
        if name.is_empty() || name.contains('{') {
            return Err(format!(
                "{{{name}}} is not the name of a member of the data; for more, write ${{ \"…\\(.order.id)…\" }}"
            ));
        }
        if literal.contains('}') {
            break;
        }
        source += &quoted(literal);
        in_path &= !literal.contains(['?', '#']);
        let part = if in_path { PATH_PART } else { PART };
        let member = Value::from(name).to_json();
        source += &format!("\\(.[{member}]|{part})");
        rest = after;
        if source.len() > SOURCE_BYTES_MAX {
            return Err(format!(
                "{} has so many names in braces that as one expression it has more than {SOURCE_BYTES_MAX} bytes; write it as ${{ … }}",
                quote(text)
            ));
        }
    }
    if rest.contains('}') {
        return Err(format!(
            "a }} in {} has no {{ before it; remove it",
            quote(text)
        ));
    }
    source += &quoted(rest);
    source.push('"');
    Ok(Template::Expr(Expr(source.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let source =
            |text| expand(text).map(|template| crate::expression::to_expression(&template));
        assert_eq!(source("http://x/y?z=1"), Ok(r#""http://x/y?z=1""#.into()));
        let expected = format!(r#"("http://x/\(.["a"]|{PATH_PART})?\(.["b.c"]|{PART})")"#);
        assert_eq!(source("http://x/{a}?{b.c}"), Ok(expected));
        let expected = format!(r#"("http://x/\"\\\(.["a"]|{PATH_PART})")"#);
        assert_eq!(source(r#"http://x/"\{a}"#), Ok(expected));
        for wrong in [
            "http://x/{a",
            "http://x/a}",
            "http://x/a}{b}",
            "http://x/{}",
            "http://x/{{a}}",
        ] {
            assert!(expand(wrong).is_err(), "{wrong}");
        }
    }
}
