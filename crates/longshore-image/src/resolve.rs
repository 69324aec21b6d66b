//! From what a person wrote to an image.
//!
//! Containers start through here, so a plain name costs four files: the ref, the index, the manifest and the
//! configuration. Only ids and digests make us look at all refs. As with Docker, a name goes before an id, so an image
//! that is called `cafe` can be had although an id begins so.

use std::collections::BTreeMap;

use longshore_oci::{Descriptor, Digest, Platform, Reference, ReferenceError};
use longshore_store::{Namespace, StoreError};

use crate::document::{Choice, Documents, ReadError, all_images, choose};
use crate::name::without_tag;
use crate::{Image, ImageName, Images};

/// Why a text gave no image.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// No image has this name or id.
    #[error("no such image: {text}")]
    NotFound {
        /// What was asked for.
        text: String,
    },
    /// Several images have ids that begin so.
    #[error("multiple IDs found with provided prefix: {prefix}")]
    Ambiguous {
        /// The digits.
        prefix: String,
    },
    /// The text is neither a name nor an id.
    #[error("`{text}` is no name of an image")]
    Malformed {
        /// What was asked for.
        text: String,
        /// What is wrong with it.
        source: ReferenceError,
    },
    /// The image is here, but for other platforms.
    #[error("the image `{text}` is not here for {platform}, but for {}", offered.join(", "))]
    Platform {
        /// What was asked for.
        text: String,
        /// For what.
        platform: Box<Platform>,
        /// What there is.
        offered: Vec<String>,
    },
    /// The name is here, but not what it stands for.
    #[error("the image `{text}` is incomplete: the content `{digest}` is not in the store")]
    Incomplete {
        /// What was asked for.
        text: String,
        /// What is missing.
        digest: Digest,
    },
    /// A document of the image cannot be read.
    #[error("failed to read the image `{text}`")]
    Read {
        /// What was asked for.
        text: String,
        /// Why.
        source: Box<ReadError>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Images {
    /// The image that a text stands for: a name, `name@digest`, an id or the beginning of one, or the digest of a
    /// manifest or index. Without a platform it is the one for this machine, or else any that is here.
    ///
    /// Nothing keeps the image from being collected; put a ref of the namespace `container` with
    /// [`Image::manifest_descriptor`] first and call [`Images::unpack`] after that.
    pub fn resolve(&self, text: &str, platform: Option<&Platform>) -> Result<Image, ResolveError> {
        let reference = Reference::parse(text);
        if let Ok(reference) = &reference
            && let Some((name, root)) = self.find_named(reference)?
        {
            return self.image(text, Some(name), &root, platform);
        }
        match (id_prefix(text), reference) {
            (Some(prefix), _) => self.find_id(text, prefix, platform),
            (None, Ok(_)) => Err(ResolveError::NotFound { text: text.to_owned() }),
            (None, Err(source)) => Err(ResolveError::Malformed { text: text.to_owned(), source }),
        }
    }

    /// What a reference stands for.
    fn find_named(&self, reference: &Reference) -> Result<Option<(ImageName, Descriptor)>, StoreError> {
        let Some(digest) = reference.digest() else {
            return self.read_name(ImageName::of(reference));
        };
        if let Some(pinned) = without_tag(reference, digest)
            && let Some(found) = self.read_name(ImageName::Named(pinned))?
        {
            return Ok(Some(found));
        }
        if let Some(tag) = reference.tag()
            && let Ok(name) = Reference::parse(&reference.name()).and_then(|plain| plain.with_tag(tag))
            && let Some((name, root)) = self.read_name(ImageName::Named(name))?
            && root.digest == *digest
        {
            return Ok(Some((name, root)));
        }
        let same = |name: &ImageName| {
            name.reference()
                .is_some_and(|other| (other.domain(), other.path()) == (reference.domain(), reference.path()))
        };
        let refs = self.store.refs(Namespace::Image)?.into_iter();
        let mut named = refs.filter_map(|each| Some((ImageName::of_ref(&each.name)?, each.record.target)));
        Ok(named.find(|(name, root)| root.digest == *digest && same(name)))
    }

    fn read_name(&self, name: ImageName) -> Result<Option<(ImageName, Descriptor)>, StoreError> {
        let Ok(ref_name) = name.to_ref() else { return Ok(None) };
        Ok(self.store.reference(&ref_name)?.map(|record| (name, record.target)))
    }

    pub(crate) fn image(
        &self,
        text: &str,
        name: Option<ImageName>,
        root: &Descriptor,
        platform: Option<&Platform>,
    ) -> Result<Image, ResolveError> {
        let read = |source| ResolveError::Read { text: text.to_owned(), source: Box::new(source) };
        match choose(&self.store, root, platform).map_err(read)? {
            Choice::Found(documents) => Ok(assembled(name, root, *documents)),
            Choice::Absent(digest) => Err(ResolveError::Incomplete { text: text.to_owned(), digest }),
            Choice::Other(offered) => Err(ResolveError::Platform {
                text: text.to_owned(),
                platform: Box::new(platform.cloned().unwrap_or_default()),
                offered: offered.iter().map(ToString::to_string).collect(),
            }),
        }
    }

    /// The one image of which a digest begins with `prefix`.
    fn find_id(&self, text: &str, prefix: &str, platform: Option<&Platform>) -> Result<Image, ResolveError> {
        let begins = |digest: &Digest| digest.encoded().starts_with(prefix);
        let mut by_root: BTreeMap<Digest, Descriptor> = BTreeMap::new();
        for each in self.store.refs(Namespace::Image)? {
            by_root.entry(each.record.target.digest.clone()).or_insert(each.record.target);
        }
        let mut found: BTreeMap<Digest, Image> = BTreeMap::new();
        for root in by_root.values() {
            if begins(&root.digest) {
                let image = self.image(text, None, root, platform)?;
                found.insert(image.id().clone(), image);
                continue;
            }
            // One image that cannot be read must not make all others unreachable.
            let Ok(all) = all_images(&self.store, root) else { continue };
            for documents in all {
                let id = &documents.manifest.config.digest;
                if begins(id) || begins(&documents.descriptor.digest) {
                    found.insert(id.clone(), assembled(None, root, documents));
                }
            }
        }
        let mut found = found.into_values();
        match (found.next(), found.next()) {
            (None, _) => Err(ResolveError::NotFound { text: text.to_owned() }),
            (Some(image), None) => Ok(image),
            (Some(_), Some(_)) => Err(ResolveError::Ambiguous { prefix: prefix.to_owned() }),
        }
    }
}

pub(crate) fn assembled(name: Option<ImageName>, root: &Descriptor, documents: Documents) -> Image {
    Image {
        name,
        root: root.clone(),
        manifest_descriptor: documents.descriptor,
        manifest: documents.manifest,
        config: documents.config,
    }
}

/// The digits of an id, if a text can be the beginning of one.
pub(crate) fn id_prefix(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let hexadecimal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (hexadecimal && (1..=64).contains(&digits.len())).then_some(digits)
}
