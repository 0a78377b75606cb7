//! Owns what an answer is to a workflow: the output of the task, or its failure.
//!
//! What may pass is retryable, as for HTTP: errors inside of the server. What a tool says to have failed is not: the
//! tool has run.

use sdk::TaskError;
use serde_json::Value;

use super::wish::Wish;
use crate::http::shown;

/// What is known of an error code: its name, its HTTP-like status, and whether it may pass.
const CODES: [(i64, &str, u16, bool); 7] = [
    (-32700, "Parse error", 400, false),
    (-32600, "Invalid request", 400, false),
    (-32601, "Method not found", 501, false),
    (-32602, "Invalid params", 400, false),
    (-32603, "Internal error", 500, true),
    (-32002, "Resource not found", 404, false),
    (-32042, "URL elicitation required", 403, false),
];
/// How much of what a tool says about its failure is told.
const TOLD_BYTES_MAX: usize = 1 << 10;

/// The failure that an error of JSON-RPC is.
pub(super) fn error(error: &Value, place: &str) -> TaskError {
    let code = error["code"].as_i64().unwrap_or_default();
    let known = CODES.into_iter().find(|(known, ..)| *known == code);
    let (_, title, status, retryable) =
        known.unwrap_or((code, "The server reported an error", 500, false));
    let said = shown(error["message"].as_str().unwrap_or_default());
    let mut detail = format!("{place} answered error {code}: {said}");
    if let Some(data) = error.get("data").filter(|data| !data.is_null()) {
        let data = data.to_string();
        detail = format!("{detail} ({})", shown(&data));
    }
    TaskError {
        retryable,
        ..TaskError::fatal(TaskError::well_known("communication"), detail)
    }
    .with_status(status)
    .with_title(title)
}

/// A result, unless it is of a tool that has failed.
pub(super) fn judged(result: Value, wish: &Wish, place: &str) -> Result<Value, TaskError> {
    if wish.method != "tools/call" || result["isError"] != true {
        return Ok(result);
    }
    let tool = wish.parameters.get("name").and_then(Value::as_str);
    let tool = shown(tool.unwrap_or_default());
    let content = result["content"].as_array().map(Vec::as_slice);
    let texts: Vec<&str> = content
        .unwrap_or_default()
        .iter()
        .filter_map(|part| part["text"].as_str())
        .collect();
    let said = match texts.is_empty() {
        false => texts.join("\n"),
        true => result["structuredContent"].to_string(),
    };
    let told = &said[..said.floor_char_boundary(TOLD_BYTES_MAX)];
    let detail = format!("the tool {tool:?} of {place} failed: {told}");
    Err(TaskError::fatal(TaskError::well_known("runtime"), detail)
        .with_status(500)
        .with_title("The tool failed"))
}
