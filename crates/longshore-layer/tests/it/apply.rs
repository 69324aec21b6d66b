//! What entries become.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use longshore_layer::Fault;

use crate::scene::{Part, Scene, directory, file, hard_link, symlink};

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
fn escapes_are_refused() {
    let attacks: &[(&str, &[Part])] = &[
        ("`../outside/new`", &[file("../outside/new", "x")]),
        ("`a/../../outside/canary`", &[file("a/../../outside/canary", "x")]),
        ("`/../outside/canary`", &[file("/../outside/canary", "x")]),
        ("`l/canary`", &[symlink("l", "../outside"), file("l/canary", "x")]),
        ("`l/canary`", &[symlink("l", "/tmp"), file("l/canary", "x")]),
        ("`m/x`", &[symlink("l", "."), symlink("m", "l/../../outside"), file("m/x", "x")]),
        ("`h`", &[hard_link("h", "../outside/canary")]),
        ("`h`", &[symlink("l", "../outside"), hard_link("h", "l/canary")]),
        ("`h`", &[symlink("l", "/"), hard_link("h", "l/etc/passwd")]),
        ("`h`", &[hard_link("h", "nothing")]),
        ("`.wh...`", &[file(".wh...", "")]),
        ("`a/.wh..`", &[file("a/.wh..", "")]),
        ("`l/.wh.canary`", &[symlink("l", "../outside"), file("l/.wh.canary", "")]),
        ("`l/.wh..wh..opq`", &[symlink("l", "../outside"), file("l/.wh..wh..opq", "")]),
        ("`.`", &[symlink(".", "/etc")]),
        ("`loop/x`", &[symlink("loop", "loop"), file("loop/x", "")]),
    ];
    for (name, entries) in attacks {
        let scene = Scene::new();
        let error = scene.entries(entries).unwrap_err();
        assert!(error.to_string().contains(name), "{error} does not name {name}");
        assert_eq!(error.fault(), Fault::Layer, "{error}");
    }
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
