//! Archives of all kinds, good and bad.

use std::io::Read as _;

use longshore_image::{LoadError, RemoveError, UnpackOptions, host_platform};
use longshore_oci::{Digest, Platform};
use longshore_store::{Namespace, RefName, RefRecord};
use serde_json::{Value, json};

use crate::place::{Item, NOW, Place, archive, config, file, tar};

type Check = fn(&LoadError) -> bool;

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

fn hex(content: &[u8]) -> String {
    Digest::of(content).encoded().to_owned()
}

/// What Docker wrote before version 25, with the layer that stands twice as a link.
fn old_docker(layers: &[Vec<u8>]) -> Vec<Item> {
    let slices: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let config = bytes(&config(&slices));
    let mut items = Vec::new();
    let mut paths = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        let path = format!("{}/layer.tar", hex(at.to_string().as_bytes()));
        items.push(file(path.replace("layer.tar", "VERSION"), "1.0"));
        match layers[..at].iter().position(|earlier| earlier == layer) {
            Some(earlier) => {
                let directory = hex(earlier.to_string().as_bytes());
                items.push(Item::Symlink(path.clone(), format!("../{directory}/layer.tar")));
            }
            None => items.push(file(path.clone(), layer.clone())),
        }
        paths.push(path);
    }
    let config_path = format!("{}.json", hex(&config));
    let manifest = json!([{"Config": config_path, "RepoTags": ["app:1", "app:2"], "Layers": paths}]);
    items.push(file(config_path, config));
    items.push(file("manifest.json", bytes(&manifest)));
    items
}

#[test]
fn docker_archives_keep_the_id() {
    let place = Place::new();
    let layers = [tar(&[("a", "1")]), tar(&[("b", "2")]), tar(&[("a", "1")])];
    let items = old_docker(&layers);
    let loaded = place.load(&archive(&items)).unwrap();
    let names: Vec<String> = loaded[0].names.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["docker.io/library/app:1", "docker.io/library/app:2"]);
    let slices: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    assert_eq!(loaded[0].image.id(), &Digest::of(&bytes(&config(&slices))));
    let image = place.images.resolve("app:2", None).unwrap();
    assert_eq!(place.images.unpack(&image, &UnpackOptions::for_this_process()).unwrap().len(), 3);
}

#[test]
fn what_is_wrong_is_refused() {
    let layer = tar(&[("a", "1")]);
    let good = || old_docker(std::slice::from_ref(&layer));
    let replaced = |path: &str, content: &[u8]| {
        let mut items = good();
        for item in &mut items {
            if let Item::File(name, bytes) = item
                && name.ends_with(path)
            {
                *bytes = content.to_vec();
            }
        }
        items
    };
    let without = |path: &str| {
        let mut items = good();
        items.retain(|item| !matches!(item, Item::File(name, _) if name.ends_with(path)));
        items
    };
    let with = |item: Item| {
        let mut items = good();
        items.push(item);
        items
    };
    let looped = || {
        let mut items = without("layer.tar");
        let name = |at: &str| format!("{}/layer.tar", hex(at.as_bytes()));
        items.push(Item::Symlink(name("0"), format!("../{}", name("1"))));
        items.push(Item::Symlink(name("1"), format!("../{}", name("0"))));
        items
    };
    let cases: Vec<(&str, Vec<Item>, Check)> = vec![
        ("another layer", replaced("layer.tar", &tar(&[("a", "2")])), |e| {
            matches!(e, LoadError::DiffId { .. })
        }),
        ("a layer that is none", replaced("layer.tar", b"x"), |e| matches!(e, LoadError::DiffId { .. })),
        ("no layer", without("layer.tar"), |e| matches!(e, LoadError::MissingFile { .. })),
        ("links in a ring", looped(), |e| matches!(e, LoadError::MissingFile { .. })),
        ("no list", without("manifest.json"), |e| matches!(e, LoadError::NoImages)),
        ("a list that is none", replaced("manifest.json", b"{}"), |e| matches!(e, LoadError::List { .. })),
        ("a climbing name", with(file("../x", "x")), |e| matches!(e, LoadError::Entry { .. })),
        ("an absolute name", with(file("/x", "x")), |e| matches!(e, LoadError::Entry { .. })),
        ("a climbing link", with(Item::Symlink("l".into(), "../../x".into())), |e| {
            matches!(e, LoadError::Entry { .. })
        }),
        ("a name twice", with(file("manifest.json", "[]")), |e| matches!(e, LoadError::Entry { .. })),
        ("a wrong digest", with(file(format!("blobs/sha256/{}", hex(b"x")), "y")), |e| {
            matches!(e, LoadError::Digest { .. })
        }),
    ];
    for (what, items, expected) in cases {
        let place = Place::new();
        let error = place.load(&archive(&items)).expect_err(what);
        assert!(expected(&error), "{what}: {error:?}");
        assert!(place.images.resolve("app:1", None).is_err(), "{what} left an image");
    }
}

#[test]
fn a_truncated_archive_is_refused() {
    let place = Place::new();
    let whole = archive(&old_docker(&[tar(&[("a", &"1".repeat(5000))])]));
    assert!(place.load(&whole[..2000]).is_err());
    assert!(place.load(b"no archive at all").is_err());
    assert!(place.load(&whole).is_ok());
}

/// A layout with one image; `size` is what the manifest says of the layer's length.
fn layout(layer: &[u8], size: usize, annotations: &Value) -> Vec<Item> {
    let blob = |content: &[u8]| file(format!("blobs/sha256/{}", hex(content)), content);
    let described = |media: &str, content: &[u8], size: usize| json!({"mediaType": format!("application/vnd.oci.image.{media}"), "digest": Digest::of(content).to_string(), "size": size});
    let config = bytes(&config(&[layer]));
    let manifest = bytes(&json!({
        "schemaVersion": 2,
        "config": described("config.v1+json", &config, config.len()),
        "layers": [described("layer.v1.tar", layer, size)],
    }));
    let mut entry = described("manifest.v1+json", &manifest, manifest.len());
    entry["annotations"] = annotations.clone();
    let index = bytes(&json!({"schemaVersion": 2, "manifests": [entry]}));
    vec![blob(layer), blob(&config), blob(&manifest), file("index.json", index)]
}

#[test]
fn layouts_say_their_names_in_several_ways() {
    let layer = tar(&[("a", "1")]);
    let (whole, tag) = ("io.containerd.image.name", "org.opencontainers.image.ref.name");
    for (annotations, name) in [
        (json!({whole: "docker.io/library/app:1", tag: "1"}), Some("docker.io/library/app:1")),
        (json!({tag: "app:1"}), Some("docker.io/library/app:1")),
        (json!({tag: "latest"}), None),
        (json!({}), None),
    ] {
        let place = Place::new();
        let loaded = place.load(&archive(&layout(&layer, layer.len(), &annotations))).unwrap();
        let found = loaded[0].names[0].reference().map(ToString::to_string);
        assert_eq!(found.as_deref(), name, "for {annotations}");
        assert_eq!(place.images.list().unwrap().images.len(), 1);
    }
}

#[test]
fn a_layout_that_lacks_something_is_refused() {
    let layer = tar(&[("a", "1")]);
    for lacking in 0..3 {
        let mut items = layout(&layer, layer.len(), &json!({}));
        items.remove(lacking);
        let place = Place::new();
        let error = place.load(&archive(&items)).expect_err("something is missing");
        assert!(matches!(error, LoadError::Missing { .. }), "without the item {lacking}: {error:?}");
        assert!(place.images.list().unwrap().images.is_empty());
    }
    let error =
        Place::new().load(&archive(&layout(&layer, layer.len() + 1, &json!({})))).expect_err("a wrong size");
    assert!(matches!(error, LoadError::Size { .. }), "{error:?}");
}

#[test]
fn images_for_other_platforms_have_the_names_of_their_index() {
    let layer = tar(&[("a", "1")]);
    let described = |media: &str, content: &[u8]| json!({"mediaType": format!("application/vnd.oci.image.{media}"), "digest": Digest::of(content).to_string(), "size": content.len()});
    let blob = |content: &[u8]| file(format!("blobs/sha256/{}", hex(content)), content);
    let mut items = vec![blob(&layer)];
    let mut manifests = Vec::new();
    let elsewhere = Platform::new("linux", "s390x");
    for platform in [&host_platform(), &elsewhere] {
        let mut config = config(&[&layer]);
        config["architecture"] = platform.architecture.clone().into();
        let config = bytes(&config);
        let (config_entry, layer_entry) =
            (described("config.v1+json", &config), described("layer.v1.tar", &layer));
        let manifest = bytes(&json!({"schemaVersion": 2, "config": config_entry, "layers": [layer_entry]}));
        let mut entry = described("manifest.v1+json", &manifest);
        entry["platform"] = json!({"os": platform.os, "architecture": platform.architecture});
        manifests.push(entry);
        items.extend([blob(&config), blob(&manifest)]);
    }
    let whole = bytes(&json!({"schemaVersion": 2, "manifests": manifests}));
    let mut entry = described("index.v1+json", &whole);
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": "app:1"});
    items.extend([
        blob(&whole),
        file("index.json", bytes(&json!({"schemaVersion": 2, "manifests": [entry]}))),
    ]);
    let place = Place::new();
    place.load(&archive(&items)).unwrap();

    let other = place.images.resolve("app:1", Some(&elsewhere)).unwrap();
    let listed = place.images.listed(&other).unwrap().unwrap();
    assert_eq!(listed.image.id(), other.id());
    assert_eq!(listed.names, place.images.list().unwrap().images[0].names);
    // A container for the other platform uses the image as well.
    let container = RefName::new(Namespace::Container, "c").unwrap();
    place.images.store().put_ref(&container, &RefRecord::new(other.manifest_descriptor, NOW)).unwrap();
    let refused = place.images.remove("app:1", false);
    assert!(matches!(refused, Err(RemoveError::InUse { .. })), "{refused:?}");
    assert!(place.images.prune(true, |_| true).unwrap().deleted.is_empty());
}

#[test]
fn archives_may_be_compressed_with_xz() {
    let xz = |bytes: &[u8]| {
        let mut compressed = Vec::new();
        liblzma::bufread::XzEncoder::new(bytes, 1).read_to_end(&mut compressed).unwrap();
        compressed
    };
    let place = Place::new();
    let whole = archive(&old_docker(&[tar(&[("a", &"1".repeat(5000))])]));
    let id = Place::new().load(&whole).unwrap()[0].image.id().clone();
    let compressed = xz(&whole);
    assert_eq!(*place.load(&compressed).unwrap()[0].image.id(), id);
    assert!(Place::new().load(&compressed[..compressed.len() / 2]).is_err(), "half of it");
    let plain = place.import(None, &[("a", "1")]);
    let imported = place.import_archive(None, &xz(&tar(&[("a", "1")])));
    assert_eq!(imported.id(), plain.id(), "the layer is what was compressed");
}
