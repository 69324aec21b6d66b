//! What somebody planted in the store.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use longshore_oci::{ChainId, Digest};
use longshore_store::{Namespace, RefName, RefRecord, Store, StoreError};

use crate::image::{at_once, descriptor, new_store, noise};

/// A directory outside of the store with one file.
fn outside(directory: &tempfile::TempDir) -> PathBuf {
    let outside = directory.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "precious").unwrap();
    outside
}

fn assert_untouched(outside: &std::path::Path) {
    assert_eq!(fs::read_dir(outside).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(outside.join("precious")).unwrap(), "precious");
}

#[test]
fn links_in_place_of_blobs_are_not_followed() {
    let (directory, store) = new_store();
    let outside = outside(&directory);
    let digest = Digest::of(b"precious");
    symlink(outside.join("precious"), store.blob_path(&digest).unwrap()).unwrap();
    assert!(matches!(store.open_blob(&digest), Err(StoreError::Planted { .. })));
    assert!(matches!(store.contains(&digest), Err(StoreError::Planted { .. })));
    store.put_blob(b"precious").unwrap();
    assert_eq!(store.read_blob(&digest, 8).unwrap(), b"precious");
    assert!(fs::symlink_metadata(store.blob_path(&digest).unwrap()).unwrap().is_file());
    assert_untouched(&outside);
}

#[test]
fn links_in_place_of_directories_are_not_followed() {
    for name in
        ["blobs/sha256", "ingests", "partials", "leases", "snapshots/sha256", "unpacking", "trash", "refs"]
    {
        let (directory, store) = new_store();
        let outside = outside(&directory);
        fs::remove_dir(store.root().join(name)).unwrap();
        symlink(&outside, store.root().join(name)).unwrap();
        // Some of these work, because they do not need the directory; none may reach through it.
        let digest = Digest::of(b"precious");
        let _ = store.put_blob(b"precious");
        let _ = store.download(&digest, None);
        let _ = store.lease("x");
        let _ = store.begin_snapshot(&ChainId::base(&digest));
        let record = RefRecord::new(descriptor("a/b", b"x"), std::time::SystemTime::UNIX_EPOCH);
        let _ = store.put_ref(&RefName::new(Namespace::Image, "precious").unwrap(), &record);
        let _ = store.recover();
        let _ = store.collect(&at_once());
        assert_untouched(&outside);
    }
}

#[test]
fn links_in_trash_and_snapshots_are_removed_and_not_followed() {
    let (directory, store) = new_store();
    let outside = outside(&directory);
    symlink(&outside, store.root().join("trash/1-1")).unwrap();
    fs::create_dir(store.root().join("trash/1-2")).unwrap();
    symlink(&outside, store.root().join("trash/1-2/link")).unwrap();
    let report = store.recover().unwrap();
    assert_eq!((report.trash, report.stuck.is_none()), (2, true));
    let digest = Digest::of(b"layer");
    let snapshot = store.root().join(format!("snapshots/sha256/{}", digest.encoded()));
    fs::create_dir(&snapshot).unwrap();
    symlink(&outside, snapshot.join("fs")).unwrap();
    assert_eq!(store.snapshot(&ChainId::base(&digest)).unwrap(), None);
    assert_eq!(store.collect(&at_once()).unwrap().snapshots.digests, [digest]);
    assert_untouched(&outside);
}

#[test]
fn things_that_block_do_not_block() {
    let (_directory, store) = new_store();
    let digest = Digest::of(b"content");
    let pipe = |path: &str| {
        let path = store.root().join(path);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
            .unwrap();
    };
    pipe(&format!("blobs/sha256/{}", digest.encoded()));
    pipe(&format!("partials/sha256-{}", digest.encoded()));
    pipe("leases/1-0");
    assert!(matches!(store.open_blob(&digest), Err(StoreError::Planted { .. })));
    assert!(store.ingest(Some(&digest), None).is_err());
    assert!(store.collect(&at_once()).is_err());
}

#[test]
fn foreign_files_are_left_alone() {
    let (_directory, store) = new_store();
    let foreign =
        ["blobs/sha256/README", "refs/README", "refs/image/x.txt", "partials/x", "snapshots/sha256/x"];
    fs::create_dir(store.root().join("refs/image")).unwrap();
    for name in foreign {
        fs::write(store.root().join(name), "mine").unwrap();
    }
    assert_eq!(store.all_refs().unwrap(), []);
    store.collect(&at_once()).unwrap();
    assert!(foreign.iter().all(|name| store.root().join(name).exists()));
}

#[test]
fn a_link_to_the_store_is_the_store() {
    let (directory, store) = new_store();
    let digest = store.put_blob(b"content").unwrap().digest;
    let link = directory.path().join("link");
    symlink(store.root(), &link).unwrap();
    assert_eq!(Store::open(&link).unwrap().contains(&digest).unwrap(), Some(7));
}

#[test]
fn a_full_disk_is_told_apart_and_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let flags = rustix::mount::MountFlags::empty();
    let size = Some(c"size=512k");
    if let Err(error) = rustix::mount::mount("tmpfs", directory.path(), "tmpfs", flags, size) {
        eprintln!("skipped: a small file system cannot be mounted here: {error}");
        return;
    }
    let store = Store::open(directory.path());
    // The store works on without a path, and nothing stays mounted, whatever becomes of this test.
    rustix::mount::unmount(directory.path(), rustix::mount::UnmountFlags::DETACH).unwrap();
    let store = store.unwrap();
    let small = store.put_blob(b"content").unwrap().digest;
    let large = noise(1, 1_000_000);
    let digest = Digest::of(&large);
    let mut ingest = store.ingest(Some(&digest), None).unwrap();
    let error = large.chunks(10_000).find_map(|chunk| ingest.put(chunk).err()).unwrap();
    assert!(error.is_out_of_space(), "{error:?}");
    assert!(!error.is_content());
    let received = ingest.offset();
    ingest.suspend();
    assert_eq!(store.resume(&digest, None).unwrap().unwrap().offset(), received);
    assert_eq!(store.read_blob(&small, 7).unwrap(), b"content");
    assert!(store.put_blob(&large[..100_000]).is_ok(), "what was given up takes no space");
}

#[test]
fn a_store_that_is_deleted_under_its_users_gives_errors() {
    let (_directory, store) = new_store();
    fs::remove_dir_all(store.root()).unwrap();
    let digest = Digest::of(b"content");
    assert!(store.put_blob(b"content").is_err());
    assert!(store.ingest(Some(&digest), None).is_err());
    assert!(store.download(&digest, None).is_err());
    assert!(store.begin_snapshot(&ChainId::base(&digest)).is_err());
    assert!(store.lease("x").is_err());
    assert!(store.collect(&at_once()).is_err());
}
