//! What layers say to be gone.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

use longshore_layer::{Ownership, Whiteouts};
use rustix::fs::getxattr;

use crate::scene::{Scene, directory, file, is_root};

fn attribute(scene: &Scene, path: &str, name: &str) -> Option<u8> {
    let mut value = [0_u8; 1];
    getxattr(scene.at(path), name, &mut value[..]).ok().map(|_| value[0])
}

fn is_whiteout(scene: &Scene, path: &str) -> bool {
    let stat = scene.stat(path);
    let device = stat.file_type().is_char_device() && stat.rdev() == 0;
    device || attribute(scene, path, "user.overlay.whiteout").is_some()
}

fn scene(whiteouts: Whiteouts) -> Scene {
    let mut scene = Scene::new();
    scene.options.whiteouts = whiteouts;
    scene
}

#[test]
fn overlay() {
    if !is_root() {
        eprintln!("skipped: only root can set trusted attributes");
        return;
    }
    let scene = scene(Whiteouts::Overlay);
    let applied = scene
        .entries(&[
            file("a/.wh.gone", ""),
            directory("b"),
            file("b/.wh..wh..opq", ""),
            file(".wh..wh.aufs", ""),
        ])
        .unwrap();
    assert!(is_whiteout(&scene, "a/gone"));
    assert_eq!(attribute(&scene, "b", "trusted.overlay.opaque"), Some(b'y'));
    assert!(!applied.opaque_root);
    let names: Vec<_> =
        fs::read_dir(scene.target()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn whiteouts_concern_lower_layers_only() {
    let scene = scene(Whiteouts::OverlayUser);
    let applied = scene
        .entries(&[
            file("kept", "k"),
            file(".wh.kept", ""),
            file(".wh.anew", ""),
            file("anew", "n"),
            file(".wh.dir", ""),
            directory("dir"),
            file("dir/x", "x"),
            directory("dir2"),
            file("dir2/x", "x"),
            file(".wh.dir2", ""),
            file(".wh.implied", ""),
            file("implied/x", "x"),
            file("opaque/.wh.useless", ""),
            file("opaque/sub/.wh.useless", ""),
            file("opaque/.wh..wh..opq", ""),
            file("opaque/.wh.useless2", ""),
            file(".wh.twice", ""),
            file(".wh.twice", ""),
            file(".wh..wh..opq", ""),
        ])
        .unwrap();
    assert!(applied.opaque_root);
    assert_eq!((scene.read("kept"), scene.read("anew")), ("k".into(), "n".into()));
    for path in ["dir", "dir2", "implied", "opaque"] {
        assert_eq!(attribute(&scene, path, "user.overlay.opaque"), Some(b'y'), "{path}");
    }
    assert!(!scene.exists("opaque/useless") && !scene.exists("opaque/sub/useless"));
    // The root is opaque, so nothing is left for whiteouts to hide.
    assert!(!scene.exists("opaque/useless2") && !scene.exists("twice"));
}

#[test]
fn whiteouts_as_files() {
    let scene = scene(Whiteouts::OverlayFiles);
    scene.entries(&[file("d/.wh.gone", ""), file("e/.wh.gone", ""), file("e/.wh..wh..opq", "")]).unwrap();
    let stat = scene.stat("d/gone");
    assert!(stat.is_file() && stat.len() == 0);
    assert_eq!(attribute(&scene, "d/gone", "user.overlay.whiteout"), Some(b'y'));
    assert_eq!(attribute(&scene, "d", "user.overlay.opaque"), Some(b'x'));
    assert_eq!(attribute(&scene, "e", "user.overlay.opaque"), Some(b'y'));
    assert!(!scene.exists("e/gone"));
}

#[test]
fn delete_from_a_whole_tree() {
    let mut scene = scene(Whiteouts::Delete);
    scene.options.ownership = Ownership::Ignore;
    scene
        .entries(&[
            file("gone", ""),
            file("tree/a/b", ""),
            file("opaque/old", ""),
            file("opaque/sub/old", ""),
            file("opaque/left/old", ""),
            file("both", "old"),
            file("kind/x", ""),
            file("kept", "kept"),
        ])
        .unwrap();
    scene
        .entries(&[
            file(".wh.gone", ""),
            file(".wh.tree", ""),
            file("opaque/new", "new"),
            file("opaque/sub/new", "new"),
            file("opaque/.wh..wh..opq", ""),
            file("both", "new"),
            file(".wh.both", ""),
            file("kind", "a file now"),
            file("no/.wh.such", ""),
        ])
        .unwrap();
    for path in ["gone", "tree", "opaque/old", "opaque/sub/old", "opaque/left", "no"] {
        assert!(!scene.exists(path), "{path}");
    }
    for (path, content) in [
        ("opaque/new", "new"),
        ("opaque/sub/new", "new"),
        ("both", "new"),
        ("kind", "a file now"),
        ("kept", "kept"),
    ] {
        assert_eq!(scene.read(path), content, "{path}");
    }
}

#[test]
fn overlayfs_understands_what_is_made() {
    if !is_root() {
        eprintln!("skipped: only root can mount");
        return;
    }
    let forms = [
        (Whiteouts::Overlay, ""),
        (Whiteouts::OverlayUser, ",userxattr"),
        (Whiteouts::OverlayFiles, ",userxattr"),
    ];
    for (whiteouts, option) in forms {
        let (lower, upper, merged) = (Scene::new(), scene(whiteouts), Scene::new());
        lower
            .entries(&[file("d/gone", ""), file("d/stays", ""), file("o/old", ""), file("r/old", "")])
            .unwrap();
        upper
            .entries(&[
                file("d/.wh.gone", ""),
                file("o/new", ""),
                file("o/.wh..wh..opq", ""),
                file(".wh.r", ""),
                file("r/new", ""),
            ])
            .unwrap();
        let options = format!("lowerdir={}:{}{option}", upper.target().display(), lower.target().display());
        let mount = std::process::Command::new("unshare")
            .args([
                "-m",
                "sh",
                "-c",
                "mount -t overlay overlay -o \"$1\" \"$2\" && cd \"$2\" && find . -type f | sort",
                "sh",
            ])
            .arg(options)
            .arg(merged.target())
            .output();
        match mount {
            Ok(output) if output.status.success() => {
                assert_eq!(String::from_utf8_lossy(&output.stdout), "./d/stays\n./o/new\n./r/new\n");
            }
            other => eprintln!("skipped: overlayfs cannot be mounted here: {other:?}"),
        }
    }
}

#[test]
fn names_of_what_is_no_layer_mean_themselves() {
    let mut scene = scene(Whiteouts::Literal);
    scene.options.ownership = Ownership::Ignore;
    scene.entries(&[file("kept", "kept"), file("kind/x", ""), file("both", "old")]).unwrap();
    scene
        .entries(&[
            file(".wh.kept", "a file"),
            file("d/.wh..wh..opq", "another"),
            file("d/.wh.x/y", "below"),
            file("kind", "a file now"),
            file("both", "new"),
        ])
        .unwrap();
    for (path, text) in [
        ("kept", "kept"),
        (".wh.kept", "a file"),
        ("d/.wh..wh..opq", "another"),
        ("d/.wh.x/y", "below"),
        ("kind", "a file now"),
        ("both", "new"),
    ] {
        assert_eq!(std::fs::read_to_string(scene.at(path)).unwrap(), text, "{path}");
    }
}
