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
    key("endpoint", ENDPOINT, "'https://example.com/{a}'", "`{name}` puts a member of the data in, escaped (RFC 6570 level 1); for more write an expression. Only http and https.").required(),
    key("headers", Values, "{a: b}", "Text or numbers, or one expression."),
    key("body", Value, "{a: 1}", "Text is sent as it is, anything else as JSON."),
    key("query", Values, "{a: b}", "Text or numbers, or one expression."),
    key("output", OUTPUT, "content", "`content`: JSON as data, other text as text. `raw`: base64. `response`: request, status, headers, content."),
    key("redirect", Flag, "true", "True follows up to 5 redirects; else a status of 3xx is a failure."),
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
    key(
        "proto",
        Of("external resource"),
        "{endpoint: 'https://example.com'}",
        "",
    )
    .required(),
    key("service", Of("grpc service"), "{name: a, host: b}", "").required(),
    key("method", Text, "a", "").required(),
    key("arguments", Values, "{a: 1}", ""),
];

const GRPC_SERVICE: &[Key] = &[
    key("name", Text, "a", "").required(),
    key("host", Text, "a", "").required(),
    key("port", Number(0, 65_535), "1", ""),
    key("authentication", AUTHENTICATION, "{use: a}", ""),
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
    key("protocolVersion", Text, "'2025-06-18'", ""),
    key("method", Text, "tools/list", "").required(),
    key("parameters", Values, "{a: 1}", ""),
    key("timeout", DURATION, "PT1M", ""),
    key(
        "transport",
        Of("mcp transport"),
        "{http: {endpoint: 'https://example.com'}}",
        "",
    )
    .required(),
    key("client", Of("mcp client"), "{name: a, version: b}", ""),
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
    key("basic", Of("basic"), "{username: a, password: b}", ""),
    key("bearer", Of("bearer"), "{token: a}", ""),
    key("digest", Of("digest"), "{username: a, password: b}", TOKEN).refused(),
    key(
        "oauth2",
        Of("oauth2"),
        "{authority: 'https://example.com', grant: client_credentials}",
        TOKEN,
    )
    .refused(),
    key(
        "oidc",
        Of("oauth2"),
        "{authority: 'https://example.com', grant: client_credentials}",
        TOKEN,
    )
    .refused(),
];

const TOKEN: &str = "Use `bearer` with a token that an earlier task fetched, or a worker of yours that makes the call.";

const SECRET: Key = key(
    "use",
    Text,
    "a",
    "Give the value as text or as an expression.",
)
.refused();

const RUN: &[Key] = &[
    key(
        "workflow",
        Of("subflow"),
        "{namespace: default, name: a, version: '1.0.0'}",
        "",
    ),
    key("container", Of("container"), "{image: a}", FOREIGN).refused(),
    key("script", Of("script"), "{language: js, code: a}", FOREIGN).refused(),
    key("shell", Of("shell"), "{command: ls}", FOREIGN).refused(),
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
        "Leave it out: the result of a workflow is its output.",
    )
    .refused(),
];

const FOREIGN: &str = "Let a worker do it: `call: task` with a queue that your worker polls.";

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
    shape("authentication", &["authenticationPolicy", "referenceableAuthenticationPolicy"], "use: {authentications: {a: {bearer: {token: a}}}}\ndo: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: @}}}]", "Values may be expressions. What they give is part of the task's input and so of the run's history: prefer a worker's own configuration.", AUTHENTICATION_KEYS).one_of(&["basic", "use", "bearer", "digest", "oauth2", "oidc"]),
    shape("basic", &["authenticationPolicy.basic", "secretBasedAuthenticationPolicy"], "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {basic: @}}}}]", "", &[
        key("username", Text, "a", "").required(),
        key("password", Text, "a", "").required(),
        SECRET,
    ]),
    shape("bearer", &["authenticationPolicy.bearer", "secretBasedAuthenticationPolicy"], "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {bearer: @}}}}]", "", &[
        key("token", Text, "a", "").required(),
        SECRET,
    ]),
    shape("digest", &["authenticationPolicy.digest"], "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {digest: {username: a, password: b}}}}}]", "", &[key("username", Text, "a", ""), key("password", Text, "a", "")]).refused(),
    shape("oauth2", &["oauth2AuthenticationProperties", "authenticationPolicy.oauth2"], "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {oauth2: {}}}}}]", "Also of `oidc`.", &[
        key("authority", Text, "", ""), key("grant", Text, "", ""), key("client", Of("oauth2 client"), "", ""), key("request", Of("oauth2 request"), "", ""),
        key("issuers", List(&Text), "", ""), key("scopes", List(&Text), "", ""), key("audiences", List(&Text), "", ""),
        key("username", Text, "", ""), key("password", Text, "", ""), key("subject", Of("oauth2 token"), "", ""), key("actor", Of("oauth2 token"), "", ""),
        key("endpoints", Of("oauth2 endpoints"), "", ""),
    ]).refused(),
    shape("oauth2 client", &["oauth2AuthenticationProperties.client"], OAUTH2, "", &[key("id", Text, "", ""), key("secret", Text, "", ""), key("assertion", Text, "", ""), key("authentication", Text, "", "")]).refused(),
    shape("oauth2 request", &["oauth2AuthenticationProperties.request"], OAUTH2, "", &[key("encoding", Text, "", "")]).refused(),
    shape("oauth2 endpoints", &["authenticationPolicy.oauth2.endpoints"], OAUTH2, "", &[key("token", Text, "", ""), key("revocation", Text, "", ""), key("introspection", Text, "", "")]).refused(),
    shape("oauth2 token", &["oauth2Token"], OAUTH2, "", &[key("token", Text, "", ""), key("type", Text, "", "")]).refused(),
    shape("call: openapi", &["CallOpenAPI"], "do: [a: {call: openapi, with: {}}]", REMEDY, &[key("call", Text, "", ""), key("with", Of("openapi request"), "", "")]).refused(),
    shape("openapi request", &["CallOpenAPI.with"], "do: [a: {call: openapi, with: {}}]", "", OPENAPI).refused(),
    shape("call: grpc", &["CallGRPC"], "do: [a: {call: grpc, with: {}}]", REMEDY, &[key("call", Text, "", ""), key("with", Of("grpc request"), "", "")]).refused(),
    shape("grpc request", &["CallGRPC.with"], "do: [a: {call: grpc, with: {}}]", "", GRPC).refused(),
    shape("grpc service", &["CallGRPC.with.service"], "do: [a: {call: grpc, with: {}}]", "", GRPC_SERVICE).refused(),
    shape("call: mcp", &["CallMCP"], "do: [a: {call: mcp, with: {}}]", REMEDY, &[key("call", Text, "", ""), key("with", Of("mcp request"), "", "")]).refused(),
    shape("mcp request", &["CallMCP.with"], "do: [a: {call: mcp, with: {}}]", "", MCP).refused(),
    shape("mcp transport", &["CallMCP.with.transport"], "do: [a: {call: mcp, with: {}}]", "", &[key("http", Of("mcp http"), "", ""), key("stdio", Of("mcp stdio"), "", ""), key("options", Map(&Text), "", "")]).refused(),
    shape("mcp http", &["CallMCP.with.transport.http"], "do: [a: {call: mcp, with: {}}]", "", &[key("endpoint", ENDPOINT, "", ""), key("headers", Map(&Text), "", "")]).refused(),
    shape("mcp stdio", &["CallMCP.with.transport.stdio"], "do: [a: {call: mcp, with: {}}]", "", &[key("command", Text, "", ""), key("arguments", List(&Text), "", ""), key("environment", Map(&Text), "", "")]).refused(),
    shape("mcp client", &["CallMCP.with.client"], "do: [a: {call: mcp, with: {}}]", "", &[key("name", Text, "", ""), key("description", Text, "", "")]).refused(),
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
    shape("process", &["runTask.run"], "do: [a: {run: @}]", "", RUN).one_of(&["workflow", "container", "script", "shell"]),
    shape("subflow", &["runTask.run.workflow"], "do: [a: {run: {workflow: @}}]", "A child run. It is cancelled with its parent, and its failure is the task's.", SUBFLOW),
    shape("container", &["runTask.run.container"], "do: [a: {run: {container: {image: a}}}]", "", &[
        key("image", Text, "", ""), key("name", Text, "", ""), key("command", Text, "", ""), key("ports", Map(&Value), "", ""), key("volumes", Map(&Value), "", ""),
        key("environment", Map(&Text), "", ""), key("stdin", Text, "", ""), key("arguments", List(&Text), "", ""), key("lifetime", Of("container lifetime"), "", ""), key("pullPolicy", Text, "", ""),
    ]).refused(),
    shape("container lifetime", &["containerLifetime"], "do: [a: {run: {container: {image: a}}}]", "", &[key("cleanup", Text, "", ""), key("after", DURATION, "", "")]).refused(),
    shape("script", &["runTask.run.script"], "do: [a: {run: {script: {language: js, code: a}}}]", "", &[
        key("language", Text, "", ""), key("code", Text, "", ""), key("source", Of("external resource"), "", ""), key("stdin", Text, "", ""),
        key("arguments", Either(&[List(&Text), Map(&Value)]), "", ""), key("environment", Map(&Text), "", ""),
    ]).refused(),
    shape("shell", &["runTask.run.shell"], "do: [a: {run: {shell: {command: ls}}}]", "", &[key("command", Text, "", ""), key("stdin", Text, "", ""), key("arguments", List(&Text), "", ""), key("environment", Map(&Text), "", "")]).refused(),
    shape("process result", &["processResult"], "do: [a: {run: {shell: {command: ls}}}]", "What `return: all` gives.", &[key("code", Number(0, 255), "", ""), key("stdout", Text, "", ""), key("stderr", Text, "", "")]).refused(),
];

/// Where what only OAuth2 has would stand.
const OAUTH2: &str = "do: [a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {oauth2: {}}}}}]";
