//! The reference itself: parsing, normalising, printing.

use std::fmt;
use std::str::FromStr;

use super::grammar::{self, MAX_PATH};
use crate::{Digest, DigestError};

/// The domain of Docker Hub.
const HUB: &str = "docker.io";
/// Its former domain, which means the same.
const FORMER_HUB: &str = "index.docker.io";
/// Where Docker Hub keeps its official images.
const OFFICIAL: &str = "library/";
/// The tag that counts if none is given.
const LATEST: &str = "latest";

/// A normalised image reference. Printing gives the whole name; [`Reference::familiar`] the short one.
///
/// What is printed parses to the same reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is no image reference. The texts are those of `distribution/reference`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It does not follow the grammar.
    #[error("invalid reference format")]
    InvalidFormat,
    /// It is an image id.
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    Identifier(String),
    /// The name has capital letters.
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    Uppercase(String),
    /// It would follow the grammar in lower case.
    #[error("repository name must be lowercase")]
    NotLowercase,
    /// The path is too long.
    #[error("repository name must not be more than {MAX_PATH} characters")]
    NameTooLong,
    /// A tag does not follow the grammar.
    #[error("invalid tag format")]
    InvalidTag,
    /// The digest is none that can be verified.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl Reference {
    /// Reads a reference and normalises its name: a name without domain is one of Docker Hub, and one without
    /// namespace there an official image. A tag is not added; see [`Reference::or_latest`].
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if grammar::is_identifier(text) {
            return Err(ReferenceError::Identifier(text.to_owned()));
        }
        let (domain, remainder) = split_domain(text);
        let remote = remainder.split(':').next().unwrap_or_default();
        if grammar::lower(remote) != remote {
            return Err(ReferenceError::Uppercase(remote.to_owned()));
        }
        Self::parse_whole(domain, &remainder)
    }

    /// Reads a reference whose domain has been split off.
    fn parse_whole(domain: &str, remainder: &str) -> Result<Self, ReferenceError> {
        let Some(parts) = Parts::split(domain, remainder) else {
            let matches_lower = Parts::split(&grammar::lower(domain), &grammar::lower(remainder)).is_some();
            return Err(if matches_lower {
                ReferenceError::NotLowercase
            } else {
                ReferenceError::InvalidFormat
            });
        };
        // What cannot be a domain may be the first component of a path, as in `a_b.c/d`.
        let (domain, path) = if grammar::is_domain(domain) {
            (domain.to_owned(), parts.path.to_owned())
        } else {
            (String::new(), format!("{domain}/{}", parts.path))
        };
        if path.len() > MAX_PATH {
            return Err(ReferenceError::NameTooLong);
        }
        let digest = parts.digest.map(supported).transpose()?;
        Ok(Self { domain, path, tag: parts.tag.map(str::to_owned), digest })
    }

    /// The registry: a host, perhaps with a port. Empty if the first component has dots and underscores, as in
    /// `a_b.c/d`, which upstream takes for a path.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The name of the repository within its registry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag, if one was given.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was given.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Domain and path: the name without tag and digest.
    pub fn name(&self) -> String {
        join(&self.domain, &self.path)
    }

    /// The short name that Docker shows, without tag and digest.
    pub fn familiar_name(&self) -> String {
        if self.domain != HUB {
            return self.name();
        }
        let official = self.path.strip_prefix(OFFICIAL).filter(|rest| !rest.contains('/'));
        official.unwrap_or(&self.path).to_owned()
    }

    /// The short name with tag and digest.
    pub fn familiar(&self) -> String {
        self.with_suffixes(self.familiar_name())
    }

    /// The same repository with another tag and no digest.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ReferenceError> {
        if !grammar::is_tag(tag) {
            return Err(ReferenceError::InvalidTag);
        }
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// The same reference with a digest. Fails if its algorithm is unknown.
    pub fn with_digest(&self, digest: Digest) -> Result<Self, ReferenceError> {
        if digest.algorithm().is_none() {
            return Err(DigestError::Unsupported.into());
        }
        Ok(Self { digest: Some(digest), ..self.clone() })
    }

    /// This reference, with the tag `latest` if it has neither tag nor digest.
    pub fn or_latest(self) -> Self {
        if self.tag.is_some() || self.digest.is_some() {
            return self;
        }
        Self { tag: Some(LATEST.to_owned()), ..self }
    }

    fn with_suffixes(&self, mut text: String) -> String {
        if let Some(tag) = &self.tag {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            text.push('@');
            text.push_str(digest.as_str());
        }
        text
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.with_suffixes(self.name()))
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

/// What follows a domain, split by its marks, each part of the right form.
struct Parts<'a> {
    path: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(domain: &str, remainder: &'a str) -> Option<Self> {
        let (named, digest) = match remainder.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (remainder, None),
        };
        let (path, tag) = match named.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (named, None),
        };
        let valid = (grammar::is_domain(domain) || grammar::is_path_component(domain))
            && grammar::is_path(path)
            && tag.is_none_or(grammar::is_tag)
            && digest.is_none_or(grammar::is_digest);
        valid.then_some(Self { path, tag, digest })
    }
}

/// The domain of a name, and the rest of it as it is called there.
fn split_domain(text: &str) -> (&str, String) {
    let Some((first, rest)) = text.split_once('/') else {
        return (HUB, format!("{OFFICIAL}{text}"));
    };
    let (domain, remainder) = if first == FORMER_HUB {
        (HUB, rest)
    } else if first == "localhost" || first.contains(['.', ':']) || grammar::lower(first) != first {
        (first, rest)
    } else {
        (HUB, text)
    };
    if domain == HUB && !remainder.contains('/') {
        return (domain, format!("{OFFICIAL}{remainder}"));
    }
    (domain, remainder.to_owned())
}

fn join(domain: &str, path: &str) -> String {
    if domain.is_empty() { path.to_owned() } else { format!("{domain}/{path}") }
}

fn supported(text: &str) -> Result<Digest, DigestError> {
    let digest = Digest::parse(text)?;
    if digest.algorithm().is_none() { Err(DigestError::Unsupported) } else { Ok(digest) }
}
