//! The store as its users see it: real files, several processes, processes that are killed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod blobs;
mod collecting;
mod crash;
mod hostile;
mod image;
mod leases;
mod opening;
mod partials;
mod refs;
mod snapshots;
