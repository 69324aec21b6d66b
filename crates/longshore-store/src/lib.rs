//! The content store: blobs by digest, references, leases, snapshots and one garbage collector.
//!
//! Images, the build cache, artifacts, fetched actions and logs lie in one [`Store`]. It consists of files that a human
//! can read with `ls` and `cat`; `docs/design/store-and-gc.md` describes the layout, the locks and why no crash hurts.
//!
//! - **Blobs** are immutable and named by digest. They are verified when they come in ([`Ingest`]) and whenever they are
//!   read ([`BlobReader`]); a damaged one is moved aside, so that fetching it again mends the store.
//! - **Refs** ([`RefName`], [`RefRecord`]) give content a name, and keep it and all it refers to.
//! - **Leases** ([`Lease`]) keep content for as long as a process lives.
//! - **Snapshots** ([`Snapshot`]) are layers as overlayfs wants them, by chain id.
//! - **Collecting** ([`Store::collect`]) removes what no ref and no live lease keeps.
//!
//! # How to add content without losing it
//!
//! Take a lease, *hold* a digest, and only then look whether it is there; fetch it if it is not; put the ref; drop the
//! lease. Holding waits while a collector decides, so what is found after holding stays.
//!
//! ```
//! # use longshore_oci::{Descriptor, MediaType};
//! # use longshore_store::{Namespace, RefName, RefRecord, Store, StoreError};
//! # use std::io::Write;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let store = Store::open(directory.path().join("store"))?;
//! let lease = store.lease("example")?;
//! let layer = Descriptor::of(MediaType::parse("text/plain")?, b"content");
//! lease.hold(&layer.digest)?;
//! if store.contains(&layer.digest)?.is_none() {
//!     let mut ingest = store.ingest(Some(&layer.digest), Some(layer.size))?;
//!     ingest.write_all(b"content")?;
//!     ingest.commit()?;
//! }
//! let name = RefName::new(Namespace::Artifact, "example")?;
//! store.put_ref(&name, &RefRecord::new(layer, std::time::SystemTime::UNIX_EPOCH))?;
//! # Ok(())
//! # }
//! ```
//!
//! **Invariants:** a file under `blobs/` was complete and had its digest when it got its name. Nothing outside of the
//! store's directory is read or written, whatever is planted in it. A process may be killed at any instruction: the next
//! one finds each thing whole or absent, and [`Store::recover`] removes the remains.

#![forbid(unsafe_code)]

mod blob;
mod error;
mod gc;
mod ingest;
mod layout;
mod lease;
mod lock;
mod partial;
mod record;
mod recover;
mod reference;
mod snapshot;
mod store;
mod trash;
mod tree;
mod unpacking;
mod unsynced;
mod usage;

pub use blob::BlobReader;
pub use error::StoreError;
pub use gc::{Eviction, GcOptions, GcReport, KeepAll, OldestFirst, Removed, RetentionPolicy};
pub use ingest::{Blob, Ingest};
pub use lease::Lease;
pub use partial::Download;
pub use recover::RecoveryReport;
pub use reference::{NamedRef, Namespace, RefName, RefNameError, RefRecord, Swap};
pub use snapshot::Snapshot;
pub use store::Store;
pub use unpacking::{SnapshotClaim, SnapshotIngest};
pub use usage::{Amount, Usage};
