//! Owners, modes, times and extended attributes.

use std::os::unix::fs::MetadataExt as _;

use longshore_layer::archive::{Entry, EntryKind, Timestamp};
use longshore_layer::{Ownership, Whiteouts};
use rustix::fs::{getxattr, lgetxattr};

use crate::scene::{Scene, file, is_root};

fn entry(path: &str, kind: EntryKind, mode: u32, uid: u32, gid: u32) -> Entry {
    let modified = Timestamp { seconds: 1_234_567_890, nanoseconds: 123_456_789 };
    Entry { mode, uid, gid, modified, ..Entry::new(path, kind) }
}

#[test]
fn modes_owners_and_times() {
    if !is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let scene = Scene::new();
    scene
        .entries(&[
            (entry("d", EntryKind::Directory, 0o1777, 5, 6), b""),
            (entry("closed", EntryKind::Directory, 0o000, 0, 0), b""),
            (entry("closed/f", EntryKind::File, 0o000, 7, 8), b"x"),
            (entry("d/suid", EntryKind::File, 0o4755, 1000, 50), b"x"),
            (entry("d/s", EntryKind::Symlink(b"x".to_vec()), 0o777, 9, 10), b""),
            (entry("d/p", EntryKind::Fifo, 0o622, 11, 12), b""),
            (entry(".", EntryKind::Directory, 0o700, 3, 4), b""),
        ])
        .unwrap();
    let table = [
        ("", 0o700, 3, 4),
        ("d", 0o1777, 5, 6),
        ("closed", 0, 0, 0),
        ("closed/f", 0, 7, 8),
        ("d/suid", 0o4755, 1000, 50),
        ("d/s", 0o777, 9, 10),
        ("d/p", 0o622, 11, 12),
    ];
    for (path, mode, uid, gid) in table {
        let stat = scene.stat(path);
        assert_eq!((stat.mode() & 0o7777, stat.uid(), stat.gid()), (mode, uid, gid), "{path}");
        assert_eq!((stat.mtime(), stat.mtime_nsec()), (1_234_567_890, 123_456_789), "{path}");
    }
}

#[test]
fn ignored_ownership_keeps_only_what_acts_for_root() {
    let mut scene = Scene::new();
    scene.options.ownership = Ownership::Ignore;
    scene
        .entries(&[
            (entry("root", EntryKind::File, 0o6755, 0, 0), b""),
            (entry("other", EntryKind::File, 0o6755, 6, 0), b""),
            (entry("group", EntryKind::File, 0o2755, 0, 12), b""),
        ])
        .unwrap();
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    for (path, mode) in [("root", 0o6755), ("other", 0o2755), ("group", 0o755)] {
        let stat = scene.stat(path);
        assert_eq!((stat.mode() & 0o7777, stat.uid(), stat.gid()), (mode, uid, gid), "{path}");
    }
}

#[test]
fn extended_attributes() {
    let mut scene = Scene::new();
    let capability =
        b"\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00".to_vec();
    let mut ping = entry("ping", EntryKind::File, 0o755, 0, 0);
    ping.xattrs =
        vec![(b"security.capability".to_vec(), capability), (b"user.note".to_vec(), b"a\0b".to_vec())];
    let mut directory = entry("d", EntryKind::Directory, 0o755, 0, 0);
    directory.xattrs = vec![(b"user.note".to_vec(), b"d".to_vec())];
    scene.options.ownership = if is_root() { Ownership::Keep } else { Ownership::Ignore };
    let applied = scene.entries(&[(ping, b"elf"), (directory, b"")]).unwrap();
    let value = |path: &str, name: &str| {
        let mut buffer = [0_u8; 64];
        getxattr(scene.at(path), name, &mut buffer[..]).map(|length| buffer[..length].to_vec()).ok()
    };
    assert_eq!(value("ping", "user.note"), Some(b"a\0b".to_vec()));
    assert_eq!(value("d", "user.note"), Some(b"d".to_vec()));
    if is_root() {
        assert_eq!(value("ping", "security.capability").map(|value| value.len()), Some(20));
        assert_eq!(applied.attributes_left_out, 0);
    } else {
        assert_eq!(value("ping", "security.capability"), None);
        assert_eq!(applied.attributes_left_out, 1);
    }
}

#[test]
fn attributes_that_steer_overlayfs_are_not_taken_from_layers() {
    let mut scene = Scene::new();
    scene.options.whiteouts = Whiteouts::OverlayUser;
    let mut part = file("f", "");
    part.0.xattrs = ["trusted.overlay.redirect", "user.overlay.redirect", "user.overlay.opaque"]
        .map(|name| (name.as_bytes().to_vec(), b"/other".to_vec()))
        .to_vec();
    scene.entries(&[part]).unwrap();
    for name in ["trusted.overlay.redirect", "user.overlay.redirect", "user.overlay.opaque"] {
        assert!(lgetxattr(scene.at("f"), name, &mut [0_u8; 8][..]).is_err(), "{name}");
    }
}
