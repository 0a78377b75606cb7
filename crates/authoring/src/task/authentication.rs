//! Owns authentication policies: inline, by the name of one in `use.authentications`, or by a secret.
//!
//! A policy becomes a member of the task's input, `{KIND: {…}}`. Whatever of it names a secret is sealed with
//! the rest of that input.

use graph::Template;

use crate::expression::unwrap;
use crate::finding::quote;
use crate::lowering::{Lowering, Scope};
use crate::tree::At;

const KINDS: [&str; 5] = ["basic", "bearer", "digest", "oauth2", "oidc"];

const GRANTS: [&str; 4] = [
    "client_credentials",
    "password",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:token-exchange",
];

const CLIENT_AUTHENTICATIONS: [&str; 5] = [
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
];

const ENCODINGS: [&str; 2] = ["application/x-www-form-urlencoded", "application/json"];

/// A secret that is text serves as `{token: …}`.
const AS_TOKEN: &str = r#"|if type=="string" then {token:.} else . end"#;

impl<'t> Lowering<'t> {
    pub(super) fn authentication(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        let policy = match (at.text(), at.member("use")) {
            (Some(name), _) => self.reuse("authentications", name, at)?,
            (None, Some(name)) => {
                self.known(at, &["use"]);
                let text = self.name(name)?;
                self.reuse("authentications", &text, name)?
            }
            (None, None) => at,
        };
        if !self.known(policy, &KINDS) {
            return None;
        }
        let kinds: Vec<At<'t>> = policy.children().collect();
        let [kind] = kinds[..] else {
            let message = format!(
                "authentication needs exactly one of {}, or `use` with a name",
                KINDS.join(", ")
            );
            self.findings.error(policy, "bad-value", message);
            return None;
        };
        let inner = match (kind.member("use"), kind.key()) {
            (Some(name), key) if KINDS.contains(&key) => {
                self.known(kind, &["use"]);
                self.secret(name, if key == "bearer" { AS_TOKEN } else { "" })?
            }
            (None, "basic" | "digest") => self.texts(kind, &["username", "password"], scope)?,
            (None, "bearer") => self.texts(kind, &["token"], scope)?,
            (None, "oauth2" | "oidc") => self.token_policy(kind, scope)?,
            _ => return None,
        };
        Some(Template::Object(vec![(kind.key().into(), inner)]))
    }

    /// A map of exactly these texts.
    fn texts(&mut self, at: At<'t>, keys: &[&str], scope: &Scope) -> Option<Template> {
        self.known(at, keys);
        for key in keys {
            let value = self.require(at, key)?;
            self.want_text(value)?;
        }
        self.template(at, scope)
    }

    /// Tells what is no text, for which there is none.
    fn want_text(&mut self, at: At<'t>) -> Option<()> {
        if at.text().is_none() {
            self.wrong(at, "text");
        }
        at.text().map(drop)
    }

    /// How a token is asked for.
    fn token_policy(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        let keys = [
            "authority",
            "endpoints",
            "grant",
            "client",
            "request",
            "issuers",
            "scopes",
            "audiences",
            "username",
            "password",
            "subject",
            "actor",
        ];
        let keys = match at.key() {
            "oidc" => [&keys[..1], &keys[2..]].concat(),
            _ => keys.to_vec(),
        };
        self.known(at, &keys);
        let authority = self.require(at, "authority")?;
        self.address(authority, scope)?;
        let grant = self.require(at, "grant")?;
        self.grant(grant)?;
        if let Some(endpoints) = at.member("endpoints") {
            self.known(endpoints, &["token", "revocation", "introspection"]);
            endpoints.children().try_for_each(|at| self.want_text(at))?;
        }
        for key in ["username", "password"] {
            at.member(key).map_or(Some(()), |at| self.want_text(at))?;
        }
        if let Some(client) = at.member("client") {
            self.known(client, &["id", "secret", "assertion", "authentication"]);
            client.children().try_for_each(|at| self.want_text(at))?;
            let way = client.member("authentication");
            way.and_then(|way| self.word(way, &CLIENT_AUTHENTICATIONS));
        }
        if let Some(request) = at.member("request") {
            self.known(request, &["encoding"]);
            let encoding = request.member("encoding");
            encoding.and_then(|encoding| self.word(encoding, &ENCODINGS));
        }
        for key in ["issuers", "scopes", "audiences"] {
            if let Some(list) = at.member(key) {
                let mut elements = self.list(list)?.into_iter();
                elements.try_for_each(|at| self.want_text(at))?;
            }
        }
        for key in ["subject", "actor"] {
            if let Some(token) = at.member(key) {
                self.texts(token, &["token", "type"], scope);
            }
        }
        let members = at.children().map(|member| {
            let value = match member.key() {
                "authority" => self.address(member, scope)?,
                _ => self.template(member, scope)?,
            };
            Some((member.key().into(), value))
        });
        Some(Template::Object(members.collect::<Option<_>>()?))
    }

    fn grant(&mut self, at: At<'t>) -> Option<&'static str> {
        if at
            .text()
            .is_some_and(|text| &**text == "authorization_code")
        {
            let message = format!(
                "the grant {} needs a person at a browser, whom a run does not have; use one of {}",
                quote("authorization_code"),
                GRANTS.join(", ")
            );
            self.findings.error(at, "unsupported", message);
            return None;
        }
        self.word(at, &GRANTS)
    }

    /// An address, and how to prove there who asks: members `endpoint` and `authentication`.
    pub(super) fn endpoint(
        &mut self,
        at: At<'t>,
        scope: &Scope,
    ) -> Option<(Template, Option<Template>)> {
        if !at.is_map() {
            return Some((self.address(at, scope)?, None));
        }
        self.known(at, &["uri", "authentication"]);
        let uri = self
            .require(at, "uri")
            .and_then(|uri| self.address(uri, scope));
        let Some(policy) = at.member("authentication") else {
            return Some((uri?, None));
        };
        let policy = self.authentication(policy, scope);
        Some((uri?, Some(policy?)))
    }

    /// A document that lies elsewhere: an object with `endpoint`, and `authentication` where it is given.
    pub(super) fn resource(&mut self, at: At<'t>, scope: &Scope) -> Option<Template> {
        self.known(at, &["name", "endpoint"]);
        if let Some(name) = at.member("name") {
            self.literal(name);
        }
        let endpoint = self.require(at, "endpoint")?;
        let uri = endpoint.member("uri").unwrap_or(endpoint);
        if let Some(text) = uri.text().filter(|text| text.starts_with("file://"))
            && unwrap(text).is_none()
        {
            if endpoint.is_map() {
                self.known(endpoint, &["uri"]);
            }
            let place = Template::Literal(uri.value());
            return Some(Template::Object(vec![("endpoint".into(), place)]));
        }
        let (place, policy) = self.endpoint(endpoint, scope)?;
        let mut members = vec![("endpoint".into(), place)];
        members.extend(policy.map(|policy| ("authentication".into(), policy)));
        Some(Template::Object(members))
    }
}
