//! What is garbage, and what is not.

use std::fs;
use std::time::{Duration, SystemTime};

use longshore_core::ByteSize;
use longshore_oci::{Digest, MediaType};
use longshore_store::{GcOptions, Namespace, OldestFirst, RefName, RefRecord, Store};

use crate::image::{Image, at_once, descriptor, name, new_store};

fn pulled(store: &Store, numbers: impl IntoIterator<Item = u64>) -> Vec<Image> {
    let lease = store.lease("pull").unwrap();
    let images = numbers.into_iter().map(|number| {
        let image = Image::numbered(number);
        image.pull(store, &name(number), &lease).unwrap();
        image
    });
    images.collect()
}

#[test]
fn what_refs_need_stays_and_all_else_goes() {
    let (_directory, store) = new_store();
    let images = pulled(&store, 1..=3);
    let loose = store.put_blob(b"loose").unwrap().digest;
    let report = store.collect(&at_once()).unwrap();
    assert_eq!(report.blobs.digests, [loose]);
    assert_eq!(report.freed().bytes(), 5);
    store.remove_ref(&name(2)).unwrap();
    let report = store.collect(&at_once()).unwrap();
    // The shared layer stays, and so does its snapshot.
    assert_eq!((report.blobs.digests.len(), report.snapshots.digests.len()), (5, 2));
    assert_eq!(report.kept, store.usage().unwrap().total());
    for (image, lost) in images.iter().zip([false, true, false]) {
        assert_eq!(!image.problems(&store).is_empty(), lost);
    }
}

#[test]
fn what_is_new_stays() {
    let (_directory, store) = new_store();
    store.put_blob(b"loose").unwrap();
    assert_eq!(store.collect(&GcOptions::default()).unwrap().blobs.digests, []);
    let ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let old = store.put_blob(b"old").unwrap().digest;
    fs::File::open(store.blob_path(&old).unwrap()).unwrap().set_modified(ago).unwrap();
    assert_eq!(store.collect(&GcOptions::default()).unwrap().blobs.digests, [old]);
}

#[test]
fn a_dry_run_says_the_same_and_does_nothing() {
    let (_directory, store) = new_store();
    pulled(&store, 1..=2);
    store.remove_ref(&name(1)).unwrap();
    let before = store.usage().unwrap();
    let dry = store.collect(&GcOptions { dry_run: true, ..at_once() }).unwrap();
    assert_eq!(store.usage().unwrap(), before);
    let wet = store.collect(&at_once()).unwrap();
    assert_eq!((dry.blobs, dry.snapshots, dry.kept), (wet.blobs, wet.snapshots, wet.kept));
}

#[test]
fn a_budget_drops_the_fewest_refs_that_do() {
    let (_directory, store) = new_store();
    let images = pulled(&store, 1..=4);
    for (number, image) in (1..=4).zip(&images) {
        let created = SystemTime::UNIX_EPOCH + Duration::from_secs(10 - number);
        store.put_ref(&name(number), &RefRecord::new(image.target.clone(), created)).unwrap();
    }
    let policy = OldestFirst(vec![Namespace::Image]);
    let total = store.usage().unwrap().total().bytes();
    let budget = |bytes: u64| GcOptions { budget: Some(ByteSize(bytes)), policy: &policy, ..at_once() };
    let report = store.collect(&budget(total)).unwrap();
    assert_eq!((report.evicted.refs.len(), report.evicted.excess), (0, None));
    let dry = store.collect(&GcOptions { dry_run: true, ..budget(total - 1) }).unwrap();
    assert_eq!(dry.evicted.refs, [name(4)]);
    // All images have the same lengths, so if one byte more must go than one image frees, two images must.
    let two = total - dry.freed().bytes() - 1;
    assert_eq!(dry.kept.bytes(), two + 1);
    let report = store.collect(&budget(two)).unwrap();
    assert_eq!((report.evicted.refs, report.evicted.excess), (vec![name(4), name(3)], None));
    assert!(report.kept.bytes() <= two);
    assert_eq!(images.iter().filter(|image| image.problems(&store).is_empty()).count(), 2);
    // A lease keeps one image, whose ref would be dropped in vain.
    let lease = store.lease("run").unwrap();
    lease.hold_tree(&images[0].target).unwrap();
    let report = store.collect(&budget(1)).unwrap();
    assert_eq!(report.evicted.refs, [name(2)]);
    assert_eq!(report.evicted.excess, Some(ByteSize(report.kept.bytes() - 1)));
    assert!(images[0].problems(&store).is_empty());
}

#[test]
fn nothing_is_evicted_unless_a_policy_says_so() {
    let (_directory, store) = new_store();
    pulled(&store, 1..=2);
    let report = store.collect(&GcOptions { budget: Some(ByteSize(1)), ..at_once() }).unwrap();
    assert_eq!(report.evicted.refs, []);
    assert!(report.evicted.excess.is_some());
    assert_eq!(store.all_refs().unwrap().len(), 2);
}

#[test]
fn damaged_documents_are_reported_and_other_content_stays() {
    let (_directory, store) = new_store();
    let images = pulled(&store, 1..=2);
    let path = store.blob_path(&images[0].target.digest).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "{}").unwrap();
    let report = store.collect(&at_once()).unwrap();
    assert_eq!(report.unreadable, [images[0].target.digest.clone()]);
    assert_eq!(images[1].problems(&store), Vec::<String>::new());
}

#[test]
fn one_content_may_have_two_roles() {
    let (_directory, store) = new_store();
    let image = Image::numbered(1);
    image.pull(&store, &name(1), &store.lease("pull").unwrap()).unwrap();
    // The same index, named as if it were a file of an artifact; which is listed first must not matter.
    for number in 0..8 {
        let name = RefName::new(Namespace::Artifact, number.to_string()).unwrap();
        let mut leaf = image.target.clone();
        leaf.media_type = MediaType::parse("application/octet-stream").unwrap();
        store.put_ref_unsynced(&name, &RefRecord::new(leaf, SystemTime::UNIX_EPOCH)).unwrap();
    }
    store.collect(&at_once()).unwrap();
    assert_eq!(image.problems(&store), Vec::<String>::new());
}

#[test]
fn a_configuration_counts_under_any_media_type() {
    let (_directory, store) = new_store();
    let image = Image::numbered(5);
    image.pull(&store, &name(5), &store.lease("pull").unwrap()).unwrap();
    let (config, _) = &image.blobs[3];
    let (layer, _) = &image.blobs[0];
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/x-config","digest":"{}","size":{}}},
            "layers":[{{"mediaType":"{}","digest":"{}","size":{}}}]}}"#,
        config.digest, config.size, layer.media_type, layer.digest, layer.size
    );
    store.put_blob(manifest.as_bytes()).unwrap();
    let target = descriptor(MediaType::OCI_MANIFEST, manifest.as_bytes());
    store.put_ref(&name(5), &RefRecord::new(target, SystemTime::UNIX_EPOCH)).unwrap();
    store.collect(&at_once()).unwrap();
    assert!(image.chain.iter().all(|id| store.snapshot(id).unwrap().is_some()));
}

#[test]
fn a_document_that_names_itself_or_nothing_does_no_harm() {
    let (_directory, store) = new_store();
    let missing = Digest::of(b"missing");
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","digest":"{missing}","size":9}},
            {{"mediaType":"{}","digest":"blake3:abc","size":9}}]}}"#,
        MediaType::OCI_INDEX,
        MediaType::OCI_MANIFEST
    );
    store.put_blob(index.as_bytes()).unwrap();
    let target = descriptor(MediaType::OCI_INDEX, index.as_bytes());
    store.put_ref(&name(1), &RefRecord::new(target.clone(), SystemTime::UNIX_EPOCH)).unwrap();
    let report = store.collect(&at_once()).unwrap();
    assert_eq!((report.unreadable, report.blobs.digests), (vec![], vec![]));
    assert!(store.contains(&target.digest).unwrap().is_some());
}
