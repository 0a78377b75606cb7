//! Owns [`TaskError`]: how a task function says that its work failed.

use std::borrow::Cow;
use std::time::Duration;

/// Prefix of the failure types that every workflow knows.
const TYPE_PREFIX: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";

/// The longest type, title or detail that travels; the rest is cut off.
const TEXT_BYTES_MAX: usize = 8 << 10;

/// Why a task failed; the workflow may catch or retry it.
///
/// Any error becomes one by `?`: of type `runtime`, and retryable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskError {
    /// Error type: a URI or a word that catches and retry policies know.
    pub kind: Cow<'static, str>,
    /// HTTP-like status; 0 counts as 500.
    pub status: u16,
    /// One line for people.
    pub title: String,
    /// What exactly happened.
    pub detail: String,
    /// Whether trying again could help.
    pub retryable: bool,
    /// The least pause before the next attempt, if whoever failed asked for one. A retry policy that would pause
    /// for less pauses this long; the server bounds it.
    pub retry_after: Option<Duration>,
}

impl TaskError {
    /// A failure that trying again does not cure.
    pub fn fatal(kind: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> TaskError {
        TaskError {
            kind: kind.into(),
            status: 0,
            title: String::new(),
            detail: detail.into(),
            retryable: false,
            retry_after: None,
        }
    }

    /// A failure that may pass: the workflow's retry policy decides.
    pub fn retryable(kind: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> TaskError {
        TaskError {
            retryable: true,
            ..TaskError::fatal(kind, detail)
        }
    }

    /// The same with an HTTP-like status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> TaskError {
        self.status = status;
        self
    }

    /// The same with a title.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> TaskError {
        self.title = title.into();
        self
    }

    /// The full name of a failure type that every workflow knows: `configuration`, `validation`,
    /// `authentication`, `authorization`, `timeout`, `communication` or `runtime`.
    #[must_use]
    pub fn well_known(word: &str) -> Cow<'static, str> {
        Cow::Owned(format!("{TYPE_PREFIX}{word}"))
    }

    pub(crate) fn into_failure(self) -> api::v1::TaskFailure {
        api::v1::TaskFailure {
            r#type: cut(self.kind.into_owned()),
            status: u32::from(self.status),
            title: cut(self.title),
            detail: cut(self.detail),
            retryable: self.retryable,
            retry_after_ms: self.retry_after.map_or(0, |pause| {
                u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)
            }),
        }
    }
}

impl<E: std::error::Error> From<E> for TaskError {
    fn from(error: E) -> TaskError {
        let mut detail = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            detail.push_str(": ");
            detail.push_str(&cause.to_string());
            source = cause.source();
        }
        TaskError::retryable(TaskError::well_known("runtime"), detail).with_status(500)
    }
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        let end = text.floor_char_boundary(TEXT_BYTES_MAX);
        text.truncate(end);
    }
    text
}
