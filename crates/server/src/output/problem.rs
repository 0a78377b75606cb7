//! Owns an error of a run (RFC 9457) in one line for people.

use serde_json::Value;

/// Title, detail, and in brackets what machines go by.
pub(crate) fn line(problem: &Value) -> String {
    let text = |key: &str| problem[key].as_str().filter(|text| !text.is_empty());
    let line = match (text("title"), text("detail")) {
        (Some(title), Some(detail)) => format!("{title}: {detail}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => "error".to_owned(),
    };
    match (text("type"), problem["status"].as_u64()) {
        (Some(kind), Some(status)) => format!("{line} [{kind}, {status}]"),
        (Some(kind), None) => format!("{line} [{kind}]"),
        (None, Some(status)) => format!("{line} [{status}]"),
        (None, None) => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_left_out() {
        assert_eq!(
            line(
                &json!({"type": "declined", "title": "card declined", "detail": "no money", "status": 402})
            ),
            "card declined: no money [declined, 402]"
        );
        assert_eq!(line(&json!({"title": "x", "detail": ""})), "x");
        assert_eq!(line(&json!({"detail": "y", "status": 499})), "y [499]");
        assert_eq!(line(&Value::Null), "error");
    }
}
