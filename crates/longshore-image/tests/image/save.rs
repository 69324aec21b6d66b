//! What is saved can be loaded, and is the same.

use longshore_event::Silent;
use longshore_image::{LoadOptions, Removal, SaveFormat};
use longshore_layer::Compression;

use crate::place::{NOW, Place};

#[test]
fn save_remove_load_keeps_every_digest() {
    for format in [SaveFormat::Docker, SaveFormat::OciArchive, SaveFormat::DockerArchive] {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let place = Place::new();
            let before = place.import(Some("made/here:1"), &[("a", "1")]);
            let texts = ["made/here:1".to_owned()];
            let mut archive = Vec::new();
            place.images.save(&texts, &mut archive, format, compression).unwrap();
            let mut again = Vec::new();
            place.images.save(&texts, &mut again, format, compression).unwrap();
            assert!(archive == again, "{format:?} differs");
            let Removal { untagged, deleted, .. } = place.images.remove("made/here:1", false).unwrap();
            assert_eq!(untagged, ["made/here:1"]);
            assert_eq!(deleted, [before.id().clone(), before.diff_ids()[0].clone()]);
            assert_eq!(place.images.store().usage().unwrap().total().bytes(), 0);
            place.load(&archive).unwrap();
            let after = place.images.resolve("made/here:1", None).unwrap();
            assert_eq!(after.id(), before.id(), "{format:?}");
            if format != SaveFormat::DockerArchive {
                assert_eq!(after.root.digest, before.root.digest, "{format:?}");
            }
        }
    }
}

#[test]
fn a_directory_is_a_layout() {
    let place = Place::new();
    let image = place.import(Some("app:1"), &[("a", "1")]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("layout");
    place.images.save_directory(&["app:1".to_owned()], &path).unwrap();
    assert!(path.join("oci-layout").is_file() && path.join("index.json").is_file());
    assert!(place.images.save_directory(&["app:1".to_owned()], &path).is_err());
    let other = Place::new();
    let options = LoadOptions { now: NOW, unpack: None, platform: None, name: None, sink: &Silent };
    let loaded = other.images.load_path(&path, &options).unwrap();
    assert_eq!(loaded[0].image.root.digest, image.root.digest);
    assert_eq!(other.images.resolve("app:1", None).unwrap().id(), image.id());
}

#[test]
fn names_go_one_by_one_and_prune_takes_what_is_left() {
    let place = Place::new();
    let image = place.import(Some("a:1"), &[("a", "1")]);
    place.images.tag("a:1", &longshore_oci::Reference::parse("b:1").unwrap(), NOW).unwrap();
    assert!(place.images.remove(image.id().as_str(), false).is_err(), "two repositories");
    let removed = place.images.remove("a:1", false).unwrap();
    assert_eq!((removed.untagged.as_slice(), removed.deleted.len()), (&["a:1".to_owned()][..], 0));
    place.import(Some("b:1"), &[("a", "2")]);
    let listed = place.images.list().unwrap().images;
    assert_eq!(listed.len(), 2);
    let pruned = place.images.prune(false, |_| true).unwrap();
    assert!(pruned.untagged.is_empty() && pruned.deleted.contains(image.id()));
    assert!(pruned.freed.bytes() > 0);
    let pruned = place.images.prune(true, |_| true).unwrap();
    assert_eq!(pruned.untagged, ["b:1"]);
    assert!(place.images.list().unwrap().images.is_empty());
}
