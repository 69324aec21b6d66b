//! The file `oci-layout`, which marks a directory as an image layout, and where such a directory keeps things.

use serde::{Deserialize, Serialize};

use crate::document::{DocumentError, from_value};
use crate::{Digest, json};

/// The content of `oci-layout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layout {
    /// The version of the layout.
    pub image_layout_version: String,
}

impl Layout {
    /// The file's name.
    pub const FILE: &'static str = "oci-layout";
    /// The name of the file with the index.
    pub const INDEX_FILE: &'static str = "index.json";
    /// The only version there is.
    pub const VERSION: &'static str = "1.0.0";

    /// What a new layout has.
    pub fn current() -> Self {
        Self { image_layout_version: Self::VERSION.to_owned() }
    }

    /// Reads the file. Other versions are refused.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        const DOCUMENT: &str = "image layout";
        let layout: Self = from_value(DOCUMENT, json::read(bytes)?)?;
        if layout.image_layout_version == Self::VERSION {
            return Ok(layout);
        }
        Err(DocumentError::Unsupported {
            document: DOCUMENT,
            field: "imageLayoutVersion",
            value: format!("`{}`", layout.image_layout_version),
        })
    }

    /// Where a layout keeps the content of a digest, relative to its root, with `/` between.
    pub fn blob_path(digest: &Digest) -> String {
        format!("blobs/{}/{}", digest.algorithm_name(), digest.encoded())
    }
}
