//! Archives that GNU tar made.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::scene::Scene;

/// Runs tar on everything in a directory; nothing if there is no such program.
fn made(directory: &Path, options: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("tar").args(options).args(["-cf", "-", "-C"]).arg(directory).arg(".").output();
    match output {
        Ok(output) if output.status.success() => Some(output.stdout),
        other => {
            eprintln!("skipped: tar cannot make an archive: {other:?}");
            None
        }
    }
}

#[test]
fn long_names_and_links_in_all_formats() {
    let source = tempfile::tempdir().unwrap();
    let long = format!("{}/{}", "directory-".repeat(15), "name-".repeat(40));
    fs::create_dir_all(source.path().join(&long).parent().unwrap()).unwrap();
    fs::write(source.path().join(&long), "content").unwrap();
    fs::hard_link(source.path().join(&long), source.path().join("hard")).unwrap();
    std::os::unix::fs::symlink("target-".repeat(40), source.path().join("soft")).unwrap();
    for format in ["gnu", "oldgnu", "pax", "posix"] {
        let scene = Scene::new();
        let Some(archive) = made(source.path(), &[&format!("--format={format}")]) else { return };
        scene.apply(&archive).unwrap();
        assert_eq!(scene.read(&long), "content", "{format}");
        assert_eq!(scene.stat("hard").ino(), scene.stat(&long).ino(), "{format}");
        assert_eq!(fs::read_link(scene.at("soft")).unwrap().as_os_str().len(), 280, "{format}");
    }
}

#[test]
fn sparse_files_in_all_forms() {
    let source = tempfile::tempdir().unwrap();
    let mut file = File::create(source.path().join("sparse")).unwrap();
    for hole in 0..60_u64 {
        file.seek(SeekFrom::Start(hole * 131_072)).unwrap();
        file.write_all(&[hole as u8 + 1; 4096]).unwrap();
    }
    file.set_len(10_000_000).unwrap();
    fs::write(source.path().join("after"), "after").unwrap();
    let forms: [&[&str]; 5] = [
        &["--format=gnu"],
        &["--format=pax", "--sparse-version=0.0"],
        &["--format=pax", "--sparse-version=0.1"],
        &["--format=pax", "--sparse-version=1.0"],
        &["--format=oldgnu"],
    ];
    for form in forms {
        let scene = Scene::new();
        let Some(archive) = made(source.path(), &[form, &["--sparse"]].concat()) else { return };
        assert!(archive.len() < 1_000_000, "tar found no holes");
        scene.apply(&archive).unwrap();
        let (expected, unpacked) =
            (fs::read(source.path().join("sparse")).unwrap(), fs::read(scene.at("sparse")).unwrap());
        assert!(expected == unpacked, "{form:?}");
        assert_eq!(scene.read("after"), "after", "{form:?}");
        assert!(scene.stat("sparse").blocks() * 512 < 1_000_000, "{form:?}: holes are kept");
    }
}

#[test]
fn attributes_times_and_modes() {
    let source = tempfile::tempdir().unwrap();
    fs::write(source.path().join("f"), "f").unwrap();
    setxattr(source.path().join("f"), "user.note", b"value", XattrFlags::empty()).unwrap();
    let scene = Scene::new();
    let Some(archive) = made(source.path(), &["--format=pax", "--xattrs"]) else { return };
    scene.apply(&archive).unwrap();
    let mut value = [0_u8; 5];
    assert_eq!(getxattr(scene.at("f"), "user.note", &mut value[..]), Ok(5));
    assert_eq!(&value, b"value");
    let (expected, unpacked) = (fs::metadata(source.path().join("f")).unwrap(), scene.stat("f"));
    assert_eq!((expected.mtime(), expected.mtime_nsec()), (unpacked.mtime(), unpacked.mtime_nsec()));
    assert_eq!(expected.mode(), unpacked.mode());
}

#[test]
fn global_headers_and_old_formats() {
    let source = tempfile::tempdir().unwrap();
    fs::create_dir(source.path().join("d")).unwrap();
    fs::write(source.path().join("d/f"), "f").unwrap();
    for options in [
        &["--format=v7"][..],
        &["--format=ustar"],
        &["--format=pax", "--pax-option=comment=hello,mtime=1000"],
    ] {
        let scene = Scene::new();
        let Some(archive) = made(source.path(), options) else { return };
        scene.apply(&archive).unwrap();
        assert_eq!(scene.read("d/f"), "f", "{options:?}");
        assert!(scene.stat("d").is_dir(), "{options:?}");
    }
}
