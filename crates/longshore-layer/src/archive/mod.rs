//! Tar archives, read and written in one pass.
//!
//! [`Entries`] reads what tars of images are made of: ustar and old v7 headers, PAX (POSIX.1-2001), GNU's long names
//! and all of GNU's ways to write sparse files. [`Builder`] writes ustar with PAX records where ustar does not suffice.
//!
//! This is a reader of its own, and not that of the `tar` crate, because layers come from strangers: the crate reads an
//! extended header of any size into memory, keeps global headers as entries, knows no sparse files of PAX, takes
//! duplicate records and negative sizes as they come, and its errors do not say which entry they are about. What it
//! would save is a few hundred lines; what matters in them is exactly the refusals.
//!
//! Where formats leave a choice, the one of Go's `archive/tar` is taken, since that is what Docker and containerd read
//! with: an entry of a kind that has no content has none, whatever its size field says. Two things are stricter: a
//! record that stands twice is refused, and so are global headers that would name entries or give them sizes.
//!
//! **Invariants.** Memory is bounded by the limit on headers. No name is interpreted: they are bytes, as in the archive.

mod builder;
mod entries;
mod entry;
mod error;
mod header;
mod pax;
mod sparse;

pub use builder::Builder;
pub use entries::Entries;
pub use entry::{Device, Entry, EntryKind, Segment, Timestamp};
pub use error::{ArchiveError, shown};
