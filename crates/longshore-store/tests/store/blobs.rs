//! Taking content in, and reading it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;

use longshore_oci::{Algorithm, Digest, MediaType};
use longshore_store::{Store, StoreError};

use crate::image::{descriptor, new_store, noise};

/// Nothing is left of what was not committed.
fn assert_no_remains(store: &Store) {
    for name in ["ingests", "partials", "blobs/sha256"] {
        assert_eq!(fs::read_dir(store.root().join(name)).unwrap().count(), 0, "in {name}");
    }
}

#[test]
fn content_comes_out_as_it_went_in() {
    let (_directory, store) = new_store();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
        for bytes in [Vec::new(), b"x".to_vec(), noise(1, 300_000)] {
            let digest = algorithm.digest(&bytes);
            let mut ingest = store.ingest(Some(&digest), Some(bytes.len() as u64)).unwrap();
            bytes.chunks(1_000).for_each(|chunk| ingest.write_all(chunk).unwrap());
            assert_eq!(ingest.offset(), bytes.len() as u64);
            let blob = ingest.commit().unwrap();
            assert_eq!((blob.digest, blob.size), (digest.clone(), bytes.len() as u64));
            assert_eq!(store.contains(&digest).unwrap(), Some(bytes.len() as u64));
            let mut read = Vec::new();
            store.open_blob(&digest).unwrap().read_to_end(&mut read).unwrap();
            assert!(read == bytes);
            let mode = fs::metadata(store.blob_path(&digest).unwrap()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o400);
            assert!(store.remove(&digest).unwrap());
            assert!(!store.remove(&digest).unwrap());
        }
    }
}

#[test]
fn wrong_content_is_refused_and_forgotten() {
    let (_directory, store) = new_store();
    let digest = Digest::of(b"content");
    let attempt = |bytes: &[u8], size: Option<u64>| {
        let mut ingest = store.ingest(Some(&digest), size)?;
        ingest.put(bytes)?;
        ingest.commit()
    };
    assert!(matches!(attempt(b"contents", Some(7)), Err(StoreError::IngestTooLong { announced: 7 })));
    assert!(matches!(
        attempt(b"conten", Some(7)),
        Err(StoreError::IngestTooShort { announced: 7, received: 6 })
    ));
    assert!(matches!(attempt(b"Content", Some(7)), Err(StoreError::IngestDigest { .. })));
    assert!(attempt(b"Content", None).unwrap_err().is_content());
    drop(store.ingest(None, None).unwrap());
    drop(store.ingest(Some(&digest), None).unwrap());
    assert_no_remains(&store);
    attempt(b"content", Some(7)).unwrap();
}

#[test]
fn what_was_refused_does_not_count_as_received() {
    let (_directory, store) = new_store();
    let mut ingest = store.ingest(None, Some(4)).unwrap();
    ingest.put(b"ab").unwrap();
    let error = ingest.write_all(b"cde").unwrap_err();
    assert!(matches!(StoreError::from_io(error), Ok(StoreError::IngestTooLong { announced: 4 })));
    ingest.put(b"cd").unwrap();
    assert_eq!(ingest.commit().unwrap().digest, Digest::of(b"abcd"));
}

#[test]
fn damaged_content_is_moved_aside_and_can_be_fetched_again() {
    let (_directory, store) = new_store();
    let digest = store.put_blob(&noise(1, 100_000)).unwrap().digest;
    let damages: [fn(&mut Vec<u8>); 3] =
        [|bytes| bytes[70_000] ^= 1, |bytes| bytes.truncate(99_999), |bytes| bytes.push(0)];
    for damage in damages {
        let path = store.blob_path(&digest).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::remove_file(&path).unwrap();
        fs::write(&path, &bytes).unwrap();

        let mut read = Vec::new();
        let error = store.open_blob(&digest).unwrap().read_to_end(&mut read).unwrap_err();
        let Ok(StoreError::CorruptBlob { quarantine, .. }) = StoreError::from_io(error) else {
            panic!("another error");
        };
        assert!(fs::read(quarantine).unwrap() == bytes);
        assert_eq!(store.contains(&digest).unwrap(), None);
        assert!(matches!(store.read_blob(&digest, u64::MAX), Err(StoreError::MissingBlob(_))));
        store.put_blob(&noise(1, 100_000)).unwrap();
        assert!(store.read_blob(&digest, 100_000).unwrap() == noise(1, 100_000));
    }
}

#[test]
fn a_reader_of_damaged_content_leaves_its_replacement_alone() {
    let (_directory, store) = new_store();
    let digest = store.put_blob(b"content").unwrap().digest;
    let path = store.blob_path(&digest).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, b"CONTENT").unwrap();
    let reader = store.open_blob(&digest).unwrap();
    store.put_blob(b"content").unwrap();
    assert!(matches!(reader.finish(), Err(StoreError::CorruptBlob { .. })));
    assert_eq!(store.read_blob(&digest, 7).unwrap(), b"content");
}

#[test]
fn reading_on_after_damage_was_found_never_ends_well() {
    let (_directory, store) = new_store();
    let digest = store.put_blob(b"content").unwrap().digest;
    let path = store.blob_path(&digest).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, b"CONTENT").unwrap();
    let mut reader = store.open_blob(&digest).unwrap();
    let mut all = Vec::new();
    assert!(reader.read_to_end(&mut all).is_err());
    assert!(reader.read(&mut [0; 8]).is_err());
    assert!(reader.finish().is_err());
}

#[test]
fn limits_and_lengths_are_kept() {
    let (_directory, store) = new_store();
    let digest = store.put_blob(b"content").unwrap().digest;
    assert!(matches!(store.read_blob(&digest, 6), Err(StoreError::BlobTooLarge { actual: 7, limit: 6, .. })));
    let mut document = descriptor(MediaType::OCI_CONFIG, b"content");
    assert_eq!(store.read_document(&document).unwrap(), b"content");
    document.size = 8;
    assert!(matches!(store.read_document(&document), Err(StoreError::BlobSize { stated: 8, actual: 7, .. })));
}

#[test]
fn digests_that_cannot_be_computed_are_refused() {
    let (_directory, store) = new_store();
    let digest = Digest::parse("blake3:abcdef").unwrap();
    assert!(matches!(store.contains(&digest), Err(StoreError::UnsupportedDigest(_))));
    assert!(matches!(store.ingest(Some(&digest), None), Err(StoreError::UnsupportedDigest(_))));
    assert!(matches!(store.open_blob(&digest), Err(StoreError::UnsupportedDigest(_))));
}

#[test]
fn many_threads_may_take_in_the_same_content() {
    let (_directory, store) = new_store();
    let bytes = noise(7, 200_000);
    let digest = Digest::of(&bytes);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut ingest = store.ingest(Some(&digest), None).unwrap();
                bytes.chunks(4_096).for_each(|chunk| ingest.put(chunk).unwrap());
                ingest.commit().unwrap();
                assert!(store.read_blob(&digest, 200_000).unwrap() == bytes);
            });
        }
    });
    assert!(store.recover().unwrap().is_clean());
}

#[test]
fn content_that_was_not_waited_for_is_verified_after_a_power_failure() {
    let (_directory, store) = new_store();
    let take_in = |bytes: &[u8]| {
        let mut ingest = store.ingest(None, None).unwrap().unsynced();
        ingest.put(bytes).unwrap();
        ingest.commit().unwrap().digest
    };
    let [kept, torn, settled] = [b"kept", b"torn", b"sett"].map(|bytes| take_in(bytes));
    let note = |digest: &Digest| store.root().join(format!("unsynced/blob-sha256-{}", digest.encoded()));
    store.remove(&settled).unwrap();
    assert_eq!(store.settle().unwrap(), 3);
    assert!(!note(&kept).exists());

    for digest in [&kept, &torn] {
        fs::write(note(digest), "another boot\n").unwrap();
    }
    // What a power failure leaves of a file whose bytes were not written: its name and nothing.
    let path = store.blob_path(&torn).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "").unwrap();
    assert_eq!(store.contains(&kept).unwrap(), Some(4));
    assert_eq!(store.contains(&torn).unwrap(), None);
    assert!(!note(&kept).exists() && !note(&torn).exists() && !path.exists());
    assert_eq!(take_in(b"torn"), torn);
    assert_eq!(store.contains(&torn).unwrap(), Some(4));

    fs::write(note(&torn), "").unwrap();
    store.collect(&crate::image::at_once()).unwrap();
    assert!(!note(&torn).exists(), "a note goes with its blob");
}
