//! Where things are in the store. See `docs/design/store-and-gc.md` for why.

use longshore_oci::Digest;

use crate::StoreError;

/// Which version the store has.
pub(crate) const VERSION: &str = "version";
/// What the collector locks against everybody else.
pub(crate) const GATE: &str = "lock";
/// What changes of refs are ordered by.
pub(crate) const REFS_LOCK: &str = "refs.lock";
/// During which boot of the machine the store was last recovered.
pub(crate) const BOOT: &str = "boot";
/// Finished content, by algorithm and hexadecimal digest.
pub(crate) const BLOBS: &str = "blobs";
/// Named records that keep content alive.
pub(crate) const REFS: &str = "refs";
/// Finished layers, by algorithm and hexadecimal chain id.
pub(crate) const SNAPSHOTS: &str = "snapshots";
/// Files that are being written, and whose digest is not known yet.
pub(crate) const INGESTS: &str = "ingests";
/// Downloads that can be taken up again, by digest.
pub(crate) const PARTIALS: &str = "partials";
/// Layers that are being unpacked, by chain id.
pub(crate) const UNPACKING: &str = "unpacking";
/// What live processes hold.
pub(crate) const LEASES: &str = "leases";
/// What a power failure may damage: snapshots by chain id, blobs with `blob-` before their digest.
pub(crate) const UNSYNCED: &str = "unsynced";
/// Damaged content.
pub(crate) const QUARANTINE: &str = "quarantine";
/// What is being deleted.
pub(crate) const TRASH: &str = "trash";

/// Algorithms of digests; each has a directory of its own.
pub(crate) const ALGORITHMS: [&str; 3] = ["sha256", "sha384", "sha512"];

/// Directories right below the root.
pub(crate) const DIRECTORIES: [&str; 10] =
    [BLOBS, REFS, SNAPSHOTS, INGESTS, PARTIALS, UNPACKING, LEASES, UNSYNCED, QUARANTINE, TRASH];

/// Files right below the root.
pub(crate) const FILES: [&str; 4] = [VERSION, GATE, REFS_LOCK, BOOT];

/// The place of a digest below one of the directories that have one directory for each algorithm.
pub(crate) fn sharded(directory: &str, digest: &Digest) -> Result<String, StoreError> {
    supported(digest)?;
    Ok(format!("{directory}/{}/{}", digest.algorithm_name(), digest.encoded()))
}

/// The place of a digest in one of the flat directories.
pub(crate) fn flat(directory: &str, digest: &Digest) -> Result<String, StoreError> {
    supported(digest)?;
    Ok(format!("{directory}/{}-{}", digest.algorithm_name(), digest.encoded()))
}

/// The note about a snapshot that is not on the disk yet.
pub(crate) fn snapshot_note(chain: &Digest) -> Result<String, StoreError> {
    flat(UNSYNCED, chain)
}

/// The note about a blob that is not on the disk yet.
pub(crate) fn blob_note(digest: &Digest) -> Result<String, StoreError> {
    supported(digest)?;
    Ok(format!("{UNSYNCED}/blob-{}-{}", digest.algorithm_name(), digest.encoded()))
}

/// The digest that a name in a flat directory stands for.
pub(crate) fn digest_of_flat(name: &str) -> Option<Digest> {
    let (algorithm, encoded) = name.split_once('-')?;
    digest_of(algorithm, encoded)
}

/// The digest that stands under an algorithm's directory.
pub(crate) fn digest_of(algorithm: &str, encoded: &str) -> Option<Digest> {
    Digest::parse(&format!("{algorithm}:{encoded}")).ok().filter(|digest| digest.algorithm().is_some())
}

fn supported(digest: &Digest) -> Result<(), StoreError> {
    digest.algorithm().map(|_| ()).ok_or_else(|| StoreError::UnsupportedDigest(digest.clone()))
}
