//! Owns the profile of calls, of authentication, and of `run`.
//!
//! Invariant: what is refused is listed with all its keys, so that nothing of the language goes without a row.

use super::document::ENDPOINT;
use super::shape::Takes::{
    Either, Except, Expression, Flag, List, Map, Number, Shape as Of, Text, Value, Values, Words,
};
use super::shape::{DURATION, Key, Shape, key, shape, task};

/// Calls of the language and of the built-in catalogue, which no function of a document can be called as.
const NAMED: &[&str] = &[
    "http",
    "openapi",
    "grpc",
    "asyncapi",
    "mcp",
    "a2a",
    "task",
    "map",
    "race",
    "saga",
    "finally",
    "loop",
    "lock",
    "wait-until",
    "child",
    "human-task",
    "lock",
];

const REMEDY: &str =
    "Use `call: http`, or `call: task` with a worker of yours that makes the call.";

const AUTHENTICATION: super::shape::Takes = Of("authentication");

const OUTPUT: super::shape::Takes = Words(&["raw", "content", "response"]);

const HTTP: &[Key] = &[
    key("method", Text, "get", "get, post, put, patch, delete, head, options, in any case; or an expression.").required(),
    key("endpoint", ENDPOINT, "'https://example.com/{a}'", "`{name}` puts a member of the data in, by its name to the letter, escaped (RFC 6570 level 1); for more write an expression. Only http and https.").required(),
    key("headers", Values, "{a: b}", "Text or numbers, or one expression."),
    key("body", Value, "{a: 1}", "JSON, a form, or text, as the header `Content-Type` says."),
    key("query", Values, "{a: b}", "Text, numbers, truth values, lists of these, or one expression."),
    key("output", OUTPUT, "content", "`content`: JSON as data, other text as text, else base64. `raw`: base64. `response`: request, status, headers, content."),
    key("redirect", Flag, "true", "True follows up to 5 redirects, and takes one that is left over as an answer; else a status of 3xx is a failure."),
];

const OPENAPI: &[Key] = &[
    key(
        "document",
        Of("external resource"),
        "{endpoint: 'https://example.com'}",
        "",
    )
    .required(),
    key("operationId", Text, "a", "").required(),
    key("parameters", Values, "{a: 1}", ""),
    key("authentication", AUTHENTICATION, "{use: a}", ""),
    key("output", OUTPUT, "content", ""),
    key("redirect", Flag, "true", ""),
];

const GRPC: &[Key] = &[
    key("proto", Of("external resource"), "{endpoint: 'https://example.com'}", "One file, of at most 1 MiB. Of its imports Google's well-known types are followed; options and extensions are passed over.").required(),
    key("service", Of("grpc service"), "{name: a, host: b}", "").required(),
    key("method", Text, "a", "Of any kind. One that answers with a stream gives a list.").required(),
    key("arguments", Values, "{a: 1}", "The message in the JSON form of Protocol Buffers. For a method that takes a stream also an expression that gives a list of messages. Default: the empty message."),
];

const GRPC_SERVICE: &[Key] = &[
    key("name", Text, "a", "With its package.").required(),
    key("host", Text, "a", "TLS is spoken on port 443, elsewhere where `https://` stands before the host; nowhere where `http://` does.").required(),
    key("port", Number(1, 65_535), "1", "Default: 443."),
    key("authentication", AUTHENTICATION, "{use: a}", "Without `digest`."),
];

const ASYNCAPI: &[Key] = &[
    key(
        "document",
        Of("external resource"),
        "{endpoint: 'https://example.com'}",
        "",
    )
    .required(),
    key("channel", Text, "a", ""),
    key("operation", Text, "a", ""),
    key("server", Of("asyncapi server"), "{name: a}", ""),
    key("protocol", Text, "kafka", ""),
    key("message", Of("asyncapi message"), "{payload: {}}", ""),
    key(
        "subscription",
        Of("asyncapi subscription"),
        "{consume: {amount: 1}}",
        "",
    ),
    key("authentication", AUTHENTICATION, "{use: a}", ""),
];

const MCP: &[Key] = &[
    key(
        "protocolVersion",
        Words(&["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]),
        "'2025-06-18'",
        "What is asked for; a server that speaks another of these is spoken to in it. Default: `2025-06-18`.",
    ),
    key(
        "method",
        Words(&[
            "tools/list",
            "tools/call",
            "prompts/list",
            "prompts/get",
            "resources/list",
            "resources/read",
            "resources/templates/list",
        ]),
        "tools/list",
        "Lists are read to their end, unless `parameters` has a `cursor`.",
    )
    .required(),
    key(
        "parameters",
        Values,
        "{a: 1}",
        "Needed with `name` for `tools/call` and `prompts/get`, with `uri` for `resources/read`.",
    ),
    key(
        "timeout",
        DURATION,
        "PT1M",
        "For the whole call, at most 15 minutes. Default: a minute.",
    ),
    key(
        "transport",
        Of("mcp transport"),
        "{http: {endpoint: 'https://example.com'}}",
        "",
    )
    .required(),
    key(
        "client",
        Of("mcp client"),
        "{name: a, version: b}",
        "Default: this server.",
    ),
];

const MCP_TRANSPORT: &[Key] = &[
    key(
        "http",
        Of("mcp http"),
        "{endpoint: 'https://example.com'}",
        "",
    ),
    key("stdio", Of("mcp stdio"), "{command: a}", FOREIGN),
    key("options", Map(&Text), "{a: b}", "None is known.").refused(),
];

const MCP_HTTP: &[Key] = &[
    key("endpoint", ENDPOINT, "'https://example.com'", "").required(),
    key(
        "headers",
        Values,
        "{a: b}",
        "Text or numbers, or one expression.",
    ),
];

const MCP_STDIO: &[Key] = &[
    key(
        "command",
        Text,
        "a",
        "A program in the `PATH` of the server, or by its whole path; no shell reads it.",
    )
    .required(),
    key("arguments", List(&Text), "[a]", ""),
    key("environment", Values, "{a: b}", ""),
];

const MCP_CLIENT: &[Key] = &[
    key("name", Text, "a", "").required(),
    key("version", Text, "b", "").required().later(),
    key("description", Text, "c", ""),
];

const A2A: &[Key] = &[
    key(
        "agentCard",
        Of("external resource"),
        "{endpoint: 'https://example.com'}",
        "",
    ),
    key("server", ENDPOINT, "'https://example.com'", ""),
    key("method", Text, "message/send", "").required(),
    key("parameters", Values, "{a: 1}", ""),
];

const ENDPOINT_KEYS: &[Key] = &[
    key("uri", Text, "'https://example.com'", "").required(),
    key("authentication", AUTHENTICATION, "{bearer: {token: a}}", ""),
];

const AUTHENTICATION_KEYS: &[Key] = &[
    key(
        "use",
        Text,
        "a",
        "A policy of `use.authentications`. Not inside of such a policy.",
    ),
    key(
        "basic",
        Either(&[Of("basic"), Of("secret")]),
        "{username: a, password: b}",
        "",
    ),
    key(
        "bearer",
        Either(&[Of("bearer"), Of("secret")]),
        "{token: a}",
        "",
    ),
    key(
        "digest",
        Either(&[Of("basic"), Of("secret")]),
        "{username: a, password: b}",
        "RFC 7616.",
    ),
    key(
        "oauth2",
        Either(&[Of("oauth2"), Of("secret")]),
        "{authority: 'https://example.com', grant: client_credentials}",
        "",
    ),
    key(
        "oidc",
        Either(&[Of("oauth2"), Of("secret")]),
        "{authority: 'https://example.com', grant: client_credentials}",
        "As `oauth2`, with the endpoints that the authority's discovery document names.",
    ),
];

const RUN: &[Key] = &[
    key(
        "workflow",
        Of("subflow"),
        "{namespace: default, name: a, version: '1.0.0'}",
        "",
    ),
    key("container", Of("container"), "{image: a}", FOREIGN),
    key("script", Of("script"), "{language: js, code: a}", FOREIGN),
    key("shell", Of("shell"), "{command: ls}", FOREIGN),
    key(
        "await",
        Flag,
        "false",
        "False starts it and leaves it to itself; the output is the input of the task.",
    ),
    key(
        "return",
        Words(&["stdout", "stderr", "code", "all", "none"]),
        "stdout",
        "Not with `workflow`, whose result is its output.",
    ),
];

const FOREIGN: &str =
    "Closed unless the server sets `connectors.process.enabled`; it has the rights of the server.";

const SUBFLOW: &[Key] = &[
    key("namespace", Text, "a", "Default: the document's own.").differs(),
    key("name", Text, "a", "").required(),
    key(
        "version",
        Text,
        "'1.0.0'",
        "Default, and `latest`: the newest version at the time of the start.",
    )
    .differs(),
    key("input", Value, "{a: 1}", "Default: the task's input."),
];

/// The shapes of this file, in the order of the page.
pub(super) const SHAPES: &[Shape] = &[
    task("call: http", &["CallHTTP"], "Done by the connector of the server, at least once: a request that a crash cut off is sent again. 30 seconds for a request; responses up to 1 MiB. A status other than 2xx, or none, fails with the type `communication` and that status. Private addresses are refused unless the server allows them.", &[
        key("call", Words(&["http"]), "http", "").required(),
        key("with", Of("http request"), "{method: get, endpoint: 'https://example.com'}", "").required(),
    ]),
    shape("http request", &["CallHTTP.with"], "do: [a: {call: http, with: @}]", "", HTTP),
    shape("endpoint", &["endpoint"], "do: [a: {call: http, with: {method: get, endpoint: @}}]", "", ENDPOINT_KEYS),
    shape("authentication", &["authenticationPolicy", "referenceableAuthenticationPolicy"], "use: {authentications: {a: {bearer: {token: a}}}}\ndo: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: @}}}]", "Values may be expressions. What they give is part of the task's input and so of the run's history, but for what names `$secrets`.", AUTHENTICATION_KEYS).one_of(&["basic", "use", "bearer", "digest", "oauth2", "oidc"]),
    shape("basic", &["authenticationPolicy.basic", "authenticationPolicy.digest"], "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {basic: @}}}}]", "Also of `digest`.", &[
        key("username", Text, "a", "").required(),
        key("password", Text, "a", "").required(),
    ]),
    shape("bearer", &["authenticationPolicy.bearer"], "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {bearer: @}}}}]", "", &[
        key("token", Text, "a", "").required(),
    ]),
    shape("secret", &["secretBasedAuthenticationPolicy"], "use: {secrets: [a]}\ndo: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {basic: @}}}}]", "Of every kind of policy.", &[
        key("use", Text, "a", "A secret of `use.secrets` that holds the members of the policy.").required(),
    ]),
    shape("oauth2", &["oauth2AuthenticationProperties", "authenticationPolicy.oauth2", "authenticationPolicy.oidc"], "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {oauth2: @}}}}]", "Also of `oidc`, without `endpoints`.", &[
        key("authority", Text, "'https://example.com'", "").required(),
        key("grant", Words(&["client_credentials", "password", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"]), "client_credentials", "`authorization_code` is refused: it needs a person at a browser. A `refresh_token` is `subject.token`.").required(),
        key("client", Of("oauth2 client"), "{id: a}", ""), key("request", Of("oauth2 request"), "{}", ""),
        key("issuers", List(&Text), "[a]", "A token must be a JWT that names one of them; its signature is not checked."), key("scopes", List(&Text), "[a]", ""), key("audiences", List(&Text), "[a]", ""),
        key("username", Text, "a", ""), key("password", Text, "a", ""), key("subject", Of("oauth2 token"), "{token: a, type: b}", ""), key("actor", Of("oauth2 token"), "{token: a, type: b}", ""),
        key("endpoints", Of("oauth2 endpoints"), "{}", ""),
    ]),
    shape("oauth2 client", &["oauth2AuthenticationProperties.client"], "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {oauth2: {authority: 'https://example.com', grant: client_credentials, client: @}}}}}]", "", &[
        key("id", Text, "a", ""), key("secret", Text, "a", ""), key("assertion", Text, "a", ""),
        key("authentication", Words(&["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]), "none", "Default: `client_secret_post`."),
    ]),
    shape("oauth2 request", &["oauth2AuthenticationProperties.request"], "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {oauth2: {authority: 'https://example.com', grant: client_credentials, request: @}}}}}]", "", &[
        key("encoding", Words(&["application/x-www-form-urlencoded", "application/json"]), "application/json", ""),
    ]),
    shape("oauth2 endpoints", &["authenticationPolicy.oauth2.endpoints"], "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {oauth2: {authority: 'https://example.com', grant: client_credentials, endpoints: @}}}}}]", "", &[
        key("token", Text, "/a", "Below the authority, or an address of its own. Default: `/oauth2/token`."),
        key("revocation", Text, "/a", "Tokens are not revoked."), key("introspection", Text, "/a", "Tokens are not looked into."),
    ]),
    shape("oauth2 token", &["oauth2Token"], "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {oauth2: {authority: 'https://example.com', grant: client_credentials, subject: @}}}}}]", "", &[
        key("token", Text, "a", "").required(), key("type", Text, "a", "").required(),
    ]),
    task("call: openapi", &["CallOpenAPI"], "Swagger 2.0 and OpenAPI 3, found in its document and then done as `call: http` is. Security schemes of the document are not read.", &[
        key("call", Words(&["openapi"]), "openapi", "").required(),
        key("with", Of("openapi request"), "{document: {endpoint: 'https://example.com'}, operationId: a}", "").required(),
    ]),
    shape("openapi request", &["CallOpenAPI.with"], "use: {authentications: {a: {bearer: {token: a}}}}\ndo: [a: {call: openapi, with: @}]", "", OPENAPI),
    task("call: grpc", &["CallGRPC"], "Messages are data by the JSON form of Protocol Buffers: 64-bit integers are text, bytes are base64. In answers, fields without presence are there even if they are empty or zero.", &[
        key("call", Words(&["grpc"]), "grpc", "").required(),
        key("with", Of("grpc request"), "{proto: {endpoint: 'https://example.com'}, service: {name: a, host: b}, method: c}", "").required(),
    ]),
    shape("grpc request", &["CallGRPC.with"], "do: [a: {call: grpc, with: @}]", "", GRPC),
    shape("grpc service", &["CallGRPC.with.service"], "use: {authentications: {a: {bearer: {token: a}}}}
do: [a: {call: grpc, with: {proto: {endpoint: 'https://example.com'}, service: @, method: c}}]", "", GRPC_SERVICE),
    task("call: mcp", &["CallMCP"], "The output is the result as the server gives it. What a tool says to have failed is an error of type `runtime`.", &[
        key("call", Words(&["mcp"]), "mcp", "").required(),
        key("with", Of("mcp request"), "{method: tools/list, transport: {http: {endpoint: 'https://example.com'}}}", "").required(),
    ]),
    shape("mcp request", &["CallMCP.with"], "do: [a: {call: mcp, with: @}]", "", MCP),
    shape("mcp transport", &["CallMCP.with.transport"], "do: [a: {call: mcp, with: {method: tools/list, transport: @}}]", "", MCP_TRANSPORT).one_of(&["http", "stdio"]),
    shape("mcp http", &["CallMCP.with.transport.http"], "do: [a: {call: mcp, with: {method: tools/list, transport: {http: @}}}]", "Streamable HTTP.", MCP_HTTP),
    shape("mcp stdio", &["CallMCP.with.transport.stdio"], "do: [a: {call: mcp, with: {method: tools/list, transport: {stdio: @}}}]", "A process for this call alone.", MCP_STDIO),
    shape("mcp client", &["CallMCP.with.client"], "do: [a: {call: mcp, with: {method: tools/list, client: @, transport: {http: {endpoint: 'https://example.com'}}}}]", "", MCP_CLIENT),
    shape("call: asyncapi", &["CallAsyncAPI"], "do: [a: {call: asyncapi, with: {}}]", REMEDY, &[key("call", Text, "", ""), key("with", Of("asyncapi request"), "", "")]).refused(),
    shape("asyncapi request", &["CallAsyncAPI.with"], "do: [a: {call: asyncapi, with: {}}]", "", ASYNCAPI).refused(),
    shape("asyncapi server", &["asyncApiServer"], "do: [a: {call: asyncapi, with: {}}]", "", &[key("name", Text, "", ""), key("variables", Map(&Value), "", "")]).refused(),
    shape("asyncapi message", &["asyncApiOutboundMessage", "asyncApiInboundMessage"], "do: [a: {call: asyncapi, with: {}}]", "", &[key("payload", Value, "", ""), key("headers", Map(&Value), "", ""), key("correlationId", Text, "", "")]).refused(),
    shape("asyncapi subscription", &["asyncApiSubscription"], "do: [a: {call: asyncapi, with: {}}]", "", &[key("filter", Expression, "", ""), key("consume", Of("asyncapi consumption"), "", ""), key("foreach", Of("iterator"), "", "")]).refused(),
    shape("asyncapi consumption", &["asyncApiMessageConsumptionPolicy"], "do: [a: {call: asyncapi, with: {}}]", "", &[key("for", DURATION, "", ""), key("amount", Number(0, i64::MAX), "", ""), key("while", Expression, "", ""), key("until", Expression, "", "")]).refused(),
    shape("call: a2a", &["CallA2A"], "do: [a: {call: a2a, with: {}}]", REMEDY, &[key("call", Text, "", ""), key("with", Of("a2a request"), "", "")]).refused(),
    shape("a2a request", &["CallA2A.with"], "do: [a: {call: a2a, with: {}}]", "", A2A).refused(),
    shape("call: function", &["CallFunction"], "use: {functions: {f: {wait: PT1S}}}\ndo: [a: @]", "A function of `use.functions`, by name. It does not see the caller's loop variables. A function from an address, or of a catalogue other than `default`, is refused: copy its definition.", &[
        key("call", Except(NAMED), "f", "").required(),
        key("with", Values, "{a: 1}", "The function's data. Without it, the task's input."),
    ]).as_task(),
    task("run", &["runTask"], "", &[key("run", Of("process"), "{workflow: {namespace: default, name: a, version: '1.0.0'}}", "").required()]),
    shape("process", &["runTask.run"], "do: [a: {run: @}]", "", RUN).one_of(&["shell", "workflow", "container", "script"]),
    shape("subflow", &["runTask.run.workflow"], "do: [a: {run: {workflow: @}}]", "A child run. It is cancelled with its parent, and its failure is the task's.", SUBFLOW),
    shape("container", &["runTask.run.container"], "do: [a: {run: {container: @}}]", "By `docker`, or `podman` where there is none.", &[
        key("image", Text, "a", "").required(), key("name", Text, "a", ""), key("command", Text, "a", "Run by `/bin/sh`."),
        key("ports", Map(&Value), "{'80': 8080}", "What is here to what is in the container."), key("volumes", Map(&Value), "{/a: /b}", "As `ports`."),
        key("environment", Values, "{a: b}", ""), key("stdin", Text, "a", ""), key("arguments", List(&Text), "[a]", ""),
        key("lifetime", Of("container lifetime"), "{cleanup: always}", ""), key("pullPolicy", Words(&["ifNotPresent", "always", "never"]), "never", ""),
    ]),
    shape("container lifetime", &["containerLifetime"], "do: [a: {run: {container: {image: a, lifetime: @}}}]", "", &[
        key("cleanup", Words(&["always", "never", "eventually"]), "always", "").required(),
        key("after", DURATION, "PT1S", "Needed with `eventually`, and means nothing else. It is forgotten when the server stops before.").differs(),
    ]),
    shape("script", &["runTask.run.script"], "do: [a: {run: {script: @}}]", "By `node`, as a module, or `python3`.", &[
        key("language", Words(&["js", "javascript", "python"]), "js", "").required(),
        key("code", Text, "a", ""), key("source", Of("external resource"), "{endpoint: 'https://example.com'}", ""), key("stdin", Text, "a", ""),
        key("arguments", List(&Text), "[a]", ""), key("environment", Values, "{a: b}", ""),
    ]).one_of(&["code", "source"]),
    shape("shell", &["runTask.run.shell"], "do: [a: {run: {shell: @}}]", "By `/bin/sh`.", &[
        key("command", Text, "ls", "").required(), key("stdin", Text, "a", ""), key("arguments", List(&Text), "[a]", ""), key("environment", Values, "{a: b}", ""),
    ]),
    shape("process result", &["processResult"], "do: [a: {run: {shell: {command: ls}}}]", "What `return: all` gives.", &[key("code", Number(0, 255), "0", ""), key("stdout", Text, "a", ""), key("stderr", Text, "a", "")]),
];
