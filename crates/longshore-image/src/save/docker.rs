//! Docker's form from before version 25: configuration and uncompressed layers, without manifests.

use std::collections::HashSet;
use std::io::{self, Read};

use longshore_layer::decompress;
use longshore_oci::{Descriptor, Digest, Hasher};
use longshore_store::Store;

use crate::load::{MANIFEST_FILE, REPOSITORIES_FILE};

use super::layout::{EntryDto, json, repositories, tags};
use super::target::Target;
use super::{Chosen, SaveError};

pub(super) fn write(store: &Store, chosen: &[Chosen], target: &mut dyn Target) -> Result<(), SaveError> {
    let mut written = HashSet::new();
    let mut entries = Vec::new();
    for each in chosen {
        let image = &each.image;
        let mut layers = Vec::new();
        for (layer, diff_id) in image.manifest.layers.iter().zip(image.diff_ids()) {
            let path = format!("{}/layer.tar", diff_id.encoded());
            if written.insert(path.clone()) {
                write_layer(store, layer, diff_id, &path, target)?;
            }
            layers.push(path);
        }
        let config = format!("{}.json", image.id().encoded());
        if written.insert(config.clone()) {
            target.document(&config, &store.read_document(&image.manifest.config)?)?;
        }
        entries.push(EntryDto { config, repo_tags: tags(&each.names), layers });
    }
    target.document(MANIFEST_FILE, &json(&entries)?)?;
    let name_of = |digest: &Digest| {
        let mut layers =
            chosen.iter().flat_map(|each| each.image.manifest.layers.iter().zip(each.image.diff_ids()));
        layers
            .find(|(layer, _)| layer.digest == *digest)
            .map_or_else(|| digest.clone(), |(_, diff_id)| diff_id.clone())
    };
    target.document(REPOSITORIES_FILE, &json(&repositories(chosen, name_of))?)
}

/// Writes a layer without its compression. Its length stands before it, so it is decompressed once to be measured.
fn write_layer(
    store: &Store,
    layer: &Descriptor,
    diff_id: &Digest,
    path: &str,
    target: &mut dyn Target,
) -> Result<(), SaveError> {
    let failed = |source| SaveError::Layer { layer: layer.digest.clone(), source };
    let open = || -> Result<_, SaveError> {
        decompress(store.open_blob(&layer.digest)?).map_err(|error| failed(io::Error::other(error)))
    };
    let wrong = || SaveError::DiffId { layer: layer.digest.clone(), diff_id: diff_id.clone() };
    let mut hasher = Hasher::new(diff_id.algorithm().ok_or_else(wrong)?);
    let mut stream = open()?;
    let mut size = 0;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let length = stream.read(&mut buffer).map_err(failed)?;
        if length == 0 {
            break;
        }
        hasher.update(buffer.get(..length).unwrap_or_default());
        size += length as u64;
    }
    if hasher.finish() != *diff_id {
        return Err(wrong());
    }
    target.file(path, size, &mut open()?)
}
