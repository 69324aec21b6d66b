//! Layers that try to get out. Each must be refused with the entry's name, and the canary must live.

use longshore_layer::Fault;
use longshore_layer::archive::{Entry, EntryKind};

use crate::scene::{Part, Scene, directory, file, hard_link, symlink};

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
        ("`d`", &[directory("d"), file("d/f", ""), hard_link("d", "d/f")]),
        ("`f`", &[file("f", ""), hard_link("f", "f")]),
        ("`h`", &[directory("d"), hard_link("h", "d")]),
        ("`f/x`", &[file("f", ""), file("f/x", "")]),
        ("`.wh.d/x`", &[file(".wh.d/x", "")]),
        ("`s`", &[symlink("s", "")]),
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
fn links_are_not_followed_by_what_replaces_or_removes_them() {
    let scene = Scene::new();
    scene
        .entries(&[
            symlink("l", "../outside/canary"),
            file("l", "a file"),
            symlink("m", "../outside"),
            directory("m"),
            file("m/canary", "another"),
            symlink("n", "../outside"),
            hard_link("n", "l"),
            symlink("o", "../outside/canary"),
            file(".wh.o", ""),
        ])
        .unwrap();
    assert_eq!(scene.read("l"), "a file");
    assert_eq!(scene.read("m/canary"), "another");
    assert_eq!(scene.read("n"), "a file");
}

#[test]
fn names_too_long_for_the_system_are_refused() {
    for name in ["n".repeat(256), "d/".repeat(500) + "f", "x/".repeat(3000)] {
        let scene = Scene::new();
        let error = scene.entries(&[(Entry::new(name, EntryKind::File), b"")]).unwrap_err();
        assert_eq!(error.fault(), Fault::Layer, "{error}");
        assert!(error.to_string().len() < 400, "{error}");
    }
}

#[test]
fn control_characters_do_not_reach_messages() {
    let scene = Scene::new();
    let error = scene.entries(&[file("../\u{1b}[2Jx", "")]).unwrap_err();
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
}
