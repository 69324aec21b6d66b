//! The formats of container images: references, digests, descriptors, manifests, indexes, configurations, without I/O.
//!
//! It follows the OCI image specification 1.1 ([`Manifest`], [`Index`], [`ImageConfig`], [`Layout`]), Docker's image
//! manifest version 2, schema 2, which has the same shape, and the grammar of `distribution/reference` for names
//! ([`Reference`]), down to its error texts. [`Platform`] parses and matches platforms as containerd does.
//!
//! Two ways lead into a document. [`Manifest::read`] and its siblings read what is found in the world: they tolerate
//! what other engines tolerate (an image without layers, a list that is null), keep fields they do not know, and refuse
//! what could mean two things. [`validate`] holds a text against the specification and lists every breach with its place.
//!
//! Identity is the digest of the bytes as they came; whoever needs it again must keep the bytes, because writing a
//! document anew may give other bytes.
//!
//! **Invariants:** no input makes this crate panic; documents are at most [`MAX_DOCUMENT_BYTES`] long and bounded in
//! depth, and no key stands twice in an object. A [`Digest`] holds nothing but letters, digits and `+._=-:`, so it is
//! safe as part of a path.

#![forbid(unsafe_code)]

mod base64;
mod chain_id;
mod config;
mod descriptor;
mod digest;
mod document;
mod index;
mod json;
mod layout;
mod manifest;
mod media_type;
mod name_set;
mod platform;
mod reference;
mod specifier;
mod validate;

pub use chain_id::{ChainId, chain_ids};
pub use config::{ExecutionConfig, HealthTest, Healthcheck, History, ImageConfig, RootFs};
pub use descriptor::{Descriptor, DescriptorError};
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use document::DocumentError;
pub use index::Index;
pub use json::{JsonError, MAX_DOCUMENT_BYTES};
pub use layout::Layout;
pub use manifest::Manifest;
pub use media_type::{Compression, MediaKind, MediaType, MediaTypeError};
pub use platform::Platform;
pub use reference::{Reference, ReferenceError};
pub use specifier::PlatformError;
pub use validate::{Problem, Unvalidated, validate};
