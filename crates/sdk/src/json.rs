//! Owns [`Json`]: data of a run as it travelled, decoded only where somebody looks at it.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// JSON text from the server. Empty means that there is none, as for the output of a run that goes on.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Json(Bytes);

impl Json {
    /// Encodes a value.
    ///
    /// # Errors
    /// [`Error::Encode`] if the value has no JSON form, such as a map whose keys are no strings.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Json, Error> {
        let text = serde_json::to_vec(value).map_err(Error::Encode)?;
        Ok(Json(text.into()))
    }

    /// Decodes into a type of yours. No data decodes like `null`.
    ///
    /// # Errors
    /// [`Error::Decode`] if the data has another shape.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let text = if self.0.is_empty() {
            b"null"
        } else {
            &self.0[..]
        };
        serde_json::from_slice(text).map_err(Error::Decode)
    }

    /// Whether there is no data.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text as it travelled.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl From<Bytes> for Json {
    fn from(text: Bytes) -> Json {
        Json(text)
    }
}

impl std::fmt::Debug for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}
