//! What entries become.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::{fs, io};

use longshore_layer::archive::{Device, Entry, EntryKind};
use longshore_layer::{ApplyError, Devices, Fault, apply};
use longshore_oci::Digest;

use crate::scene::{Scene, directory, file, hard_link, is_root, symlink, tar};

#[test]
fn files_directories_and_links() {
    let scene = Scene::new();
    let applied = scene
        .entries(&[
            directory("etc/"),
            file("etc/passwd", "root"),
            symlink("bin", "usr/bin"),
            file("usr/bin/true", "elf"),
            hard_link("usr/bin/false", "usr/bin/true"),
            file("bin/ls", "through a link that stays inside"),
        ])
        .unwrap();
    assert_eq!(scene.read("etc/passwd"), "root");
    assert_eq!(fs::read_link(scene.at("bin")).unwrap().to_str(), Some("usr/bin"));
    assert_eq!(scene.stat("usr/bin/false").ino(), scene.stat("usr/bin/true").ino());
    assert_eq!(scene.read("usr/bin/ls"), "through a link that stays inside");
    let implied: Vec<_> = applied.implied_directories.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(implied, ["usr", "usr/bin"]);
    assert_eq!(applied.entries, 6);
}

#[test]
fn later_entries_replace_earlier_ones() {
    let scene = Scene::new();
    scene
        .entries(&[
            file("a", "1"),
            file("a", "2"),
            directory("d"),
            file("d/x", "x"),
            file("d", "now a file"),
            file("e", "file"),
            directory("e"),
            file("e/y", "y"),
            symlink("s", "e"),
            file("s", "a file, not through the link"),
            symlink("t", "e"),
            directory("t"),
            file("t/z", "z"),
        ])
        .unwrap();
    assert_eq!(scene.read("a"), "2");
    assert_eq!(scene.read("d"), "now a file");
    assert_eq!(scene.read("e/y"), "y");
    assert_eq!(scene.read("s"), "a file, not through the link");
    assert_eq!(scene.read("t/z"), "z");
    assert!(!scene.exists("e/z"));
}

#[test]
fn trees_change_kind_while_files_are_under_way() {
    let scene = Scene::new();
    let mut entries = Vec::new();
    for round in 0..40 {
        entries.push(file("x", "a file"));
        entries.push(directory("x"));
        entries.push(file("x/y", "below"));
        entries.push(symlink("x/y", "z"));
        entries.push(file("x/z", "last"));
        if round % 2 == 1 {
            entries.push(symlink("x", "elsewhere"));
        }
    }
    entries.push(file("x", "the end"));
    entries.push(hard_link("again", "x"));
    scene.entries(&entries).unwrap();
    assert_eq!(scene.read("x"), "the end");
    assert_eq!(scene.read("again"), "the end");
}

#[test]
fn names_are_bytes() {
    let scene = Scene::new();
    let name: Vec<u8> = vec![b'n', 0xff, 0xfe, b'\n'];
    let entry = Entry::new(name.clone(), EntryKind::File);
    scene.entries(&[(entry, b"bytes")]).unwrap();
    assert_eq!(fs::read(scene.target().join(OsStr::from_bytes(&name))).unwrap(), b"bytes");
}

#[test]
fn absolute_and_dotted_names_are_below_the_target() {
    let scene = Scene::new();
    scene
        .entries(&[file("/etc/a", "1"), file("./etc//b", "2"), file("x/../etc/c", "3"), directory("./")])
        .unwrap();
    assert_eq!(
        (scene.read("etc/a"), scene.read("etc/b"), scene.read("etc/c")),
        ("1".into(), "2".into(), "3".into())
    );
}

#[test]
fn hard_links_may_be_absolute_and_name_links() {
    let scene = Scene::new();
    scene
        .entries(&[symlink("l", "/etc/shadow"), hard_link("m", "/l"), file("f", "f"), hard_link("g", "./f")])
        .unwrap();
    assert_eq!(fs::read_link(scene.at("m")).unwrap().to_str(), Some("/etc/shadow"));
    assert_eq!(scene.stat("f").nlink(), 2);
}

#[test]
fn large_files_are_written_whole() {
    let scene = Scene::new();
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let applied = scene.entries(&[(Entry::new("big", EntryKind::File), content.leak())]).unwrap();
    let read = fs::read(scene.at("big")).unwrap();
    assert_eq!(read.len(), 12_000_000);
    assert!(read.chunks(4).enumerate().all(|(number, bytes)| bytes == (number as u32).to_le_bytes()));
    assert!(applied.bytes > 12_000_000);
}

#[test]
fn the_diff_id_is_verified() {
    let mut scene = Scene::new();
    let archive = tar(&[file("a", "a")]);
    let digest = Digest::of(&archive);
    scene.options.expected_diff_id = Some(digest.clone());
    assert_eq!(scene.apply(&archive).unwrap().diff_id, digest);
    scene.options.expected_diff_id = Some(Digest::of(b"something else"));
    let error = scene.apply(&archive).unwrap_err();
    assert!(matches!(&error, ApplyError::DiffId { actual, .. } if *actual == digest), "{error}");
}

#[test]
fn what_follows_the_end_marker_is_hashed_and_ignored() {
    let scene = Scene::new();
    let mut archive = tar(&[file("a", "a")]);
    archive.extend_from_slice(&[7; 5000]);
    assert_eq!(scene.apply(&archive).unwrap().diff_id, Digest::of(&archive));
}

#[test]
fn readers_that_fail_are_told_from_damaged_layers() {
    let scene = Scene::new();
    let archive = tar(&[file("a", "a")]);
    let failing = io::Read::chain(&archive[..700], Failing);
    let error = apply(failing, &scene.target(), &scene.options).unwrap_err();
    assert_eq!(error.fault(), Fault::Source, "{error}");
    let error = apply(&b""[..], &scene.at("missing"), &scene.options).unwrap_err();
    assert_eq!(error.fault(), Fault::Machine, "{error}");
}

struct Failing;

impl io::Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the network is down"))
    }
}

#[test]
fn devices() {
    let mut scene = Scene::new();
    let device =
        (Entry::new("dev/null", EntryKind::CharacterDevice(Device { major: 1, minor: 3 })), &b""[..]);
    let pipe = (Entry::new("pipe", EntryKind::Fifo), &b""[..]);
    if is_root() {
        scene.entries(&[device.clone(), pipe.clone()]).unwrap();
        assert_eq!(scene.stat("dev/null").rdev(), 0x103);
        assert!(scene.stat("dev/null").file_type().is_char_device());
        assert_eq!(scene.stat("dev/null").mode() & 0o7777, 0o644);
    } else {
        eprintln!("skipped: devices can be made by root only");
    }
    scene.options.devices = Devices::Refuse;
    scene.entries(&[pipe]).unwrap();
    assert!(scene.stat("pipe").file_type().is_fifo());
    let error = scene.entries(&[device]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the entry `dev/null` is a device, and devices cannot be made without root"
    );
}
