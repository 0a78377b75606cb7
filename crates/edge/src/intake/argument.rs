//! Owns the small parts of requests: ids, data, durations.
//!
//! Invariant: what passes is well formed; whether it is allowed now is for the kernel to say.

use std::time::Duration;

use graph::ir::NAMESPACE_DEFAULT;
use graph::{Object, Value};
use kernel::RunId;
use kernel::limits::SIGNAL_TTL_MS_DEFAULT;

use crate::refusal::Refusal;

/// Bytes of one request.
pub(crate) const REQUEST_BYTES_MAX: usize = 4 << 20;

/// The longest that a request may wait for a run's end; longer waits end then.
const WAIT_MS_MAX: u64 = 600_000;

/// Data from JSON text; `absent` if there is no text.
pub(crate) fn json(field: &str, text: &[u8], absent: fn() -> Value) -> Result<Value, Refusal> {
    if text.is_empty() {
        return Ok(absent());
    }
    Value::from_json(text).map_err(|error| Refusal::InvalidJson {
        field: field.to_owned(),
        why: error.to_string(),
    })
}

/// The data that stands for no input.
pub(crate) fn empty_object() -> Value {
    Value::object(Object::new())
}

/// The name that a workflow is known by: its namespace belongs to it, unless it is the default one.
pub(crate) fn workflow_name(name: &str) -> &str {
    name.strip_prefix(NAMESPACE_DEFAULT)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(name)
}

/// A run id.
pub(crate) fn run_id(field: &str, text: &str) -> Result<RunId, Refusal> {
    text.parse()
        .map_err(|error: kernel::id::NotRunId| Refusal::argument(field, error.to_string()))
}

/// How long to wait for a run's end; none for not at all.
pub(crate) fn run_wait(wait_ms: u64) -> Option<Duration> {
    (wait_ms > 0).then(|| Duration::from_millis(wait_ms.min(WAIT_MS_MAX)))
}

/// How long an early signal or event is kept.
pub(crate) fn ttl(ttl_ms: u64) -> u64 {
    if ttl_ms == 0 {
        SIGNAL_TTL_MS_DEFAULT
    } else {
        ttl_ms
    }
}
