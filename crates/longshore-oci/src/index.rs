//! Image indexes: the manifests of an image by platform, which Docker calls a manifest list.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::document::{DocumentError, INDEX};
use crate::{Descriptor, MediaKind, MediaType, Platform, json};

/// An image index of the OCI or a manifest list of Docker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u8,
    /// What the document says that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// What an artifact is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// Manifests and further indexes. There may be none.
    #[serde(default, deserialize_with = "json::null_as_default")]
    pub manifests: Vec<Descriptor>,
    /// The manifest that this index is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free-form notes.
    #[serde(default, deserialize_with = "json::null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Index {
    /// The annotation that names an entry in the index of a layout.
    pub const REF_NAME: &'static str = "org.opencontainers.image.ref.name";

    /// Reads an index. `announced` is the media type under which it came, from a descriptor or a header.
    pub fn read(announced: Option<&MediaType>, bytes: &[u8]) -> Result<Self, DocumentError> {
        let index: Self = INDEX.read(announced, bytes)?;
        let manifests =
            index.manifests.iter().enumerate().map(|(at, each)| (format!("/manifests/{at}"), each));
        let subject = index.subject.iter().map(|subject| ("/subject".to_owned(), subject));
        for (path, descriptor) in manifests.chain(subject) {
            descriptor.check_content().map_err(|error| DocumentError::Descriptor {
                document: INDEX.document,
                path,
                error,
            })?;
        }
        Ok(index)
    }

    /// The entries that can run on a platform, best first; those that name no platform come last, and their
    /// configuration decides. Entries that are neither manifests nor indexes are left out.
    ///
    /// An index may name indexes. Whoever follows them must bound how deep.
    pub fn select(&self, platform: &Platform) -> Vec<&Descriptor> {
        let candidates = platform.candidates();
        let rank = |entry: &Descriptor| match &entry.platform {
            Some(offered) => candidates.iter().position(|candidate| candidate.matches(offered)),
            None => Some(usize::MAX),
        };
        let runnable =
            |entry: &&Descriptor| matches!(entry.media_type.kind(), MediaKind::Manifest | MediaKind::Index);
        let mut ranked: Vec<(usize, &Descriptor)> =
            self.manifests.iter().filter(runnable).filter_map(|entry| Some((rank(entry)?, entry))).collect();
        // The sort is stable: of equals, the first in the document wins.
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, entry)| entry).collect()
    }

    /// The entries that a layout's index calls `name`.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Descriptor> {
        self.manifests
            .iter()
            .filter(move |entry| entry.annotations.get(Self::REF_NAME).is_some_and(|each| each == name))
    }
}
