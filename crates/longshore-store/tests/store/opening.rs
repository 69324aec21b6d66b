//! Making and opening stores.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use longshore_store::{Store, StoreError};

use crate::image::new_store;

#[test]
fn a_store_is_made_private_and_says_its_version() {
    let (_directory, store) = new_store();
    assert_eq!(fs::read_to_string(store.root().join("version")).unwrap(), "longshore store 1.0\n");
    for name in ["", "blobs", "blobs/sha256", "refs", "snapshots", "leases"] {
        let mode = fs::metadata(store.root().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "of {name:?}");
    }
    assert_eq!(fs::read_dir(store.root().join("ingests")).unwrap().count(), 0);
}

#[test]
fn newer_versions_are_refused_and_newer_additions_are_not() {
    let (_directory, store) = new_store();
    let version = store.root().join("version");
    for (text, accepted) in [
        ("longshore store 1.0\n", true),
        ("longshore store 1.7\n", true),
        ("longshore store 2.0\n", false),
        ("longshore store x\n", false),
        ("", false),
        ("something else", false),
    ] {
        fs::write(&version, text).unwrap();
        assert_eq!(Store::open(store.root()).is_ok(), accepted, "for {text:?}");
    }
    fs::write(&version, "longshore store 2.0\n").unwrap();
    let error = Store::open(store.root()).unwrap_err();
    assert!(matches!(&error, StoreError::NewerStore { found, .. } if found == "2.0"), "{error}");
}

#[test]
fn no_store_is_made_among_other_files() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.tex"), "").unwrap();
    let error = Store::open(directory.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Foreign { foreign, .. } if foreign == "thesis.tex"), "{error}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn what_an_interrupted_start_left_is_completed() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("blobs")).unwrap();
    fs::create_dir(directory.path().join("ingests")).unwrap();
    fs::write(directory.path().join("ingests/1-0"), "longsh").unwrap();
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.recover().unwrap().ingests, 1);
    assert!(store.put_blob(b"content").is_ok());
}

#[test]
fn many_threads_may_make_one_store() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("a/b/store");
    std::thread::scope(|scope| {
        for number in 0..16_u8 {
            let root = &root;
            scope.spawn(move || Store::open(root).unwrap().put_blob(&[number]).unwrap());
        }
    });
    assert_eq!(Store::open(&root).unwrap().usage().unwrap().blobs.count, 16);
}

#[test]
fn a_file_is_no_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "").unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}
