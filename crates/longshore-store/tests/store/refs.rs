//! Names for content.

use std::fs;
use std::time::{Duration, SystemTime};

use longshore_oci::MediaType;
use longshore_store::{Namespace, RefName, RefRecord, StoreError, Swap};
use proptest::prelude::*;

use crate::image::{descriptor, new_store};

fn record(content: &str) -> RefRecord {
    let created = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
    RefRecord::new(descriptor(MediaType::OCI_LAYER, content.as_bytes()), created)
        .with_label("a key", "a \u{1f980}")
}

fn image(name: &str) -> RefName {
    RefName::new(Namespace::Image, name).unwrap()
}

#[test]
fn refs_say_what_they_were_told() {
    let (_directory, store) = new_store();
    let name = image("docker.io/library/debian:bookworm");
    assert_eq!(store.reference(&name).unwrap(), None);
    store.put_ref(&name, &record("one")).unwrap();
    store.put_ref(&name, &record("two")).unwrap();
    assert_eq!(store.reference(&name).unwrap(), Some(record("two")));
    let path = store.root().join("refs/image/docker.io/library/debian:bookworm.json");
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains("\"created\": \"2023-11-14T22:13:20.123456789Z\""), "{text}");
    assert!(store.remove_ref(&name).unwrap());
    assert!(!store.remove_ref(&name).unwrap());
    assert_eq!(fs::read_dir(store.root().join("refs/image")).unwrap().count(), 0, "empty directories go too");
}

#[test]
fn refs_are_listed_by_namespace_and_sorted() {
    let (_directory, store) = new_store();
    let names = ["b", "a/b", "a", "a/b/c", "a.json/x", "../x", "ghcr.io:443/x/y@sha256:00"];
    for name in names {
        store.put_ref_unsynced(&image(name), &record(name)).unwrap();
        store.put_ref(&RefName::new(Namespace::Cache, name).unwrap(), &record("cache")).unwrap();
    }
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    let listed = store.refs(Namespace::Image).unwrap();
    let found: Vec<&str> = listed.iter().map(|each| each.name.name()).collect();
    assert_eq!(found, sorted);
    assert!(listed.iter().all(|each| each.record == record(each.name.name())));
    assert_eq!(store.all_refs().unwrap().len(), names.len() * 2);
    assert_eq!(store.refs(Namespace::Log).unwrap(), []);
}

#[test]
fn a_swap_changes_only_what_it_knows() {
    let (_directory, store) = new_store();
    let name = image("name");
    let (one, two) = (record("one"), record("two"));
    let changed = |now: Option<&RefRecord>| Swap::Changed(now.cloned().map(Box::new));
    assert_eq!(store.swap_ref(&name, Some(&one), Some(&two)).unwrap(), changed(None));
    assert_eq!(store.swap_ref(&name, None, Some(&one)).unwrap(), Swap::Done);
    assert_eq!(store.swap_ref(&name, None, Some(&two)).unwrap(), changed(Some(&one)));
    assert_eq!(store.swap_ref(&name, Some(&one), Some(&two)).unwrap(), Swap::Done);
    assert_eq!(store.swap_ref(&name, Some(&one), None).unwrap(), changed(Some(&two)));
    assert_eq!(store.swap_ref(&name, Some(&two), None).unwrap(), Swap::Done);
    assert_eq!(store.reference(&name).unwrap(), None);
    assert!(store.recover().unwrap().is_clean());
}

#[test]
fn of_many_swaps_one_wins_each_time() {
    let (_directory, store) = new_store();
    let name = image("counter");
    let count = |record: Option<&RefRecord>| -> u64 {
        record.map_or(0, |record| record.labels["count"].parse().unwrap())
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    loop {
                        let now = store.reference(&name).unwrap();
                        let next = record("x").with_label("count", (count(now.as_ref()) + 1).to_string());
                        if store.swap_ref(&name, now.as_ref(), Some(&next)).unwrap() == Swap::Done {
                            break;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(count(store.reference(&name).unwrap().as_ref()), 100);
}

#[test]
fn names_come_as_text() {
    for text in ["image/docker.io/library/debian:bookworm", "log/x", "build/a/../b"] {
        assert_eq!(text.parse::<RefName>().unwrap().to_string(), text);
    }
    for text in ["", "image", "image/", "nothing/x", "/x"] {
        assert!(text.parse::<RefName>().is_err(), "{text:?}");
    }
    assert!(RefName::new(Namespace::Image, "x".repeat(1024)).is_ok());
    assert!(RefName::new(Namespace::Image, "x".repeat(1025)).is_err());
}

#[test]
fn a_record_that_cannot_be_understood_is_an_error_and_an_empty_one_is_absent() {
    let (_directory, store) = new_store();
    let name = image("name");
    store.put_ref(&name, &record("one")).unwrap();
    let path = store.root().join("refs/image/name.json");
    for text in ["{", "[]", "{\"version\": 2}"] {
        fs::write(&path, text).unwrap();
        let error = store.reference(&name).unwrap_err();
        assert!(
            matches!(&error, StoreError::MalformedRecord { path: named, .. } if *named == path),
            "{error}"
        );
    }
    let newer = serde_json_text(&path, &store, &name);
    fs::write(&path, newer).unwrap();
    assert!(store.reference(&name).unwrap_err().to_string().contains("version 2"));
    fs::write(&path, [0; 100]).unwrap();
    assert_eq!(store.reference(&name).unwrap(), None);
    assert_eq!(store.recover().unwrap().refs, [name]);
    assert!(!path.exists());
}

/// A record as a newer program would write it.
fn serde_json_text(path: &std::path::Path, store: &longshore_store::Store, name: &RefName) -> String {
    store.put_ref(name, &record("one")).unwrap();
    fs::read_to_string(path).unwrap().replace("\"version\": 1", "\"version\": 2")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_name_can_be_used_and_stays_inside(names in prop::collection::btree_set("([a-c./%]|\\PC){1,12}|[a-z]{180,400}", 1..6)) {
        let (directory, store) = new_store();
        for name in &names {
            store.put_ref_unsynced(&image(name), &record(name)).unwrap();
        }
        let listed = store.refs(Namespace::Image).unwrap();
        let found: Vec<&str> = listed.iter().map(|each| each.name.name()).collect();
        prop_assert_eq!(found, names.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        for name in &names {
            prop_assert!(store.remove_ref(&image(name)).unwrap());
        }
        prop_assert_eq!(fs::read_dir(store.root().join("refs/image")).unwrap().count(), 0);
    }
}
