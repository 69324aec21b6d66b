//! Artifacts and caches of workflow runs, and the services through which `actions/toolkit` reaches them.
//!
//! [`ArtifactStore`] and [`CacheStore`] keep files below a directory, for several processes at once. They take the time
//! as an argument. [`service::ToolkitServer`] serves both to original actions. Our own steps hand them a job's files ([`Root`] is where these are) without packing and unpacking.

#![forbid(unsafe_code)]

pub mod artifact;
pub mod cache;
mod content;
mod copy;
mod depot;
mod digest;
mod error;
mod identifier;
mod limits;
mod place;
mod remove;
mod root;
pub mod service;
mod transfer;
mod zip;

pub use artifact::ArtifactStore;
pub use cache::CacheStore;
pub use content::ContentDraft;
pub use error::StorageError;
pub use identifier::{BackendId, BackendIdError};
pub use limits::Limits;
pub use root::Root;
pub use transfer::Transferred;
