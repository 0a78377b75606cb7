//! Policies against an authority and a resource on a real socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::json;

use super::*;
use crate::outgoing::{AddressPolicy, Outgoing};

/// An authority that numbers its tokens and says in them what it was asked, and resources that want them.
async fn serve() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let issued = Arc::new(AtomicUsize::new(0));
    let counted = issued.clone();
    let token = async move |headers: HeaderMap, body: String| {
        if body.contains("wrong") {
            let error = json!({"error": "invalid_client", "error_description": body});
            return (StatusCode::UNAUTHORIZED, axum::Json(error)).into_response();
        }
        let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
        let client = headers.get(AUTHORIZATION);
        let client = client.map_or("", |value| value.to_str().unwrap());
        let token = URL_SAFE.encode(format!("{number}|{client}|{body}"));
        axum::Json(json!({"access_token": token, "token_type": "bearer", "expires_in": 3600}))
            .into_response()
    };
    let discovery = json!({"token_endpoint": format!("http://127.0.0.1:{port}/oauth2/token")});
    let latest = issued;
    let router = Router::new()
        .route("/oauth2/token", post(token))
        .route(
            "/.well-known/openid-configuration",
            get(async move || axum::Json(discovery)),
        )
        .route("/seen", get(seen))
        .route(
            "/newest",
            // Takes the second token alone, as if the first had been withdrawn.
            get(async move || match latest.load(Ordering::Relaxed) {
                2 => StatusCode::NO_CONTENT,
                _ => StatusCode::UNAUTHORIZED,
            }),
        )
        .route("/digest", get(digest))
        .route("/small/digest", get(digest))
        .route(
            "/moved",
            post(async || axum::response::Redirect::temporary("/oauth2/token")),
        )
        .route(
            "/text",
            post(async || axum::Json(json!({"access_token": "dHh0", "expires_in": "3600"}))),
        );
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    port
}

use base64::engine::general_purpose::URL_SAFE_NO_PAD as URL_SAFE;

/// What the request showed: the content of its token.
async fn seen(headers: HeaderMap) -> String {
    let shown = headers[AUTHORIZATION].to_str().unwrap();
    let token = shown.strip_prefix("Bearer ").unwrap();
    String::from_utf8(URL_SAFE.decode(token).unwrap()).unwrap()
}

async fn digest(uri: Uri, headers: HeaderMap) -> impl IntoResponse {
    // The name of a scheme may be written either way.
    let scheme = match uri.path() {
        "/digest" => "Digest",
        _ => "digest",
    };
    let challenge =
        format!(r#"{scheme} realm="r", nonce="n", qop="auth", algorithm=SHA-256, opaque="o""#);
    let Some(answer) = headers.get(AUTHORIZATION) else {
        return (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, challenge)],
        )
            .into_response();
    };
    let answer = answer.to_str().unwrap();
    let member = |name: &str| {
        let start = answer.split_once(&format!("{name}=")).unwrap().1;
        start
            .split(',')
            .next()
            .unwrap()
            .trim_matches('"')
            .to_owned()
    };
    let hash = |text: String| -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    let (ha1, ha2) = (hash("ada:r:pw".to_owned()), hash(format!("GET:{uri}")));
    let (nc, cnonce) = (member("nc"), member("cnonce"));
    let expected = hash(format!("{ha1}:n:{nc}:{cnonce}:auth:{ha2}"));
    match member("response") == expected {
        true => "welcome".into_response(),
        false => StatusCode::FORBIDDEN.into_response(),
    }
}

fn caller() -> Caller {
    let outgoing = Outgoing {
        addresses: AddressPolicy::Any,
        ..Outgoing::default()
    };
    Caller::new(&outgoing).unwrap()
}

async fn ask(caller: &Caller, port: u16, path: &str, policy: &Value) -> Result<Value, TaskError> {
    let endpoint = format!("http://127.0.0.1:{port}{path}");
    let input = json!({"endpoint": endpoint, "authentication": policy});
    caller.call(read("http request", input)?, "").await
}

fn policy(port: u16, more: &Value) -> Value {
    let mut policy = json!({"authority": format!("http://127.0.0.1:{port}"), "grant": "client_credentials",
        "client": {"id": "me", "secret": "s3cr3t"}});
    for (key, value) in more.as_object().unwrap() {
        policy[key] = value.clone();
    }
    policy
}

#[tokio::test]
async fn a_digest_answers_the_challenge() {
    let port = serve().await;
    let login = |password: &str| json!({"digest": {"username": "ada", "password": password}});
    for path in ["/digest?a=1", "/small/digest"] {
        let answer = ask(&caller(), port, path, &login("pw")).await;
        assert_eq!(answer.unwrap(), "welcome", "{path}");
    }
    let error = ask(&caller(), port, "/digest?a=1", &login("no")).await;
    assert_eq!(error.unwrap_err().status, 403);
}

#[tokio::test]
async fn a_token_is_asked_for_as_the_policy_says() {
    let port = serve().await;
    let subject = json!({"token": "t", "type": "jwt"});
    for (more, expected) in [
        (
            json!({"scopes": ["a", "b"]}),
            "||grant_type=client_credentials&scope=a+b&client_id=me&client_secret=s3cr3t",
        ),
        (
            json!({"client": {"id": "m e", "secret": "s:", "authentication": "client_secret_basic"}}),
            "|Basic bStlOnMlM0E=|grant_type=client_credentials",
        ),
        (
            json!({"client": {"id": "me", "authentication": "none"}, "grant": "password", "username": "u", "password": "p"}),
            "||grant_type=password&username=u&password=p&client_id=me",
        ),
        (
            json!({"client": {"assertion": "j.w.t", "authentication": "private_key_jwt"}, "grant": "refresh_token", "subject": subject}),
            "||grant_type=refresh_token&refresh_token=t&client_assertion=j.w.t&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
        ),
        (
            json!({"request": {"encoding": "application/json"}, "audiences": ["x", "y"]}),
            "||{\"audience\":[\"x\",\"y\"],\"client_id\":\"me\",\"client_secret\":\"s3cr3t\",\"grant_type\":\"client_credentials\"}",
        ),
    ] {
        for kind in ["oauth2", "oidc"] {
            let policy = json!({kind: policy(port, &more)});
            let seen = ask(&caller(), port, "/seen", &policy).await.unwrap();
            let seen = seen
                .as_str()
                .unwrap()
                .trim_start_matches(|c: char| c.is_ascii_digit());
            let expected = expected.replacen("||", "|", 1);
            let expected = match expected.starts_with("|Basic") {
                true => expected,
                false => format!("|{expected}"),
            };
            assert_eq!(seen, expected, "{kind}");
        }
    }
}

#[tokio::test]
async fn a_token_is_kept_for_its_policy_and_renewed_when_it_is_refused() {
    let port = serve().await;
    let caller = caller();
    let first = json!({"oauth2": policy(port, &json!({}))});
    for _ in 0..2 {
        let seen = ask(&caller, port, "/seen", &first).await.unwrap();
        assert!(seen.as_str().unwrap().starts_with("1|"), "{seen}");
    }
    ask(&caller, port, "/newest", &first).await.unwrap();
    let seen = ask(&caller, port, "/seen", &first).await.unwrap();
    assert!(seen.as_str().unwrap().starts_with("2|"), "{seen}");
    let other = json!({"oauth2": policy(port, &json!({"scopes": ["x"]}))});
    let seen = ask(&caller, port, "/seen", &other).await.unwrap();
    assert!(seen.as_str().unwrap().starts_with("3|"), "{seen}");
}

#[tokio::test]
async fn a_token_may_hold_as_long_as_a_text_says() {
    let port = serve().await;
    let policy = json!({"oauth2": policy(port, &json!({"endpoints": {"token": "/text"}}))});
    assert_eq!(ask(&caller(), port, "/seen", &policy).await.unwrap(), "txt");
}

#[tokio::test]
async fn a_secret_does_not_follow_a_redirect() {
    let port = serve().await;
    let policy = json!({"oauth2": policy(port, &json!({"endpoints": {"token": "/moved"}}))});
    let error = ask(&caller(), port, "/seen", &policy).await.unwrap_err();
    assert!(error.detail.ends_with("answered 307"), "{}", error.detail);
}

#[tokio::test]
async fn what_an_authority_refuses_is_told_without_what_was_said() {
    let port = serve().await;
    for (more, part) in [
        (
            json!({"client": {"id": "wrong", "secret": "s3cr3t"}}),
            "answered 401: invalid_client",
        ),
        (
            json!({"issuers": ["https://id.example"]}),
            "none of the `issuers`",
        ),
        (json!({"grant": "password"}), "username is missing"),
        (json!({"authority": "s3cr3t"}), "no address"),
        (json!({"client": "s3cr3t"}), "client"),
    ] {
        let policy = json!({"oauth2": policy(port, &more)});
        let error = ask(&caller(), port, "/seen", &policy).await.unwrap_err();
        assert!(error.detail.contains(part), "{}", error.detail);
        assert!(
            !error.detail.contains("s3cr3t") && !error.retryable,
            "{}",
            error.detail
        );
    }
}
