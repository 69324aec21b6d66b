//! Pulling, with unpacking on the way.

use std::sync::Arc;

use longshore_event::Silent;
use longshore_image::{PullError, PullOptions, PullPolicy, Pulled, UnpackOptions, Unpacker};
use longshore_oci::Reference;
use longshore_registry::{ClientOptions, RegistryClient, Retries};

use crate::place::{NOW, Place, tar};
use crate::registry::{Registry, layers};

fn pull(place: &Place, registry: &Registry, name: &str, policy: PullPolicy) -> Result<Pulled, PullError> {
    let retries = Retries { attempts: 0, ..Retries::default() };
    let client = RegistryClient::new(ClientOptions { retries, ..ClientOptions::default() }, Arc::new(Silent));
    let unpack = Some(UnpackOptions::for_this_process());
    let options = PullOptions { platform: None, policy, unpack, now: NOW, sink: &Silent };
    let name = Reference::parse(&format!("{}/{name}", registry.authority)).unwrap();
    place.images.pull(&name, &options, &client)
}

#[test]
fn a_second_pull_transfers_no_blob() {
    let (place, registry) = (Place::new(), Registry::start());
    let digest = registry.put_image("1", &layers(4));
    let pulled = pull(&place, &registry, "app:1", PullPolicy::Always).unwrap();
    assert!(pulled.changed && pulled.image.root.digest == digest);
    assert!(place.images.unpacked(&pulled.image, Unpacker::of_this_process()).unwrap().is_some());
    assert_eq!(registry.blobs_asked(), 5);
    let lowers = place.images.unpack(&pulled.image, &UnpackOptions::for_this_process()).unwrap();
    assert!(lowers[0].join("file-3").is_file() && lowers[3].join("file-0").is_file());
    let again = pull(&place, &registry, "app:1", PullPolicy::Always).unwrap();
    assert!(!again.changed);
    assert_eq!(registry.blobs_asked(), 0);
    let pinned = format!("app@{digest}");
    assert_eq!(pull(&place, &registry, &pinned, PullPolicy::Missing).unwrap().image.root.digest, digest);
}

#[test]
fn a_moved_tag_leaves_the_old_image_without_name() {
    let (place, registry) = (Place::new(), Registry::start());
    registry.put_image("1", &layers(1));
    pull(&place, &registry, "app:1", PullPolicy::Always).unwrap();
    registry.put_image("1", &layers(2));
    assert!(!pull(&place, &registry, "app:1", PullPolicy::Missing).unwrap().changed);
    assert!(pull(&place, &registry, "app:1", PullPolicy::Always).unwrap().changed);
    let images = place.images.list().unwrap().images;
    let dangling: Vec<_> = images.iter().filter(|listed| listed.is_dangling()).collect();
    assert_eq!(dangling.len(), 1);
    let repository = format!("{}/app", registry.authority);
    assert_eq!(dangling[0].repository.as_deref(), Some(repository.as_str()), "it was pulled from there");
    let missing = pull(&place, &registry, "other:1", PullPolicy::Never);
    assert!(matches!(missing, Err(PullError::Resolve(_))), "{missing:?}");
    let unknown = pull(&place, &registry, "app:2", PullPolicy::Always);
    assert!(matches!(unknown, Err(PullError::Registry(_))), "{unknown:?}");
}

#[test]
fn a_layer_that_cannot_be_unpacked_gives_no_image() {
    let (place, registry) = (Place::new(), Registry::start());
    registry.put_image("1", &[tar(&[("a", "1")]), b"no archive, but its digest is right".repeat(40)]);
    let failed = pull(&place, &registry, "app:1", PullPolicy::Always);
    assert!(matches!(failed, Err(PullError::Unpack(_))), "{failed:?}");
    assert!(place.images.list().unwrap().images.is_empty());
}

#[test]
fn many_pull_one_image_at_once() {
    let (place, registry) = (Place::new(), Registry::start());
    registry.put_image("1", &layers(6));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| pull(&place, &registry, "app:1", PullPolicy::Always).unwrap());
        }
    });
    let pulled = place.images.resolve(&format!("{}/app:1", registry.authority), None).unwrap();
    assert!(place.images.unpacked(&pulled, Unpacker::of_this_process()).unwrap().is_some());
    assert!(registry.blobs_asked() <= 7 * 2, "content is fetched once, documents at most by everybody");
}
