//! Owns [`Documents`]: the documents that calls are looked up in, read and kept for a while.
//!
//! Invariants: a document that needed a login is kept for that login alone. Reading one never holds up other
//! calls, and only so many are read at once, whatever their authors wrote.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sdk::TaskError;
use tokio::sync::Semaphore;

use crate::http::Caller;
use crate::reading::wrong;
use crate::resource::{Files, Resource};

/// Documents kept at once.
const DOCUMENTS_MAX: usize = 32;
/// How long a document is kept.
const KEPT: Duration = Duration::from_secs(300);
/// Documents read at once; one that takes long cannot be stopped, but it can be the only one.
const READINGS_MAX: usize = 2;
/// How long a document may take to be read, with the wait for others.
const READING_TIMEOUT: Duration = Duration::from_secs(30);

/// What a kind of document is made of.
#[derive(Clone, Copy)]
pub(crate) struct Format<T> {
    /// What it is called in messages.
    pub(crate) name: &'static str,
    /// The largest.
    pub(crate) bytes_max: usize,
    /// A text as a document; else why it is none.
    pub(crate) parse: fn(&str) -> Result<T, String>,
}

pub(crate) struct Documents<T> {
    caller: Caller,
    files: Files,
    format: Format<T>,
    readings: Arc<Semaphore>,
    kept: Mutex<Kept<T>>,
}

/// Documents by what tells them apart, and since when they are kept.
type Kept<T> = HashMap<String, (Arc<T>, Instant)>;

impl<T: Send + Sync + 'static> Documents<T> {
    pub(crate) fn new(caller: Caller, files: Files, format: Format<T>) -> Documents<T> {
        Documents {
            caller,
            files,
            format,
            readings: Arc::new(Semaphore::new(READINGS_MAX)),
            kept: Mutex::default(),
        }
    }

    /// The document of a resource, fetched unless it was a short while ago.
    pub(crate) async fn get(&self, resource: Resource) -> Result<Arc<T>, TaskError> {
        let key = resource.key();
        let now = Instant::now();
        let fresh = |since: &Instant| now.duration_since(*since) < KEPT;
        if let Some((document, since)) = self.kept().get(&key)
            && fresh(since)
        {
            return Ok(document.clone());
        }
        let text = resource
            .text(&self.caller, &self.files, self.format.bytes_max)
            .await?;
        let document = Arc::new(self.read(text).await?);
        let mut kept = self.kept();
        kept.retain(|_, (_, since)| fresh(since));
        if kept.len() >= DOCUMENTS_MAX {
            kept.clear();
        }
        kept.insert(key, (document.clone(), now));
        Ok(document)
    }

    /// A text as a document, on a thread that nothing else waits for.
    async fn read(&self, text: String) -> Result<T, TaskError> {
        let Format { name, parse, .. } = self.format;
        let reading = async {
            let permit = self.readings.clone().acquire_owned().await;
            let permit = permit.expect("nobody closes it");
            tokio::task::spawn_blocking(move || {
                let read = parse(&text);
                drop(permit);
                read
            })
            .await
        };
        match tokio::time::timeout(READING_TIMEOUT, reading).await {
            Ok(Ok(read)) => read.map_err(|why| wrong(name, &why)),
            Ok(Err(_)) => Err(wrong(name, "it cannot be understood")),
            Err(_) => Err(wrong(
                name,
                "it takes too long to understand; make it smaller",
            )),
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept<T>> {
        self.kept
            .lock()
            .expect("nobody panics while holding documents")
    }
}
