//! How images are named in the store.
//!
//! A ref of the namespace `image` is called by the whole reference: `docker.io/library/debian:bookworm`, or
//! `docker.io/library/debian@sha256:…` for one that was pulled by digest. An image that lost its last name to a newer one
//! stays as `<none>@sha256:…`, with the digest of its manifest or index, until it is pruned. `<` cannot stand in a
//! reference, so the two never meet.

use std::fmt;

use longshore_oci::{Digest, Reference};
use longshore_store::{Namespace, RefName, RefNameError};

/// What stands for a missing repository or tag.
pub const NONE: &str = "<none>";
/// The word that stands for the engine's built-in image.
pub const RESERVED: &str = "host";
/// The label of a ref that says from which repository an image was pulled: what shows of one that lost its name.
pub(crate) const REPOSITORY_LABEL: &str = "longshore.repository";

/// The name of an image in the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageName {
    /// A reference with a tag or a digest.
    Named(Reference),
    /// None: only the digest of what it was.
    Dangling(Digest),
}

impl ImageName {
    /// The name that a reference stands for: `latest` if it has neither tag nor digest. What has both is known by its
    /// digest, because the tag may move.
    pub fn of(reference: &Reference) -> Self {
        let reference = reference.clone().or_latest();
        let plain = match (reference.tag(), reference.digest()) {
            (Some(_), Some(digest)) => without_tag(&reference, digest),
            _ => None,
        };
        Self::Named(plain.unwrap_or(reference))
    }

    /// The name that a ref has.
    pub fn of_ref(name: &RefName) -> Option<Self> {
        let text = name.name();
        if let Some(digest) = text.strip_prefix(NONE).and_then(|rest| rest.strip_prefix('@')) {
            return Digest::parse(digest).ok().map(Self::Dangling);
        }
        Reference::parse(text).ok().map(Self::Named)
    }

    /// The ref that has this name.
    pub fn to_ref(&self) -> Result<RefName, RefNameError> {
        RefName::new(Namespace::Image, self.to_string())
    }

    /// The reference, if there is one.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Named(reference) => Some(reference),
            Self::Dangling(_) => None,
        }
    }

    /// The tagged reference; nothing for one that is known by its digest only.
    pub fn tagged(&self) -> Option<&Reference> {
        self.reference().filter(|reference| reference.tag().is_some())
    }

    /// As people write it.
    pub fn familiar(&self) -> String {
        match self {
            Self::Named(reference) => reference.familiar(),
            Self::Dangling(_) => self.to_string(),
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(reference) => reference.fmt(formatter),
            Self::Dangling(digest) => write!(formatter, "{NONE}@{digest}"),
        }
    }
}

/// `repository@digest` of the repository that a reference names.
pub(crate) fn without_tag(reference: &Reference, digest: &Digest) -> Option<Reference> {
    Reference::parse(&reference.name()).ok()?.with_digest(digest.clone()).ok()
}

/// Whether a name is kept for the engine's built-in image.
pub(crate) fn is_reserved(reference: &Reference) -> bool {
    reference.familiar_name() == RESERVED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_refs_are_the_same() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (written, stored) in [
            ("debian", "docker.io/library/debian:latest".to_owned()),
            ("localhost:5000/a/b:1", "localhost:5000/a/b:1".to_owned()),
            (&format!("debian:12@{digest}"), format!("docker.io/library/debian@{digest}")),
            (&format!("debian@{digest}"), format!("docker.io/library/debian@{digest}")),
        ] {
            let name = ImageName::of(&Reference::parse(written).unwrap());
            assert_eq!(name.to_string(), stored);
            assert_eq!(ImageName::of_ref(&name.to_ref().unwrap()), Some(name));
        }
        let dangling = ImageName::Dangling(Digest::parse(&digest).unwrap());
        assert_eq!(dangling.to_string(), format!("<none>@{digest}"));
        assert_eq!(ImageName::of_ref(&dangling.to_ref().unwrap()), Some(dangling));
    }
}
