//! When the images of containers are fetched.

use std::path::{Path, PathBuf};

use crate::containers::Containers;
use crate::registry::Registry;

/// A registry with one image, which is not in the store.
fn registry(it: &Containers) -> Registry {
    it.context.write("rootfs/etc/motd", "hello");
    it.other_done(&["image", "import", "-c", "CMD [\"/bin/true\"]", "rootfs", "app:1"]);
    it.other_done(&["image", "save", "--format", "oci-dir", "-o", "saved", "app:1"]);
    it.other_done(&["image", "rm", "app:1"]);
    Registry::of(it.context.project().join("saved"))
}

/// Makes a container, which shows that there is an image; nothing of it need run for that.
fn create<'a>(options: &[&'a str], image: &'a str) -> Vec<&'a str> {
    [&["create", "--network", "none"], options, &[image, "/bin/true"]].concat()
}

#[test]
fn an_image_is_fetched_when_it_is_wanted() {
    let Some(it) = Containers::new() else { return };
    let registry = registry(&it);
    let image = format!("{}/team/app:1", registry.authority);

    let never = it.run(&create(&["--pull", "never"], &image));
    assert_eq!(never.code, 125);
    assert!(never.stderr.starts_with(&format!("error: no such image: {image}\n")), "{}", never.stderr);
    assert_eq!(registry.asked(), [] as [&str; 0]);

    let missing = it.run(&create(&[], &image));
    assert_eq!(missing.code, 0, "{}", missing.stderr);
    assert!(
        missing.stderr.starts_with(&format!("unable to find image `{image}` here")),
        "{}",
        missing.stderr
    );
    assert!(registry.asked().iter().any(|kind| kind == "blobs"));

    let again = it.run(&create(&[], &image));
    assert_eq!((again.code, again.stderr.as_str()), (0, ""));
    assert_eq!(registry.asked(), [] as [&str; 0], "it is here");

    let always = it.run(&create(&["--pull", "always", "--quiet"], &image));
    assert_eq!((always.code, always.stderr.as_str()), (0, ""));
    let asked = registry.asked();
    assert!(!asked.is_empty() && asked.iter().all(|kind| kind == "manifests"), "{asked:?}");
}

#[test]
fn an_image_that_cannot_be_had_leaves_nothing() {
    let Some(it) = Containers::new() else { return };
    let registry = registry(&it);
    let nothing = format!("{}/nothing/app:1", registry.authority);
    let ended = it.run(&create(&["--cidfile", "id"], &nothing));
    assert_eq!(ended.code, 125);
    assert!(ended.stderr.contains("failed to pull the image"), "{}", ended.stderr);
    assert!(!it.context.project().join("id").exists());
    let image = format!("{}/app:1", registry.authority);
    let other = it.run(&create(&["--platform", "linux/riscv64"], &image));
    assert_eq!(other.code, 125);
    assert!(registry.asked().iter().any(|kind| kind == "manifests"), "it might have been there");
    assert!(other.stderr.contains("linux/riscv64"), "{}", other.stderr);
    let gone = it.run(&create(&["--pull", "always"], "127.0.0.1:1/app:1"));
    assert_eq!(gone.code, 125, "{}", gone.stderr);
    assert!(gone.stderr.contains("\nhelp: check the network"), "{}", gone.stderr);
    assert_eq!(it.run(&create(&["--pull", "sometimes"], &image)).code, 125);
    assert_eq!(it.done(&["ps", "-aq"]), "");
}

/// The files of the store's content whose names a test has, largest first.
fn blobs(store: &Path) -> Vec<PathBuf> {
    let mut blobs: Vec<PathBuf> =
        std::fs::read_dir(store.join("blobs/sha256")).unwrap().map(|entry| entry.unwrap().path()).collect();
    blobs.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().len()));
    blobs
}

#[test]
fn what_is_missing_or_damaged_of_an_image_is_fetched_again() {
    let Some(it) = Containers::new() else { return };
    let registry = registry(&it);
    let image = format!("{}/app:1", registry.authority);
    let store = it.home().join("store");
    for torn in [true, false] {
        for number in 0..3 {
            it.other(&["image", "rm", "-f", &image]);
            it.other_done(&["image", "pull", "-q", "--no-unpack", &image]);
            let blobs = blobs(&store);
            assert_eq!(blobs.len(), 3, "a manifest, a configuration, a layer: {blobs:?}");
            std::fs::remove_file(&blobs[number]).unwrap();
            if torn {
                std::fs::write(&blobs[number], "torn").unwrap();
            }
            let never = it.run(&create(&["--pull", "never"], &image));
            assert_eq!(never.code, 125, "{torn} {number}");
            assert!(never.stderr.contains(&format!("`longshore image pull {image}`")), "{}", never.stderr);
            let missing = it.run(&create(&[], &image));
            assert_eq!(missing.code, 0, "{torn} {number}: {}", missing.stderr);
            it.done(&["rm", missing.stdout.trim_end()]);
        }
    }
}
