//! Owns [`Authorities`]: the certificate authorities that HTTPS servers may be vouched for by, besides those
//! that the system trusts.
//!
//! Invariant: what was read is good for a client, so a mistake shows before the first request.

use std::io::Read;
use std::path::{Path, PathBuf};

use reqwest::Certificate;

/// The longest file of certificates that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Further certificate authorities; none by default.
#[derive(Clone, Debug, Default)]
pub struct Authorities(Vec<Certificate>);

/// A file of certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the certificates in {}: {why}", path.display())]
pub struct AuthoritiesFault {
    path: PathBuf,
    why: String,
}

impl Authorities {
    /// Those of a file in PEM.
    ///
    /// # Errors
    /// [`AuthoritiesFault`] if it cannot be read, is too long, or holds anything but good certificates.
    pub fn read(path: &Path) -> Result<Authorities, AuthoritiesFault> {
        let fault = |why: String| AuthoritiesFault {
            path: path.to_owned(),
            why,
        };
        let mut pem = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut pem))
            .map_err(|error| fault(error.to_string()))?;
        if pem.len() as u64 > FILE_BYTES_MAX {
            return Err(fault(format!("it is longer than {FILE_BYTES_MAX} bytes")));
        }
        let certificates =
            Certificate::from_pem_bundle(&pem).map_err(|error| fault(error.to_string()))?;
        if certificates.is_empty() {
            return Err(fault(
                "it holds none; PEM begins with -----BEGIN CERTIFICATE-----".to_owned(),
            ));
        }
        let authorities = Authorities(certificates);
        match authorities.alone(reqwest::Client::builder()).build() {
            Ok(_) => Ok(authorities),
            Err(error) => Err(fault(crate::http::root_cause(&error))),
        }
    }

    /// A client that trusts the system and them. A system that trusts nobody, such as a bare container, leaves
    /// only them: then plain HTTP still works.
    pub(crate) fn client(
        &self,
        builder: impl Fn() -> reqwest::ClientBuilder,
    ) -> reqwest::Result<reqwest::Client> {
        let system_too = match self.0.is_empty() {
            true => builder(),
            false => builder().tls_certs_merge(self.0.iter().cloned()),
        };
        system_too
            .build()
            .or_else(|_| self.alone(builder()).build())
    }

    fn alone(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        builder.tls_certs_only(self.0.iter().cloned())
    }
}
