//! Manifests and indexes as a registry serves them.
//!
//! What is asked for by digest must have that digest. What is asked for by tag has the digest of its bytes; if the
//! registry says another one, it is refused. The media type that counts is the one that a descriptor states, else the one
//! that the document has of itself, else the header's.

use longshore_oci::{Digest, Index, MAX_DOCUMENT_BYTES, Manifest, MediaKind, MediaType};
use serde_json::Value;
use ureq::http::Method;
use ureq::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};

use crate::client::{RegistryClient, Repository};
use crate::error::{ContentProblem, ExchangeProblem, RegistryError};
use crate::peer::{Call, Target};

/// Where registries say which digest a document has.
pub(crate) const DIGEST_HEADER: HeaderName = HeaderName::from_static("docker-content-digest");

/// All kinds of documents that are of use.
const ACCEPTED: [&str; 4] =
    [MediaType::OCI_INDEX, MediaType::DOCKER_LIST, MediaType::OCI_MANIFEST, MediaType::DOCKER_MANIFEST];

/// A manifest or index, with its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The digest of the bytes.
    pub digest: Digest,
    /// What it is.
    pub media_type: MediaType,
    /// As they came.
    pub bytes: Vec<u8>,
    /// What they say.
    pub content: DocumentContent,
}

/// What a document says.
#[derive(Debug, Clone, PartialEq)]
pub enum DocumentContent {
    /// It is about one image.
    Manifest(Box<Manifest>),
    /// It is about several.
    Index(Box<Index>),
}

/// What is known of a document without having it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its digest, if the registry tells.
    pub digest: Option<Digest>,
    /// Its media type, if the registry tells.
    pub media_type: Option<MediaType>,
    /// Its size, if the registry tells.
    pub size: Option<u64>,
}

/// Reads a document of either kind.
pub(crate) fn read(
    announced: Option<&MediaType>,
    bytes: &[u8],
) -> Result<(MediaType, DocumentContent), DocumentProblem> {
    let value: Option<Value> = serde_json::from_slice(bytes).ok();
    let field =
        |name: &str| value.as_ref().and_then(|value| value.get(name)).filter(|field| !field.is_null());
    let stated = field("mediaType").and_then(Value::as_str);
    let schema1 = field("schemaVersion").and_then(Value::as_u64) == Some(1) || field("fsLayers").is_some();
    if schema1 || announced.is_some_and(|announced| announced.kind() == MediaKind::Schema1) {
        return Err(DocumentProblem::Kind("an image in Docker's first format (schema 1)".to_owned()));
    }
    let announced = announced.filter(|each| matches!(each.kind(), MediaKind::Manifest | MediaKind::Index));
    // Documents of the OCI need not say what they are; their fields tell.
    let guessed = if field("manifests").is_some() { MediaType::OCI_INDEX } else { MediaType::OCI_MANIFEST };
    let text = announced.map(MediaType::as_str).or(stated).unwrap_or(guessed);
    let media_type = MediaType::parse(text).map_err(|error| DocumentProblem::Kind(error.to_string()))?;
    let content = match media_type.kind() {
        MediaKind::Manifest => DocumentContent::Manifest(Box::new(Manifest::read(Some(&media_type), bytes)?)),
        MediaKind::Index => DocumentContent::Index(Box::new(Index::read(Some(&media_type), bytes)?)),
        _ => return Err(DocumentProblem::Kind(format!("of the type `{media_type}`"))),
    };
    Ok((media_type, content))
}

/// Why a document is refused.
#[derive(Debug)]
pub(crate) enum DocumentProblem {
    Kind(String),
    Content(longshore_oci::DocumentError),
}

impl From<longshore_oci::DocumentError> for DocumentProblem {
    fn from(error: longshore_oci::DocumentError) -> Self {
        Self::Content(error)
    }
}

impl Document {
    /// Reads bytes whose digest is known to be right.
    pub(crate) fn of(
        repository: &Repository,
        digest: Digest,
        announced: Option<&MediaType>,
        bytes: Vec<u8>,
    ) -> Result<Self, RegistryError> {
        let place = || repository.place.clone();
        match read(announced, &bytes) {
            Ok((media_type, content)) => Ok(Self { digest, media_type, bytes, content }),
            Err(DocumentProblem::Kind(kind)) => {
                Err(RegistryError::Kind { reference: digest.to_string(), place: place(), kind })
            }
            Err(DocumentProblem::Content(source)) => {
                Err(RegistryError::Document { digest, place: place(), source: Box::new(source) })
            }
        }
    }
}

impl RegistryClient {
    /// What a registry says of a document. Nothing if it does not have it.
    pub(crate) fn head_document(
        &self,
        repository: &Repository,
        wanted: &str,
    ) -> Result<Option<Head>, RegistryError> {
        let attempt = format!("look for the manifest `{wanted}`");
        let path = repository.path(&format!("manifests/{wanted}"));
        let call = Call::new(Method::HEAD, Target::Path(&path), &repository.scope("pull"))
            .with_header(ACCEPT, ACCEPTED.join(", "));
        let answer = self.request(repository, &attempt, &call, &[200, 404])?;
        if answer.status == 404 {
            return Ok(None);
        }
        let length = answer.header(&CONTENT_LENGTH).and_then(|text| text.parse().ok());
        Ok(Some(Head {
            digest: answer.header(&DIGEST_HEADER).and_then(|text| Digest::parse(text).ok()),
            media_type: answer.header(&CONTENT_TYPE).and_then(|text| MediaType::from_content_type(text).ok()),
            size: length,
        }))
    }

    /// Fetches a document by tag or digest. `announced` is what a descriptor says that it is.
    pub(crate) fn fetch_document(
        &self,
        repository: &Repository,
        wanted: &str,
        announced: Option<&MediaType>,
    ) -> Result<Document, RegistryError> {
        let attempt = format!("fetch the manifest `{wanted}`");
        let path = repository.path(&format!("manifests/{wanted}"));
        let accepted = announced.map_or_else(|| ACCEPTED.join(", "), ToString::to_string);
        let call = Call::new(Method::GET, Target::Path(&path), &repository.scope("pull"))
            .with_header(ACCEPT, accepted);
        let mut answer = self.request(repository, &attempt, &call, &[200])?;
        let bytes = answer.read_document(MAX_DOCUMENT_BYTES, self.timeouts().document).map_err(|source| {
            RegistryError::Exchange {
                attempt: attempt.clone(),
                place: repository.place.clone(),
                source: ExchangeProblem::Transport(source).into(),
            }
        })?;
        let claimed = answer.header(&DIGEST_HEADER).and_then(|text| Digest::parse(text).ok());
        let digest = identify(repository, &bytes, Digest::parse(wanted).ok(), claimed)?;
        let header = answer.header(&CONTENT_TYPE).and_then(|text| MediaType::from_content_type(text).ok());
        // The header is a hint for documents that do not say what they are; wrong ones are common.
        let stated = announced.cloned().or_else(|| header.filter(|_| !states_type(&bytes)));
        Document::of(repository, digest, stated.as_ref(), bytes)
    }
}

fn states_type(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes)
        .is_ok_and(|value| value.get("mediaType").is_some_and(Value::is_string))
}

/// The digest of bytes, if it is the one that was asked for and the one that the registry says.
fn identify(
    repository: &Repository,
    bytes: &[u8],
    wanted: Option<Digest>,
    claimed: Option<Digest>,
) -> Result<Digest, RegistryError> {
    for digest in [&wanted, &claimed].into_iter().flatten() {
        let refused = |problem| RegistryError::Content {
            digest: digest.clone(),
            place: repository.place.clone(),
            problem,
        };
        match digest.algorithm().map(|algorithm| algorithm.digest(bytes)) {
            None => return Err(refused(ContentProblem::Unverifiable)),
            Some(actual) if actual != *digest => return Err(refused(ContentProblem::Digest { actual })),
            Some(_) => {}
        }
    }
    Ok(wanted.or(claimed).unwrap_or_else(|| Digest::of(bytes)))
}
