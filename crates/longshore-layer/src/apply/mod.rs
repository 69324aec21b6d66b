//! Unpacking one layer into a directory.
//!
//! Follows `layer.md` of the OCI image specification 1.1, and Docker and containerd where it is silent. A pipeline does
//! it: one thread reads and decompresses, one hashes the decompressed stream, the caller's parses it, makes directories
//! and writes large files, and a crew makes small files and links.
//!
//! What a name may do is decided in `path.rs` and `place.rs`:
//!
//! - Absolute names are relative to the target; a name that climbs out of it is refused.
//! - Nothing is written through a link that leads out of the target. A relative link that stays inside is followed where
//!   it stands for a directory, as Docker does; one with an absolute text is refused, since it means another place
//!   outside of the container.
//! - A later entry replaces an earlier one of the same name, of whatever kind, except for a directory over a directory.
//! - A hard link's target must be there already, with no link on the way.
//!
//! **Invariants.** Nothing outside of the target is read, written or removed: every system call names one component
//! below a descriptor that was reached the same way from the target. The target may hold anything afterwards if there
//! was an error; a caller throws it away.

mod attributes;
mod error;
mod options;
mod path;
mod place;
mod stream;
mod tree;
mod unpack;
mod whiteout;
mod writer;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use longshore_oci::Algorithm;

pub(crate) use attributes::is_overlay;
pub use error::{ApplyError, Fault};
pub use options::{Applied, ApplyOptions, Devices, Limits, Ownership, Whiteouts};
pub(crate) use path::EntryPath;
pub(crate) use tree::{Child, Tree, look, names, readable};

use attributes::AttributePolicy;
use stream::{ChunkReader, Ended, Stream};
use unpack::{Unpacked, Unpacker};
use writer::Crew;

use crate::archive::Entries;

/// Unpacks a layer, compressed or not, into a directory that is empty, or holds the lower layers for
/// [`Whiteouts::Delete`] and whatever there is for [`Whiteouts::Literal`].
///
/// The reader is read to its end on a thread of its own. If something fails, it is still waited for the reader's current
/// call, so a reader that can stall needs a time limit.
pub fn apply(reader: impl Read + Send, target: &Path, options: &ApplyOptions) -> Result<Applied, ApplyError> {
    let failed = |source| ApplyError::Target { path: target.to_owned(), source };
    let tree = Tree::open(target).map_err(failed)?;
    let inherits = tree.inherits().map_err(failed)? || options.whiteouts.is_tree();
    let policy = Arc::new(AttributePolicy::new(options.ownership, inherits));
    let expected = options.expected_diff_id.as_ref();
    let algorithm = expected.and_then(longshore_oci::Digest::algorithm).unwrap_or(Algorithm::Sha256);
    thread::scope(|scope| {
        let (stream, chunks) = Stream::start(scope, reader, &options.limits, algorithm)?;
        let unpacked = unpack(scope, chunks, tree, options, &policy);
        // A failed stream looks like an early end to the parser, so its error is the one that tells why.
        let ended = stream.join()?;
        applied(unpacked?, ended, &policy, options)
    })
}

fn unpack<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    chunks: ChunkReader,
    tree: Tree,
    options: &ApplyOptions,
    policy: &Arc<AttributePolicy>,
) -> Result<Unpacked, ApplyError> {
    let crew = Crew::start(scope, options.threads, Arc::clone(policy))?;
    let entries = Entries::new(chunks, options.limits.header_bytes);
    Unpacker::new(entries, tree, crew, options, Arc::clone(policy)).run()
}

fn applied(
    unpacked: Unpacked,
    ended: Ended,
    policy: &AttributePolicy,
    options: &ApplyOptions,
) -> Result<Applied, ApplyError> {
    if let Some(expected) = &options.expected_diff_id
        && *expected != ended.diff_id
    {
        return Err(ApplyError::DiffId { expected: expected.clone(), actual: ended.diff_id });
    }
    Ok(Applied {
        diff_id: ended.diff_id,
        entries: unpacked.entries,
        bytes: ended.bytes,
        file_bytes: unpacked.file_bytes,
        implied_directories: unpacked.implied_directories,
        opaque_root: unpacked.opaque_root,
        attributes_left_out: policy.left_out(),
    })
}
