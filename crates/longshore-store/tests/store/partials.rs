//! Interrupted downloads.

use std::fs;
use std::sync::mpsc;

use longshore_oci::Digest;
use longshore_store::{Download, StoreError};

use crate::image::{at_once, await_waiters, new_store, noise};

#[test]
fn a_suspended_download_goes_on_where_it_was() {
    let (_directory, store) = new_store();
    let bytes = noise(3, 700_000);
    let digest = Digest::of(&bytes);
    let mut ingest = store.ingest(Some(&digest), Some(700_000)).unwrap();
    ingest.put(&bytes[..400_000]).unwrap();
    assert!(store.resume(&digest, None).unwrap().is_none(), "somebody is at it");
    ingest.suspend();
    assert!(store.recover().unwrap().is_clean(), "a partial is not what a crash left");

    let mut ingest = store.resume(&digest, Some(700_000)).unwrap().unwrap();
    assert_eq!(ingest.offset(), 400_000);
    ingest.put(&bytes[400_000..]).unwrap();
    ingest.commit().unwrap();
    assert!(store.read_blob(&digest, 700_000).unwrap() == bytes);
    assert!(store.resume(&digest, None).unwrap().is_none());
    assert!(matches!(store.download(&digest, None).unwrap(), Download::Present(700_000)));
}

#[test]
fn a_download_may_begin_anew() {
    let (_directory, store) = new_store();
    let digest = Digest::of(b"content");
    let mut ingest = store.ingest(Some(&digest), None).unwrap();
    ingest.put(b"rubbish and more").unwrap();
    ingest.restart().unwrap();
    ingest.put(b"content").unwrap();
    ingest.commit().unwrap();
    assert_eq!(store.read_blob(&digest, 7).unwrap(), b"content");
}

#[test]
fn a_damaged_partial_is_found_out_and_does_no_harm_twice() {
    let (_directory, store) = new_store();
    let digest = Digest::of(b"content");
    let path = store.root().join(format!("partials/sha256-{}", digest.encoded()));
    for (rubbish, offset) in [("cXn", 3), ("far too long", 0)] {
        fs::write(&path, rubbish).unwrap();
        let Download::Needed(mut ingest) = store.download(&digest, Some(7)).unwrap() else {
            panic!("absent")
        };
        assert_eq!(ingest.offset(), offset);
        ingest.put(&b"content"[usize::try_from(offset).unwrap()..]).unwrap();
        match ingest.commit() {
            Err(StoreError::IngestDigest { .. }) => assert!(!path.exists(), "the next attempt begins anew"),
            other => assert_eq!(other.unwrap().size, 7),
        }
    }
}

#[test]
fn who_comes_second_waits_and_has_nothing_to_do() {
    let (_directory, store) = new_store();
    let digest = Digest::of(b"content");
    let Download::Needed(mut first) = store.download(&digest, None).unwrap() else { panic!("absent") };
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (store, digest, sender) = (store.clone(), digest.clone(), sender.clone());
            scope.spawn(move || sender.send(store.download(&digest, None).unwrap()).unwrap());
        }
        first.put(b"content").unwrap();
        await_waiters(&store.root().join(format!("partials/sha256-{}", digest.encoded())), 4);
        assert!(receiver.try_recv().is_err(), "nobody has content that is not there");
        first.commit().unwrap();
        for _ in 0..4 {
            assert!(matches!(receiver.recv().unwrap(), Download::Present(7)));
        }
    });
}

#[test]
fn who_comes_second_takes_over_from_who_gave_up() {
    let (_directory, store) = new_store();
    let digest = Digest::of(b"content");
    let partial = store.root().join(format!("partials/sha256-{}", digest.encoded()));
    for give_up in [longshore_store::Ingest::suspend, drop] {
        let Download::Needed(mut first) = store.download(&digest, None).unwrap() else { panic!("absent") };
        std::thread::scope(|scope| {
            let second = scope.spawn(|| store.download(&digest, None).unwrap());
            first.put(b"con").unwrap();
            await_waiters(&partial, 1);
            give_up(first);
            let Download::Needed(mut second) = second.join().unwrap() else { panic!("nobody committed") };
            assert!(matches!(second.offset(), 0 | 3));
            second.restart().unwrap();
            second.put(b"content").unwrap();
            second.commit().unwrap();
        });
        assert_eq!(store.read_blob(&digest, 7).unwrap(), b"content");
        store.remove(&digest).unwrap();
    }
    assert!(store.recover().unwrap().is_clean());
}

#[test]
fn old_partials_are_collected_and_running_ones_are_not() {
    let (_directory, store) = new_store();
    let (old, running) = (Digest::of(b"old"), Digest::of(b"running"));
    let mut ingest = store.ingest(Some(&old), None).unwrap();
    ingest.put(b"ol").unwrap();
    ingest.suspend();
    let mut ingest = store.ingest(Some(&running), None).unwrap();
    ingest.put(b"runn").unwrap();
    store.collect(&at_once()).unwrap();
    assert!(store.resume(&old, None).unwrap().is_none());
    ingest.put(b"ing").unwrap();
    ingest.commit().unwrap();
    assert_eq!(store.contains(&running).unwrap(), Some(7));
}
