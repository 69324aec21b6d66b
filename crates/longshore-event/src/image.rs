//! What happens to images: transfers, unpacking, checking.

use serde::{Deserialize, Serialize};

/// One fact about the transfer of an image, or about making one. Digests are written out (`sha256:…`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum ImageEvent {
    /// A name was resolved by a registry or mirror.
    #[serde(rename = "image.resolved")]
    Resolved {
        /// The reference as asked for.
        reference: String,
        /// The host that answered.
        host: String,
        /// The digest of the manifest or index.
        digest: String,
    },
    /// A piece of content will be transferred (or read, or unpacked).
    #[serde(rename = "image.queued")]
    Queued {
        /// Its digest, or the name of a package.
        item: String,
        /// Its size in bytes, if known.
        total: Option<u64>,
    },
    /// A piece need not be transferred: it is there, or was mounted from another repository.
    #[serde(rename = "image.present")]
    Present {
        /// Its digest.
        item: String,
    },
    /// So many bytes of a piece were transferred.
    #[serde(rename = "image.transferred")]
    Transferred {
        /// Its digest, or the name of a package.
        item: String,
        /// Bytes so far; may fall if a transfer begins again.
        done: u64,
        /// All bytes, if known.
        total: Option<u64>,
    },
    /// A piece is complete and its digest is right.
    #[serde(rename = "image.completed")]
    Completed {
        /// Its digest, or the name of a package.
        item: String,
    },
    /// A layer was unpacked.
    #[serde(rename = "image.unpacked")]
    Unpacked {
        /// Its digest.
        item: String,
    },
    /// A request failed and will be tried again.
    #[serde(rename = "image.retried")]
    Retried {
        /// What was attempted.
        attempt: String,
        /// Why it failed.
        cause: String,
    },
    /// A stage of longer work began, such as `unpacking packages`.
    #[serde(rename = "image.stage")]
    Stage {
        /// Its name.
        name: String,
    },
}
