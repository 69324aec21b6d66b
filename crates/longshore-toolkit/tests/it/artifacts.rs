//! What becomes of artifacts that jobs make.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use longshore_toolkit::StorageError;
use longshore_toolkit::artifact::{ArtifactForm, NewArtifact};

use crate::scene::{Scene, artifact, id, mode, source};

#[test]
fn files_come_back_as_they_were_when_they_were_saved() {
    let scene = Scene::new();
    scene.write("w/dist/tool", "first", 0o755);
    scene.write("w/dist/sub/secret", "", 0o600);
    fs::create_dir(scene.job("w/empty")).unwrap();
    let store = scene.artifacts();
    let files = [
        source("/w/dist/tool", "tool"),
        source("w/dist/sub/secret", "sub/secret"),
        source("/w/empty", "empty"),
    ];
    let saved = store.save_files(&artifact(&scene, "dist"), &scene.root(), &files).unwrap();
    assert_eq!((saved.size, saved.form, saved.id), (5, ArtifactForm::Tree, 1));
    assert!(saved.digest.starts_with("sha256:"), "{}", saved.digest);

    // The job goes on writing the same file.
    fs::OpenOptions::new().append(true).open(scene.job("w/dist/tool")).unwrap().write_all(b"!").unwrap();

    let found = store.find(&id("run-1"), &"dist".parse().unwrap(), scene.now).unwrap().unwrap();
    let names: Vec<_> = found.files().unwrap().into_iter().map(|file| (file.name, file.mode)).collect();
    assert_eq!(names[1..], [("sub/secret".to_owned(), 0o600), ("tool".to_owned(), 0o755)]);
    assert_eq!(names[0].0, "empty/");
    let done = found.extract(&scene.root(), "/new/place".as_ref()).unwrap();
    assert_eq!((done.files, done.bytes), (2, 5));
    assert_eq!(fs::read(scene.job("new/place/tool")).unwrap(), b"first");
    assert_eq!(mode(&scene.job("new/place/tool")), 0o755);
    assert_eq!(mode(&scene.job("new/place/sub/secret")), 0o600);
    assert!(scene.job("new/place/empty").is_dir());
}

#[test]
fn links_mean_what_they_mean_to_the_job() {
    let scene = Scene::new();
    scene.write("etc/passwd", "of the job", 0o644);
    std::os::unix::fs::symlink("/etc/passwd", scene.job("link")).unwrap();
    std::os::unix::fs::symlink("../../../../../etc", scene.job("up")).unwrap();
    let store = scene.artifacts();
    let files = [source("link", "a"), source("up/passwd", "b")];
    store.save_files(&artifact(&scene, "x"), &scene.root(), &files).unwrap();
    let found = store.find(&id("run-1"), &"x".parse().unwrap(), scene.now).unwrap().unwrap();
    found.extract(&scene.root(), "out".as_ref()).unwrap();
    assert_eq!(fs::read(scene.job("out/a")).unwrap(), b"of the job");
    assert_eq!(fs::read(scene.job("out/b")).unwrap(), b"of the job");
}

#[test]
fn a_name_is_taken_once_unless_it_is_overwritten() {
    let scene = Scene::new();
    scene.write("a", "one", 0o644);
    scene.write("b", "other", 0o644);
    let (store, root) = (scene.artifacts(), scene.root());
    let new = artifact(&scene, "x");
    let first = store.save_files(&new, &root, &[source("a", "f")]).unwrap();
    let refused = store.save_files(&new, &root, &[source("b", "f")]);
    assert!(matches!(refused, Err(StorageError::ArtifactExists { .. })), "{refused:?}");
    // Another run is another place.
    let elsewhere = NewArtifact { run: id("run-2"), ..new.clone() };
    store.save_files(&elsewhere, &root, &[source("b", "f")]).unwrap();

    let reading = store.find(&id("run-1"), &"x".parse().unwrap(), scene.now).unwrap().unwrap();
    let overwriting = NewArtifact { overwrite: true, ..new };
    let second = store.save_files(&overwriting, &root, &[source("b", "f")]).unwrap();
    assert!(second.id > first.id);
    // Who was reading reads on; the next reader finds the new one.
    reading.extract(&root, "old".as_ref()).unwrap();
    assert_eq!(fs::read(scene.job("old/f")).unwrap(), b"one");
    drop(reading);
    let found = store.find(&id("run-1"), &"x".parse().unwrap(), scene.now).unwrap().unwrap();
    found.extract(&root, "new".as_ref()).unwrap();
    assert_eq!(fs::read(scene.job("new/f")).unwrap(), b"other");
    assert_eq!(store.list(&id("run-1"), scene.now).unwrap(), [second]);
    drop(found);
    scene.artifacts();
    assert_eq!(fs::read_dir(scene.path("artifacts/drafts")).unwrap().count(), 0);
}

#[test]
fn artifacts_expire_by_their_own_days() {
    let scene = Scene::new();
    scene.write("a", "one", 0o644);
    let (store, root) = (scene.artifacts(), scene.root());
    for (name, days) in [("week", 7), ("month", 30)] {
        let new = NewArtifact { retention_days: days, ..artifact(&scene, name) };
        store.save_files(&new, &root, &[source("a", "f")]).unwrap();
    }
    let names = |at| -> Vec<String> {
        store.list(&id("run-1"), at).unwrap().into_iter().map(|artifact| artifact.name).collect()
    };
    assert_eq!(names(scene.later(6)), ["week", "month"]);
    assert_eq!(names(scene.later(8)), ["month"]);
    let gone = store.prune(scene.later(8)).unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!(names(scene.now), ["month"]);
    assert!(store.find(&id("run-1"), &"month".parse().unwrap(), scene.later(31)).unwrap().is_none());
    // The name of one that has expired is free.
    let again = NewArtifact { created: scene.later(31), ..artifact(&scene, "month") };
    store.save_files(&again, &root, &[source("a", "f")]).unwrap();
    store.delete_run(&id("run-1")).unwrap();
    assert!(!scene.path("artifacts/runs/run-1").exists());
    assert!(store.delete(&id("run-1"), &"week".parse().unwrap()).unwrap().is_none());
}

#[test]
fn what_is_dropped_or_killed_leaves_nothing() {
    let scene = Scene::new();
    let store = scene.artifacts();
    let mut upload = store.begin().unwrap();
    upload.write_all(b"half").unwrap();
    assert_eq!(fs::read_dir(scene.path("artifacts/drafts")).unwrap().count(), 1);
    // Another process opens the store meanwhile.
    scene.artifacts();
    assert_eq!(fs::read_dir(scene.path("artifacts/drafts")).unwrap().count(), 1);
    drop(upload);
    // What a killed process leaves has no lock.
    fs::create_dir(scene.path("artifacts/drafts/dead")).unwrap();
    fs::write(scene.path("artifacts/drafts/dead/upload"), "half").unwrap();
    scene.artifacts();
    assert_eq!(fs::read_dir(scene.path("artifacts/drafts")).unwrap().count(), 0);
    assert!(store.list(&id("run-1"), scene.now).unwrap().is_empty());
}

#[test]
fn a_tree_is_an_archive_and_an_archive_is_a_tree() {
    let scene = Scene::new();
    let large = "abc".repeat(100_000);
    scene.write("a/tool", &large, 0o755);
    scene.write("a/ü/empty", "", 0o644);
    fs::create_dir(scene.job("a/dir")).unwrap();
    let (store, root) = (scene.artifacts(), scene.root());
    let files = [source("a/tool", "tool"), source("a/ü/empty", "ü/empty"), source("a/dir", "dir")];
    store.save_files(&artifact(&scene, "tree"), &root, &files).unwrap();
    let tree = store.find(&id("run-1"), &"tree".parse().unwrap(), scene.now).unwrap().unwrap();
    for (level, smaller) in [(0, false), (1, true), (9, true)] {
        let path = scene.path(&format!("{level}.zip"));
        tree.write_zip(fs::File::create_new(&path).unwrap(), level).unwrap();
        let packed = fs::read(&path).unwrap();
        assert_eq!(packed.len() < large.len(), smaller, "level {level}");
        let mut upload = store.begin().unwrap();
        upload.write_all(&packed).unwrap();
        let name = format!("zip{level}");
        let zip = store.finish(&artifact(&scene, &name), upload, None).unwrap();
        assert_eq!((zip.form, zip.size), (ArtifactForm::Zip, packed.len() as u64));
        let zip = store.find(&id("run-1"), &name.parse().unwrap(), scene.now).unwrap().unwrap();
        let names: Vec<_> = zip.files().unwrap().into_iter().map(|file| (file.name, file.size)).collect();
        let expected = [("dir/", 0), ("tool", 300_000), ("ü/empty", 0)];
        assert_eq!(names, expected.map(|(name, size)| (name.to_owned(), size)));
        zip.extract(&root, name.as_ref()).unwrap();
        assert_eq!(fs::read_to_string(scene.job(&name).join("tool")).unwrap(), large);
        assert_eq!(mode(&scene.job(&name).join("tool")), 0o755);
        assert!(scene.job(&name).join("dir").is_dir());
        // Others read it too.
        let Ok(python) = Command::new("python3").args(["-m", "zipfile", "-t"]).arg(&path).output() else {
            eprintln!("skipped: there is no python3 to read the archive with");
            continue;
        };
        assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    }
    let (one, two) = (tree.blob().unwrap(), tree.blob().unwrap());
    assert_eq!((one.size, one.media_type.as_str()), (two.size, "application/zip"));
    assert_eq!(one.file_name, "tree.zip");
}

#[test]
fn a_single_file_stays_one() {
    let scene = Scene::new();
    let store = scene.artifacts();
    let mut upload = store.begin().unwrap();
    upload.write_all(b"hello").unwrap();
    let media = Some("text/plain".to_owned());
    let saved = store.finish(&artifact(&scene, "note.txt"), upload, media).unwrap();
    assert_eq!(saved.digest, "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    let found = store.find(&id("run-1"), &"note.txt".parse().unwrap(), scene.now).unwrap().unwrap();
    found.extract(&scene.root(), "".as_ref()).unwrap();
    assert_eq!(fs::read(scene.job("note.txt")).unwrap(), b"hello");
    assert_eq!(found.blob().unwrap().media_type, "text/plain");
    found.write_zip(fs::File::create_new(scene.path("z")).unwrap(), 6).unwrap();
}

#[test]
fn of_many_that_save_one_name_one_wins() {
    let scene = Scene::new();
    scene.write("a", "one", 0o644);
    let won = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let new = artifact(&scene, "x");
                    scene.artifacts().save_files(&new, &scene.root(), &[source("a", "f")]).is_ok()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|&won| won).count()
    });
    assert_eq!(won, 1);
    assert_eq!(scene.artifacts().list(&id("run-1"), scene.now).unwrap().len(), 1);
}

#[test]
fn large_files_have_the_same_digest_as_small_ones() {
    let scene = Scene::new();
    let content: Vec<u8> = (0..20_000_003_u32).map(|number| (number % 251) as u8).collect();
    scene.write("big", &content, 0o644);
    let store = scene.artifacts();
    store.save_files(&artifact(&scene, "tree"), &scene.root(), &[source("big", "big")]).unwrap();
    let mut upload = store.begin().unwrap();
    upload.write_all(&content).unwrap();
    let media = Some("application/octet-stream".to_owned());
    let plain = store.finish(&artifact(&scene, "big"), upload, media).unwrap();
    let tree = store.find(&id("run-1"), &"tree".parse().unwrap(), scene.now).unwrap().unwrap();
    let digest = tree.files().unwrap()[0].sha256.clone().unwrap();
    assert_eq!(plain.digest, format!("sha256:{digest}"));
    tree.extract(&scene.root(), "out".as_ref()).unwrap();
    assert!(fs::read(scene.job("out/big")).unwrap() == content);
}
