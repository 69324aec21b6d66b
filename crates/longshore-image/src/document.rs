//! Reading the documents of images from the store.
//!
//! An index may name manifests for platforms that nobody pulled, so what is absent is passed over; and it may name
//! indexes, which is followed to a small depth.

use longshore_oci::{Descriptor, Digest, DocumentError, ImageConfig, Index, Manifest, MediaKind, Platform};
use longshore_store::{Store, StoreError};

use crate::images::host_platform;

/// How many indexes may stand above a manifest.
const MAX_INDEXES: usize = 3;

/// A document of an image cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store cannot give it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is none.
    #[error("the content `{digest}` is no document of an image")]
    Document {
        /// Which.
        digest: Digest,
        /// What is wrong.
        source: DocumentError,
    },
    /// It is something else than an image, such as a chart or a signature.
    #[error("`{digest}` is no image but an artifact of the type `{kind}`")]
    Artifact {
        /// The manifest.
        digest: Digest,
        /// What it is.
        kind: String,
    },
    /// Configuration and manifest contradict each other.
    #[error("the image `{digest}` has {layers} layers, but its configuration speaks of {diff_ids}")]
    Layers {
        /// The manifest.
        digest: Digest,
        /// How many the manifest names.
        layers: usize,
        /// How many the configuration names.
        diff_ids: usize,
    },
}

/// A manifest with its configuration.
#[derive(Debug, Clone)]
pub(crate) struct Documents {
    pub(crate) descriptor: Descriptor,
    pub(crate) manifest: Manifest,
    pub(crate) config: ImageConfig,
}

/// What was found below a descriptor.
pub(crate) enum Choice {
    Found(Box<Documents>),
    /// Nothing for the platform that was asked for; these are offered, as far as they are here.
    Other(Vec<Platform>),
    /// The document itself or what it needs is not here.
    Absent(Digest),
}

/// The image for a platform. Without one it is this machine's, or else any that is here.
pub(crate) fn choose(
    store: &Store,
    root: &Descriptor,
    platform: Option<&Platform>,
) -> Result<Choice, ReadError> {
    let wanted = platform.cloned().unwrap_or_else(host_platform);
    if root.media_type.kind() != MediaKind::Index {
        let Some(documents) = read_image(store, root)? else {
            return Ok(Choice::Absent(root.digest.clone()));
        };
        if platform.is_some() && !runs(&wanted, &documents.config.platform) {
            return Ok(Choice::Other(vec![documents.config.platform.normalised()]));
        }
        return Ok(Choice::Found(Box::new(documents)));
    }
    let Some(index) = read_index(store, root)? else {
        return Ok(Choice::Absent(root.digest.clone()));
    };
    if let Some(found) = best(store, &index, &wanted, 0)? {
        return Ok(Choice::Found(Box::new(found)));
    }
    let mut all = all_images(store, root)?;
    if platform.is_none() && !all.is_empty() {
        return Ok(Choice::Found(Box::new(all.swap_remove(0))));
    }
    if all.is_empty() {
        return Ok(Choice::Absent(root.digest.clone()));
    }
    Ok(Choice::Other(all.iter().map(|each| each.config.platform.normalised()).collect()))
}

/// The first image of an index that is here and runs on a platform.
fn best(
    store: &Store,
    index: &Index,
    wanted: &Platform,
    depth: usize,
) -> Result<Option<Documents>, ReadError> {
    if depth >= MAX_INDEXES {
        return Ok(None);
    }
    for entry in index.select(wanted) {
        if entry.media_type.kind() == MediaKind::Index {
            if let Some(below) = read_index(store, entry)?
                && let Some(found) = best(store, &below, wanted, depth + 1)?
            {
                return Ok(Some(found));
            }
        } else if let Some(found) = read_present(store, entry)?
            && (entry.platform.is_some() || runs(wanted, &found.config.platform))
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// All images below a descriptor that are here, in the order of the documents. Artifacts are left out.
pub(crate) fn all_images(store: &Store, root: &Descriptor) -> Result<Vec<Documents>, ReadError> {
    let mut found = Vec::new();
    let mut pending = vec![(root.clone(), 0)];
    while let Some((descriptor, depth)) = pending.pop() {
        match descriptor.media_type.kind() {
            MediaKind::Index if depth < MAX_INDEXES => {
                let index = read_index(store, &descriptor)?;
                let entries = index.map(|index| index.manifests).unwrap_or_default();
                pending.extend(entries.into_iter().rev().map(|entry| (entry, depth + 1)));
            }
            MediaKind::Manifest => found.extend(read_present(store, &descriptor)?),
            _ => {}
        }
    }
    Ok(found)
}

/// Whether an image for `offered` runs on `wanted`.
fn runs(wanted: &Platform, offered: &Platform) -> bool {
    wanted.candidates().iter().any(|candidate| candidate.matches(offered))
}

/// An index, if it is here.
pub(crate) fn read_index(store: &Store, descriptor: &Descriptor) -> Result<Option<Index>, ReadError> {
    let Some(bytes) = read(store, descriptor)? else { return Ok(None) };
    Index::read(Some(&descriptor.media_type), &bytes).map(Some).map_err(|source| wrong(descriptor, source))
}

/// A manifest, if it is here.
pub(crate) fn read_manifest(store: &Store, descriptor: &Descriptor) -> Result<Option<Manifest>, ReadError> {
    let Some(bytes) = read(store, descriptor)? else { return Ok(None) };
    Manifest::read(Some(&descriptor.media_type), &bytes).map(Some).map_err(|source| wrong(descriptor, source))
}

/// An image of an index, passing over attestations and the like.
fn read_present(store: &Store, descriptor: &Descriptor) -> Result<Option<Documents>, ReadError> {
    match read_image(store, descriptor) {
        Err(ReadError::Artifact { .. }) => Ok(None),
        other => other,
    }
}

/// Manifest and configuration, if they are here.
pub(crate) fn read_image(store: &Store, descriptor: &Descriptor) -> Result<Option<Documents>, ReadError> {
    let Some(manifest) = read_manifest(store, descriptor)? else { return Ok(None) };
    let is_layer = |layer: &Descriptor| matches!(layer.media_type.kind(), MediaKind::Layer(_));
    let is_image = manifest.artifact_type.is_none()
        && (manifest.config.media_type.kind() == MediaKind::Config || manifest.layers.iter().any(is_layer))
        && manifest.layers.iter().all(is_layer);
    if !is_image {
        let kind = manifest.artifact_type().to_string();
        return Err(ReadError::Artifact { digest: descriptor.digest.clone(), kind });
    }
    let Some(bytes) = read(store, &manifest.config)? else { return Ok(None) };
    let config = ImageConfig::read(&bytes).map_err(|source| wrong(&manifest.config, source))?;
    let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
    if layers != diff_ids {
        return Err(ReadError::Layers { digest: descriptor.digest.clone(), layers, diff_ids });
    }
    Ok(Some(Documents { descriptor: descriptor.clone(), manifest, config }))
}

fn read(store: &Store, descriptor: &Descriptor) -> Result<Option<Vec<u8>>, ReadError> {
    match store.read_document(descriptor) {
        Err(StoreError::MissingBlob(_)) => Ok(None),
        other => Ok(other.map(Some)?),
    }
}

fn wrong(descriptor: &Descriptor, source: DocumentError) -> ReadError {
    ReadError::Document { digest: descriptor.digest.clone(), source }
}

/// Whether everything below a descriptor is here.
pub(crate) fn is_whole(store: &Store, root: &Descriptor) -> Result<bool, ReadError> {
    let mut pending = vec![(root.clone(), 0)];
    while let Some((descriptor, depth)) = pending.pop() {
        if store.contains(&descriptor.digest)?.is_none() || depth > MAX_INDEXES + 1 {
            return Ok(false);
        }
        match descriptor.media_type.kind() {
            MediaKind::Index => {
                let entries = read_index(store, &descriptor)?.map(|index| index.manifests);
                pending.extend(entries.unwrap_or_default().into_iter().map(|entry| (entry, depth + 1)));
            }
            MediaKind::Manifest => {
                if let Some(manifest) = read_manifest(store, &descriptor)? {
                    pending.push((manifest.config, depth + 1));
                    pending.extend(manifest.layers.into_iter().map(|layer| (layer, depth + 1)));
                }
            }
            _ => {}
        }
    }
    Ok(true)
}
