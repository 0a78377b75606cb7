//! Operations into requests, and both ways through a document on a real server.

use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::get;
use serde_json::json;

use super::*;
use crate::outgoing::AddressPolicy;

fn request(document: &Value, id: &str, values: Value) -> Result<operation::Request, TaskError> {
    let Value::Object(values) = values else {
        panic!("parameters are an object");
    };
    Operation::find(document, "https://docs.example/v1/doc.json", id)?.request(values)
}

fn swagger() -> Value {
    json!({
        "swagger": "2.0", "host": "shop.example", "basePath": "/v2", "schemes": ["http", "https"],
        "produces": ["application/json"], "consumes": ["application/json"],
        "paths": {
            "/pets/{id}": {
                "parameters": [{"$ref": "#/parameters/id"}],
                "get": {"operationId": "one"},
                "put": {"operationId": "change", "parameters": [
                    {"name": "pet", "in": "body", "required": true}, {"name": "X-Id", "in": "header"}]},
                "post": {"operationId": "form", "consumes": ["application/x-www-form-urlencoded"], "parameters": [
                    {"name": "name", "in": "formData"}]}
            },
            "/pets": {"get": {"operationId": "find", "parameters": [
                {"name": "status", "in": "query", "required": true, "type": "array", "collectionFormat": "multi"},
                {"name": "tags", "in": "query", "type": "array"}]}}
        },
        "parameters": {"id": {"name": "id", "in": "path", "required": true}}
    })
}

fn openapi() -> Value {
    json!({
        "openapi": "3.1.0", "servers": [{"url": "/{stage}", "variables": {"stage": {"default": "live"}}}],
        "paths": {"/a/{id}": {"post": {
            "operationId": "make",
            "parameters": [
                {"name": "id", "in": "path", "required": true, "schema": {}},
                {"name": "id", "in": "query", "schema": {}},
                {"name": "list", "in": "query", "schema": {}},
                {"name": "joined", "in": "query", "explode": false, "schema": {}},
                {"name": "deep", "in": "query", "style": "deepObject", "schema": {}},
                {"name": "sid", "in": "cookie", "schema": {}}],
            "requestBody": {"$ref": "#/components/requestBodies/it"}
        }}},
        "components": {"requestBodies": {"it": {"content": {"application/xml": {}, "application/json": {}}}}}
    })
}

#[test]
fn values_go_where_the_document_says() {
    let made = |document: &Value, id: &str, values: Value| {
        let request = request(document, id, values).unwrap();
        json!([request.method, request.url, request.headers, request.body])
    };
    let json_answer = json!({"Accept": "application/json"});
    for (id, values, expected) in [
        (
            "one",
            json!({"id": "a b/c"}),
            json!([
                "get",
                "https://shop.example/v2/pets/a%20b%2Fc",
                json_answer,
                null
            ]),
        ),
        (
            "find",
            json!({"status": ["a", "b"], "tags": [1, 2]}),
            json!([
                "get",
                "https://shop.example/v2/pets?status=a&status=b&tags=1%2C2",
                json_answer,
                null
            ]),
        ),
        (
            "change",
            json!({"id": 1, "pet": {"n": 1}, "X-Id": 7}),
            json!(["put", "https://shop.example/v2/pets/1",
            {"Accept": "application/json", "Content-Type": "application/json", "X-Id": "7"}, {"n": 1}]),
        ),
        (
            "change",
            json!({"id": 1, "body": {"n": 1}}),
            json!(["put", "https://shop.example/v2/pets/1",
            {"Accept": "application/json", "Content-Type": "application/json"}, {"n": 1}]),
        ),
        (
            "form",
            json!({"id": 1, "name": "x"}),
            json!(["post", "https://shop.example/v2/pets/1",
            {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}, {"name": "x"}]),
        ),
    ] {
        assert_eq!(made(&swagger(), id, values), expected, "{id}");
    }
    let values = json!({"id": 5, "list": [1, 2], "joined": [1, 2], "deep": {"a": 1}, "sid": "s", "name": "n"});
    let expected = json!(["post", "https://docs.example/live/a/5?id=5&list=1&list=2&joined=1%2C2&deep%5Ba%5D=1",
        {"Content-Type": "application/json", "Cookie": "sid=s"}, {"name": "n"}]);
    assert_eq!(made(&openapi(), "make", values), expected);
    let whole = made(&openapi(), "make", json!({"id": 5, "body": [1]}));
    assert_eq!(whole[3], json!([1]));
}

#[test]
fn what_does_not_fit_is_told() {
    for (document, id, values, part) in [
        (swagger(), "none", json!({}), "no operation \"none\""),
        (swagger(), "one", json!({}), "\"id\" is missing"),
        (swagger(), "one", json!({"id": {}}), "takes text"),
        (swagger(), "one", json!({"id": ".."}), "cannot be empty"),
        (swagger(), "one", json!({"id": ""}), "cannot be empty"),
        (
            swagger(),
            "one",
            json!({"id": 1, "x": 2}),
            "no parameter \"x\"; it has id",
        ),
        (json!({"openapi": "4.0"}), "one", json!({}), "neither"),
        (
            json!({"openapi": "3.0.0", "paths": {"/": {"$ref": "#/paths/~1"}}}),
            "x",
            json!({}),
            "in a circle",
        ),
        (
            json!({"openapi": "3.0.0", "paths": {"/": {"$ref": "other.json"}}}),
            "x",
            json!({}),
            "no place of the document",
        ),
    ] {
        let error = request(&document, id, values).unwrap_err();
        assert!(error.detail.contains(part), "{}", error.detail);
        assert_eq!(error.status, 400);
    }
}

#[tokio::test]
async fn an_operation_is_called_through_its_document() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let yaml = "openapi: 3.0.3\npaths:\n  /pets/{id}:\n    get:\n      operationId: one\n      parameters:\n      \
        - {name: id, in: path, required: true, schema: {}}\n      - {name: q, in: query, schema: {}}\n";
    let router = Router::new()
        .route("/doc.yaml", get(move || async move { yaml }))
        .route(
            "/pets/{id}",
            get(async |Path(id): Path<String>, Query(query): Query<Value>| {
                axum::Json(json!({"id": id, "q": query["q"]}))
            }),
        );
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    // The document and the operation are reached by a name that leads here.
    let outgoing = Outgoing {
        addresses: AddressPolicy::Public,
        resolve: [("shop.example".to_owned(), address)].into(),
        ..Outgoing::default()
    };
    let caller = Caller::new(&outgoing).unwrap();
    let documents = Documents::new(caller.clone(), Files::default(), FORMAT);
    let ask = async |place: &str| {
        let call = json!({"document": {"endpoint": place}, "operationId": "one",
            "parameters": {"id": 7, "q": "x"}, "output": "content"});
        made(&caller, &documents, read("openapi call", call).unwrap(), "").await
    };
    let answer = ask("http://shop.example/doc.yaml").await.unwrap();
    assert_eq!(answer, json!({"id": "7", "q": "x"}));
    let error = ask("http://shop.example/none").await.unwrap_err();
    assert_eq!((error.status, error.retryable), (404, false));
    let error = ask("file:///etc/passwd").await.unwrap_err();
    assert!(
        error.detail.contains("connectors.files"),
        "{}",
        error.detail
    );
}
