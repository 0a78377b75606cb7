//! What calls of connectors and processes compile to, how secrets leave their inputs, and what is refused.

use graph::{Kind, Template};
use insta::assert_snapshot;
use quadrille_authoring::compile;

/// A workflow with these tasks, which may name the secrets `token`, `login` and `api-key`.
fn document(tasks: &str) -> String {
    let tasks = tasks.replace('\n', "\n  ");
    format!(
        "document: {{dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}}\n\
         use:\n  secrets: [token, login, api-key]\n  authentications:\n    shop: {{basic: {{use: login}}}}\n\
         do:\n  {tasks}\n"
    )
}

/// The task of a text: queue, input and what is sealed.
fn task(text: &str) -> String {
    let compiled = compile(&document(text)).unwrap_or_else(|findings| panic!("{findings:?}"));
    let Kind::Task(task) = &compiled.graph.nodes[0].kind else {
        panic!("no task");
    };
    let sealed = task.sealed.iter().map(|sealed| {
        let (at, secrets, value) = (&sealed.at, sealed.secrets.join(","), &sealed.value.0);
        format!("\n  {at} from {secrets}: {value}")
    });
    let of = format!(
        "{} {} {}",
        shown(&task.queue),
        shown(&task.name),
        shown(&task.input)
    );
    of + &sealed.collect::<String>()
}

fn shown(template: &Template) -> String {
    let all = |parts: Vec<String>| parts.join(", ");
    match template {
        Template::Literal(value) => value.to_json(),
        Template::Expr(expr) => format!("${{ {} }}", expr.0),
        Template::Array(elements) => format!("[{}]", all(elements.iter().map(shown).collect())),
        Template::Object(members) => {
            let members = members.iter();
            let members = members.map(|(key, member)| format!("{key}: {}", shown(member)));
            format!("{{{}}}", all(members.collect()))
        }
    }
}

/// What is wrong with a text, less its place.
fn wrong(text: &str) -> String {
    let findings = compile(&document(text)).expect_err("it is wrong");
    let lines = findings.iter().filter(|finding| finding.code != "unused");
    lines
        .map(|finding| format!("{} [{}]", finding.message, finding.code))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn secrets_leave_the_input() {
    let text = "- a: {call: http, with: {method: get, headers: {X-Key: '${ $secrets[\"api-key\"] }', Y: '${ .y }'}, \
        body: [1, '${ \"Bearer \\($secrets.token)\" }'], endpoint: {uri: 'https://x', authentication: {use: shop}}}}";
    assert_snapshot!(task(text), @r##"
    "http" "http" {method: "get", output: "content", headers: {X-Key: null, Y: ${ .y }}, body: [1, null], endpoint: "https://x", authentication: {basic: null}}
      /headers/X-Key from api-key: $secrets["api-key"]
      /body/1 from token: "Bearer \($secrets.token)"
      /authentication/basic from login: $secrets["login"]
    "##);
    let text = "- a: {call: task, with: {name: pay, input: '${ $secrets.login }'}}";
    assert_snapshot!(task(text), @r##"
    "default" "pay" null
       from login: $secrets.login
    "##);
    let text = "- a: {call: http, with: {method: get, endpoint: {uri: 'https://x', authentication: {bearer: {use: token}}}}}";
    assert_snapshot!(task(text), @r##"
    "http" "http" {method: "get", output: "content", endpoint: "https://x", authentication: {bearer: null}}
      /authentication/bearer from token: $secrets["token"]|if type=="string" then {token:.} else . end
    "##);
}

#[test]
fn secrets_stay_out_of_everything_else() {
    assert_snapshot!(wrong("- a: {set: {x: '${ $secrets.token }'}}"), @r##"$secrets may be named only in the `with` of calls, and in `environment` and `arguments` of what `run` starts; everywhere else it would be kept with the run [misplaced-secret]"##);
    assert_snapshot!(wrong("- a: {wait: PT1S, output: {as: '${ $secrets.token }'}}"), @r##"$secrets may be named only in the `with` of calls, and in `environment` and `arguments` of what `run` starts; everywhere else it would be kept with the run [misplaced-secret]"##);
    assert_snapshot!(wrong("- a: {call: http, with: {method: get, endpoint: '${ .url + $secrets.token + $input.x }'}}"), @r##"the expression ".url + $secrets.token + $input.x" is wrong: `$input` is not defined; these exist: $secrets; where $secrets is named nothing else of the run can be, and . is null [bad-expression]"##);
    assert_snapshot!(wrong("- a: {call: http, with: {method: get, endpoint: '${ $secrets.tokn }'}}"), @r##"`use.secrets` has no "tokn"; did you mean "token"? [unknown-name]"##);
    assert_snapshot!(wrong("- a: {call: http, with: {method: get, endpoint: '${ $secrets[\"to\" + \"ken\"] }'}}"), @r##"write the name of a secret after $secrets, as in $secrets.token or $secrets["api-token"] [misplaced-secret]"##);
    assert_snapshot!(wrong("- a: {call: http, with: {method: get, endpoint: {uri: 'https://x', authentication: {basic: {use: nobody}}}}}"), @r##"`use.secrets` has no "nobody"; declare it there [unknown-name]"##);
    assert_snapshot!(wrong("- a: {call: task, with: {name: '${ $secrets.token }'}}"), @r##"$secrets may be named only in the `with` of calls, and in `environment` and `arguments` of what `run` starts; everywhere else it would be kept with the run [misplaced-secret]"##);
    assert_snapshot!(wrong("- a: {run: {shell: {command: '${ $secrets.token }'}}}"), @r##"$secrets may be named only in the `with` of calls, and in `environment` and `arguments` of what `run` starts; everywhere else it would be kept with the run [misplaced-secret]"##);
}

#[test]
fn an_address_as_plain_text_names_no_secrets() {
    for address in [
        "https://x/$secrets.token",
        "https://x/{id}?key=$secrets.token",
    ] {
        let text = format!("- a: {{call: http, with: {{method: get, endpoint: '{address}'}}}}");
        let told = wrong(&text);
        assert!(told.ends_with("[misplaced-secret]"), "{told}");
    }
}

#[test]
fn headers_and_queries_hold_what_can_be_sent() {
    let text = "- a: {call: http, with: {method: get, endpoint: 'https://x', headers: {A: , B: [1], C: 1}, \
        query: {a: [1, {}, true], b: {}, c: , d: [[x]]}}}";
    assert_snapshot!(wrong(text), @r##"
    `A` must be text or a number, not nothing [bad-type]
    `B` must be text or a number, not a list [bad-type]
    this must be text, a number, true or false, not a map [bad-type]
    `b` must be text, a number, true, false or a list of these, not a map [bad-type]
    this must be text, a number, true or false, not a list [bad-type]
    "##);
}

#[test]
fn an_address_has_no_credentials() {
    let of = |address: &str| {
        wrong(&format!(
            "- a: {{call: http, with: {{method: get, endpoint: '{address}'}}}}"
        ))
    };
    for address in ["https://u:p@x/y", "http://{user}@x"] {
        assert!(of(address).ends_with("[bad-endpoint]"), "{address}");
    }
    assert!(
        task("- a: {call: http, with: {method: get, endpoint: 'https://x/@me?at=a@b'}}")
            .contains("@me")
    );
}

#[test]
fn policies() {
    let with = |policy: &str| {
        format!(
            "- a: {{call: http, with: {{method: get, endpoint: {{uri: 'https://x', authentication: {policy}}}}}}}"
        )
    };
    let policy = "{oauth2: {authority: 'https://id.example/{realm}', grant: client_credentials, client: {id: me, \
        secret: '${ $secrets.token }', authentication: client_secret_basic}, scopes: [api], endpoints: {token: /t}}}";
    assert_snapshot!(task(&with(policy)), @r##"
    "http" "http" {method: "get", output: "content", endpoint: "https://x", authentication: {oauth2: {authority: ${ "https://id.example/\(.["realm"]|if .==null then "" elif type=="array" or type=="object" then error(type+" in an address") elif .=="." or .==".." then error(.+" in the path of an address") else @uri end)" }, grant: "client_credentials", client: {id: "me", secret: null, authentication: "client_secret_basic"}, scopes: ["api"], endpoints: {"token":"/t"}}}}
      /authentication/oauth2/client/secret from token: $secrets.token
    "##);
    assert_snapshot!(task(&with("{oidc: {use: login}}")), @r##"
    "http" "http" {method: "get", output: "content", endpoint: "https://x", authentication: {oidc: null}}
      /authentication/oidc from login: $secrets["login"]
    "##);
    assert_snapshot!(task(&with("{digest: {username: a, password: b}}")), @r##""http" "http" {method: "get", output: "content", endpoint: "https://x", authentication: {digest: {"password":"b","username":"a"}}}"##);
    assert_snapshot!(wrong(&with("{oauth2: {authority: 'https://x', grant: authorization_code}}")), @r##"the grant "authorization_code" needs a person at a browser, whom a run does not have; use one of client_credentials, password, refresh_token, urn:ietf:params:oauth:grant-type:token-exchange [unsupported]"##);
    assert_snapshot!(wrong(&with("{oidc: {authority: 'https://x', grant: password, endpoints: {}, client: {authentication: tls}}}")), @r##"
    unknown key "endpoints"; allowed here: authority, grant, client, request, issuers, scopes, audiences, username, password, subject, actor [unknown-key]
    "tls" is not a word that `authentication` knows; use one of client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, none [bad-value]
    "##);
    assert_snapshot!(wrong(&with("{basic: {username: a, password: b}, bearer: {token: c}}")), @r##"authentication needs exactly one of basic, bearer, digest, oauth2, oidc, or `use` with a name [bad-value]"##);
    for (wrongly, told) in [
        (
            "client: {id: 5}",
            "`id` must be text, not a number; quote the value",
        ),
        (
            "endpoints: {token: [a]}",
            "`token` must be text, not a list",
        ),
        ("scopes: [a, {b: c}]", "this must be text, not a map"),
        ("issuers: a", "`issuers` must be a list, not text"),
        (
            "username: 5",
            "`username` must be text, not a number; quote the value",
        ),
    ] {
        let policy = format!("{{oauth2: {{authority: 'https://x', grant: password, {wrongly}}}}}");
        assert_eq!(wrong(&with(&policy)), format!("{told} [bad-type]"));
    }
}

#[test]
fn calls() {
    let text = "- a: {call: openapi, with: {document: {endpoint: 'https://x/doc.json'}, operationId: getPet, \
        parameters: {id: '${ .id }'}, authentication: {use: shop}, output: response}}";
    assert_snapshot!(task(text), @r##"
    "openapi" "openapi" {document: {endpoint: "https://x/doc.json"}, operationId: "getPet", parameters: {id: ${ .id }}, authentication: {basic: null}, output: "response"}
      /authentication/basic from login: $secrets["login"]
    "##);
    assert_snapshot!(wrong("- a: {call: openapi, with: {document: {endpoint: 'ftp://x'}}}"), @r##"
    `operationId` is missing; add it here [missing-key]
    the endpoint "ftp://x" must start with http:// or https://, or be one expression wrapped in ${ } [bad-endpoint]
    "##);
    assert_snapshot!(wrong("- a: {call: asyncapi, with: {document: {endpoint: 'https://x'}, operation: o}}"), @r##"
    exactly one of `message` and `subscription` is needed here [bad-value]
    `call: asyncapi` is not supported yet; there is no connector for it; use `call: http` if the other side speaks HTTP, or `call: task` with a worker of yours [unsupported]
    "##);
    assert_snapshot!(wrong("- a: {call: a2a, with: {method: message/send, server: 'https://x'}}"), @r##"`call: a2a` is not supported yet; there is no connector for it; use `call: http` if the other side speaks HTTP, or `call: task` with a worker of yours [unsupported]"##);
}

#[test]
fn methods_of_grpc() {
    let text = "- a: {call: grpc, with: {proto: {endpoint: 'file://app/greet.proto'}, service: {name: a.Greeter, host: '${ .host }', \
        port: 5011, authentication: {bearer: {use: token}}}, method: SayHello, arguments: {name: '${ .name }'}}}";
    assert_snapshot!(task(text), @r##"
    "grpc" "grpc" {proto: {endpoint: "file://app/greet.proto"}, service: {name: "a.Greeter", host: ${ .host }, port: 5011, authentication: {bearer: null}}, method: "SayHello", arguments: {name: ${ .name }}}
      /service/authentication/bearer from token: $secrets["token"]|if type=="string" then {token:.} else . end
    "##);
    let wrong_of = |service: &str, method: &str| {
        wrong(&format!(
            "- a: {{call: grpc, with: {{proto: {{endpoint: 'https://x/a.proto'}}, service: {service}, method: {method}, arguments: {{}}}}}}"
        ))
    };
    assert_snapshot!(wrong_of("{name: a}", "b"), @r##"`host` is missing; add it here [missing-key]"##);
    assert_snapshot!(wrong_of("{name: a/b, host: 'https://x/y', port: 0}", "a.B"), @r##"
    "a/b" is not the name of a service; write it with its package, as in shop.v1.Orders [bad-value]
    "https://x/y" is not a host; write a name or an address, as in api.example or https://api.example, or one expression wrapped in ${ } [bad-value]
    `port` must be from 1 to 65535, not 0 [bad-value]
    "a.B" is not the name of a method; write its name alone, as in GetOrder [bad-value]
    "##);
    assert_snapshot!(wrong_of("{name: .a, host: 'grpc://x', port: '80'}", "''"), @r##"
    ".a" is not the name of a service; write it with its package, as in shop.v1.Orders [bad-value]
    "grpc://x" is not a host; write a name or an address, as in api.example or https://api.example, or one expression wrapped in ${ } [bad-value]
    `port` must be a whole number, not text [bad-type]
    "" is not the name of a method; write its name alone, as in GetOrder [bad-value]
    "##);
    assert_snapshot!(wrong_of("{name: a, host: x, tls: true, authentication: {digest: {username: a, password: b}}}", "B"), @r##"
    unknown key "tls"; allowed here: name, host, port, authentication [unknown-key]
    `digest` answers a challenge, which gRPC does not make; use basic, bearer, oauth2 or oidc [bad-value]
    "##);
    assert_snapshot!(wrong("- a: {call: grpc, with: {service: {name: a, host: b}, method: [c], arguments: [1]}}"), @r##"
    `proto` is missing; add it here [missing-key]
    `method` must be text, not a list [bad-type]
    `arguments` must be a map or one expression wrapped in ${ }, not a list [bad-type]
    "##);
}

#[test]
fn methods_of_mcp() {
    let text = "- a: {call: mcp, with: {method: tools/call, protocolVersion: 2025-11-25, parameters: {name: add, arguments: '${ . }'}, \
        timeout: PT2S, client: {name: me, version: '1'}, \
        transport: {http: {endpoint: {uri: 'https://x/{id}', authentication: {bearer: {use: token}}}, headers: {X: '${ $secrets[\"api-key\"] }'}}}}}";
    assert_snapshot!(task(text), @r##"
    "mcp" "mcp" {method: "tools/call", parameters: {name: "add", arguments: ${ . }}, protocolVersion: "2025-11-25", timeoutMs: 2000, client: {name: "me", version: "1"}, transport: {headers: {X: null}, endpoint: ${ "https://x/\(.["id"]|if .==null then "" elif type=="array" or type=="object" then error(type+" in an address") elif .=="." or .==".." then error(.+" in the path of an address") else @uri end)" }, authentication: {bearer: null}}}
      /transport/headers/X from api-key: $secrets["api-key"]
      /transport/authentication/bearer from token: $secrets["token"]|if type=="string" then {token:.} else . end
    "##);
    let text = "- a: {call: mcp, with: {method: tools/list, transport: {stdio: {command: npx, arguments: [-y, '${ .package }'], \
        environment: {T: '${ $secrets.token }'}}}}}";
    assert_snapshot!(task(text), @r##"
    "process" "mcp" {method: "tools/list", transport: {command: "npx", arguments: ["-y", ${ .package }], environment: {T: null}}}
      /transport/environment/T from token: $secrets.token
    "##);
    let wrong_of = |with: &str| wrong(&format!("- a: {{call: mcp, with: {{{with}}}}}"));
    assert_snapshot!(wrong_of("method: tools/run, protocolVersion: '2023-01-01', transport: {}, timeout: PT1H, client: {name: a}"), @r##"
    "tools/run" is not a word that `method` knows; use one of tools/list, tools/call, prompts/list, prompts/get, resources/list, resources/read, resources/templates/list [bad-value]
    "2023-01-01" is not a word that `protocolVersion` knows; did you mean "2024-11-05"? [bad-value]
    exactly one of `http` and `stdio` is needed here [bad-value]
    `timeout` must be from 1 ms to 15 minutes, not 3600000 ms [bad-value]
    `version` is missing; add it here [missing-key]
    "##);
    assert_snapshot!(wrong_of("method: tools/call, transport: {http: {headers: {a: [1]}}}"), @r##"
    `parameters` is missing; add it here [missing-key]
    `endpoint` is missing; add it here [missing-key]
    `a` must be text or a number, not a list [bad-type]
    "##);
    assert_snapshot!(wrong_of("method: resources/read, parameters: {}, transport: {http: {endpoint: 'ftp://x'}, options: {a: b}}"), @r##"
    `uri` is missing; add it here [missing-key]
    the endpoint "ftp://x" must start with http:// or https://, or be one expression wrapped in ${ } [bad-endpoint]
    an option of a transport is not supported yet; none is known; leave `options` out [unsupported]
    "##);
    assert_snapshot!(wrong_of("method: prompts/list, parameters: [1], transport: {stdio: {command: [a], arguments: a}}"), @r##"
    `parameters` must be a map or one expression wrapped in ${ }, not a list [bad-type]
    `command` must be text, not a list [bad-type]
    `arguments` must be a list, or one expression wrapped in ${ }, not text [bad-type]
    "##);
    assert_snapshot!(wrong_of("method: prompts/list, transport: {http: {endpoint: 'https://x'}, stdio: {command: a}}"), @r##"exactly one of `http` and `stdio` is needed here [bad-value]"##);
}

#[test]
fn processes() {
    let text = "- a: {run: {shell: {command: 'echo $1', arguments: ['${ .x }'], environment: {T: '${ $secrets.token }'}, stdin: '${ . }'}}}";
    assert_snapshot!(task(text), @r##"
    "process" "shell" {command: "echo $1", arguments: [${ .x }], environment: {T: null}, stdin: ${ . }, return: "stdout"}
      /environment/T from token: $secrets.token
    "##);
    let text = "- a: {run: {script: {language: javascript, code: 'console.log(1)'}, return: all, await: false}}";
    assert_snapshot!(task(text), @r##""process" "script" {language: "js", code: "console.log(1)", return: "all", await: false, data: ${ . }}"##);
    let text = "- a: {run: {container: {image: alpine, ports: {'80': 8080}, volumes: {/a: /b}, pullPolicy: never, \
        lifetime: {cleanup: eventually, after: PT1M}}}}";
    assert_snapshot!(task(text), @r##""process" "container" {image: "alpine", ports: {"80":8080}, volumes: {"/a":"/b"}, pullPolicy: "never", cleanup: 60000, return: "stdout"}"##);
    assert_snapshot!(wrong("- a: {run: {script: {language: ruby, code: x, source: {endpoint: 'https://x'}}}}"), @r##"
    a script needs exactly one of `code` and `source` [bad-value]
    scripts are written in js or python, not in "ruby"; run others as a container [bad-value]
    "##);
    assert_snapshot!(wrong("- a: {run: {shell: {command: ls}, container: {image: x}}}"), @r##"`run` needs exactly one of container, script, shell, workflow [bad-value]"##);
    assert_snapshot!(wrong("- a: {run: {container: {image: x, lifetime: {cleanup: eventually}}, return: exit}}"), @r##"
    `after` is missing; add it here [missing-key]
    "exit" is not a word that `return` knows; use one of stdout, stderr, code, all, none [bad-value]
    "##);
}
