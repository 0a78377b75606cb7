//! Owns [`Documents`]: the documents that operations are looked up in, kept for a while.
//!
//! Invariant: a document that needed a login is kept for that login alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sdk::TaskError;
use serde_json::Value;

use crate::http::Caller;
use crate::reading::wrong;
use crate::resource::{Files, Resource};

/// The largest document.
const DOCUMENT_BYTES_MAX: usize = 8 << 20;
/// Documents kept at once.
const DOCUMENTS_MAX: usize = 32;
/// How long a document is kept.
const KEPT: Duration = Duration::from_secs(300);

pub(super) struct Documents {
    caller: Caller,
    files: Files,
    kept: Mutex<HashMap<String, (Arc<Value>, Instant)>>,
}

impl Documents {
    pub(super) fn new(caller: Caller, files: Files) -> Documents {
        Documents {
            caller,
            files,
            kept: Mutex::default(),
        }
    }

    /// The document of a resource, fetched unless it was a short while ago.
    pub(super) async fn get(&self, resource: Resource) -> Result<Arc<Value>, TaskError> {
        let key = resource.key();
        let now = Instant::now();
        let fresh = |since: &Instant| now.duration_since(*since) < KEPT;
        if let Some((document, since)) = self.kept().get(&key)
            && fresh(since)
        {
            return Ok(document.clone());
        }
        let text = resource
            .text(&self.caller, &self.files, DOCUMENT_BYTES_MAX)
            .await?;
        let document = Arc::new(parse(&text)?);
        let mut kept = self.kept();
        kept.retain(|_, (_, since)| fresh(since));
        if kept.len() >= DOCUMENTS_MAX {
            kept.clear();
        }
        kept.insert(key, (document.clone(), now));
        Ok(document)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Arc<Value>, Instant)>> {
        self.kept
            .lock()
            .expect("nobody panics while holding documents")
    }
}

/// A text in JSON or YAML as data.
fn parse(text: &str) -> Result<Value, TaskError> {
    if text.trim_start().starts_with('{')
        && let Ok(document) = serde_json::from_str(text)
    {
        return Ok(document);
    }
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let document: Value = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        wrong(
            "the OpenAPI document",
            &format!("it is neither JSON nor YAML: {error}"),
        )
    })?;
    Ok(document)
}
