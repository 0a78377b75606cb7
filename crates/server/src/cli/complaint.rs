//! Owns [`Complaint`]: how a command ends otherwise than well, its text and its exit code.
//!
//! Invariant: exit codes are a contract: 1 failed or refused by the server, 2 wrong usage (also given by the
//! parser of the arguments), 3 cancelled or terminated, 4 refused by the check, 5 server not reachable,
//! 6 still going on when the time was over.

use std::process::ExitCode;

use serde_json::Value;

use crate::assembly::AssemblyFault;
use crate::config::ConfigFault;
use crate::output::paint::{Paint, Tone};

/// Codes by which the server says that a workflow's text is not right.
const CHECK_CODES: [&str; 2] = ["invalid-workflow", "workflow-unsound"];

/// Codes by which a server says that it is going away, as good as not being there.
const GONE_CODES: [&str; 1] = ["stopped"];

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) enum Complaint {
    /// The run failed; its error.
    Failed(Value),
    /// The run was cancelled or terminated; its error.
    Ended(Value),
    /// The run goes on although the time to wait is over.
    GoesOn(String),
    /// The check found errors, which have been shown.
    Unsound,
    /// The server cannot be reached.
    Unreachable(String),
    /// The server refused.
    Refused {
        /// Permanent code.
        code: String,
        /// Why.
        message: String,
    },
    /// The command was given something that cannot be.
    Usage(String),
    /// Something else went wrong.
    Broken(String),
    /// Several things went wrong, each of which has been said.
    Said,
    /// Nobody reads what is printed.
    Unread,
}

impl Complaint {
    /// The exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    fn code(&self) -> u8 {
        match self {
            Complaint::Unread => 0,
            Complaint::Failed(_) | Complaint::Broken(_) | Complaint::Said => 1,
            Complaint::Refused { code, .. } if CHECK_CODES.contains(&code.as_str()) => 4,
            Complaint::Refused { .. } => 1,
            Complaint::Usage(_) => 2,
            Complaint::Ended(_) => 3,
            Complaint::Unsound => 4,
            Complaint::Unreachable(_) => 5,
            Complaint::GoesOn(_) => 6,
        }
    }

    /// What is to be said, with line ends; `url` is the server that was meant.
    pub(crate) fn text(&self, url: &str, paint: Paint) -> String {
        let error = |message: &str| format!("{}: {message}\n", paint.tone("error", Tone::Bad));
        match self {
            Complaint::Failed(problem) | Complaint::Ended(problem) => format!("{problem}\n"),
            Complaint::GoesOn(id) => error(&format!(
                "run {id} goes on, the time to wait is over\nhint: look at it with: quadrille describe run {id}"
            )),
            Complaint::Unreachable(why) => error(&format!(
                "cannot reach the server at {url}: {why}\n\
                 hint: start one with `quadrille server`, or name another by --server or QUADRILLE_URL"
            )),
            Complaint::Refused { code, message } => error(&format!("{message} [{code}]")),
            Complaint::Usage(message) | Complaint::Broken(message) => error(message),
            Complaint::Unsound | Complaint::Said | Complaint::Unread => String::new(),
        }
    }

    /// The same for machines, in the shape of RFC 9457: one line, or nothing where all has been said.
    pub(crate) fn json(&self, url: &str) -> String {
        let (code, detail) = match self {
            Complaint::Failed(problem) | Complaint::Ended(problem) => {
                return format!("{problem}\n");
            }
            Complaint::Unsound | Complaint::Said | Complaint::Unread => return String::new(),
            Complaint::GoesOn(id) => (
                "goes-on",
                format!("run {id} goes on, the time to wait is over"),
            ),
            Complaint::Unreachable(why) => (
                "unreachable",
                format!("cannot reach the server at {url}: {why}"),
            ),
            Complaint::Refused { code, message } => (code.as_str(), message.clone()),
            Complaint::Usage(message) => ("usage", message.clone()),
            Complaint::Broken(message) => ("broken", message.clone()),
        };
        let problem = serde_json::json!({
            "type": format!("https://quadrille.dev/errors/{code}"),
            "title": code.replace('-', " "),
            "detail": detail,
            "code": code,
        });
        format!("{problem}\n")
    }

    /// Whether trying again a little later may help.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Complaint::Unreachable(_))
            || matches!(self, Complaint::Refused { code, .. } if code == "overloaded")
    }
}

impl From<sdk::Error> for Complaint {
    fn from(error: sdk::Error) -> Complaint {
        match error {
            sdk::Error::Unreachable(why) => Complaint::Unreachable(why),
            sdk::Error::Refused { code, message } if GONE_CODES.contains(&code.as_str()) => {
                Complaint::Unreachable(message)
            }
            sdk::Error::Refused { code, message } => Complaint::Refused { code, message },
            error @ sdk::Error::Address { .. } => Complaint::Usage(error.to_string()),
            error => Complaint::Broken(error.to_string()),
        }
    }
}

impl From<ConfigFault> for Complaint {
    fn from(fault: ConfigFault) -> Complaint {
        Complaint::Usage(fault.to_string())
    }
}

impl From<AssemblyFault> for Complaint {
    fn from(fault: AssemblyFault) -> Complaint {
        match fault {
            AssemblyFault::Host { .. }
            | AssemblyFault::Exposed(_)
            | AssemblyFault::Authorities(_) => Complaint::Usage(fault.to_string()),
            _ => Complaint::Broken(fault.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exit_codes_and_texts_are_kept() {
        let refused = |code: &str| {
            Complaint::from(sdk::Error::Refused {
                code: code.into(),
                message: "no such thing".into(),
            })
        };
        let complaints = [
            Complaint::Failed(json!({"title": "no stock"})),
            Complaint::Ended(json!({"title": "cancelled"})),
            Complaint::GoesOn("run-1".into()),
            Complaint::Unsound,
            Complaint::Unreachable("connection refused".into()),
            refused("run-missing"),
            refused("invalid-workflow"),
            refused("stopped"),
            Complaint::Usage("--input: not JSON".into()),
            Complaint::Broken("cannot read order.yaml".into()),
            Complaint::Said,
            Complaint::Unread,
        ];
        let say = |complaint: &Complaint| {
            format!(
                "{} {}",
                complaint.code(),
                complaint.text("http://127.0.0.1:8080", Paint::Plain)
            )
        };
        let said: Vec<_> = complaints.iter().map(say).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        1 {"title":"no stock"}

        3 {"title":"cancelled"}

        6 error: run run-1 goes on, the time to wait is over
        hint: look at it with: quadrille describe run run-1

        4 
        5 error: cannot reach the server at http://127.0.0.1:8080: connection refused
        hint: start one with `quadrille server`, or name another by --server or QUADRILLE_URL

        1 error: no such thing [run-missing]

        4 error: no such thing [invalid-workflow]

        5 error: cannot reach the server at http://127.0.0.1:8080: no such thing
        hint: start one with `quadrille server`, or name another by --server or QUADRILLE_URL

        2 error: --input: not JSON

        1 error: cannot read order.yaml

        1 
        0
        "#);
    }

    #[test]
    fn every_complaint_that_says_something_says_it_as_json_too() {
        let refused = Complaint::Refused {
            code: "run-missing".to_owned(),
            message: "no run 1".to_owned(),
        };
        let failed = Complaint::Failed(json!({"type": "t", "status": 500}));
        for (complaint, code) in [
            (refused, json!("run-missing")),
            (
                Complaint::Unreachable("refused".to_owned()),
                json!("unreachable"),
            ),
            (Complaint::GoesOn("1".to_owned()), json!("goes-on")),
            (Complaint::Usage("u".to_owned()), json!("usage")),
            (Complaint::Broken("b".to_owned()), json!("broken")),
            (failed, Value::Null),
        ] {
            let problem: Value = serde_json::from_str(&complaint.json("http://x")).expect("JSON");
            assert!(problem["type"].is_string(), "{problem}");
            assert_eq!(problem["code"], code);
        }
    }
}
