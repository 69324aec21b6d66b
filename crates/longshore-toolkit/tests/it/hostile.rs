//! Jobs and archives that mean harm.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;

use longshore_toolkit::artifact::SourceFile;
use longshore_toolkit::cache::{CacheBounds, CachePart, CacheScopes};
use longshore_toolkit::{ArtifactStore, BackendId, Limits, StorageError};
use proptest::prelude::*;

use crate::scene::{Scene, artifact, cache, id, source};

/// A zip archive with stored entries, as nobody honest would write it.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut central) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let start = bytes.len() as u32;
        let mut shared = Vec::new();
        shared.extend([20, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        shared.extend(crc.sum().to_le_bytes());
        shared.extend((content.len() as u32).to_le_bytes());
        shared.extend((content.len() as u32).to_le_bytes());
        shared.extend((name.len() as u16).to_le_bytes());
        shared.extend([0, 0]);
        bytes.extend(0x0403_4b50_u32.to_le_bytes());
        bytes.extend(&shared);
        bytes.extend(name.as_bytes());
        bytes.extend(*content);
        central.extend(0x0201_4b50_u32.to_le_bytes());
        central.extend([20, 3]);
        central.extend(&shared);
        central.extend([0; 6]);
        central.extend((0o100_644_u32 << 16).to_le_bytes());
        central.extend(start.to_le_bytes());
        central.extend(name.as_bytes());
    }
    let start = bytes.len() as u32;
    bytes.extend(&central);
    bytes.extend(0x0605_4b50_u32.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend([entries.len() as u8, 0, entries.len() as u8, 0]);
    bytes.extend((central.len() as u32).to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

fn unpack(scene: &Scene, limits: Limits, zip: &[u8]) -> Result<(), StorageError> {
    let store = ArtifactStore::open(&scene.path("artifacts"), limits).unwrap();
    store.delete(&id("run-1"), &"z".parse().unwrap()).unwrap();
    let mut upload = store.begin().unwrap();
    upload.write_all(zip).unwrap();
    store.finish(&artifact(scene, "z"), upload, None).unwrap();
    let found = store.find(&id("run-1"), &"z".parse().unwrap(), scene.now).unwrap().unwrap();
    found.files()?;
    found.extract(&scene.root(), "out".as_ref()).map(drop)
}

#[test]
fn archives_stay_where_they_are_unpacked() {
    let scene = Scene::new();
    fs::write(scene.path("outside"), "safe").unwrap();
    fs::create_dir(scene.job("out")).unwrap();
    // The job prepares links for the archive to write through.
    symlink(scene.path("outside"), scene.job("out/file")).unwrap();
    symlink(scene.path(""), scene.job("out/dir")).unwrap();
    unpack(&scene, Limits::default(), &archive(&[("file", b"evil"), ("dir/outside", b"evil")])).unwrap();
    assert_eq!(fs::read(scene.path("outside")).unwrap(), b"safe");
    assert_eq!(fs::read(scene.job("out/dir/outside")).unwrap(), b"evil");
    for name in ["../outside", "/outside", "a/../../outside", "..", "a/..", "", "a\0b"] {
        let result = unpack(&scene, Limits::default(), &archive(&[(name, b"evil")]));
        assert!(matches!(result, Err(StorageError::Entry { .. })), "{name:?}: {result:?}");
        assert_eq!(fs::read(scene.path("outside")).unwrap(), b"safe");
    }
    let deep = "a/".repeat(5000) + "f";
    assert!(unpack(&scene, Limits::default(), &archive(&[(&deep, b"")])).is_err());
}

#[test]
fn archives_are_bounded() {
    let scene = Scene::new();
    let limits = Limits { bytes: 10_000, entries: 3 };
    let honest = archive(&[("a", b"1"), ("b", b"2"), ("c", b"3")]);
    unpack(&scene, limits, &honest).unwrap();
    let many = archive(&[("a", b"1"), ("b", b"2"), ("c", b"3"), ("d", b"4")]);
    assert!(matches!(unpack(&scene, limits, &many), Err(StorageError::Limit { .. })));
    // A million zeros in a kilobyte.
    scene.write("bomb", vec![0; 1_000_000], 0o644);
    let store = ArtifactStore::open(&scene.path("large"), Limits::default()).unwrap();
    store.save_files(&artifact(&scene, "b"), &scene.root(), &[source("bomb", "bomb")]).unwrap();
    let bomb = store.find(&id("run-1"), &"b".parse().unwrap(), scene.now).unwrap().unwrap();
    bomb.write_zip(fs::File::create_new(scene.path("bomb.zip")).unwrap(), 9).unwrap();
    let bomb = fs::read(scene.path("bomb.zip")).unwrap();
    assert!(bomb.len() < 10_000);
    assert!(matches!(unpack(&scene, limits, &bomb), Err(StorageError::Limit { .. })));
    let small = ArtifactStore::open(&scene.path("small"), limits).unwrap();
    let saved = small.save_files(&artifact(&scene, "b"), &scene.root(), &[source("bomb", "bomb")]);
    assert!(matches!(saved, Err(StorageError::Limit { .. })), "{saved:?}");
}

#[test]
fn names_of_files_and_ids_are_checked() {
    let scene = Scene::new();
    scene.write("a", "x", 0o644);
    let store = scene.artifacts();
    for name in ["../x", "a/../../x", "", "/", "a:b", "a\nb", "."] {
        let files = [SourceFile { source: "a".into(), name: name.to_owned() }];
        let result = store.save_files(&artifact(&scene, "n"), &scene.root(), &files);
        assert!(result.is_err(), "{name:?}");
    }
    let both = [source("a", "d"), source("a", "d/f")];
    assert!(store.save_files(&artifact(&scene, "n"), &scene.root(), &both).is_err());
    for text in ["", ".", "..", ".x", "a/b", "a:b", "a b", "ä", &"x".repeat(129)] {
        assert!(text.parse::<BackendId>().is_err(), "{text:?}");
    }
    assert!(fs::read_dir(scene.path("artifacts/runs")).map_or(0, Iterator::count) == 0);
}

#[test]
fn caches_stay_where_they_are_restored() {
    let scene = Scene::new();
    fs::write(scene.path("outside"), "safe").unwrap();
    scene.write("d/outside", "evil", 0o644);
    let store = scene.caches(CacheBounds::default());
    let parts = [CachePart { label: "d".to_owned(), path: "d".into() }];
    store.save_files(&cache(&scene, "k", "refs/heads/main"), &scene.root(), &parts).unwrap();
    let scopes = CacheScopes::of_ref("refs/heads/main", None, None, true);
    let found = store.find(&["k".parse().unwrap()], "v", &scopes, scene.now).unwrap().unwrap();
    symlink(scene.path(""), scene.job("up")).unwrap();
    symlink("../..", scene.job("climb")).unwrap();
    fs::create_dir(scene.job("e")).unwrap();
    symlink(scene.path("outside"), scene.job("e/outside")).unwrap();
    for place in ["up", "../..", "climb/x", "e", "/"] {
        // Some are refused because a link dangles in the job's root; none leads out.
        let _ = found.restore(&scene.root(), |_| Some(place.into()));
        assert_eq!(fs::read(scene.path("outside")).unwrap(), b"safe", "{place}");
    }
    assert_eq!(fs::read(scene.job("e/outside")).unwrap(), b"evil");
    assert!(!scene.path("x").exists());
    // Pipes neither block nor are kept.
    rustix::fs::mknodat(
        rustix::fs::CWD,
        scene.job("d/pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let (_, done) = store.save_files(&cache(&scene, "l", "refs/heads/main"), &scene.root(), &parts).unwrap();
    assert_eq!((done.files, done.skipped), (1, 1));
    let pipe = store_pipe(&scene);
    assert!(matches!(pipe, Err(StorageError::Entry { .. })), "{pipe:?}");
}

fn store_pipe(scene: &Scene) -> Result<(), StorageError> {
    let files = [source("d/pipe", "pipe")];
    scene.artifacts().save_files(&artifact(scene, "p"), &scene.root(), &files).map(drop)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broken_archives_give_errors_and_nothing_else(
        flips in proptest::collection::vec((0..250_usize, any::<u8>()), 1..6),
        cut in 0..300_usize,
    ) {
        let scene = Scene::new();
        fs::write(scene.path("outside"), "safe").unwrap();
        let mut zip = archive(&[("a/file", b"content"), ("b", b"more"), ("c/", b"")]);
        for (at, byte) in flips {
            let length = zip.len();
            zip[at % length] = byte;
        }
        zip.truncate(cut.max(1));
        let _ = unpack(&scene, Limits { bytes: 1000, entries: 10 }, &zip);
        prop_assert_eq!(fs::read(scene.path("outside")).unwrap(), b"safe");
        let names: Vec<_> = fs::read_dir(scene.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        prop_assert!(names.len() <= 3, "{:?}", names);
    }
}
