//! Layers in the store.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use longshore_oci::{ChainId, Digest};
use longshore_store::{SnapshotClaim, SnapshotIngest, Store};

use crate::image::{at_once, await_waiters, new_store};

fn id(text: &str) -> ChainId {
    ChainId::base(&Digest::of(text.as_bytes()))
}

fn begin(store: &Store, id: &ChainId) -> SnapshotIngest {
    match store.begin_snapshot(id).unwrap() {
        SnapshotClaim::Needed(ingest) => ingest,
        SnapshotClaim::Present(snapshot) => panic!("{snapshot:?} is there"),
    }
}

#[test]
fn a_snapshot_is_there_when_it_is_complete() {
    let (_directory, store) = new_store();
    let mut ingest = begin(&store, &id("x"));
    fs::write(ingest.path().join("file"), "content").unwrap();
    ingest.set_size(1234);
    assert_eq!(store.snapshot(&id("x")).unwrap(), None);
    let snapshot = ingest.commit().unwrap();
    assert_eq!(store.snapshot(&id("x")).unwrap(), Some(snapshot.clone()));
    assert_eq!(fs::read_to_string(snapshot.path().join("file")).unwrap(), "content");
    assert_eq!(store.usage().unwrap().snapshots.bytes.bytes(), 1234);
    assert!(matches!(store.begin_snapshot(&id("x")).unwrap(), SnapshotClaim::Present(_)));
    assert!(store.remove_snapshot(&id("x")).unwrap());
    assert!(!store.remove_snapshot(&id("x")).unwrap());
    assert_eq!(store.snapshot(&id("x")).unwrap(), None);
    assert!(store.recover().unwrap().is_clean());
}

#[test]
fn a_snapshot_that_is_given_up_leaves_nothing() {
    let (_directory, store) = new_store();
    let ingest = begin(&store, &id("x"));
    fs::write(ingest.path().join("half"), "").unwrap();
    drop(ingest);
    assert!(store.recover().unwrap().is_clean());
    let again = begin(&store, &id("x"));
    assert_eq!(fs::read_dir(again.path()).unwrap().count(), 0);
}

#[test]
fn what_a_killed_process_unpacked_is_cleared() {
    let (_directory, store) = new_store();
    let orphan = store.root().join(format!("unpacking/sha256-{}", id("x").digest().encoded()));
    fs::create_dir_all(orphan.join("fs/usr/bin")).unwrap();
    fs::write(orphan.join("fs/usr/bin/sh"), "").unwrap();
    fs::write(orphan.join("size"), "7").unwrap();
    let ingest = begin(&store, &id("x"));
    assert_eq!(fs::read_dir(ingest.path()).unwrap().count(), 0);
    assert_eq!(fs::read_dir(&orphan).unwrap().count(), 1);
    drop(ingest);
    fs::create_dir_all(orphan.join("fs")).unwrap();
    assert_eq!(store.recover().unwrap().snapshots, 1);
    assert!(!orphan.exists());
}

#[test]
fn one_makes_a_snapshot_and_the_others_wait() {
    let (_directory, store) = new_store();
    let made = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                if let SnapshotClaim::Needed(ingest) = store.begin_snapshot(&id("x")).unwrap() {
                    made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    fs::write(ingest.path().join("file"), "").unwrap();
                    ingest.commit().unwrap();
                }
                assert!(store.snapshot(&id("x")).unwrap().unwrap().path().join("file").exists());
            });
        }
    });
    assert_eq!(made.into_inner(), 1);
}

#[test]
fn who_waits_makes_the_snapshot_if_the_first_gives_up() {
    let (_directory, store) = new_store();
    let first = begin(&store, &id("x"));
    let claimed = first.path().parent().unwrap().to_owned();
    fs::write(first.path().join("half"), "").unwrap();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| begin(&store, &id("x")));
        await_waiters(&claimed, 1);
        drop(first);
        let second = second.join().unwrap();
        assert_eq!(fs::read_dir(second.path()).unwrap().count(), 0);
        second.commit().unwrap();
    });
    assert!(store.snapshot(&id("x")).unwrap().is_some());
    assert!(store.recover().unwrap().is_clean());
}

#[test]
fn a_snapshot_that_went_down_with_the_machine_is_made_again() {
    let (_directory, store) = new_store();
    begin(&store, &id("settled")).commit().unwrap();
    assert_eq!(store.settle().unwrap(), 1);
    assert_eq!(store.settle().unwrap(), 0);
    let before = begin(&store, &id("lost")).commit().unwrap();
    fs::write(before.path().join("old"), "").unwrap();
    let note = store.root().join(format!("unsynced/sha256-{}", id("lost").digest().encoded()));
    fs::write(&note, "another boot\n").unwrap();

    assert!(store.snapshot(&id("settled")).unwrap().is_some());
    assert_eq!(store.snapshot(&id("lost")).unwrap(), None);
    assert_eq!(store.settle().unwrap(), 0, "what is lost cannot be settled");
    let again = begin(&store, &id("lost")).commit().unwrap();
    assert_eq!(fs::read_dir(again.path()).unwrap().count(), 0);
    assert!(store.snapshot(&id("lost")).unwrap().is_some());

    fs::write(&note, "another boot\n").unwrap();
    let report = store.collect(&longshore_store::GcOptions::default()).unwrap();
    assert_eq!(report.snapshots.digests, [id("lost").digest().clone()], "however new it is");
    assert!(!note.exists());
}

#[test]
fn deep_wide_and_locked_directories_can_be_removed() {
    let (_directory, store) = new_store();
    let ingest = begin(&store, &id("x"));
    let mut deep = ingest.path();
    for _ in 0..300 {
        deep.push("directory");
    }
    fs::create_dir_all(&deep).unwrap();
    for number in 0..200 {
        fs::create_dir_all(ingest.path().join(format!("wide/{number}/below"))).unwrap();
        fs::write(ingest.path().join(format!("wide/{number}/file")), "").unwrap();
    }
    let locked = ingest.path().join("wide/7");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(ingest.path(), fs::Permissions::from_mode(0o555)).unwrap();
    std::os::unix::fs::symlink("/", ingest.path().join("../fs/root")).unwrap_or_default();
    ingest.commit().unwrap();
    let report = store.collect(&at_once()).unwrap();
    assert!(report.stuck.is_none(), "{:?}", report.stuck);
    assert_eq!(report.snapshots.digests.len(), 1);
    assert_eq!(fs::read_dir(store.root().join("trash")).unwrap().count(), 0);
    assert!(fs::read_dir("/").unwrap().count() > 0);
}

#[test]
fn sizes_that_nobody_noted_are_counted() {
    let (_directory, store) = new_store();
    let ingest = begin(&store, &id("x"));
    fs::write(ingest.path().join("file"), vec![1; 100_000]).unwrap();
    fs::hard_link(ingest.path().join("file"), ingest.path().join("same")).unwrap();
    ingest.commit().unwrap();
    let bytes = store.usage().unwrap().snapshots.bytes.bytes();
    assert!((100_000..200_000).contains(&bytes), "{bytes}");
    assert_eq!(store.usage().unwrap().snapshots.bytes.bytes(), bytes);
}
