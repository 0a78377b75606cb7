//! Owns [`OAuth2`], the policy by which an authority issues tokens, and [`Tokens`], those that still hold.
//!
//! Invariants: a token is kept in memory only, is used no longer than it holds, and only for the exact policy that
//! it was issued for; one that has ended goes when the next is kept. What an authority answers is bounded and read for its well-known members alone.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Url};
use sdk::TaskError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::http::Caller;
use crate::reading::wrong;

/// Tokens kept at once.
const TOKENS_MAX: usize = 1_000;
/// A token is not used any more this long before it ends.
const MARGIN: Duration = Duration::from_secs(30);
/// How long a token is used whose authority does not say how long it holds.
const LIFETIME_DEFAULT: Duration = Duration::from_secs(300);
/// The longest that a token is used, whatever its authority says.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long an assertion that we sign holds.
const ASSERTION_SECONDS: i64 = 60;
/// The largest answer of an authority that is read.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// How long an authority may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Where an authority that says where it issues tokens says so.
const DISCOVERY: &str = ".well-known/openid-configuration";

/// How a token is asked for.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuth2 {
    authority: String,
    #[serde(default)]
    endpoints: Endpoints,
    grant: Grant,
    #[serde(default)]
    client: Client,
    #[serde(default)]
    request: Encoded,
    #[serde(default)]
    issuers: Vec<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    audiences: Vec<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    subject: Option<Given>,
    #[serde(default)]
    actor: Option<Given>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Endpoints {
    token: Option<String>,
    // Tokens are neither revoked nor looked into; these are read because a policy may name them.
    revocation: Option<String>,
    introspection: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Grant {
    ClientCredentials,
    Password,
    RefreshToken,
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Client {
    id: Option<String>,
    secret: Option<String>,
    assertion: Option<String>,
    #[serde(default)]
    authentication: ClientAuthentication,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum ClientAuthentication {
    ClientSecretBasic,
    #[default]
    ClientSecretPost,
    ClientSecretJwt,
    PrivateKeyJwt,
    None,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    #[serde(default)]
    encoding: Encoding,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
enum Encoding {
    #[default]
    #[serde(rename = "application/x-www-form-urlencoded")]
    Form,
    #[serde(rename = "application/json")]
    Json,
}

/// A token that the workflow has already.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Given {
    token: String,
    #[serde(rename = "type")]
    kind: String,
}

/// What an authority answers.
#[derive(Deserialize)]
struct Issued {
    access_token: String,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
}

/// A number, which some authorities write as text; none for anything else.
fn seconds<'de, D: serde::Deserializer<'de>>(given: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(given)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    })
}

/// Tokens that still hold, by the policy that they were issued for.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, (String, Instant)>>);

impl Tokens {
    /// The header for a policy, from a token that still holds or a new one.
    pub(crate) async fn get(
        &self,
        caller: &Caller,
        policy: &OAuth2,
        discover: bool,
    ) -> Result<String, TaskError> {
        let key = policy.key(discover);
        if let Some(header) = self.kept(&key) {
            return Ok(header);
        }
        let issued = policy.issue(caller, discover).await?;
        let lifetime = issued
            .expires_in
            .map_or(LIFETIME_DEFAULT, Duration::from_secs)
            .min(LIFETIME_MAX)
            .saturating_sub(MARGIN);
        let scheme = match issued.token_type.as_deref() {
            Some(kind) if !kind.eq_ignore_ascii_case("bearer") => kind,
            _ => "Bearer",
        };
        let header = format!("{scheme} {}", issued.access_token);
        let now = Instant::now();
        let mut kept = self.lock();
        kept.retain(|_, (_, until)| *until > now);
        if kept.len() >= TOKENS_MAX {
            kept.clear();
        }
        kept.insert(key, (header.clone(), now + lifetime));
        Ok(header)
    }

    fn kept(&self, key: &str) -> Option<String> {
        let kept = self.lock();
        let (header, until) = kept.get(key)?;
        (*until > Instant::now()).then(|| header.clone())
    }

    fn forget(&self, key: &str) -> bool {
        self.lock().remove(key).is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (String, Instant)>> {
        self.0.lock().expect("nobody panics while holding tokens")
    }
}

impl Caller {
    /// The header with a new token after the one before was refused; none if there was none.
    pub(super) async fn renewed(
        &self,
        policy: &OAuth2,
        discover: bool,
    ) -> Result<Option<HeaderValue>, TaskError> {
        if !self.tokens.forget(&policy.key(discover)) {
            return Ok(None);
        }
        let header = self.tokens.get(self, policy, discover).await?;
        Ok(HeaderValue::from_str(&header).ok())
    }
}

impl OAuth2 {
    fn key(&self, discover: bool) -> String {
        let policy = serde_json::to_string(self).expect("a policy is plain data");
        format!("{discover} {policy}")
    }

    async fn issue(&self, caller: &Caller, discover: bool) -> Result<Issued, TaskError> {
        let url = match discover {
            true => self.discovered(caller).await?,
            false => self.joined(self.endpoints.token.as_deref().unwrap_or("/oauth2/token"))?,
        };
        let answer = ask(caller, self.request_for(url)?).await?;
        let issued: Issued = serde_json::from_value(answer)
            .map_err(|_| refused("the authority issued no access token".to_owned()))?;
        if !self.issuers.is_empty() {
            let issuer = issuer_of(&issued.access_token);
            if !issuer.is_some_and(|issuer| self.issuers.contains(&issuer)) {
                return Err(refused(
                    "the token was issued by none of the `issuers` of the policy".to_owned(),
                ));
            }
        }
        Ok(issued)
    }

    /// An endpoint below the authority, or one of its own.
    fn joined(&self, endpoint: &str) -> Result<Url, TaskError> {
        let text = match endpoint.contains("://") {
            true => endpoint.to_owned(),
            false => format!(
                "{}/{}",
                self.authority.trim_end_matches('/'),
                endpoint.trim_start_matches('/')
            ),
        };
        let url = Url::parse(&text).ok();
        url.filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| {
                wrong(
                    "authentication",
                    "the authority is no address that starts with http:// or https://",
                )
            })
    }

    /// Where the authority says that it issues tokens.
    async fn discovered(&self, caller: &Caller) -> Result<Url, TaskError> {
        let place = match self.authority.ends_with(DISCOVERY) {
            true => self.joined(&self.authority)?,
            false => self.joined(DISCOVERY)?,
        };
        let mut request = Request::new(Method::GET, place);
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static("application/json"));
        let document = ask(caller, request).await?;
        let endpoint = document.get("token_endpoint").and_then(Value::as_str);
        match endpoint {
            Some(endpoint) if endpoint.contains("://") => self.joined(endpoint),
            _ => Err(refused(
                "the authority's discovery document names no `token_endpoint`".to_owned(),
            )),
        }
    }

    fn request_for(&self, url: Url) -> Result<Request, TaskError> {
        let need = |value: &Option<String>, what: &str| {
            value
                .clone()
                .ok_or_else(|| wrong("authentication", &format!("{what} is missing")))
        };
        let mut members: Vec<(&str, String)> = Vec::new();
        match self.grant {
            Grant::ClientCredentials => members.push(("grant_type", "client_credentials".into())),
            Grant::Password => {
                members.push(("grant_type", "password".into()));
                members.push(("username", need(&self.username, "username")?));
                members.push(("password", need(&self.password, "password")?));
            }
            Grant::RefreshToken => {
                let token = self.subject.as_ref().map(|given| given.token.clone());
                members.push(("grant_type", "refresh_token".into()));
                members.push(("refresh_token", need(&token, "subject with the token")?));
            }
            Grant::TokenExchange => {
                members.push((
                    "grant_type",
                    "urn:ietf:params:oauth:grant-type:token-exchange".into(),
                ));
                let subject = self
                    .subject
                    .as_ref()
                    .ok_or_else(|| wrong("authentication", "subject is missing"))?;
                members.push(("subject_token", subject.token.clone()));
                members.push(("subject_token_type", subject.kind.clone()));
                if let Some(actor) = &self.actor {
                    members.push(("actor_token", actor.token.clone()));
                    members.push(("actor_token_type", actor.kind.clone()));
                }
            }
        }
        if !self.scopes.is_empty() {
            members.push(("scope", self.scopes.join(" ")));
        }
        for audience in &self.audiences {
            members.push(("audience", audience.clone()));
        }
        let mut request = Request::new(Method::POST, url);
        self.identify(&mut request, &mut members, need)?;
        let (content_type, body) = match self.request.encoding {
            Encoding::Form => ("application/x-www-form-urlencoded", form(&members)),
            Encoding::Json => ("application/json", object(&members).to_string()),
        };
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.into());
        Ok(request)
    }

    /// Says which client asks, the way that the policy wants.
    fn identify(
        &self,
        request: &mut Request,
        members: &mut Vec<(&str, String)>,
        need: impl Fn(&Option<String>, &str) -> Result<String, TaskError>,
    ) -> Result<(), TaskError> {
        let client = &self.client;
        match client.authentication {
            ClientAuthentication::None => {
                members.extend(client.id.clone().map(|id| ("client_id", id)));
            }
            ClientAuthentication::ClientSecretPost => {
                members.push(("client_id", need(&client.id, "client.id")?));
                members.extend(
                    client
                        .secret
                        .clone()
                        .map(|secret| ("client_secret", secret)),
                );
            }
            ClientAuthentication::ClientSecretBasic => {
                let part = |text: String| form(&[("", text)])[1..].to_owned();
                let id = part(need(&client.id, "client.id")?);
                let secret = part(need(&client.secret, "client.secret")?);
                let header = HeaderValue::from_str(&super::basic(&id, &secret));
                let mut header = header.expect("base64 fits into a header");
                header.set_sensitive(true);
                request.headers_mut().insert(AUTHORIZATION, header);
            }
            ClientAuthentication::ClientSecretJwt => {
                let id = need(&client.id, "client.id")?;
                let secret = need(&client.secret, "client.secret")?;
                members.push(("client_assertion", signed(&id, &secret, request.url())));
                members.push(("client_assertion_type", ASSERTION_TYPE.into()));
                members.push(("client_id", id));
            }
            ClientAuthentication::PrivateKeyJwt => {
                let assertion = need(&client.assertion, "client.assertion")?;
                members.push(("client_assertion", assertion));
                members.push(("client_assertion_type", ASSERTION_TYPE.into()));
                members.extend(client.id.clone().map(|id| ("client_id", id)));
            }
        }
        Ok(())
    }
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A statement signed with the client's secret that it is the client who asks.
fn signed(id: &str, secret: &str, audience: &Url) -> String {
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({
        "iss": id, "sub": id, "aud": audience.as_str(), "jti": uuid::Uuid::now_v7().to_string(),
        "iat": now, "exp": now + ASSERTION_SECONDS,
    });
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let head = encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    let said = format!("{head}.{}", encode(claims.to_string().as_bytes()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let signature = aws_lc_rs::hmac::sign(&key, said.as_bytes());
    format!("{said}.{}", encode(signature.as_ref()))
}

/// Who issued a token, if it is a JWT. It came over a connection to the authority, so its signature is not
/// checked.
fn issuer_of(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

fn form(members: &[(&str, String)]) -> String {
    let mut form = Url::parse("form:").expect("a scheme alone is a URL");
    form.query_pairs_mut().extend_pairs(members);
    form.query().unwrap_or_default().to_owned()
}

fn object(members: &[(&str, String)]) -> Value {
    let mut object = Map::new();
    for (name, text) in members {
        match object.get_mut(*name) {
            None => {
                object.insert((*name).to_owned(), text.as_str().into());
            }
            Some(Value::Array(several)) => several.push(text.as_str().into()),
            Some(one) => *one = json!([one.take(), text]),
        }
    }
    Value::Object(object)
}

/// Asks an authority; what it refuses is told by its error code, since all else could repeat what was asked.
async fn ask(caller: &Caller, mut request: Request) -> Result<Value, TaskError> {
    *request.timeout_mut() = Some(ANSWER_TIMEOUT);
    let host = request.url().host_str().unwrap_or_default().to_owned();
    // What is posted holds the client's secret, which a redirect would carry to wherever it leads.
    let redirect = request.method() == Method::GET;
    let fetched = caller.fetch(request, redirect, None, ANSWER_BYTES_MAX);
    let (status, body) = fetched.await?;
    let answer: Option<Value> = serde_json::from_slice(&body).ok();
    if status.is_success() {
        return answer.ok_or_else(|| refused(format!("the authority {host} answered no JSON")));
    }
    let code = answer
        .as_ref()
        .and_then(|answer| answer.get("error")?.as_str())
        .filter(|code| {
            code.len() <= 64 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        })
        .map_or(String::new(), |code| format!(": {code}"));
    let failure = refused(format!(
        "the authority {host} answered {}{code}",
        status.as_u16()
    ));
    Err(TaskError {
        retryable: status.is_server_error() || status.as_u16() == 429,
        ..failure
    })
}

fn refused(detail: String) -> TaskError {
    TaskError::fatal(TaskError::well_known("authentication"), detail)
        .with_status(401)
        .with_title("No token was issued")
}
