//! Owns the dashboard as files: the pages that Vite built, carried in the binary.
//!
//! Invariants: nothing here knows data, the page asks the REST interface like any other client; a file that bears its
//! own fingerprint in its name is kept for good, everything else is asked for again; no script runs but our own.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What Vite wrote; empty where the dashboard was not built. Debug builds read the folder as it is now.
#[derive(RustEmbed)]
#[folder = "../../dashboard/dist/app"]
#[allow_missing = true]
struct Files;

/// The page that says how to build the dashboard.
const UNBUILT: &str = include_str!("dashboard/unbuilt.html");

/// The page that every address of the dashboard begins with.
const INDEX: &str = "index.html";

/// Files below here bear a fingerprint of what they hold in their names.
const FINGERPRINTED: &str = "assets/";

/// Where the page says what its addresses are relative to.
const BASE: &str = r#"<base href="/" />"#;

/// Where a reverse proxy says below which path it shows this server.
const PREFIX: &str = "x-forwarded-prefix";

/// The longest such path, in bytes.
const PREFIX_BYTES_MAX: usize = 256;

/// No script but ours, nothing from elsewhere, in nobody's frame. Styles may stand in the page, as the drawing and the
/// editor place things by them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'self'; \
                      form-action 'none'; frame-ancestors 'none'";

/// A file of the dashboard, or its first page where a page is asked for; nothing for what is none of its business.
pub(crate) fn answer(request: &Request<Body>) -> Option<Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let path = request.uri().path().trim_start_matches('/');
    if path.starts_with("api/") {
        return None;
    }
    let headers = request.headers();
    if path != INDEX
        && let Some(file) = Files::get(path)
    {
        return Some(asset(path, file, headers));
    }
    accepts(headers, header::ACCEPT, "text/html").then(|| page(headers))
}

/// A file, compressed where the reader can take it.
fn asset(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let compressed = accepts(headers, header::ACCEPT_ENCODING, "br")
        .then(|| Files::get(&format!("{path}.br")))
        .flatten();
    let encoding = compressed.is_some().then_some("br");
    let file = compressed.unwrap_or(file);
    let hash = file.metadata.sha256_hash();
    let mut response = tagged(file.data.into_owned(), hash, media_type(path), headers);
    let kept = match path.starts_with(FINGERPRINTED) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let answered = response.headers_mut();
    answered.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    answered.insert(
        header::VARY,
        HeaderValue::from_static(header::ACCEPT_ENCODING.as_str()),
    );
    if let Some(encoding) = encoding {
        answered.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// The first page, with addresses below the path that it is shown at.
fn page(headers: &HeaderMap) -> Response {
    let (text, hash) = match Files::get(INDEX) {
        Some(file) => {
            let text = String::from_utf8_lossy(&file.data);
            let base = format!(r#"<base href="{}/" />"#, prefix(headers));
            (text.replacen(BASE, &base, 1), file.metadata.sha256_hash())
        }
        None => (UNBUILT.to_owned(), [0; 32]),
    };
    let mut response = tagged(text.into_bytes(), hash, "text/html; charset=utf-8", headers);
    let answered = response.headers_mut();
    answered.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answered.insert(header::VARY, HeaderValue::from_static(PREFIX));
    response
}

/// The path of a reverse proxy, without a slash at its end; none where it is not plainly one.
fn prefix(headers: &HeaderMap) -> &str {
    let given = headers.get(PREFIX).and_then(|value| value.to_str().ok());
    let prefix = given.unwrap_or_default().trim_end_matches('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let fits = prefix.len() <= PREFIX_BYTES_MAX && prefix.bytes().all(plain);
    // Two slashes at the beginning would name another host.
    match fits && prefix.starts_with('/') && !prefix.contains("//") {
        true => prefix,
        false => "",
    }
}

/// An answer with the hash of what it was made from, or word that the reader has it already.
fn tagged(
    body: Vec<u8>,
    hash: [u8; 32],
    media_type: &'static str,
    headers: &HeaderMap,
) -> Response {
    let hash = hash[..8].try_into().map_or(0, u64::from_be_bytes);
    let tag = format!("\"{hash:016x}\"");
    let known = headers.get(header::IF_NONE_MATCH);
    let known = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Body::from(body).into_response(),
    };
    let answered = response.headers_mut();
    let tag = HeaderValue::try_from(tag).expect("hexadecimal digits are a header's value");
    answered.insert(header::ETAG, tag);
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        answered.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a list of what a reader takes names a word.
fn accepts(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    let listed = headers.get_all(name).iter();
    let mut listed = listed.filter_map(|value| value.to_str().ok());
    listed.any(|value| {
        let mut words = value.split(',').map(|part| part.split(';').next());
        words.any(|part| part.is_some_and(|part| part.trim().eq_ignore_ascii_case(word)))
    })
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
