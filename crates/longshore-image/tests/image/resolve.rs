//! Finding images, and unpacking them.

use longshore_image::{ImageName, ResolveError, UnpackOptions, short_id};
use longshore_oci::{Platform, Reference};

use crate::place::{NOW, Place};

#[test]
fn an_image_is_found_by_all_it_is_called() {
    let place = Place::new();
    let image = place.import(Some("made/here:1"), &[("a", "1")]);
    let texts = [
        "made/here:1".to_owned(),
        "docker.io/made/here:1".to_owned(),
        format!("made/here@{}", image.root.digest),
        format!("made/here:1@{}", image.root.digest),
        image.id().to_string(),
        image.id().encoded().to_owned(),
        short_id(image.id()).to_owned(),
        format!("sha256:{}", short_id(image.id())),
        image.root.digest.to_string(),
    ];
    for text in texts {
        assert_eq!(place.images.resolve(&text, None).unwrap().id(), image.id(), "for {text}");
    }
    for text in ["made/here", "made/here:2", "other:1", "0", "f00f00"] {
        if !image.id().encoded().starts_with(text) && !image.root.digest.encoded().starts_with(text) {
            assert!(
                matches!(place.images.resolve(text, None), Err(ResolveError::NotFound { .. })),
                "for {text}"
            );
        }
    }
    assert!(matches!(place.images.resolve("Not A Name", None), Err(ResolveError::Malformed { .. })));
    let elsewhere = Platform::new("linux", "s390x");
    let found = place.images.resolve("made/here:1", Some(&elsewhere));
    assert!(matches!(found, Err(ResolveError::Platform { .. })), "{found:?}");
}

#[test]
fn many_ids_with_one_beginning_are_ambiguous() {
    let place = Place::new();
    // Seventeen images cannot have sixteen different first digits.
    let mut seen = std::collections::HashSet::new();
    let twice = (0..17).find_map(|number| {
        let image = place.import(Some(&format!("n:{number}")), &[("a", &number.to_string())]);
        let digit = image.id().encoded()[..1].to_owned();
        (!seen.insert(digit.clone())).then_some(digit)
    });
    let found = place.images.resolve(&twice.unwrap(), None);
    assert!(matches!(found, Err(ResolveError::Ambiguous { .. })), "{found:?}");
}

#[test]
fn what_loses_its_name_stays_without_one() {
    let place = Place::new();
    let old = place.import(Some("app"), &[("a", "old")]);
    let new = place.import(Some("app"), &[("a", "new")]);
    assert_eq!(place.images.resolve("app", None).unwrap().id(), new.id());
    assert_eq!(place.images.resolve(short_id(old.id()), None).unwrap().id(), old.id());
    let dangling = ImageName::Dangling(old.root.digest.clone()).to_ref().unwrap();
    assert!(place.images.store().reference(&dangling).unwrap().is_some());
    // A name again: it is no longer without one.
    place.images.tag(short_id(old.id()), &Reference::parse("was").unwrap(), NOW).unwrap();
    assert!(place.images.store().reference(&dangling).unwrap().is_none());
    assert!(place.images.tag("was", &Reference::parse("host").unwrap(), NOW).is_err());
}

#[test]
fn layers_are_unpacked_once() {
    let place = Place::new();
    let image = place.import(Some("app"), &[("etc/motd", "hello")]);
    let options = UnpackOptions::for_this_process();
    let lowers = place.images.unpack(&image, &options).unwrap();
    assert_eq!(lowers.len(), 1);
    assert_eq!(std::fs::read_to_string(lowers[0].join("etc/motd")).unwrap(), "hello");
    place.images.store().remove_snapshot(&image.chain_ids()[0]).unwrap();
    assert!(place.images.unpacked(&image, options.unpacker).unwrap().is_none());
    assert_eq!(place.images.unpack(&image, &options).unwrap(), lowers);
}
