//! The client of registries: pulling, pushing, listing, logging in.
//!
//! It follows the distribution specification 1.1 of the OCI, the token authentication of the distribution project, and
//! Docker's `config.json` with its credential helpers. It is synchronous: a [`RegistryClient`] can be used from many
//! threads, and transfers of one image run in several. What it does is told to an [`longshore_event::EventSink`].
//!
//! **Invariants:** all that a registry says is hostile: everything is bounded in length and time, content is what its
//! digest says or is refused, and nobody far away leads us to addresses that are near ([`RegistryClient`] connects to
//! what a redirect, a realm or a `Location` names only if it is not nearer than the registry). Credentials go to whom
//! they belong to and are never shown. The environment is not read.

#![forbid(unsafe_code)]

mod address;
mod challenge;
mod client;
mod credential;
mod document;
mod download;
mod encryption;
mod error;
mod leased;
mod listing;
mod login;
mod options;
mod peer;
mod progress;
mod pull;
mod push;
mod refusal;
mod resolve;
mod retry;
mod rule;
mod shown;
mod store;
mod token;
mod transport;
mod upload;
mod uri;

pub use challenge::Challenge;
pub use client::RegistryClient;
pub use credential::{Credential, CredentialError, CredentialSources, CredentialStore, Keeper};
pub use document::{Document, DocumentContent, Head};
pub use error::{ContentProblem, ExchangeError, Fault, Place, RegistryError};
pub use leased::LeasedStore;
pub use options::{ClientOptions, Proxies, Retries, Timeouts};
pub use push::BlobOrigins;
pub use refusal::Refusal;
pub use resolve::ResolvedImage;
pub use rule::{Access, Mirror, RegistryRule};
pub use store::{BlobIngest, BlobStore, Committed, ContentKind, Intake, LayerStream, LayerTap, NoTap};
