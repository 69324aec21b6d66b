//! Images made up from a number, and what it takes to have one in the store.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use longshore_oci::{ChainId, Descriptor, Digest, Index, MediaType, chain_ids};
use longshore_store::{
    Download, GcOptions, Lease, Namespace, RefName, RefRecord, SnapshotClaim, Store, StoreError,
};

/// An image with all its content.
pub(crate) struct Image {
    pub(crate) target: Descriptor,
    pub(crate) blobs: Vec<(Descriptor, Vec<u8>)>,
    pub(crate) chain: Vec<ChainId>,
}

pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor::of(MediaType::parse(media_type).unwrap(), bytes)
}

fn json(descriptor: &Descriptor) -> String {
    format!(
        r#"{{"mediaType":"{}","digest":"{}","size":{}}}"#,
        descriptor.media_type, descriptor.digest, descriptor.size
    )
}

/// Bytes that differ from seed to seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

impl Image {
    /// Two layers of its own and one that all images share, inside of an index.
    pub(crate) fn numbered(number: u64) -> Self {
        let layers: Vec<Vec<u8>> =
            vec![noise(0, 50_000), noise(number * 2 + 1, 1_000), noise(number * 2 + 2, 120_000)];
        let diff_ids: Vec<Digest> =
            layers.iter().map(|layer| Digest::of(&[b"diff", layer.as_slice()].concat())).collect();
        let quoted: Vec<String> = diff_ids.iter().map(|id| format!("\"{id}\"")).collect();
        let config = format!(
            r#"{{"os":"linux","architecture":"amd64","rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
            quoted.join(",")
        );
        let config = (descriptor(MediaType::OCI_CONFIG, config.as_bytes()), config.into_bytes());
        let mut blobs: Vec<(Descriptor, Vec<u8>)> =
            layers.into_iter().map(|layer| (descriptor(MediaType::OCI_LAYER, &layer), layer)).collect();
        let listed: Vec<String> = blobs.iter().map(|(layer, _)| json(layer)).collect();
        let manifest =
            format!(r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#, json(&config.0), listed.join(","));
        let manifest = (descriptor(MediaType::OCI_MANIFEST, manifest.as_bytes()), manifest.into_bytes());
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, json(&manifest.0));
        let target = descriptor(MediaType::OCI_INDEX, index.as_bytes());
        blobs.extend([config, manifest, (target.clone(), index.into_bytes())]);
        Self { target, blobs, chain: chain_ids(&diff_ids) }
    }

    /// Brings it into the store as a pull does, and names it.
    pub(crate) fn pull(&self, store: &Store, name: &RefName, lease: &Lease) -> Result<(), StoreError> {
        lease.hold_all(self.blobs.iter().map(|(descriptor, _)| &descriptor.digest))?;
        lease.hold_snapshots(&self.chain)?;
        for (descriptor, bytes) in &self.blobs {
            if let Download::Needed(mut ingest) = store.download(&descriptor.digest, Some(descriptor.size))? {
                let rest = bytes.get(usize::try_from(ingest.offset()).unwrap()..).unwrap();
                for chunk in rest.chunks(8_192) {
                    ingest.put(chunk)?;
                }
                match ingest.commit() {
                    // A partial that was cut short by a power failure cannot be in here, but by this test.
                    Ok(_) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        for id in &self.chain {
            if let SnapshotClaim::Needed(ingest) = store.begin_snapshot(id)? {
                unpack(&ingest.path());
                ingest.commit()?;
            }
        }
        store.put_ref(name, &RefRecord::new(self.target.clone(), SystemTime::UNIX_EPOCH))
    }

    /// What of it is missing or wrong.
    pub(crate) fn problems(&self, store: &Store) -> Vec<String> {
        let mut problems = Vec::new();
        for (descriptor, bytes) in &self.blobs {
            match store.read_blob(&descriptor.digest, descriptor.size) {
                Ok(read) if read == *bytes => {}
                other => problems.push(format!("{}: {:?}", descriptor.digest, other.map(|read| read.len()))),
            }
        }
        for id in &self.chain {
            match store.snapshot(id) {
                Ok(Some(snapshot)) if is_unpacked(snapshot.path()) => {}
                other => problems.push(format!("snapshot {id}: {other:?}")),
            }
        }
        problems
    }
}

/// What a layer of these tests has.
fn unpack(directory: &Path) {
    for top in ["a", "b", "c"] {
        fs::create_dir_all(directory.join(top).join("deep/deeper")).unwrap();
        for file in 0..5 {
            let mut file = fs::File::create(directory.join(top).join(format!("deep/{file}"))).unwrap();
            file.write_all(b"content").unwrap();
        }
    }
    fs::write(directory.join("last"), "complete").unwrap();
}

pub(crate) fn is_unpacked(directory: &Path) -> bool {
    let files = |top: &str| (0..5).all(|file| directory.join(top).join(format!("deep/{file}")).is_file());
    directory.join("last").is_file() && ["a", "b", "c"].into_iter().all(files)
}

pub(crate) fn name(number: u64) -> RefName {
    RefName::new(Namespace::Image, format!("example.com/image/{number}:latest")).unwrap()
}

/// Removes everything that is not needed, however new it is.
pub(crate) fn at_once() -> GcOptions<'static> {
    GcOptions { keep_newer: Duration::ZERO, ..GcOptions::default() }
}

/// Returns once so many others wait for the lock on a file or directory.
pub(crate) fn await_waiters(path: &Path, count: usize) {
    use std::os::unix::fs::MetadataExt;
    let inode = format!(":{} ", fs::metadata(path).unwrap().ino());
    let waits = |line: &&str| line.contains("-> FLOCK") && line.contains(&inode);
    while fs::read_to_string("/proc/locks").unwrap().lines().filter(waits).count() < count {
        std::thread::yield_now();
    }
}

/// A store with nothing in it.
pub(crate) fn new_store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path().join("store")).unwrap();
    (directory, store)
}

#[test]
fn the_documents_of_made_up_images_can_be_read() {
    let image = Image::numbered(1);
    let (_, index) = image.blobs.last().unwrap();
    assert_eq!(Index::read(None, index).unwrap().manifests.len(), 1);
}
