//! Docker's own archives: `manifest.json` says which files are the configuration and the layers of each image.
//!
//! Before version 25 Docker wrote no manifest of the image, so one is made. The configuration stays as it is, byte for
//! byte, and with it the image's id.

use std::collections::HashMap;
use std::io::Read;

use longshore_layer::compression::{MAGIC_BYTES, detect};
use longshore_oci::{
    Compression, Descriptor, Digest, ImageConfig, MAX_DOCUMENT_BYTES, Manifest, MediaType, Reference,
};
use longshore_store::Blob;
use serde::Deserialize;

use super::Found;
use super::contents::Contents;
use super::error::LoadError;

/// The list of images.
pub(crate) const MANIFEST_FILE: &str = "manifest.json";
/// The older list, which has names only.
pub(crate) const REPOSITORIES_FILE: &str = "repositories";

/// Layers that are not compressed, in Docker's words.
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// The same, compressed by Zstandard.
const DOCKER_LAYER_ZSTD: &str = "application/vnd.docker.image.rootfs.diff.tar.zstd";

/// One image in `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EntryDto {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// The images that `manifest.json` lists.
pub(super) fn find(contents: &Contents<'_>) -> Result<Vec<Found>, LoadError> {
    let entries = entries(contents)?;
    if entries.is_empty() {
        return Err(LoadError::NoImages);
    }
    entries.iter().map(|entry| image(contents, entry)).collect()
}

/// The names of `manifest.json`, by the digest of the configuration; nothing if there is no such file.
pub(super) fn names(contents: &Contents<'_>) -> Result<HashMap<Digest, Vec<Reference>>, LoadError> {
    let mut names: HashMap<Digest, Vec<Reference>> = HashMap::new();
    if contents.document(MANIFEST_FILE).is_none() {
        return Ok(names);
    }
    for entry in entries(contents)? {
        if let Some(config) = contents.blob(&entry.config) {
            names.entry(config.digest.clone()).or_default().extend(references(&entry)?);
        }
    }
    Ok(names)
}

/// A name that an archive gives, if it gives one.
pub(super) fn reference(name: &str) -> Result<Option<Reference>, LoadError> {
    // Some writers have this where they mean nothing.
    if name.is_empty() || name.contains("<none>") {
        return Ok(None);
    }
    let failed = |source| LoadError::Name { name: name.chars().take(200).collect(), source };
    let reference = Reference::parse(name).map_err(failed)?;
    // A digest is not a name that can be given: it follows from what is loaded.
    Ok(Some(reference).filter(|reference| reference.digest().is_none()).map(Reference::or_latest))
}

fn references(entry: &EntryDto) -> Result<Vec<Reference>, LoadError> {
    let mut references = Vec::new();
    for name in entry.repo_tags.iter().flatten() {
        references.extend(reference(name)?);
    }
    Ok(references)
}

fn entries(contents: &Contents<'_>) -> Result<Vec<EntryDto>, LoadError> {
    let bytes = contents.document(MANIFEST_FILE).unwrap_or_default();
    serde_json::from_slice(bytes)
        .map_err(|error| LoadError::List { name: MANIFEST_FILE, message: error.to_string() })
}

fn image(contents: &Contents<'_>, entry: &EntryDto) -> Result<Found, LoadError> {
    let config_blob = file(contents, &entry.config)?;
    let bytes = contents.store().read_blob(&config_blob.digest, MAX_DOCUMENT_BYTES as u64)?;
    let config = ImageConfig::read(&bytes)
        .map_err(|source| LoadError::Document { name: entry.config.clone(), source: Box::new(source) })?;
    let paths = entry.layers.as_deref().unwrap_or_default();
    let (layers, diff_ids) = (paths.len(), config.rootfs.diff_ids.len());
    if layers != diff_ids {
        return Err(LoadError::Layers { layers, diff_ids });
    }
    let mut descriptors = Vec::with_capacity(layers);
    for (path, diff_id) in paths.iter().zip(&config.rootfs.diff_ids) {
        descriptors.push(layer(contents, path, diff_id)?);
    }
    let config = described(MediaType::DOCKER_CONFIG, config_blob)?;
    Ok(Found { root: manifest(contents, config, descriptors)?, names: references(entry)? })
}

/// A layer, whose compression is told by its first bytes.
fn layer(contents: &Contents<'_>, path: &str, diff_id: &Digest) -> Result<Descriptor, LoadError> {
    let blob = file(contents, path)?;
    let mut start = Vec::with_capacity(MAGIC_BYTES);
    let read = contents.store().open_blob(&blob.digest)?.take(MAGIC_BYTES as u64).read_to_end(&mut start);
    read.map_err(|source| LoadError::Read { entry: format!("`{path}`"), source })?;
    match detect(&start) {
        Compression::None => {
            if diff_id.algorithm() == blob.digest.algorithm() && blob.digest != *diff_id {
                let (expected, actual) = (diff_id.clone(), blob.digest.clone());
                return Err(LoadError::DiffId { path: path.to_owned(), expected, actual });
            }
            described(DOCKER_LAYER, blob)
        }
        Compression::Gzip => described(MediaType::DOCKER_LAYER_GZIP, blob),
        Compression::Zstd => described(DOCKER_LAYER_ZSTD, blob),
    }
}

fn file<'a>(contents: &'a Contents<'_>, path: &str) -> Result<&'a Blob, LoadError> {
    contents.blob(path).ok_or_else(|| LoadError::MissingFile { path: path.chars().take(200).collect() })
}

fn manifest(
    contents: &Contents<'_>,
    config: Descriptor,
    layers: Vec<Descriptor>,
) -> Result<Descriptor, LoadError> {
    let media_type = media_type(MediaType::DOCKER_MANIFEST)?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type.clone()),
        artifact_type: None,
        config,
        layers,
        subject: None,
        annotations: std::collections::BTreeMap::new(),
        extra: serde_json::Map::new(),
    };
    let malformed =
        |error: serde_json::Error| LoadError::List { name: MANIFEST_FILE, message: error.to_string() };
    let bytes = serde_json::to_vec(&manifest).map_err(malformed)?;
    let descriptor = Descriptor::of(media_type, &bytes);
    contents.lease().hold(&descriptor.digest)?;
    contents.store().put_blob(&bytes)?;
    Ok(descriptor)
}

fn described(media: &str, blob: &Blob) -> Result<Descriptor, LoadError> {
    let empty = Descriptor::of(media_type(media)?, b"");
    Ok(Descriptor { digest: blob.digest.clone(), size: blob.size, ..empty })
}

fn media_type(text: &str) -> Result<MediaType, LoadError> {
    MediaType::parse(text)
        .map_err(|error| LoadError::List { name: MANIFEST_FILE, message: error.to_string() })
}
