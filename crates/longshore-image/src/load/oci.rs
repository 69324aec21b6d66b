//! Layouts of the OCI, and how their entries say what they are called.
//!
//! containerd, BuildKit and Docker write the whole name as `io.containerd.image.name`. `org.opencontainers.image.ref.name`
//! is only a tag to them, but a whole name to skopeo and podman; a word alone is no name, since nothing says of what.
//! Docker's archives also have a `manifest.json`, which names images by their configuration.

use std::collections::HashMap;

use longshore_oci::{Descriptor, Digest, Index, Layout, MediaKind, Reference};

use crate::document::all_images;

use super::Found;
use super::contents::Contents;
use super::docker;
use super::error::LoadError;

/// Where containerd and Docker write the whole name.
pub(crate) const IMAGE_NAME: &str = "io.containerd.image.name";

/// The images that `index.json` lists; entries for the same content are one image with several names.
pub(super) fn find(contents: &Contents<'_>) -> Result<Vec<Found>, LoadError> {
    let failed = |name: &str| {
        let name = name.to_owned();
        move |source| LoadError::Document { name, source: Box::new(source) }
    };
    if let Some(layout) = contents.document(Layout::FILE) {
        Layout::read(layout).map_err(failed(Layout::FILE))?;
    }
    let bytes = contents.document(Layout::INDEX_FILE).unwrap_or_default();
    let index = Index::read(None, bytes).map_err(failed(Layout::INDEX_FILE))?;
    let by_config = docker::names(contents)?;
    let mut found: Vec<Found> = Vec::new();
    for entry in index.manifests {
        if !matches!(entry.media_type.kind(), MediaKind::Manifest | MediaKind::Index) {
            continue;
        }
        let mut names = names_of(contents, &entry, &by_config)?;
        let root = plain(&entry);
        match found.iter_mut().find(|each| each.root.digest == root.digest) {
            Some(same) => same.names.append(&mut names),
            None => found.push(Found { root, names }),
        }
    }
    for each in &mut found {
        let mut seen = std::collections::HashSet::new();
        each.names.retain(|name| seen.insert(name.clone()));
    }
    if found.is_empty() { Err(LoadError::NoImages) } else { Ok(found) }
}

/// The descriptor without what only this layout says of it.
fn plain(entry: &Descriptor) -> Descriptor {
    Descriptor { annotations: std::collections::BTreeMap::new(), platform: None, data: None, ..entry.clone() }
}

fn names_of(
    contents: &Contents<'_>,
    entry: &Descriptor,
    by_config: &HashMap<Digest, Vec<Reference>>,
) -> Result<Vec<Reference>, LoadError> {
    let mut names = Vec::new();
    if let Some(name) = entry.annotations.get(IMAGE_NAME) {
        names.extend(docker::reference(name)?);
    } else if let Some(name) = entry.annotations.get(Index::REF_NAME)
        && name.contains([':', '/', '@'])
    {
        names.extend(docker::reference(name)?);
    }
    if by_config.is_empty() {
        return Ok(names);
    }
    contents.lease().hold_tree(entry)?;
    for image in all_images(contents.store(), entry)? {
        if let Some(more) = by_config.get(&image.manifest.config.digest) {
            names.extend(more.iter().cloned());
        }
    }
    Ok(names)
}
