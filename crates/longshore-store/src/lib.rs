//! The content store: blobs by digest, references, leases, snapshots and one garbage collector.

#![forbid(unsafe_code)]
