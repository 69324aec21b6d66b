//! Image manifests: the configuration and layers of an image for one platform, or an artifact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::document::{DocumentError, MANIFEST};
use crate::{Descriptor, MediaType, json};

/// An image manifest of the OCI or of Docker (version 2, schema 2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u8,
    /// What the document says that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// What an artifact is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, lowest first. There may be none.
    #[serde(default, deserialize_with = "json::null_as_default")]
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about, such as an image of which this is the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free-form notes.
    #[serde(default, deserialize_with = "json::null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Manifest {
    /// Reads a manifest. `announced` is the media type under which it came, from a descriptor or a header.
    pub fn read(announced: Option<&MediaType>, bytes: &[u8]) -> Result<Self, DocumentError> {
        let manifest: Self = MANIFEST.read(announced, bytes)?;
        for (path, descriptor) in manifest.descriptors() {
            descriptor.check_content().map_err(|error| DocumentError::Descriptor {
                document: MANIFEST.document,
                path,
                error,
            })?;
        }
        Ok(manifest)
    }

    /// What an artifact is: its own word, or the media type of its configuration.
    pub fn artifact_type(&self) -> &MediaType {
        self.artifact_type.as_ref().unwrap_or(&self.config.media_type)
    }

    /// How many bytes configuration and layers have together.
    pub fn total_size(&self) -> u64 {
        self.layers.iter().fold(self.config.size, |sum, layer| sum.saturating_add(layer.size))
    }

    fn descriptors(&self) -> impl Iterator<Item = (String, &Descriptor)> {
        let layers = self.layers.iter().enumerate().map(|(at, layer)| (format!("/layers/{at}"), layer));
        let subject = self.subject.iter().map(|subject| ("/subject".to_owned(), subject));
        std::iter::once(("/config".to_owned(), &self.config)).chain(layers).chain(subject)
    }
}
