//! Descriptors: media type, digest and size of content that stands elsewhere, or is embedded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Digest, MediaType, Platform, base64, json};

/// A reference to content by its digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    pub media_type: MediaType,
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes.
    #[serde(deserialize_with = "size")]
    pub size: u64,
    /// Other places where it can be had.
    #[serde(default, deserialize_with = "json::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Free-form notes.
    #[serde(default, deserialize_with = "json::null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The content itself in base 64; [`Descriptor::content`] decodes and verifies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// What an artifact is, if the content is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// What the content needs to run; in indexes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Content is not what its descriptor says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// The embedded content is not base 64.
    #[error("`data` is not base 64 as RFC 4648 has it")]
    NotBase64,
    /// The content is longer or shorter.
    #[error("the content has {actual} bytes, but `size` is {stated}")]
    Size {
        /// What the descriptor says.
        stated: u64,
        /// What the content has.
        actual: u64,
    },
    /// The content has another digest.
    #[error("the content does not have the digest `{0}`")]
    Digest(Digest),
    /// The digest cannot be computed.
    #[error("`{0}` has an algorithm that is not supported, so the content cannot be verified")]
    Unverifiable(Digest),
}

impl Descriptor {
    /// A descriptor of some bytes.
    pub fn of(media_type: MediaType, bytes: &[u8]) -> Self {
        Self {
            media_type,
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            data: None,
            artifact_type: None,
            platform: None,
            extra: Map::new(),
        }
    }

    /// Holds content against size and digest.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), DescriptorError> {
        verify(&self.digest, self.size, bytes)
    }

    /// Refuses embedded content that contradicts the descriptor. What cannot be verified is refused only when it is used.
    pub(crate) fn check_content(&self) -> Result<(), DescriptorError> {
        match self.content() {
            Err(DescriptorError::Unverifiable(_)) => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// The embedded content, verified; nothing if none is embedded.
    pub fn content(&self) -> Result<Option<Vec<u8>>, DescriptorError> {
        let Some(data) = &self.data else { return Ok(None) };
        let bytes = base64::decode(data).ok_or(DescriptorError::NotBase64)?;
        self.verify(&bytes)?;
        Ok(Some(bytes))
    }
}

/// Holds content against what a descriptor says of it: first the cheap thing, then the digest.
pub(crate) fn verify(digest: &Digest, size: u64, bytes: &[u8]) -> Result<(), DescriptorError> {
    let actual = bytes.len() as u64;
    if actual != size {
        return Err(DescriptorError::Size { stated: size, actual });
    }
    match digest.verify(bytes) {
        Ok(true) => Ok(()),
        Ok(false) => Err(DescriptorError::Digest(digest.clone())),
        Err(_) => Err(DescriptorError::Unverifiable(digest.clone())),
    }
}

/// Sizes are signed elsewhere, so what does not fit there is refused here.
fn size<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size = i64::deserialize(deserializer)?;
    u64::try_from(size).map_err(|_| serde::de::Error::custom("`size` is negative"))
}
