//! What processes hold.

use std::fs;

use longshore_oci::{ChainId, Digest};
use longshore_store::SnapshotClaim;

use crate::image::{Image, at_once, name, new_store};

#[test]
fn a_lease_keeps_content_until_it_is_dropped() {
    let (_directory, store) = new_store();
    let digest = store.put_blob(b"content").unwrap().digest;
    let lease = store.lease("a test").unwrap();
    lease.hold(&digest).unwrap();
    assert_eq!(store.collect(&at_once()).unwrap().blobs.digests, []);
    drop(lease);
    let report = store.collect(&at_once()).unwrap();
    assert_eq!(store.contains(&digest).unwrap(), None);
    assert_eq!(report.blobs.digests, [digest]);
}

#[test]
fn content_may_be_held_before_it_is_there() {
    let (_directory, store) = new_store();
    let lease = store.lease("a test").unwrap();
    let digest = Digest::of(b"content");
    lease.hold(&digest).unwrap();
    store.put_blob(b"content").unwrap();
    let mut ingest = store.ingest(None, None).unwrap();
    ingest.put(b"made").unwrap();
    let made = ingest.commit_held(&lease).unwrap();
    store.collect(&at_once()).unwrap();
    assert_eq!(store.contains(&digest).unwrap(), Some(7));
    assert_eq!(store.contains(&made.digest).unwrap(), Some(4));
}

#[test]
fn a_lease_on_a_document_keeps_all_that_it_needs() {
    let (_directory, store) = new_store();
    let image = Image::numbered(1);
    let lease = store.lease("pull").unwrap();
    image.pull(&store, &name(1), &lease).unwrap();
    let other = store.lease("run").unwrap();
    other.hold_tree(&image.target).unwrap();
    drop(lease);
    store.remove_ref(&name(1)).unwrap();
    store.collect(&at_once()).unwrap();
    assert_eq!(image.problems(&store), Vec::<String>::new());
    drop(other);
    let report = store.collect(&at_once()).unwrap();
    assert_eq!((report.blobs.digests.len(), report.snapshots.digests.len()), (6, 3));
    assert_eq!(report.kept.bytes(), 0);
}

#[test]
fn a_lease_keeps_snapshots() {
    let (_directory, store) = new_store();
    let id = ChainId::base(&Digest::of(b"layer"));
    let lease = store.lease("unpack").unwrap();
    lease.hold_snapshots([&id]).unwrap();
    let SnapshotClaim::Needed(ingest) = store.begin_snapshot(&id).unwrap() else { panic!("absent") };
    ingest.commit().unwrap();
    store.collect(&at_once()).unwrap();
    assert!(store.snapshot(&id).unwrap().is_some());
    drop(lease);
    store.collect(&at_once()).unwrap();
    assert!(store.snapshot(&id).unwrap().is_none());
}

#[test]
fn the_lease_of_a_dead_process_keeps_nothing() {
    let (_directory, store) = new_store();
    let digest = store.put_blob(b"content").unwrap().digest;
    let path = store.root().join("leases/1-0");
    fs::write(&path, format!("# died\nblob {digest}\n")).unwrap();
    let dry = store.collect(&longshore_store::GcOptions { dry_run: true, ..at_once() }).unwrap();
    assert_eq!((dry.recovered.leases, dry.blobs.digests.len()), (1, 1));
    assert!(path.exists());
    assert_eq!(store.recover().unwrap().leases, 1);
    assert!(!path.exists());
    assert_eq!(store.collect(&at_once()).unwrap().blobs.digests, [digest]);
}

#[test]
fn a_live_lease_that_is_not_understood_stops_the_collector() {
    let (_directory, store) = new_store();
    store.put_blob(b"content").unwrap();
    let lease = store.lease("a \n test\u{7}").unwrap();
    let file = fs::read_dir(store.root().join("leases")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read_to_string(&file).unwrap(), "# a  test\n");
    fs::write(&file, "everything please\n").unwrap();
    assert!(store.collect(&at_once()).unwrap_err().to_string().contains("everything please"));
    drop(lease);
    assert_eq!(store.collect(&at_once()).unwrap().blobs.digests.len(), 1);
}
