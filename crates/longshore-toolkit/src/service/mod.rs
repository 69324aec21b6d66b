//! The services through which original actions reach artifacts, caches and identities.
//!
//! One server per run, on an address that the run's jobs reach. It speaks what the published packages of
//! `actions/toolkit` speak: Twirp with JSON for `ArtifactService` and `CacheService` (version 2, and the first one for older actions), as much of Azure's
//! block blobs as they use behind signed addresses, and the endpoint for OIDC tokens.
//!
//! It is synchronous: a thread for each of a bounded number of connections, which all end with [`Running`]. A run has
//! few clients that move much, so threads cost nothing here and need no runtime.
//!
//! **Invariant:** what a token says was signed by this server, is not believed after the job was revoked, and reaches
//! the artifacts of one run and the cache scopes of one job only. What clients send is bounded and goes to disk.

mod artifact;
mod blob;
mod cache;
mod connection;
mod http;
mod identity;
mod key;
mod legacy_cache;
mod listener;
mod options;
mod response;
mod router;
mod server;
mod state;
mod token;
mod twirp;
mod upload;

pub use key::KeyError;
pub use options::{Clock, Environment, Identity, JobGrant, ServerOptions};
pub use server::{Running, StartError, ToolkitServer};
