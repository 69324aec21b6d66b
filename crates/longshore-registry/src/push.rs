//! Pushing: everything that a manifest or index names, blobs first, then manifests, children before those who name them.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;

use longshore_event::ImageEvent;
use longshore_oci::{Descriptor, Digest, MAX_DOCUMENT_BYTES, MediaType, Reference};
use ureq::http::Method;
use ureq::http::header::CONTENT_TYPE;

use crate::client::{RegistryClient, Repository};
use crate::document::{DIGEST_HEADER, Document, DocumentContent};
use crate::error::{ContentProblem, RegistryError};
use crate::peer::{Call, Target};
use crate::store::{BlobStore, read};
use crate::transport::Payload;

/// How deep indexes may stand in each other.
const MAX_DEPTH: usize = 4;

/// Where blobs are that may be had without sending them: by digest, a name in which the blob is known to be. Only names
/// of the same registry are of use.
pub type BlobOrigins = HashMap<Digest, Reference>;

/// What is to be pushed, in order.
#[derive(Default)]
struct Cargo {
    blobs: Vec<Descriptor>,
    /// Children come before those who name them.
    documents: Vec<Document>,
    seen: HashSet<Digest>,
}

impl RegistryClient {
    /// Pushes what `root` names, from the store to the place that `reference` names: under its tag, or only by digest if
    /// it has none. What the registry has is not sent again.
    pub fn push(
        &self,
        store: &dyn BlobStore,
        root: &Descriptor,
        reference: &Reference,
        origins: &BlobOrigins,
    ) -> Result<(), RegistryError> {
        let repository = self.registry(reference)?;
        if reference.digest().is_some_and(|digest| *digest != root.digest) {
            return Err(RegistryError::Name {
                name: reference.to_string(),
                problem: "it has the digest of something else",
            });
        }
        let mut cargo = Cargo::default();
        cargo.load(&repository, store, root, &reference.to_string(), 0)?;
        let given_up = AtomicBool::new(false);
        let parent = root.digest.to_string();
        self.in_parallel(cargo.blobs, &given_up, |blob| {
            let origin = origins
                .get(&blob.digest)
                .filter(|origin| origin.domain() == reference.domain() && origin.path() != reference.path());
            self.push_blob(&repository, store, blob, origin.map(Reference::path), &parent)
        })?;
        for document in &cargo.documents {
            let name = match reference.tag().filter(|_| document.digest == root.digest) {
                Some(tag) => tag.to_owned(),
                None => document.digest.to_string(),
            };
            self.retrying(|| self.push_document(&repository, document, &name))?;
        }
        Ok(())
    }

    fn push_document(
        &self,
        repository: &Repository,
        document: &Document,
        name: &str,
    ) -> Result<(), RegistryError> {
        let attempt = format!("push the manifest `{name}`");
        let path = repository.path(&format!("manifests/{name}"));
        let mut call = Call::new(Method::PUT, Target::Path(&path), &repository.scope("pull,push"))
            .with_header(CONTENT_TYPE, document.media_type.as_str());
        call.payload = Payload::Bytes(&document.bytes);
        call.patient = true;
        let answer = self.request(repository, &attempt, &call, &[200, 201, 202, 204])?;
        let stored = answer.header(&DIGEST_HEADER).and_then(|text| Digest::parse(text).ok());
        if let Some(actual) = stored.filter(|stored| *stored != document.digest) {
            let problem = ContentProblem::Digest { actual };
            let (digest, place) = (document.digest.clone(), repository.place.clone());
            return Err(RegistryError::Content { digest, place, problem });
        }
        self.tell(ImageEvent::Completed { item: document.digest.to_string() });
        Ok(())
    }
}

impl Cargo {
    /// Loads a document and everything below it. `parent` is who names it.
    fn load(
        &mut self,
        repository: &Repository,
        store: &dyn BlobStore,
        descriptor: &Descriptor,
        parent: &str,
        depth: usize,
    ) -> Result<(), RegistryError> {
        if !self.seen.insert(descriptor.digest.clone()) {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            let reference = repository.place.repository.clone();
            return Err(RegistryError::Nesting { reference, problem: "stand too deep in each other" });
        }
        let document = stored(repository, store, descriptor, parent)?;
        let name = document.digest.to_string();
        match &document.content {
            DocumentContent::Manifest(manifest) => {
                for blob in std::iter::once(&manifest.config).chain(&manifest.layers) {
                    if self.seen.insert(blob.digest.clone()) {
                        self.blobs.push(blob.clone());
                    }
                }
            }
            DocumentContent::Index(index) => {
                for entry in &index.manifests {
                    self.load(repository, store, entry, &name, depth + 1)?;
                }
            }
        }
        self.documents.push(document);
        Ok(())
    }
}

/// A document of the store.
fn stored(
    repository: &Repository,
    store: &dyn BlobStore,
    descriptor: &Descriptor,
    parent: &str,
) -> Result<Document, RegistryError> {
    let digest = &descriptor.digest;
    let failed = |source| RegistryError::Store { action: "read", digest: digest.clone(), source };
    let bytes = read(store, digest, MAX_DOCUMENT_BYTES as u64).map_err(failed)?;
    let missing = || RegistryError::Missing { digest: digest.clone(), parent: parent.to_owned() };
    let announced: &MediaType = &descriptor.media_type;
    Document::of(repository, digest.clone(), Some(announced), bytes.ok_or_else(missing)?)
}
