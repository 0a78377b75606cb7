//! Owns the answer to a challenge of the digest scheme.

use digest_auth::{AuthContext, HttpMethod};
use reqwest::header::{HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Request, Response};
use sdk::TaskError;

use super::Login;

/// The longest challenge that is read.
const CHALLENGE_BYTES_MAX: usize = 4 << 10;

/// The header that answers the challenge of a refused request; none if it was refused with another one.
pub(super) fn answer(
    login: &Login,
    request: &Request,
    refused: &Response,
) -> Result<Option<HeaderValue>, TaskError> {
    let challenges = refused.headers().get_all(WWW_AUTHENTICATE).iter();
    let challenge = challenges
        .filter_map(|value| value.to_str().ok())
        .filter(|text| text.len() <= CHALLENGE_BYTES_MAX)
        .find_map(|text| {
            let (scheme, challenge) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("digest").then_some(challenge)
        });
    let Some(challenge) = challenge else {
        return Ok(None);
    };
    let url = request.url();
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let body = request.body().and_then(reqwest::Body::as_bytes);
    let method = HttpMethod::from(request.method().as_str().to_owned());
    let context =
        AuthContext::new_with_method(&login.username, &login.password, path, body, method);
    // The crate's errors repeat the challenge, never the login.
    let answer = digest_auth::parse(challenge)
        .and_then(|mut prompt| prompt.respond(&context))
        .map_err(|error| {
            TaskError::fatal(
                TaskError::well_known("authentication"),
                format!("the server's digest challenge cannot be answered: {error}"),
            )
            .with_status(401)
        })?;
    Ok(HeaderValue::from_str(&answer.to_header_string()).ok())
}
