//! Media types, and what the ones of the OCI and Docker formats stand for.
//!
//! A media type follows RFC 6838, section 4.2. One that is not known is none the worse: documents may hold it, and
//! whoever copies them must not mind it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A media type without parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MediaType(String);

/// What content of a media type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// An image manifest.
    Manifest,
    /// An image index, which Docker calls a manifest list.
    Index,
    /// The configuration of an image.
    Config,
    /// A layer: a tar archive, perhaps compressed.
    Layer(Compression),
    /// A descriptor by itself.
    Descriptor,
    /// The file `oci-layout`.
    Layout,
    /// The two bytes `{}`, where an artifact has nothing to say.
    Empty,
    /// Docker's first manifest format, which is not read.
    Schema1,
    /// Anything else.
    Other,
}

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// With gzip.
    Gzip,
    /// With Zstandard.
    Zstd,
}

/// A text is no media type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a media type")]
pub struct MediaTypeError(
    /// The text, cut to a length that can be shown.
    pub String,
);

impl MediaType {
    /// The image manifest of the OCI.
    pub const OCI_MANIFEST: &'static str = "application/vnd.oci.image.manifest.v1+json";
    /// The image index of the OCI.
    pub const OCI_INDEX: &'static str = "application/vnd.oci.image.index.v1+json";
    /// The image configuration of the OCI.
    pub const OCI_CONFIG: &'static str = "application/vnd.oci.image.config.v1+json";
    /// A layer of the OCI, not compressed.
    pub const OCI_LAYER: &'static str = "application/vnd.oci.image.layer.v1.tar";
    /// A layer of the OCI, compressed with gzip.
    pub const OCI_LAYER_GZIP: &'static str = "application/vnd.oci.image.layer.v1.tar+gzip";
    /// A layer of the OCI, compressed with Zstandard.
    pub const OCI_LAYER_ZSTD: &'static str = "application/vnd.oci.image.layer.v1.tar+zstd";
    /// A descriptor of the OCI.
    pub const OCI_DESCRIPTOR: &'static str = "application/vnd.oci.descriptor.v1+json";
    /// The file `oci-layout`.
    pub const OCI_LAYOUT: &'static str = "application/vnd.oci.layout.header.v1+json";
    /// The content `{}`.
    pub const OCI_EMPTY: &'static str = "application/vnd.oci.empty.v1+json";
    /// The image manifest of Docker.
    pub const DOCKER_MANIFEST: &'static str = "application/vnd.docker.distribution.manifest.v2+json";
    /// The manifest list of Docker.
    pub const DOCKER_LIST: &'static str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// The image configuration of Docker.
    pub const DOCKER_CONFIG: &'static str = "application/vnd.docker.container.image.v1+json";
    /// A layer of Docker, compressed with gzip.
    pub const DOCKER_LAYER_GZIP: &'static str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    /// Reads a media type that has no parameters.
    pub fn parse(text: &str) -> Result<Self, MediaTypeError> {
        let valid = text.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype));
        if valid { Ok(Self(text.to_owned())) } else { Err(MediaTypeError(text.chars().take(80).collect())) }
    }

    /// Reads the value of a `Content-Type` header, of which parameters are left out.
    pub fn from_content_type(header: &str) -> Result<Self, MediaTypeError> {
        Self::parse(header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str())
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What its content is.
    pub fn kind(&self) -> MediaKind {
        kind_of(&self.0)
    }

    /// Whether this is a layer that its maker did not want registries to keep. The OCI has given these up.
    pub fn is_nondistributable(&self) -> bool {
        self.0.starts_with("application/vnd.oci.image.layer.nondistributable.")
            || self.0.starts_with("application/vnd.docker.image.rootfs.foreign.")
    }

    /// Whether this is one of Docker's.
    pub fn is_docker(&self) -> bool {
        self.0.starts_with("application/vnd.docker.")
    }
}

/// What content of the named type is.
fn kind_of(text: &str) -> MediaKind {
    match text {
        MediaType::OCI_MANIFEST | MediaType::DOCKER_MANIFEST => MediaKind::Manifest,
        MediaType::OCI_INDEX | MediaType::DOCKER_LIST => MediaKind::Index,
        MediaType::OCI_CONFIG | MediaType::DOCKER_CONFIG => MediaKind::Config,
        MediaType::OCI_DESCRIPTOR => MediaKind::Descriptor,
        MediaType::OCI_LAYOUT => MediaKind::Layout,
        MediaType::OCI_EMPTY => MediaKind::Empty,
        MediaType::OCI_LAYER
        | "application/vnd.oci.image.layer.nondistributable.v1.tar"
        | "application/vnd.docker.image.rootfs.diff.tar"
        | "application/vnd.docker.image.rootfs.foreign.diff.tar" => MediaKind::Layer(Compression::None),
        MediaType::OCI_LAYER_GZIP
        | MediaType::DOCKER_LAYER_GZIP
        | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => MediaKind::Layer(Compression::Gzip),
        MediaType::OCI_LAYER_ZSTD
        | "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
        | "application/vnd.docker.image.rootfs.diff.tar.zstd"
        | "application/vnd.docker.image.rootfs.foreign.diff.tar.zstd" => MediaKind::Layer(Compression::Zstd),
        "application/vnd.docker.distribution.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v1+prettyjws" => MediaKind::Schema1,
        _ => MediaKind::Other,
    }
}

/// A name of RFC 6838: a letter or digit, and up to 126 characters more.
fn is_name(name: &str) -> bool {
    let restricted = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
    name.len() <= 127
        && name.bytes().all(restricted)
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
}

impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for MediaType {
    type Err = MediaTypeError;

    fn from_str(text: &str) -> Result<Self, MediaTypeError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for MediaType {
    type Error = MediaTypeError;

    fn try_from(text: String) -> Result<Self, MediaTypeError> {
        Self::parse(&text)
    }
}

impl From<MediaType> for String {
    fn from(media_type: MediaType) -> Self {
        media_type.0
    }
}
