//! From a name to the manifest and configuration of one image.
//!
//! Mirrors are asked first, the registry last; whoever has the image is also asked first for its layers. A tag is looked
//! up with `HEAD`, which registries do not count as a pull; documents that the store has are not fetched again. Indexes
//! may name indexes, but only to a small depth and never themselves.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use longshore_event::ImageEvent;
use longshore_oci::{
    Descriptor, Digest, ImageConfig, Index, MAX_DOCUMENT_BYTES, Manifest, MediaKind, Platform, Reference,
};

use crate::client::{RegistryClient, Repository};
use crate::document::{Document, DocumentContent, Head};
use crate::download::Channel;
use crate::error::{ContentProblem, RegistryError};
use crate::store::{BlobStore, NoTap, put, read};

/// How many indexes may stand above a manifest.
const MAX_INDEXES: usize = 3;

/// An image that a registry has. Its documents are in the store, its layers perhaps not yet.
#[derive(Clone)]
pub struct ResolvedImage {
    /// The name that was resolved.
    pub reference: Reference,
    /// What the name stands for: an index, or the manifest itself.
    pub root: Descriptor,
    /// The manifest of the image.
    pub manifest_descriptor: Descriptor,
    /// What it says.
    pub manifest: Manifest,
    /// The configuration; nothing for artifacts that are no images.
    pub config: Option<ImageConfig>,
    /// Where its layers are, the best place first.
    pub(crate) places: Vec<Repository>,
}

impl std::fmt::Debug for ResolvedImage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ResolvedImage")
            .field("reference", &self.reference)
            .field("root", &self.root)
            .field("manifest", &self.manifest_descriptor)
            .finish_non_exhaustive()
    }
}

/// A manifest with its configuration.
type Found = (Descriptor, Manifest, Option<ImageConfig>);

/// One walk from a name to a manifest.
struct Walk<'a> {
    client: &'a RegistryClient,
    repository: &'a Repository,
    store: &'a dyn BlobStore,
    reference: &'a Reference,
    platform: &'a Platform,
}

impl RegistryClient {
    /// Resolves a name for a platform. Index, manifest and configuration are in the store afterwards.
    pub fn resolve(
        &self,
        reference: &Reference,
        platform: &Platform,
        store: &dyn BlobStore,
    ) -> Result<ResolvedImage, RegistryError> {
        let reference = &reference.clone().or_latest();
        let repositories = self.repositories(reference)?;
        let mut places = repositories.iter().enumerate().peekable();
        while let Some((at, repository)) = places.next() {
            let walk = Walk { client: self, repository, store, reference, platform };
            match walk.resolve() {
                Ok((root, (manifest_descriptor, manifest, config))) => {
                    let mut places = repositories.clone();
                    places.rotate_left(at);
                    let reference = reference.clone();
                    return Ok(ResolvedImage {
                        reference,
                        root,
                        manifest_descriptor,
                        manifest,
                        config,
                        places,
                    });
                }
                Err(error) if error.concerns_place() && places.peek().is_some() => {
                    self.wait(&error, Duration::ZERO);
                }
                Err(error) => return Err(error),
            }
        }
        Err(RegistryError::Name { name: reference.to_string(), problem: "there is no place to look for it" })
    }
}

impl Walk<'_> {
    fn resolve(&self) -> Result<(Descriptor, Found), RegistryError> {
        let root = self.root()?;
        let host = self.repository.peer.host.authority.clone();
        let (reference, digest) = (self.reference.to_string(), root.digest.to_string());
        self.client.tell(ImageEvent::Resolved { reference, host, digest });
        let descriptor = describe(&root);
        match self.descend(root, &mut Vec::new())? {
            Some(found) => Ok((descriptor, found)),
            None => Err(self.no_platform("none that fits".to_owned())),
        }
    }

    /// What the name stands for.
    fn root(&self) -> Result<Document, RegistryError> {
        if let Some(digest) = self.reference.digest() {
            return self.document(digest, None);
        }
        let tag = self.reference.tag().unwrap_or("latest");
        let head = self.client.retrying(|| self.client.head_document(self.repository, tag));
        match head {
            Ok(Some(Head { digest: Some(digest), .. })) if digest.algorithm().is_some() => {
                self.document(&digest, None)
            }
            // Answers to HEAD have no words that could be shown; some servers do not know it at all.
            Ok(_) | Err(RegistryError::Refused { .. }) => {
                let fetched =
                    self.client.retrying(|| self.client.fetch_document(self.repository, tag, None))?;
                self.keep(&fetched)?;
                Ok(fetched)
            }
            Err(error) => Err(error),
        }
    }

    /// A document by digest, from the store or the registry.
    fn document(&self, digest: &Digest, entry: Option<&Descriptor>) -> Result<Document, RegistryError> {
        let announced = entry.map(|entry| &entry.media_type);
        let failed = |source| RegistryError::Store { action: "read", digest: digest.clone(), source };
        let here = match read(self.store, digest, MAX_DOCUMENT_BYTES as u64) {
            // It was damaged. The store has moved it aside, and fetching it again mends the store.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => None,
            other => other.map_err(failed)?,
        };
        let embedded = || entry.and_then(|entry| entry.content().ok().flatten());
        if let Some(bytes) = here.or_else(embedded) {
            let document = Document::of(self.repository, digest.clone(), announced, bytes)?;
            self.keep(&document)?;
            return Ok(document);
        }
        let wanted = digest.as_str();
        let document =
            self.client.retrying(|| self.client.fetch_document(self.repository, wanted, announced))?;
        if let Some(entry) = entry.filter(|entry| entry.size != document.bytes.len() as u64) {
            let (size, announced) = (entry.size, document.bytes.len() as u64);
            return Err(self.refuse(digest, ContentProblem::Length { size, announced }));
        }
        self.keep(&document)?;
        Ok(document)
    }

    fn keep(&self, document: &Document) -> Result<(), RegistryError> {
        put(self.store, &document.digest, &document.bytes).map_err(|source| RegistryError::Store {
            action: "keep",
            digest: document.digest.clone(),
            source,
        })
    }

    fn refuse(&self, digest: &Digest, problem: ContentProblem) -> RegistryError {
        RegistryError::Content { digest: digest.clone(), place: self.repository.place.clone(), problem }
    }

    /// The manifest for the platform below a document. `above` are the indexes that led here.
    fn descend(&self, document: Document, above: &mut Vec<Digest>) -> Result<Option<Found>, RegistryError> {
        let index = match document.content {
            DocumentContent::Manifest(ref manifest) => {
                let config = self.config(manifest)?;
                return Ok(Some((describe(&document), (**manifest).clone(), config)));
            }
            DocumentContent::Index(index) => index,
        };
        let nesting = |problem| RegistryError::Nesting { reference: self.reference.to_string(), problem };
        if above.len() >= MAX_INDEXES {
            return Err(nesting("stand too deep in each other"));
        }
        above.push(document.digest);
        let candidates = index.select(self.platform);
        if candidates.is_empty() {
            return Err(self.no_platform(offered(&index)));
        }
        for entry in candidates {
            if above.contains(&entry.digest) {
                return Err(nesting("lead back to themselves"));
            }
            let found = self.descend(self.document(&entry.digest, Some(entry))?, above)?;
            // Who names no platform has its configuration decide.
            let fits = |found: &Found| {
                let unnamed = entry.platform.is_none() && entry.media_type.kind() == MediaKind::Manifest;
                let config = found.2.as_ref().filter(|_| unnamed);
                config.is_none_or(|config| {
                    self.platform.candidates().iter().any(|each| each.matches(&config.platform))
                })
            };
            if let Some(found) = found.filter(fits) {
                return Ok(Some(found));
            }
        }
        above.pop();
        Ok(None)
    }

    /// The configuration of a manifest. It is in the store afterwards.
    fn config(&self, manifest: &Manifest) -> Result<Option<ImageConfig>, RegistryError> {
        let descriptor = &manifest.config;
        let digest = &descriptor.digest;
        if descriptor.size > MAX_DOCUMENT_BYTES as u64 {
            return Err(self.refuse(digest, ContentProblem::LargeDocument { size: descriptor.size }));
        }
        let failed = |source| RegistryError::Store { action: "read", digest: digest.clone(), source };
        self.client.fetch_missing(
            std::slice::from_ref(self.repository),
            descriptor,
            &Channel { store: self.store, tap: &NoTap, given_up: &AtomicBool::new(false) },
        )?;
        if descriptor.media_type.kind() != MediaKind::Config {
            return Ok(None);
        }
        let bytes = read(self.store, digest, MAX_DOCUMENT_BYTES as u64).map_err(failed)?.unwrap_or_default();
        let config = ImageConfig::read(&bytes).map_err(|source| RegistryError::Document {
            digest: digest.clone(),
            place: self.repository.place.clone(),
            source: Box::new(source),
        })?;
        Ok(Some(config))
    }

    fn no_platform(&self, offered: String) -> RegistryError {
        RegistryError::Platform {
            reference: self.reference.to_string(),
            platform: self.platform.to_string(),
            offered,
        }
    }
}

fn describe(document: &Document) -> Descriptor {
    let mut descriptor = Descriptor::of(document.media_type.clone(), &document.bytes);
    descriptor.digest = document.digest.clone();
    descriptor
}

/// The platforms of an index, for people.
fn offered(index: &Index) -> String {
    let known = index.manifests.iter().filter_map(|entry| entry.platform.as_ref());
    let mut names: Vec<String> =
        known.filter(|platform| platform.os != "unknown").map(|platform| format!("`{platform}`")).collect();
    names.sort();
    names.dedup();
    names.truncate(20);
    if names.is_empty() { "no platform".to_owned() } else { crate::shown::shown(&names.join(", ")) }
}
