//! Owns [`Wish`]: what a workflow wants of a server, whatever leads there.
//!
//! Invariant: what is wrong with it is told before anything is sent or started.

use std::time::Duration;

use sdk::TaskError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::reading::read;

/// Versions of the protocol that are spoken, newest first.
pub(super) const VERSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// The version that is asked for if the workflow does not say, which is the language's.
const VERSION_DEFAULT: &str = "2025-06-18";

/// Methods that may be called, and the member of the result that is a list with pages.
const METHODS: [(&str, Option<&str>); 7] = [
    ("tools/list", Some("tools")),
    ("tools/call", None),
    ("prompts/list", Some("prompts")),
    ("prompts/get", None),
    ("resources/list", Some("resources")),
    ("resources/read", None),
    ("resources/templates/list", Some("resourceTemplates")),
];

/// How long a call may take if the workflow does not say.
const TIMEOUT_MS_DEFAULT: u64 = 60_000;
/// The longest that a workflow may say.
const TIMEOUT_MS_MAX: u64 = 15 * 60_000;

/// The input of a task.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Call<T> {
    method: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(default)]
    protocol_version: Option<String>,
    #[serde(default)]
    timeout_ms: Option<u64>,
    #[serde(default)]
    client: Option<Client>,
    transport: T,
}

/// Who calls.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    name: String,
    version: String,
    #[serde(default)]
    description: Option<String>,
}

/// What is wanted of a server.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(super) method: &'static str,
    /// The member of the result that is a list.
    pub(super) list: Option<&'static str>,
    pub(super) parameters: Map<String, Value>,
    pub(super) version: &'static str,
    pub(super) client: Value,
    pub(super) timeout: Duration,
}

impl Wish {
    /// The wish in a task's input, and what leads to the server.
    pub(crate) fn read<T: DeserializeOwned>(input: Value) -> Result<(Wish, T), TaskError> {
        let call: Call<T> = read("mcp call", input)?;
        let method = METHODS.into_iter().find(|(name, _)| *name == call.method);
        let (method, list) = method.ok_or_else(|| {
            let names = METHODS.map(|(name, _)| name).join(", ");
            wrong(&format!("method: it must be one of {names}"))
        })?;
        let version = call.protocol_version.as_deref().unwrap_or(VERSION_DEFAULT);
        let version = VERSIONS.into_iter().find(|spoken| *spoken == version);
        let version = version.ok_or_else(|| {
            let spoken = VERSIONS.join(", ");
            wrong(&format!("protocolVersion: it must be one of {spoken}"))
        })?;
        let timeout_ms = call.timeout_ms.unwrap_or(TIMEOUT_MS_DEFAULT);
        if !(1..=TIMEOUT_MS_MAX).contains(&timeout_ms) {
            let why = format!("timeoutMs: {timeout_ms} is not from 1 to {TIMEOUT_MS_MAX}");
            return Err(wrong(&why));
        }
        let client = match call.client {
            None => json!({"name": "quadrille", "version": env!("CARGO_PKG_VERSION")}),
            Some(client) => {
                let mut shown = json!({"name": client.name, "version": client.version});
                if let Some(description) = client.description {
                    shown["description"] = description.into();
                }
                shown
            }
        };
        let wish = Wish {
            method,
            list,
            parameters: call.parameters,
            version,
            client,
            timeout: Duration::from_millis(timeout_ms),
        };
        Ok((wish, call.transport))
    }
}

/// The failure of a call that cannot be made.
pub(super) fn wrong(why: &str) -> TaskError {
    crate::reading::wrong("mcp call", why)
}
