//! A layout of the OCI, with Docker's lists if they are wanted.

use std::collections::{BTreeMap, HashSet};

use longshore_oci::{Descriptor, Digest, Index, Layout, MediaKind, MediaType, Reference};
use longshore_store::Store;
use serde::Serialize;
use serde_json::Map;

use crate::document::{read_index, read_manifest};
use crate::load::{IMAGE_NAME, MANIFEST_FILE, REPOSITORIES_FILE};

use super::target::Target;
use super::{Chosen, SaveError};

/// One image in `manifest.json`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EntryDto {
    pub(super) config: String,
    pub(super) repo_tags: Option<Vec<String>>,
    pub(super) layers: Vec<String>,
}

pub(super) fn write(
    store: &Store,
    chosen: &[Chosen],
    target: &mut dyn Target,
    docker: bool,
) -> Result<(), SaveError> {
    let mut blobs: BTreeMap<String, Digest> = BTreeMap::new();
    for each in chosen {
        gather(store, each.root(), &mut blobs)?;
        // What the image itself needs must be there; the rest of its index need not.
        for descriptor in needs(each) {
            blobs.insert(Layout::blob_path(&descriptor.digest), descriptor.digest.clone());
        }
    }
    for (path, digest) in &blobs {
        let mut blob = store.open_blob(digest)?;
        target.file(path, blob.size(), &mut blob)?;
        blob.finish()?;
    }
    target.document(Layout::INDEX_FILE, &json(&index(chosen))?)?;
    if docker {
        let entries: Vec<EntryDto> = chosen.iter().map(entry).collect();
        target.document(MANIFEST_FILE, &json(&entries)?)?;
    }
    target.document(Layout::FILE, &json(&Layout::current())?)?;
    if docker {
        target.document(REPOSITORIES_FILE, &json(&repositories(chosen, Digest::clone))?)?;
    }
    Ok(())
}

fn needs(chosen: &Chosen) -> impl Iterator<Item = &Descriptor> {
    let manifest = &chosen.image.manifest;
    [&chosen.image.manifest_descriptor, &manifest.config].into_iter().chain(&manifest.layers)
}

/// Everything below a descriptor that is here.
fn gather(store: &Store, root: &Descriptor, blobs: &mut BTreeMap<String, Digest>) -> Result<(), SaveError> {
    let mut seen = HashSet::new();
    let mut pending = vec![root.clone()];
    while let Some(descriptor) = pending.pop() {
        if !seen.insert(descriptor.digest.clone()) || store.contains(&descriptor.digest)?.is_none() {
            continue;
        }
        blobs.insert(Layout::blob_path(&descriptor.digest), descriptor.digest.clone());
        match descriptor.media_type.kind() {
            MediaKind::Index => {
                pending.extend(read_index(store, &descriptor)?.into_iter().flat_map(|index| index.manifests));
            }
            MediaKind::Manifest => {
                if let Some(manifest) = read_manifest(store, &descriptor)? {
                    pending.push(manifest.config);
                    pending.extend(manifest.layers);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `index.json`: an entry for each name.
fn index(chosen: &[Chosen]) -> Index {
    let mut manifests = Vec::new();
    for each in chosen {
        let plain = Descriptor { annotations: BTreeMap::new(), ..each.root().clone() };
        if each.names.is_empty() {
            manifests.push(plain);
            continue;
        }
        for name in &each.names {
            let mut named = plain.clone();
            named.annotations.insert(IMAGE_NAME.to_owned(), name.to_string());
            let tag = name.tag().unwrap_or_default().to_owned();
            named.annotations.insert(Index::REF_NAME.to_owned(), tag);
            manifests.push(named);
        }
    }
    Index {
        schema_version: 2,
        media_type: MediaType::parse(MediaType::OCI_INDEX).ok(),
        artifact_type: None,
        manifests,
        subject: None,
        annotations: BTreeMap::new(),
        extra: Map::new(),
    }
}

fn entry(chosen: &Chosen) -> EntryDto {
    let manifest = &chosen.image.manifest;
    EntryDto {
        config: Layout::blob_path(&manifest.config.digest),
        repo_tags: tags(&chosen.names),
        layers: manifest.layers.iter().map(|layer| Layout::blob_path(&layer.digest)).collect(),
    }
}

/// Names as Docker writes them; null if there are none.
pub(super) fn tags(names: &[Reference]) -> Option<Vec<String>> {
    (!names.is_empty()).then(|| names.iter().map(Reference::familiar).collect())
}

/// The older list: the uppermost layer by name and tag.
pub(super) fn repositories(
    chosen: &[Chosen],
    layer_name: impl Fn(&Digest) -> Digest,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut repositories: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for each in chosen {
        let Some(layer) = each.image.manifest.layers.last() else { continue };
        for name in &each.names {
            let tags = repositories.entry(name.familiar_name()).or_default();
            let tag = name.tag().unwrap_or_default().to_owned();
            tags.insert(tag, layer_name(&layer.digest).encoded().to_owned());
        }
    }
    repositories
}

pub(super) fn json(document: &impl Serialize) -> Result<Vec<u8>, SaveError> {
    serde_json::to_vec(document).map_err(SaveError::List)
}
