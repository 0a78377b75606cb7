//! Owns [`Operation`]: one operation of a document, and its way into a request.
//!
//! A name that the document gives to several parameters gives its value to each. What no parameter takes is the
//! body: the value of `body` if there is such a member, else all that is left over, as an object.
//!
//! Invariant: references are followed inside the document only, and a bounded number of times.

use std::collections::BTreeMap;

use reqwest::Url;
use sdk::TaskError;
use serde_json::{Map, Value};

use crate::http::{scalar, shown};
use crate::reading::wrong;

/// References followed from one place.
const REFERENCES_MAX: usize = 16;

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// What the body is given as, where no parameter has that name.
const BODY: &str = "body";

/// An operation, and what surrounds it.
pub(super) struct Operation<'d> {
    document: &'d Value,
    place: &'d str,
    path: &'d str,
    method: &'static str,
    item: &'d Value,
    operation: &'d Value,
}

/// A request as the `http` connector takes it.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: BTreeMap<String, Value>,
    pub(super) body: Value,
}

/// A declared parameter.
struct Parameter<'d> {
    name: &'d str,
    within: &'d str,
    declared: &'d Value,
}

fn fault(why: &str) -> TaskError {
    wrong("openapi call", why)
}

impl<'d> Operation<'d> {
    /// The operation of this id.
    pub(super) fn find(
        document: &'d Value,
        place: &'d str,
        id: &str,
    ) -> Result<Operation<'d>, TaskError> {
        let is_swagger = document["swagger"]
            .as_str()
            .is_some_and(|v| v.starts_with("2."));
        let is_openapi = document["openapi"]
            .as_str()
            .is_some_and(|v| v.starts_with("3."));
        if !is_swagger && !is_openapi {
            return Err(fault(
                "the document says neither `swagger: \"2.0\"` nor `openapi: 3.…`",
            ));
        }
        let paths = document["paths"].as_object();
        for (path, item) in paths.into_iter().flatten() {
            let item = resolve(document, item)?;
            for method in METHODS {
                if item[method]["operationId"].as_str() == Some(id) {
                    let operation = &item[method];
                    return Ok(Operation {
                        document,
                        place,
                        path,
                        method,
                        item,
                        operation,
                    });
                }
            }
        }
        Err(fault(&format!(
            "the document has no operation {:?}",
            shown(id)
        )))
    }

    /// The request that calls it with these values.
    pub(super) fn request(&self, mut values: Map<String, Value>) -> Result<Request, TaskError> {
        let parameters = self.parameters()?;
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name).collect();
        let mut path = self.path.to_owned();
        let mut query: Vec<(String, String)> = Vec::new();
        let mut headers = BTreeMap::new();
        let (mut cookies, mut form, mut body) = (Vec::new(), Map::new(), None);
        for parameter in &parameters {
            let Some(value) = parameter.value(&values)? else {
                continue;
            };
            let name = parameter.name;
            match parameter.within {
                "path" => {
                    let text = parameter.joined(&value)?;
                    // Addresses are read with these taken away, so another operation would be called.
                    if matches!(text.as_str(), "" | "." | "..") {
                        let message = format!(
                            "the parameter {:?} is a part of the path and cannot be empty, . or ..",
                            shown(name)
                        );
                        return Err(fault(&message));
                    }
                    path = path.replace(&format!("{{{name}}}"), &encoded(&text));
                }
                "query" => parameter.query(&value, &mut query)?,
                "header" => {
                    headers.insert(name.to_owned(), parameter.joined(&value)?.into());
                }
                "cookie" => cookies.push(format!("{name}={}", encoded(&parameter.joined(&value)?))),
                "formData" => {
                    form.insert(name.to_owned(), value);
                }
                "body" => body = Some(value),
                _ => {}
            }
        }
        let has_body = parameters
            .iter()
            .any(|parameter| parameter.within == "body");
        values.retain(|name, _| !(names.contains(&name.as_str()) || has_body && name == BODY));
        let body = self.body(body, form, values, &names, &mut headers)?;
        if !cookies.is_empty() {
            headers.insert("Cookie".to_owned(), cookies.join("; ").into());
        }
        if self.answers_json()? {
            headers
                .entry("Accept".to_owned())
                .or_insert_with(|| "application/json".into());
        }
        let base = self.base()?;
        let text = format!("{}{path}", base.as_str().trim_end_matches('/'));
        let mut url = Url::parse(&text).map_err(|error| fault(&error.to_string()))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(Request {
            method: self.method.to_owned(),
            url: url.into(),
            headers,
            body,
        })
    }

    /// Those of the path and of the operation; the latter replace the former.
    fn parameters(&self) -> Result<Vec<Parameter<'d>>, TaskError> {
        let mut found: Vec<Parameter<'d>> = Vec::new();
        for place in [self.item, self.operation] {
            for declared in place["parameters"].as_array().into_iter().flatten() {
                let declared = resolve(self.document, declared)?;
                let (Some(name), Some(within)) =
                    (declared["name"].as_str(), declared["in"].as_str())
                else {
                    return Err(fault(
                        "a parameter of the document has no `name` or no `in`",
                    ));
                };
                found.retain(|known| (known.name, known.within) != (name, within));
                found.push(Parameter {
                    name,
                    within,
                    declared,
                });
            }
        }
        Ok(found)
    }

    /// The body of the request, and how it is written.
    fn body(
        &self,
        declared: Option<Value>,
        form: Map<String, Value>,
        mut left: Map<String, Value>,
        names: &[&str],
        headers: &mut BTreeMap<String, Value>,
    ) -> Result<Value, TaskError> {
        let request_body = resolve(self.document, &self.operation["requestBody"])?;
        let takes_body = request_body.is_object();
        let (value, kinds) = if takes_body {
            let content = request_body["content"].as_object();
            let kinds: Vec<&str> = content
                .into_iter()
                .flatten()
                .map(|(kind, _)| kind.as_str())
                .collect();
            let value = match left.remove(BODY) {
                Some(value) if left.is_empty() => Some(value),
                Some(value) => {
                    left.insert(BODY.to_owned(), value);
                    Some(Value::Object(std::mem::take(&mut left)))
                }
                None if left.is_empty() => None,
                None => Some(Value::Object(std::mem::take(&mut left))),
            };
            if value.is_none() && request_body["required"] == true {
                return Err(fault(
                    "the operation needs a body; give it as the parameter `body`",
                ));
            }
            (value, kinds)
        } else {
            let value = match form.is_empty() {
                true => declared,
                false => Some(Value::Object(form)),
            };
            (value, self.consumes())
        };
        if let Some(name) = left.keys().next() {
            let message = format!(
                "the operation has no parameter {:?}; it has {}",
                shown(name),
                names.join(", ")
            );
            return Err(fault(&message));
        }
        let Some(value) = value else {
            return Ok(Value::Null);
        };
        let is_json = |kind: &&str| kind.contains("json");
        let kind = kinds.iter().find(|kind| is_json(kind)).or(kinds.first());
        let kind = kind.copied().unwrap_or("application/json");
        if kind.starts_with("multipart/") {
            return Err(fault(
                "the operation takes only a body of several parts (multipart), which this connector does not write",
            ));
        }
        // A pattern such as */* leaves the choice to us.
        let kind = if kind.contains('*') {
            "application/json"
        } else {
            kind
        };
        headers
            .entry("Content-Type".to_owned())
            .or_insert_with(|| kind.into());
        Ok(value)
    }

    /// Media types that bodies have, in documents of Swagger.
    fn consumes(&self) -> Vec<&'d str> {
        let is_form = self.operation["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "formData"));
        let listed = self.operation["consumes"]
            .as_array()
            .or_else(|| self.document["consumes"].as_array());
        let kinds: Vec<&str> = listed
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        match is_form {
            true if !kinds.iter().any(|kind| kind.starts_with("multipart/"))
                || kinds.contains(&"application/x-www-form-urlencoded") =>
            {
                vec!["application/x-www-form-urlencoded"]
            }
            _ => kinds,
        }
    }

    /// Whether the operation can answer in JSON.
    fn answers_json(&self) -> Result<bool, TaskError> {
        let produces = self.operation["produces"]
            .as_array()
            .or_else(|| self.document["produces"].as_array());
        if produces
            .into_iter()
            .flatten()
            .any(|kind| kind == "application/json")
        {
            return Ok(true);
        }
        for (_, response) in self.operation["responses"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let response = resolve(self.document, response)?;
            if response["content"].get("application/json").is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The address that the path is below.
    fn base(&self) -> Result<Url, TaskError> {
        let place = Url::parse(self.place).map_err(|error| fault(&error.to_string()))?;
        if self.document.get("swagger").is_some() {
            let host = self.document["host"].as_str();
            let schemes = self.operation["schemes"]
                .as_array()
                .or_else(|| self.document["schemes"].as_array());
            let schemes: Vec<&str> = schemes
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let scheme = match (schemes.contains(&"https"), schemes.first()) {
                (true, _) => "https",
                (false, Some(scheme)) => scheme,
                (false, None) => place.scheme(),
            };
            let port = place
                .port()
                .map_or(String::new(), |port| format!(":{port}"));
            let own = format!("{}{port}", place.host_str().unwrap_or_default());
            let base = self.document["basePath"].as_str().unwrap_or("/");
            let text = format!("{scheme}://{}{base}", host.unwrap_or(&own));
            return Url::parse(&text).map_err(|error| fault(&error.to_string()));
        }
        let servers = [self.operation, self.item, self.document]
            .into_iter()
            .find_map(|place| place["servers"].as_array().filter(|list| !list.is_empty()));
        let Some(server) = servers.and_then(|servers| servers.first()) else {
            return place.join("/").map_err(|error| fault(&error.to_string()));
        };
        let mut text = server["url"].as_str().unwrap_or("/").to_owned();
        for (name, variable) in server["variables"].as_object().into_iter().flatten() {
            let default = variable["default"].as_str().unwrap_or_default();
            text = text.replace(&format!("{{{name}}}"), default);
        }
        place
            .join(&text)
            .map_err(|error| fault(&format!("the document's server: {error}")))
    }
}

impl Parameter<'_> {
    /// The value for it, if there is one; path parameters and others that are required must have one.
    fn value(&self, values: &Map<String, Value>) -> Result<Option<Value>, TaskError> {
        let given = values.get(self.name).or_else(|| match self.within {
            "body" => values.get(BODY),
            _ => None,
        });
        let declared = self.declared;
        let needed = declared["required"] == true || self.within == "path";
        let default = || {
            declared
                .get("default")
                .or_else(|| declared["schema"].get("default"))
        };
        match given.filter(|value| !value.is_null()) {
            Some(value) => Ok(Some(value.clone())),
            None if !needed => Ok(None),
            None => default()
                .cloned()
                .map(Some)
                .ok_or_else(|| fault(&format!("the parameter {:?} is missing", shown(self.name)))),
        }
    }

    /// Text for a place that has one: lists are joined by commas.
    fn joined(&self, value: &Value) -> Result<String, TaskError> {
        let texts = match value {
            Value::Array(values) => values.iter().map(|value| self.text(value)).collect(),
            value => self.text(value).map(|text| vec![text]),
        };
        Ok(texts?.join(","))
    }

    fn text(&self, value: &Value) -> Result<String, TaskError> {
        scalar(value).ok_or_else(|| {
            let message = format!(
                "the parameter {:?} takes text, numbers, truth values or a list of these",
                shown(self.name)
            );
            fault(&message)
        })
    }

    fn query(&self, value: &Value, query: &mut Vec<(String, String)>) -> Result<(), TaskError> {
        let (name, declared) = (self.name, self.declared);
        let is_deep = declared["style"] == "deepObject";
        if let Value::Object(members) = value {
            for (key, member) in members {
                let name = if is_deep {
                    format!("{name}[{key}]")
                } else {
                    key.clone()
                };
                query.push((name, self.joined(member)?));
            }
            return Ok(());
        }
        let Value::Array(values) = value else {
            query.push((name.to_owned(), self.text(value)?));
            return Ok(());
        };
        let texts: Vec<String> = values
            .iter()
            .map(|value| self.text(value))
            .collect::<Result<_, _>>()?;
        let separator = match (
            declared["collectionFormat"].as_str(),
            declared["style"].as_str(),
        ) {
            (Some("multi"), _) => None,
            (Some("ssv"), _) | (_, Some("spaceDelimited")) => Some(" "),
            (Some("tsv"), _) => Some("\t"),
            (Some("pipes"), _) | (_, Some("pipeDelimited")) => Some("|"),
            (Some(_), _) => Some(","),
            // Swagger joins unless told otherwise, OpenAPI repeats.
            (None, _) if declared.get("schema").is_none() => Some(","),
            (None, _) if declared["explode"] == false => Some(","),
            (None, _) => None,
        };
        match separator {
            Some(separator) => query.push((name.to_owned(), texts.join(separator))),
            None => query.extend(texts.into_iter().map(|text| (name.to_owned(), text))),
        }
        Ok(())
    }
}

/// What a place of the document holds, references followed.
fn resolve<'d>(document: &'d Value, mut at: &'d Value) -> Result<&'d Value, TaskError> {
    for _ in 0..REFERENCES_MAX {
        let Some(reference) = at["$ref"].as_str() else {
            return Ok(at);
        };
        let found = reference
            .strip_prefix('#')
            .and_then(|pointer| document.pointer(pointer));
        at = found.ok_or_else(|| {
            fault(&format!(
                "the reference {:?} leads to no place of the document",
                shown(reference)
            ))
        })?;
    }
    Err(fault("the references of the document lead in a circle"))
}

/// Text as a part of a path or cookie.
fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~,".contains(byte);
    text.bytes()
        .map(|byte| match plain(&byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}
