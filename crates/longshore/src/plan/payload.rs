//! Webhook payloads in files.

use std::io;
use std::path::{Path, PathBuf};

use longshore_expr::Value;
use longshore_expr::json::JsonError;
use thiserror::Error;

use crate::exit::Blame;
use crate::failure::Explained;
use crate::input::read_text;

/// Why there is no payload.
#[derive(Debug, Error)]
pub(crate) enum PayloadError {
    /// The file cannot be read.
    #[error("failed to read the payload in `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds no JSON.
    #[error("the payload in `{}` cannot be used", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: JsonError,
    },
    /// The file holds something else.
    #[error("the payload in `{}` is no JSON object", path.display())]
    NoObject {
        /// The file.
        path: PathBuf,
    },
}

impl Explained for PayloadError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read { .. } => Blame::Environment,
            Self::Json { .. } | Self::NoObject { .. } => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => "give it a file that you can read".to_owned(),
            Self::Json { .. } | Self::NoObject { .. } => {
                "write the webhook payload of the event as one JSON object, such as {\"ref\": \"refs/heads/main\"}"
                    .to_owned()
            }
        })
    }
}

/// Reads the payload in a file; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Value, PayloadError> {
    let text = read_text(path).map_err(|source| PayloadError::Read { path: path.to_owned(), source })?;
    match Value::from_json(&text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(PayloadError::NoObject { path: path.to_owned() }),
        Err(source) => Err(PayloadError::Json { path: path.to_owned(), source }),
    }
}
