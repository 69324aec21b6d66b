//! What the readers of documents share: one error, and the checks against documents that could be two things.
//!
//! A text that is a manifest to one reader and an index to another lets an attacker show different images under one
//! digest (CVE-2021-41190). So a document with the fields of both is refused, as is one whose own media type is not
//! what it was announced as.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{DescriptorError, JsonError, MediaKind, MediaType, json};

/// Why a document is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is not JSON within limits.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A field is missing or has the wrong type.
    #[error("cannot read the {document}: {message}")]
    Shape {
        /// What was read.
        document: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The document has fields of another kind of document.
    #[error("the {document} has the field `{field}`, which only another kind of document has")]
    Ambiguous {
        /// What was read.
        document: &'static str,
        /// The field that does not belong there.
        field: &'static str,
    },
    /// The document says of itself to be something else.
    #[error("the {document} says of itself that it is `{stated}`, but `{expected}` was expected")]
    MediaType {
        /// What was read.
        document: &'static str,
        /// What the document says.
        stated: String,
        /// What it was announced as, or the type to be expected.
        expected: String,
    },
    /// A descriptor contradicts the content that is embedded in it.
    #[error("the {document} has a wrong descriptor at `{path}`: {error}")]
    Descriptor {
        /// What was read.
        document: &'static str,
        /// Where, as a JSON pointer.
        path: String,
        /// What is wrong.
        error: DescriptorError,
    },
    /// A version or kind that is not known, where guessing would be wrong.
    #[error("the {document} has `{field}` {value}, which is not supported")]
    Unsupported {
        /// What was read.
        document: &'static str,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
}

/// One kind of document that has `schemaVersion`.
pub(crate) struct Kind {
    /// How it is called in messages.
    pub(crate) document: &'static str,
    /// What its media types stand for.
    pub(crate) media: MediaKind,
    /// The media type to name when none was announced.
    pub(crate) usual: &'static str,
    /// Fields that only other documents have.
    pub(crate) foreign: &'static [&'static str],
}

/// Image manifests.
pub(crate) const MANIFEST: Kind = Kind {
    document: "image manifest",
    media: MediaKind::Manifest,
    usual: MediaType::OCI_MANIFEST,
    foreign: &["manifests", "fsLayers"],
};

/// Image indexes.
pub(crate) const INDEX: Kind = Kind {
    document: "image index",
    media: MediaKind::Index,
    usual: MediaType::OCI_INDEX,
    foreign: &["layers", "config", "fsLayers"],
};

impl Kind {
    /// The media type that the document has of itself, if it is not the one announced or not of this kind at all.
    pub(crate) fn other_type<'v>(&self, value: &'v Value, announced: Option<&str>) -> Option<&'v str> {
        let stated = value.get("mediaType")?.as_str()?;
        let fits = match announced {
            Some(announced) => stated == announced,
            None => MediaType::parse(stated).is_ok_and(|stated| stated.kind() == self.media),
        };
        (!fits).then_some(stated)
    }

    /// Fields that do not belong into such a document.
    pub(crate) fn foreign_fields(&self, value: &Value) -> impl Iterator<Item = &'static str> {
        // A field that is null is as good as absent to every reader.
        self.foreign.iter().copied().filter(|field| value.get(*field).is_some_and(|field| !field.is_null()))
    }

    /// Reads such a document, announced as a media type or not.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        announced: Option<&MediaType>,
        bytes: &[u8],
    ) -> Result<T, DocumentError> {
        let document = self.document;
        let expected = || announced.map_or(self.usual, MediaType::as_str).to_owned();
        if let Some(announced) = announced.filter(|announced| announced.kind() != self.media) {
            let (stated, expected) = (announced.to_string(), self.usual.to_owned());
            return Err(DocumentError::MediaType { document, stated, expected });
        }
        let value = json::read(bytes)?;
        if let Some(stated) = self.other_type(&value, announced.map(MediaType::as_str)) {
            let stated = stated.to_owned();
            return Err(DocumentError::MediaType { document, stated, expected: expected() });
        }
        if let Some(field) = self.foreign_fields(&value).next() {
            return Err(DocumentError::Ambiguous { document, field });
        }
        if let Some(version) = value.get("schemaVersion").filter(|version| version.as_u64() != Some(2)) {
            return Err(DocumentError::Unsupported {
                document,
                field: "schemaVersion",
                value: version.to_string(),
            });
        }
        from_value(document, value)
    }
}

/// The typed form of a document.
pub(crate) fn from_value<T: DeserializeOwned>(
    document: &'static str,
    value: Value,
) -> Result<T, DocumentError> {
    serde_json::from_value(value)
        .map_err(|error| DocumentError::Shape { document, message: error.to_string() })
}
