//! Owns [`Resource`], a document that lies elsewhere, and [`Files`], where those on the server's own disk may lie.
//!
//! Invariant: of the server's files none is read but below the directory that the configuration names, and
//! nothing is read past its bound.

use std::path::PathBuf;

use reqwest::{Method, Request, Url};
use sdk::TaskError;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::authentication::Authentication;
use crate::http::Caller;
use crate::reading::wrong;

/// How long a document may take to come.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// The directory below which documents with a `file:` address lie; none refuses them.
#[derive(Clone, Debug, Default)]
pub struct Files(pub Option<PathBuf>);

/// A document that lies elsewhere.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resource {
    pub(crate) endpoint: String,
    #[serde(default)]
    pub(crate) authentication: Option<Value>,
}

impl Resource {
    /// What tells it from others, and what it may be shown to whom.
    pub(crate) fn key(&self) -> String {
        match &self.authentication {
            Some(policy) => format!("{} {policy}", self.endpoint),
            None => self.endpoint.clone(),
        }
    }

    /// Its text.
    pub(crate) async fn text(
        self,
        caller: &Caller,
        files: &Files,
        bytes_max: usize,
    ) -> Result<String, TaskError> {
        let bytes = match self.endpoint.strip_prefix("file://") {
            Some(path) => files.read(path, bytes_max).await?,
            None => self.fetched(caller, bytes_max).await?,
        };
        String::from_utf8(bytes).map_err(|_| wrong("the document", "it is not UTF-8 text"))
    }

    async fn fetched(self, caller: &Caller, bytes_max: usize) -> Result<Vec<u8>, TaskError> {
        let url = Url::parse(&self.endpoint)
            .map_err(|error| wrong("the address of the document", &error.to_string()))?;
        let mut request = Request::new(Method::GET, url);
        *request.timeout_mut() = Some(TIMEOUT);
        let policy = self.authentication.map(Authentication::read).transpose()?;
        let fetched = caller.fetch(request, true, policy.as_ref(), bytes_max);
        let (status, body) = fetched.await?;
        if status.is_success() {
            return Ok(body);
        }
        let code = status.as_u16();
        let failure = TaskError::fatal(
            TaskError::well_known("communication"),
            format!("the document was not given: the server answered {code}"),
        );
        Err(TaskError {
            status: code,
            retryable: status.is_server_error() || matches!(code, 408 | 429),
            ..failure
        })
    }
}

impl Files {
    async fn read(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, TaskError> {
        let refused = |why: &str| wrong(&format!("the document file://{path}"), why);
        let Some(root) = &self.0 else {
            return Err(refused(
                "files are not read\n  to allow it, set `connectors.files` in the server's configuration to the directory that they lie in",
            ));
        };
        let unreadable = |error: std::io::Error| refused(&error.to_string());
        let root = tokio::fs::canonicalize(root).await.map_err(unreadable)?;
        let place = root.join(path.trim_start_matches('/'));
        let place = tokio::fs::canonicalize(place).await.map_err(unreadable)?;
        if !place.starts_with(&root) {
            return Err(refused(
                "it lies outside of the directory of `connectors.files`",
            ));
        }
        // A pipe would be waited for, and a device never ends.
        let metadata = tokio::fs::metadata(&place).await.map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(refused("it is no file"));
        }
        let file = tokio::fs::File::open(&place).await.map_err(unreadable)?;
        let mut bytes = Vec::new();
        let mut start = file.take(bytes_max as u64 + 1);
        start.read_to_end(&mut bytes).await.map_err(unreadable)?;
        if bytes.len() > bytes_max {
            return Err(refused(&format!("it has more than {bytes_max} bytes")));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_files_below_the_directory_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("inner")).unwrap();
        std::fs::write(folder.path().join("outside"), "s3cr3t").unwrap();
        std::fs::write(root.join("small"), "1234").unwrap();
        std::fs::write(root.join("large"), "12345").unwrap();
        std::os::unix::fs::symlink("../outside", root.join("link")).unwrap();
        let files = Files(Some(root));
        assert_eq!(files.read("/small", 4).await.unwrap(), b"1234");
        for (path, part) in [
            ("/large", "more than 4 bytes"),
            ("/inner", "no file"),
            ("/../outside", "lies outside"),
            ("/link", "lies outside"),
            ("/none", "No such file"),
        ] {
            let error = files.read(path, 4).await.unwrap_err();
            assert!(error.detail.contains(part), "{path}: {}", error.detail);
        }
        let error = Files::default().read("/small", 4).await.unwrap_err();
        assert!(error.detail.contains("connectors.files"));
    }
}
