//! Whose certificates are believed: those of a file, or Mozilla's list, which is built in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// The certificates to believe cannot be read.
#[derive(Debug, Error)]
#[error("failed to read the certificates in `{}`; check `SSL_CERT_FILE`", path.display())]
pub struct TrustError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// The configuration of TLS that believes in the certificates of a file, or in the usual ones.
pub(crate) fn tls(certificates: Option<&Path>) -> Result<TlsConfig, TrustError> {
    let roots = match certificates {
        None => RootCerts::WebPki,
        Some(path) => {
            let failed = |source| TrustError { path: path.to_owned(), source };
            let text = fs::read(path).map_err(failed)?;
            let items: Result<Vec<PemItem<'static>>, _> = parse_pem(&text).collect();
            let items = items.map_err(|error| failed(io::Error::other(error)))?;
            let found = items.into_iter().filter_map(|item| match item {
                PemItem::Certificate(certificate) => Some(certificate),
                _ => None,
            });
            let found: Vec<_> = found.collect();
            if found.is_empty() {
                let none = io::Error::new(io::ErrorKind::InvalidData, "it holds none in PEM");
                return Err(failed(none));
            }
            RootCerts::Specific(Arc::new(found))
        }
    };
    Ok(TlsConfig::builder().root_certs(roots).build())
}
