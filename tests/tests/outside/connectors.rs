//! Calls and processes through the real binary: each connector once, and secrets that nothing keeps.

use std::path::Path;

use quadrille_tests::{Quadrille, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::workflow;

/// No value that a secret has here is found anywhere else.
const SECRET: &str = "s3cr3t-of-the-shop";

/// A server that answers each request with its own first lines in JSON, and a document of it at `/doc.json`.
async fn mirror() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut request = vec![0; 8192];
                let length = stream.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let mut lines = request.lines();
                let first = lines.next().unwrap_or_default().to_owned();
                let header = |name: &str| {
                    let mut found = request.lines().filter_map(|line| line.split_once(": "));
                    let found = found.find(|(key, _)| key.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.to_owned())
                };
                let body = match first.contains("/doc.json") {
                    true => {
                        json!({"openapi": "3.0.0", "paths": {"/pets/{id}": {"get": {"operationId": "one",
                        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {}}]}}}})
                    }
                    false => {
                        json!({"request": first, "authorization": header("authorization"), "key": header("x-key")})
                    }
                };
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            });
        }
    });
    port
}

/// Whether any file below a folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => holds(&path, bytes),
            false => std::fs::read(&path)
                .unwrap()
                .windows(bytes.len())
                .any(|window| window == bytes),
        }
    })
}

/// A workflow that may name the secrets `shop` and `login`.
fn secretive(name: &str, tasks: &str) -> String {
    workflow(name, tasks).replace("\ndo:", "\nuse: {secrets: [shop, login]}\ndo:")
}

/// Runs a workflow in a process of its own: its output.
async fn exec(text: &str, input: &Value, more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("workflow.yaml");
    std::fs::write(&file, text).unwrap();
    let input = input.to_string();
    let mut arguments = vec!["exec", file.to_str().unwrap(), "--input", &input];
    arguments.extend(more);
    let ended = Quadrille::new(arguments).run().await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

#[tokio::test]
async fn a_secret_is_used_and_never_kept() {
    let port = mirror().await;
    let tasks = format!(
        "  - call:\n      call: http\n      with:\n        method: get\n        output: response\n        \
         headers: {{X-Key: '${{ $secrets.shop }}'}}\n        endpoint: {{uri: 'http://127.0.0.1:{port}/a', \
         authentication: {{basic: {{use: login}}}}}}\n  - keep: {{wait: PT0.01S}}\n"
    );
    let login = json!({"username": "ada", "password": SECRET}).to_string();
    let mut server = Server::start_with(&[
        ("QUADRILLE_CONNECTORS_HTTP_ALLOW_PRIVATE", "true"),
        ("QUADRILLE_SECRET_SHOP", SECRET),
        ("QUADRILLE_SECRET_LOGIN", &login),
    ])
    .await;
    let text = secretive("secretive", &tasks);
    server.deploy(&[&text]).await;
    let ended = server.run(&["run", "secretive", "--wait"]).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    // The other side saw it and said so; what is kept of its answer has dots.
    assert!(ended.stdout.contains("•••"), "{}", ended.stdout);
    let id = first_id(&server).await;
    let history = server.run(&["history", &id, "-o", "json"]).await;
    let shown = format!("{}{}{}", ended.stdout, ended.stderr, history.stdout);
    assert!(!shown.contains(SECRET), "{shown}");
    server.terminate().await;
    assert!(
        holds(server.data(), b"secretive"),
        "the data is not where it is looked for"
    );
    assert!(!holds(server.data(), SECRET.as_bytes()));
}

async fn first_id(server: &Server) -> String {
    let listed = server.run(&["list", "runs", "-o", "json"]).await;
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    listed[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_missing_secret_fails_its_task_by_name() {
    let server = Server::start().await;
    let tasks = "  - call: {call: http, with: {method: get, endpoint: '${ $secrets.shop }'}}";
    server.deploy(&[&secretive("missing", tasks)]).await;
    let ended = server.run(&["run", "missing", "--wait"]).await;
    assert_ne!(ended.code, 0);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains("QUADRILLE_SECRET_SHOP"), "{said}");
    server.demand_service().await;
}

#[tokio::test]
async fn methods_of_a_grpc_server_are_called_by_its_file() {
    // The server that speaks gRPC is the one that runs the workflow.
    let protos = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/api/proto");
    let server = Server::start_with(&[
        ("QUADRILLE_CONNECTORS_HTTP_ALLOW_PRIVATE", "true"),
        ("QUADRILLE_CONNECTORS_FILES", protos),
    ])
    .await;
    let port = server
        .url()
        .rsplit(':')
        .next()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let call = |method: &str, arguments: &str| {
        format!(
            "{{call: grpc, with: {{proto: {{endpoint: 'file:///quadrille/v1/quadrille.proto'}}, method: {method}, \
             service: {{name: quadrille.v1.Runs, host: 127.0.0.1, port: {port}}}, arguments: {arguments}}}}}"
        )
    };
    let (start, watch) = (
        call("Start", "{workflow: short, waitMs: 10000}"),
        call("Watch", "{id: '${ .id }'}"),
    );
    let short = workflow("short", "  - set: {set: {a: 1}}");
    let calls = workflow("calls", &format!("  - start: {start}\n  - watch: {watch}"));
    server.deploy(&[&short, &calls]).await;
    let ended = server.run(&["run", "calls", "--wait"]).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let events: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!((kinds[0], *kinds.last().unwrap()), ("Started", "Ended"));
    let numbers: Vec<_> = events
        .iter()
        .map(|event| event["number"].as_str().unwrap())
        .collect();
    let expected: Vec<_> = (0..events.len()).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);

    let many = r#"'${ [1, 2] | map({starts: [{number: ., start: {workflow: "short"}}]}) }'"#;
    let many = workflow("many", &format!("  - start: {}", call("StartMany", many)));
    server.deploy(&[&many]).await;
    let ended = server.run(&["run", "many", "--wait"]).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let answers: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    let started = answers
        .iter()
        .flat_map(|answer| answer["answers"].as_array().unwrap());
    let started = started.filter(|answer| answer["started"]["created"] == true);
    assert_eq!(started.count(), 2, "{}", ended.stdout);

    let missing = workflow(
        "missing",
        &format!("  - get: {}", call("Get", "{id: '${ .id }'}")),
    );
    server.deploy(&[&missing]).await;
    let input = json!({"id": "00000000-0000-0000-0000-000000000000"}).to_string();
    let failed = server
        .run(&["run", "missing", "--wait", "--input", &input])
        .await;
    assert_eq!(failed.code, 1, "{}", failed.stderr);
    assert!(failed.stderr.contains("NOT_FOUND"), "{}", failed.stderr);
    server.demand_service().await;
}

/// A server of MCP, which knows the tools `who` and `fail`, as a script.
const MCP_SERVER: &str = r#"
while read -r line; do
  id=$(echo "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  case "$line" in
    *'"initialize"'*) result='{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}}' ;;
    *'"tools/list"'*) result='{"tools":[{"name":"who"},{"name":"fail"}]}' ;;
    *'"name":"who"'*) result='{"content":[{"type":"text","text":"'"$1 $TOKEN"'"}]}' ;;
    *'"name":"fail"'*) result='{"content":[{"type":"text","text":"not today"}],"isError":true}' ;;
    *) continue ;;
  esac
  echo '{"jsonrpc":"2.0","id":'"$id"',"result":'"$result"'}'
done
"#;

#[tokio::test]
async fn a_process_that_serves_mcp_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let (script, secret) = (
        folder.path().join("server.sh"),
        folder.path().join("secret"),
    );
    std::fs::write(&script, MCP_SERVER).unwrap();
    std::fs::write(&secret, SECRET).unwrap();
    let call = |method: &str, parameters: &str, output: &str| {
        format!(
            "{{call: mcp, with: {{method: {method}, parameters: {parameters}, transport: {{stdio: {{command: sh, \
             arguments: ['{}', '${{ .name }}'], environment: {{TOKEN: '${{ $secrets.shop }}'}}}}}}}}, \
             output: {{as: '${{ $input + {output} }}'}}}}",
            script.display()
        )
    };
    let tasks = [
        call("tools/call", "{name: who}", "{text: .content[0].text}"),
        call("tools/list", "{}", "{tools: (.tools | map(.name))}"),
        call("tools/call", "{name: fail}", "."),
    ];
    let [who, list, fail] = tasks;
    let caught = "{as: error, do: [keep: {set: {all: '${ . }', detail: '${ $error.detail }'}}]}";
    let tasks = format!(
        "  - who: {who}\n  - list: {list}\n  - may: {{try: [fail: {fail}], catch: {caught}}}\n"
    );
    let text = secretive("servers", &tasks);
    let given = format!("shop=@{}", secret.display());
    let output = exec(&text, &json!({"name": "ada"}), &["--secret", &given]).await;
    let expected = json!({"detail": "the tool \"fail\" of the process sh failed: not today",
        "all": {"name": "ada", "text": "ada •••", "tools": ["who", "fail"]}});
    assert_eq!(output, expected);

    // Where processes are closed, so is this.
    let server = Server::start().await;
    let closed =
        "  - a: {call: mcp, with: {method: tools/list, transport: {stdio: {command: sh}}}}";
    server.deploy(&[&workflow("closed", closed)]).await;
    let ended = server.run(&["run", "closed", "--wait"]).await;
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.code != 0 && said.contains("connectors.process.enabled: true"),
        "{said}"
    );
}

/// A server of MCP over HTTP: greets, is told that all is well, and answers with what it was asked as a stream.
async fn mcp_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 8192];
            let mut length = 0;
            let body = loop {
                length += stream.read(&mut request[length..]).await.unwrap();
                let text = String::from_utf8_lossy(&request[..length]);
                let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
                let wanted = head.lines().filter_map(|line| line.split_once(": "));
                let mut wanted =
                    wanted.filter(|(key, _)| key.eq_ignore_ascii_case("content-length"));
                if wanted
                    .next()
                    .is_none_or(|(_, bytes)| body.len() >= bytes.parse().unwrap())
                {
                    break serde_json::from_str(body).unwrap_or(Value::Null);
                }
            };
            let id = &body["id"];
            let (head, body) = match body["method"].as_str() {
                Some("initialize") => {
                    let welcome = json!({"protocolVersion": "2025-06-18", "capabilities": {}});
                    let body = json!({"jsonrpc": "2.0", "id": id, "result": welcome});
                    ("200 OK\r\ncontent-type: application/json", body.to_string())
                }
                Some("tools/call") => {
                    let body =
                        json!({"jsonrpc": "2.0", "id": id, "result": {"asked": body["params"]}});
                    (
                        "200 OK\r\ncontent-type: text/event-stream",
                        format!("event: message\r\ndata: {body}\r\n\r\n"),
                    )
                }
                _ => ("202 Accepted", String::new()),
            };
            let answer = format!(
                "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    port
}

#[tokio::test]
async fn a_server_of_mcp_is_called_where_calls_may_go() {
    let port = mcp_server().await;
    let call = format!(
        "  - a: {{call: mcp, with: {{method: tools/call, parameters: {{name: add, arguments: '${{ . }}'}}, \
         transport: {{http: {{endpoint: 'http://127.0.0.1:{port}/mcp'}}}}}}}}"
    );
    let text = workflow("called", &call);
    let output = exec(&text, &json!({"x": 1}), &[]).await;
    assert_eq!(
        output,
        json!({"asked": {"name": "add", "arguments": {"x": 1}}})
    );

    let server = Server::start().await;
    server.deploy(&[&text]).await;
    let ended = server.run(&["run", "called", "--wait"]).await;
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(ended.code != 0 && said.contains("allow_private"), "{said}");
}

#[tokio::test]
async fn an_operation_of_a_document_is_called() {
    let port = mirror().await;
    let text = workflow(
        "openapi",
        &format!(
            "  - one: {{call: openapi, with: {{document: {{endpoint: 'http://127.0.0.1:{port}/doc.json'}}, \
             operationId: one, parameters: {{id: '${{ .id }}'}}}}}}"
        ),
    );
    let output = exec(&text, &json!({"id": "a b"}), &[]).await;
    assert_eq!(output["request"], "GET /pets/a%20b HTTP/1.1");
}

#[tokio::test]
async fn names_are_led_to_addresses_of_the_operator() {
    let port = mirror().await;
    let led = format!("shop.example=127.0.0.1:{port}");
    let server = Server::start_with(&[("QUADRILLE_CONNECTORS_HTTP_RESOLVE", &led)]).await;
    let tasks = "  - a: {call: http, with: {method: get, endpoint: 'http://shop.example/pets?status={status}'}}";
    server.deploy(&[&workflow("led", tasks)]).await;
    let ended = server
        .run(&["run", "led", "--input", "{\"status\": \"new\"}", "--wait"])
        .await;
    assert!(
        ended.stdout.contains("GET /pets?status=new"),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
}

#[tokio::test]
async fn processes_run_where_they_may_and_hide_what_they_were_given() {
    let text = secretive(
        "process",
        "  - shell: {run: {shell: {command: 'echo \"$1 $T\"', arguments: ['${ .x }'], \
         environment: {T: '${ $secrets.shop }'}}, return: all}}",
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, SECRET).unwrap();
    let given = format!("shop=@{}", file.display());
    let output = exec(&text, &json!({"x": "hello"}), &["--secret", &given]).await;
    assert_eq!(
        output,
        json!({"code": 0, "stdout": "hello •••\n", "stderr": ""})
    );

    let server = Server::start().await;
    let text = workflow("closed", "  - shell: {run: {shell: {command: 'true'}}}");
    server.deploy(&[&text]).await;
    let ended = server.run(&["run", "closed", "--wait"]).await;
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.code != 0 && said.contains("connectors.process.enabled: true"),
        "{said}"
    );
}

#[tokio::test]
async fn data_does_not_lead_to_another_path() {
    let port = mirror().await;
    let text = workflow(
        "paths",
        &format!(
            "- get: {{call: http, with: {{method: get, endpoint: 'http://127.0.0.1:{port}/pets/{{id}}/tags?of={{id}}'}}}}"
        ),
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paths.yaml");
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    for (id, request) in [
        ("a/..", Some("GET /pets/a%2F../tags?of=a%2F.. HTTP/1.1")),
        ("..", None),
        (".", None),
    ] {
        let input = json!({"id": id}).to_string();
        let ended = Quadrille::new(["exec", &file, "--input", &input])
            .run()
            .await;
        match request {
            Some(request) => assert_eq!(ended.json()["request"], request),
            None => {
                assert_eq!(ended.code, 1, "{ended:?}");
                assert!(ended.error()["type"].to_string().contains("expression"));
                assert!(
                    ended.stderr.contains("in the path of an address"),
                    "{ended:?}"
                );
            }
        }
    }
}
