//! Packing trees.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use longshore_layer::archive::{Entries, EntryKind, Timestamp};
use longshore_layer::{Ownership, PackError, PackOptions, TreeForm, Whiteouts, pack};
use longshore_oci::Digest;
use rustix::fs::{XattrFlags, setxattr};

use crate::scene::{Scene, directory, file, is_root};

fn packed(scene: &Scene, options: &PackOptions) -> Vec<u8> {
    let mut archive = Vec::new();
    let packed = pack(&scene.target(), &mut archive, options).unwrap();
    assert_eq!((packed.diff_id, packed.bytes), (Digest::of(&archive), archive.len() as u64));
    archive
}

fn names(archive: &[u8]) -> Vec<String> {
    let mut entries = Entries::new(archive, 1 << 20);
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().unwrap() {
        names.push(String::from_utf8_lossy(&entry.path).into_owned());
    }
    names
}

#[test]
fn trees_are_packed_in_order_and_equal_trees_equally() {
    let scene = Scene::new();
    for name in ["b/y", "b/x", "a", "c"] {
        fs::create_dir_all(scene.at(name).parent().unwrap()).unwrap();
        fs::write(scene.at(name), name).unwrap();
    }
    fs::hard_link(scene.at("a"), scene.at("d")).unwrap();
    symlink("a", scene.at("e")).unwrap();
    let _socket = UnixListener::bind(scene.at("socket")).unwrap();
    fs::write(scene.at("c"), vec![0; 700_000]).unwrap();
    let options = PackOptions {
        latest_time: Some(Timestamp::from_seconds(1_000)),
        exclude: vec!["b/y".into()],
        ownership: Ownership::Ignore,
        ..PackOptions::default()
    };
    let archive = packed(&scene, &options);
    assert_eq!(names(&archive), ["a", "b/", "b/x", "c", "d", "e"]);
    // All that could differ is time, and that is cut off.
    fs::write(scene.at("a"), "a").unwrap();
    assert_eq!(packed(&scene, &options), archive);
    let mut entries = Entries::new(archive.as_slice(), 1 << 20);
    while let Some(entry) = entries.next_entry().unwrap() {
        assert_eq!(entry.modified, Timestamp::from_seconds(1_000));
        assert_eq!((entry.uid, entry.gid), (0, 0));
        if entry.path == b"d" {
            assert_eq!(entry.kind, EntryKind::HardLink(b"a".to_vec()));
        }
    }
}

#[test]
fn gnu_tar_reads_what_is_packed() {
    let scene = Scene::new();
    let long = "long-".repeat(30) + "/" + &"name-".repeat(40);
    fs::create_dir_all(scene.at(&long).parent().unwrap()).unwrap();
    fs::write(scene.at(&long), "content").unwrap();
    symlink("target-".repeat(30), scene.at("link")).unwrap();
    let archive = scene.target().with_extension("tar");
    fs::write(&archive, packed(&scene, &PackOptions { fractions: true, ..PackOptions::default() })).unwrap();
    let Ok(output) = Command::new("tar").arg("df").arg(&archive).arg("-C").arg(scene.target()).output()
    else {
        eprintln!("skipped: there is no program tar");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn upper_directories_become_layers() {
    let forms = [(Whiteouts::Overlay, TreeForm::Overlay), (Whiteouts::OverlayUser, TreeForm::OverlayUser)];
    for (whiteouts, tree) in forms {
        if whiteouts == Whiteouts::Overlay && !is_root() {
            eprintln!("skipped: only root can set trusted attributes");
            continue;
        }
        let mut scene = Scene::new();
        scene.options.whiteouts = whiteouts;
        let parts = [
            directory("a"),
            file("a/.wh.gone", ""),
            directory("b"),
            file("b/.wh..wh..opq", ""),
            file("b/new", "n"),
        ];
        scene.entries(&parts).unwrap();
        let archive = packed(&scene, &PackOptions { tree, ..PackOptions::default() });
        assert_eq!(names(&archive), ["a/", "a/.wh.gone", "b/", "b/.wh..wh..opq", "b/new"]);
        let plain = packed(&scene, &PackOptions::default());
        assert!(
            !plain.windows(8).any(|bytes| bytes == b".overlay"),
            "attributes of overlayfs are no part of layers"
        );
    }
}

#[test]
fn what_no_layer_can_say_is_refused() {
    let scene = Scene::new();
    fs::create_dir(scene.at("d")).unwrap();
    setxattr(scene.at("d"), "user.overlay.redirect", b"/x", XattrFlags::empty()).unwrap();
    let options = PackOptions { tree: TreeForm::OverlayUser, ..PackOptions::default() };
    let error = pack(&scene.target(), Vec::new(), &options).unwrap_err();
    assert!(matches!(error, PackError::Redirected { .. }), "{error}");

    let scene = Scene::new();
    fs::write(scene.at(".wh.x"), "").unwrap();
    let error = pack(&scene.target(), Vec::new(), &PackOptions::default()).unwrap_err();
    assert!(matches!(error, PackError::Reserved { .. }), "{error}");
}
