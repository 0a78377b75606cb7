//! Owns [`ConfigFault`]: why a configuration is refused, and the hint that helps to mend it.
//!
//! Invariant: every text names the place (file or variable), the key and, if there is one, the way out.

use std::path::PathBuf;

use thiserror::Error;

/// A configuration that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum ConfigFault {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is longer than any configuration.
    #[error("the configuration file {path} has {bytes} bytes, at most {max} are read", max = super::load::FILE_BYTES_MAX)]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How long it is.
        bytes: u64,
    },
    /// The file is not YAML.
    #[error("{place}: not valid YAML: {why}")]
    Malformed {
        /// The file.
        place: String,
        /// Why.
        why: String,
    },
    /// A key that means nothing.
    #[error("{place}: unknown key {key}\nhint: {hint}")]
    UnknownKey {
        /// The file.
        place: String,
        /// The key with all keys above it.
        key: String,
        /// What may have been meant.
        hint: String,
    },
    /// A value that cannot be.
    #[error("{place}: {key}: {why}")]
    Invalid {
        /// The file or the variable.
        place: String,
        /// The key with all keys above it.
        key: String,
        /// Why.
        why: String,
    },
}
