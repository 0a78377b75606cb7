//! Owns [`Config`]: every key that can be set, with its meaning and its default.
//!
//! Invariant: this struct is the only list of keys. The schema, the environment variables and the
//! reference in the guide are made from it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of a Quadrille server. Every key is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "quadrille.yaml")]
pub(crate) struct Config {
    /// Where the server listens, and whom it answers.
    pub(crate) server: Server,
    /// Where runs are kept.
    pub(crate) database: Database,
    /// How parts of the platform talk to each other.
    pub(crate) messaging: Messaging,
    /// Workers that run inside the server.
    pub(crate) connectors: Connectors,
    /// Where secrets lie that workflows name.
    pub(crate) secrets: Secrets,
    /// What the server says about itself, on standard error.
    pub(crate) log: Log,
}

/// Where the server listens, and whom it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Address or host name to listen on. Anything but loopback needs `allow_unauthenticated_remote`.
    pub(crate) host: String,
    /// Port for gRPC and REST; 0 takes any free one, and the server prints which.
    pub(crate) port: u16,
    /// Whether to listen on an address that other machines reach, though nobody has to prove who they are.
    pub(crate) allow_unauthenticated_remote: bool,
    /// Names that browsers may reach the server by, and hosts whose pages may call it, besides loopback and
    /// plain addresses; `*` allows any.
    pub(crate) allowed_hosts: Vec<String>,
}

/// Where runs are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Database {
    /// What keeps the runs.
    #[serde(rename = "type")]
    pub(crate) kind: DatabaseType,
    /// Directory of the embedded database; made if it is missing. One server uses it at a time.
    pub(crate) path: PathBuf,
}

/// What keeps the runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum DatabaseType {
    /// The server itself, in a directory of its own.
    #[default]
    Embedded,
}

/// How parts of the platform talk to each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Messaging {
    /// What carries the messages.
    pub(crate) broker: Broker,
}

/// What carries the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Broker {
    /// The server itself.
    #[default]
    Embedded,
}

/// Workers that run inside the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Connectors {
    /// The worker for HTTP calls; where it may reach counts for all workers.
    pub(crate) http: Http,
    /// The worker for what `run` starts: shell commands, scripts and containers; and for MCP servers that are processes.
    pub(crate) process: Process,
    /// Directory below which documents and scripts with a `file:` address lie; empty for none.
    pub(crate) files: PathBuf,
}

/// The worker for what `run` starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Process {
    /// Whether workflows may start shell commands, scripts, containers and MCP servers on this machine. They have
    /// the rights of the server.
    pub(crate) enabled: bool,
}

/// The worker for HTTP calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    /// Whether the server does HTTP, OpenAPI, gRPC and MCP calls itself; else a worker of yours has to.
    pub(crate) enabled: bool,
    /// Whether workflows may call loopback, private and link-local addresses.
    pub(crate) allow_private: bool,
    /// File in PEM of certificate authorities that HTTPS servers may be vouched for by, besides those that the
    /// system trusts; empty for none.
    pub(crate) ca_file: PathBuf,
    /// Names that lead to other addresses than the network says, such as `api.example: 127.0.0.1:8443`. They are
    /// reached even if they are private; the port counts where a call names none.
    pub(crate) resolve: BTreeMap<String, String>,
}

/// Where secrets lie that workflows name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Secrets {
    /// Directory with a file for each secret, named as it: text, or JSON that is an object. One that everyone
    /// may read has to belong to root or to the server's user. Empty for none; `QUADRILLE_SECRET_NAME` holds one as well.
    pub(crate) directory: PathBuf,
}

/// What the server says about itself, on standard error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// `text` for people, `json` for machines, `auto` for text on a terminal and JSON elsewhere.
    pub(crate) format: LogFormat,
    /// The least important level that is written.
    pub(crate) level: Level,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum LogFormat {
    #[default]
    Auto,
    Text,
    Json,
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Level {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl Default for Server {
    fn default() -> Self {
        Server {
            host: "127.0.0.1".into(),
            port: 8080,
            allow_unauthenticated_remote: false,
            allowed_hosts: Vec::new(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Database {
            kind: DatabaseType::Embedded,
            path: "quadrille-data".into(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Http {
            enabled: true,
            allow_private: false,
            ca_file: PathBuf::new(),
            resolve: BTreeMap::new(),
        }
    }
}
