//! The public services that the specification's own scenarios call: a pet store, and an echo with passwords.
//!
//! Invariant: they answer those requests as the real ones do, and everything else with 404.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Names of the pets, whose numbers begin at 1.
const PETS: [&str; 3] = ["Rex", "Tom", "Milou"];

/// The pet store of the Swagger project.
pub(crate) fn petstore(method: &str, path: &str, query: &str) -> Response {
    let Some(path) = path.strip_prefix("/v2").filter(|_| method == "GET") else {
        return missing();
    };
    match path {
        "/swagger.json" => {
            let document: &str = include_str!("../../conformance/services/petstore.json");
            ([("content-type", "application/json")], document).into_response()
        }
        "/pet/findByStatus" => {
            let pets: Vec<Value> = if query.split('&').any(|pair| pair == "status=available") {
                (1..=PETS.len()).filter_map(pet).collect()
            } else {
                Vec::new()
            };
            Json(pets).into_response()
        }
        _ => path
            .strip_prefix("/pet/")
            .and_then(|number| number.parse().ok())
            .and_then(pet)
            .map_or_else(missing, |pet| Json(pet).into_response()),
    }
}

/// The service that answers 200 to whoever knows the name and password in its path.
pub(crate) fn httpbin(method: &str, path: &str, headers: &HeaderMap) -> Response {
    let Some((name, password)) = path
        .strip_prefix("/basic-auth/")
        .filter(|_| method == "GET")
        .and_then(|rest| rest.split_once('/'))
    else {
        return missing();
    };
    let expected = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
    let says = headers.get("authorization").map(|value| value.as_bytes());
    if says != Some(expected.as_bytes()) {
        let challenge = [("www-authenticate", "Basic realm=\"Fake Realm\"")];
        return (StatusCode::UNAUTHORIZED, challenge).into_response();
    }
    Json(json!({"authenticated": true, "user": name})).into_response()
}

fn pet(number: usize) -> Option<Value> {
    let name = PETS.get(number.checked_sub(1)?)?;
    Some(json!({
        "id": number,
        "category": {"id": 1, "name": "animals"},
        "name": name,
        "photoUrls": [],
        "tags": [],
        "status": "available",
    }))
}

fn missing() -> Response {
    let body = json!({"code": 1, "type": "error", "message": "not found"});
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}
